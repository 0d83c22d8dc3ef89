using System.Collections.ObjectModel;

namespace Checkpoint;

/// <summary>What a call without parameters means, and where each value comes from.</summary>
public sealed class CheckpointContext
{
    internal CheckpointContext(string store, string pipeline, string? run, string? key, int? keep, IDictionary<string, string> source)
    {
        Store = store;
        Pipeline = pipeline;
        Run = run;
        Key = key;
        Keep = keep;
        Source = new ReadOnlyDictionary<string, string>(source);
    }

    /// <summary>The store: a folder path or a URI.</summary>
    public string Store { get; }

    /// <summary>The pipeline.</summary>
    public string Pipeline { get; }

    /// <summary>The run, or null for none.</summary>
    public string? Run { get; }

    /// <summary>What kind of key is set, never the key itself: <c>passphrase</c>, <c>key</c>, or <c>certificate</c> and its thumbprint; or null for none.</summary>
    public string? Key { get; }

    /// <summary>How many steps of a stage are kept, or null for all.</summary>
    public int? Keep { get; }

    /// <summary>For each property, where its value comes from: <c>Set-CheckpointContext</c>, the cmdlet that runs the block, an environment variable by its name, or <c>default</c>.</summary>
    public ReadOnlyDictionary<string, string> Source { get; }
}
