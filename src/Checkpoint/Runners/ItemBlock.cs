using System.Management.Automation;

namespace Checkpoint;

/// <summary>
/// Runs a block for one item after the other on the pipeline's thread, in a scope below that of whoever wrote it, with <c>$_</c> and the first argument set. Its streams go
/// where those of the cmdlet go; its output is gathered.
/// </summary>
internal sealed class ItemBlock
{
    private readonly ScriptBlock _block;
    private readonly PSVariable[] _variables;
    private readonly ContextSettings _context;

    /// <param name="block">The block.</param>
    /// <param name="taken">What it takes from the caller of the cmdlet.</param>
    /// <param name="errors">What a non-terminating error in it does.</param>
    /// <param name="context">What calls of this module in it mean.</param>
    public ItemBlock(ScriptBlock block, UsingVariables taken, ActionPreference errors, ContextSettings context)
    {
        _context = context;
        _variables = [new PSVariable("ErrorActionPreference", errors), .. taken.Variables];
        // A text of its own loses the file that it is from, so only where it must.
        _block = taken.Variables.Count == 0 ? block : block.Module?.NewBoundScriptBlock(ScriptBlock.Create(taken.Script)) ?? ScriptBlock.Create(taken.Script);
    }

    /// <summary>Runs it for an item.</summary>
    /// <exception cref="FlowInterruptedException">The block left a loop around the cmdlet, or the pipeline was stopped.</exception>
    /// <exception cref="RuntimeException">The block's own error.</exception>
    public object?[] Invoke(object? item)
    {
        using var within = SessionContext.Enter(_context);
        try
        {
            // The block itself and not another around it: variables would not reach it where cmdlet and block belong to different modules.
            System.Collections.ObjectModel.Collection<PSObject> output = [];
            TryBlock.Invoke(() => output = _block.InvokeWithContext(null, [new PSVariable("_", item), .. _variables], item));
            return output.Count == 0 ? [] : [.. output];
        }
        catch (Exception e) when (e is PipelineStoppedException or FlowControlException)
        {
            throw new FlowInterruptedException(e);
        }
    }
}
