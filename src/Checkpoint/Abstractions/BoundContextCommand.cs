using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>A cmdlet that takes store, pipeline and run also from the properties of piped objects, such as the output of Get-Checkpoint.</summary>
public abstract class BoundContextCommand : ContextCommand
{
    private HashSet<string>? _typed;

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public override string? Store { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(PipelineCompleter))]
    public override string? Pipeline { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(RunCompleter))]
    public override string? Run { get; set; }

    /// <summary>Whether the names of this call come from a piped object: then they are exact, whatever characters are in them.</summary>
    private protected bool IsPiped => MyInvocation.ExpectingInput && !IsTyped("Name");

    /// <summary>Whether a parameter stands on the command line.</summary>
    private protected bool IsTyped(string parameter) => MyInvocation.ExpectingInput ? _typed!.Contains(parameter) : IsGiven(parameter);

    protected sealed override void Begin()
    {
        if (MyInvocation.ExpectingInput)
            _typed = [.. MyInvocation.BoundParameters.Keys];
        OnBegin();
    }

    protected sealed override void Process()
    {
        try
        {
            OnProcess();
        }
        finally
        {
            if (MyInvocation.ExpectingInput)
                ForgetObject();
        }
    }

    /// <summary>The names meant by a text. What is there by exactly that text is meant alone, though it may look like a wildcard.</summary>
    /// <remarks>Only what was typed can be a wildcard: not what comes from the context, as the name of a CI workflow, nor from a piped object.</remarks>
    private protected NamePattern Find(string text, string what, string parameter, Func<NamePattern, bool> isThere)
    {
        var isWild = WildcardPattern.ContainsWildcardCharacters(text);
        if (!IsTyped(parameter) || (!isWild && !text.Contains('`', StringComparison.Ordinal)))
            return NamePattern.Of(CheckpointNames.Normalize(text, what));
        if (text == "*")
            return NamePattern.Any;
        if (CheckpointNames.IsName(text) && NamePattern.Of(CheckpointNames.Normalize(text, what)) is var literal && isThere(literal))
            return literal;
        if (!isWild)
            return NamePattern.Of(CheckpointNames.Normalize(WildcardPattern.Unescape(text), what));
        // Names are compared by their keys: what stands between the wildcards is too.
        var pattern = WildcardPattern.Get(CheckpointNames.Key(CheckpointNames.Compose(text)), WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);
        try
        {
            pattern.IsMatch("");
        }
        catch (WildcardPatternException)
        {
            // "[abc" looks like a pattern and is none.
            return NamePattern.Of(CheckpointNames.Normalize(text, what));
        }
        return NamePattern.Where(name => pattern.IsMatch(CheckpointNames.Key(name)));
    }

    // PowerShell takes what an object bound back before the next, and yet goes on calling it bound. A null is a value here: a checkpoint of no run says so.
    private void ForgetObject()
    {
        ForgetContext();
        foreach (var parameter in MyInvocation.BoundParameters.Keys.Where(p => !IsTyped(p)).ToList())
            MyInvocation.BoundParameters.Remove(parameter);
    }

    protected virtual void OnBegin()
    {
    }

    protected abstract void OnProcess();

}
