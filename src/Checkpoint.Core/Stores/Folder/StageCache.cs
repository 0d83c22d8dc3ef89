using System.Collections.Concurrent;

namespace Checkpoint;

/// <summary>
/// Remembers what was found in a stage's folder for as long as nothing there changed, so that a script that asks again and again pays two looks at file
/// times instead of a listing and a reading.
/// </summary>
/// <remarks>
/// A change within the tick of the file system's clock in which the folder was read would leave its time as it was. So what was read is trusted only
/// when the same times had been seen <see cref="Settling"/> before it was read: by then the clock of any file system has moved on (FAT counts in 2 s). Only
/// elapsed time counts; clocks of different machines are never compared. A file system that keeps no such times, or is found out not to, is read each time.
/// </remarks>
internal sealed class StageCache(FileSystem files, TimeProvider time)
{
    /// <summary>Longer than the coarsest clock of a file system ticks.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromSeconds(2.1);

    private const int MaxEntries = 4096;

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    private bool? _tellsChanges;

    public StageListing? Get(string path, Func<StageListing?> read)
    {
        var known = _entries.GetValueOrDefault(path);
        if (known is not null && (known.Folder.Time != files.LastWrite(path) || known.Record != files.Stamp(known.RecordPath)))
            known = null;
        if (known is { IsSettled: true } && (_tellsChanges ??= files.TellsChanges(path)) && IsPayloadThere(known.Listing))
            return known.Listing;

        if (files.Stamp(path) is not { } folder)
            return null;
        var started = time.GetTimestamp();
        var listing = read();
        if (folder.IsLink || listing?.Newest.Info is not { } info || files.Stamp(path) != folder || files.Stamp(info.Location) is not { IsLink: false } record)
            return listing;
        var firstSeen = known is not null && known.Folder == folder && known.RecordPath == info.Location && known.Record == record ? known.FirstSeen : time.GetTimestamp();
        if (_entries.Count >= MaxEntries)
            _entries.Clear();
        _entries[path] = new Entry(folder, info.Location, record, firstSeen, time.GetElapsedTime(firstSeen, started) >= Settling, listing);
        return listing;
    }

    /// <summary>What this process changed itself it need not find out, even where a file system does not tell.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="isSaved">Whether something was surely added to it: then its time must have moved on, or it says nothing on this file system.</param>
    public void Forget(string path, bool isSaved = false)
    {
        if (_entries.TryRemove(path, out var known) && isSaved && time.GetElapsedTime(known.FirstSeen) >= Settling && files.LastWrite(path) == known.Folder.Time)
            _tellsChanges = false;
    }

    private bool IsPayloadThere(StageListing listing) =>
        listing.Newest.Info!.State is not { Payload: { } payload } state
        || files.Length(Path.Join(Path.GetDirectoryName(listing.Newest.Info.Location), payload)) == state.PayloadLength;

    private sealed record Entry(FileStamp Folder, string RecordPath, FileStamp Record, long FirstSeen, bool IsSettled, StageListing Listing);
}
