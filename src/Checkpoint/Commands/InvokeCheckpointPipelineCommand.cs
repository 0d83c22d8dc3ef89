using System.Management.Automation;
using System.Runtime.ExceptionServices;

namespace Checkpoint.Commands;

[Cmdlet(VerbsLifecycle.Invoke, "CheckpointPipeline", SupportsShouldProcess = true, DefaultParameterSetName = Named)]
[OutputType(typeof(PipelineResult))]
public sealed class InvokeCheckpointPipelineCommand : ContextCommand
{
    private const string Named = "Named";

    // The pipeline of the context: a block that stands alone is its stages, and not its name.
    private const string Unnamed = "Context";

    private readonly List<CheckpointStage> _stages = [];

    [Parameter(Position = 0, ParameterSetName = Named)]
    [Alias("Name")]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(PipelineCompleter))]
    public override string? Pipeline { get; set; }

    [Parameter(Position = 1, ParameterSetName = Named)]
    [Parameter(Position = 0, ParameterSetName = Unnamed)]
    public ScriptBlock? ScriptBlock { get; set; }

    [Parameter(ValueFromPipeline = true)]
    [ValidateNotNull]
    public CheckpointStage[]? InputObject { get; set; }

    [Parameter]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object? Config { get; set; }

    [Parameter]
    public ConfigChange OnConfigChange { get; set; }

    [Parameter]
    public BusyRun WhenBusy { get; set; }

    [Parameter]
    public SwitchParameter Restart { get; set; }

    [Parameter]
    public SwitchParameter Resume { get; set; }

    [Parameter]
    [ArgumentCompleter(typeof(HistoryNameCompleter))]
    [ValidateNotNullOrEmpty]
    public string? From { get; set; }

    [Parameter]
    public SwitchParameter ContinueOnError { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int MaxAttempts { get; set; }

    [Parameter]
    [ValidateNotNull]
    public object[] Hook { get; set; } = [];

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Keep { get; set; }

    [Parameter]
    [AllowNull]
    public object? Key { get; set; }

    [Parameter]
    public SwitchParameter NoCI { get; set; }

    protected override void Process() => _stages.AddRange(InputObject ?? []);

    protected override void End()
    {
        if (Execute() is not var (result, error))
            return;
        WriteObject(result);
        if (error is not null)
            WriteError(CheckpointErrors.StageFailed(result, error).ToErrorRecord());
    }

    private protected override ContextSetting<CheckpointKey> KeySetting => KeyOf(Key);

    private protected override ContextSettings Given() => base.Given() with { Keep = IsGiven(nameof(Keep)) ? new(Keep) : default };

    private (PipelineResult Result, Exception? Error)? Execute()
    {
        using var job = new JobReport(this, NoCI || IsWhatIf);
        try
        {
            return Execute(job);
        }
        catch (FlowInterruptedException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerException!);
            throw;
        }
        catch (Exception e) when (e is not (FlowControlException or PipelineStoppedException or OperationCanceledException))
        {
            // A job is told of what cannot even begin, too.
            job.Fail($"Pipeline '{Context.Pipeline.Value}' failed", e);
            throw;
        }
    }

    private (PipelineResult Result, Exception? Error)? Execute(JobReport job)
    {
        if (Restart && (Resume || From is not null))
            throw new InvalidArgumentException("-Restart starts anew, so it goes neither with -Resume nor with -From.");
        if (ScriptBlock is not null)
            _stages.AddRange(Written(ScriptBlock));
        var pipeline = CheckpointNames.Normalize(Context.Pipeline.Value, "pipeline");
        var observer = new JobObserver(new PipelineObserver(this, new PipelineHooks(Hook, this), pipeline), job, run => PipelineThread.Run(() => new ReportBuilder(Engine, TimeProvider.System).TellAsync(run, Cancellation)));
        var invoker = new StageInvoker(this, Engine, Config, Cancellation);
        var request = new PipelineRequest
        {
            Pipeline = pipeline,
            Run = Context.Run.Value is { } run ? CheckpointNames.Normalize(run, "run") : null,
            Stages = [.. _stages.Select(invoker.Define)],
            Config = IsGiven(nameof(Config)) ? ObjectFingerprint.Of(Config, Cancellation, root: "$config") : null,
            OnConfigChange = OnConfigChange,
            WhenBusy = WhenBusy,
            Restart = Restart,
            Resume = Resume,
            From = From,
            ContinueOnError = ContinueOnError,
            MaxAttempts = IsGiven(nameof(MaxAttempts)) ? MaxAttempts : null,
            Retention = new RetentionPolicy { Keep = Context.Keep.Value },
            CauseOf = BlockErrors.CauseOf,
        };
        var runner = new PipelineRunner(Engine, observer);
        if (IsWhatIf)
        {
            Tell(PipelineThread.Run(() => runner.PlanAsync(request, Cancellation)));
            return null;
        }
        return ShouldProcess($"Pipeline '{pipeline}' in '{Engine.Store.Location}'", "Run") ? PipelineThread.Run(() => runner.RunAsync(request, Cancellation)) : null;
    }

    private bool IsWhatIf => LanguagePrimitives.IsTrue(MyInvocation.BoundParameters.TryGetValue("WhatIf", out var given) ? given : GetVariableValue("WhatIfPreference"));

    // The block writes stages with the word "stage", which means nothing outside it. A stage that cannot be made must not be left out unseen.
    private static IEnumerable<CheckpointStage> Written(ScriptBlock block)
    {
        var functions = new Dictionary<string, ScriptBlock> { ["stage"] = ScriptBlock.Create("Checkpoint\\New-CheckpointStage @args") };
        var items = new System.Collections.ObjectModel.Collection<PSObject>();
        try
        {
            items = block.InvokeWithContext(functions, [new PSVariable("ErrorActionPreference", ActionPreference.Stop)]);
        }
        catch (RuntimeException e)
        {
            BlockErrors.ThrowOwn(e);
        }
        foreach (var item in items)
        {
            if (item?.BaseObject is not CheckpointStage stage)
                throw new InvalidArgumentException($"The block of a pipeline may only give stages, and gave '{item}'. Write what is to be done inside of: stage <name> {{ … }}.");
            yield return stage;
        }
    }

    private void Tell((CheckpointRun Run, IReadOnlyList<(StageDefinition Stage, CheckpointDecision? Decision, string Reason)> Stages) plan)
    {
        foreach (var (stage, decision, reason) in plan.Stages)
        {
            var what = decision is null ? "Leave out" : decision.Decision == StageDecision.Skip ? "Skip" : "Run";
            ShouldProcess($"Stage '{stage.Name}' of pipeline '{plan.Run.Pipeline}': {decision?.Reason ?? reason}", what);
        }
    }
}
