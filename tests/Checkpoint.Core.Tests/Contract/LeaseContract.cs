namespace Checkpoint.Tests;

/// <summary>Leases: one holder at a time, tokens that grow, and saves that are refused when the lease is gone.</summary>
public abstract class LeaseContract : StoreContract
{
    private static readonly LeaseName Name = new(Stage);

    // Real time: the clock that counts is the store's.
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(400), Long = TimeSpan.FromMinutes(10), Patience = TimeSpan.FromSeconds(60);

    [DriverFact]
    public async Task One_holds_it_at_a_time_and_says_who()
    {
        using (var lease = (await Take(Store, Long)).Lease!)
        {
            Assert.Equal((Name, Long), (lease.Name, lease.Duration));
            Assert.InRange(lease.ExpiresAt!.Value - DateTimeOffset.UtcNow, TimeSpan.FromMinutes(9), Long);
            Assert.Null(await lease.WhyLostAsync(default));
            var (other, holder) = await Take(Open(), Long);
            Assert.Null(other);
            Assert.Equal(("build7", "ops", 7), (holder!.Host, holder.User, holder.ProcessId));
            Assert.Equal(holder, await Open().FindLeaseAsync(Name, default));
        }
        Assert.Null(await Open().FindLeaseAsync(Name, default));
        using var next = (await Take(Open(), Long)).Lease;
        Assert.NotNull(next);
    }

    [DriverFact]
    public async Task Each_has_a_higher_token_than_all_before_also_when_the_stage_was_cleared()
    {
        var tokens = new List<long>();
        for (var i = 0; i < 3; i++)
        {
            await Save();
            using (var lease = (await Take(i % 2 == 0 ? Store : Open(), i == 1 ? null : Long)).Lease!)
                tokens.Add(lease.Token);
            await Store.RemoveAsync(Stage, null, default);
        }
        Assert.Equal(tokens.Distinct().Order(), tokens);
    }

    [DriverFact]
    public async Task It_is_renewed_for_as_long_as_it_is_held()
    {
        // Long enough for a machine that has much else to do to renew it in.
        var duration = TimeSpan.FromSeconds(4);
        using var lease = (await Take(Store, duration)).Lease!;
        for (var started = DateTime.UtcNow; DateTime.UtcNow - started < 1.5 * duration; await Task.Delay(50))
            Assert.Null((await Take(Open(), duration)).Lease);
        Assert.Null(await lease.WhyLostAsync(default));
        await Store.SaveAsync(Draft(fence: lease.Fence), default);
    }

    [DriverFact]
    public async Task Who_renews_no_more_loses_it_is_told_and_saves_nothing_under_it()
    {
        var time = new ManualTime();
        // Its clock stands still, as that of a process that was stopped does.
        var stopped = (await Take(Open(time), Short)).Lease!;
        await Store.SaveAsync(Draft(fence: stopped.Fence), default);

        using var taken = await Eventually(() => Take(Open(), Long));

        Assert.True(taken.Token > stopped.Token);
        Assert.Equal(CheckpointErrorKind.LeaseLost, await Fails(async () => await Store.SaveAsync(Draft(TestState.Large(1), fence: stopped.Fence), default)));
        Assert.Equal(CheckpointErrorKind.LeaseLost, await Fails(async () => await Store.SaveAsync(Draft(step: 1, overwrite: true, fence: stopped.Fence), default)));
        Assert.Equal(2, (await Store.SaveAsync(Draft(fence: taken.Fence), default)).Step);
        // It goes on.
        time.Advance(Short);
        Assert.NotNull(await stopped.WhyLostAsync(default));
        stopped.Dispose();
        Assert.Null((await Take(Open(), Long)).Lease);
        Assert.Null(await taken.WhyLostAsync(default));
    }

    [DriverFact]
    public async Task Who_does_not_know_that_it_lost_the_lease_of_a_stage_clears_nothing_under_it()
    {
        using var lease = (await Take(Store, Long)).Lease!;
        var lost = lease.Fence with { Token = lease.Token - 1 };
        await Store.SaveAsync(Draft(), default);
        Assert.Equal(CheckpointErrorKind.LeaseLost, await Fails(async () => await Store.RemoveAsync(Stage, null, lost, default)));
        Assert.Equal(CheckpointErrorKind.LeaseLost, await Fails(async () => await Store.RemoveAsync(Stage, [new DoomedStep(1)], lost, default)));
        Assert.Equal([1], await Steps());
        Assert.Equal(1, await Store.RemoveAsync(Stage, null, lease.Fence, default));
        Assert.Empty(await Steps());
    }

    [DriverFact]
    public async Task Hosts_whose_clocks_differ_by_an_hour_keep_each_other_out_and_take_turns()
    {
        var (late, early) = (Open(new ShiftedTime(-TimeSpan.FromHours(1))), Open(new ShiftedTime(TimeSpan.FromHours(1))));
        var tokens = new List<long>();
        foreach (var (first, second) in new[] { (late, early), (early, late), (late, early) })
        {
            using (var lease = (await Take(first, Long)).Lease!)
            {
                tokens.Add(lease.Token);
                Assert.Null((await Take(second, Long)).Lease);
                await first.SaveAsync(Draft(fence: lease.Fence), default);
            }
            using var next = (await Take(second, Long)).Lease!;
            tokens.Add(next.Token);
        }
        Assert.Equal(tokens.Distinct().Order(), tokens);
    }

    [DriverFact]
    public async Task A_token_that_never_was_saves_nothing()
    {
        Assert.Equal(CheckpointErrorKind.LeaseLost, await Fails(async () => await Store.SaveAsync(Draft(fence: new LeaseFence(Name, 1)), default)));
        using (var lease = (await Take(Store, Long)).Lease!)
            Assert.Equal(CheckpointErrorKind.LeaseLost, await Fails(async () => await Store.SaveAsync(Draft(fence: lease.Fence with { Token = lease.Token + 1 }), default)));
        Assert.Empty(await Steps());
    }

    [DriverFact]
    public async Task Of_many_that_take_it_at_once_one_has_it()
    {
        for (var round = 0; round < 10; round++)
        {
            var attempts = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(async () => await Take(Open(), i % 2 == 0 ? Long : null))));
            var granted = attempts.Where(a => a.Lease is not null).Select(a => a.Lease!).ToList();
            Assert.True(granted.Count == 1, $"round {round}: tokens {string.Join(", ", granted.Select(l => $"{l.Token} of {l.Duration} until {l.ExpiresAt:O}"))}");
            granted[0].Dispose();
        }
    }

    private protected abstract CheckpointStore Open(TimeProvider time);

    private protected override CheckpointStore Open() => Open(TimeProvider.System);

    private static ValueTask<LeaseAttempt> Take(CheckpointStore store, TimeSpan? duration) => store.TryLeaseAsync(Name, new LeaseHolder("build7", "ops", 7, Noon), duration, default);

    private static async Task<Lease> Eventually(Func<ValueTask<LeaseAttempt>> take)
    {
        for (var started = DateTime.UtcNow; DateTime.UtcNow - started < Patience; await Task.Delay(20))
        {
            if ((await take()).Lease is { } lease)
                return lease;
        }
        throw new TimeoutException("nobody gave it back");
    }

    private sealed class ShiftedTime(TimeSpan shift) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + shift;
    }
}
