namespace Checkpoint.Tests;

public sealed class StageTimelineTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_stage_that_ran_once_has_one_attempt_from_its_start_to_its_end()
    {
        var stage = Told((CheckpointEvents.StageStarted, 1), (CheckpointEvents.Saved, 4), (CheckpointEvents.StageCompleted, 5));
        Assert.Equal("attempt 1-5 Completed", Show(stage));
        Assert.Equal((ReportStatus.Completed, 1), (stage.Status!.Value, stage.Attempts));
    }

    [Fact]
    public void Between_attempts_it_waits()
    {
        var stage = Told((CheckpointEvents.StageStarted, 1), (CheckpointEvents.StageRetried, 2, until: 7), (CheckpointEvents.StageRetried, 8, until: 20), (CheckpointEvents.StageFailed, 21));
        Assert.Equal("attempt 1-2 Failed, wait 2-7, attempt 7-8 Failed, wait 8-20, attempt 20-21 Failed", Show(stage));
        Assert.Equal((ReportStatus.Failed, 3), (stage.Status!.Value, stage.Attempts));
    }

    [Fact]
    public void A_history_that_does_not_tell_how_long_it_waited_has_the_attempts_one_after_the_other() =>
        Assert.Equal("attempt 1-2 Failed, attempt 2-9 Completed", Show(Told((CheckpointEvents.StageStarted, 1), (CheckpointEvents.StageRetried, 2), (CheckpointEvents.StageCompleted, 9))));

    [Fact]
    public void An_attempt_that_began_a_moment_before_its_time_is_not_lost() =>
        Assert.Equal("attempt 1-2 Failed, wait 2-6, attempt 6-6 Failed", Show(Told((CheckpointEvents.StageStarted, 1), (CheckpointEvents.StageRetried, 2, until: 7), (CheckpointEvents.StageFailed, 6))));

    [Fact]
    public void What_is_at_work_has_no_end()
    {
        var stage = Told((CheckpointEvents.StageStarted, 1));
        Assert.Equal("attempt 1-", Show(stage));
        Assert.Equal((ReportStatus.Begun, 1), (stage.Status!.Value, stage.Attempts));
    }

    [Fact]
    public void Where_its_run_ended_without_it_it_was_interrupted()
    {
        var stage = Told((CheckpointEvents.StageStarted, 1));
        stage.RunEnded(At(9));
        Assert.Equal("attempt 1-9 Interrupted", Show(stage));
        Assert.Equal(ReportStatus.Interrupted, stage.Status);
    }

    [Fact]
    public void Where_it_was_stopped_while_it_waited_the_wait_ends_there_and_no_attempt_follows()
    {
        var stage = Told((CheckpointEvents.StageStarted, 1), (CheckpointEvents.StageRetried, 2, until: 60));
        stage.RunEnded(At(9));
        Assert.Equal("attempt 1-2 Failed, wait 2-9", Show(stage));
        Assert.Equal(1, stage.Attempts);
    }

    [Fact]
    public void A_second_start_says_that_the_first_was_cut_off_when_something_was_told_of_it_last() =>
        Assert.Equal("attempt 1-2 Failed, attempt 2-2 Interrupted, attempt 30-31 Completed", Show(Told((CheckpointEvents.StageStarted, 1), (CheckpointEvents.StageRetried, 2), (CheckpointEvents.StageStarted, 30), (CheckpointEvents.StageCompleted, 31))));

    [Fact]
    public void A_save_without_a_runner_is_a_moment()
    {
        var stage = Told((CheckpointEvents.Saved, 3), (CheckpointEvents.Saved, 8));
        Assert.Equal("save 3-3, save 8-8", Show(stage));
        Assert.Equal((ReportStatus.Completed, 0), (stage.Status!.Value, stage.Attempts));
    }

    [Fact]
    public void A_skip_with_its_checkpoint_counts_and_one_without_is_the_runners_to_explain()
    {
        var stage = new StageTimeline();
        stage.Add(Event(CheckpointEvents.StageSkipped, 1, step: 1));
        stage.Add(Event(CheckpointEvents.StageSkipped, 5, step: 1));
        stage.Add(Event(CheckpointEvents.StageSkipped, 9));
        Assert.Equal((2, At(5)), (stage.Skips, stage.SkippedAt!.Value));
    }

    [Fact]
    public void What_was_cleared_says_so_until_it_is_saved_again()
    {
        var stage = Told((CheckpointEvents.Saved, 1), (CheckpointEvents.Cleared, 2));
        Assert.Equal(ReportStatus.Cleared, stage.Status);
        stage.Add(Event(CheckpointEvents.Saved, 3));
        Assert.Equal(ReportStatus.Completed, stage.Status);
    }

    [Fact]
    public void What_a_newer_version_tells_is_passed_over() =>
        Assert.Equal("attempt 1-5 Completed", Show(Told((CheckpointEvents.StageStarted, 1), ("StagePolished", 2), (CheckpointEvents.StageCompleted, 5))));

    private static StageTimeline Told(params Telling[] events)
    {
        var stage = new StageTimeline();
        foreach (var e in events)
            stage.Add(Event(e.Kind, e.Second, e.Until));
        return stage;
    }

    private static CheckpointEvent Event(string kind, int second, int? until = null, long? step = null) => new() { Event = kind, Name = "s", Time = At(second), Until = until is { } u ? At(u) : null, Step = step };

    private static DateTimeOffset At(int second) => Noon.AddSeconds(second);

    private static string Show(StageTimeline stage) => string.Join(", ", stage.Spans.Select(s =>
        $"{s.Kind.ToString().ToLowerInvariant()} {(s.Start - Noon).TotalSeconds}-{(s.End - Noon)?.TotalSeconds} {s.Outcome}".TrimEnd()));

    private sealed record Telling(string Kind, int Second, int? Until)
    {
        public static implicit operator Telling((string Kind, int Second) e) => new(e.Kind, e.Second, null);

        public static implicit operator Telling((string Kind, int Second, int until) e) => new(e.Kind, e.Second, e.until);
    }
}
