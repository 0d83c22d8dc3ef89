using System.Globalization;

namespace Checkpoint;

/// <summary>Completes the steps of the stage that the command line names, newest first.</summary>
public sealed class StepCompleter : StoreCompleter
{
    private protected override bool IsText => false;

    private protected override IEnumerable<(string Text, string Tip)> Complete(CompletionScope scope, Func<string, bool> matches) =>
        scope.Name is not { } name ? []
        : scope.List(scope.Pipeline, scope.Run, NamePattern.Of(CheckpointNames.Normalize(name, "checkpoint")))
            .SelectMany(s => s.Steps)
            .Select(s => s.ToString(CultureInfo.InvariantCulture))
            .Where(matches)
            .Select(s => (s, $"step {s}"));
}
