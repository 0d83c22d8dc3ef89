using System.Collections;
using System.Collections.ObjectModel;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>Objects that hand out and take back their own state: <c>GetState()</c>, <c>SetState(state)</c> and, where they have it, <c>GetIdentity()</c>.</summary>
internal static class StatefulObject
{
    public static object? GetState(object target, StageId stage, string store) => Call(Find(target, nameof(GetState), stage, store), stage, store);

    public static void SetState(object target, object? state, StageId stage, string store) => Call(Find(target, nameof(SetState), stage, store), stage, store, state);

    /// <summary>Fails now where the object could not take a state.</summary>
    public static void RequireSetState(object target, StageId stage, string store) => Find(target, nameof(SetState), stage, store);

    /// <summary>What the object says it is, by field; or null where it says nothing.</summary>
    public static ReadOnlyDictionary<string, object?>? IdentityOf(object target, StageId stage, string store)
    {
        if (PSObject.AsPSObject(target).Methods["GetIdentity"] is not { } method)
            return null;
        var shape = StateShape.Of(Call(method, stage, store));
        return shape switch
        {
            { Value: null } => null,
            { Kind: not ShapeKind.Object, Value: IDictionary table } => Facts.From(table, "identity"),
            { Kind: ShapeKind.Object, Wrapper: { } bag } => Facts.From(bag, "identity"),
            _ => Facts.From((IDictionary)new Hashtable { ["identity"] = shape.Value }, "identity"),
        };
    }

    /// <summary>Refuses a state that belongs to another kind of object.</summary>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.IdentityMismatch"/> naming the first field that differs.</exception>
    public static void RequireSameIdentity(CheckpointInfo saved, object target, CancellationToken cancellation)
    {
        try
        {
            Compare(saved, target, cancellation);
        }
        catch (UnkeptValueException e)
        {
            throw CheckpointErrors.MethodFailed(saved.StageId, saved.Store, "GetIdentity", e);
        }
    }

    private static void Compare(CheckpointInfo saved, object target, CancellationToken cancellation)
    {
        if (saved.Identity is not { } then || IdentityOf(target, saved.StageId, saved.Store) is not { } now)
            return;
        foreach (var field in then.Keys.Union(now.Keys, StringComparer.OrdinalIgnoreCase))
        {
            var (isThen, isNow) = (then.TryGetValue(field, out var savedValue), now.TryGetValue(field, out var currentValue));
            if (isThen && isNow && ObjectFingerprint.Of(savedValue, cancellation).Equals(ObjectFingerprint.Of(currentValue, cancellation)))
                continue;
            throw CheckpointErrors.IdentityMismatch(saved.StageId, saved.Step, field, isThen ? Show(savedValue) : "missing", isNow ? Show(currentValue) : "missing");
        }
    }

    // What the object's own code throws, PowerShell wraps.
    private static object? Call(PSMethodInfo method, StageId stage, string store, params object?[] arguments)
    {
        try
        {
            return method.Invoke(arguments);
        }
        catch (MethodException e) when (e.InnerException is not (PipelineStoppedException or FlowControlException))
        {
            throw CheckpointErrors.MethodFailed(stage, store, method.Name, e.InnerException ?? e);
        }
    }

    private static PSMethodInfo Find(object target, string method, StageId stage, string store) =>
        PSObject.AsPSObject(target).Methods[method] ?? throw CheckpointErrors.MissingMethod(stage, store, PSObject.AsPSObject(target).BaseObject.GetType().FullName!, method);

    private static string Show(object? value) => value switch
    {
        null => "null",
        IList items => "(" + string.Join(", ", items.Cast<object?>().Select(Show)) + ")",
        _ => $"'{LanguagePrimitives.ConvertTo<string>(value)}'",
    };
}
