using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.New, "CheckpointCircuitBreaker")]
[OutputType(typeof(CircuitBreaker))]
public sealed class NewCheckpointCircuitBreakerCommand : ContextCommand
{
    [Parameter(Position = 0)]
    [AllowEmptyString]
    public string Name { get; set; } = CircuitBreaker.DefaultName;

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int FailureThreshold { get; set; } = 5;

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int SuccessThreshold { get; set; } = 2;

    [Parameter]
    [Duration]
    public TimeSpan OpenFor { get; set; } = TimeSpan.FromSeconds(60);

    protected override void End() => WriteObject(new CircuitBreaker
    {
        Name = CheckpointNames.Normalize(Name, "circuit breaker"),
        FailureThreshold = FailureThreshold,
        SuccessThreshold = SuccessThreshold,
        OpenFor = OpenFor,
    });
}
