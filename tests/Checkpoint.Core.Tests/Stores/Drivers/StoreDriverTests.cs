using static Checkpoint.Tests.DriverTest;

namespace Checkpoint.Tests;

/// <summary>What holds for every driver. A class for each kind of store says how to open one.</summary>
public abstract class StoreDriverTests : IAsyncLifetime
{
    private protected StoreDriver Driver { get; private set; } = null!;

    public Task InitializeAsync()
    {
        Driver = Open();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await Driver.DisposeAsync();

    /// <summary>The store of this test, as another process would open it.</summary>
    private protected abstract StoreDriver Open();

    [DriverFact]
    public async Task A_store_that_nobody_has_written_to_is_empty()
    {
        Assert.Null(await Driver.ReadAsync(Key, null, default));
        Assert.Null(await Driver.ReadAsync(Key, 1, default));
        Assert.Empty(await Driver.ListStepsAsync(Key, default));
        Assert.Empty(await Driver.ListAsync(new StoreQuery("checkpoint", null, null, false, null), default).All());
        Assert.Empty(await Driver.ReadAboveAsync(Key, 0, default).All());
        Assert.Null(await Driver.OpenPayloadAsync(Key, 1, NewName(), default));
        Assert.Equal(0, await Driver.RemoveAsync(Key, null, null, default));
        Assert.Null(await Driver.FindLeaseAsync(Key, default));
    }

    [DriverFact]
    public async Task The_next_step_is_one_above_the_highest_whoever_saved_that()
    {
        Assert.Equal(1, await Driver.Save());
        Assert.Equal(2, await Driver.Save());
        await using var other = Open();
        Assert.Equal(3, await other.Save());
        Assert.Equal(10, await other.Save(step: 10));
        Assert.Equal(11, await Driver.Save());
        Assert.Equal(2, await Driver.RemoveAsync(Key, [new StoreStep(10, null), new StoreStep(11, null), new StoreStep(12, null)], null, default));
        Assert.Equal(4, await Driver.Save());
        Assert.Equal([4, 3, 2, 1], await other.ListStepsAsync(Key, default));
        Assert.Equal("step 4", Text(await other.ReadAsync(Key, null, default)));
        Assert.Equal("step 2", Text(await other.ReadAsync(Key, 2, default)));
        Assert.Equal(["step 3", "step 4"], (await other.ReadAboveAsync(Key, 2, default).All()).Select(Text));
    }

    [DriverFact]
    public async Task The_first_step_after_step_0_is_1()
    {
        Assert.Equal(0, await Driver.Save(step: 0));
        Assert.Equal(1, await Driver.Save());
    }

    [DriverFact]
    public async Task There_is_no_step_above_the_highest_that_can_be()
    {
        Assert.Equal(long.MaxValue, await Driver.Save(step: long.MaxValue));
        foreach (var save in new Func<Task>[] { () => Driver.Save(), () => Driver.Append(Key) })
            Assert.Equal(StoreFault.Unavailable, (await Assert.ThrowsAsync<StoreFaultException>(save)).Fault);
    }

    [DriverFact]
    public async Task A_step_that_is_there_stays_as_it_is_unless_it_is_to_be_overwritten()
    {
        Assert.Equal(3, await Driver.Save("first", step: 3));
        Assert.Null(await Driver.Save("second", step: 3));
        Assert.Equal("first", Text(await Driver.ReadAsync(Key, 3, default)));
        Assert.Equal(3, await Driver.Save("third", step: 3, overwrite: true));
        Assert.Equal("third", Text(await Driver.ReadAsync(Key, 3, default)));
        Assert.Equal(5, await Driver.Save("fifth", step: 5, overwrite: true));
    }

    [DriverFact]
    public async Task Keys_that_differ_in_anything_are_different()
    {
        StoreKey[] keys = [new("a", "p", null, "n"), new("b", "p", null, "n"), new("a", "p", "r", "n"), new("a", "p", null, null), new("a", "p", "n", null), new("a", "P", null, "n"), new("a", "ü 😀 %_\\'\"", "x/y", "%")];
        foreach (var key in keys)
            Assert.Equal(1, await Driver.Save(key.ToString(), key: key));
        foreach (var key in keys)
            Assert.Equal((key.ToString(), key), (Text(await Driver.ReadAsync(key, null, default)), (await Driver.ReadAsync(key, null, default))!.Key));
    }

    [DriverFact]
    public async Task Names_may_be_as_long_as_names_can_be()
    {
        string Long(int seed) => string.Concat(Enumerable.Range(0, 200).Select(_ => char.ConvertFromUtf32(new Random(seed++).Next(0x1F300, 0x1F5FF))));
        var key = new StoreKey("checkpoint", Long(1), Long(1000), Long(2000));
        Assert.Equal(1, await Driver.Save(key: key));
        Assert.Equal(key, Assert.Single(await Driver.ListAsync(new StoreQuery("checkpoint", null, null, true, null), default).All()).Key);
        Assert.True((await Driver.TryLeaseAsync(key, new string('h', 1000), TimeSpan.FromMinutes(1), default)).IsGranted);
    }

    [DriverFact]
    public async Task A_payload_comes_back_as_it_was()
    {
        foreach (var length in new[] { 0, 1, 1 << 20, (1 << 20) + 1, 5 << 20, (9 << 20) + 12345 })
            await AssertComesBack(Key with { Name = $"{length} bytes" }, length);
    }

    [DriverFact]
    public async Task A_payload_is_found_by_its_name_or_as_that_of_its_entry_whatever_its_name_is()
    {
        var name = NewName();
        await Driver.Save(payload: Bytes("first"), payloadName: name);
        await Driver.Save();
        Assert.Equal(Bytes("first"), await Driver.Payload(Key, 1, name));
        foreach (var other in new[] { NewName(), "../s/x.state", "" })
            Assert.Null(await Driver.Payload(Key, 1, other));
        Assert.Equal(Bytes("first"), await Driver.Payload(Key, 1, null));
        Assert.Null(await Driver.Payload(Key, 2, null));
        Assert.Null(await Driver.Payload(Key, 3, null));
    }

    [DriverFact]
    public async Task A_save_that_is_given_up_leaves_nothing()
    {
        await using (var save = await Driver.BeginSaveAsync(Key, default))
        {
            using var payload = save.OpenPayload(NewName());
            payload.Write(new byte[7 << 20]);
        }
        Assert.Null(await Driver.ReadAsync(Key, null, default));
        Assert.Equal(1, await Driver.Save());
    }

    [DriverFact]
    public async Task A_record_is_replaced_only_where_it_is_still_the_one_that_was_read()
    {
        var name = NewName();
        await Driver.Save(payload: Bytes("payload"), payloadName: name);
        var entry = (await Driver.ReadAsync(Key, 1, default))!;
        Assert.True(await Driver.ReplaceRecordAsync(entry, Bytes("new"), NewName(), default));
        Assert.False(await Driver.ReplaceRecordAsync(entry, Bytes("newer"), NewName(), default));
        Assert.Equal("new", Text(await Driver.ReadAsync(Key, 1, default)));
        Assert.Equal(Bytes("payload"), await Driver.Payload(Key, 1, name));
    }

    [DriverFact]
    public async Task What_is_removed_is_gone_with_its_payload()
    {
        var name = NewName();
        await Driver.Save(payload: new byte[3 << 20], payloadName: name);
        await Driver.Save();
        await Driver.Save(key: Key with { Name = "other" });
        var second = (await Driver.ReadAsync(Key, 2, default))!;
        Assert.Equal(0, await Driver.RemoveAsync(Key, [new StoreStep(2, "another")], null, default));
        Assert.Equal(1, await Driver.RemoveAsync(Key, [new StoreStep(2, second.Revision), new StoreStep(7, null)], null, default));
        Assert.Equal(1, await Driver.RemoveAsync(Key, null, null, default));
        Assert.Null(await Driver.Payload(Key, 1, name));
        Assert.NotNull(await Driver.ReadAsync(Key with { Name = "other" }, null, default));
    }

    [DriverFact]
    public async Task Listings_give_the_highest_step_of_each_key_that_is_meant_in_order()
    {
        foreach (var (pipeline, run, name) in new[] { ("b", null, "y"), ("a", null, "x"), ("a", null, "w"), ("a", "r2", "x"), ("a", "r1", "x"), ("a", "r1", "w"), ("b", "r1", "x"), ("b", null, null) })
        {
            for (var i = 0; i < 40; i++)
                await Driver.Save(key: new StoreKey("checkpoint", pipeline, run, name), durable: false);
        }
        await Driver.Save(key: new StoreKey("run", "a", "r1", null));
        await AssertLists("a//w a//x b// b//y", null, null, false, null);
        await AssertLists("a/r1/w a/r1/x a/r2/x b/r1/x", null, null, true, null);
        await AssertLists("a/r1/w a/r1/x a/r2/x", "a", null, true, null);
        await AssertLists("a/r1/w a/r1/x b/r1/x", null, "r1", true, null);
        await AssertLists("a/r1/w a/r1/x", "a", "r1", true, null);
        await AssertLists("a/r1/x a/r2/x b/r1/x", null, null, true, "x");
        await AssertLists("a/r1/x", "a", "r1", true, "x");
        await AssertLists("a//x", null, null, false, "x");
        await AssertLists("b// b//y", "b", null, false, null);
        await AssertLists("", "c", null, false, null);
    }

    [DriverFact]
    public async Task A_listing_of_many_keys_is_complete()
    {
        for (var i = 0; i < 300; i++)
            await Driver.Save(key: Key with { Name = $"stage {i:000}" }, durable: false);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"stage {i:000}"), (await Driver.ListAsync(new StoreQuery("checkpoint", "nightly", null, false, null), default).All()).Select(e => e.Key.Name));
        for (var i = 0; i < 300; i++)
            await Driver.Save(durable: false);
        Assert.Equal(Enumerable.Range(101, 200).Select(i => (long)i), (await Driver.ReadAboveAsync(Key, 100, default).All()).Select(e => e.Step));
    }

    [DriverFact]
    public async Task Many_writers_of_one_key_lose_and_double_no_step()
    {
        var steps = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            await using var driver = Open();
            var mine = new List<long>();
            for (var n = 0; n < 25; n++)
                mine.Add((await driver.Save($"{i}", payload: n % 5 == 0 ? new byte[5000] : null, durable: n % 2 == 0))!.Value);
            return mine;
        })));
        Assert.Equal(Enumerable.Range(1, 200).Select(i => (long)i), steps.SelectMany(s => s).Order());
        Assert.Equal(200, (await Driver.ListStepsAsync(Key, default)).Count);
    }

    [DriverFact]
    public async Task What_follows_from_the_last_entry_follows_from_the_last_whoever_appends()
    {
        var key = new StoreKey("history", "nightly", null, null);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(async () =>
        {
            await using var driver = Open();
            for (var n = 0; n < 20; n++)
            {
                var note = NoteTo(key);
                if (n % 2 == 0)
                    await driver.Save(key: Key with { Name = $"{i}" }, note: note);
                if (!note.IsCommitted)
                    await driver.Append(key);
            }
        })));
        for (var n = 0; n < 5; n++)
            await Driver.Append(key);
        var texts = (await Driver.ReadAboveAsync(key, 0, default).All()).Select(Text).ToList();
        Assert.Equal(Enumerable.Range(1, 125).Select(i => $"after {(i == 1 ? "none" : i - 1)}"), texts.Select(t => t[t.IndexOf("after", StringComparison.Ordinal)..]));
    }

    [DriverFact]
    public async Task What_a_save_takes_along_is_there_once_and_follows_from_the_last_or_is_not_there()
    {
        var history = new StoreKey("history", "nightly", null, null);
        var (first, second) = (Driver, Open());
        var wanted = new List<string>();
        for (var i = 0; i < 12; i++)
        {
            // The other one appends too, now and then.
            var driver = i % 5 < 3 ? first : second;
            var note = NoteTo(history);
            var step = await driver.Save(step: i % 4 == 3 ? i : null, overwrite: i % 4 == 3, payload: i % 3 == 1 ? new byte[10] : null, note: note);
            wanted.Add(note.IsCommitted ? $"saved {step} after {(i == 0 ? "none" : i)}" : $"{i + 1} after {(i == 0 ? "none" : i)}");
            if (!note.IsCommitted)
                Assert.Equal(i + 1, await driver.Append(history));
        }
        Assert.Equal(wanted, (await first.ReadAboveAsync(history, 0, default).All()).Select(Text));
        await second.DisposeAsync();
    }

    [DriverFact]
    public async Task Overwriting_writers_leave_one_of_them_whole()
    {
        var names = Enumerable.Range(0, 6).Select(_ => NewName()).ToArray();
        await Task.WhenAll(names.Select((name, i) => Task.Run(async () =>
        {
            await using var driver = Open();
            for (var n = 0; n < 10; n++)
            {
                Assert.Equal(1, await driver.Save(name, step: 1, overwrite: true, payload: n == 9 ? Bytes(name) : Bytes("early"), payloadName: n == 9 ? name : null));
                if (n is 3 or 6)
                    await driver.RemoveAsync(Key, [new StoreStep(1, null)], null, default);
            }
        })));
        var winner = Text(await Driver.ReadAsync(Key, 1, default));
        Assert.Equal(Bytes(winner), await Driver.Payload(Key, 1, winner));
    }

    [DriverFact]
    public async Task A_lease_is_held_by_one_and_its_token_only_grows()
    {
        var (granted, lease) = await Driver.TryLeaseAsync(Key, "first", TimeSpan.FromMinutes(1), default);
        Assert.True(granted);
        Assert.Equal((1, "first"), (lease.Token, lease.Holder));
        Assert.InRange(lease.Remaining, TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(60));
        await using var other = Open();
        (granted, var held) = await other.TryLeaseAsync(Key, "second", TimeSpan.FromMinutes(1), default);
        Assert.False(granted);
        Assert.Equal((1, "first", lease.TakenAt), (held.Token, held.Holder, held.TakenAt));
        var fence = new StoreFence(Key, 1);
        Assert.True(await Driver.RenewLeaseAsync(fence, TimeSpan.FromMinutes(2), default));
        Assert.InRange((await other.FindLeaseAsync(Key, default))!.Remaining, TimeSpan.FromSeconds(110), TimeSpan.FromSeconds(120));
        await Driver.ReleaseLeaseAsync(fence, default);
        await Driver.ReleaseLeaseAsync(fence, default);
        Assert.Null(await other.FindLeaseAsync(Key, default));
        Assert.False(await Driver.RenewLeaseAsync(fence, TimeSpan.FromMinutes(2), default));
        (granted, lease) = await other.TryLeaseAsync(Key, "second", TimeSpan.FromMilliseconds(1), default);
        Assert.True(granted);
        Assert.Equal(2, lease.Token);
    }

    [DriverFact]
    public async Task A_save_without_its_lease_is_refused()
    {
        var (_, lease) = await Driver.TryLeaseAsync(Key, "first", TimeSpan.FromMinutes(1), default);
        var fence = new StoreFence(Key, lease.Token);
        Assert.Equal(1, await Driver.Save(fence: fence));
        Assert.Equal(1, await Driver.Save("again", step: 1, overwrite: true, fence: fence));
        Assert.Equal(2, await Driver.Save(fence: fence, payload: new byte[6 << 20]));
        await Driver.ReleaseLeaseAsync(fence, default);
        await Driver.TryLeaseAsync(Key, "second", TimeSpan.FromMinutes(1), default);
        await AssertLost(() => Driver.Save(fence: fence));
        await AssertLost(() => Driver.Save(fence: fence, payload: new byte[1000]));
        await AssertLost(() => Driver.Save(fence: fence, payload: new byte[6 << 20]));
        await AssertLost(() => Driver.Save("late", step: 1, overwrite: true, fence: fence));
        Assert.Equal([2, 1], await Driver.ListStepsAsync(Key, default));
        Assert.Equal("again", Text(await Driver.ReadAsync(Key, 1, default)));
    }

    [DriverFact]
    public async Task A_removal_without_its_lease_is_refused()
    {
        var (_, lease) = await Driver.TryLeaseAsync(Key, "first", TimeSpan.FromMinutes(1), default);
        var fence = new StoreFence(Key, lease.Token);
        for (var i = 0; i < 3; i++)
            await Driver.Save(payload: new byte[1000]);
        Assert.Equal(1, await Driver.RemoveAsync(Key, [new StoreStep(1, null), new StoreStep(9, null)], fence, default));
        Assert.Equal(0, await Driver.RemoveAsync(Key, [new StoreStep(1, null)], fence, default));
        await Driver.ReleaseLeaseAsync(fence, default);
        (_, lease) = await Driver.TryLeaseAsync(Key, "second", TimeSpan.FromMinutes(1), default);
        await AssertLost(async () => await Driver.RemoveAsync(Key, [new StoreStep(2, null)], fence, default));
        await AssertLost(async () => await Driver.RemoveAsync(Key, null, fence, default));
        Assert.Equal([3, 2], await Driver.ListStepsAsync(Key, default));
        Assert.Equal(2, await Driver.RemoveAsync(Key, null, new StoreFence(Key, lease.Token), default));
        Assert.Empty(await Driver.ListStepsAsync(Key, default));
    }

    [DriverFact]
    public async Task Of_many_that_want_a_lease_one_has_it_at_a_time()
    {
        var inside = 0;
        var tokens = new System.Collections.Concurrent.ConcurrentBag<long>();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(async () =>
        {
            await using var driver = Open();
            for (var n = 0; n < 10;)
            {
                var (isGranted, lease) = await driver.TryLeaseAsync(Key, $"{i}", TimeSpan.FromMinutes(1), default);
                if (!isGranted)
                    continue;
                Assert.Equal(1, Interlocked.Increment(ref inside));
                tokens.Add(lease.Token);
                Interlocked.Decrement(ref inside);
                await driver.ReleaseLeaseAsync(new StoreFence(Key, lease.Token), default);
                n++;
            }
        })));
        Assert.Equal(60, tokens.Distinct().Count());
    }

    [DriverFact]
    public async Task Who_is_told_of_a_lease_when_it_is_over_already_is_not_told_of_that_of_the_next_holder()
    {
        var tokens = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
        {
            await using var driver = Open();
            var mine = new List<long>();
            for (var n = 0; n < 60; n++)
            {
                var (isGranted, lease) = await driver.TryLeaseAsync(Key, $"{i}", TimeSpan.FromMilliseconds(1), default);
                if (!isGranted)
                    continue;
                Assert.Equal($"{i}", lease.Holder);
                mine.Add(lease.Token);
            }
            return mine;
        })));
        var all = tokens.SelectMany(t => t).ToList();
        Assert.Equal(all.Count, all.Distinct().Count());
    }

    [DriverFact]
    public async Task Whoever_waits_for_a_change_misses_none()
    {
        await using var other = Open();
        // The first wait may return at once.
        await Driver.WaitForChangeAsync(Key, TimeSpan.FromSeconds(1), default);
        var saved = Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
                await other.Save();
        });
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (await Driver.ReadAsync(Key, 20, default) is null)
            await Driver.WaitForChangeAsync(Key, TimeSpan.FromSeconds(2), patience.Token);
        await saved;
    }

    [DriverFact]
    public async Task What_is_cancelled_ends()
    {
        await Driver.Save();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Driver.WaitForChangeAsync(Key, TimeSpan.FromMinutes(5), cancelled.Token));
    }

    private static async Task AssertLost(Func<Task> save) => Assert.Equal(StoreFault.LeaseLost, (await Assert.ThrowsAsync<StoreFaultException>(save)).Fault);

    private async Task AssertComesBack(StoreKey key, int length)
    {
        var payload = new byte[length];
        new Random(length).NextBytes(payload);
        var name = NewName();
        Assert.Equal(1, await Driver.Save(key: key, payload: payload, payloadName: name));
        Assert.Equal(length, (await Driver.ReadAsync(key, null, default))!.PayloadLength);
        Assert.Equal(payload, await Driver.Payload(key, 1, name));
        Assert.Null(await Driver.Payload(key, 1, NewName()));
        // The next is saved by a process that knows nothing of the first.
        await using var other = Open();
        Assert.Equal(2, await other.Save(key: key, payload: payload));
        Assert.Null(await other.Save(key: key, step: 1, payload: payload));
        var newName = NewName();
        Assert.Equal(1, await other.Save(key: key, step: 1, overwrite: true, payload: [.. payload.Reverse()], payloadName: newName));
        Assert.Null(await Driver.Payload(key, 1, name));
        Assert.Equal(payload.Reverse(), await Driver.Payload(key, 1, newName));
    }

    private async Task AssertLists(string expected, string? pipeline, string? run, bool inRuns, string? name)
    {
        var listed = await Driver.ListAsync(new StoreQuery("checkpoint", pipeline, run, inRuns, name), default).All();
        Assert.Equal(expected, string.Join(' ', listed.Select(e => $"{e.Key.Pipeline}/{e.Key.Run}/{e.Key.Name}")));
        Assert.All(listed, e => Assert.Equal((40, "step 40"), (e.Step, Text(e))));
    }
}
