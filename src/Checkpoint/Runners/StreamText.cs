using System.Management.Automation;

namespace Checkpoint;

/// <summary>Says what has names and messages in it, of which none may be a command to the CI system that reads the log.</summary>
internal static class StreamText
{
    public static void Warn(this Cmdlet command, string text) => command.WriteWarning(LogText.Shown(text));

    public static void Tell(this Cmdlet command, string text, string[] tags) => command.WriteInformation(LogText.Shown(text), tags);
}
