namespace Checkpoint;

/// <summary>Who saved a checkpoint.</summary>
/// <param name="Host">The machine.</param>
/// <param name="User">The user.</param>
/// <param name="ProcessId">The process.</param>
internal sealed record CheckpointOrigin(string Host, string User, int ProcessId)
{
    /// <summary>This process.</summary>
    public static CheckpointOrigin Self { get; } = new(Environment.MachineName, Environment.UserName, Environment.ProcessId);
}
