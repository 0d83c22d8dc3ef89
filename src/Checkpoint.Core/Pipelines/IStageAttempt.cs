namespace Checkpoint;

/// <summary>An attempt that a guard let through.</summary>
internal interface IStageAttempt : IAsyncDisposable
{
    /// <summary>Says that it went well; else it failed.</summary>
    void Succeeded();
}
