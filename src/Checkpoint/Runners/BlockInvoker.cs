using System.Management.Automation;

namespace Checkpoint;

/// <summary>
/// Runs a script block for a stage: in a scope below that of whoever wrote it, with <c>$_</c> and the first argument set, its output gathered, its other streams going
/// where those of the cmdlet go.
/// </summary>
/// <param name="command">The cmdlet that runs it.</param>
/// <param name="errors">
/// What a non-terminating error in the block does. Stop, where the user did not say otherwise: a stage whose work was not done must not count as done.
/// </param>
/// <param name="context">What calls of this module in the block mean, or null for what they mean anyway.</param>
internal sealed class BlockInvoker(PSCmdlet command, ActionPreference errors, ContextSettings? context = null)
{
    // The output goes through a pipeline of its own, so that what came before a failure is there.
    private static readonly ScriptBlock Gather = ScriptBlock.Create("param($__block, $__argument, $__output) & $__block $__argument | & { process { $__output.Add($_) } }");

    // What a pipeline of its own would keep to itself is handed on.
    private const string Stoppable = "param($__run, $__relay) try { & { $__run.Invoke() } *>&1 | & { process { $__relay.Add($_) } } } catch { throw }";

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
        void Run() => RunBlock(block, argument, output);
        using var within = context is null ? null : SessionContext.Enter(context);
        try
        {
            if (timeout)
                TryBlock.Invoke(Run, kept => RunStoppable(kept, cancellation));
            else
                TryBlock.Invoke(Run);
        }
        catch (Exception e) when (e is PipelineStoppedException or FlowControlException)
        {
            throw new FlowInterruptedException(e);
        }
        return true;
    });

    private void RunBlock(ScriptBlock block, object? argument, List<object?> output)
    {
        List<PSVariable> variables = [new("_", argument), new("ErrorActionPreference", errors)];
        // Variables reach a block from the module that it is of, and from no other. One of no module may be run by a cmdlet in a module: then it must be called itself, and
        // what it gave is lost when it fails.
        if (block.Module is { } module)
            module.NewBoundScriptBlock(Gather).InvokeWithContext(null, variables, block, argument, output);
        else if (command.SessionState.Module is null)
            Gather.InvokeWithContext(null, variables, block, argument, output);
        else
            output.AddRange(block.InvokeWithContext(null, variables, argument));
    }

    // A pipeline of its own can be stopped without stopping the cmdlet.
    private void RunStoppable(Action run, CancellationToken cancellation)
    {
        var relay = new StreamRelay(command);
        using (var shell = PowerShell.Create(RunspaceMode.CurrentRunspace))
        {
            shell.AddScript(Stoppable, useLocalScope: true).AddArgument(run).AddArgument(relay);
            using var stopping = cancellation.Register(() => shell.BeginStop(null, null));
            try
            {
                shell.Invoke();
            }
            catch (PipelineStoppedException)
            {
                // The token says so too.
            }
        }
        relay.Complete();
        cancellation.ThrowIfCancellationRequested();
    }
}
