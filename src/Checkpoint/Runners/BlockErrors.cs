using System.Management.Automation;
using System.Runtime.ExceptionServices;

namespace Checkpoint;

/// <summary>What a script's exceptions are about.</summary>
internal static class BlockErrors
{
    /// <summary>The preference under which blocks run: what a caller said with -ErrorAction, else Stop.</summary>
    public static ActionPreference Preference(IDictionary<string, object> bound) =>
        bound.TryGetValue("ErrorAction", out var given) && given is ActionPreference preference ? preference : ActionPreference.Stop;

    /// <summary>The exception that was thrown, without what PowerShell wraps around it.</summary>
    /// <remarks>In a record that an exception made of itself stands a proxy for it, which has its message, and neither its type nor what it was thrown for.</remarks>
    public static Exception CauseOf(Exception error) =>
        error is RuntimeException { ErrorRecord.Exception: { } inner and not ParentContainsErrorRecordException } && inner != error ? CauseOf(inner) : error;

    /// <summary>
    /// Throws a block's error as it is, as by a throw statement: every other way wraps it, and makes its id, place and category those of the cmdlet. What is no script's error is
    /// left to the caller.
    /// </summary>
    public static void ThrowOwn(Exception error)
    {
        if (error is not RuntimeException own)
            return;
        own.WasThrownFromThrowStatement = true;
        ExceptionDispatchInfo.Throw(own);
    }

    /// <summary>The error record that a block's exception carries; one is made for an exception of ours.</summary>
    public static ErrorRecord RecordOf(Exception error, string stage) => error switch
    {
        RuntimeException { ErrorRecord: { } record } => record,
        CheckpointException own => own.ToErrorRecord(),
        _ => ErrorRecords.StageError(error, stage),
    };
}
