namespace Checkpoint.Tests;

/// <summary>Errors as the operating system gives them, and what they must become.</summary>
public enum Fault
{
    DiskFull,
    Quota,
    InputOutput,
    AccessDenied,
    ReadOnly,
}

internal static class Faults
{
    public static Exception Make(this Fault fault) => fault switch
    {
        Fault.DiskFull => new IOException("No space left on device (injected)", OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28),
        Fault.Quota => new IOException("Disk quota exceeded (injected)", OperatingSystem.IsWindows() ? unchecked((int)0x8007050F) : OperatingSystem.IsMacOS() ? 69 : 122),
        Fault.InputOutput => new IOException("Input/output error (injected)", OperatingSystem.IsWindows() ? unchecked((int)0x8007045D) : 5),
        Fault.AccessDenied => new UnauthorizedAccessException("Permission denied (injected)"),
        _ => new IOException("Read-only file system (injected)", OperatingSystem.IsWindows() ? unchecked((int)0x80070013) : 30),
    };

    public static CheckpointErrorKind Kind(this Fault fault) => fault switch
    {
        Fault.DiskFull or Fault.Quota => CheckpointErrorKind.StoreFull,
        Fault.InputOutput => CheckpointErrorKind.StoreUnavailable,
        Fault.AccessDenied => CheckpointErrorKind.StoreAccessDenied,
        _ => CheckpointErrorKind.StoreReadOnly,
    };
}
