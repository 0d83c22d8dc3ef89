namespace Checkpoint.Cli;

/// <summary><c>checkpoint clear</c>: removes checkpoints.</summary>
internal static class ClearCommand
{
    public static ToolCommand Create()
    {
        var stages = Inputs.Stages("The stages, which may be wildcards. Default: all of the current pipeline and run.");
        var steps = Inputs.Steps("Only these steps.");
        var olderThan = Inputs.Duration("--older-than", "Only what was saved longer ago than this: 36h, 7d.");
        var keep = Inputs.Number("--keep", "Not the n newest intact steps of each stage.", 1, int.MaxValue);
        var json = Inputs.Json("what was removed, or would be,");
        var whatIf = Inputs.Flag("--what-if", "Say what would be removed, and remove nothing.");
        var command = new ToolCommand("clear", "Removes checkpoints of the current pipeline and run, and nothing else. What is not there is no error.")
        {
            Takes = [stages, steps, olderThan, keep, whatIf, json],
            Examples =
            [
                ("checkpoint clear ingest", "Have a stage done again."),
                ("checkpoint clear --what-if", "See what a clear of all would remove."),
                ("checkpoint clear --what-if --json | jq -r '.[].name'", "The same, for a program."),
                ("checkpoint clear 'load*' --older-than 7d --keep 3", "Remove what is old, but not the three newest steps."),
            ],
            ExitCodes = [("0", "what was meant is not there any more"), ("1", "another process is at work on it"), ("2", "the command line cannot be meant"), ("3", "the store cannot be changed")],
        };
        command.Work = async call =>
        {
            var named = call.Get(steps)?.Select(step => new DoomedStep(step)).ToList();
            var isUnconditional = named is null && !call.IsGiven(olderThan) && !call.IsGiven(keep);
            var cleared = new List<Cleared>();
            var code = ExitCode.Done;
            foreach (var name in call.Get(stages) is { Length: > 0 } names ? names : [null!])
            {
                var query = await call.QueryAsync(name, withLeftovers: isUnconditional);
                // Listed in full first: clearing changes the folders that a listing walks through.
                foreach (var stage in await ListAsync(call, query))
                {
                    try
                    {
                        var doomed = isUnconditional ? null : await call.Engine.SelectForClearingAsync(stage, named, call.Get(olderThan), (int?)call.Get(keep), call.Cancellation);
                        if (doomed is not { Count: 0 })
                            cleared.Add(await ClearAsync(call, stage, doomed, call.Get(whatIf)));
                    }
                    catch (CheckpointException e)
                    {
                        // The others are cleared all the same.
                        Messages.Tell(e);
                        code = Math.Max(code, ExitCode.Of(e));
                    }
                }
            }
            if (call.Get(json))
                JsonViews.Print(cleared, (writer, c) => JsonViews.Write(writer, call.Engine.Store.Location, c.Stage, c.Steps, c.Removed));
            else if (call.Get(whatIf))
                cleared.ForEach(c => Terminal.Out.WriteLine(Terminal.Shown($"Would be removed: {c.What}")));
            return code;
        };
        return command;
    }

    private static async ValueTask<Cleared> ClearAsync(Call call, StageListing stage, IReadOnlyList<DoomedStep>? steps, bool isTrial)
    {
        if (stage.Steps.Count == 0 && stage.Newest.Fault is { } unreadable)
            throw unreadable;
        var what = $"{stage.Stage}, {(stage.Steps.Count == 0 ? "what a cut-off save or items left" : steps is null ? "all steps" : "step " + string.Join(", ", steps.Select(s => s.Step)))}";
        var cleared = new Cleared(stage.Stage, steps is null ? stage.Steps : [.. steps.Select(s => s.Step)], what, 0);
        if (isTrial)
            return cleared;
        var removed = await (stage.Steps.Count == 0 ? call.Engine.ClearLeftoversAsync(stage.Stage, call.Cancellation) : call.Engine.ClearAsync(stage.Stage, steps, null, call.Cancellation));
        if (removed == 0 && stage.Newest.Fault is { } left)
            Terminal.Warn(left.Message);
        Terminal.Note($"Removed: {what}");
        return cleared with { Removed = removed };
    }

    private static async ValueTask<List<StageListing>> ListAsync(Call call, StageQuery query)
    {
        var stages = new List<StageListing>();
        await foreach (var stage in call.Engine.Store.ListAsync(query, call.Cancellation))
            stages.Add(stage);
        return stages;
    }

    /// <summary>What was removed of a stage, or would be.</summary>
    /// <param name="Stage">The stage.</param>
    /// <param name="Steps">Its steps that were meant.</param>
    /// <param name="What">The same in words.</param>
    /// <param name="Removed">How many were removed.</param>
    private sealed record Cleared(StageId Stage, IReadOnlyList<long> Steps, string What, int Removed);
}
