using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>A cmdlet that takes store, pipeline and run also from the properties of piped objects, such as the output of Get-Checkpoint.</summary>
public abstract class BoundContextCommand : ContextCommand
{
    private bool _isNameGiven;

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? Store { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(PipelineCompleter))]
    public virtual string? Pipeline { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(RunCompleter))]
    public virtual string? Run { get; set; }

    /// <summary>Whether the names of this call come from a piped object: then they are exact, whatever characters are in them.</summary>
    private protected bool IsPiped => MyInvocation.ExpectingInput && !_isNameGiven;

    protected sealed override void Begin()
    {
        _isNameGiven = IsGiven("Name");
        OnBegin();
    }

    protected sealed override void Process()
    {
        if (MyInvocation.ExpectingInput)
            ForgetContext();
        OnProcess();
    }

    protected virtual void OnBegin()
    {
    }

    protected abstract void OnProcess();

    private protected override ContextSettings Given() => new()
    {
        Store = StoreSetting(Store),
        Pipeline = Setting(nameof(Pipeline), Pipeline),
        Run = Setting(nameof(Run), Run),
    };
}
