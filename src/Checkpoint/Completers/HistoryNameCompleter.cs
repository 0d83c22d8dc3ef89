namespace Checkpoint;

/// <summary>Completes the names of the stages that a history tells of, cleared ones too.</summary>
public sealed class HistoryNameCompleter : StoreCompleter
{
    private protected override IEnumerable<(string Text, string Tip)> Complete(CompletionScope scope, Func<string, bool> matches) =>
        scope.History(scope.Pipeline)
            .Where(e => e.Name is not null && matches(e.Name))
            .Select(e => e.Name!)
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Order(StringComparer.OrdinalIgnoreCase)
            .Select(n => (n, $"stage {n}"));
}
