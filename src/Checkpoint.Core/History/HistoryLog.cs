namespace Checkpoint;

/// <summary>Writes the history. What it tells of is done and durable by then, so a history that cannot be written is a warning, never the failure of the work.</summary>
/// <param name="store">The store.</param>
/// <param name="time">The clock.</param>
/// <param name="onFault">Told of a history that could not be written.</param>
internal sealed class HistoryLog(CheckpointStore store, TimeProvider time, Action<CheckpointException>? onFault)
{
    public ValueTask RecordAsync(string kind, StageId stage, long? step, string? reason, CancellationToken cancellation) =>
        RecordAsync(kind, stage.Pipeline, stage.Run, stage.Name, step, reason, cancellation);

    /// <summary>What is to be written along with a save.</summary>
    public HistoryNote NoteOf(string kind, StageId stage) => new(step => Describe(time, kind, stage.Pipeline, stage.Run, stage.Name, step, null));

    /// <summary>Writes down that a stage failed, and when it is tried again.</summary>
    public ValueTask RecordRetryAsync(StageId stage, string reason, TimeSpan pause, CancellationToken cancellation) =>
        RecordAsync(Describe(time, CheckpointEvents.StageRetried, stage.Pipeline, stage.Run, stage.Name, null, reason, pause), cancellation);

    public ValueTask RecordAsync(string kind, string pipeline, string? run, string? name, long? step, string? reason, CancellationToken cancellation) =>
        RecordAsync(Describe(time, kind, pipeline, run, name, step, reason), cancellation);

    private async ValueTask RecordAsync(CheckpointEvent entry, CancellationToken cancellation)
    {
        try
        {
            await store.AppendHistoryAsync(entry.Pipeline, [entry], cancellation);
        }
        catch (CheckpointException e)
        {
            // Reading a store that one may not write is no fault.
            if (entry.Event is not (CheckpointEvents.Restored or CheckpointEvents.StageSkipped) || e.Kind is not (CheckpointErrorKind.StoreReadOnly or CheckpointErrorKind.StoreAccessDenied))
                onFault?.Invoke(e);
        }
    }

    /// <summary>Writes down that a lease was lost, and gives the error.</summary>
    public async ValueTask<CheckpointException> RecordLossAsync(LeaseName lease, string reason, CancellationToken cancellation)
    {
        await LastWords.SayAsync(token => RecordAsync(CheckpointEvents.LeaseLost, lease.Pipeline, lease.Run, lease.Name, null, reason, token), cancellation);
        return CheckpointErrors.LeaseLost(lease, store.Location, reason);
    }

    /// <summary>Something that this process does now.</summary>
    public static CheckpointEvent Describe(TimeProvider time, string kind, string pipeline, string? run, string? name, long? step, string? reason, TimeSpan? pause = null)
    {
        var now = time.GetUtcNow();
        return new()
        {
            Time = now,
            Event = kind,
            Pipeline = pipeline,
            Run = run,
            Name = name,
            Step = step,
            Reason = reason,
            Until = now + pause,
            Host = CheckpointOrigin.Self.Host,
            User = CheckpointOrigin.Self.User,
            ProcessId = CheckpointOrigin.Self.ProcessId,
        };
    }
}
