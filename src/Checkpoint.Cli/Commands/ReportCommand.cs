namespace Checkpoint.Cli;

/// <summary><c>checkpoint report</c>: tells of runs and the history.</summary>
internal static class ReportCommand
{
    public static ToolCommand Create()
    {
        var output = Inputs.Text("--output", "file", "Write the report to this file, whole or not at all. Default: the standard output.");
        var format = Inputs.Choice<ReportFormat>("--format", "What it is written as. Default: what the name of the file says, else markdown.");
        var command = new ToolCommand("report", "Tells of runs, their stages and the history, as one HTML page, as Markdown or as JSON: of all pipelines and runs, where nothing says which.")
        {
            Takes = [output, format],
            Examples =
            [
                ("checkpoint report --output report.html", "A page with all that it needs in it, for a browser."),
                ("checkpoint report --pipeline nightly >> \"$GITHUB_STEP_SUMMARY\"", "The summary of a CI job."),
                ("checkpoint report --format json | jq '.runs[0].status'", "What became of the newest run."),
            ],
            ExitCodes = [("0", "it is written"), ("1", "the file cannot be written"), ("2", "the command line cannot be meant"), ("3", "the store cannot be read")],
        };
        command.Work = async call =>
        {
            var file = call.Get(output);
            var kind = call.Get(format) ?? (file is null ? ReportFormat.Markdown
                : ReportFile.FormatOf(file) ?? throw new InvalidArgumentException($"The name '{file}' does not say what the report is to be. Let it end in .html, .md or .json, or give --format."));
            var report = await new ReportBuilder(call.Engine, TimeProvider.System).BuildAsync(await ScopeAsync(call), call.Cancellation);
            foreach (var problem in report.Problems)
                Terminal.Warn(problem);
            if (report.Runs.Count == 0 && report.History.Count == 0)
                Terminal.Warn($"There is nothing in '{report.Store}' to report.");
            if (file is null)
                await ReportFile.WriteAsync(report, kind, Terminal.Output, call.Cancellation);
            else
                await ReportFile.WriteAsync(report, kind, ContextOptions.ResolvePath(file), call.Cancellation);
            return ExitCode.Done;
        };
        return command;
    }

    private static async ValueTask<ReportScope> ScopeAsync(Call call)
    {
        var pipeline = call.Context.Pipeline.Source == ContextResolver.Default ? NamePattern.Any
            : await Call.FindAsync(call.Context.Pipeline.Value, "pipeline", call.IsGiven(ContextOptions.Pipeline), literal => call.HasHistoryAsync(literal, static _ => true));
        if (call.Context.Run.Source == ContextResolver.Default)
            return new ReportScope { Pipeline = pipeline };
        if (call.Context.Run.Value is not { } id)
            return new ReportScope { Pipeline = pipeline, Run = null };
        var run = await Call.FindAsync(id, "run", call.IsGiven(ContextOptions.Run), literal => call.HasHistoryAsync(pipeline, e => e.Run is not null && literal.IsMatch(e.Run)));
        return new ReportScope { Pipeline = pipeline, Run = run, WithoutRun = false };
    }
}
