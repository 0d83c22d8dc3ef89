using System.Globalization;
using System.Text;

namespace Checkpoint;

/// <summary>Reports as files.</summary>
internal static class ReportFile
{
    /// <summary>The format that a file's name says, or null where it says none.</summary>
    public static ReportFormat? FormatOf(string path) => Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".HTML" or ".HTM" => ReportFormat.Html,
        ".MD" or ".MARKDOWN" => ReportFormat.Markdown,
        ".JSON" => ReportFormat.Json,
        _ => null,
    };

    /// <summary>The name of a report that nobody named.</summary>
    public static string DefaultName(ReportFormat format) => "checkpoint-report" + format switch { ReportFormat.Html => ".html", ReportFormat.Markdown => ".md", _ => ".json" };

    /// <summary>Writes a report in place of the file there was, whole or not at all.</summary>
    /// <exception cref="UnwritableFileException">It cannot be written there.</exception>
    public static async ValueTask WriteAsync(CheckpointReport report, ReportFormat format, string path, CancellationToken cancellation)
    {
        var temporary = string.Create(CultureInfo.InvariantCulture, $"{path}.{Guid.NewGuid():N}.tmp");
        try
        {
            try
            {
                await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
                    await WriteAsync(report, format, file, cancellation);
                File.Move(temporary, path, overwrite: true);
            }
            catch
            {
                File.Delete(temporary);
                throw;
            }
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw new UnwritableFileException(path, e);
        }
    }

    /// <summary>Writes a report.</summary>
    public static ValueTask WriteAsync(CheckpointReport report, ReportFormat format, Stream output, CancellationToken cancellation) => format switch
    {
        ReportFormat.Html => HtmlReport.WriteAsync(ReportJson.Serialize(report), HtmlReport.Policy(connects: false), output, cancellation),
        ReportFormat.Markdown => output.WriteAsync(Encoding.UTF8.GetBytes(MarkdownReport.Write(report)), cancellation),
        _ => ReportJson.WriteAsync(report, output, cancellation),
    };
}
