using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>A cmdlet that means a store as a whole, or what of it the command line names. The context tells the store and the key alone: who verifies or moves it means all that is in it.</summary>
public abstract class ScopedCommand : WildcardCommand
{
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string[]? Name { get; set; }

    private protected StoreScope Scope()
    {
        var pipeline = IsGiven(nameof(Pipeline)) ? Find(Context.Pipeline.Value, "pipeline", nameof(Pipeline), literal => IsThere(new StageQuery { Pipeline = literal, Run = NamePattern.Any })) : NamePattern.Any;
        var run = !IsGiven(nameof(Run)) ? NamePattern.Any
            : string.IsNullOrEmpty(Run) ? null
            : Find(Run, "run", nameof(Run), literal => IsThere(new StageQuery { Pipeline = pipeline, Run = literal }));
        var names = Name?.Select(name => Find(name, "checkpoint", nameof(Name), literal => IsThere(new StageQuery { Pipeline = pipeline, Run = run, Name = literal }))).ToList();
        var named = names is null ? NamePattern.Any : names.Count == 1 ? names[0] : NamePattern.Where(name => names.Exists(n => n.IsMatch(name)));
        return new StoreScope { Pipeline = pipeline, Run = run, Name = named };
    }

    // Any run means here also what belongs to none, which a query tells apart.
    private bool IsThere(StageQuery query) =>
        Wait(Engine.Store.ListAsync(query, Cancellation)).Any() || (query.Run is { IsAny: true } && IsThere(new StageQuery { Pipeline = query.Pipeline, Name = query.Name }));
}
