namespace Checkpoint;

/// <summary>The one exception of Checkpoint. <see cref="Kind"/> says what went wrong, the message what to do about it.</summary>
/// <remarks>Made by <see cref="CheckpointErrors"/> alone, so that all messages stand in one place.</remarks>
public sealed class CheckpointException : Exception
{
    internal CheckpointException(CheckpointErrorKind kind, string message, object? target, Exception? inner = null)
        : base(message, inner)
    {
        Kind = kind;
        Target = target;
    }

    /// <summary>What went wrong.</summary>
    public CheckpointErrorKind Kind { get; }

    /// <summary>The checkpoint's name, its <see cref="CheckpointInfo"/>, or what else the error is about.</summary>
    public object? Target { get; }

    /// <summary>Whether nothing was done, and the same may succeed that is begun anew.</summary>
    internal bool MayRepeat { get; init; }
}
