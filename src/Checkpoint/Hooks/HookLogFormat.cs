namespace Checkpoint;

/// <summary>How the log of a hook is written.</summary>
public enum HookLogFormat
{
    /// <summary>A line of text an event, for people.</summary>
    Text,

    /// <summary>A JSON object an event, each on a line of its own, for programs.</summary>
    Json,
}
