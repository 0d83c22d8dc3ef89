using System.Management.Automation;

namespace Checkpoint;

/// <summary>The whole error surface: each kind's id and category.</summary>
internal static class ErrorRecords
{
    public static ErrorRecord ToErrorRecord(this CheckpointException error) => new ErrorRecord(error, error.Kind.ToString(), CategoryOf(error.Kind), error.Target).Shown();

    /// <summary>A mistake in the arguments that no parameter attribute can find.</summary>
    public static ErrorRecord ToErrorRecord(this InvalidArgumentException error) => new ErrorRecord(error, "InvalidArgument", ErrorCategory.InvalidArgument, targetObject: null).Shown();

    /// <summary>A file that was declared as a stage's output, or is to be fingerprinted, cannot be read.</summary>
    public static ErrorRecord UnreadableFile(Exception error, string path) => new ErrorRecord(error, "FileUnreadable", ErrorCategory.ReadError, path).Shown();

    /// <summary>A file that is to be written, such as a report, cannot be.</summary>
    public static ErrorRecord ToErrorRecord(this UnwritableFileException error) => new ErrorRecord(error, "FileUnwritable", ErrorCategory.WriteError, error.Path).Shown();

    /// <summary>What a stage failed with, where that brings no record of its own.</summary>
    public static ErrorRecord StageError(Exception error, string stage) => (error switch
    {
        TimeoutException => new ErrorRecord(error, "StageTimeout", ErrorCategory.OperationTimeout, stage),
        CircuitOpenException => new ErrorRecord(error, "CircuitOpen", ErrorCategory.ResourceUnavailable, stage),
        _ => new ErrorRecord(error, error.GetType().Name, ErrorCategory.NotSpecified, stage),
    }).Shown();

    // The exception keeps its message; what is displayed of it is no command to a CI system.
    private static ErrorRecord Shown(this ErrorRecord record)
    {
        var (message, shown) = (record.Exception.Message, LogText.Shown(record.Exception.Message));
        if (!ReferenceEquals(message, shown))
            record.ErrorDetails = new ErrorDetails(shown);
        return record;
    }

    private static ErrorCategory CategoryOf(CheckpointErrorKind kind) => kind switch
    {
        CheckpointErrorKind.CheckpointNotFound => ErrorCategory.ObjectNotFound,
        CheckpointErrorKind.CheckpointExists => ErrorCategory.ResourceExists,
        CheckpointErrorKind.CheckpointDamaged => ErrorCategory.InvalidData,
        CheckpointErrorKind.FormatTooNew => ErrorCategory.InvalidData,
        CheckpointErrorKind.FingerprintMismatch => ErrorCategory.InvalidData,
        CheckpointErrorKind.IdentityMismatch => ErrorCategory.InvalidData,
        CheckpointErrorKind.StateNotSerializable => ErrorCategory.InvalidType,
        CheckpointErrorKind.KeyRequired => ErrorCategory.AuthenticationError,
        CheckpointErrorKind.KeyWrong => ErrorCategory.AuthenticationError,
        CheckpointErrorKind.StoreUnavailable => ErrorCategory.ResourceUnavailable,
        CheckpointErrorKind.StoreAccessDenied => ErrorCategory.PermissionDenied,
        CheckpointErrorKind.StoreFull => ErrorCategory.WriteError,
        CheckpointErrorKind.StoreReadOnly => ErrorCategory.PermissionDenied,
        CheckpointErrorKind.LeaseHeld => ErrorCategory.ResourceBusy,
        CheckpointErrorKind.LeaseLost => ErrorCategory.ResourceBusy,
        CheckpointErrorKind.InvalidName => ErrorCategory.InvalidArgument,
        CheckpointErrorKind.InvalidPipeline => ErrorCategory.InvalidArgument,
        CheckpointErrorKind.StageFailed => ErrorCategory.OperationStopped,
        CheckpointErrorKind.RunNotFound => ErrorCategory.ObjectNotFound,
        _ => ErrorCategory.NotSpecified,
    };
}
