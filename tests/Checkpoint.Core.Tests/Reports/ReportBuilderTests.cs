using System.Text;
using System.Text.Json;

namespace Checkpoint.Tests;

public sealed class ReportBuilderTests : PipelineTest
{
    [Fact]
    public async Task A_run_is_told_with_its_stages_in_their_order_and_what_became_of_each()
    {
        Failing.Add("b");
        Disabled.Add("d");
        await Run("a b:a c:b d", r => r with { ContinueOnError = true });

        var run = Assert.Single((await Build()).Runs);
        Assert.Equal(RunStatus.Partial, run.Status);
        Assert.Equal("a Completed, b Failed b broke, c NotRun it depends on 'b', which failed, d Disabled it is disabled", Show(run));
        Assert.Equal("b broke", run.LastError);
        Assert.Equal((1, 1), (run.Stages[0].Attempts, run.Stages[0].Spans.Count));
        Assert.Equal(1, run.Stages[0].Checkpoint!.Step);
        Assert.True(run.Stages[0].Checkpoint!.StateSize > 0);
        Assert.Null(run.Stages[1].Checkpoint);
    }

    [Fact]
    public async Task A_run_that_was_resumed_tells_all_its_attempts_and_what_was_skipped()
    {
        Failing.Add("b");
        await Run("a b:a");
        Failing.Clear();
        await Run("a b:a");

        var run = Assert.Single((await Build()).Runs);
        Assert.Equal((RunStatus.Completed, 2), (run.Status!.Value, run.Attempts));
        Assert.Equal((1, 1), (run.Stages[0].Skips, run.Stages[0].Spans.Count));
        Assert.Equal("Failed Completed", string.Join(' ', run.Stages[1].Spans.Select(s => s.Outcome)));
        Assert.Equal(2, run.Stages[1].Attempts);
    }

    [Fact]
    public async Task What_is_at_work_is_running_and_where_its_process_died_it_is_interrupted()
    {
        CheckpointReport? during = null;
        OnRun = name => during = name == "b" ? Build().GetAwaiter().GetResult() : null;
        await Run("a b:a");
        Assert.Equal("a Completed, b Running", Show(Assert.Single(during!.Runs)));
        Assert.Equal(RunStatus.Running, during.Runs[0].Status);

        // A run whose record says that it goes on, and whose lease nobody has.
        var registry = new RunRegistry(Store, Engine.History, Time);
        var run = Assert.Single(await Runs());
        await registry.WriteAsync(run.Begun() with { Stages = run.Stages.Take(1).ToList().AsReadOnly() }, default);
        await Engine.History.RecordAsync(CheckpointEvents.StageStarted, new StageId("p", run.Run, "late"), null, null, default);
        var dead = Assert.Single((await Build()).Runs);
        Assert.Equal(RunStatus.Interrupted, dead.Status);
        Assert.Equal(ReportStatus.Interrupted, dead.Stages.Single(s => s.Name == "late").Status);
    }

    [Fact]
    public async Task Without_a_runner_whoever_works_on_a_stage_has_its_lease_and_where_nobody_has_its_process_died()
    {
        await Engine.History.RecordAsync(CheckpointEvents.StageStarted, Stage, null, "there is no checkpoint", default);
        using (var lease = (await Store.TryLeaseAsync(new LeaseName(Stage), LeaseHolder.Self(Time), default)).Lease)
        {
            Assert.NotNull(lease);
            Time.Advance(TimeSpan.FromHours(1));
            Assert.Equal("ingest Running", Show(Assert.Single((await Build()).Runs)));
        }
        var dead = Assert.Single(Assert.Single((await Build()).Runs).Stages);
        Assert.Equal(ReportStatus.Interrupted, dead.Status);
        Assert.Equal(dead.Spans[0].Start, dead.Spans[0].End);
    }

    [Fact]
    public async Task A_line_of_a_writer_whose_clock_is_behind_comes_as_news_all_the_same()
    {
        CheckpointEvent Line(string name, int second) => new() { Event = CheckpointEvents.Saved, Pipeline = "p", Name = name, Time = Noon.AddSeconds(second), Host = "h", User = "u" };
        await Store.AppendHistoryAsync("p", [Line("one", 1), Line("two", 9)], default);
        var before = await Build();
        await Store.AppendHistoryAsync("p", [Line("three", 5)], default);
        var now = await Build(before: before);
        Assert.Equal("three", Assert.Single(ReportBuilder.NewLines(before.AsWritten, now.AsWritten)!).Name);
        Assert.Equal(["one", "three", "two"], now.History.Select(e => e.Name));
    }

    [Fact]
    public async Task To_read_the_items_of_a_stage_makes_nothing_and_hinders_nobody()
    {
        using (var none = await Store.ReadItemsAsync(new StageId("p", null, "none"), default))
            Assert.Equal(0, none.ReadAll(_ => { }, default));
        Assert.False(Directory.Exists(Root));

        using var writer = await Store.OpenItemsAsync(Stage, default);
        writer.Append([Item("a", null)], default);
        using var reader = await Store.ReadItemsAsync(Stage, default);
        var seen = 0;
        reader.ReadAll(_ => seen++, default);
        writer.Append([Item("b", null)], default);
        Assert.Equal(1, seen);
        // Whoever may not write here reads all the same.
        var refusing = new FolderStore(Root, new TestFileSystem { Before = o => _ = o.Verb is FileVerb.OpenShared or FileVerb.OpenLocked ? throw new UnauthorizedAccessException("no") : 0 }, Time);
        Assert.Equal(2, Assert.Single(Assert.Single((await new ReportBuilder(new CheckpointEngine(refusing, Time), Time).BuildAsync(new(), default)).Runs).Stages).Items!.Done);
    }

    [Fact]
    public async Task What_scripts_saved_without_a_runner_is_told_by_pipeline_and_run()
    {
        await Save(TestState.Small("x"), stage: new("one", null, "s"));
        await Save(TestState.Small("x"), stage: new("one", "7", "s"));
        await Save(TestState.Small("x"), stage: new("one", "7", "t"));

        var report = await Build();
        Assert.Equal("one/7 s+t, one/ s", string.Join(", ", report.Runs.OrderByDescending(r => r.Run).Select(r => $"{r.Pipeline}/{r.Run} {string.Join('+', r.Stages.Select(s => s.Name))}")));
        Assert.All(report.Runs, r => Assert.Null(r.Status));
    }

    [Fact]
    public async Task Only_what_is_meant_is_told()
    {
        foreach (var stage in new StageId[] { new("one", null, "s"), new("one", "7", "s"), new("two", "7", "s") })
            await Engine.SaveAsync(Draft(stage: stage), new RetentionPolicy(), default);

        Assert.Equal(["one 7", "two 7"], await Told(new() { Run = NamePattern.Of("7"), WithoutRun = false }));
        Assert.Equal(["one ", "one 7"], await Told(new() { Pipeline = NamePattern.Of("ONE") }));
        Assert.Equal(["one "], await Told(new() { Run = null }));

        async Task<IEnumerable<string>> Told(ReportScope scope)
        {
            var report = await Build(scope);
            Assert.NotEmpty(report.History);
            Assert.All(report.History, e => Assert.True(scope.Includes(e.Run)));
            return report.Runs.Select(r => $"{r.Pipeline} {r.Run}").Order(StringComparer.Ordinal);
        }
    }

    [Fact]
    public async Task Items_are_counted_whether_their_stage_is_complete_or_not()
    {
        using (var log = await Store.OpenItemsAsync(Stage, default))
        {
            log.Append([Item("a", null), Item("b", "broke"), Item("c", "broke")], default);
            log.Append([Item("b", null)], default);
        }
        var stage = Assert.Single(Assert.Single((await Build()).Runs).Stages);
        Assert.Equal((2, 1), (stage.Items!.Done, stage.Items.Failed));
        Assert.Equal(new ReportItemFailure("c", Time.GetUtcNow(), "broke"), Assert.Single(stage.Items.Failures));
    }

    [Fact]
    public async Task What_cannot_be_read_is_told_and_the_rest_with_it()
    {
        await Run("a b");
        await Save(TestState.Small("x"));
        await Save(TestState.Small("y"));
        await File.WriteAllTextAsync(RecordPath(2), "{");
        var record = Directory.EnumerateFiles(Root, "run.json", SearchOption.AllDirectories).Single();
        await File.WriteAllTextAsync(record, "{");

        var report = await Build();
        Assert.Equal(2, report.Problems.Count);
        Assert.Equal(1, report.Runs.Single(r => r.Pipeline == "nightly").Stages.Single().Checkpoint!.Step);
        Assert.Equal("a Completed, b Completed", Show(report.Runs.Single(r => r.Pipeline == "p")));
    }

    [Fact]
    public async Task What_cannot_be_read_is_told_once_also_where_only_what_changed_is_read_again()
    {
        await Save(TestState.Small("x"));
        await Save(TestState.Small("y"));
        await File.WriteAllTextAsync(RecordPath(2), "{");
        var before = await Build();
        var problem = Assert.Single(before.Problems);
        Assert.Equal([problem], (await Build(before: before)).Problems);
        await Engine.History.RecordAsync(CheckpointEvents.StageSkipped, Stage, 1, null, default);
        Assert.Equal([problem], (await Build(before: before)).Problems);
    }

    [Fact]
    public async Task What_began_at_once_is_told_in_the_order_of_its_names()
    {
        foreach (var stage in new StageId[] { new("two", "7", "s"), new("one", "8", "s"), new("one", "7", "s"), new("one", null, "s") })
            await Save(stage: stage);
        Assert.Equal(["one ", "one 7", "one 8", "two 7"], (await Build()).Runs.Select(r => $"{r.Pipeline} {r.Run}"));
    }

    [Fact]
    public async Task What_was_cleared_is_told_as_such_and_what_was_only_looked_for_is_not()
    {
        await Engine.SaveAsync(Draft(), new RetentionPolicy(), default);
        await Engine.ClearAsync(Stage, null, null, default);
        await Engine.History.RecordAsync(CheckpointEvents.LeaseTaken, "other", null, "x", null, null, default);
        var run = Assert.Single((await Build()).Runs);
        Assert.Equal("ingest Cleared all steps", Show(run));
    }

    [Fact]
    public async Task A_report_that_is_brought_up_to_date_is_what_one_read_anew_would_be()
    {
        Failing.Add("b");
        await Run("a b:a");
        await Engine.SaveAsync(Draft(TestState.Small("x")), new RetentionPolicy(), default);
        var before = await Build();
        await AssertFollows("nothing happened");
        Failing.Clear();
        await Run("a b:a");
        await AssertFollows("a run was resumed");
        await Run("a b:a c");
        await AssertFollows("another began");
        await Engine.SaveAsync(Draft(TestState.Small("y")), new RetentionPolicy(), default);
        await Engine.ClearAsync(new StageId("p", before.Runs[0].Run, "a"), null, null, default);
        await AssertFollows("a script saved, and somebody cleared");
        CheckpointReport? during = null;
        OnRun = name => during = name == "c" ? Build(before: before).GetAwaiter().GetResult() : during;
        await Run("a b:a c", r => r with { Restart = true });
        Assert.Equal(RunStatus.Running, during!.Runs[0].Status);
        before = during;
        await AssertFollows("what was at work ended");
        Directory.Delete(Path.Join(Root, "nightly"), recursive: true);
        await AssertFollows("a pipeline was removed, its history with it");

        async Task AssertFollows(string when)
        {
            var (followed, anew) = (await Build(before: before), await Build());
            Assert.True(Encoding.UTF8.GetString(ReportJson.Serialize(anew)) == Encoding.UTF8.GetString(ReportJson.Serialize(followed)), when);
            before = followed;
        }
    }

    [Fact]
    public async Task Of_a_large_store_only_what_may_have_changed_is_read_again()
    {
        for (var i = 0; i < 20; i++)
            await Run("a b c");
        var before = await Build();
        await Engine.SaveAsync(Draft(TestState.Small("x")), new RetentionPolicy(), default);
        var listed = 0;
        var counting = new DelegatingStore(Store) { OnList = _ => listed++ };
        var report = await new ReportBuilder(new CheckpointEngine(counting, Time), Time).BuildAsync(new(), before, default);
        Assert.Equal(21, report.Runs.Count);
        Assert.Equal(1, listed);
    }

    [Fact]
    public async Task Where_nobody_can_be_asked_who_is_at_work_a_stage_is_not_called_dead_and_the_report_says_so()
    {
        await Engine.History.RecordAsync(CheckpointEvents.StageStarted, Stage, null, null, default);
        var mute = new DelegatingStore(Store) { BeforeFindLease = () => throw CheckpointErrors.Unusable("x", "it cannot be asked") };
        var report = await new ReportBuilder(new CheckpointEngine(mute, Time), Time).BuildAsync(new(), default);
        Assert.Equal(ReportStatus.Running, Assert.Single(Assert.Single(report.Runs).Stages).Status);
        Assert.Contains("it cannot be asked", Assert.Single(report.Problems), StringComparison.Ordinal);
        Assert.Equal(ReportStatus.Interrupted, Assert.Single(Assert.Single((await Build()).Runs).Stages).Status);
    }

    [Fact]
    public async Task Of_the_account_of_a_runner_it_tells_with_what_is_saved_and_reads_no_history()
    {
        await Run("a b:a");
        var account = Assert.Single(await Runs());
        var stage = new StageId(account.Pipeline, account.Run, "inner");
        using (var log = await Store.OpenItemsAsync(stage, null, default))
            log.Append([Item("x", null), Item("y", "broke")], default);
        var whole = Assert.Single((await Build()).Runs);
        var told = await Teller(new DelegatingStore(Store) { OnHistory = () => Assert.Fail("The history was read.") }).TellAsync(account, default);
        Assert.Equal(Show(whole), Show(told));
        Assert.True(told.Stages[0].Checkpoint!.StateSize > 0);
        Assert.Equal((1, 1), (told.Stages[2].Items!.Done, told.Stages[2].Items!.Failed));

        // What the runner knows stays where the store is away, or nobody has the time to read it.
        var away = await Teller(new DelegatingStore(Store) { OnList = _ => throw CheckpointErrors.Unusable("x", "it is gone") }).TellAsync(account, default);
        Assert.Equal("a Completed, b Completed", Show(away));
        Assert.Null(away.Stages[0].Checkpoint);
        Assert.Equal("a Completed, b Completed", Show(await Teller(Store).TellAsync(account, new CancellationToken(canceled: true))));

        ReportBuilder Teller(CheckpointStore store) => new(new CheckpointEngine(store, Time), Time);
    }

    [Fact]
    public async Task As_JSON_it_is_what_was_told_and_holds_nothing_that_could_be_markup()
    {
        Failing.Add("</script>");
        await Run("</script>");
        var report = await Build();
        var page = Encoding.UTF8.GetString(ReportJson.Serialize(report));
        Assert.DoesNotContain('<', page);
        Assert.True(page.All(char.IsAscii));

        using var text = new MemoryStream();
        await ReportJson.WriteAsync(report, text, default);
        using var json = JsonDocument.Parse(text.ToArray());
        Assert.Equal(1, json.RootElement.GetProperty("format").GetInt32());
        var stage = json.RootElement.GetProperty("runs")[0].GetProperty("stages")[0];
        Assert.Equal("</script>", stage.GetProperty("name").GetString());
        Assert.Equal("failed", stage.GetProperty("status").GetString());
        Assert.False(stage.TryGetProperty("checkpoint", out _));
    }

    private static string Show(ReportRun run) => string.Join(", ", run.Stages.Select(s => $"{s.Name} {s.Status} {s.Error ?? (s.Status == ReportStatus.Completed ? "" : s.Reason)}".TrimEnd()));

    private ItemEntry Item(string key, string? error) => new() { Id = ItemId.Of(key), Key = key, At = Time.GetUtcNow(), Error = error };

    private async Task<CheckpointReport> Build(ReportScope? scope = null, CheckpointReport? before = null) => await new ReportBuilder(Engine, Time).BuildAsync(scope ?? new(), before, default);
}
