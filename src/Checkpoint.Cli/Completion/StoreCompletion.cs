using System.CommandLine.Completions;

namespace Checkpoint.Cli;

/// <summary>What is in the store, for who presses Tab. A store that cannot be read completes nothing.</summary>
internal static class StoreCompletion
{
    public static IEnumerable<CompletionItem> Names(CompletionContext context) => Find(context, static (engine, resolver) => engine.Store.ListAsync(
        new StageQuery { Pipeline = NamePattern.Of(CheckpointNames.Normalize(resolver.Pipeline.Value, "pipeline")), Run = resolver.Run.Value is { } run ? NamePattern.Of(CheckpointNames.Normalize(run, "run")) : null }, default), static stage => stage.Stage.Name);

    public static IEnumerable<CompletionItem> Pipelines(CompletionContext context) => All(context, static stage => stage.Pipeline);

    public static IEnumerable<CompletionItem> Runs(CompletionContext context) => All(context, static stage => stage.Run);

    private static IEnumerable<CompletionItem> All(CompletionContext context, Func<StageId, string?> name) =>
        new[] { null, NamePattern.Any }.SelectMany(run => Find(context, (engine, _) => engine.Store.ListAsync(new StageQuery { Pipeline = NamePattern.Any, Run = run }, default), stage => name(stage.Stage))).DistinctBy(item => item.Label);

    private static List<CompletionItem> Find(CompletionContext context, Func<CheckpointEngine, ContextResolver, IAsyncEnumerable<StageListing>> list, Func<StageListing, string?> name)
    {
        try
        {
            var resolver = ContextOptions.Resolve(context.ParseResult);
            var engine = new CheckpointEngine(ContextStores.Open(resolver, static _ => { }, static () => { }));
            return [.. list(engine, resolver).ToBlockingEnumerable().Select(name).OfType<string>().Distinct(StringComparer.OrdinalIgnoreCase).Select(text => new CompletionItem(text))];
        }
        catch (Exception e) when (e is CheckpointException or InvalidArgumentException or IOException)
        {
            return [];
        }
    }
}
