using System.Management.Automation;

namespace Checkpoint;

/// <summary>Takes what a block gives, in order, and hands on what belongs to another stream.</summary>
/// <param name="output">Where the output goes.</param>
/// <param name="command">Through which the other streams are written; null where they go by themselves.</param>
public sealed class OutputSink(IList<object?> output, Cmdlet? command)
{
    /// <summary>Takes one object.</summary>
    public void Add(object? value)
    {
        if (command?.TryWriteRecord(value is PSObject wrapped ? wrapped.BaseObject : value) != true)
            output.Add(value);
    }
}
