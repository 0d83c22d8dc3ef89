using System.Text.Json;

namespace Checkpoint;

/// <summary>Leases that are the operating system's own locks: they end with their holder, so a dead one never blocks.</summary>
internal sealed class FolderLeases(string root, FileSystem files)
{
    // Who only asks whether a lease is held has its lock for some microseconds.
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
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (files.OpenLocked(path) is { } file)
                {
                    try
                    {
                        files.Write(file, Describe(holder), 0);
                    }
                    catch
                    {
                        file.Dispose();
                        throw;
                    }
                    return new LeaseAttempt(file, holder);
                }
                if (attempt >= Glances)
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
        if (files.Length(path) is null)
            return null;
        using var file = files.OpenLocked(path);
        return file is null ? ReadHolder(path) ?? new LeaseHolder("", "", 0, default) : null;
    }

    private LeaseHolder? ReadHolder(string path)
    {
        try
        {
            using var file = files.OpenRead(path);
            var bytes = new byte[HolderLength];
            return file is not null && files.Read(file, bytes, 0) == HolderLength ? Parse(bytes) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
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

    private static LeaseHolder Parse(byte[] bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        var holder = document.RootElement;
        return new LeaseHolder(
            holder.GetProperty("host").GetString()!,
            holder.GetProperty("user").GetString()!,
            holder.GetProperty("processId").GetInt32(),
            holder.GetProperty("takenAt").GetDateTimeOffset());
    }
}
