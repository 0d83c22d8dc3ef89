namespace Checkpoint.Cli;

/// <summary><c>checkpoint verify</c>: verifies every byte of a store.</summary>
internal static class VerifyCommand
{
    public static ToolCommand Create()
    {
        var stages = Inputs.Stages("The stages, which may be wildcards. Default: the whole store, of all pipelines and runs.");
        var json = Inputs.Json("the findings");
        var command = new ToolCommand("verify", "Verifies every byte of a store, beside readers and writers. With a key, also that what is encrypted is what was saved.")
        {
            Takes = [stages, json],
            Examples =
            [
                ("checkpoint verify", "Is the store whole?"),
                ("checkpoint verify --json | jq -r '.[].location'", "Where is what is damaged?"),
            ],
            ExitCodes = [("0", "nothing that was saved is damaged; there may be information and warnings"), ("1", "something is damaged: a finding is an error"), ("2", "the command line cannot be meant"), ("3", "the store cannot be read")],
        };
        command.Work = async call =>
        {
            var store = call.Engine.Store;
            if (!store.IsThere)
                Terminal.Warn($"There is no store at '{store.Location}', so nothing was verified.");
            var found = new List<StoreFinding>();
            await foreach (var finding in store.VerifyAsync(await ScopeAsync(call, call.Get(stages)), null, call.Cancellation))
                found.Add(finding);
            if (call.Get(json))
                JsonViews.Print(found, JsonViews.Write);
            else
                TableViews.Print(found);
            Terminal.Note($"'{store.Location}' is verified: {found.Count} findings.");
            return found.Exists(f => f.Severity == FindingSeverity.Error) ? ExitCode.Failed : ExitCode.Done;
        };
        return command;
    }

    // The context tells the store and the key alone: who verifies means all that is in it.
    private static async ValueTask<StoreScope> ScopeAsync(Call call, string[] stages)
    {
        var pipeline = call.IsGiven(ContextOptions.Pipeline) ? await Call.FindAsync(call.Context.Pipeline.Value, "pipeline", true, literal => IsThereAsync(call, literal, NamePattern.Any, NamePattern.Any)) : NamePattern.Any;
        var run = !call.IsGiven(ContextOptions.Run) ? NamePattern.Any
            : call.Context.Run.Value is { } id ? await Call.FindAsync(id, "run", true, literal => IsThereAsync(call, pipeline, literal, NamePattern.Any))
            : null;
        var names = new List<NamePattern>();
        foreach (var stage in stages)
            names.Add(await Call.FindAsync(stage, "checkpoint", true, literal => IsThereAsync(call, pipeline, run, literal)));
        return new StoreScope { Pipeline = pipeline, Run = run, Name = names.Count == 0 ? NamePattern.Any : names.Count == 1 ? names[0] : NamePattern.Where(name => names.Exists(n => n.IsMatch(name))), Key = call.Context.Key.Value };
    }

    // Any run means here also what belongs to none, which a query tells apart.
    private static async ValueTask<bool> IsThereAsync(Call call, NamePattern pipeline, NamePattern? run, NamePattern name) =>
        await call.IsThereAsync(pipeline, run, name) || (run is { IsAny: true } && await call.IsThereAsync(pipeline, null, name));
}
