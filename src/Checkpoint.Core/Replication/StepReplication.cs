namespace Checkpoint;

/// <summary>Makes steps of a stage in a replica what they are in the store: copies what is there, removes what is not.</summary>
/// <param name="primary">The store.</param>
/// <param name="replica">Its replica.</param>
/// <param name="onProgress">Told that something goes on.</param>
internal sealed class StepReplication(CheckpointStore primary, CheckpointStore replica, Action? onProgress = null)
{
    // Others may save and clear the same steps all the time.
    private const int Attempts = 20;

    private readonly StepCopy _copy = new(primary, replica);

    /// <summary>Replicates steps.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="steps">The steps, or null for all that either store has, and what else there is of the stage.</param>
    /// <param name="cancellation">Ends it between two steps.</param>
    /// <exception cref="CheckpointException">An error of one of the stores, or the replica cannot have one of the steps.</exception>
    public async ValueTask ReplicateAsync(StageId stage, IReadOnlyCollection<long>? steps, CancellationToken cancellation)
    {
        stage = stage.Elsewhere;
        CheckpointException? unsteady = null;
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            var meant = steps ?? await AllStepsAsync(stage, cancellation);
            var copies = new Dictionary<long, CheckpointInfo?>();
            unsteady = null;
            foreach (var step in meant)
            {
                cancellation.ThrowIfCancellationRequested();
                var outcome = await _copy.CopyAsync(stage, step, static _ => true, overwrite: true, _ => onProgress?.Invoke(), cancellation);
                onProgress?.Invoke();
                if (outcome?.Fault is null)
                    copies[step] = outcome?.Checkpoint;
                // What is damaged in the store may be whole in the replica, and is left there.
                else if (!outcome.IsOfSource)
                    unsteady = outcome.Fault.Kind is CheckpointErrorKind.CheckpointExists or CheckpointErrorKind.CheckpointDamaged ? outcome.Fault : throw outcome.Fault;
            }
            RequirePrimary();
            List<DoomedStep> gone = [.. copies.Where(c => c.Value is null).Select(c => new DoomedStep(c.Key))];
            if (steps is null && gone.Count == meant.Count)
                await replica.RemoveAsync(stage, null, cancellation);
            else if (gone.Count > 0)
                await replica.RemoveAsync(stage, gone, cancellation);
            // Somebody may have saved or cleared it meanwhile, and brought that to the replica already: whoever writes to it last looks whether it is still so.
            if (unsteady is null && await IsStillAsync(stage, copies, cancellation) && (steps is not null || (await AllStepsAsync(stage, cancellation)).All(meant.Contains)))
            {
                RequirePrimary();
                return;
            }
        }
        throw unsteady ?? CheckpointErrors.Unsteady(stage, primary.Location, replica.Location);
    }

    // Of a store that is gone every step is missing; and that is no reason to remove it from the replica.
    private void RequirePrimary()
    {
        if (!primary.IsThere)
            throw CheckpointErrors.PrimaryGone(primary.Location, replica.Location);
    }

    private async ValueTask<IReadOnlyCollection<long>> AllStepsAsync(StageId stage, CancellationToken cancellation) =>
        [.. ((await primary.FindAsync(stage, cancellation))?.Steps ?? []).Union((await replica.FindAsync(stage, cancellation))?.Steps ?? []).Order()];

    private async ValueTask<bool> IsStillAsync(StageId stage, Dictionary<long, CheckpointInfo?> copies, CancellationToken cancellation)
    {
        foreach (var (step, copy) in copies)
        {
            var now = await primary.ReadAsync(stage, step, cancellation);
            if (copy is null ? !now.IsMissing : now.Info is null || !StepCopy.IsSame(now.Info, copy))
                return false;
        }
        return true;
    }
}
