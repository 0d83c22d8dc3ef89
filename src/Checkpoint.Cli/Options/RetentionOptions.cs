using System.CommandLine;

namespace Checkpoint.Cli;

/// <summary>Which steps stay when a stage is saved.</summary>
internal sealed class RetentionOptions
{
    private readonly Option<long?> _every = Inputs.Number("--keep-every", "Keep the steps that are a multiple of this.", 1, long.MaxValue);
    private readonly Option<TimeSpan?> _for = Inputs.Duration("--keep-for", "Keep what was saved no longer ago than this.");
    private readonly Option<long?> _best = Inputs.Number("--keep-best", "Keep the n best by the number in the metadata that --by names.", 1, int.MaxValue);
    private readonly Option<string> _by = Inputs.Text("--by", "fact", "What is best for --keep-best.");
    private readonly Option<bool> _lowest = Inputs.Flag("--lowest", "The lowest number is best.");

    public Option<long?> Keep { get; } = KeepOption();

    public static Option<long?> KeepOption() => Inputs.Number("--keep", "Keep the n newest steps, and remove older ones. Default: CHECKPOINT_KEEP, else all.", 1, int.MaxValue);

    public IEnumerable<Option> All => [Keep, _every, _for, _best, _by, _lowest];

    public RetentionPolicy Of(Call call)
    {
        if (call.IsGiven(_best) != call.IsGiven(_by))
            throw new InvalidArgumentException("--keep-best and --by belong together: --keep-best 3 --by loss keeps the three best by the number 'loss' in the metadata.");
        if (call.Get(_lowest) && !call.IsGiven(_best))
            throw new InvalidArgumentException("--lowest says what is best for --keep-best, so it needs --keep-best and --by.");
        return new RetentionPolicy
        {
            Keep = call.Context.Keep.Value,
            KeepEvery = call.Get(_every),
            KeepFor = call.Get(_for),
            KeepBest = (int?)call.Get(_best),
            By = call.Get(_by),
            Lowest = call.Get(_lowest),
        };
    }
}
