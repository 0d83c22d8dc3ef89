namespace Checkpoint;

/// <summary>A value that cannot be saved, found deep in a state or among metadata, where nobody knows which checkpoint it is for. Who knows makes it a <see cref="CheckpointException"/>.</summary>
internal sealed class UnkeptValueException(CheckpointErrorKind kind, string path, string reason, Exception? inner = null) : Exception($"{path} cannot be kept: {reason}.", inner)
{
    public CheckpointErrorKind Kind { get; } = kind;

    public string Reason { get; } = reason;

    /// <summary>Where the value stands, as PowerShell would write it: <c>$state.users[3]</c>.</summary>
    public string Path { get; } = path;
}
