using static Checkpoint.Tests.DriverTest;

namespace Checkpoint.Tests;

/// <summary>What was committed and never answered is neither lost nor done twice.</summary>
[Collection(PostgresServer.Collection)]
public sealed class LostAnswerTests : IAsyncDisposable
{
    private readonly NetworkProxy? _network;
    private readonly StoreDriver _near = null!;
    private readonly StoreDriver _far = null!;
    private readonly string _store = "";

    public LostAnswerTests(PostgresServer server)
    {
        if (PostgresPrograms.Missing is not null)
            return;
        _network = new NetworkProxy(server.Own.Port);
        _store = $"lost_{Guid.NewGuid():N}";
        Sql = sql => server.Own.Sql(sql.Replace("$store", _store, StringComparison.Ordinal));
        _near = PostgresServer.Open(PostgresServer.WithSchema(server.Own.Uri, _store));
        _far = PostgresServer.Open(PostgresServer.WithSchema($"postgresql://postgres:{Uri.EscapeDataString(PostgresCluster.Password)}@127.0.0.1:{_network.Port}/postgres", _store));
    }

    private Func<string, string> Sql { get; } = _ => "";

    public async ValueTask DisposeAsync()
    {
        if (_network is null)
            return;
        await _near.DisposeAsync();
        await _far.DisposeAsync();
        _network.Dispose();
    }

    [PostgresFact(IsOwn = true)]
    public async Task A_save_whose_answer_was_lost_is_there_once()
    {
        await Warm();
        await Lose(() => _far.Save("next"), "count(*) FROM $store.entry WHERE step = 4", 4);
        await Lose(() => _far.Save("new", step: 10), "count(*) FROM $store.entry WHERE step = 10", 10);
        await Lose(() => _far.Save("over", step: 10, overwrite: true), "count(*) FROM $store.entry WHERE step = 10 AND record = 'over'", 10);
        Assert.Equal([10, 4, 3, 2, 1], await _near.ListStepsAsync(Key, default));
    }

    [PostgresFact(IsOwn = true)]
    public async Task Of_a_save_whose_answer_was_lost_it_is_known_whether_its_line_of_the_history_is_there()
    {
        await Warm();
        var history = Key with { Kind = "history", Name = null };
        await _far.Append(history);
        var note = NoteTo(history);
        await Lose(() => _far.Save(note: note), "count(*) FROM $store.entry WHERE step = 4", 4);
        Assert.True(note.IsCommitted);
        Assert.Equal("saved 4 after 1", Text(await _near.ReadAsync(history, null, default)));
        await _near.Append(history);
        note = NoteTo(history);
        await Lose(() => _far.Save(note: note), "count(*) FROM $store.entry WHERE step = 5", 5);
        Assert.False(note.IsCommitted);
        Assert.Equal([3, 2, 1], await _near.ListStepsAsync(history, default));
    }

    [PostgresFact(IsOwn = true)]
    public async Task Whichever_answer_of_several_is_lost_an_entry_is_appended_once()
    {
        await Warm();
        for (var answers = 0; answers < 12; answers++)
        {
            // Another one appends too, so that the last entry must be read first.
            if (answers % 3 > 0)
                await _near.Append(Key);
            var last = (await _near.ListStepsAsync(Key, default))[0];
            Assert.Equal(last + 1, await CutAfter(answers % 6, () => _far.Append(Key)));
            Assert.Equal(last + 1, (await _near.ListStepsAsync(Key, default))[0]);
        }
    }

    [PostgresFact(IsOwn = true)]
    public async Task Whichever_answer_is_lost_a_large_state_is_saved_in_full_or_not_at_all()
    {
        await Warm();
        var (saved, failed) = (0, 0);
        var payload = new byte[6 << 20];
        new Random(1).NextBytes(payload);
        for (var answers = 0; answers < 9; answers++)
        {
            var last = (await _near.ListStepsAsync(Key, default))[0];
            var name = NewName();
            try
            {
                Assert.Equal(last + 1, await CutAfter(answers, () => _far.Save(payload: payload, payloadName: name)));
                Assert.Equal(payload, await _near.Payload(Key, last + 1, name));
                saved++;
            }
            catch (StoreFaultException e) when (e.Fault == StoreFault.Unavailable)
            {
                Assert.Equal(last, (await _near.ListStepsAsync(Key, default))[0]);
                failed++;
            }
        }
        Assert.True(saved > 0 && failed > 0, $"{saved} were saved, {failed} failed");
        Assert.Equal($"{6 * saved}", Sql("SELECT count(*) FROM $store.chunk"));
    }

    [PostgresFact(IsOwn = true)]
    public async Task A_large_state_whose_connection_breaks_is_sent_again()
    {
        await Warm();
        foreach (var key in new[] { null, CheckpointKey.FromText("a passphrase", "test") })
        {
            var stage = new StageId("default", null, key is null ? "plain" : "encrypted");
            for (var answers = 0; answers < 9; answers++)
            {
                var state = TestState.Large(answers, 6 << 20);
                var draft = new CheckpointDraft { Stage = stage, State = state, SavedAt = DateTimeOffset.UtcNow };
                await CutAfter(answers, async () => await new CheckpointEngine(new DriverStore(_far), key: key).SaveAsync(draft, new RetentionPolicy(), default));
                var restored = await new CheckpointEngine(new DriverStore(_near), key: key).RestoreAsync(stage, null, TestState.Read, null, default);
                Assert.Equal(answers + 1, restored.Checkpoint.Step);
                TestState.AssertEqual(state, restored.State);
            }
        }
        // And nothing is left of those that were cut off.
        Assert.Equal("0", Sql("SELECT count(*) FROM $store.chunk WHERE payload NOT IN (SELECT payload FROM $store.entry WHERE payload IS NOT NULL)"));
    }

    [PostgresFact(IsOwn = true)]
    public async Task It_is_not_done_again_where_another_process_replaced_or_removed_it_meanwhile()
    {
        await Warm();
        await Lose(() => _far.Save("mine"), "count(*) FROM $store.entry WHERE step = 4", 4, () => _near.RemoveAsync(Key, [new StoreStep(4, null)], null, default).AsTask());
        Assert.Equal([3, 2, 1], await _near.ListStepsAsync(Key, default));
        await Lose(() => _far.Save("mine", step: 5, overwrite: true), "count(*) FROM $store.entry WHERE step = 5", 5, () => _near.Save("theirs", step: 5, overwrite: true));
        Assert.Equal("theirs", Text(await _near.ReadAsync(Key, 5, default)));
    }

    [PostgresFact(IsOwn = true)]
    public async Task A_request_that_arrives_after_its_client_has_given_up_does_nothing()
    {
        await Warm();
        foreach (var save in new[] { () => _far.Save("late"), () => _far.Save("late", step: 4, overwrite: true) })
        {
            _network!.HoldRequests();
            var saving = Task.Run(save);
            await Task.Delay(200);
            _network.Cut(clientsOnly: true);
            _network.Restore();
            Assert.Equal(4, await saving);
            Assert.Equal(1, await _near.RemoveAsync(Key, [new StoreStep(4, null)], null, default));
            _network.ReleaseRequests();
            await Task.Delay(200);
            Assert.Equal([3, 2, 1], await _near.ListStepsAsync(Key, default));
        }
    }

    [PostgresFact(IsOwn = true)]
    public async Task Removals_and_replacements_tell_what_they_did()
    {
        await Warm();
        await Lose(async () => await _far.RemoveAsync(Key, [new StoreStep(1, null), new StoreStep(2, null)], null, default), "2 - count(*) FROM $store.entry WHERE step < 3", 2);
        var entry = (await _near.ReadAsync(Key, 3, default))!;
        await Lose(async () => await _far.ReplaceRecordAsync(entry, Bytes("new"), "other", default) ? 1 : 0, "count(*) FROM $store.entry WHERE record = 'new'", 1);
        var token = 0L;
        await Lose(
            async () =>
            {
                var (isGranted, lease) = await _far.TryLeaseAsync(Key, "me", TimeSpan.FromMinutes(1), default);
                token = lease.Token;
                return isGranted ? 1 : 0;
            },
            "count(*) FROM $store.lease",
            1);
        Assert.Equal(1, token);
        Assert.Equal("me", (await _near.FindLeaseAsync(Key, default))!.Holder);
        await Lose(async () => await _far.RenewLeaseAsync(new StoreFence(Key, 1), TimeSpan.FromHours(2), default) ? 1 : 0, "count(*) FROM $store.lease WHERE expires_at > now() + interval '1 hour'", 1);
    }

    [PostgresFact(IsOwn = true)]
    public async Task While_the_network_is_cut_again_and_again_every_save_is_there_once()
    {
        await Warm();
        var random = new Random(Seed);
        using var end = new CancellationTokenSource();
        var cutting = Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                await Task.Delay(random.Next(5, 120));
                if (random.Next(2) == 0)
                    _network!.SwallowAnswers();
                await Task.Delay(random.Next(0, 15));
                _network!.Cut();
                await Task.Delay(random.Next(0, 60));
                _network.Restore();
            }
        });
        var saved = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
        {
            var mine = new List<(long Step, string Text)>();
            for (var n = 0; n < 60; n++)
                mine.Add(((await _far.Save($"{i}-{n}", payload: n % 7 == 0 ? new byte[20_000] : null))!.Value, $"{i}-{n}"));
            return mine;
        })));
        await end.CancelAsync();
        await cutting;
        var there = (await _near.ReadAboveAsync(Key, 3, default).All()).Select(e => (e.Step, Text(e)));
        Assert.Equal(saved.SelectMany(s => s).Order(), there.Order());
        Assert.Equal(243, (await _near.ListStepsAsync(Key, default))[0]);
    }

    private static int Seed { get; } = Random.Shared.Next();

    // Two saves, by which both know the store, and the server the statements.
    private async Task Warm()
    {
        for (var i = 0; i < 3; i++)
            await _far.Save();
        await _near.ReadAsync(Key, null, default);
    }

    /// <summary>Has the answer lost: it is cut off when the server has committed.</summary>
    private async Task Lose(Func<Task<long?>> call, string committed, long expected, Func<Task>? meanwhile = null)
    {
        _network!.SwallowAnswers();
        var calling = Task.Run(call);
        for (var end = Environment.TickCount64 + 10_000; Sql($"SELECT ({committed.Replace(" FROM", ") FROM", StringComparison.Ordinal)}") is not ("1" or "2");)
            Assert.True(Environment.TickCount64 < end && !calling.IsCompleted, "it was never committed");
        if (meanwhile is not null)
            await meanwhile();
        var connections = _network.Connections;
        _network.Cut();
        _network.Restore();
        Assert.Equal(expected, await calling);
        Assert.True(_network.Connections > connections, "nothing was lost");
    }

    /// <summary>Lets so many answers through, and cuts the network off soon after.</summary>
    private async Task<T> CutAfter<T>(int answers, Func<Task<T>> call)
    {
        _network!.SwallowAnswers(answers);
        var calling = Task.Run(call);
        await Task.WhenAny(calling, Task.Delay(300));
        _network.Cut();
        _network.Restore();
        return await calling;
    }

    private Task Lose(Func<Task<int>> call, string committed, long expected) => Lose(async () => (long?)await call(), committed, expected);
}
