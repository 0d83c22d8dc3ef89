using System.Globalization;
using System.Runtime.Versioning;

namespace Checkpoint.Tests;

/// <summary>A stage that is asked for again and again is not listed and read again and again, and yet no change is ever missed.</summary>
public sealed class StageCacheTests : StoreTest
{
    private static readonly TimeSpan Settled = StageCache.Settling + TimeSpan.FromMilliseconds(1);

    private readonly TestFileSystem _files = new();
    private readonly ManualTime _time = new();
    private readonly FolderStore _other;

    public StageCacheTests()
    {
        // What the store is asked through, and another process that changes it.
        Store = new FolderStore(Root, _files, _time);
        _other = new FolderStore(Root, new TestFileSystem());
    }

    [Fact]
    public async Task What_did_not_change_is_not_read_again_once_the_clock_of_the_file_system_has_moved_on()
    {
        await Change(TestState.Large(1));
        Assert.True(await IsRead());
        Assert.True(await IsRead());
        _time.Advance(Settled);
        Assert.True(await IsRead());
        Assert.False(await IsRead());
        _time.Advance(TimeSpan.FromDays(1));
        Assert.False(await IsRead());
    }

    [Fact]
    public async Task Settling_is_longer_than_the_coarsest_clock_of_a_file_system_ticks()
    {
        Assert.True(StageCache.Settling > TimeSpan.FromSeconds(2));
        await Change();
        Assert.True(await IsRead());
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            Assert.True(await IsRead());
        }
        _time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(await IsRead());
        Assert.False(await IsRead());
    }

    [Fact]
    public async Task What_was_read_before_the_clock_moved_on_is_not_trusted_after_it()
    {
        await Change(TestState.Small("one"), 1);
        var tick = Freeze();
        Assert.Equal("\"one\"", await Content());

        // An overwrite in the same tick of a coarse clock leaves all times as they were.
        await _other.SaveAsync(Draft(TestState.Small("two"), 1, overwrite: true), default);
        Freeze(tick);
        _time.Advance(Settled);
        Assert.Equal("\"two\"", await Content());
        Assert.Equal("\"two\"", await Content());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_change_within_the_same_tick_is_seen_at_once(int seconds)
    {
        await Change(TestState.Small("one"), 1);
        var tick = Freeze();
        Assert.Equal("\"one\"", await Content());
        _time.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Equal("\"one\"", await Content());
        await _other.SaveAsync(Draft(TestState.Small("two"), 1, overwrite: true), default);
        Freeze(tick);
        Assert.Equal("\"two\"", await Content());
        await _other.SaveAsync(Draft(TestState.Small("three"), 2), default);
        Freeze(tick);
        Assert.Equal("\"three\"", await Content());
        await _other.RemoveAsync(Stage, [2], default);
        Freeze(tick);
        Assert.Equal("\"two\"", await Content());
    }

    [Fact]
    public async Task Settling_begins_anew_with_each_change()
    {
        await Change();
        await Settle();
        await Change();
        Assert.True(await IsRead());
        Assert.True(await IsRead());
        _time.Advance(Settled - TimeSpan.FromMilliseconds(10));
        Assert.True(await IsRead());
        _time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(await IsRead());
        Assert.False(await IsRead());
    }

    [Fact]
    public async Task A_new_step_is_seen()
    {
        await Change();
        await Settle();
        await Change();
        Assert.Equal([2L, 1], await Recalled());
    }

    [Fact]
    public async Task An_overwrite_is_seen()
    {
        await Change(TestState.Small("one"), 1);
        await Settle();
        await _other.SaveAsync(Draft(TestState.Small("two"), 1, overwrite: true), default);
        Assert.Equal("\"two\"", await Content());
    }

    [Fact]
    public async Task A_removal_is_seen()
    {
        await Change();
        await Change();
        await Settle();
        await _other.RemoveAsync(Stage, [2], default);
        Assert.Equal([1L], await Recalled());
        await Settle();
        await _other.RemoveAsync(Stage, null, default);
        Assert.Empty(await Recalled());
    }

    [Fact]
    public async Task A_record_that_is_edited_in_place_is_seen()
    {
        await Change();
        await Settle();
        await File.AppendAllTextAsync(RecordPath(1), "damage");
        Assert.NotNull((await Store.RecallAsync(Stage, default))!.Newest.Fault);
    }

    [Fact]
    public async Task A_record_of_another_length_is_seen_also_where_its_time_was_set_back()
    {
        await Change();
        var tick = Freeze();
        await Settle();
        await File.AppendAllTextAsync(RecordPath(1), "damage");
        Freeze(tick);
        Assert.NotNull((await Store.RecallAsync(Stage, default))!.Newest.Fault);
    }

    [Fact]
    public async Task A_payload_that_is_gone_or_cut_is_seen_though_no_time_changed()
    {
        await Change(TestState.Large(1));
        var tick = Freeze();
        await Settle();
        var payload = Path.Join(StageFolder, Names(FolderEntryKind.Payload)[0]);
        await using (var stream = new FileStream(payload, FileMode.Open))
            stream.SetLength(100);
        Freeze(tick);
        Assert.NotNull((await Store.RecallAsync(Stage, default))!.Newest.Fault);
        File.Delete(payload);
        Freeze(tick);
        Assert.NotNull((await Store.RecallAsync(Stage, default))!.Newest.Fault);
    }

    [Fact]
    public async Task A_damaged_record_is_read_each_time()
    {
        await Change();
        var whole = await File.ReadAllBytesAsync(RecordPath(1));
        await File.WriteAllTextAsync(RecordPath(1), "");
        var tick = Freeze();
        for (var i = 0; i < 5; i++)
        {
            Assert.True(await IsRead());
            _time.Advance(Settled);
        }
        await File.WriteAllBytesAsync(RecordPath(1), whole);
        Freeze(tick);
        Assert.NotNull((await Store.RecallAsync(Stage, default))!.Newest.Info);
    }

    [Fact]
    public async Task A_stage_that_is_not_there_is_looked_for_each_time()
    {
        Assert.Null(await Store.RecallAsync(Stage, default));
        _time.Advance(Settled);
        Assert.Null(await Store.RecallAsync(Stage, default));
        await Change();
        Assert.NotNull(await Store.RecallAsync(Stage, default));
    }

    [Fact]
    public async Task A_change_while_it_is_read_is_not_remembered_as_read()
    {
        await Change(TestState.Small("one"));
        var changed = false;
        _files.After = o =>
        {
            if (o.Verb != FileVerb.Scan || changed)
                return;
            changed = true;
            _other.SaveAsync(Draft(TestState.Small("two")), default).AsTask().GetAwaiter().GetResult();
        };
        await Store.RecallAsync(Stage, default);
        _time.Advance(Settled);
        Assert.Equal([2L, 1], await Recalled());
        _time.Advance(Settled);
        Assert.Equal([2L, 1], await Recalled());
    }

    [Fact]
    public async Task A_change_between_two_looks_at_the_folder_begins_settling_anew()
    {
        await Change(step: 9);
        var tick = Freeze();
        await Store.RecallAsync(Stage, default);
        _time.Advance(Settled);

        // Between the first look at the folder and the second, a lower step is saved; the newest record is as it was.
        var isDone = false;
        _files.After = o =>
        {
            if (isDone || o.Path != StageFolder || o.Verb is not (FileVerb.LastWrite or FileVerb.Stamp))
                return;
            isDone = true;
            _other.SaveAsync(Draft(step: 1), default).AsTask().GetAwaiter().GetResult();
            Freeze(tick);
            Directory.SetLastWriteTimeUtc(StageFolder, tick.AddSeconds(2));
        };
        await Store.RecallAsync(Stage, default);

        // In the same tick of the file system's clock another one is.
        await _other.SaveAsync(Draft(step: 2), default);
        Freeze(tick);
        Directory.SetLastWriteTimeUtc(StageFolder, tick.AddSeconds(2));
        Assert.Equal([9L, 2, 1], await Recalled());
    }

    [Fact]
    public async Task The_own_saves_of_a_store_are_seen_by_it_at_once()
    {
        for (var i = 1; i <= 5; i++)
        {
            await Save();
            Assert.Equal(i, (await Recalled()).Count);
            await Settle();
        }
    }

    [Fact]
    public async Task What_is_restored_or_pruned_is_looked_for_each_time()
    {
        await Change(TestState.Small("one"));
        var tick = Freeze();
        await Settle();
        await Change(TestState.Small("two"));
        Freeze(tick);
        Assert.Equal([2L, 1], await Steps());
        TestState.AssertEqual(TestState.Small("two"), await Restore());
    }

    [Fact]
    public async Task Where_a_folders_time_is_known_to_say_nothing_the_stage_is_read_each_time()
    {
        _files.TellsChangesAnswer = false;
        await Change(TestState.Small("one"));
        await Settle();
        Assert.True(await IsRead());
    }

    [Fact]
    public async Task Where_an_own_save_did_not_move_the_folders_time_nothing_is_trusted_any_more()
    {
        await Change();
        var tick = Freeze();
        await Settle();
        Assert.False(await IsRead());
        _files.After = o =>
        {
            if (o.IsRename || o.IsDeletion || o.Verb == FileVerb.CreateFile)
                Directory.SetLastWriteTimeUtc(StageFolder, tick);
        };
        await Save();
        await Settle();
        Assert.True(await IsRead());
        await Change();
        Freeze(tick);
        Assert.Equal([3L, 2, 1], await Recalled());
    }

    [Fact]
    public async Task Saves_in_one_tick_of_the_clock_take_no_trust_away()
    {
        await Change();
        var tick = Freeze();
        await Store.RecallAsync(Stage, default);
        _files.After = o => Directory.SetLastWriteTimeUtc(StageFolder, tick);
        await Save();
        _files.After = null;
        await Settle();
        Assert.False(await IsRead());
    }

    [Fact]
    public void More_stages_than_are_remembered_do_no_harm()
    {
        var files = new TestFileSystem { StampAnswer = new FileStamp(Noon.UtcDateTime, 1, IsLink: false) };
        var cache = new StageCache(files, _time);
        var read = 0;
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 10_000; i++)
            {
                var name = i.ToString(CultureInfo.InvariantCulture);
                var info = new CheckpointInfo { Name = name, Location = name };
                var listing = cache.Get(name, () =>
                {
                    read++;
                    return new StageListing(new StageId("p", null, name), [1], new CheckpointReading(info));
                });
                Assert.Equal(name, listing!.Stage.Name);
            }
            _time.Advance(Settled);
        }
        Assert.True(read > 20_000, "nothing was forgotten");
    }

    [UnixFact]
    [UnsupportedOSPlatform("windows")]
    public async Task What_became_a_link_is_not_answered_from_what_was_remembered()
    {
        await Change(TestState.Small("one"), 1);
        await Settle();
        var behind = Path.Join(Temp.Path, "behind");
        Directory.Move(StageFolder, behind);
        Directory.CreateSymbolicLink(StageFolder, behind);
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<CheckpointException>(async () => await Recalled());
            _time.Advance(Settled);
        }

        Directory.Delete(StageFolder);
        Directory.Move(behind, StageFolder);
        File.Move(RecordPath(1), behind);
        File.CreateSymbolicLink(RecordPath(1), behind);
        await Settle();
        Assert.True(await IsRead());
    }

    private async Task Change(TestState? state = null, long? step = null) => await _other.SaveAsync(Draft(state, step), default);

    private async Task<IReadOnlyList<long>> Recalled() => (await Store.RecallAsync(Stage, default))?.Steps ?? [];

    private async Task<bool> IsRead()
    {
        var before = _files.Count(FileVerb.Scan);
        Assert.NotNull(await Store.RecallAsync(Stage, default));
        return _files.Count(FileVerb.Scan) > before;
    }

    /// <summary>Asks until what was read is trusted, where it can be.</summary>
    private async Task Settle()
    {
        for (var i = 0; i < 3; i++)
        {
            await Store.RecallAsync(Stage, default);
            _time.Advance(Settled);
        }
    }

    private async Task<string> Content()
    {
        var info = (await Store.RecallAsync(Stage, default))!.Newest.Info!;
        return System.Text.Encoding.UTF8.GetString(info.State!.Inline.Span);
    }

    /// <summary>Gives everything in the stage's folder, and the folder, one time: that of a clock which did not move.</summary>
    private DateTime Freeze(DateTime? time = null)
    {
        var tick = time ?? new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);
        foreach (var file in Directory.EnumerateFiles(StageFolder))
            File.SetLastWriteTimeUtc(file, tick);
        Directory.SetLastWriteTimeUtc(StageFolder, tick);
        return tick;
    }
}
