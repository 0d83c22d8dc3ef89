using System.Text.Json;

namespace Checkpoint;

/// <summary>What the file of a lease says: who took it last, and until when it holds.</summary>
/// <param name="Holder">Who took it.</param>
/// <param name="Token">The fencing token; 0 where none was written.</param>
/// <param name="Duration">For how long without being renewed, by the file's time; null for as long as the file is locked.</param>
internal sealed record FolderLeaseFile(LeaseHolder Holder, long Token, TimeSpan? Duration)
{
    // It is padded to this, so that a shorter one needs no cutting of the file.
    private const int Length = 1024;

    /// <summary>Whether the file of a lock is as whoever takes the lock leaves it: empty, or with a holder.</summary>
    public static bool IsWhole(FileSystem files, string path) => ReadBytes(files, path) is not { Length: > 0 } bytes || (bytes.Length == Length && Parse(bytes) is not null);

    /// <summary>What is in the file; null where there is none, and nothing of what took its place.</summary>
    public static byte[]? ReadBytes(FileSystem files, string path)
    {
        try
        {
            return files.ReadRecord(path);
        }
        catch (InvalidDataException)
        {
            return [0];
        }
    }

    public static byte[] Describe(LeaseHolder holder, long token, TimeSpan? duration)
    {
        var bytes = new byte[Length];
        Array.Fill(bytes, (byte)' ');
        // What is too long is left out rather than half told.
        if (Serialize(holder, token, duration) is { Length: < Length } full)
            full.CopyTo(bytes, 0);
        else
            Serialize(holder with { Host = "", User = "" }, token, duration).CopyTo(bytes, 0);
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    /// <summary>Null where nothing is written yet, or by something else.</summary>
    public static FolderLeaseFile? Parse(byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var file = document.RootElement;
            var holder = new LeaseHolder(
                file.GetProperty("host").GetString()!,
                file.GetProperty("user").GetString()!,
                file.GetProperty("processId").GetInt32(),
                file.GetProperty("takenAt").GetDateTimeOffset());
            return new FolderLeaseFile(holder, file.TryGetProperty("token", out var token) ? token.GetInt64() : 0,
                file.TryGetProperty("seconds", out var seconds) ? TimeSpan.FromSeconds(seconds.GetDouble()) : null);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or OverflowException or ArgumentException)
        {
            return null;
        }
    }

    private static byte[] Serialize(LeaseHolder holder, long token, TimeSpan? duration)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("host"u8, holder.Host);
            json.WriteString("user"u8, holder.User);
            json.WriteNumber("processId"u8, holder.ProcessId);
            json.WriteString("takenAt"u8, holder.TakenAt);
            json.WriteNumber("token"u8, token);
            if (duration is { } length)
                json.WriteNumber("seconds"u8, length.TotalSeconds);
            json.WriteEndObject();
        }
        return text.ToArray();
    }
}
