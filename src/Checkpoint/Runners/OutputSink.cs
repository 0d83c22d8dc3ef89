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
        if (command is null || value is not PSObject { BaseObject: var record } && (record = value) is null)
        {
            output.Add(value);
            return;
        }
        switch (record)
        {
            case ErrorRecord error:
                command.WriteError(error);
                break;
            case WarningRecord warning:
                command.WriteWarning(warning.Message);
                break;
            case VerboseRecord verbose:
                command.WriteVerbose(verbose.Message);
                break;
            case DebugRecord debug:
                command.WriteDebug(debug.Message);
                break;
            case InformationRecord information:
                command.WriteInformation(information);
                break;
            default:
                output.Add(value);
                break;
        }
    }
}
