using System.Management.Automation;

namespace Checkpoint;

/// <summary>Hands on, through a cmdlet, what a script wrote to streams other than the output.</summary>
internal static class RecordStreams
{
    /// <summary>Writes a record to the stream that it is of.</summary>
    /// <returns>False where it is no record, and so an output.</returns>
    public static bool TryWriteRecord(this Cmdlet command, object? record)
    {
        switch (record)
        {
            case ErrorRecord error:
                command.WriteError(error);
                return true;
            case WarningRecord warning:
                command.WriteWarning(warning.Message);
                return true;
            case VerboseRecord verbose:
                command.WriteVerbose(verbose.Message);
                return true;
            case DebugRecord debug:
                command.WriteDebug(debug.Message);
                return true;
            case InformationRecord information:
                command.WriteInformation(information);
                return true;
            case ProgressRecord progress:
                command.WriteProgress(progress);
                return true;
            default:
                return false;
        }
    }
}
