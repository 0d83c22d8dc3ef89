using System.Text;

namespace Checkpoint.Tests;

/// <summary>What a job is told of stages, and that nothing of it can fail the work.</summary>
public sealed class JobLogTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly GroupSlot _group = new(isWithin: false);
    private readonly List<string> _lines = [];
    private readonly List<string> _warnings = [];
    private readonly TestFileSystem _files = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void A_stage_that_runs_has_a_group_and_an_output_and_one_that_is_skipped_a_line_and_an_output()
    {
        using var log = Log();
        log.Begin("Stage 'a' (1 of 3)");
        log.End("a", StageStatus.Completed, null, TimeSpan.FromSeconds(2.34));
        log.End("b", StageStatus.Skipped, "it completed at 12:00", TimeSpan.Zero);
        log.End("c", StageStatus.NotRun, "it depends on 'x'", TimeSpan.Zero);
        Assert.Equal(["::group::Stage 'a' (1 of 3)", "::endgroup::", "Stage 'a' completed in 2.34s", "Stage 'b' skipped: it completed at 12:00", "Stage 'c' not run: it depends on 'x'"], _lines);
        Assert.Equal("checkpoint-a=completed\ncheckpoint-b=skipped\n", File.ReadAllText(OutputFile));
    }

    [Fact]
    public void A_failure_ends_the_group_before_its_error_so_that_it_is_seen()
    {
        using var log = Log();
        log.Begin("Stage 'a'");
        log.End("a", StageStatus.Failed, "it broke", TimeSpan.Zero, new ScriptPlace(Path.Join(_temp.Path, "work", "a.ps1"), 3, 1));
        Assert.Equal(["::group::Stage 'a'", "::endgroup::", "::error file=a.ps1,line=3,col=1::Stage 'a' failed: it broke"], _lines);
        Assert.Equal("checkpoint-a=failed\n", File.ReadAllText(OutputFile));
    }

    [Fact]
    public void A_stage_within_a_stage_has_no_group_of_its_own()
    {
        using var outer = Log();
        outer.Begin("Stage 'outer'");
        using (var inner = Log())
        {
            inner.Begin("Stage 'inner'");
            inner.End("inner", StageStatus.Completed, null, TimeSpan.Zero);
        }
        outer.End("outer", StageStatus.Completed, null, TimeSpan.Zero);
        using (var next = Log())
        {
            next.Begin("Stage 'next'");
            // As Ctrl+C ends it.
        }
        Assert.Equal(["::group::Stage 'outer'", "Stage 'inner'", "Stage 'inner' completed in 0.00s", "::endgroup::", "Stage 'outer' completed in 0.00s", "::group::Stage 'next'", "::endgroup::"], _lines);
    }

    [Fact]
    public void A_process_whose_log_is_within_a_group_opens_none()
    {
        using var log = new JobLog(JobEnvironment.System(JobEnvironment.GitHub(_temp.Path)), _files, new GroupSlot(isWithin: true), _lines.Add, _warnings.Add);
        log.Begin("Stage 'a'");
        log.End("a", StageStatus.Completed, null, TimeSpan.Zero);
        Assert.Equal(["Stage 'a'", "Stage 'a' completed in 0.00s"], _lines);
    }

    [Fact]
    public void Azure_DevOps_gets_outputs_as_variables_and_a_summary_that_it_is_told_of_at_the_end()
    {
        var azure = JobEnvironment.System(JobEnvironment.Azure(_temp.Path));
        using var log = new JobLog(azure, _files, _group, _lines.Add, _warnings.Add);
        log.Begin("Stage 'a'");
        log.End("a", StageStatus.Completed, null, TimeSpan.Zero);
        Assert.True(log.Summarize("one\n"));
        Assert.True(log.Summarize("two\n"));
        Assert.Equal(["##[group]Stage 'a'", "##[endgroup]", "Stage 'a' completed in 0.00s", "##vso[task.setvariable variable=checkpoint-a;isOutput=true]completed"], _lines);
        Assert.Equal("one\ntwo\n", File.ReadAllText(azure.SummaryFile!));
        Assert.Equal($"##vso[task.uploadsummary]{azure.SummaryFile}", azure.SummaryDone);
    }

    [Fact]
    public void Files_that_cannot_be_written_are_one_warning_each_and_fail_nothing()
    {
        _files.Before = operation => throw new IOException($"no space for '##vso[task.setvariable variable=x]y' at {operation.Verb}");
        using var log = Log();
        log.End("a", StageStatus.Skipped, "done", TimeSpan.Zero);
        log.End("b", StageStatus.Skipped, "done", TimeSpan.Zero);
        Assert.False(log.Summarize("text\n"));
        Assert.False(log.Summarize("text\n"));
        Assert.Equal(2, _warnings.Count);
        Assert.StartsWith("The outputs of the step cannot be written: no space for '# #vso[", _warnings[0], StringComparison.Ordinal);
        Assert.StartsWith("The summary of the job cannot be written: no space", _warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_whose_folder_the_system_has_not_made_is_a_warning_and_no_folder_is_made()
    {
        var folder = Path.Join(_temp.Path, "none");
        using var log = new JobLog(JobEnvironment.System(new() { ["GITHUB_ACTIONS"] = "true", ["GITHUB_OUTPUT"] = Path.Join(folder, "o"), ["GITHUB_STEP_SUMMARY"] = Path.Join(folder, "s") }), _files, _group, _lines.Add, _warnings.Add);
        log.End("a", StageStatus.Skipped, "done", TimeSpan.Zero);
        Assert.False(log.Summarize("text\n"));
        Assert.Equal(2, _warnings.Count);
        Assert.All(_warnings, warning => Assert.Contains("there is no folder for", warning, StringComparison.Ordinal));
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void A_system_that_names_no_files_is_told_through_the_log_alone()
    {
        using var log = new JobLog(JobEnvironment.System(new() { ["GITHUB_ACTIONS"] = "true" }), _files, _group, _lines.Add, _warnings.Add);
        log.End("a", StageStatus.Skipped, "done", TimeSpan.Zero);
        Assert.False(log.Summarize("text\n"));
        Assert.Equal(["Stage 'a' skipped: done"], _lines);
        Assert.Empty(_warnings);
        Assert.Empty(_files.Operations);
    }

    [Fact]
    public void What_others_wrote_to_the_files_stays_and_is_no_part_of_a_line_of_ours()
    {
        File.WriteAllText(OutputFile, "mine=1");
        File.WriteAllText(SummaryFile, "# Mine");
        using var log = Log();
        log.End("a", StageStatus.Skipped, "done", TimeSpan.Zero);
        log.Summarize("- ours\n");
        Assert.Equal("mine=1\ncheckpoint-a=skipped\n", File.ReadAllText(OutputFile));
        Assert.Equal("# Mine\n- ours\n", File.ReadAllText(SummaryFile));
    }

    [Fact]
    public void A_summary_stays_below_the_limit_ends_with_a_whole_line_and_says_once_what_was_left_out()
    {
        var line = "- ä " + new string('x', 200) + "\n";
        using var log = Log();
        for (var i = 0; i < 20; i++)
            log.Summarize(string.Concat(Enumerable.Repeat(line, 500)));
        var text = File.ReadAllText(SummaryFile);
        Assert.InRange(new FileInfo(SummaryFile).Length, 959 * 1024, 960 * 1024);
        Assert.EndsWith("\n" + StepFile.Cut, text, StringComparison.Ordinal);
        Assert.Equal(text.Length - StepFile.Cut.Length, text.IndexOf(StepFile.Cut, StringComparison.Ordinal));
        Assert.All(text[..^StepFile.Cut.Length].TrimEnd('\n').Split('\n'), l => Assert.Equal(line, l + "\n"));
    }

    [Fact]
    public void A_summary_that_is_full_already_gets_no_more_than_the_word_that_it_is()
    {
        File.WriteAllText(SummaryFile, new string('x', 960 * 1024) + "\n");
        using var log = Log();
        log.Summarize("- a\n");
        log.Summarize("- b\n");
        Assert.Equal((960 * 1024) + 1 + Encoding.UTF8.GetByteCount(StepFile.Cut), new FileInfo(SummaryFile).Length);
    }

    private string OutputFile => Path.Join(_temp.Path, "output");

    private string SummaryFile => Path.Join(_temp.Path, "summary");

    private JobLog Log() => new(JobEnvironment.System(JobEnvironment.GitHub(_temp.Path)), _files, _group, _lines.Add, _warnings.Add);
}
