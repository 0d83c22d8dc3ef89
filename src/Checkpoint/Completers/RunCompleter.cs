namespace Checkpoint;

/// <summary>Completes the runs of the pipeline that the command line means.</summary>
public sealed class RunCompleter : StoreCompleter
{
    private protected override IEnumerable<(string Text, string Tip)> Complete(CompletionScope scope, Func<string, bool> matches) =>
        scope.List(scope.Pipeline, NamePattern.Where(matches), NamePattern.Any)
            .Select(s => s.Stage.Run!)
            .Concat(scope.Runs(scope.Pipeline, NamePattern.Where(matches)).Select(r => r.Run))
            .Concat(scope.Past(scope.Pipeline).Select(e => e.Run).OfType<string>().Where(matches))
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Select(r => (r, $"run {r}"));
}
