namespace Checkpoint;

/// <summary>Which steps of a stage stay. A step stays when any rule keeps it; without a rule all stay. The checkpoint just saved always stays.</summary>
internal sealed record RetentionPolicy
{
    /// <summary>The newest n by step number, or null for no such rule.</summary>
    public int? Keep { get; init; }

    /// <summary>Steps that are a multiple of n.</summary>
    public long? KeepEvery { get; init; }

    /// <summary>Steps that were saved no longer ago than this.</summary>
    public TimeSpan? KeepFor { get; init; }

    /// <summary>The n best by <see cref="By"/>.</summary>
    public int? KeepBest { get; init; }

    /// <summary>The metadata key whose number says which are best.</summary>
    public string? By { get; init; }

    /// <summary>Whether the lowest number is best; else the highest.</summary>
    public bool Lowest { get; init; }

    public bool HasRules => Keep is not null || KeepEvery is not null || KeepFor is not null || KeepBest is not null;

    /// <summary>The checkpoints that no rule keeps.</summary>
    /// <param name="steps">All steps, newest first.</param>
    /// <param name="saved">The step just saved, or null.</param>
    /// <param name="now">The time of now, UTC.</param>
    /// <param name="read">Reads a checkpoint; null where it is damaged. A damaged one takes no place among those that are kept, and is left for repair.</param>
    public async ValueTask<List<CheckpointInfo>> SelectAsync(IReadOnlyList<long> steps, long? saved, DateTimeOffset now, Func<long, ValueTask<CheckpointInfo?>> read)
    {
        var doomed = new List<CheckpointInfo>();
        // What stays without a look need not be read.
        if (!HasRules || Keep >= steps.Count)
            return doomed;
        var newest = 0;
        var ranked = new List<(long Step, double Value)>();
        foreach (var step in steps)
        {
            var keptByNumber = step == saved || (KeepEvery is { } every && step % every == 0);
            var countsAsNewest = Keep is { } keep && newest < keep;
            if (keptByNumber && !countsAsNewest && KeepBest is null)
                continue;
            if (await read(step) is not { } info)
                continue;
            newest += countsAsNewest ? 1 : 0;
            if (KeepBest is not null && Number(info.Metadata.GetValueOrDefault(By!)) is { } value)
                ranked.Add((step, value));
            // How good it is, only its key could tell.
            if (KeepBest is not null && info.IsLocked)
                continue;
            if (!keptByNumber && !countsAsNewest && !(KeepFor is { } age && now - info.SavedAt <= age))
                doomed.Add(info);
        }
        if (KeepBest is { } best)
        {
            var order = Lowest ? ranked.OrderBy(r => r.Value) : ranked.OrderByDescending(r => r.Value);
            var kept = order.ThenByDescending(r => r.Step).Take(best).Select(r => r.Step).ToHashSet();
            doomed.RemoveAll(info => kept.Contains(info.Step));
        }
        return doomed;
    }

    private static double? Number(object? value)
    {
        if (value is null or string or bool or char or DateTime or not IConvertible and not (Half or System.Numerics.BigInteger or Int128 or UInt128 or nint or nuint or TimeSpan))
            return null;
        var number = value switch
        {
            Half half => (double)half,
            System.Numerics.BigInteger big => (double)big,
            Int128 big => (double)big,
            UInt128 big => (double)big,
            nint native => native,
            nuint native => native,
            TimeSpan time => time.Ticks,
            _ => Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture),
        };
        return double.IsNaN(number) ? null : number;
    }
}
