using System.Globalization;
using System.Text;

namespace Checkpoint.Cli;

/// <summary>The standard streams, and the one place that knows of them. All text is UTF-8, whatever the locale.</summary>
internal static class Terminal
{
    private const int DefaultWidth = 80;

    private static readonly StandardStream OutputStream = new(Console.OpenStandardOutput());
    private static readonly StandardStream ErrorStream = new(Console.OpenStandardError());
    private static readonly object Gate = new();

    static Terminal()
    {
        // A console of Windows has a code page of old.
        if (OperatingSystem.IsWindows() && !Console.IsOutputRedirected)
            Console.OutputEncoding = Encoding.UTF8;
    }

    /// <summary>Text to the standard output.</summary>
    public static TextWriter Out { get; } = new StreamWriter(OutputStream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = Environment.NewLine };

    /// <summary>Text to the standard error, at once.</summary>
    public static TextWriter Error { get; } = TextWriter.Synchronized(new StreamWriter(ErrorStream, new UTF8Encoding(false), 1 << 12, leaveOpen: true) { AutoFlush = true });

    /// <summary>The bytes of the standard output. Text must be flushed before.</summary>
    public static Stream Output => OutputStream;

    /// <summary>The bytes of one of the two streams.</summary>
    public static Stream Stream(bool isError) => isError ? ErrorStream : OutputStream;

    /// <summary>Why the standard output did not take all that was written, or null.</summary>
    public static string? OutputFault => OutputStream.Fault;

    /// <summary>Whether <see cref="Note"/> is heard.</summary>
    public static bool IsVerbose { get; set; }

    /// <summary>Whether a person sits at one of the streams.</summary>
    public static bool IsInteractive => !Console.IsInputRedirected || !Console.IsOutputRedirected || !Console.IsErrorRedirected;

    /// <summary>How many columns a table may have; any number where no person looks at it.</summary>
    public static int Width =>
        int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), NumberStyles.None, CultureInfo.InvariantCulture, out var columns) && columns > 0 ? columns
        : Console.IsOutputRedirected ? int.MaxValue
        : Console.WindowWidth is > 0 and var width ? width : DefaultWidth;

    public static Stream OpenInput() => Console.OpenStandardInput();

    /// <summary>Passes on what a program writes, as it comes.</summary>
    public static void Pass(bool isError, ReadOnlySpan<byte> bytes)
    {
        lock (Gate)
            Stream(isError).Write(bytes);
    }

    /// <summary>Says what a person should know, whatever the outcome.</summary>
    public static void Warn(string message) => Say($"WARNING: {Messages.Reword(message)}");

    /// <summary>Says what was done, where that was asked for.</summary>
    public static void Note(string message)
    {
        if (IsVerbose)
            Say(message);
    }

    /// <summary>A text with data in it as it may be shown: nothing in it steers the terminal, nor a CI system that reads along.</summary>
    public static string Shown(string text) => LogText.Shown(string.Concat(text.Select(c => char.IsControl(c) && c is not ('\n' or '\t') ? ' ' : c)));

    /// <summary>Says something on the standard error.</summary>
    public static void Say(string message) => Error.WriteLine(Shown(message));

    public static void Flush() => Out.Flush();
}
