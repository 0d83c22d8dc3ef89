using System.Management.Automation;
using System.Runtime.ExceptionServices;

namespace Checkpoint;

/// <summary>Makes of a stage, as a script wrote it, what Core can do.</summary>
internal sealed class StageInvoker(PSCmdlet command, CheckpointEngine engine, object? config, CancellationToken cancellation)
{
    public StageDefinition Define(CheckpointStage stage) => new()
    {
        Name = stage.Name,
        DependsOn = stage.DependsOn,
        IsDisabled = stage.Disabled,
        Parts = stage.Parts,
        Retry = stage.RetryPolicy,
        Timeout = stage.Timeout,
        Guard = stage.CircuitBreaker,
        Run = (attempt, token) => Run(stage, attempt, token),
    };

    private ObjectState Run(CheckpointStage stage, StageAttempt attempt, CancellationToken token)
    {
        var output = new List<object?>();
        var inputs = new StageOutputs(stage.Name, attempt.Inputs, Read);
        var context = new StageContext(
            attempt.Stage,
            attempt.Attempt,
            config,
            inputs,
            (percent, text) => command.WriteProgress(StageMessages.Progress(stage.Name, percent, text)));
        try
        {
            new BlockInvoker(command, stage.Errors, SessionContext.Within(command, engine, attempt.Stage)).Invoke(stage.ScriptBlock, context, output, stage.Timeout is not null, token);
        }
        catch (Exception e) when (inputs.Fault is not null && e is not FlowInterruptedException)
        {
            // What the block failed with behind that is its consequence.
        }
        if (inputs.Fault is { } fault)
            ExceptionDispatchInfo.Throw(fault);
        return new ObjectState(output.ToArray(), isSequence: true);
    }

    // Called from within a block, on the pipeline's thread.
    private object? Read(CheckpointInfo input) => PipelineThread.Run(async () =>
    {
        var restored = await engine.RestoreAsync(input.StageId, input.Step, reader => StateDecoder.Decode(reader, cancellation), null, cancellation);
        return StageOutputs.Assigned(restored.State, input.State is { IsSequence: true });
    });
}
