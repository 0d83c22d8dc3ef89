using System.Collections.ObjectModel;

namespace Checkpoint.Cli;

/// <summary>Runs the command of a stage: what it writes is passed on at once, and kept.</summary>
/// <param name="words">The command and its arguments.</param>
/// <param name="call">The call of the tool.</param>
/// <param name="isAside">Whether all that it writes is passed on to the standard error.</param>
internal sealed class CommandAttempt(IReadOnlyList<string> words, Call call, bool isAside)
{
    /// <summary>What is to be said beside the lines of the last attempt.</summary>
    public ReadOnlyDictionary<string, object?> Facts { get; private set; } = CheckpointInfo.NoMetadata;

    /// <summary>Runs it once.</summary>
    /// <exception cref="CommandFailedException">It failed.</exception>
    public OutputLines Run(CancellationToken cancellation)
    {
        var captured = new Captured();
        new ChildCommand(words, call.Environment, call.Signals)
        {
            HasInput = true,
            OnWritten = (isError, bytes) =>
            {
                Terminal.Pass(isError || isAside, bytes.Span);
                captured.Add(isError, bytes.Span);
            },
        }.Run(cancellation);
        var lines = new OutputLines(captured.Output);
        Facts = Captured.Facts(lines.Ending, captured.Error);
        return lines;
    }
}
