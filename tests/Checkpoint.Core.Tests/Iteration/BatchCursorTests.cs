using Xunit.Abstractions;

namespace Checkpoint.Tests;

public sealed class BatchCursorTests(ITestOutputHelper output)
{
    [Fact]
    public void Batches_have_the_datas_order_and_the_last_may_be_shorter() =>
        Assert.Equal("0 1 2 3|4 5 6 7|8 9|0 1 2 3|4 5 6 7|8 9", Show(Rest(Cursor(10, 4, epochs: 2))));

    [Fact]
    public void Without_a_shorter_last_batch_the_rest_of_the_data_is_left_out() =>
        Assert.Equal("0 1 2 3|4 5 6 7|0 1 2 3|4 5 6 7", Show(Rest(Cursor(10, 4, epochs: 2, dropLast: true))));

    // The golden list: what a seed gives, on every operating system and in every version to come.
    [Fact]
    public void A_seed_gives_these_batches_on_every_system() =>
        Assert.Equal("0 19 3 18 5 4 8|17 2 13 6 9 14 10|11 16 15 12 7 1|18 0 8 11 16 12 10|19 17 2 13 15 5 6|4 9 7 3 1 14", Show(Rest(Cursor(20, 7, epochs: 2, shuffle: true))));

    [Fact]
    public void A_million_elements_begin_with_these_for_a_seed()
    {
        var cursor = Cursor(1_000_000, 10, shuffle: true);
        Assert.True(cursor.MoveNext());
        Assert.Equal([297960, 176652, 575562, 373209, 377821, 432167, 896255, 38605, 413399, 453826], cursor.Pick(i => i));
    }

    [Theory]
    [InlineData(0, 3, false, "")]
    [InlineData(0, 3, true, "")]
    [InlineData(3, 10, false, "0 1 2|0 1 2")]
    [InlineData(3, 10, true, "")]
    [InlineData(3, 3, true, "0 1 2|0 1 2")]
    [InlineData(3, int.MaxValue, false, "0 1 2|0 1 2")]
    [InlineData(2, 1, false, "0|1|0|1")]
    public void Edges(int count, int batchSize, bool dropLast, string expected)
    {
        var cursor = Cursor(count, batchSize, epochs: 2, dropLast: dropLast);
        Assert.Equal(expected, Show(Rest(cursor)));
        Assert.False(cursor.MoveNext());
        Assert.Equal(expected.Length == 0 ? 0 : expected.Split('|').Length, cursor.Step);
    }

    [Fact]
    public void Epoch_position_and_step_say_where_it_is()
    {
        var cursor = Cursor(10, 4, epochs: 2, shuffle: true);
        var seen = new List<string> { Where(cursor) };
        while (cursor.MoveNext())
            seen.Add(Where(cursor));
        seen.Add(Where(cursor));
        Assert.Equal(["0/0/0", "1/4/1", "1/8/2", "1/10/3", "2/4/4", "2/8/5", "2/10/6", "2/10/6"], seen);
        Assert.Equal(3, cursor.Plan.BatchesPerEpoch);

        static string Where(BatchCursor c) => $"{c.Epoch}/{c.Position}/{c.Step}";
    }

    [Fact]
    public void Each_epoch_hands_out_every_element_once_in_an_order_of_its_own()
    {
        var batches = Rest(Cursor(100, 7, epochs: 3, shuffle: true)).ToList();
        var epochs = batches.Chunk(15).Select(e => e.SelectMany(b => b).ToArray()).ToList();
        Assert.Equal(3, epochs.Count);
        Assert.All(epochs, e => Assert.Equal(Enumerable.Range(0, 100), e.Order()));
        Assert.NotEqual(epochs[0], epochs[1]);
        Assert.NotEqual(epochs[1], epochs[2]);
    }

    [Fact]
    public void Dropping_the_last_batch_drops_other_elements_each_epoch()
    {
        var epochs = Rest(Cursor(10, 4, epochs: 20, shuffle: true, dropLast: true)).Chunk(2).Select(e => string.Join(' ', e.SelectMany(b => b).Order()));
        Assert.True(epochs.Distinct().Count() > 1);
    }

    // Every point at which a process can die: before the first batch, after each of them, after the last of an epoch, after the end.
    [Fact]
    public void Restored_at_any_point_it_goes_on_as_if_never_stopped()
    {
        var random = Seeds.New(output);
        for (var turn = 0; turn < 300; turn++)
        {
            var (count, batchSize, epochs) = (random.Next(0, 30), random.Next(1, 12), random.Next(1, 5));
            var (shuffle, dropLast, seed) = (random.Next(4) > 0, random.Next(2) == 0, random.NextInt64(long.MinValue, long.MaxValue));
            BatchCursor New(long s) => new(new BatchPlan { Count = count, BatchSize = batchSize, Epochs = epochs, Shuffle = shuffle, DropLast = dropLast }, s);
            var whole = Show(Rest(New(seed)));
            var cursor = New(seed);
            var before = new List<int[]>();
            do
            {
                var at = cursor.Capture();
                // Another seed, and some batches already handed out: the state says it all.
                var again = New(random.NextInt64());
                for (var i = random.Next(4); i > 0; i--)
                    again.MoveNext();
                again.Restore(at);
                Assert.Equal((cursor.Epoch, cursor.Position, cursor.Step, seed), (again.Epoch, again.Position, again.Step, again.Seed));
                Assert.True(whole == Show([.. before, .. Rest(again)]), $"turn {turn}: {count} by {batchSize}, {epochs} epochs, shuffle {shuffle}, dropLast {dropLast}, seed {seed}, after {before.Count}");
                if (!cursor.MoveNext())
                    break;
                before.Add(cursor.Pick(i => i));
            }
            while (true);
            Assert.Equal(whole, Show(before));
        }
    }

    [Fact]
    public void A_captured_position_does_not_change_afterwards()
    {
        var cursor = Cursor(20, 3, epochs: 5, shuffle: true);
        cursor.MoveNext();
        var at = cursor.Capture();
        var (generator, indices) = ((ulong[])at.Generator.Clone(), (int[])at.Indices!.Clone());
        var rest = Show(Rest(cursor));
        Assert.Equal(generator, at.Generator);
        Assert.Equal(indices, at.Indices);
        cursor.Restore(at);
        Array.Clear(at.Indices);
        Assert.Equal(rest, Show(Rest(cursor)));
    }

    [Fact]
    public void More_epochs_than_before_may_follow_and_fewer_end_it()
    {
        var finished = Cursor(10, 4, epochs: 1, shuffle: true);
        var first = Rest(finished).ToList();
        var longer = Cursor(10, 4, epochs: 3, shuffle: true, seed: 1);
        longer.Restore(finished.Capture());
        Assert.Equal(Show(Rest(Cursor(10, 4, epochs: 3, shuffle: true))), Show([.. first, .. Rest(longer)]));

        var shorter = Cursor(10, 4, epochs: 1, shuffle: true);
        shorter.Restore(longer.Capture());
        Assert.False(shorter.MoveNext());
    }

    [Fact]
    public void Reset_gives_the_same_batches_again()
    {
        var cursor = Cursor(10, 4, epochs: 2, shuffle: true);
        var whole = Show(Rest(cursor));
        cursor.Reset();
        Assert.Equal(0, cursor.Step);
        Assert.Equal(whole, Show(Rest(cursor)));
    }

    [Fact]
    public void Refuses_a_position_that_it_cannot_have_had_and_stays_where_it_is()
    {
        var cursor = Cursor(10, 4, epochs: 2, shuffle: true);
        cursor.MoveNext();
        var good = cursor.Capture();
        var rest = Show(Rest(cursor));
        cursor.Restore(good);
        var twice = (int[])good.Indices!.Clone();
        twice[0] = twice[1];
        var outside = (int[])good.Indices.Clone();
        outside[3] = 10;
        BatchPosition[] bad =
        [
            good with { Generator = [0, 0, 0, 0] }, good with { Epoch = -1 }, good with { Epoch = 0 }, good with { Position = -4 }, good with { Position = 0 }, good with { Position = 5 },
            good with { Position = 12 }, good with { Indices = null }, good with { Indices = [0, 1] }, good with { Indices = twice }, good with { Indices = outside },
        ];
        foreach (var at in bad)
            Assert.Throws<InvalidArgumentException>(() => cursor.Restore(at));
        Assert.Throws<InvalidArgumentException>(() => Cursor(10, 4).Restore(good));
        Assert.Equal(rest, Show(Rest(cursor)));
    }

    private static BatchCursor Cursor(int count, int batchSize, int epochs = 1, bool shuffle = false, bool dropLast = false, long seed = 42) =>
        new(new BatchPlan { Count = count, BatchSize = batchSize, Epochs = epochs, Shuffle = shuffle, DropLast = dropLast }, seed);

    private static IEnumerable<int[]> Rest(BatchCursor cursor)
    {
        while (cursor.MoveNext())
            yield return cursor.Pick(i => i);
    }

    private static string Show(IEnumerable<int[]> batches) => string.Join('|', batches.Select(b => string.Join(' ', b)));
}
