namespace Checkpoint;

/// <summary>Takes and compares the facts of output files.</summary>
internal static class OutputFiles
{
    /// <summary>The facts of a file as it is now.</summary>
    /// <param name="path">A full path.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <param name="progress">Told how many bytes more were read; or null.</param>
    /// <param name="files">What flushes it.</param>
    /// <exception cref="UnreadableFileException">It cannot be read, or has a name that no record can hold.</exception>
    public static OutputFile Describe(string path, CancellationToken cancellation, Action<int>? progress = null, FileSystem? files = null) => UnreadableFileException.Guard(path, () =>
    {
        if (!ScalarJson.IsUtf16(path))
            throw new IOException($"'{path}' holds half of a surrogate pair.");
        for (var attempt = 1; ; attempt++)
        {
            var before = At(path);
            var (size, time) = (before.Length, before.LastWriteTimeUtc);
            var hash = FingerprintHash.Hex(FingerprintHash.File(path, cancellation, progress));
            // After a loss of power a file may have its size and time, and no content: the record must not outlast what it vouches for.
            Task.Run(() => (files ?? FileSystem.Current).TryFlush(path), cancellation).Wait(cancellation);
            before.Refresh();
            // A file that grows while it is read would be declared with a hash that fits neither state.
            if ((before.Length == size && before.LastWriteTimeUtc == time) || attempt == 3)
                return new OutputFile(path, size, new DateTimeOffset(time, TimeSpan.Zero), hash);
        }
    });

    /// <summary>What is no longer as it was, in words; or null. The content is read only where the size is the same and the time is not.</summary>
    public static string? FindChange(IEnumerable<OutputFile> files, CancellationToken cancellation, Action<int>? progress = null)
    {
        foreach (var saved in files)
        {
            if (FindChange(saved, progress, cancellation) is { } change)
                return change;
        }
        return null;
    }

    // A link's own size and time say nothing of the file that it leads to.
    private static FileInfo At(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is null ? file : (FileInfo)file.ResolveLinkTarget(returnFinalTarget: true)!;
    }

    private static string? FindChange(OutputFile saved, Action<int>? progress, CancellationToken cancellation)
    {
        try
        {
            var now = At(saved.Path);
            if (!now.Exists)
                return $"output file '{saved.Path}' is missing";
            if (!FileKind.MayBeRegular(saved.Path))
                return $"output file '{saved.Path}' is a file no more";
            if (now.Length != saved.Size)
                return $"output file '{saved.Path}' has {now.Length} bytes and had {saved.Size}";
            if (now.LastWriteTimeUtc != saved.ModifiedAt.UtcDateTime && FingerprintHash.Hex(FingerprintHash.File(saved.Path, cancellation, progress)) != saved.Sha256)
                return $"output file '{saved.Path}' has another content";
            return null;
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            // What cannot be read cannot be vouched for.
            return $"output file '{saved.Path}' cannot be read: {e.Message}";
        }
    }
}
