namespace Checkpoint.Tests;

public sealed class ItemJournalTests : ItemLogTest
{
    private static readonly TimeSpan Promise = TimeSpan.FromMilliseconds(200);

    [Fact]
    public void An_entry_that_comes_alone_is_on_disk_at_once()
    {
        using var journal = Journal();
        Assert.Equal(1, journal.Add(Entry("a")));
        Assert.Equal((1, 1), (journal.Durable, journal.Done));
    }

    [Fact]
    public void Entries_that_come_fast_are_written_together_within_the_window_though_no_other_follows()
    {
        using var journal = Journal();
        journal.Add(Entry("a"));
        var writes = Files.Count(FileVerb.Flush);
        for (var i = 0; i < 100; i++)
            journal.Add(Entry($"{i}", error: i == 7 ? "no" : null));
        Assert.Equal(1, journal.Durable);
        Time.Advance(ItemJournal.Window);
        Assert.Equal((101, 100), (journal.Durable, journal.Done));
        Assert.Equal(writes + 1, Files.Count(FileVerb.Flush));
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(1)]
    [InlineData(30)]
    [InlineData(49)]
    [InlineData(70)]
    public void At_every_pace_an_entry_is_on_disk_200_ms_after_it_was_added(double pace)
    {
        using var journal = Journal();
        var added = new Queue<(long Number, DateTimeOffset At)>();
        for (var i = 0; i < 2000; i++)
        {
            added.Enqueue((journal.Add(Entry($"{i}")), Time.GetUtcNow()));
            Time.Advance(TimeSpan.FromMilliseconds(pace));
            while (added.TryPeek(out var oldest) && oldest.Number <= journal.Durable)
                added.Dequeue();
            Assert.True(added.Count == 0 || Time.GetUtcNow() - added.Peek().At < Promise);
        }
    }

    [Fact]
    public void What_was_written_while_the_right_to_was_lost_is_not_told_to_be_on_disk()
    {
        var looks = 0;
        using var journal = new ItemJournal(Open(), Time, null, default, () =>
        {
            if (++looks == 2)
                throw CheckpointErrors.LeaseLost(new LeaseName(Stage), Root, "its time was over");
        });
        Assert.Equal(CheckpointErrorKind.LeaseLost, Assert.Throws<CheckpointException>(() => journal.Add(Entry("a"))).Kind);
        Assert.Equal((2, 0, 0), (looks, journal.Durable, journal.Done));
    }

    [Fact]
    public void Flushing_and_ending_write_what_is_left()
    {
        using (var journal = Journal())
        {
            journal.Add(Entry("a"));
            journal.Add(Entry("b"));
            journal.Flush();
            Assert.Equal(2, journal.Durable);
            journal.Add(Entry("c"));
        }
        Assert.Equal(("a b c", 0), Read("a", "b", "c"));
    }

    [Fact]
    public void What_comes_after_the_end_is_refused()
    {
        var journal = Journal();
        journal.Dispose();
        Assert.Throws<ObjectDisposedException>(() => journal.Add(Entry("a")));
    }

    [Theory]
    [InlineData(FileVerb.Write)]
    [InlineData(FileVerb.Flush)]
    public void A_write_that_fails_is_told_to_whoever_adds_flushes_or_looks_and_nothing_is_called_durable(FileVerb verb)
    {
        var told = 0;
        using var journal = Journal(() => told++);
        Files.Before = o =>
        {
            if (o.Verb == verb)
                throw new IOException("the disk is gone");
        };
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, Assert.Throws<CheckpointException>(() => journal.Add(Entry("a"))).Kind);
        Files.Before = null;
        Assert.Throws<CheckpointException>(() => journal.Add(Entry("b")));
        Assert.Throws<CheckpointException>(journal.Flush);
        Assert.Throws<CheckpointException>(journal.ThrowIfFaulted);
        Assert.Equal((0, 1), (journal.Durable, told));
    }

    [Fact]
    public void A_write_behind_that_fails_is_not_lost()
    {
        using var journal = Journal();
        journal.Add(Entry("a"));
        journal.Add(Entry("b"));
        Files.Before = o => throw new IOException("the disk is gone");
        Time.Advance(ItemJournal.Window);
        Assert.Throws<CheckpointException>(journal.ThrowIfFaulted);
        Assert.Equal(1, journal.Durable);
    }

    [Fact]
    public void An_item_is_run_once_and_after_that_known_as_done()
    {
        using (var journal = Journal())
        {
            Assert.Equal(ItemDecision.Run, journal.Decide(ItemId.Of("a"), false));
            Assert.Equal(ItemDecision.Doubled, journal.Decide(ItemId.Of("a"), false));
            journal.Add(Entry("a"));
            journal.Add(Entry("b", error: "no"));
        }
        using (var journal = Journal())
        {
            Assert.Equal(ItemDecision.Failed, journal.Decide(ItemId.Of("b"), retryFailed: false));
            Assert.Equal(ItemDecision.Done, journal.Decide(ItemId.Of("a"), false));
            Assert.Equal(ItemDecision.Doubled, journal.Decide(ItemId.Of("a"), false));
        }
        using (var journal = Journal())
            Assert.Equal(ItemDecision.Run, journal.Decide(ItemId.Of("b"), retryFailed: true));
    }

    [Fact]
    public void Entries_of_many_threads_are_all_kept()
    {
        using (var journal = new ItemJournal(Open(), TimeProvider.System, null, default))
            Parallel.For(0, 5000, i => journal.Add(Entry($"{i}")));
        var keys = Enumerable.Range(0, 5000).Select(i => $"{i}").ToArray();
        Assert.Equal((string.Join(' ', keys), 0), Read(keys));
    }
}
