using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsDiagnostic.Test, "Checkpoint")]
[OutputType(typeof(bool), typeof(CheckpointDecision))]
public sealed class TestCheckpointCommand : BoundContextCommand
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string Name { get; set; } = "";

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateRange(0L, long.MaxValue)]
    [ArgumentCompleter(typeof(StepCompleter))]
    public long? Step { get; set; }

    [Parameter]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object? Fingerprint { get; set; }

    [Parameter]
    [Duration]
    public TimeSpan MaxAge { get; set; }

    [Parameter]
    public SwitchParameter Detailed { get; set; }

    [Parameter]
    [AllowNull]
    public object? Key { get; set; }

    private protected override ContextSetting<CheckpointKey> KeySetting => KeyOf(Key);

    protected override void OnProcess()
    {
        var started = Stopwatch.GetTimestamp();
        var stage = Stage(Name);
        var decision = Wait(Engine.DecideAsync(
            stage,
            Step,
            IsGiven(nameof(Fingerprint)) ? ObjectFingerprint.Of(Fingerprint, Cancellation, ReportHashed) : null,
            IsGiven(nameof(MaxAge)) ? MaxAge : null,
            Cancellation));
        WarnOf(decision.Damage, decision.Checkpoint);
        if (decision.Decision == StageDecision.Skip)
            WarnOf(Engine.DoubtOf(decision.Checkpoint));
        if (IsVerbose)
            WriteVerbose($"Checkpoint {stage} in '{Engine.Store.Location}': {decision.Decision}, {decision.Reason}. {Took(started)}");
        if (Detailed)
            WriteObject(decision);
        else
            WriteObject(decision.Decision == StageDecision.Skip);
    }
}
