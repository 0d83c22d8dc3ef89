namespace Checkpoint;

/// <summary>A step that is to be removed.</summary>
/// <param name="Step">Its number.</param>
/// <param name="Revision">
/// The <see cref="CheckpointInfo.Revision"/> that was judged, by its age or its metadata: what was saved over it since is another checkpoint and stays. Null where
/// the number alone decides, as for a damaged record.
/// </param>
internal readonly record struct DoomedStep(long Step, string? Revision = null)
{
    public DoomedStep(CheckpointInfo judged)
        : this(judged.Step, judged.Revision)
    {
    }

    public static implicit operator DoomedStep(long step) => new(step);
}
