namespace Checkpoint;

/// <summary>Something that happened in a pipeline: one line of its history. Immutable.</summary>
public sealed class CheckpointEvent
{
    internal CheckpointEvent()
    {
    }

    /// <summary>The store whose history tells of it.</summary>
    public string Store { get; internal init; } = "";

    /// <summary>When it happened, UTC.</summary>
    public DateTimeOffset Time { get; internal init; }

    /// <summary>What happened: one of the names in <see cref="CheckpointEvents"/>, or one that a newer version of Checkpoint wrote.</summary>
    public string Event { get; internal init; } = "";

    /// <summary>The pipeline.</summary>
    public string Pipeline { get; internal init; } = "";

    /// <summary>The run, or null where it belongs to none.</summary>
    public string? Run { get; internal init; }

    /// <summary>The stage, or null where it concerns a run as a whole.</summary>
    public string? Name { get; internal init; }

    /// <summary>The step, or null.</summary>
    public long? Step { get; internal init; }

    /// <summary>Why, in words, or null.</summary>
    public string? Reason { get; internal init; }

    /// <summary>Of <see cref="CheckpointEvents.StageRetried"/>: when the next attempt begins, UTC. Null otherwise.</summary>
    public DateTimeOffset? Until { get; internal init; }

    /// <summary>The machine.</summary>
    public string Host { get; internal init; } = "";

    /// <summary>The user.</summary>
    public string User { get; internal init; } = "";

    /// <summary>The process.</summary>
    public int ProcessId { get; internal init; }

    /// <summary>The event and what it is about.</summary>
    public override string ToString() => Name is null ? $"{Event} {Run}" : Step is null ? $"{Event} {Name}" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Event} {Name} step {Step}");
}
