using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsData.Export, "CheckpointReport", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportCheckpointReportCommand : MergedReportCommand
{
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    [Parameter]
    public ReportFormat Format { get; set; }

    private protected override void Report(CheckpointEngine engine, ReportScope scope)
    {
        var started = Stopwatch.GetTimestamp();
        var format = IsGiven(nameof(Format)) ? Format : Path is null ? ReportFormat.Html
            : ReportFile.FormatOf(Path) ?? throw new InvalidArgumentException($"The name '{Path}' does not say what the report is to be. Let it end in .html, .md or .json, or give -Format.");
        var path = FileOf(Path ?? ReportFile.DefaultName(format));
        if (!ShouldProcess(path, $"Write the report of '{engine.Store.Location}'"))
            return;
        var report = Wait(new ReportBuilder(engine, TimeProvider.System).BuildAsync(scope, Cancellation));
        foreach (var problem in report.Problems)
            WriteWarning(problem);
        if (report.Runs.Count == 0 && report.History.Count == 0)
            WriteWarning($"There is nothing to report in '{report.Store}'{(scope is { Pipeline.IsAny: true, Run.IsAny: true } ? "" : " of the pipelines and runs that are meant")}.");
        Wait(Saved(report, format, path));
        WriteVerbose($"{report.Runs.Count} runs and {report.History.Count} lines of the history written to '{path}'. {Took(started)}");
        // With its provider, for the current location may be in another.
        WriteObject(InvokeProvider.Item.Get([$@"Microsoft.PowerShell.Core\FileSystem::{path}"], force: true, literalPath: true), enumerateCollection: true);
    }

    private string FileOf(string path)
    {
        try
        {
            return this.ResolveFile(path);
        }
        catch (UnreadableFileException e)
        {
            throw new UnwritableFileException(e.Path, e.InnerException!);
        }
    }

    private async ValueTask<bool> Saved(CheckpointReport report, ReportFormat format, string path)
    {
        await ReportFile.WriteAsync(report, format, path, Cancellation);
        return true;
    }
}
