using System.Management.Automation;

namespace Checkpoint;

/// <summary>Writes what came as an object to the stream to which it belongs.</summary>
internal static class StreamRecords
{
    /// <returns>False where it belongs to none of them, and so is output.</returns>
    public static bool TryWrite(Cmdlet command, object? record)
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
