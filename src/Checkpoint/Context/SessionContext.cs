using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;

namespace Checkpoint;

/// <summary>What Set-CheckpointContext said, for each runspace its own.</summary>
internal static class SessionContext
{
    private static readonly ContextSettings Nothing = new();
    private static readonly ConditionalWeakTable<Runspace, ContextSettings> Settings = [];

    public static ContextSettings Current
    {
        get => Runspace.DefaultRunspace is { } runspace && Settings.TryGetValue(runspace, out var settings) ? settings : Nothing;
        set => Settings.AddOrUpdate(Runspace.DefaultRunspace, value);
    }
}
