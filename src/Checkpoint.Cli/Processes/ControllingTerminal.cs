using System.Runtime.InteropServices;

namespace Checkpoint.Cli;

/// <summary>The terminal that the process was started from, wherever its streams lead.</summary>
internal static partial class ControllingTerminal
{
    private const string Device = "/dev/tty";

    /// <summary>Whether what is typed there to end a program reaches us, and so every program that we started (POSIX.1-2017, 11.1.4 and 11.1.9).</summary>
    public static bool IsOurs()
    {
        // There a console tells all of its programs.
        if (OperatingSystem.IsWindows())
            return Terminal.IsInteractive;
        try
        {
            using var terminal = File.OpenHandle(Device, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return GetForegroundGroup((int)terminal.DangerousGetHandle()) == GetGroup();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // There is none.
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "tcgetpgrp")]
    private static partial int GetForegroundGroup(int terminal);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    private static partial int GetGroup();
}
