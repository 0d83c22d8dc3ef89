using System.Collections.ObjectModel;

namespace Checkpoint;

/// <summary>What a call without parameters means, and where each value comes from.</summary>
public sealed class CheckpointContext
{
    internal CheckpointContext(IDictionary<string, string> source) => Source = new ReadOnlyDictionary<string, string>(source);

    /// <summary>The store: a folder path or a URI.</summary>
    public string Store { get; internal init; } = "";

    /// <summary>The second store that gets what is saved: a folder path or a URI; or null for none.</summary>
    public string? Replica { get; internal init; }

    /// <summary>When a save is done where there is a replica; null where there is none.</summary>
    public ReplicaMode? ReplicaMode { get; internal init; }

    /// <summary>The pipeline.</summary>
    public string Pipeline { get; internal init; } = "";

    /// <summary>The run, or null for none.</summary>
    public string? Run { get; internal init; }

    /// <summary>What kind of key is set, never the key itself: <c>passphrase</c>, <c>key</c>, or <c>certificate</c> and its thumbprint; or null for none.</summary>
    public string? Key { get; internal init; }

    /// <summary>How many steps of a stage are kept, or null for all.</summary>
    public int? Keep { get; internal init; }

    /// <summary>For each property, where its value comes from: <c>Set-CheckpointContext</c>, the cmdlet that runs the block, an environment variable by its name, or <c>default</c>.</summary>
    public ReadOnlyDictionary<string, string> Source { get; }
}
