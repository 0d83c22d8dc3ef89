using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>A cmdlet whose work can be tried again when it fails.</summary>
public abstract class RetryingCommand : ContextCommand
{
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int Retry { get; set; }

    [Parameter]
    [Duration(AllowZero = true, MaxDays = DurationAttribute.TimerDays)]
    public TimeSpan RetryDelay { get; set; } = RetryPolicy.None.Delay;

    [Parameter]
    [ValidateRange(1.0, 1000.0)]
    public double RetryBackoff { get; set; } = RetryPolicy.None.Backoff;

    [Parameter]
    [Duration(AllowZero = true, MaxDays = DurationAttribute.TimerDays)]
    public TimeSpan RetryMaxDelay { get; set; } = RetryPolicy.None.MaxDelay;

    [Parameter]
    [ValidateRange(0.0, 1.0)]
    public double RetryJitter { get; set; } = RetryPolicy.None.Jitter;

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] RetryOn { get; set; } = [];

    private protected RetryPolicy RetryPolicy => new()
    {
        Retry = Retry,
        Delay = RetryDelay,
        Backoff = RetryBackoff,
        MaxDelay = RetryMaxDelay,
        Jitter = RetryJitter,
        RetryOn = RetryOn,
    };
}
