using System.Dynamic;

namespace Checkpoint;

/// <summary>The results of the stages that a stage depends on, read from the store when they are asked for.</summary>
/// <remarks>A dynamic object, for PowerShell makes $null of a property that other objects do not have: <c>$_.Output.ingest</c> is <c>$_.Output['ingest']</c>, and a slip in it an error.</remarks>
public sealed class StageOutputs : DynamicObject
{
    private readonly Dictionary<string, Lazy<object?>> _outputs;
    private readonly string _stage;

    internal StageOutputs(string stage, IReadOnlyDictionary<string, CheckpointInfo> inputs, Func<CheckpointInfo, object?> read)
    {
        _stage = stage;
        Names = [.. inputs.Keys];
        _outputs = inputs.ToDictionary(i => CheckpointNames.Key(i.Key), i => new Lazy<object?>(() => read(i.Value), LazyThreadSafetyMode.None));
    }

    /// <summary>The names of these stages.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>What a stage gave, as PowerShell would assign it to a variable: nothing is $null, one object is that object, more are an array.</summary>
    /// <param name="name">The stage.</param>
    /// <exception cref="InvalidArgumentException">The stage is none that this one depends on, so a change of it would go unnoticed.</exception>
    public object? this[string name]
    {
        get
        {
            try
            {
                return _outputs.TryGetValue(CheckpointNames.Key(CheckpointNames.Normalize(name, "stage")), out var output)
                    ? output.Value
                    : throw new InvalidArgumentException($"Stage '{_stage}' does not depend on '{name}', so its output cannot be had here. Add it to -DependsOn.");
            }
            catch (Exception e)
            {
                Fault ??= e;
                throw;
            }
        }
    }

    /// <summary>Why an output could not be had, or null. But for its strictest mode PowerShell makes $null of what an indexer throws, and a stage must not work on with that.</summary>
    internal Exception? Fault { get; private set; }

    /// <inheritdoc/>
    public override bool TryGetMember(GetMemberBinder binder, out object? result)
    {
        var isOwn = string.Equals(binder.Name, nameof(Names), StringComparison.OrdinalIgnoreCase);
        result = isOwn ? null : this[binder.Name];
        return !isOwn;
    }

    /// <summary>An output as PowerShell would assign it to a variable.</summary>
    internal static object? Assigned(object? state, bool isSequence) => !isSequence || state is not object?[] items ? state : items.Length switch
    {
        0 => null,
        1 => items[0],
        _ => items,
    };
}
