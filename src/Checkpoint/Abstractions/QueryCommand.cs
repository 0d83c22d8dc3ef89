using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>A cmdlet that means stages, whose names may be wildcards.</summary>
public abstract class QueryCommand : WildcardCommand
{
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string[]? Name { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateRange(0L, long.MaxValue)]
    [ArgumentCompleter(typeof(StepCompleter))]
    public long[]? Step { get; set; }

    /// <summary>Whether a piped object has no name: that does not mean every stage, as it does where a person types none.</summary>
    private protected bool IsNameless()
    {
        if (!MyInvocation.ExpectingInput || Name is not null || IsRunPiped)
            return false;
        var error = new InvalidArgumentException("The piped object has no property Name, so no stage is meant. Pipe what Get-Checkpoint gives, or give -Name.");
        WriteError(error.ToErrorRecord());
        return true;
    }

    /// <summary>The stages meant by a name. What is there by exactly the text that was given is meant alone, though it may look like a wildcard.</summary>
    private protected StageQuery Query(string? name, bool withLeftovers = false)
    {
        var pipeline = Find(Context.Pipeline.Value, "pipeline", nameof(Pipeline), literal => IsThere(literal, null, NamePattern.Any) || IsThere(literal, NamePattern.Any, NamePattern.Any));
        var run = Context.Run.Value is { } id ? Find(id, "run", nameof(Run), literal => IsThere(pipeline, literal, NamePattern.Any)) : null;
        return new StageQuery
        {
            Pipeline = pipeline,
            Run = run,
            Name = name is null ? NamePattern.Any : Find(name, "checkpoint", nameof(Name), literal => IsThere(pipeline, run, literal)),
            WithLeftovers = withLeftovers,
        };
    }

    /// <summary>Tells of the saves behind the work that failed, of the stages that are meant.</summary>
    /// <param name="query">The stages.</param>
    /// <param name="waits">Whether those that are still going on are waited for.</param>
    private protected void Settle(StageQuery query, bool waits)
    {
        var store = Engine.Store.Location;
        bool IsMeant(string location, StageId stage) => location == store && query.Includes(stage);
        if (waits)
            PendingSaves.OfProcess.Wait(IsMeant, Cancellation);
        TellFailures(IsMeant);
    }

    // A run, such as Get-CheckpointRun gives, means all of its stages.
    private bool IsRunPiped => !IsTyped(nameof(Run)) && !string.IsNullOrEmpty(Run) && !IsTyped(nameof(Pipeline)) && IsGiven(nameof(Pipeline));

    private bool IsThere(NamePattern pipeline, NamePattern? run, NamePattern name) =>
        Wait(Engine.Store.ListAsync(new StageQuery { Pipeline = pipeline, Run = run, Name = name }, Cancellation)).Any();
}
