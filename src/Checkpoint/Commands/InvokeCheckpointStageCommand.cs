using System.Management.Automation;
using System.Runtime.ExceptionServices;

namespace Checkpoint.Commands;

[Cmdlet(VerbsLifecycle.Invoke, "CheckpointStage", SupportsShouldProcess = true)]
[OutputType(typeof(object))]
public sealed class InvokeCheckpointStageCommand : RetryingCommand
{
    [Parameter(Mandatory = true, Position = 0)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string Name { get; set; } = "";

    [Parameter(Mandatory = true, Position = 1)]
    public ScriptBlock ScriptBlock { get; set; } = null!;

    [Parameter]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object? Fingerprint { get; set; }

    [Parameter]
    [Duration(MaxDays = DurationAttribute.TimerDays)]
    public TimeSpan Timeout { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Keep { get; set; }

    [Parameter]
    public SwitchParameter AcceptChange { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public BusyRun WhenBusy { get; set; }

    [Parameter]
    public CircuitBreaker? CircuitBreaker { get; set; }

    [Parameter]
    [AllowNull]
    public object? Key { get; set; }

    [Parameter]
    public SwitchParameter NoCI { get; set; }

    // A job is told of what cannot even begin, too.
    private (StageId Stage, CheckpointFingerprint Fingerprint) Meant(JobReport job)
    {
        try
        {
            return (Stage(Name), FingerprintHash.Combine(StageFingerprint.PartsOf(ScriptBlock, IsGiven(nameof(Fingerprint)), Fingerprint, Cancellation)));
        }
        catch (Exception e) when (e is CheckpointException or InvalidArgumentException or UnreadableFileException or UnkeptValueException)
        {
            job.FailAlone(Name, e);
            throw;
        }
    }

    protected override void End()
    {
        using var job = new JobReport(this, NoCI);
        var (stage, fingerprint) = Meant(job);
        if (!ShouldProcess($"Stage {stage} in '{Engine.Store.Location}'", "Run unless it is complete"))
            return;
        var output = new List<object?>();
        var invoker = new BlockInvoker(this, BlockErrors.Preference(MyInvocation.BoundParameters), SessionContext.Within(this, Engine, stage));
        var work = new StageWork
        {
            Stage = stage,
            Fingerprint = fingerprint,
            Run = (attempt, cancellation) =>
            {
                output.Clear();
                var context = new StageContext(stage, attempt, null, new StageOutputs(stage.Name, new Dictionary<string, CheckpointInfo>(), _ => null), ShowProgress);
                invoker.Invoke(ScriptBlock, context, output, IsGiven(nameof(Timeout)), cancellation);
                return new ObjectState(output.ToArray(), isSequence: true);
            },
            Decode = reader => StateDecoder.Decode(reader, Cancellation),
            Force = Force,
            AcceptChange = AcceptChange,
            Guard = CircuitBreaker,
            Retry = RetryPolicy,
            Timeout = IsGiven(nameof(Timeout)) ? Timeout : null,
            Retention = new RetentionPolicy { Keep = Context.Keep.Value },
            CauseOf = BlockErrors.CauseOf,
            OnStart = decision =>
            {
                job.Begin($"Stage '{stage.Name}'");
                if (decision.Cause != DecisionCause.NotFound)
                    WriteDone($"Stage runs again: {stage.Name}: {decision.Reason}");
                return default;
            },
            OnRetry = (error, attempt, pause) => WriteWarning(StageMessages.Retry($"Stage '{stage.Name}'", BlockErrors.CauseOf(error), attempt, RetryPolicy.Retry, pause)),
            OnCircuitChange = change => WriteDone(change.ToString()),
        };
        Emit(stage, Do(work, output, job), output);
    }

    private protected override ContextSetting<CheckpointKey> KeySetting => KeyOf(Key);

    private protected override ContextSettings Given() => base.Given() with { Keep = IsGiven(nameof(Keep)) ? new(Keep) : default };

    private StageOutcome Do(StageWork work, List<object?> output, JobReport job)
    {
        try
        {
            var outcome = PipelineThread.Run(() => new StageLease(Engine, TimeProvider.System).RunAsync(work, WhenBusy, WriteWarning, Cancellation));
            job.EndAlone(work.Stage.Name, outcome);
            return outcome;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            job.FailAlone(work.Stage.Name, e);
            // What the block gave is not lost where it could not be saved, or the block left a loop around the cmdlet.
            WriteObject(output, enumerateCollection: true);
            ExceptionDispatchInfo.Throw(e is FlowInterruptedException { InnerException: { } wanted } ? wanted : e);
            throw;
        }
    }

    private void Emit(StageId stage, StageOutcome outcome, List<object?> output)
    {
        WarnOf(outcome.Decision.Damage, outcome.Status == StageStatus.Skipped ? outcome.Checkpoint : null);
        WarnOf(outcome.Doubt);
        if (outcome.Status == StageStatus.Skipped)
        {
            WriteDone($"Stage skipped: {stage.Name}: {outcome.Decision.Reason}");
            if (outcome.Checkpoint!.State is { } state)
                WriteObject(outcome.Restored, enumerateCollection: state.IsSequence);
            return;
        }
        WriteObject(output, enumerateCollection: true);
        if (outcome.Status == StageStatus.Failed)
        {
            BlockErrors.ThrowOwn(outcome.Error!);
            ThrowTerminatingError(BlockErrors.RecordOf(outcome.Error!, stage.Name));
        }
        if (outcome.PruneError is not null)
            WriteError(outcome.PruneError.ToErrorRecord());
        WriteDone($"Stage completed: {stage.Name}");
        WriteVerbose($"Stage {stage}: completed at attempt {outcome.Attempts} in {outcome.Duration.TotalMilliseconds:0} ms, saved as '{outcome.Checkpoint!.Location}'.");
    }

    private void ShowProgress(int percent, string? text) => WriteProgress(StageMessages.Progress(Name, percent, text));
}
