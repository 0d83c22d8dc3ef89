namespace Checkpoint;

/// <summary>Completes the names of pipelines, with and without runs.</summary>
public sealed class PipelineCompleter : StoreCompleter
{
    private protected override IEnumerable<(string Text, string Tip)> Complete(CompletionScope scope, Func<string, bool> matches) =>
        scope.List(NamePattern.Where(matches), null, NamePattern.Any)
            .Concat(scope.List(NamePattern.Where(matches), NamePattern.Any, NamePattern.Any))
            .Select(s => s.Stage.Pipeline)
            .Concat(scope.Runs(NamePattern.Where(matches), NamePattern.Any).Select(r => r.Pipeline))
            .Concat(scope.Past(NamePattern.Where(matches)).Select(e => e.Pipeline))
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Select(p => (p, $"pipeline {p}"));
}
