using System.Runtime.InteropServices;

namespace Checkpoint.Tests;

/// <summary>The payload on its way to the medium.</summary>
public sealed class PayloadStreamTests : StoreTest
{
    private static readonly byte[] Mebibyte = new byte[1 << 20];

    private readonly TestFileSystem _files = new();

    [Fact]
    public void It_is_written_and_read_in_one_direction()
    {
        var path = Path.Join(Temp.Path, "payload");
        using (var stream = new PayloadStream(_files, _files.CreateFile(path)))
        {
            stream.Write("abc"u8);
            stream.Write([.. "xdefx"u8], 1, 3);
            stream.Flush();
            Assert.Equal(6, stream.Position);
            Assert.False(stream.CanSeek);
            Assert.Throws<NotSupportedException>(() => stream.Length);
            Assert.Throws<NotSupportedException>(() => stream.Position = 0);
            Assert.Throws<NotSupportedException>(() => stream.Seek(0, SeekOrigin.Begin));
            Assert.Throws<NotSupportedException>(() => stream.SetLength(0));
        }
        Assert.Equal("abcdef", File.ReadAllText(path));
        using var reader = new PayloadStream(_files, _files.OpenRead(path)!);
        var buffer = new byte[4];
        Assert.Equal(4, reader.Read(buffer));
        Assert.Equal(2, reader.Read(buffer, 1, 3));
        Assert.Equal("aefd"u8.ToArray(), buffer);
        Assert.Equal(0, reader.Read(buffer));
    }

    [Fact]
    public void The_file_is_closed_with_it_unless_it_is_left_open()
    {
        var file = _files.CreateFile(Path.Join(Temp.Path, "a"));
        new PayloadStream(_files, file, leaveOpen: true).Dispose();
        Assert.False(file.IsClosed);
        new PayloadStream(_files, file).Dispose();
        Assert.True(file.IsClosed);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(70)]
    public async Task All_of_it_is_on_the_medium_when_the_last_flush_is_done(int mebibytes)
    {
        using var stream = new PayloadStream(_files, _files.CreateFile(Path.Join(Temp.Path, "a")));
        for (var i = 0; i < mebibytes; i++)
            stream.Write(Mebibyte);
        await stream.FlushToDiskAsync(default);
        var lastWrite = _files.Operations.Select((o, i) => (o, i)).Last(x => x.o.Verb == FileVerb.Write).i;
        Assert.Contains(_files.Operations.Skip(lastWrite), o => o.Verb == FileVerb.Flush);
    }

    [Fact]
    public async Task An_error_of_a_flush_in_the_background_is_not_lost_though_the_last_flush_succeeds()
    {
        var flushes = 0;
        _files.Before = o =>
        {
            if (o.Verb == FileVerb.Flush && Interlocked.Increment(ref flushes) == 1)
                throw Fault.InputOutput.Make();
        };
        using var stream = new PayloadStream(_files, _files.CreateFile(Path.Join(Temp.Path, "a")));
        for (var i = 0; i < 70; i++)
            stream.Write(Mebibyte);
        await Assert.ThrowsAsync<IOException>(async () => await stream.FlushToDiskAsync(default));
        Assert.Equal(1, flushes);
    }

    [Fact]
    public async Task A_save_that_waits_for_a_slow_disk_can_be_cancelled()
    {
        await Save(TestState.Small("old"));
        var before = Temp.Files();
        using var isFlushing = new Reached();
        using var disk = new ManualResetEventSlim();
        using var done = new CountdownEvent(1);
        using var source = new CancellationTokenSource();
        _files.Before = o =>
        {
            if (o.Verb != FileVerb.Flush)
                return;
            isFlushing.Set();
            disk.Wait();
            done.Signal();
        };
        var store = new FolderStore(Root, _files);
        var save = Task.Run(async () => await store.SaveAsync(Draft(TestState.Large(1, 6 << 20)), source.Token));
        isFlushing.WaitDuring(save);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => save);
        Assert.Equal(before, Temp.Files());
        disk.Set();
        done.Wait();
    }

    [Fact]
    public async Task A_save_that_waits_for_another_writer_can_be_cancelled()
    {
        await Save(TestState.Small("old"));
        var before = Temp.Files();
        using var writer = FileSystem.Current.OpenDirectory(StageFolder);
        Assert.Equal(LockResult.Taken, writer.TryLock());
        foreach (var state in new[] { TestState.Small("new"), TestState.Large(1) })
        {
            using var isWaiting = new Reached();
            using var source = new CancellationTokenSource();
            var files = new TestFileSystem
            {
                After = o =>
                {
                    if (o.Verb == FileVerb.LockDirectory)
                        isWaiting.Set();
                },
            };
            var save = Task.Run(async () => await new FolderStore(Root, files).SaveAsync(Draft(state), source.Token));
            isWaiting.WaitDuring(save);
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => save);
        }
        Assert.Equal(before.Keys, Temp.Files().Keys.Where(f => !f.EndsWith(FolderLayout.LockName, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public unsafe void Only_memory_that_nobody_changes_is_written_past_the_cache(bool isSteady)
    {
        var memory = (byte*)NativeMemory.AlignedAlloc(1 << 20, FileSystem.DirectUnit);
        try
        {
            using var stream = new PayloadStream(_files, _files.CreateFile(Path.Join(Temp.Path, "a"))) { MayBeDirect = isSteady };
            stream.Write(new Span<byte>(memory, 1 << 20));
            Assert.Equal(isSteady, !_files.DirectWrites.IsEmpty);
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }
}
