namespace Checkpoint.Cli;

/// <summary><c>checkpoint get</c>: lists what is saved.</summary>
internal static class GetCommand
{
    public static ToolCommand Create()
    {
        var stages = Inputs.Stages("The stages, which may be wildcards. Default: all.");
        var steps = Inputs.Steps("These steps, and not the newest intact ones.");
        var allSteps = Inputs.Flag("--all-steps", "Every step of each stage.");
        var json = Inputs.Json("the checkpoints");
        var command = new ToolCommand("get", "Lists what is saved: the latest step of each stage, or all.")
        {
            Takes = [stages, steps, allSteps, json],
            Examples =
            [
                ("checkpoint get", "What is there of the current pipeline."),
                ("checkpoint get 'load*' --all-steps", "Every step of some stages."),
                ("checkpoint get rows --json | jq '.[0].metadata'", "One thing, for a program."),
                ("checkpoint get --pipeline '*' --run '*'", "All pipelines, of all runs."),
            ],
            ExitCodes = [("0", "all that was named is there"), ("1", "something that was named is not there"), ("2", "the command line cannot be meant"), ("3", "the store cannot be read, or a record that was named is damaged")],
        };
        command.Work = async call =>
        {
            var numbers = call.Get(steps);
            var found = new List<CheckpointInfo>();
            var code = ExitCode.Done;
            foreach (var name in call.Get(stages) is { Length: > 0 } names ? names : [null!])
                code = Math.Max(code, await FindAsync(call, name, numbers, call.Get(allSteps), found));
            if (call.Get(json))
                JsonViews.Print(found, JsonViews.Write);
            else
                TableViews.Print(found);
            return code;
        };
        return command;
    }

    private static async ValueTask<int> FindAsync(Call call, string? name, long[]? steps, bool allSteps, List<CheckpointInfo> found)
    {
        var query = await call.QueryAsync(name);
        var before = found.Count;
        var damage = new List<CheckpointException>();
        var code = ExitCode.Done;
        await foreach (var reading in call.Engine.FindAsync(query, steps, allSteps, call.Cancellation))
        {
            if (reading.Info is { } info)
                found.Add(info);
            else if (steps is null && reading.Fault!.Kind == CheckpointErrorKind.CheckpointDamaged)
                damage.Add(reading.Fault);
            else
                code = Math.Max(code, Tell(reading.Fault!));
        }
        // Beside what is whole, damage is worth a warning. Where nothing else is left of a stage that was named, it is the answer.
        foreach (var fault in damage)
        {
            if (found.Count > before || query.Stage is null)
                Terminal.Warn(fault.Message);
            else
                code = Math.Max(code, Tell(fault));
        }
        if (query.Stage is not { } stage || (found.Count + damage.Count > before && steps is null))
            return code;
        var there = (await call.Engine.Store.FindAsync(stage, call.Cancellation))?.Steps ?? [];
        foreach (var step in steps is null ? [null] : steps.Where(s => !there.Contains(s)).Select(s => (long?)s))
            code = Math.Max(code, Tell(CheckpointErrors.NotFound(stage, step, call.Engine.Store.Location, there)));
        return code;
    }

    private static int Tell(CheckpointException fault)
    {
        Messages.Tell(fault);
        return ExitCode.Of(fault);
    }
}
