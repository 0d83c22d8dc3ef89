using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>A cmdlet whose names may be wildcards.</summary>
public abstract class QueryCommand : BoundContextCommand
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

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(PipelineCompleter))]
    public override string? Pipeline { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(RunCompleter))]
    public override string? Run { get; set; }

    /// <summary>The stages meant by a name. One that is there by exactly this name is meant alone, though it may look like a wildcard.</summary>
    private protected StageQuery Query(string? name) => new()
    {
        Pipeline = IsGiven(nameof(Pipeline)) && !IsPiped ? Pattern(Context.Pipeline.Value, "pipeline") : NamePattern.Of(CheckpointNames.Normalize(Context.Pipeline.Value, "pipeline")),
        Run = Context.Run.Value is not { } run ? null : IsGiven(nameof(Run)) && !IsPiped ? Pattern(run, "run") : NamePattern.Of(CheckpointNames.Normalize(run, "run")),
        Name = name is null ? NamePattern.Any : IsPiped || IsThere(name) ? NamePattern.Of(CheckpointNames.Normalize(name, "checkpoint")) : Pattern(name, "checkpoint"),
    };

    private static NamePattern Pattern(string text, string what)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(text))
            return NamePattern.Of(CheckpointNames.Normalize(text.Contains('`', StringComparison.Ordinal) ? WildcardPattern.Unescape(text) : text, what));
        if (text == "*")
            return NamePattern.Any;
        var pattern = WildcardPattern.Get(CheckpointNames.Compose(text), WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);
        try
        {
            pattern.IsMatch("");
        }
        catch (WildcardPatternException)
        {
            // "[abc" looks like a pattern and is none.
            return NamePattern.Of(CheckpointNames.Normalize(text, what));
        }
        return NamePattern.Where(pattern.IsMatch);
    }

    private bool IsThere(string name)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(name) && !name.Contains('`', StringComparison.Ordinal))
            return true;
        if (WildcardPattern.ContainsWildcardCharacters(Context.Pipeline.Value) || (Context.Run.Value is { } run && WildcardPattern.ContainsWildcardCharacters(run)))
            return false;
        try
        {
            return Wait(Engine.Store.FindAsync(Stage(name), Cancellation)) is not null;
        }
        catch (CheckpointException e) when (e.Kind == CheckpointErrorKind.InvalidName)
        {
            return false;
        }
    }
}
