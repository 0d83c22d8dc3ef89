using System.Text;

namespace Checkpoint.Tests;

public sealed class SharedItemsTests : EngineTest
{
    private static readonly ItemWork Work = new() { Stage = Stage, IsShared = true, ContinueOnError = true };

    private static readonly string Thousand = string.Join(' ', Enumerable.Range(1, 1000));

    [Fact]
    public async Task Short_items_are_claimed_in_portions_that_take_a_quarter_of_a_second_and_long_ones_one_by_one()
    {
        using (var worker = await Join())
        {
            worker.OnItem = () => Time.Advance(TimeSpan.FromMilliseconds(1));
            worker.AddAll(Thousand);
            Assert.True(worker.Go(1000));
        }
        Assert.Equal([1, 4, 16, 64, 250, 250, 250, 165], Claims());

        await Store.RemoveAsync(Stage, null, default);
        using (var worker = await Join())
        {
            worker.OnItem = () => Time.Advance(TimeSpan.FromSeconds(1));
            worker.AddAll("a b c d");
            Assert.True(worker.Go(4));
        }
        Assert.Equal([1, 1, 1, 1], Claims());
    }

    [Fact]
    public async Task What_was_claimed_and_has_to_wait_for_a_long_one_others_may_do()
    {
        using var slow = await Join(atOnce: 3);
        using var other = await Join();
        slow.AddAll("a b c");
        other.AddAll("a b c");
        slow.OnItem = () =>
        {
            Assert.False(other.Go(1));
            Time.Advance(TimeSpan.FromSeconds(3));
            Assert.True(other.Go(2));
        };
        Assert.True(slow.Go(1));
        Assert.False(slow.Go(1));
        Assert.False(other.Go(1));
        Assert.Equal(("a", "b c"), (string.Join(' ', slow.Did), string.Join(' ', other.Did)));
        Assert.False(slow.IsOpen || other.IsOpen);
    }

    [Fact]
    public async Task Items_that_come_seldom_wait_for_no_others()
    {
        using var worker = await Join();
        worker.OnItem = () => Time.Advance(TimeSpan.FromMilliseconds(1));
        worker.Add(Thousand);
        Assert.True(worker.Go(500));
        while (worker.Go(1))
            Time.Advance(TimeSpan.FromMilliseconds(1));
        worker.Add("x");
        Assert.False(worker.Go(1));
        Time.Advance(TimeSpan.FromSeconds(1));
        worker.Add("y");
        while (worker.Go(1))
            await Task.CompletedTask;
        Assert.Equal(["x", "y"], worker.Did[^2..]);
    }

    [UnixFact]
    public async Task Who_lost_its_lease_begins_no_more()
    {
        using var worker = await Join(atOnce: 3);
        worker.AddAll("a b c");
        Assert.True(worker.Go(1));
        File.Delete(FolderLayout.LeasePath(Root, worker.Run.Lease.Name));
        Assert.Equal(CheckpointErrorKind.LeaseLost, Assert.Throws<CheckpointException>(() => worker.Go(1)).Kind);
        Assert.Equal(["a"], worker.Did);
    }

    [UnixFact]
    public async Task Who_lost_its_lease_while_it_waited_for_its_turn_writes_nothing_into_a_journal_that_is_another_by_now()
    {
        var files = new TestFileSystem();
        using var worker = await JoinAndDoOneOfTwo(files);
        var (stopped, isCleared) = (worker.Run.Lease.Name, false);
        files.Before = operation =>
        {
            if (isCleared || operation.Verb != FileVerb.OpenLocked || operation.Path != Journal)
                return;
            // It looked at its lease, was stopped, and the stage was cleared and begun anew.
            isCleared = true;
            File.Delete(FolderLayout.LeasePath(Root, stopped));
            File.Delete(Journal);
        };
        Assert.Equal(CheckpointErrorKind.LeaseLost, Assert.Throws<CheckpointException>(() => worker.Run.Journal.GiveBack([ItemId.Of("b")])).Kind);
        files.Before = null;
        Assert.True(isCleared);
        Assert.Equal("", File.ReadAllText(Journal));
        worker.Dispose();
        using var next = await ItemRun.StartAsync(Engine, new ItemWork { Stage = Stage }, Time, null, default);
        Assert.Equal(ItemDecision.Run, next.Next(ItemId.Of("a")));
    }

    [UnixFact]
    public async Task Who_is_stopped_while_another_has_its_turn_at_the_journal_waits_for_that_no_longer_than_a_moment()
    {
        using var stop = new CancellationTokenSource();
        using var run = await ItemRun.StartAsync(Engine, Work, Time, null, stop.Token);
        run.Next(ItemId.Of("a"));
        using var turn = FileSystem.Current.OpenLocked(Journal)!;
        var adding = Task.Run(() => run.TryDone(ItemId.Of("a"), "a", null, out _, default));
        Assert.False(adding.Wait(200));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => adding);
        run.Dispose();
        // A moment, and some for a busy machine; the turn would be waited for for half a minute.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"it ended after {watch.Elapsed}");
    }

    [Fact]
    public async Task A_line_that_a_dead_one_left_half_written_costs_only_itself()
    {
        using var first = await Join();
        first.AddAll("a b");
        Assert.True(first.Go(1));
        File.AppendAllText(Journal, "{\"crc\":\"01234567\",\"id\":\"0123");
        using var second = await Join();
        Assert.Equal(1, second.Run.Journal.Damaged);
        second.AddAll("a b c");
        Assert.True(second.Go(2));
        Assert.Equal(["b", "c"], second.Did);
        first.Dispose();
        second.Dispose();
        using var alone = await ItemRun.StartAsync(Engine, new ItemWork { Stage = Stage }, Time, null, default);
        Assert.Equal((1, "Done Done Done"), (alone.Journal.Damaged, string.Join(' ', "abc".Select(key => alone.Next(ItemId.Of(key.ToString()))))));
    }

    [UnixFact]
    public async Task One_that_was_stopped_at_the_journal_holds_up_nobody_for_ever_and_overwrites_nothing_when_it_goes_on()
    {
        using var first = await Join();
        using var second = await Join();
        first.AddAll("a b");
        second.AddAll("a b c");
        Assert.True(first.Go(1));
        using (var stopped = FileSystem.Current.OpenLocked(Journal)!)
        {
            var going = Task.Run(() => second.Go(1));
            while (!going.IsCompleted)
            {
                Time.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(1);
            }
            Assert.True(await going);
            // Its time was over long ago, and nobody reads that file any more.
            RandomAccess.Write(stopped, Encoding.UTF8.GetBytes("late"), RandomAccess.GetLength(stopped));
        }
        Assert.True(second.Go(1));
        Assert.False(first.Go(1));
        Assert.Equal(("a", "b c"), (string.Join(' ', first.Did), string.Join(' ', second.Did)));
        Assert.DoesNotContain("late", File.ReadAllText(Journal), StringComparison.Ordinal);
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [UnixFact]
    public async Task Who_lost_its_turn_at_the_journal_while_it_wrote_writes_once_more()
    {
        var files = new TestFileSystem();
        using var worker = await JoinAndDoOneOfTwo(files);
        files.Before = operation =>
        {
            if (operation.Verb != FileVerb.Write || operation.Path != Journal)
                return;
            files.Before = null;
            // Read past the lock, which the one at work has.
            using (var old = FileSystem.Current.OpenRead(Journal)!)
            {
                var bytes = new byte[RandomAccess.GetLength(old)];
                Assert.Equal(bytes.Length, RandomAccess.Read(old, bytes, 0));
                File.WriteAllBytes(Journal + "2", bytes);
            }
            File.Move(Journal + "2", Journal, overwrite: true);
        };
        Assert.True(worker.Go(1));
        Assert.Null(files.Before);
        using var other = await Join();
        other.AddAll("a b");
        Assert.False(other.Go(1));
        Assert.False(other.IsOpen);
    }

    [Fact]
    public async Task Who_has_more_items_completes_the_stage_for_these_too()
    {
        using var few = await Join();
        using var many = await Join();
        few.AddAll("a b");
        many.AddAll("c a b");
        Assert.True(many.Go(1));
        Assert.True(few.Go(2));
        Assert.Equal(2L, (await few.Run.CompleteAsync(default)).Saved!.Metadata["Items"]);
        Assert.False(many.Go(1));
        Assert.Equal(3L, (await many.Run.CompleteAsync(default)).Saved!.Metadata["Items"]);
        Assert.Null((await few.Run.CompleteAsync(default)).Saved);
        Assert.Equal([2, 1], await Steps());
    }

    [Fact]
    public async Task Damage_in_the_outputs_of_one_is_told_and_costs_only_those()
    {
        using (var first = await Join())
        using (var second = await Join())
        {
            first.Output = second.Output = new TestState("[]", new byte[40_000], isSequence: true);
            first.AddAll("a");
            Assert.True(first.Go(1));
            second.AddAll("b");
            Assert.True(second.Go(1));
        }
        var outputs = Directory.GetFiles(StageFolder, "items.2.*.outputs").Single();
        File.WriteAllBytes(outputs, new byte[100]);
        var finding = Assert.Single(await Store.VerifyAsync(new StoreScope(), null, default).ToListAsync());
        Assert.Equal(StoreFindingKind.DamagedJournal, finding.Kind);
        Assert.NotNull(await Store.RepairAsync(finding, "repair", null, default));
        using var alone = await ItemRun.StartAsync(Engine, new ItemWork { Stage = Stage }, Time, null, default);
        Assert.Equal("Done Run", string.Join(' ', "ab".Select(key => alone.Next(ItemId.Of(key.ToString())))));
        using var kept = alone.Journal.OpenOutput(ItemId.Of("a"))!;
        Assert.Equal(40_000, TestState.Read(kept).Blob.Length);
    }

    [Theory]
    [InlineData("items.outputs", true)]
    [InlineData("items.1.1761234567890123.outputs", true)]
    [InlineData("items..1.outputs", false)]
    [InlineData("items.1.outputs", false)]
    [InlineData("items.1.2.3.outputs", false)]
    [InlineData("items.../../x.outputs", false)]
    [InlineData("../items.1.2.outputs", false)]
    [InlineData("items.jsonl", false)]
    public void A_line_can_name_no_file_but_one_of_outputs(string name, bool isOne) => Assert.Equal(isOne, FolderLayout.IsItemOutputs(name));

    [Fact]
    public void Who_has_claimed_what_follows_from_the_lines_alone()
    {
        var (a, b, c) = (ItemId.Of("a"), ItemId.Of("b"), ItemId.Of("c"));
        var claims = new ItemClaims();
        claims.Add(new WorkerLine(1, 10, Noon) { Claimed = [a, b] });
        claims.Add(new WorkerLine(2, 5, Noon) { Claimed = [b, c] });
        Assert.Equal([1, 1, 2], new[] { a, b, c }.Select(claims.HolderOf));
        claims.Add(new WorkerLine(1, 11, Noon));
        Assert.Null(claims.HolderOf(a));
        // It does not know yet that another has its number.
        claims.Add(new WorkerLine(1, 10, Noon) { Claimed = [a], Released = [c] });
        claims.Add(new WorkerLine(2, 5, Noon) { Claimed = [b], Released = [c] });
        Assert.Equal([null, 2, null], new[] { a, b, c }.Select(claims.HolderOf));
        claims.End(b);
        Assert.Empty(claims.Workers);
    }

    [Fact]
    public void What_one_says_of_itself_is_read_as_it_was_written()
    {
        var line = new WorkerLine(3, 17, Noon) { Claimed = [ItemId.Of("a"), ItemId.Of("b")], Released = [ItemId.Of("c")] };
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        ItemFormat.Write(buffer, line);
        var text = buffer.WrittenSpan[..^1];
        Assert.True(ItemFormat.IsWhole(text));
        Assert.False(ItemFormat.TryParse(text, out _, out _, out _));
        var read = ItemFormat.TryReadWorker(text)!;
        Assert.Equal((3, 17, Noon), (read.Worker, read.Token, read.At));
        Assert.Equal(line.Claimed, read.Claimed);
        Assert.Equal(line.Released, read.Released);
        Assert.Null(ItemFormat.TryReadWorker("{\"crc\":\"01234567\",\"worker\":1,\"token\":2,\"at\":\"2026-01-01T00:00:00Z\",\"claimed\":[\"zz\"]}"u8));
    }

    private string Journal => Path.Join(StageFolder, FolderLayout.ItemsName);

    // How many were claimed at once, line by line.
    private List<int> Claims() => [.. File.ReadLines(Journal).Select(line => ItemFormat.TryReadWorker(Encoding.UTF8.GetBytes(line))?.Claimed.Count ?? 0).Where(count => count > 0)];

    private async Task<SharedWorker> JoinAndDoOneOfTwo(TestFileSystem files)
    {
        var worker = await SharedWorker.Join(new CheckpointEngine(new FolderStore(Root, files, Time), Time), Work, Time);
        worker.AddAll("a b");
        Assert.True(worker.Go(1));
        return worker;
    }

    private Task<SharedWorker> Join(int atOnce = 1) => SharedWorker.Join(Engine, Work, Time, atOnce);
}
