namespace Checkpoint;

/// <summary>Completes the names of stages.</summary>
public sealed class NameCompleter : StoreCompleter
{
    private protected override IEnumerable<(string Text, string Tip)> Complete(CompletionScope scope, Func<string, bool> matches) =>
        scope.List(scope.Pipeline, scope.Run, NamePattern.Where(matches)).Select(s => (s.Stage.Name, $"{s.Stage.Name}, step {s.Steps[0]}"));
}
