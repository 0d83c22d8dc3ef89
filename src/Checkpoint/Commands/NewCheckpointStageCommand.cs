using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.New, "CheckpointStage")]
[OutputType(typeof(CheckpointStage))]
public sealed class NewCheckpointStageCommand : RetryingCommand
{
    [Parameter(Mandatory = true, Position = 0)]
    [AllowEmptyString]
    public string Name { get; set; } = "";

    [Parameter(Mandatory = true, Position = 1)]
    public ScriptBlock ScriptBlock { get; set; } = null!;

    [Parameter]
    [AllowNull]
    [AllowEmptyCollection]
    public string[]? DependsOn { get; set; }

    [Parameter]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object? Fingerprint { get; set; }

    [Parameter]
    [Duration(MaxDays = DurationAttribute.TimerDays)]
    public TimeSpan Timeout { get; set; }

    [Parameter]
    public CircuitBreaker? CircuitBreaker { get; set; }

    [Parameter]
    public SwitchParameter Disabled { get; set; }

    protected override void End() => WriteObject(new CheckpointStage
    {
        // Names are judged with the whole pipeline, where every fault is named at once.
        Name = Name,
        ScriptBlock = ScriptBlock,
        DependsOn = DependsOn ?? [],
        Disabled = Disabled,
        Timeout = IsGiven(nameof(Timeout)) ? Timeout : null,
        CircuitBreaker = CircuitBreaker,
        RetryPolicy = RetryPolicy,
        Parts = StageFingerprint.PartsOf(ScriptBlock, IsGiven(nameof(Fingerprint)), Fingerprint, Cancellation),
        Errors = BlockErrors.Preference(MyInvocation.BoundParameters),
    });
}
