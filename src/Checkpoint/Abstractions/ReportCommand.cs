using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>A cmdlet that tells of runs and the history. Of pipelines and runs it means those that the command line, the session or the environment says, and all where nothing does.</summary>
public abstract class ReportCommand : WildcardCommand
{
    [Parameter]
    [AllowNull]
    public object? Key { get; set; }

    private protected sealed override ContextSetting<CheckpointKey> KeySetting => KeyOf(Key);

    private protected ReportScope Scope()
    {
        var isAny = Context.Pipeline.Source == ContextResolver.Default;
        var pipeline = isAny ? NamePattern.Any : Find(Context.Pipeline.Value, "pipeline", nameof(Pipeline), literal => Wait(Engine.Store.ReadHistoryAsync(literal, Cancellation)).Any());
        if (Context.Run.Source == ContextResolver.Default)
            return new ReportScope { Pipeline = pipeline };
        if (Context.Run.Value is not { } id)
            return new ReportScope { Pipeline = pipeline, Run = null };
        var run = Find(id, "run", nameof(Run), literal => Wait(Engine.Store.ReadHistoryAsync(pipeline, Cancellation)).Any(e => e.Run is not null && literal.IsMatch(e.Run)));
        return new ReportScope { Pipeline = pipeline, Run = run, WithoutRun = false };
    }
}
