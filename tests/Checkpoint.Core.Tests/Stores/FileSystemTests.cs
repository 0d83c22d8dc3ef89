using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Checkpoint.Tests;

/// <summary>The one class that knows the operating system, on the operating system there is.</summary>
public sealed class FileSystemTests : IDisposable
{
    private readonly TempFolder _temp = new();

    private static FileSystem Files => FileSystem.Current;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void A_rename_refuses_a_taken_name_and_leaves_both_files()
    {
        var (from, to) = (At("from"), _temp.Write("to", "old"));
        using (var file = Files.CreateFile(from))
        {
            Files.Write(file, "new"u8, 0);
            Assert.False(Files.TryRenameNew(file, from, to));
        }
        Assert.Equal("old", File.ReadAllText(to));
        Assert.Equal("new", File.ReadAllText(from));
    }

    [Fact]
    public void A_rename_gives_a_free_name()
    {
        var (from, to) = (At("from"), At("to"));
        using (var file = Files.CreateFile(from))
        {
            Files.Write(file, "new"u8, 0);
            Assert.True(Files.TryRenameNew(file, from, to));
        }
        Assert.Equal(["to"], _temp.Files().Keys);
    }

    [Fact]
    public void A_rename_over_takes_a_name_also_while_it_is_read()
    {
        var (from, to) = (At("from"), _temp.Write("to", "old"));
        using var reader = Files.OpenRead(to);
        using (var file = Files.CreateFile(from))
        {
            Files.Write(file, "new"u8, 0);
            Files.RenameOver(file, from, to);
        }
        Assert.Equal("new", File.ReadAllText(to));
        // Who reads the old file reads it to its end.
        var buffer = new byte[3];
        Assert.Equal(3, Files.Read(reader!, buffer, 0));
        Assert.Equal("old"u8.ToArray(), buffer);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/dev/shm")]
    public unsafe void What_is_written_past_the_cache_joins_what_goes_through_it(string parent)
    {
        var path = Directory.Exists(parent) ? Path.Join(parent, Path.GetRandomFileName()) : At("mixed");
        var bytes = new byte[FileSystem.DirectUnit * 3 + 5];
        new Random(1).NextBytes(bytes);
        var aligned = (byte*)NativeMemory.AlignedAlloc((nuint)FileSystem.DirectUnit, (nuint)FileSystem.DirectUnit);
        try
        {
            using (var file = Files.CreateFile(path))
            {
                Files.Write(file, bytes.AsSpan(0, FileSystem.DirectUnit), 0);
                var middle = new Span<byte>(aligned, FileSystem.DirectUnit);
                bytes.AsSpan(FileSystem.DirectUnit, FileSystem.DirectUnit).CopyTo(middle);
                if (!Files.TryWriteDirect(file, middle, FileSystem.DirectUnit))
                    Files.Write(file, middle, FileSystem.DirectUnit);
                // From memory at no boundary: the file is as it was before.
                Files.Write(file, bytes.AsSpan(FileSystem.DirectUnit * 2), FileSystem.DirectUnit * 2);
                Files.Flush(file);
            }
            Assert.Equal(bytes, File.ReadAllBytes(path));
        }
        finally
        {
            NativeMemory.AlignedFree(aligned);
            File.Delete(path);
        }
    }

    [UnixFact]
    public void Memory_that_cannot_be_written_past_the_cache_is_no_error()
    {
        using var file = Files.CreateFile(At("odd"));
        var bytes = GC.AllocateArray<byte>(FileSystem.DirectUnit + 1, pinned: true);
        // One byte off every unit there is: a disk refuses it, and what is no disk may take it.
        if (!Files.TryWriteDirect(file, bytes.AsSpan(1, 513), 0))
            Files.Write(file, bytes.AsSpan(1, 513), 0);
        Assert.Equal(513, RandomAccess.GetLength(file));
    }

    [Fact]
    public void A_rename_of_what_is_gone_is_an_error()
    {
        var from = At("from");
        using var file = Files.CreateFile(from);
        File.Delete(from);
        if (OperatingSystem.IsWindows())
            return;
        Assert.ThrowsAny<IOException>(() => Files.TryRenameNew(file, from, At("to")));
        Assert.ThrowsAny<IOException>(() => Files.RenameOver(file, from, At("to")));
    }

    [Fact]
    public void A_file_is_created_once()
    {
        using var file = Files.CreateFile(At("a"));
        Assert.ThrowsAny<IOException>(() => Files.CreateFile(At("a")));
        Assert.ThrowsAny<IOException>(() => Files.CreateFile(At("none/a")));
    }

    [Fact]
    public void A_file_that_is_being_written_can_be_read_and_is_not_taken_for_dead()
    {
        var path = At("a");
        using (var file = Files.CreateFile(path))
        {
            Files.Write(file, "abc"u8, 0);
            Files.Flush(file);
            if (!OperatingSystem.IsWindows())
            {
                using var reader = Files.OpenRead(path);
                Assert.Equal(3, Files.Read(reader!, new byte[10], 0));
            }
            Assert.False(Files.TryDeleteAbandoned(path));
            Assert.True(File.Exists(path));
        }
        Assert.True(Files.TryDeleteAbandoned(path));
        Assert.False(File.Exists(path));
        Assert.False(Files.TryDeleteAbandoned(path));
    }

    [Fact]
    public void A_dead_file_that_is_being_read_is_removed_and_its_reader_reads_on()
    {
        var path = _temp.Write("a", "abc");
        using var reader = Files.OpenRead(path);
        if (OperatingSystem.IsWindows())
            return;
        Assert.True(Files.TryDeleteAbandoned(path));
        Assert.Equal(3, Files.Read(reader!, new byte[10], 0));
    }

    [Fact]
    public void What_is_not_there_is_null_false_or_nothing_and_no_error()
    {
        foreach (var path in new[] { At("none"), At("none/none"), Path.Join(_temp.Write("file", ""), "below") })
        {
            Assert.Null(Files.OpenRead(path));
            Assert.Null(Files.ReadRecord(path));
            Assert.Null(Files.Length(path));
            Assert.Null(Files.Stamp(path));
            Assert.False(Files.DirectoryExists(path));
            Assert.False(Files.TryDeleteEmptyDirectory(path));
            Assert.False(Files.TryDeleteAbandoned(path));
        }
        Files.Delete(At("none"));
        Files.Delete(At("none/none"));
        Files.Scan(At("none"), (_, _) => Assert.Fail("something was shown"));
        Files.Scan(At("none/none"), (_, _) => Assert.Fail("something was shown"));
    }

    [Fact]
    public void Only_an_empty_folder_is_removed()
    {
        _temp.Write("full/file", "");
        Directory.CreateDirectory(At("empty"));
        Assert.False(Files.TryDeleteEmptyDirectory(At("full")));
        Assert.True(Files.TryDeleteEmptyDirectory(At("empty")));
        Assert.Equal(["full/file"], _temp.Files().Keys);
    }

    [Fact]
    public void A_scan_shows_every_entry_once_hidden_ones_too()
    {
        var expected = new List<string> { "file False", ".hidden False", "folder True", "~x False" };
        foreach (var name in new[] { "file", ".hidden", "folder/inner", "~x" })
            _temp.Write(name, "");
        for (var i = 0; i < 500; i++)
        {
            File.WriteAllText(At($"{i}.json"), "");
            expected.Add($"{i}.json False");
        }
        var shown = new List<string>();
        Files.Scan(_temp.Path, (name, isDirectory) => shown.Add($"{name} {isDirectory}"));
        Assert.Equal(expected.Order(StringComparer.Ordinal), shown.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_folder_is_locked_for_one_at_a_time_and_free_when_its_holder_is_gone()
    {
        using var one = Files.OpenDirectory(_temp.Path);
        using var two = Files.OpenDirectory(_temp.Path);
        Assert.Equal(LockResult.Taken, one.TryLock());
        Assert.Equal(LockResult.Busy, two.TryLock());
        one.Dispose();
        Assert.Equal(LockResult.Taken, two.TryLock());
        two.Flush();
    }

    [Fact]
    public async Task Who_waits_for_a_lock_gets_it_when_it_is_free()
    {
        var holder = Files.OpenDirectory(_temp.Path);
        holder.TryLock();
        using var waiter = Files.OpenDirectory(_temp.Path);
        var waiting = waiter.LockAsync(TimeSpan.FromMinutes(1), default).AsTask();
        Assert.False(waiting.IsCompleted);
        holder.Dispose();
        Assert.Equal(LockResult.Taken, await waiting);
        using var third = Files.OpenDirectory(_temp.Path);
        Assert.Equal(LockResult.Busy, third.TryLock());
    }

    [Fact]
    public async Task Who_waits_for_a_lock_gives_up_in_time_or_when_it_is_cancelled_and_does_not_hold_it_later()
    {
        var holder = Files.OpenDirectory(_temp.Path);
        holder.TryLock();
        using (var waiter = Files.OpenDirectory(_temp.Path))
            Assert.Equal(LockResult.Busy, await waiter.LockAsync(TimeSpan.FromMilliseconds(20), default));
        using (var waiter = Files.OpenDirectory(_temp.Path))
        {
            using var source = new CancellationTokenSource();
            var waiting = waiter.LockAsync(TimeSpan.FromMinutes(1), source.Token).AsTask();
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }
        holder.Dispose();
        using var next = Files.OpenDirectory(_temp.Path);
        Assert.Equal(LockResult.Taken, await next.LockAsync(TimeSpan.FromMinutes(1), default));
    }

    [Fact]
    public void A_folder_that_is_not_there_cannot_be_opened_nor_made_without_its_parent()
    {
        Assert.Throws<DirectoryNotFoundException>(() => Files.OpenDirectory(At("none")));
        Assert.Throws<DirectoryNotFoundException>(() => Files.CreateDirectory(At("none/none")));
        Assert.ThrowsAny<IOException>(() => Files.CreateDirectory(Path.Join(_temp.Write("file", ""), "below")));
        Files.CreateDirectory(At("new"));
        Files.CreateDirectory(At("new"));
        Assert.True(Directory.Exists(At("new")));
    }

    [Fact]
    public void A_stamp_changes_with_what_it_is_of()
    {
        var path = _temp.Write("folder/file", "abc");
        var stamp = Files.Stamp(path)!.Value;
        Assert.Equal(3, stamp.Length);
        Assert.False(stamp.IsLink);
        Assert.Equal(File.GetLastWriteTimeUtc(path), stamp.Time);
        File.AppendAllText(path, "d");
        Assert.NotEqual(stamp, Files.Stamp(path));

        var folder = Files.Stamp(At("folder"))!.Value;
        Assert.Equal(0, folder.Length);
        Directory.SetLastWriteTimeUtc(At("folder"), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.NotEqual(folder, Files.Stamp(At("folder")));
    }

    [Fact]
    public void Flushing_what_somebody_else_wrote_changes_nothing_and_is_left_where_it_cannot_be_done()
    {
        var path = _temp.Write("a", "abc");
        var time = new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(path, time);
        Files.TryFlush(path);
        Assert.Equal(time, File.GetLastWriteTimeUtc(path));
        Files.TryFlush(At("none"));
        Files.TryFlush(_temp.Path);
        using var other = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Files.TryFlush(path);
    }

    [UnixFact]
    public void A_link_is_no_file_that_a_dead_writer_left()
    {
        var target = _temp.Write("target", "mine");
        File.CreateSymbolicLink(At("link"), target);
        Assert.False(Files.TryDeleteAbandoned(At("link")));
        Assert.Equal(["link", "target"], _temp.Files().Keys);
    }

    [UnixFact]
    public void A_link_says_that_it_is_one()
    {
        var target = _temp.Write("folder/file", "abc");
        File.CreateSymbolicLink(At("link"), target);
        Directory.CreateSymbolicLink(At("folderlink"), At("folder"));
        Assert.True(Files.Stamp(At("link"))!.Value.IsLink);
        Assert.True(Files.Stamp(At("folderlink"))!.Value.IsLink);
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public void Files_and_folders_are_made_for_their_owner_alone()
    {
        Files.CreateDirectory(At("folder"));
        using var file = Files.CreateFile(At("file"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(At("folder")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("file")));
    }

    [UnixFact]
    public void A_pipe_in_the_place_of_a_record_is_not_waited_for()
    {
        var pipe = At("0000000001.json");
        using (var process = System.Diagnostics.Process.Start("mkfifo", [pipe]))
            process.WaitForExit();
        Assert.True(File.Exists(pipe));
        try
        {
            Assert.Empty(Files.ReadRecord(pipe) ?? []);
        }
        catch (InvalidDataException)
        {
            // Damage is as good an answer as none.
        }
    }

    private string At(string relative) => Path.Join(_temp.Path, relative);
}
