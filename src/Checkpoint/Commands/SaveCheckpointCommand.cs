using System.Collections;
using System.Collections.ObjectModel;
using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsData.Save, "Checkpoint", SupportsShouldProcess = true, DefaultParameterSetName = "State")]
[OutputType(typeof(CheckpointInfo))]
public sealed class SaveCheckpointCommand : ContextCommand
{
    private readonly List<object?> _piped = [];
    private TransferProgress? _progress;

    [Parameter(Mandatory = true, Position = 0)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string Name { get; set; } = "";

    [Parameter(Position = 1, ValueFromPipeline = true, ParameterSetName = "State")]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object? State { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "InputObject")]
    public object InputObject { get; set; } = null!;

    [Parameter]
    [ValidateRange(0L, long.MaxValue)]
    [ArgumentCompleter(typeof(StepCompleter))]
    public long Step { get; set; }

    [Parameter]
    [AllowNull]
    public IDictionary? Metadata { get; set; }

    [Parameter]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object? Fingerprint { get; set; }

    [Parameter]
    [SupportsWildcards]
    public string[]? OutputFile { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Keep { get; set; }

    [Parameter]
    [ValidateRange(1L, long.MaxValue)]
    public long KeepEvery { get; set; }

    [Parameter]
    [Duration]
    public TimeSpan KeepFor { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int KeepBest { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? By { get; set; }

    [Parameter]
    public SwitchParameter Lowest { get; set; }

    [Parameter]
    [ValidateRange(1L, long.MaxValue)]
    public long Interval { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    [Parameter]
    public SwitchParameter Overwrite { get; set; }

    [Parameter]
    public SwitchParameter Async { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    [Parameter]
    [AllowNull]
    public object? Key { get; set; }

    protected override void Begin()
    {
        if (MyInvocation.ExpectingInput && (IsGiven(nameof(State)) || IsGiven(nameof(InputObject))))
            throw new InvalidArgumentException("Give the state either through the pipeline or as a parameter, not both. Nothing was saved.");
    }

    protected override void Process()
    {
        if (MyInvocation.ExpectingInput)
            _piped.Add(State);
    }

    protected override void End()
    {
        RequireCompanions();
        var stage = Stage(Name);
        var target = IsGiven(nameof(Step)) ? $"Checkpoint {stage}, step {Step}, in '{Engine.Store.Location}'" : $"Checkpoint {stage} in '{Engine.Store.Location}'";
        if (IsGiven(nameof(Interval)) && Step % Interval != 0 && !Force)
        {
            WriteVerbose($"{target}: not saved, the step is no multiple of {Interval}.");
            return;
        }
        if (!ShouldProcess(target, "Save"))
            return;
        try
        {
            Save(stage, target);
        }
        catch (UnkeptValueException e)
        {
            throw CheckpointErrors.NotSaved(stage, Engine.Store.Location, e);
        }
    }

    private protected override ContextSetting<CheckpointKey> KeySetting => KeyOf(Key);

    private protected override ContextSettings Given() => base.Given() with { Keep = IsGiven(nameof(Keep)) ? new(Keep) : default };

    private void Save(StageId stage, string target)
    {
        var started = Stopwatch.GetTimestamp();
        _progress = new TransferProgress(this, $"Saving checkpoint '{stage.Name}'");
        var draft = new CheckpointDraft
        {
            Stage = stage,
            Step = IsGiven(nameof(Step)) ? Step : null,
            Overwrite = Overwrite,
            Fingerprint = IsGiven(nameof(Fingerprint)) ? ObjectFingerprint.Of(Fingerprint, Cancellation, ReportHashed) : null,
            Metadata = Metadata is null ? CheckpointInfo.NoMetadata : Facts.From(Metadata, "metadata"),
            Identity = InputObject is null ? null : StatefulObject.IdentityOf(InputObject, stage, Engine.Store.Location),
            OutputFiles = DescribeOutputFiles(),
            State = GetState(stage),
            SavedAt = Engine.UtcNow,
            Progress = written => _progress.Report(written, null),
        };
        var retention = new RetentionPolicy
        {
            Keep = Context.Keep.Value,
            KeepEvery = IsGiven(nameof(KeepEvery)) ? KeepEvery : null,
            KeepFor = IsGiven(nameof(KeepFor)) ? KeepFor : null,
            KeepBest = IsGiven(nameof(KeepBest)) ? KeepBest : null,
            By = By,
            Lowest = Lowest,
        };

        if (Async)
        {
            ProcessEnd.Watch(Host, Events);
            Engine.SaveBehind(draft, retention, Cancellation);
            WriteDone($"Checkpoint captured: {stage.Name}");
            WriteVerbose($"{target}: captured in {Stopwatch.GetElapsedTime(started).TotalMilliseconds:0.0} ms; it is being saved behind the work.");
            return;
        }
        var (saved, pruned, pruneError) = Wait(Engine.SaveAsync(draft, retention, Cancellation));
        _progress.Complete();
        WriteDone($"Checkpoint saved: {saved.Name}");
        if (IsVerbose)
            WriteVerbose($"{target}: step {saved.Step} saved as '{saved.Location}' in {Stopwatch.GetElapsedTime(started).TotalMilliseconds:0.0} ms; {pruned} older removed.");
        if (pruneError is not null)
            WriteError(pruneError.ToErrorRecord());
        if (PassThru)
            WriteObject(saved);
    }

    private ObjectState? GetState(StageId stage)
    {
        if (InputObject is not null)
            return new ObjectState(StatefulObject.GetState(InputObject, stage, Engine.Store.Location), isSequence: false);
        if (MyInvocation.ExpectingInput)
            return new ObjectState(_piped.ToArray(), isSequence: true);
        return IsGiven(nameof(State)) ? new ObjectState(State, isSequence: false) : null;
    }

    private ReadOnlyCollection<OutputFile> DescribeOutputFiles()
    {
        var files = new List<OutputFile>();
        foreach (var path in (OutputFile ?? []).SelectMany(this.ResolveFiles))
        {
            if (Directory.Exists(path))
                throw new InvalidArgumentException($"-OutputFile '{path}' is a folder. Name the files in it, or use a wildcard that no folder fits.");
            files.Add(OutputFiles.Describe(path, Cancellation, ReportHashed));
        }
        return files.AsReadOnly();
    }

    private void RequireCompanions()
    {
        if (IsGiven(nameof(Interval)) && !IsGiven(nameof(Step)))
            throw new InvalidArgumentException("-Interval says which steps are saved, so it needs -Step.");
        if (IsGiven(nameof(KeepBest)) != IsGiven(nameof(By)))
            throw new InvalidArgumentException("-KeepBest and -By belong together: -KeepBest 3 -By loss keeps the three best by the number 'loss' in the metadata.");
        if (Async && PassThru)
            throw new InvalidArgumentException("-PassThru gives the checkpoint that was committed, for which -Async does not wait. Leave one of them out; Get-Checkpoint gives the checkpoint after Wait-Checkpoint -Pending.");
        if (Lowest && !IsGiven(nameof(KeepBest)))
            throw new InvalidArgumentException("-Lowest says what is best for -KeepBest, so it needs -KeepBest and -By.");
    }
}
