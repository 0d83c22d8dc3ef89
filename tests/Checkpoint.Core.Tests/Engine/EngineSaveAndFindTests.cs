namespace Checkpoint.Tests;

/// <summary>Saving with retention, finding, and choosing what to clear.</summary>
public sealed class EngineSaveAndFindTests : EngineTest
{
    private static readonly StageQuery All = new() { Pipeline = NamePattern.Any };

    [Fact]
    public async Task A_save_prunes_what_no_rule_keeps()
    {
        for (var i = 1; i <= 5; i++)
        {
            var (saved, pruned, error) = await Engine.SaveAsync(Draft(TestState.Large(i)), new RetentionPolicy { Keep = 2 }, default);
            Assert.Equal(i, saved.Step);
            Assert.Equal(i > 2 ? 1 : 0, pruned);
            Assert.Null(error);
        }
        Assert.Equal([5L, 4], await Steps());
        Assert.Equal(2, Names(FolderEntryKind.Payload).Count);
    }

    [Fact]
    public async Task The_step_just_saved_stays_though_it_is_lower_than_the_rest()
    {
        for (var i = 10; i <= 14; i++)
            await Save(step: i);
        var (saved, pruned, _) = await Engine.SaveAsync(Draft(TestState.Small("low"), 3), new RetentionPolicy { Keep = 1 }, default);
        Assert.Equal(3, saved.Step);
        Assert.Equal(4, pruned);
        Assert.Equal([14L, 3], await Steps());
        TestState.AssertEqual(TestState.Small("low"), await Restore(3));
    }

    [Fact]
    public async Task An_overwritten_step_is_the_one_just_saved()
    {
        for (var i = 1; i <= 4; i++)
            await Save(step: i);
        await Engine.SaveAsync(Draft(TestState.Small("new"), 2, overwrite: true), new RetentionPolicy { Keep = 1 }, default);
        Assert.Equal([4L, 2], await Steps());
    }

    [Fact]
    public async Task Without_a_rule_nothing_is_pruned()
    {
        for (var i = 0; i < 20; i++)
            await Engine.SaveAsync(Draft(), new RetentionPolicy(), default);
        Assert.Equal(20, (await Steps()).Count);
    }

    [Theory]
    [InlineData("age")]
    [InlineData("rank")]
    [InlineData("best")]
    public async Task What_was_saved_over_an_old_step_while_the_rule_was_weighed_is_not_pruned(string rule)
    {
        await Save(TestState.Small("old"), metadata: new() { ["x"] = 1 });
        await Save(TestState.Small("other"), metadata: new() { ["x"] = 1 });
        Time.Advance(TimeSpan.FromHours(2));
        var store = new DelegatingStore(Store) { BeforeRemove = async () => await Save(TestState.Small("new"), 1, overwrite: true, savedAt: Time.GetUtcNow()) };
        RetentionPolicy policy = rule switch
        {
            "age" => new() { KeepFor = TimeSpan.FromHours(1) },
            "rank" => new() { Keep = 1 },
            _ => new() { KeepBest = 1, By = "x" },
        };
        var (_, pruned, error) = await new CheckpointEngine(store, Time).SaveAsync(Draft(savedAt: Time.GetUtcNow(), metadata: new() { ["x"] = 2 }), policy, default);
        Assert.Null(error);
        Assert.Equal(1, pruned);
        Assert.Equal([3L, 1], await Steps());
        TestState.AssertEqual(TestState.Small("new"), await Restore(1));
    }

    [Fact]
    public async Task What_was_saved_over_an_old_step_since_it_was_chosen_is_not_cleared()
    {
        for (var i = 0; i < 3; i++)
            await Save();
        Time.Advance(TimeSpan.FromHours(2));
        var chosen = await Engine.SelectForClearingAsync((await Store.FindAsync(Stage, default))!, null, TimeSpan.FromHours(1), null, default);
        await Save(TestState.Small("new"), 2, overwrite: true);
        Assert.Equal(2, await Engine.ClearAsync(Stage, chosen, null, default));
        Assert.Equal([2L], await Steps());
    }

    [Fact]
    public async Task A_step_that_was_seen_is_cleared_as_it_was_seen_or_not_at_all()
    {
        var seen = await Save(TestState.Large(1));
        await Save();
        var listing = (await Store.FindAsync(Stage, default))!;
        await Save(TestState.Large(2), 1, overwrite: true);
        Assert.Equal(0, await Engine.ClearAsync(Stage, await Engine.SelectForClearingAsync(listing, [new(seen)], null, null, default), null, default));
        Assert.Equal(0, await Engine.ClearAsync(Stage, await Engine.SelectForClearingAsync(listing, [new(seen)], null, 1, default), null, default));
        TestState.AssertEqual(TestState.Large(2), await Restore(1));

        var now = (await Store.ReadAsync(Stage, 1, default)).Info!;
        Assert.NotEqual(seen.Revision, now.Revision);
        Assert.Equal(1, await Engine.ClearAsync(Stage, [new(now)], null, default));
        Assert.Equal([2L], await Steps());
        Assert.Empty(Names(FolderEntryKind.Payload));
    }

    [Fact]
    public async Task The_age_is_that_of_the_clock_given()
    {
        await Save(savedAt: Noon);
        await Save(savedAt: Noon.AddHours(5));
        Time.Advance(TimeSpan.FromHours(6));
        await Engine.SaveAsync(Draft(savedAt: Time.GetUtcNow()), new RetentionPolicy { KeepFor = TimeSpan.FromHours(2) }, default);
        Assert.Equal([3L, 2], await Steps());
    }

    [Fact]
    public async Task Damaged_steps_are_not_pruned_and_take_no_place()
    {
        for (var i = 1; i <= 4; i++)
            await Save(step: i);
        DamageRecord(4);
        DamageRecord(1);
        await Engine.SaveAsync(Draft(), new RetentionPolicy { Keep = 2 }, default);
        Assert.Equal([5L, 4, 3, 1], await Steps());
    }

    [Fact]
    public async Task Only_the_stage_that_was_saved_is_pruned()
    {
        var other = new StageId("nightly", "7", "ingest");
        for (var i = 0; i < 3; i++)
            await Save(stage: other);
        await Save();
        await Engine.SaveAsync(Draft(), new RetentionPolicy { Keep = 1 }, default);
        Assert.Equal(3, (await Steps(other)).Count);
        Assert.Equal([2L], await Steps());
    }

    [Fact]
    public async Task A_save_whose_pruning_fails_is_saved_and_says_so()
    {
        await Save();
        var failing = new DelegatingStore(Store) { BeforeRemove = () => throw CheckpointErrors.FromIO(Fault.AccessDenied.Make(), Root, "Clearing", "ingest") };
        var (saved, pruned, error) = await new CheckpointEngine(failing, Time).SaveAsync(Draft(), new RetentionPolicy { Keep = 1 }, default);
        Assert.Equal(2, saved.Step);
        Assert.Equal(0, pruned);
        Assert.Equal(CheckpointErrorKind.StoreAccessDenied, error!.Kind);
        Assert.Equal([2L, 1], await Steps());
    }

    [Fact]
    public async Task A_save_that_fails_prunes_nothing()
    {
        await Save();
        await Save();
        await Assert.ThrowsAsync<CheckpointException>(async () => await Engine.SaveAsync(Draft(step: 1), new RetentionPolicy { Keep = 1 }, default));
        Assert.Equal([2L, 1], await Steps());
    }

    [Fact]
    public async Task Metadata_that_cannot_be_kept_is_an_error_that_names_it_and_the_checkpoint()
    {
        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await Engine.SaveAsync(Draft(TestState.Large(1), metadata: new() { ["bad"] = new object() }), new RetentionPolicy(), default));
        Assert.Equal(CheckpointErrorKind.StateNotSerializable, error.Kind);
        foreach (var part in new[] { "metadata.bad", "'ingest'", Root })
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Equal("ingest", error.Target);
        Assert.Empty(Temp.Files());
    }

    [Fact]
    public async Task Of_each_stage_the_newest_intact_checkpoint_is_found_and_damage_beside_it()
    {
        for (var i = 0; i < 4; i++)
            await Save();
        await Save(stage: new StageId("nightly", null, "report"));
        DamageRecord(4);
        DamageRecord(3);
        var found = await Find(null, allSteps: false);
        Assert.Equal(["damage", "damage", "ingest 2", "report 1"], found);
    }

    [Fact]
    public async Task All_steps_are_found_newest_first_and_damage_in_its_place()
    {
        for (var i = 0; i < 4; i++)
            await Save();
        DamageRecord(3);
        Assert.Equal(["ingest 4", "damage", "ingest 2", "ingest 1"], await Find(null, allSteps: true));
    }

    [Fact]
    public async Task The_steps_named_are_found_and_those_that_are_not_there_are_none()
    {
        for (var i = 0; i < 4; i++)
            await Save();
        DamageRecord(3);
        Assert.Equal(["ingest 4", "damage", "ingest 1"], await Find([1, 3, 4, 99], allSteps: false));
        Assert.Empty(await Find([99], allSteps: false));
    }

    [Fact]
    public async Task A_step_that_vanishes_while_it_is_found_is_passed_over()
    {
        for (var i = 0; i < 3; i++)
            await Save();
        var store = new DelegatingStore(Store) { BeforeRead = async step => await Store.RemoveAsync(Stage, [step], default) };
        var found = new List<CheckpointReading>();
        await foreach (var reading in new CheckpointEngine(store, Time).FindAsync(All, null, allSteps: true, default))
            found.Add(reading);
        Assert.Equal(3, Assert.Single(found).Info!.Step);
    }

    [Fact]
    public async Task All_steps_are_cleared_where_nothing_is_said_damaged_ones_too()
    {
        for (var i = 0; i < 3; i++)
            await Save();
        DamageRecord(2);
        Assert.Equal([3L, 2, 1], await Select());
        Assert.Equal([2L, 1], await Select(steps: [1, 2, 99]));
        Assert.Equal(3, await Engine.ClearAsync(Stage, [3, 2, 1], null, default));
        Assert.Empty(await Steps());
    }

    [Fact]
    public async Task What_is_older_is_cleared_and_what_is_just_so_old_or_damaged_is_not()
    {
        for (var i = 0; i < 4; i++)
            await Save(savedAt: Noon.AddHours(i));
        DamageRecord(1);
        Time.Advance(TimeSpan.FromHours(4));
        Assert.Equal([2L], await Select(olderThan: TimeSpan.FromHours(2)));
        Assert.Empty(await Select(olderThan: TimeSpan.FromHours(3)));
        Assert.Equal([4L, 3, 2], await Select(olderThan: TimeSpan.Zero));
        Assert.Equal([3L, 2], await Select(olderThan: TimeSpan.FromMinutes(90), steps: [1, 2, 3, 4]));
        Assert.Equal([3L], await Select(olderThan: TimeSpan.FromMinutes(90), steps: [3, 4]));
    }

    [Fact]
    public async Task The_newest_intact_are_kept_and_damaged_ones_take_no_place()
    {
        for (var i = 0; i < 6; i++)
            await Save(savedAt: Noon.AddHours(i));
        DamageRecord(6);
        DamageRecord(4);
        Assert.Equal([2L, 1], await Select(keep: 2));
        Assert.Equal([3L, 2, 1], await Select(keep: 1));
        Assert.Empty(await Select(keep: 4));
        Assert.Equal([1L], await Select(keep: 2, steps: [1, 5, 6]));
        Time.Advance(TimeSpan.FromHours(6));
        Assert.Equal([1L], await Select(keep: 2, olderThan: TimeSpan.FromHours(5)));
    }

    private async Task<List<string>> Find(IReadOnlyCollection<long>? steps, bool allSteps)
    {
        var found = new List<string>();
        await foreach (var reading in Engine.FindAsync(All, steps, allSteps, default))
            found.Add(reading.Info is { } info ? $"{info.Name} {info.Step}" : "damage");
        return found;
    }

    private async Task<IEnumerable<long>> Select(IReadOnlyCollection<DoomedStep>? steps = null, TimeSpan? olderThan = null, int? keep = null) =>
        (await Engine.SelectForClearingAsync((await Store.FindAsync(Stage, default))!, steps, olderThan, keep, default)).Select(s => s.Step);
}
