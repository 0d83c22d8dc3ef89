using System.CommandLine;

namespace Checkpoint.Cli;

/// <summary>How often and when what failed is tried again.</summary>
internal sealed class RetryOptions
{
    private readonly Option<long?> _retry = Inputs.Number("--retry", "How often a command that fails is tried again. Default: 0.", 0, int.MaxValue);
    private readonly Option<TimeSpan?> _delay = Inputs.Duration("--retry-delay", "The pause before the first retry: 90s, 15m. Default: 1s.", allowZero: true, DurationText.TimerDays);
    private readonly Option<double?> _backoff = Inputs.Fraction("--retry-backoff", "By what the pause grows from one retry to the next. Default: 2.", 1, 1000);
    private readonly Option<TimeSpan?> _maxDelay = Inputs.Duration("--retry-max-delay", "The longest pause. Default: 5m.", allowZero: true, DurationText.TimerDays);
    private readonly Option<double?> _jitter = Inputs.Fraction("--retry-jitter", "The share of a pause that chance may leave out. Default: 0.", 0, 1);

    public IEnumerable<Option> All => [_retry, _delay, _backoff, _maxDelay, _jitter];

    public RetryPolicy Of(ParseResult line) => new()
    {
        Retry = (int)(line.GetValue(_retry) ?? 0),
        Delay = line.GetValue(_delay) ?? RetryPolicy.None.Delay,
        Backoff = line.GetValue(_backoff) ?? RetryPolicy.None.Backoff,
        MaxDelay = line.GetValue(_maxDelay) ?? RetryPolicy.None.MaxDelay,
        Jitter = line.GetValue(_jitter) ?? RetryPolicy.None.Jitter,
    };
}
