using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Copy, "Checkpoint", SupportsShouldProcess = true)]
[OutputType(typeof(CheckpointInfo))]
public sealed class CopyCheckpointCommand : WildcardCommand
{
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string[]? Name { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? From { get; set; }

    [Parameter(Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string To { get; set; } = "";

    [Parameter]
    public SwitchParameter Overwrite { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override ContextSettings Given() => From is null ? base.Given() : base.Given() with { Store = new(ResolvePath(From)) };

    protected override void OnProcess()
    {
        var to = StoreRegistry.Get(ResolvePath(To));
        var from = Engine.Store;
        if (to.Location == from.Location)
            throw new InvalidArgumentException($"-From and -To are the same store, '{to.Location}'.");
        var started = Stopwatch.GetTimestamp();
        var copy = new StoreCopy(StoreRegistry.Get(Context.Store.Value), to);
        var progress = new TransferProgress(this, "Copying checkpoints");
        var (copied, there, done, bytes) = (0, 0, 0L, 0L);
        foreach (var scope in Scopes())
        {
            var outcomes = copy.CheckpointsAsync(scope, info => ShouldProcess($"Checkpoint {info.StageId}, step {info.Step}, in '{from.Location}'", $"Copy to '{to.Location}'"), Overwrite, read => progress.Report(done + (bytes = read), null), Cancellation);
            foreach (var outcome in Wait(outcomes))
            {
                done += bytes;
                bytes = 0;
                if (outcome.Fault is not null)
                    WriteError(outcome.Fault.ToErrorRecord());
                else if (outcome.IsNew)
                    copied++;
                else
                    there++;
                if (PassThru && outcome is { Fault: null, Checkpoint: { } info })
                    WriteObject(info);
            }
        }
        progress.Complete();
        var all = Scopes().First() with { Name = NamePattern.Any };
        // What was named alone has no runs and no history of its own.
        var (runs, events) = (0, 0L);
        if (Name is null && ShouldProcess($"The runs and the history in '{from.Location}'", $"Copy to '{to.Location}'"))
        {
            var (count, faults) = Wait(copy.RunsAsync(all, Cancellation));
            foreach (var fault in faults)
                WriteError(fault.ToErrorRecord());
            (runs, events) = (count, Wait(copy.HistoryAsync(all, Cancellation)));
        }
        WriteDone(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Checkpoints copied: {copied}, {there} were there"));
        WriteVerbose(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{copied} checkpoints, {runs} runs and {events} events copied from '{from.Location}' to '{to.Location}'. {Took(started)}"));
    }

    // Who moves a store means all of it; what is named on the command line narrows that.
    private IEnumerable<StoreScope> Scopes()
    {
        var pipeline = IsGiven(nameof(Pipeline)) ? Find(Context.Pipeline.Value, "pipeline", nameof(Pipeline), static _ => true) : NamePattern.Any;
        var run = !IsGiven(nameof(Run)) ? NamePattern.Any : string.IsNullOrEmpty(Run) ? null : Find(Run, "run", nameof(Run), static _ => true);
        return (Name ?? ["*"]).Select(name => new StoreScope { Pipeline = pipeline, Run = run, Name = name == "*" ? NamePattern.Any : Find(name, "checkpoint", nameof(Name), static _ => false) });
    }
}
