using System.Management.Automation;

namespace Checkpoint;

/// <summary>
/// Runs a script block for a stage: in the scope of whoever wrote it, with <c>$_</c> and the first argument set, its output gathered, its other streams going
/// where those of the cmdlet go.
/// </summary>
/// <param name="command">The cmdlet that runs it.</param>
/// <param name="errors">
/// What a non-terminating error in the block does. Stop, where the user did not say otherwise: a stage whose work was not done must not count as done.
/// </param>
internal sealed class BlockInvoker(PSCmdlet command, ActionPreference errors)
{
    // The output goes through a pipeline of its own, so that what came before a failure is there.
    private static readonly ScriptBlock Gather = ScriptBlock.Create("param($__block, $__argument, $__sink) & $__block $__argument | & { process { $__sink.Add($_) } }");

    // Streams that another pipeline would keep to itself come with the output, and are told apart by the sink.
    private static readonly ScriptBlock GatherAll = ScriptBlock.Create("param($__block, $__argument, $__sink) & $__block $__argument *>&1 | & { process { $__sink.Add($_) } }");

    /// <summary>Runs a block and gives its output.</summary>
    /// <param name="block">The block.</param>
    /// <param name="argument">What <c>$_</c> and the first argument are.</param>
    /// <param name="output">Takes the output as it comes; also that of a block that fails.</param>
    /// <param name="timeout">Whether the token may be cancelled while the cmdlet itself is not stopped.</param>
    /// <param name="cancellation">Stops the block.</param>
    /// <exception cref="FlowInterruptedException">The block left a loop around the cmdlet, or the pipeline was stopped.</exception>
    /// <exception cref="RuntimeException">The block's own error.</exception>
    public void Invoke(ScriptBlock block, object? argument, List<object?> output, bool timeout, CancellationToken cancellation) => PipelineThread.Outside(() =>
    {
        List<PSVariable> variables = [new("_", argument), new("ErrorActionPreference", errors)];
        try
        {
            if (timeout)
                InvokeStoppable(block, argument, output, variables, cancellation);
            else
                Gather.InvokeWithContext(null, variables, block, argument, new OutputSink(output, null));
        }
        catch (Exception e) when (e is PipelineStoppedException or FlowControlException)
        {
            throw new FlowInterruptedException(e);
        }
        return true;
    });

    // A pipeline of its own can be stopped without stopping the cmdlet.
    private void InvokeStoppable(ScriptBlock block, object? argument, List<object?> output, List<PSVariable> variables, CancellationToken cancellation)
    {
        using var shell = PowerShell.Create(RunspaceMode.CurrentRunspace);
        shell.AddScript("param($__gather, $__variables, $__arguments) $null = $__gather.InvokeWithContext($null, $__variables, $__arguments)", useLocalScope: true)
            .AddArgument(GatherAll).AddArgument(variables).AddArgument(new object?[] { block, argument, new OutputSink(output, command) });
        using var stopping = cancellation.Register(() => shell.BeginStop(null, null));
        try
        {
            shell.Invoke();
        }
        catch (RuntimeException e) when (e is CmdletInvocationException or MethodInvocationException && e.InnerException is RuntimeException inner)
        {
            throw inner;
        }
        cancellation.ThrowIfCancellationRequested();
    }
}
