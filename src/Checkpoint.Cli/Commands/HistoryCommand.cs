using System.CommandLine;

namespace Checkpoint.Cli;

/// <summary><c>checkpoint history</c>: what happened.</summary>
internal static class HistoryCommand
{
    public static ToolCommand Create()
    {
        var stages = Inputs.Stages("The stages, which may be wildcards. Default: all.");
        var since = Inputs.Moment("--since", "Only what happened since then: 2h, 7d, 2026-03-01.");
        var kinds = Inputs.Many("--event", "event", "Only these events, which may be wildcards: Saved, StageFailed, 'Run*'. May stand several times.");
        kinds.CompletionSources.Add(CheckpointEvents.All);
        var json = Inputs.Json("the events");
        var command = new ToolCommand("history", "Tells what happened in a pipeline. Clearing checkpoints does not clear it.")
        {
            Takes = [stages, since, kinds, json],
            Examples =
            [
                ("checkpoint history --since 24h", "What happened since yesterday."),
                ("checkpoint history load --event StageFailed --json | jq -r '.[].reason'", "Why a stage failed, each time."),
            ],
            ExitCodes = [("0", "it is printed, be it nothing"), ("2", "the command line cannot be meant"), ("3", "the store cannot be read")],
        };
        command.Work = async call =>
        {
            var wanted = call.Get(kinds);
            if (wanted?.FirstOrDefault(kind => !Wildcard.IsPattern(kind) && !CheckpointEvents.All.Contains(kind, StringComparer.OrdinalIgnoreCase)) is { } unknown)
                throw new InvalidArgumentException($"There is no event '{unknown}'. The events are {string.Join(", ", CheckpointEvents.All)}; wildcards find those of a newer version too.");
            var pipeline = await Call.FindAsync(call.Context.Pipeline.Value, "pipeline", call.IsGiven(ContextOptions.Pipeline), literal => call.HasHistoryAsync(literal, static _ => true));
            var isRun = await RunsAsync(call, pipeline);
            var names = new List<NamePattern>();
            foreach (var name in call.Get(stages))
                names.Add(await Call.FindAsync(name, "checkpoint", true, literal => call.HasHistoryAsync(pipeline, e => e.Name is not null && literal.IsMatch(e.Name))));
            var found = new List<CheckpointEvent>();
            await foreach (var entry in call.Engine.Store.ReadHistoryAsync(pipeline, call.Cancellation))
            {
                if (entry.Time >= (call.Get(since) ?? default) && isRun(entry.Run) && (wanted is null || wanted.Any(kind => Wildcard.Matches(kind, entry.Event)))
                    && (names.Count == 0 || (entry.Name is { } name && names.Exists(n => n.IsMatch(name)))))
                    found.Add(entry);
            }
            if (call.Get(json))
                JsonViews.Print(found, JsonViews.Write);
            else
                TableViews.Print(found);
            return ExitCode.Done;
        };
        return command;
    }

    // Where nothing says which run, the history is that of the whole pipeline.
    private static async ValueTask<Func<string?, bool>> RunsAsync(Call call, NamePattern pipeline)
    {
        if (call.Context.Run.Source == ContextResolver.Default)
            return static _ => true;
        if (call.Context.Run.Value is not { } id)
            return static run => run is null;
        var pattern = await Call.FindAsync(id, "run", call.IsGiven(ContextOptions.Run), literal => call.HasHistoryAsync(pipeline, e => e.Run is not null && literal.IsMatch(e.Run)));
        return run => run is not null && pattern.IsMatch(run);
    }
}
