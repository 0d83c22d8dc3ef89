using System.Globalization;
using System.Management.Automation.Host;
using System.Text;

namespace Checkpoint;

/// <summary>Ages, durations, sizes and the like as a person reads them; for the views.</summary>
public static class Humanize
{
    // What Format-List takes for the longest of the labels beside which stages stand, and the column that it leaves free.
    private const int ListLabel = 15;

    /// <summary>How long ago something was: <c>12s</c>, <c>5m</c>, <c>3h</c>, <c>8d</c>.</summary>
    public static string Age(DateTimeOffset since) => Amounts.Age(since, TimeProvider.System);

    /// <summary>A time as the local clock shows it, in the Gregorian calendar whatever the culture.</summary>
    public static string Time(DateTimeOffset time) => Amounts.Time(time);

    /// <summary>How long something took: <c>0.35s</c>, <c>12.3s</c>, <c>5m 10s</c>, <c>3h 05m</c>, <c>8d 01h</c>; a hyphen for none.</summary>
    public static string Duration(TimeSpan? span) => Amounts.Duration(span);

    /// <summary>The colour of a status, by its name in $PSStyle.Foreground.</summary>
    public static string Colour(Enum status) => status switch
    {
        RunStatus.Completed or StageStatus.Completed or StageStatus.Skipped => "Green",
        RunStatus.Failed or StageStatus.Failed => "Red",
        RunStatus.Running => "Cyan",
        StageStatus.Disabled => "BrightBlack",
        _ => "Yellow",
    };

    /// <summary>How many stages of how many are done.</summary>
    public static string Done(IReadOnlyCollection<StageResult> stages) => Text($"{stages.Count(s => s.Status is StageStatus.Completed or StageStatus.Skipped)}/{stages.Count}");

    /// <summary>A name, cut where it would leave no room for what stands beside it.</summary>
    public static string? Name(string? name) => Told(name is null ? null : ShortText.Cut(name, 30));

    /// <summary>A name or a message, in which no CI system that reads the log finds a command.</summary>
    public static string? Told(string? text) => text is null ? null : LogText.Shown(text);

    /// <summary>A name, cut where it would leave no room for what stands beside it.</summary>
    /// <param name="name">The name.</param>
    /// <param name="length">How much of it there is room for in 80 columns; in more there is room for more.</param>
    /// <param name="host">Where it is shown.</param>
    public static string? Name(string? name, int length, PSHost? host) => Told(name is null ? null : ShortText.Cut(name, name.Length > Room(length, host) ? Room(length, host) - 1 : name.Length));

    /// <summary>The id of a run, as <see cref="Name(string, int, PSHost)"/>, but cut in its middle: ids begin alike, and end so that they can be told apart.</summary>
    public static string? Id(string? id, int length, PSHost? host)
    {
        if (id is null || id.Length <= Room(length, host))
            return Told(id);
        var (end, head) = (Room(length, host) / 2, (Room(length, host) - 1) / 2);
        var from = id.Length - end;
        return Told(ShortText.Cut(id, head) + id[(char.IsLowSurrogate(id[from]) ? from + 1 : from)..]);
    }

    /// <summary>Stages, one to a line; what one says of itself stands below it where there is no room beside it.</summary>
    public static string Stages(IReadOnlyCollection<StageResult> stages, bool inColour, PSHost? host)
    {
        var width = Columns(host) - ListLabel;
        var column = Math.Min(stages.Select(s => s.Name.Length).DefaultIfEmpty().Max(), Room(24, host));
        var text = new StringBuilder();
        foreach (var stage in stages)
        {
            var (name, status, took) = (ShortText.Cut(stage.Name, stage.Name.Length > column ? column - 1 : column).PadRight(column), stage.Status.ToString().PadRight(9), Duration(stage.Duration).PadLeft(7));
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length > 0 ? "\n" : "")}{name}  {(inColour ? $"{Escape(Colour(stage.Status))}{status}\e[0m" : status)}  {took}");
            var said = string.Join(' ', (stage.Error ?? stage.Reason ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            if (column + 22 + said.Length <= width)
                text.Append(said.Length > 0 ? "  " : "").Append(said);
            else
                Wrap(text, said, width);
        }
        return LogText.Shown(text.ToString());
    }

    /// <summary>A size in bytes: <c>512 B</c>, <c>1.5 MiB</c>; a hyphen for none.</summary>
    public static string Size(long? bytes) => Amounts.Size(bytes);

    private static void Wrap(StringBuilder text, string said, int width)
    {
        var column = width;
        foreach (var word in said.Split(' '))
        {
            if (column + 1 + word.Length > width)
                (column, _) = (3, text.Append("\n   "));
            column += 1 + word.Length;
            text.Append(' ').Append(word);
        }
    }

    private static int Room(int length, PSHost? host) => length + Math.Max(Columns(host) - 80, 0) / 2;

    // A host without a window has none, or throws.
    private static int Columns(PSHost? host)
    {
        try
        {
            return host?.UI?.RawUI?.BufferSize.Width is { } width and > 0 ? width : 80;
        }
        catch (Exception e) when (e is HostException or NotImplementedException or InvalidOperationException or IOException)
        {
            return 80;
        }
    }

    private static string Escape(string colour) => colour switch { "Green" => "\e[32m", "Red" => "\e[31m", "Cyan" => "\e[36m", "BrightBlack" => "\e[90m", _ => "\e[33m" };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
