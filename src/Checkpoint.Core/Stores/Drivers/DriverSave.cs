using System.Globalization;

namespace Checkpoint;

/// <summary>One save into a driver's store: the state is written, small into the record and large as a payload, then both are committed at once.</summary>
internal sealed class DriverSave(StoreDriver driver, DriverRecords records, CheckpointDraft draft)
{
    private readonly StoreKey _key = DriverKeys.Of(draft.Stage);

    public CheckpointInfo Run(CancellationToken cancellation)
    {
        var save = DriverCall.Wait(() => driver.BeginSaveAsync(_key, cancellation));
        try
        {
            var state = WriteState(save, cancellation);
            CheckpointInfo? saved = null;
            var note = draft.Note is null ? null : DriverHistory.NoteOf(draft.Stage.Pipeline, draft.Note);
            var commit = new StoreCommit
            {
                Step = draft.Step,
                // Only a step that the user named can be replaced; the next step is always a new one.
                Overwrite = draft.Overwrite && draft.Step is not null,
                MakeRecord = (step, _) =>
                {
                    saved = Describe(step, state);
                    saved.Encryption = draft.Close?.Invoke(saved);
                    return DriverRecords.Serialize(saved);
                },
                Fence = draft.Fence?.OfDriver,
                Note = note,
            };
            if (DriverCall.Wait(() => save.CommitAsync(commit, cancellation)) is null)
                throw Exists();
            if (note is { IsCommitted: true })
                draft.Note!.IsWritten = true;
            return saved!;
        }
        finally
        {
            DriverCall.Wait(save.DisposeAsync);
        }
    }

    private StoredState? WriteState(StoreSave save, CancellationToken cancellation)
    {
        if (draft.State is not { } source)
            return null;
        string? name = null;
        StoredState state;
        using (var writer = new StateWriter(
            () =>
            {
                // Found out now, not after a gigabyte was written.
                if (draft.Step is { } step && !draft.Overwrite && DriverCall.Wait(() => driver.ReadAsync(_key, step, cancellation)) is not null)
                    throw Exists();
                name = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
                return save.OpenPayload(name);
            },
            draft.Progress))
        {
            source.WriteTo(writer, cancellation);
            state = writer.Complete(source.IsSequence, cancellation);
        }
        return name is null ? state : state.Named(name);
    }

    private CheckpointException Exists() => CheckpointErrors.Exists(draft.Stage, draft.Step!.Value, driver.Location);

    private CheckpointInfo Describe(long step, StoredState? state) => draft.Describe(driver.Location, records.Place(_key, step), step, state);
}
