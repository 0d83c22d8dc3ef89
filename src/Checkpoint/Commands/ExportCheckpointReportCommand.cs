using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsData.Export, "CheckpointReport", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportCheckpointReportCommand : ReportCommand
{
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    [Parameter]
    public ReportFormat Format { get; set; }

    protected override void OnProcess()
    {
        var started = Stopwatch.GetTimestamp();
        var format = IsGiven(nameof(Format)) ? Format : Path is null ? ReportFormat.Html
            : ReportFile.FormatOf(Path) ?? throw new InvalidArgumentException($"The name '{Path}' does not say what the report is to be. Let it end in .html, .md or .json, or give -Format.");
        var path = this.ResolveFile(Path ?? ReportFile.DefaultName(format));
        if (!ShouldProcess(path, $"Write the report of '{Engine.Store.Location}'"))
            return;
        var report = Wait(new ReportBuilder(Engine, TimeProvider.System).BuildAsync(ReportScope(), Cancellation));
        foreach (var problem in report.Problems)
            WriteWarning(problem);
        if (report.Runs.Count == 0 && report.History.Count == 0)
            WriteWarning($"There is nothing in '{report.Store}' to report.");
        Wait(Saved(report, format, path));
        WriteVerbose($"{report.Runs.Count} runs and {report.History.Count} lines of the history written to '{path}'. {Took(started)}");
        WriteObject(InvokeProvider.Item.Get([path], force: true, literalPath: true), enumerateCollection: true);
    }

    private async ValueTask<bool> Saved(CheckpointReport report, ReportFormat format, string path)
    {
        await ReportFile.WriteAsync(report, format, path, Cancellation);
        return true;
    }
}
