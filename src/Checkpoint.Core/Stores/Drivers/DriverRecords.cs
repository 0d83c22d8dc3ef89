using System.Globalization;

namespace Checkpoint;

/// <summary>Records of checkpoints as entries of a driver's store.</summary>
/// <param name="location">The store.</param>
internal sealed class DriverRecords(string location)
{
    // Many machines share such a store: output files are named in full.
    private const string OutputRoot = "";

    /// <summary>Where an entry lies, for people.</summary>
    public string Place(StoreKey key, long? step)
    {
        var parts = new[] { key.Kind, key.Pipeline, key.Run, key.Name, step?.ToString(CultureInfo.InvariantCulture) };
        return location + "#" + string.Join('/', parts.Where(p => p is not null).Select(p => Uri.EscapeDataString(p!)));
    }

    /// <summary>The record's bytes; the checkpoint has their checksum as its revision then.</summary>
    public static (ReadOnlyMemory<byte> Record, string Revision) Serialize(CheckpointInfo info)
    {
        var bytes = RecordFormat.Serialize(info, OutputRoot);
        info.Revision = SealedJson.ChecksumOf(bytes);
        return (bytes, info.Revision);
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="InvalidDataException">It is not whole.</exception>
    /// <exception cref="RecordTooNewException">It is of a newer version.</exception>
    public CheckpointInfo Parse(StoreEntry entry) => RecordFormat.Parse(entry.Record, OutputRoot, location, Place(entry.Key, entry.Step));

    /// <summary>The same, and null where it cannot be read.</summary>
    public CheckpointInfo? TryParse(StoreEntry entry)
    {
        try
        {
            return Parse(entry);
        }
        catch (Exception e) when (e is InvalidDataException or RecordTooNewException)
        {
            return null;
        }
    }

    /// <summary>Says whether an entry is an intact checkpoint: whole, in its own place, and with its payload.</summary>
    /// <param name="entry">The entry, or null.</param>
    /// <param name="stage">The stage as the caller names it, for messages.</param>
    public CheckpointReading Read(StoreEntry? entry, StageId stage)
    {
        if (entry is null)
            return default;
        var place = Place(entry.Key, entry.Step);
        try
        {
            var info = Parse(entry);
            if (DriverKeys.Of(info.StageId) != entry.Key)
                return new CheckpointReading(CheckpointErrors.Misplaced(stage, entry.Step, place, info));
            if (info.Step != entry.Step)
                throw new InvalidDataException($"it is a copy of step {info.Step}");
            if (info.State?.Payload is not null && entry.PayloadLength != info.State.PayloadLength)
                throw new InvalidDataException(entry.PayloadLength is null ? "its payload is missing" : $"its payload has {entry.PayloadLength} bytes and should have {info.State.PayloadLength}");
            return new CheckpointReading(info);
        }
        catch (InvalidDataException e)
        {
            return new CheckpointReading(CheckpointErrors.Damaged(stage, entry.Step, place, e.Message, e));
        }
        catch (RecordTooNewException e)
        {
            return new CheckpointReading(CheckpointErrors.FormatTooNew(stage, entry.Step, place, e.Version, RecordFormat.Version));
        }
    }
}
