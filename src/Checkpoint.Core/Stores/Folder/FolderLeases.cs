using System.Text.Json;

namespace Checkpoint;

/// <summary>Leases that are the operating system's own locks: they end with their holder, so a dead one never blocks.</summary>
internal sealed class FolderLeases(string root, FileSystem files)
{
    // Who only asks whether a lease is held shares its lock, for some microseconds, with others who ask.
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);

    private const int Glances = 10;
    private const int Attempts = 100;

    // The holder's name is padded to this, so that a shorter one needs no cutting of the file.
    private const int HolderLength = 1024;

    public ValueTask<LeaseAttempt> TryTakeAsync(LeaseName lease, LeaseHolder holder, CancellationToken cancellation) =>
        TryTakeAsync(FolderLayout.LeasePath(root, lease), holder, cancellation);

    /// <param name="path">The file whose lock is the lease.</param>
    /// <param name="holder">Who takes it.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async ValueTask<LeaseAttempt> TryTakeAsync(string path, LeaseHolder holder, CancellationToken cancellation)
    {
        FileSystem.RefuseLinks(Path.GetDirectoryName(path)!, root);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (files.OpenLocked(path) is { } file)
                {
                    var described = Describe(holder);
                    try
                    {
                        files.Write(file, described, 0);
                    }
                    catch
                    {
                        file.Dispose();
                        throw;
                    }
                    return new LeaseAttempt(new FolderLease(this, file, path, described), holder);
                }
                // Those who only ask share it, and may take turns at it for long; who has it shares it with nobody.
                if (attempt >= Glances && files.IsLocked(path))
                    return new LeaseAttempt(null, ReadHolder(path));
            }
            catch (DirectoryNotFoundException) when (attempt < Attempts)
            {
                FolderTree.Create(files, Path.GetDirectoryName(path)!);
                continue;
            }
            await Task.Delay(Glance, cancellation);
        }
    }

    /// <summary>Who has a lease now, or null.</summary>
    public LeaseHolder? Find(LeaseName lease)
    {
        var path = FolderLayout.LeasePath(root, lease);
        FileSystem.RefuseLinks(Path.GetDirectoryName(path)!, root);
        return files.IsLocked(path) ? ReadHolder(path) ?? new LeaseHolder("", "", 0, default) : null;
    }

    /// <summary>Whether the file of a lock is as whoever takes the lock leaves it: empty, or with a holder.</summary>
    public static bool IsWhole(FileSystem files, string path)
    {
        try
        {
            return files.ReadRecord(path) is not { Length: > 0 } bytes || (bytes.Length == HolderLength && Parse(bytes) is not null);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>Why somebody whose name was written into a lock's file has the lock no more, or null.</summary>
    /// <exception cref="CheckpointException">An error of the store.</exception>
    public string? WhyLost(string path, byte[] holder)
    {
        try
        {
            if (Read(path) is not { } bytes)
                return $"its file '{path}' was removed";
            return bytes.AsSpan().SequenceEqual(holder) ? null : $"it is that of {Parse(bytes)?.ToString() ?? "another"} now";
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, root, $"Looking at the lease '{path}'", path);
        }
    }

    private LeaseHolder? ReadHolder(string path)
    {
        try
        {
            return Read(path) is { } bytes ? Parse(bytes) : null;
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            return null;
        }
    }

    // Null where there is no such file.
    private byte[]? Read(string path)
    {
        try
        {
            return files.ReadRecord(path);
        }
        catch (InvalidDataException)
        {
            // Whatever took its place.
            return [];
        }
    }

    private static byte[] Describe(LeaseHolder holder)
    {
        var bytes = new byte[HolderLength];
        Array.Fill(bytes, (byte)' ');
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("host"u8, holder.Host);
            json.WriteString("user"u8, holder.User);
            json.WriteNumber("processId"u8, holder.ProcessId);
            json.WriteString("takenAt"u8, holder.TakenAt);
            json.WriteEndObject();
        }
        // What is too long is left out rather than half told.
        if (text.Length < HolderLength)
            text.ToArray().CopyTo(bytes, 0);
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    // Null where nothing is written yet, or by something else.
    private static LeaseHolder? Parse(byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var holder = document.RootElement;
            return new LeaseHolder(
                holder.GetProperty("host").GetString()!,
                holder.GetProperty("user").GetString()!,
                holder.GetProperty("processId").GetInt32(),
                holder.GetProperty("takenAt").GetDateTimeOffset());
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }
}
