using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>A cmdlet whose pipeline and run may be wildcards.</summary>
public abstract class WildcardCommand : BoundContextCommand
{
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
}
