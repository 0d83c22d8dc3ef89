namespace Checkpoint;

/// <summary>A hook of ours: told of every event.</summary>
internal interface IPipelineHook
{
    /// <summary>Takes an event, on the pipeline's thread. What it throws becomes a warning.</summary>
    void On(HookEvent e);
}
