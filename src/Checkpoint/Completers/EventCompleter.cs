namespace Checkpoint;

/// <summary>Completes the names of events.</summary>
public sealed class EventCompleter : StoreCompleter
{
    private protected override IEnumerable<(string Text, string Tip)> Complete(CompletionScope scope, Func<string, bool> matches) =>
        CheckpointEvents.All.Where(matches).Select(e => (e, $"event {e}"));
}
