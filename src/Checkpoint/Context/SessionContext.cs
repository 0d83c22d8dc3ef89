using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;

namespace Checkpoint;

/// <summary>What Set-CheckpointContext said, or the cmdlet that runs a block, for each runspace its own.</summary>
internal static class SessionContext
{
    private static readonly ContextSettings Nothing = new();
    private static readonly ConditionalWeakTable<Runspace, ContextSettings> Settings = [];

    public static ContextSettings Current
    {
        get => Runspace.DefaultRunspace is { } runspace && Settings.TryGetValue(runspace, out var settings) ? settings : Nothing;
        set => Set(Runspace.DefaultRunspace, value);
    }

    public static void Set(Runspace runspace, ContextSettings settings) => Settings.AddOrUpdate(runspace, settings);

    /// <summary>What a call in the block of a stage means where it does not say so itself: what it saves there belongs to the run, and to no other.</summary>
    /// <param name="command">The cmdlet that runs the block.</param>
    /// <param name="engine">Where it saves.</param>
    /// <param name="stage">The stage.</param>
    public static ContextSettings Within(PSCmdlet command, CheckpointEngine engine, StageId stage)
    {
        var source = command.MyInvocation.MyCommand.Name;
        return Current with { Store = new(engine.Store.Location, source), Replica = new(engine.Store.Replica?.Location, source), ReplicaMode = new(engine.Store.Replica?.Mode, source), Pipeline = new(stage.Pipeline, source), Run = new(stage.Run, source), Key = new(engine.Key, source) };
    }

    /// <summary>Has this runspace go by other settings until what is returned is disposed of. What Set-CheckpointContext changes meanwhile stays.</summary>
    public static IDisposable Enter(ContextSettings inner)
    {
        var scope = new Scope(Current, inner);
        Current = inner;
        return scope;
    }

    private sealed class Scope(ContextSettings outer, ContextSettings inner) : IDisposable
    {
        public void Dispose()
        {
            var now = Current;
            Current = ReferenceEquals(now, inner) ? outer : now with
            {
                Store = now.Store == inner.Store ? outer.Store : now.Store,
                Replica = now.Replica == inner.Replica ? outer.Replica : now.Replica,
                ReplicaMode = now.ReplicaMode == inner.ReplicaMode ? outer.ReplicaMode : now.ReplicaMode,
                Pipeline = now.Pipeline == inner.Pipeline ? outer.Pipeline : now.Pipeline,
                Run = now.Run == inner.Run ? outer.Run : now.Run,
                Key = now.Key == inner.Key ? outer.Key : now.Key,
            };
        }
    }
}
