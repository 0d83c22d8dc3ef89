using System.CommandLine.Parsing;

namespace Checkpoint.Cli;

/// <summary>What the tool says by its exit code, and which error says what.</summary>
internal static class ExitCode
{
    /// <summary>Yes, or done.</summary>
    public const int Done = 0;

    /// <summary>No, or failed.</summary>
    public const int Failed = 1;

    /// <summary>What was given cannot be meant.</summary>
    public const int Usage = 2;

    /// <summary>The store cannot be used, or is damaged.</summary>
    public const int Store = 3;

    /// <summary>A command took too long; that of <c>timeout</c>.</summary>
    public const int TimedOut = 124;

    /// <summary>A command cannot be run, or is not there; those of shells.</summary>
    public const int NotExecutable = 126, NotFound = 127;

    /// <summary>A signal ended it: this and its number, as shells tell it.</summary>
    public const int Signal = 128;

    public static int Of(Exception error) => error switch
    {
        CheckpointException known => Of(known.Kind),
        CommandFailedException command => command.ExitCode,
        TimeoutException => TimedOut,
        InvalidArgumentException or UnreadableFileException or UnkeptValueException => Usage,
        InvalidDataException or IOException or UnauthorizedAccessException => Store,
        _ => Failed,
    };

    public static int Of(IReadOnlyCollection<ParseError> errors) => errors.Count == 0 ? Done : Usage;

    private static int Of(CheckpointErrorKind kind) => kind switch
    {
        CheckpointErrorKind.CheckpointNotFound or CheckpointErrorKind.RunNotFound or CheckpointErrorKind.CheckpointExists or CheckpointErrorKind.FingerprintMismatch or CheckpointErrorKind.IdentityMismatch
            or CheckpointErrorKind.StageFailed or CheckpointErrorKind.LeaseHeld or CheckpointErrorKind.LeaseLost => Failed,
        CheckpointErrorKind.InvalidName or CheckpointErrorKind.InvalidPipeline or CheckpointErrorKind.StateNotSerializable or CheckpointErrorKind.KeyRequired or CheckpointErrorKind.KeyWrong => Usage,
        _ => Store,
    };
}
