using System.Buffers;

namespace Checkpoint;

/// <summary>The history of pipelines in a driver's store: each entry holds the lines of one append, chained to those before as in a folder's file.</summary>
internal sealed class DriverHistory(StoreDriver driver)
{
    /// <summary>Appends to a history. A loss of power may take the newest, which costs no checkpoint.</summary>
    /// <returns>The step of the entry.</returns>
    public long? Append(string pipeline, IReadOnlyList<CheckpointEvent> events, CancellationToken cancellation) => DriverCall.Wait(async () =>
    {
        await using var save = await driver.BeginSaveAsync(DriverKeys.OfHistory(pipeline), cancellation);
        var commit = new StoreCommit
        {
            NeedsLast = true,
            IsDurable = false,
            MakeRecord = (_, last) => RecordOf(events, last),
        };
        return await save.CommitAsync(commit, cancellation);
    });

    /// <summary>An event that may be appended along with a save.</summary>
    public static StoreNote NoteOf(string pipeline, HistoryNote note) => new()
    {
        Key = DriverKeys.OfHistory(pipeline),
        MakeRecord = (saved, last) => RecordOf([note.Describe(saved)], last),
    };

    /// <summary>The events of the pipelines that fit, each oldest first.</summary>
    public IEnumerable<CheckpointEvent> Read(NamePattern pipeline, CancellationToken cancellation)
    {
        foreach (var key in Keys(pipeline, cancellation))
        {
            foreach (var line in Lines(key, cancellation))
            {
                if (HistoryFormat.Parse(line.Span, driver.Location) is { } entry && pipeline.IsMatch(entry.Pipeline))
                    yield return entry;
            }
        }
    }

    /// <summary>The histories that may be meant.</summary>
    public IEnumerable<StoreKey> Keys(NamePattern pipeline, CancellationToken cancellation) =>
        DriverCall.Items(() => driver.ListAsync(DriverKeys.Query(DriverKeys.History, pipeline, null, NamePattern.Any), cancellation)).Select(entry => entry.Key).ToList();

    /// <summary>The lines of a history, without their line feeds.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Lines(StoreKey key, CancellationToken cancellation) =>
        DriverCall.Items(() => driver.ReadAboveAsync(key, 0, cancellation)).SelectMany(entry => DriverItems.LinesOf(entry.Record));

    private static (ReadOnlyMemory<byte> Record, string Revision) RecordOf(IReadOnlyList<CheckpointEvent> events, StoreEntry? last)
    {
        var link = LastOf(last);
        var lines = new ArrayBufferWriter<byte>(512);
        foreach (var entry in events)
            link = HistoryFormat.Write(lines, entry, link);
        return (lines.WrittenMemory, link.Chain);
    }

    private static HistoryLink LastOf(StoreEntry? entry)
    {
        if (entry is null)
            return HistoryLink.Start;
        var last = DriverItems.LinesOf(entry.Record).Last();
        // Behind a line that was damaged the chain begins anew, at the number that it would have: which the verification tells.
        return HistoryFormat.TryReadLink(last.Span, out var link, out _) ? link : HistoryLink.Start with { Number = entry.Step };
    }
}
