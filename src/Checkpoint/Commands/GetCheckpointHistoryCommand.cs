using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Get, "CheckpointHistory")]
[OutputType(typeof(CheckpointEvent))]
public sealed class GetCheckpointHistoryCommand : WildcardCommand
{
    private Func<string, bool> _isWanted = static _ => true;

    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(HistoryNameCompleter))]
    public string[]? Name { get; set; }

    [Parameter]
    [Moment]
    public DateTimeOffset Since { get; set; }

    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EventCompleter))]
    public string[]? Event { get; set; }

    protected override void OnBegin()
    {
        if (Event is null)
            return;
        var unknown = Event.FirstOrDefault(e => !WildcardPattern.ContainsWildcardCharacters(e) && !CheckpointEvents.All.Contains(e, StringComparer.OrdinalIgnoreCase));
        if (unknown is not null)
            throw new InvalidArgumentException($"There is no event '{unknown}'. The events are {string.Join(", ", CheckpointEvents.All)}; wildcards find those of a newer version too.");
        var patterns = Event.Select(e => WildcardPattern.Get(e, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant)).ToList();
        _isWanted = kind => patterns.Exists(p => p.IsMatch(kind));
        try
        {
            _isWanted("");
        }
        catch (WildcardPatternException e)
        {
            throw new InvalidArgumentException($"-Event takes names of events and wildcards, and '{string.Join("', '", Event)}' is neither: {e.Message}");
        }
    }

    protected override void OnProcess()
    {
        var started = Stopwatch.GetTimestamp();
        var progress = new CountProgress(this, "Reading the history");
        var pipeline = Find(Context.Pipeline.Value, "pipeline", nameof(Pipeline), literal => Read(literal).Any());
        var isRun = Runs(pipeline);
        var names = Name?.Select(name => Find(name, "checkpoint", nameof(Name), literal => Read(pipeline).Any(e => e.Name is not null && literal.IsMatch(e.Name)))).ToList();
        foreach (var entry in Read(pipeline))
        {
            progress.Report();
            if (entry.Time >= Since && isRun(entry.Run) && _isWanted(entry.Event) && (names is null || (entry.Name is { } name && names.Exists(n => n.IsMatch(name)))))
                WriteObject(entry);
        }
        progress.Complete();
        if (IsVerbose)
            WriteVerbose($"{progress.Count} events read in '{Engine.Store.Location}'. {Took(started)}");
    }

    // Where nothing says which run, the history is that of the whole pipeline.
    private Func<string?, bool> Runs(NamePattern pipeline)
    {
        if (Context.Run.Source == ContextResolver.Default)
            return static _ => true;
        if (Context.Run.Value is not { } id)
            return static run => run is null;
        var pattern = Find(id, "run", nameof(Run), literal => Read(pipeline).Any(e => e.Run is not null && literal.IsMatch(e.Run)));
        return run => run is not null && pattern.IsMatch(run);
    }

    private IEnumerable<CheckpointEvent> Read(NamePattern pipeline) => Wait(Engine.Store.ReadHistoryAsync(pipeline, Cancellation));
}
