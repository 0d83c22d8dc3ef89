using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Get, "CheckpointRun")]
[OutputType(typeof(CheckpointRun))]
public sealed class GetCheckpointRunCommand : WildcardCommand
{
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(RunCompleter))]
    public override string? Run { get; set; }

    protected override void OnProcess()
    {
        var started = Stopwatch.GetTimestamp();
        var pipeline = Find(Context.Pipeline.Value, "pipeline", nameof(Pipeline), literal => Read(literal, NamePattern.Any).Any());
        var run = Context.Run.Value is { } id ? Find(id, "run", nameof(Run), literal => Read(pipeline, literal).Any()) : NamePattern.Any;
        var isOne = pipeline.Literal is not null && run.Literal is not null;
        // What is looked for now is most often what was done last.
        var readings = Read(pipeline, run).Reverse().ToList();
        foreach (var (found, fault) in readings)
        {
            if (found is not null)
                WriteObject(found);
            else if (isOne || fault!.Kind != CheckpointErrorKind.CheckpointDamaged)
                WriteError(fault!.ToErrorRecord());
            else
                WriteWarning(fault.Message);
        }
        if (IsVerbose)
            WriteVerbose($"{readings.Count} runs read in '{Engine.Store.Location}'. {Took(started)}");
        // A run that only the context names may not have been started yet.
        if (readings.Count == 0 && isOne && IsGiven(nameof(Run)))
            WriteError(CheckpointErrors.RunUnknown(pipeline.Literal!, run.Literal!, Engine.Store.Location).ToErrorRecord());
    }

    private IEnumerable<RunReading> Read(NamePattern pipeline, NamePattern run) => Wait(new RunRegistry(Engine.Store, Engine.History, TimeProvider.System).FindAsync(pipeline, run, Cancellation));
}
