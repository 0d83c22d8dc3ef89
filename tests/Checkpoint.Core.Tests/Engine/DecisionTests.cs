using System.Collections.ObjectModel;

namespace Checkpoint.Tests;

/// <summary>When Test-Checkpoint says to skip a stage, and why it says to run it.</summary>
public sealed class DecisionTests : EngineTest
{
    private static readonly CheckpointFingerprint One = Fingerprint(("a", "1"), ("b", "1"));
    private static readonly CheckpointFingerprint Two = Fingerprint(("a", "1"), ("b", "2"), ("c", "3"));

    [Fact]
    public async Task A_completed_stage_is_skipped()
    {
        await Save(step: 3);
        var decision = await Decide();
        Assert.Equal(StageDecision.Skip, decision.Decision);
        Assert.Equal(DecisionCause.Completed, decision.Cause);
        Assert.Equal("ingest", decision.Name);
        Assert.Equal(3, decision.Checkpoint!.Step);
        Assert.Contains("2026-03-01 12:00:00Z", decision.Reason, StringComparison.Ordinal);
        Assert.Empty(decision.Changed);
        Assert.Empty(decision.Damage);
    }

    [Fact]
    public async Task A_stage_without_a_checkpoint_is_run()
    {
        await Save(stage: new StageId("nightly", "7", "ingest"));
        await Save(stage: new StageId("default", null, "ingest"));
        AssertRun(await Decide(), DecisionCause.NotFound, "no checkpoint");
        Assert.Null((await Decide()).Checkpoint);
    }

    [Fact]
    public async Task A_missing_step_is_not_another_step()
    {
        await Save(step: 1);
        await Save(step: 3);
        AssertRun(await Decide(step: 2), DecisionCause.NotFound, "step 2 is not saved");
        AssertRun(await Decide(step: 4), DecisionCause.NotFound, "step 4 is not saved");
        Assert.Equal(1, (await Decide(step: 1)).Checkpoint!.Step);
    }

    [Fact]
    public async Task Damage_is_no_exception_and_the_newest_intact_checkpoint_counts()
    {
        for (var i = 0; i < 4; i++)
            await Save(TestState.Large(i));
        DamageRecord(4);
        File.Delete(Path.Join(StageFolder, Names(FolderEntryKind.Payload)[2]));
        var decision = await Decide();
        Assert.Equal(StageDecision.Skip, decision.Decision);
        Assert.Equal(2, decision.Checkpoint!.Step);
        Assert.Equal(2, decision.Damage.Count);
        Assert.Contains("Step 4", decision.Damage[0].Message, StringComparison.Ordinal);
        Assert.Contains("Step 3", decision.Damage[1].Message, StringComparison.Ordinal);
        Assert.All(decision.Damage, d => Assert.Equal(CheckpointErrorKind.CheckpointDamaged, d.Kind));
    }

    [Fact]
    public async Task Where_no_checkpoint_is_intact_the_stage_is_run()
    {
        await Save();
        await Save();
        DamageRecord(1);
        await File.WriteAllTextAsync(RecordPath(2), "");
        var decision = await Decide();
        AssertRun(decision, DecisionCause.Damaged, "no intact checkpoint");
        Assert.Equal(2, decision.Damage.Count);
        Assert.Null(decision.Checkpoint);
    }

    [Fact]
    public async Task A_named_step_that_is_damaged_is_not_replaced_by_another()
    {
        await Save();
        await Save();
        DamageRecord(2);
        AssertRun(await Decide(step: 2), DecisionCause.Damaged, "no intact checkpoint");
        Assert.Single((await Decide(step: 2)).Damage);
    }

    [Fact]
    public async Task A_temporary_file_or_a_payload_alone_does_not_count()
    {
        Directory.CreateDirectory(StageFolder);
        await File.WriteAllTextAsync(Path.Join(StageFolder, FolderLayout.NewTemporaryName()), "{}");
        await File.WriteAllTextAsync(Path.Join(StageFolder, FolderLayout.NewPayloadName(1)), "{}");
        AssertRun(await Decide(), DecisionCause.NotFound, "");
    }

    [Fact]
    public async Task A_record_of_a_newer_format_is_an_error()
    {
        await Save();
        await Save();
        MakeNewer(2);
        Assert.Equal(CheckpointErrorKind.FormatTooNew, (await Assert.ThrowsAsync<CheckpointException>(() => Decide())).Kind);
        Assert.Equal(CheckpointErrorKind.FormatTooNew, (await Assert.ThrowsAsync<CheckpointException>(() => Decide(step: 2))).Kind);
        Assert.Equal(StageDecision.Skip, (await Decide(step: 1)).Decision);
    }

    [Fact]
    public async Task An_equal_fingerprint_skips_and_another_runs_and_names_what_changed()
    {
        await SaveWith(One);
        Assert.Equal(StageDecision.Skip, (await Decide(fingerprint: Fingerprint(("b", "1"), ("a", "1")))).Decision);
        var decision = await Decide(fingerprint: Two);
        AssertRun(decision, DecisionCause.FingerprintChanged, "b, c");
        Assert.Equal(["b", "c"], decision.Changed.Select(c => c.Part));
        Assert.Equal((One.Parts["b"], Two.Parts["b"]), (decision.Changed[0].SavedHash, decision.Changed[0].CurrentHash));
        Assert.Equal((null, Two.Parts["c"]), (decision.Changed[1].SavedHash, decision.Changed[1].CurrentHash));
        Assert.Equal(1, decision.Checkpoint!.Step);
    }

    [Fact]
    public async Task Without_a_fingerprint_to_compare_any_is_right_and_where_none_was_saved_none_is()
    {
        await SaveWith(One);
        Assert.Equal(StageDecision.Skip, (await Decide()).Decision);
        await Save();
        Assert.Equal(StageDecision.Skip, (await Decide()).Decision);
        AssertRun(await Decide(fingerprint: One), DecisionCause.FingerprintChanged, "without a fingerprint");
    }

    [Fact]
    public async Task An_older_checkpoint_with_the_right_fingerprint_does_not_count()
    {
        await SaveWith(One);
        await SaveWith(Two);
        AssertRun(await Decide(fingerprint: One), DecisionCause.FingerprintChanged, "");
        Assert.Equal(2, (await Decide(fingerprint: One)).Checkpoint!.Step);
        Assert.Equal(StageDecision.Skip, (await Decide(step: 1, fingerprint: One)).Decision);
    }

    [Fact]
    public async Task A_checkpoint_is_too_old_when_it_is_older_than_was_asked_and_not_when_just_so_old()
    {
        await Save();
        var hour = TimeSpan.FromHours(1);
        Time.Advance(hour);
        Assert.Equal(StageDecision.Skip, (await Decide(maxAge: hour)).Decision);
        Time.Advance(TimeSpan.FromTicks(1));
        AssertRun(await Decide(maxAge: hour), DecisionCause.Expired, "2026-03-01 12:00:00Z");
        Assert.Equal(1, (await Decide(maxAge: hour)).Checkpoint!.Step);
        Assert.Equal(StageDecision.Skip, (await Decide()).Decision);
        Assert.Equal(StageDecision.Skip, (await Decide(maxAge: TimeSpan.MaxValue)).Decision);
    }

    [Fact]
    public async Task A_checkpoint_of_the_future_is_not_too_old()
    {
        await Save(savedAt: Noon.AddDays(1));
        Assert.Equal(StageDecision.Skip, (await Decide(maxAge: TimeSpan.Zero)).Decision);
    }

    [Fact]
    public async Task An_output_file_that_is_as_it_was_skips()
    {
        await SaveWithOutput(Temp.Write("out/a", "content"), Temp.Write("out/b", ""));
        Assert.Equal(StageDecision.Skip, (await Decide()).Decision);
    }

    [Fact]
    public async Task An_output_file_with_another_time_and_the_same_content_skips()
    {
        var file = Temp.Write("out/a", "content");
        await SaveWithOutput(file);
        File.SetLastWriteTimeUtc(file, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal(StageDecision.Skip, (await Decide()).Decision);
    }

    [Fact]
    public async Task An_output_file_of_the_same_size_and_time_is_not_read()
    {
        var file = Temp.Write("out/a", "content");
        await SaveWithOutput(file);
        var time = File.GetLastWriteTimeUtc(file);
        await File.WriteAllTextAsync(file, "CONTENT");
        File.SetLastWriteTimeUtc(file, time);
        Assert.Equal(StageDecision.Skip, (await Decide()).Decision);
    }

    [Fact]
    public async Task An_output_file_that_changed_or_is_gone_runs_and_is_named()
    {
        var file = Temp.Write("out/a", "content");
        var other = Temp.Write("out/b", "other");
        await SaveWithOutput(file, other);

        await File.WriteAllTextAsync(other, "OTHER");
        File.SetLastWriteTimeUtc(other, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        AssertRun(await Decide(), DecisionCause.OutputChanged, $"'{other}' has another content");

        await File.WriteAllTextAsync(file, "content and more");
        AssertRun(await Decide(), DecisionCause.OutputChanged, $"'{file}' has 16 bytes and had 7");

        File.Delete(file);
        AssertRun(await Decide(), DecisionCause.OutputChanged, $"'{file}' is missing");

        Directory.CreateDirectory(file);
        AssertRun(await Decide(), DecisionCause.OutputChanged, $"'{file}' is missing");
        Assert.Equal(1, (await Decide()).Checkpoint!.Step);
    }

    [Fact]
    public async Task Of_several_causes_the_fingerprint_comes_first_then_the_age_then_the_files()
    {
        var file = Temp.Write("out/a", "content");
        await Store.SaveAsync(new CheckpointDraft { Stage = Stage, SavedAt = Noon, Fingerprint = One, OutputFiles = Describe(file) }, default);
        File.Delete(file);
        Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(DecisionCause.FingerprintChanged, (await Decide(fingerprint: Two, maxAge: TimeSpan.Zero)).Cause);
        Assert.Equal(DecisionCause.Expired, (await Decide(fingerprint: One, maxAge: TimeSpan.Zero)).Cause);
        Assert.Equal(DecisionCause.OutputChanged, (await Decide(fingerprint: One, maxAge: TimeSpan.FromDays(1))).Cause);
    }

    [Fact]
    public async Task Output_files_are_found_again_when_they_move_together_with_the_store()
    {
        await SaveWithOutput(Temp.Write("out/a", "content"));
        using var elsewhere = new TempFolder();
        foreach (var file in Temp.Files())
            elsewhere.Write(file.Key, "");
        foreach (var file in Temp.Files())
            await File.WriteAllBytesAsync(Path.Join(elsewhere.Path, file.Key), file.Value);
        File.Delete(Path.Join(Temp.Path, "out", "a"));
        Assert.Equal(DecisionCause.OutputChanged, (await Decide()).Cause);
        var moved = new CheckpointEngine(new FolderStore(Path.Join(elsewhere.Path, "store")), Time);
        Assert.Equal(DecisionCause.Completed, (await moved.DecideAsync(Stage, null, null, null, default)).Cause);
    }

    [Fact]
    public async Task Steps_that_vanish_while_they_are_read_are_looked_for_anew()
    {
        await Save();
        await Save();
        await Save();
        DamageRecord(3);
        var other = new FolderStore(Root);
        var store = new DelegatingStore(Store);
        store.BeforeRead = async step =>
        {
            // What was listed is pruned by another process that has saved a newer step.
            if (step != 2)
                return;
            store.BeforeRead = null;
            await other.SaveAsync(Draft(), default);
            await other.RemoveAsync(Stage, [1, 2, 3], default);
        };
        var decision = await new CheckpointEngine(store, Time).DecideAsync(Stage, null, null, null, default);
        Assert.Equal(DecisionCause.Completed, decision.Cause);
        Assert.Equal(4, decision.Checkpoint!.Step);
        Assert.Empty(decision.Damage);
    }

    [Fact]
    public async Task An_older_step_does_not_count_where_the_newer_one_vanished_because_a_still_newer_was_saved()
    {
        for (var i = 0; i < 4; i++)
            await Save();
        DamageRecord(4);
        var other = new FolderStore(Root);
        var store = new DelegatingStore(Store);
        store.BeforeRead = async step =>
        {
            if (step != 3)
                return;
            // As -KeepBest prunes: 3 goes, 1 and 2 stay.
            store.BeforeRead = null;
            await other.SaveAsync(Draft(), default);
            await other.RemoveAsync(Stage, [3, 4], default);
        };
        var decision = await new CheckpointEngine(store, Time).DecideAsync(Stage, null, null, null, default);
        Assert.Equal(5, decision.Checkpoint!.Step);
    }

    [Fact]
    public async Task A_stage_that_vanishes_for_ever_is_given_up_in_the_end()
    {
        async Task Remove() => await Store.RemoveAsync(Stage, null, default);
        var store = new DelegatingStore(Store)
        {
            BeforeFind = async () =>
            {
                await Remove();
                await Save();
                await Save();
                DamageRecord(2);
            },
            BeforeRead = _ => Remove(),
        };
        var decision = await new CheckpointEngine(store, Time).DecideAsync(Stage, null, null, null, default);
        Assert.Equal(StageDecision.Run, decision.Decision);
        Assert.InRange(store.Finds, 2, 50);
    }

    [Fact]
    public async Task A_decision_takes_its_time_from_the_clock_given_and_no_other()
    {
        await Save(savedAt: Noon);
        Assert.Equal(Noon, Engine.UtcNow);
        Assert.Equal(DecisionCause.Completed, (await Decide(maxAge: TimeSpan.FromMinutes(1))).Cause);
        var onSystemTime = new CheckpointEngine(Store);
        Assert.InRange(onSystemTime.UtcNow, TimeProvider.System.GetUtcNow().AddMinutes(-1), TimeProvider.System.GetUtcNow().AddMinutes(1));
    }

    private static CheckpointFingerprint Fingerprint(params (string Part, string Value)[] parts) =>
        FingerprintHash.Combine(parts.ToDictionary(p => p.Part, p => FingerprintHash.Scalar("string", p.Value)));

    private static ReadOnlyCollection<OutputFile> Describe(params string[] files) => new([.. files.Select(f => OutputFiles.Describe(f, default))]);

    private static void AssertRun(CheckpointDecision decision, DecisionCause cause, string reason)
    {
        Assert.Equal(cause, decision.Cause);
        Assert.Equal(StageDecision.Run, decision.Decision);
        Assert.Contains(reason, decision.Reason, StringComparison.Ordinal);
    }

    private async Task<CheckpointDecision> Decide(long? step = null, CheckpointFingerprint? fingerprint = null, TimeSpan? maxAge = null) =>
        await Engine.DecideAsync(Stage, step, fingerprint, maxAge, default);

    private async Task SaveWith(CheckpointFingerprint fingerprint) =>
        await Store.SaveAsync(new CheckpointDraft { Stage = Stage, SavedAt = Noon, Fingerprint = fingerprint }, default);

    private async Task SaveWithOutput(params string[] files) =>
        await Store.SaveAsync(new CheckpointDraft { Stage = Stage, SavedAt = Noon, OutputFiles = Describe(files) }, default);
}
