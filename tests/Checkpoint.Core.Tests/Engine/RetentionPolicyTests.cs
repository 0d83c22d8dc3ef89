using System.Collections.ObjectModel;
using System.Numerics;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>A step stays when any rule keeps it; the step just saved always stays.</summary>
public sealed class RetentionPolicyTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Without_a_rule_all_stay_and_nothing_is_read()
    {
        var policy = new RetentionPolicy();
        Assert.False(policy.HasRules);
        Assert.Empty(await policy.SelectAsync([3, 2, 1], 3, Now, _ => throw new InvalidOperationException("read")));
        Assert.True(new RetentionPolicy { Keep = 1 }.HasRules);
        Assert.True(new RetentionPolicy { KeepEvery = 1 }.HasRules);
        Assert.True(new RetentionPolicy { KeepFor = TimeSpan.Zero }.HasRules);
        Assert.True(new RetentionPolicy { KeepBest = 1, By = "x" }.HasRules);
    }

    [Fact]
    public async Task Keep_keeps_the_newest_by_step_number()
    {
        Assert.Equal("5 4", await Kept(new() { Keep = 2 }, [5, 4, 3, 2, 1]));
        Assert.Equal("5", await Kept(new() { Keep = 1 }, [5, 4, 3, 2, 1]));
        Assert.Equal("5 4 3 2 1", await Kept(new() { Keep = 5 }, [5, 4, 3, 2, 1]));
        Assert.Equal("5 4 3 2 1", await Kept(new() { Keep = int.MaxValue }, [5, 4, 3, 2, 1]));
        // By number, not by time.
        Assert.Equal("5 4", await Kept(new() { Keep = 2 }, [5, 4, 3], age: step => TimeSpan.FromDays(step)));
    }

    [Fact]
    public async Task The_step_just_saved_is_kept_even_when_Keep_would_prune_it()
    {
        Assert.Equal("9 8 1", await Kept(new() { Keep = 2 }, [9, 8, 7, 1], saved: 1));
        Assert.Equal("9 8", await Kept(new() { Keep = 2 }, [9, 8, 7, 1], saved: 9));
        Assert.Equal("9 1", await Kept(new() { KeepEvery = 9 }, [9, 8, 7, 1], saved: 1));
        Assert.Equal("7", await Kept(new() { KeepFor = TimeSpan.FromHours(1) }, [9, 8, 7, 1], saved: 7, age: _ => TimeSpan.FromDays(1)));
        Assert.Equal("9 7", await Kept(new() { KeepBest = 1, By = "x" }, [9, 8, 7, 1], saved: 7, metadata: Best));
    }

    [Fact]
    public async Task KeepEvery_keeps_multiples_and_0_is_one()
    {
        Assert.Equal("200 100 0", await Kept(new() { KeepEvery = 100 }, [250, 200, 199, 101, 100, 99, 1, 0]));
        Assert.Equal("3 2 1", await Kept(new() { KeepEvery = 1 }, [3, 2, 1]));
        Assert.Equal("0", await Kept(new() { KeepEvery = long.MaxValue }, [3, 2, 0]));
    }

    [Fact]
    public async Task KeepFor_keeps_what_is_no_older()
    {
        TimeSpan Age(long step) => TimeSpan.FromHours(10 - step);
        Assert.Equal("9 8 7", await Kept(new() { KeepFor = TimeSpan.FromHours(3) }, [9, 8, 7, 6, 5], age: Age));
        Assert.Equal("9 8", await Kept(new() { KeepFor = TimeSpan.FromHours(3) - TimeSpan.FromTicks(1) }, [9, 8, 7, 6, 5], age: Age));
        // What a machine with a fast clock saved is not old.
        Assert.Equal("9", await Kept(new() { KeepFor = TimeSpan.Zero }, [9, 8], age: step => TimeSpan.FromHours(8.5 - step)));
    }

    [Fact]
    public async Task KeepBest_keeps_the_highest_numbers_or_the_lowest()
    {
        Assert.Equal("7 3", await Kept(new() { KeepBest = 2, By = "x" }, [9, 8, 7, 3, 1], metadata: s => s switch { 7 => 0.9, 3 => 0.8, 9 => 0.1, _ => 0.5 }));
        Assert.Equal("9", await Kept(new() { KeepBest = 1, By = "x", Lowest = true }, [9, 8, 7, 3, 1], metadata: s => s switch { 7 => 0.9, 3 => 0.8, 9 => 0.1, _ => 0.5 }));
        Assert.Equal("2 1", await Kept(new() { KeepBest = 2, By = "x" }, [3, 2, 1], metadata: s => s == 3 ? -1d : s));
    }

    [Fact]
    public async Task The_key_of_KeepBest_is_compared_without_case()
    {
        Assert.Equal("1", await Kept(new() { KeepBest = 1, By = "X" }, [3, 2, 1], metadata: s => -s));
        Assert.Equal("", await Kept(new() { KeepBest = 1, By = "other" }, [3, 2, 1], metadata: s => -s));
    }

    [Fact]
    public async Task Of_equals_the_newer_is_better()
    {
        Assert.Equal("5 4", await Kept(new() { KeepBest = 2, By = "x" }, [5, 4, 3, 2, 1], metadata: _ => 1));
        Assert.Equal("5 4", await Kept(new() { KeepBest = 2, By = "x", Lowest = true }, [5, 4, 3, 2, 1], metadata: _ => 1));
    }

    [Fact]
    public async Task What_is_no_number_is_never_best()
    {
        foreach (var value in new object?[] { null, double.NaN, float.NaN, Half.NaN, "5", true, 'c', new DateTime(2026, 1, 1), new object?[] { 9 } })
        {
            foreach (var lowest in new[] { false, true })
                Assert.Equal("1", await Kept(new() { KeepBest = 2, By = "x", Lowest = lowest }, [3, 2, 1], metadata: s => s == 1 ? 0 : value));
        }
    }

    [Fact]
    public async Task Every_kind_of_number_ranks()
    {
        foreach (var (low, high) in new (object, object)[]
        {
            ((byte)1, (byte)2), ((sbyte)-1, (sbyte)1), ((short)1, (short)2), ((ushort)1, (ushort)2), (1, 2), (1u, 2u), (1L, 2L), (1ul, 2ul), ((Half)0.1, (Half)0.2), (0.1f, 0.2f), (0.1, 0.2), (0.1m, 0.2m),
            (BigInteger.Pow(10, 30), BigInteger.Pow(10, 40)), (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)), (double.NegativeInfinity, -1e300), (1e300, double.PositiveInfinity), (1, 1.5), (2L, 2.5m), ((Int128)1, (Int128)2), ((nint)1, (nint)2), (-0.5, 0),
        })
        {
            Assert.Equal("2", await Kept(new() { KeepBest = 1, By = "x" }, [3, 2, 1], metadata: s => s == 2 ? high : low));
            Assert.Equal("2", await Kept(new() { KeepBest = 1, By = "x", Lowest = true }, [3, 2, 1], metadata: s => s == 2 ? low : high));
        }
    }

    [Fact]
    public async Task A_step_stays_when_any_rule_keeps_it()
    {
        var policy = new RetentionPolicy { Keep = 2, KeepEvery = 10, KeepFor = TimeSpan.FromHours(1), KeepBest = 1, By = "x" };
        Assert.Equal("25 24 20 13 10 7", await Kept(policy, [25, 24, 23, 20, 15, 13, 10, 7, 5], age: s => s == 13 ? TimeSpan.Zero : TimeSpan.FromDays(1), metadata: s => s == 7 ? 9 : 1));
        // A multiple may also be the best, and takes its place.
        Assert.Equal("25 24 20 10", await Kept(new() { Keep = 2, KeepEvery = 10, KeepBest = 1, By = "x" }, [25, 24, 23, 20, 15, 10, 7], metadata: s => s == 10 ? 9 : 1));
        // A multiple that is among the newest takes a place there.
        Assert.Equal("20 19 10", await Kept(new() { Keep = 2, KeepEvery = 10 }, [20, 19, 18, 10]));
        Assert.Equal("20 19", await Kept(new() { Keep = 2 }, [20, 19, 18, 10], saved: 19));
    }

    [Fact]
    public async Task Damaged_steps_take_no_place_and_stay()
    {
        long[] damaged = [9, 7, 2];
        Assert.Equal("9 8 7 6 2", await Kept(new() { Keep = 2 }, [9, 8, 7, 6, 5, 4, 2], damaged: damaged));
        Assert.Equal("9 7 5 2", await Kept(new() { KeepEvery = 5 }, [9, 8, 7, 6, 5, 4, 2], damaged: damaged));
        Assert.Equal("9 7 2", await Kept(new() { KeepFor = TimeSpan.Zero }, [9, 8, 7, 6, 5, 4, 2], damaged: damaged, age: _ => TimeSpan.FromDays(1)));
        Assert.Equal("9 8 7 2", await Kept(new() { KeepBest = 1, By = "x" }, [9, 8, 7, 6, 5, 4, 2], damaged: damaged, metadata: s => s));
        Assert.Equal("9 8 7 2", await Kept(new() { Keep = 1 }, [9, 8, 7, 6, 5, 4, 2], damaged: damaged, saved: 8));
    }

    [Fact]
    public async Task Steps_whose_number_alone_keeps_them_are_not_read()
    {
        var read = new List<long>();
        await new RetentionPolicy { Keep = 1, KeepEvery = 10 }.SelectAsync([30, 20, 15, 10], null, Now, step =>
        {
            read.Add(step);
            return new(Info(step, TimeSpan.Zero, null));
        });
        Assert.Equal([30L, 15], read);
    }

    [Fact]
    public async Task What_is_pruned_is_what_no_rule_keeps_on_any_stage()
    {
        var random = Seeds.New(output);
        for (var i = 0; i < 500; i++)
        {
            var steps = Enumerable.Range(0, random.Next(1, 30)).Select(_ => (long)random.Next(60)).Distinct().OrderDescending().ToArray();
            var damaged = steps.Where(_ => random.Next(6) == 0).ToHashSet();
            var values = steps.ToDictionary(s => s, s => random.Next(5) == 0 ? null : (object?)random.Next(10));
            var ages = steps.ToDictionary(s => s, s => TimeSpan.FromHours(random.Next(20)));
            var saved = steps[random.Next(steps.Length)];
            damaged.Remove(saved);
            var policy = new RetentionPolicy
            {
                Keep = random.Next(2) == 0 ? null : random.Next(1, 5),
                KeepEvery = random.Next(2) == 0 ? null : random.Next(1, 12),
                KeepFor = random.Next(2) == 0 ? null : TimeSpan.FromHours(random.Next(10)),
                KeepBest = random.Next(2) == 0 ? null : random.Next(1, 5),
                By = "x",
                Lowest = random.Next(2) == 0,
            };

            // The rules said once more, as plainly as they can be.
            var intact = steps.Where(s => !damaged.Contains(s)).ToList();
            var ranked = intact.Where(s => values[s] is not null).OrderByDescending(s => policy.Lowest ? -(int)values[s]! : (int)values[s]!).ThenByDescending(s => s);
            var kept = new HashSet<long>(damaged) { saved };
            if (!policy.HasRules)
                kept.UnionWith(intact);
            kept.UnionWith(intact.Take(policy.Keep ?? 0));
            kept.UnionWith(intact.Where(s => policy.KeepEvery is { } every && s % every == 0));
            kept.UnionWith(intact.Where(s => policy.KeepFor is { } age && ages[s] <= age));
            kept.UnionWith(ranked.Take(policy.KeepBest ?? 0));
            Assert.Equal(string.Join(' ', steps.Where(kept.Contains)), await Kept(policy, steps, saved, [.. damaged], s => ages[s], s => values[s]));
        }
    }

    private static object? Best(long step) => step;

    private static async Task<string> Kept(RetentionPolicy policy, long[] steps, long? saved = null, long[]? damaged = null, Func<long, TimeSpan>? age = null, Func<long, object?>? metadata = null)
    {
        var doomed = await policy.SelectAsync(steps, saved, Now, step => new(damaged?.Contains(step) == true ? null : Info(step, age?.Invoke(step) ?? TimeSpan.Zero, metadata?.Invoke(step))));
        var pruned = doomed.Select(info => info.Step).ToList();
        Assert.Equal(pruned.Distinct(), pruned);
        Assert.Subset(steps.ToHashSet(), pruned.ToHashSet());
        return string.Join(' ', steps.Except(pruned));
    }

    private static CheckpointInfo Info(long step, TimeSpan age, object? value) => new()
    {
        Store = "s",
        Pipeline = "p",
        Name = "n",
        Step = step,
        SavedAt = Now - age,
        Host = "",
        User = "",
        ProcessId = 1,
        Location = "",
        Metadata = new ReadOnlyDictionary<string, object?>(new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase) { ["x"] = value }),
    };
}
