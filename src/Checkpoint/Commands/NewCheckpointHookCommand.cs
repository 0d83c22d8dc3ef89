using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.New, "CheckpointHook", DefaultParameterSetName = "Log")]
[OutputType(typeof(CheckpointLog), ParameterSetName = ["Log"])]
[OutputType(typeof(CheckpointMetrics), ParameterSetName = ["Metrics"])]
public sealed class NewCheckpointHookCommand : ContextCommand
{
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Log")]
    [AllowEmptyString]
    public string Log { get; set; } = "";

    [Parameter(ParameterSetName = "Log")]
    public HookLogFormat Format { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "Metrics")]
    public SwitchParameter Metrics { get; set; }

    protected override void End() => WriteObject(ParameterSetName == "Metrics" ? new CheckpointMetrics() : new CheckpointLog { Path = this.ResolveFile(Log), Format = Format });
}
