using System.Text.Json;

namespace Checkpoint.Tests;

/// <summary>What Restore-Checkpoint gives, and what it never gives.</summary>
public sealed class RestoreTests : EngineTest
{
    public static TheoryData<Type> DecoderErrors => [typeof(JsonException), typeof(InvalidDataException), typeof(FormatException), typeof(InvalidOperationException), typeof(OverflowException), typeof(ArgumentException), typeof(IndexOutOfRangeException), typeof(KeyNotFoundException)];

    [Fact]
    public async Task The_latest_step_is_restored_or_the_one_named()
    {
        for (var i = 1; i <= 3; i++)
            await Save(TestState.Large(i));
        var restored = await Try();
        Assert.Equal(3, restored.Checkpoint.Step);
        TestState.AssertEqual(TestState.Large(3), restored.State);
        Assert.Empty(restored.Damage);
        TestState.AssertEqual(TestState.Large(1), (await Try(1)).State);
    }

    [Fact]
    public async Task What_is_missing_is_an_error_that_says_what_is_there()
    {
        var error = await Fails();
        Assert.Equal(CheckpointErrorKind.CheckpointNotFound, error.Kind);
        Assert.Equal("ingest", error.Target);
        foreach (var part in new[] { "'ingest'", "'nightly'", Root, "Save-Checkpoint" })
            Assert.Contains(part, error.Message, StringComparison.Ordinal);

        foreach (var step in new[] { 1, 2, 4, 5, 6, 7 })
            await Save(TestState.Small("x"), step);
        error = await Fails(3);
        Assert.Equal(CheckpointErrorKind.CheckpointNotFound, error.Kind);
        Assert.Contains("no step 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("7, 6, 5, 4, 2, …", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_record_is_passed_over_with_a_word_of_it()
    {
        for (var i = 1; i <= 3; i++)
            await Save(TestState.Small($"{i}"));
        DamageRecord(3);
        DamageRecord(2);
        var restored = await Try();
        Assert.Equal(1, restored.Checkpoint.Step);
        Assert.Equal(2, restored.Damage.Count);
        Assert.Contains("Step 3", restored.Damage[0].Message, StringComparison.Ordinal);
        Assert.Contains("Step 2", restored.Damage[1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_payload_with_another_content_is_passed_over_with_a_word_of_it()
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2));
        DamagePayload(2);
        var restored = await Try();
        TestState.AssertEqual(TestState.Large(1), restored.State);
        var damage = Assert.Single(restored.Damage);
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, damage.Kind);
        Assert.Contains("SHA-256", damage.Message, StringComparison.Ordinal);
        Assert.Contains("Step 2", damage.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_step_damage_is_an_error_and_never_another_checkpoint()
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2));
        await Save(TestState.Large(3));
        DamagePayload(2);
        DamageRecord(3);
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, (await Fails(2)).Kind);
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, (await Fails(3)).Kind);
        TestState.AssertEqual(TestState.Large(1), (await Try(1)).State);
    }

    [Fact]
    public async Task Where_every_step_is_damaged_the_error_is_of_the_newest()
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2));
        DamagePayload(1);
        DamageRecord(2);
        var error = await Fails();
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, error.Kind);
        Assert.Contains("Step 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_newer_format_is_an_error_and_never_another_checkpoint()
    {
        await Save(TestState.Small("1"));
        await Save(TestState.Small("2"));
        MakeNewer(2);
        Assert.Equal(CheckpointErrorKind.FormatTooNew, (await Fails()).Kind);
        Assert.Equal(CheckpointErrorKind.FormatTooNew, (await Fails(2)).Kind);
    }

    [Fact]
    public async Task Behind_a_damaged_step_a_newer_format_is_an_error_too()
    {
        await Save(TestState.Small("1"));
        await Save(TestState.Small("2"));
        await Save(TestState.Small("3"));
        MakeNewer(2);
        DamageRecord(3);
        Assert.Equal(CheckpointErrorKind.FormatTooNew, (await Fails()).Kind);
    }

    [Fact]
    public async Task A_checkpoint_without_a_state_is_restored_as_nothing_and_its_decoder_is_not_called()
    {
        await Save(TestState.Small("older"));
        await Save();
        var restored = await Engine.RestoreAsync<TestState>(Stage, null, _ => throw new InvalidOperationException("called"), null, default);
        Assert.Null(restored.State);
        Assert.Equal(2, restored.Checkpoint.Step);
        Assert.Null(restored.Checkpoint.StateSize);
    }

    [Theory]
    [MemberData(nameof(DecoderErrors))]
    public async Task A_decoder_that_stumbles_over_damaged_bytes_means_damage_whatever_it_throws(Type type)
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2));
        DamagePayload(2);
        TestState Stumble(StateReader reader) => reader.BlobsLength > 0 && TestState.Read(reader) is { Document: "{\"seed\":1}" } state
            ? state
            : throw (Exception)Activator.CreateInstance(type, "stumbled")!;
        var restored = await Engine.RestoreAsync(Stage, null, Stumble, null, default);
        TestState.AssertEqual(TestState.Large(1), restored.State);
        var damage = Assert.Single(restored.Damage);
        Assert.Equal(type, damage.InnerException!.GetType());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_decoder_that_stumbles_over_the_very_bytes_that_were_saved_never_gives_an_older_state(bool isLarge)
    {
        await Save(TestState.Small("older"));
        await Save(isLarge ? TestState.Large(2, 3_000_000) : TestState.Small("newer"));
        foreach (var step in new long?[] { null, 2 })
        {
            var error = await Assert.ThrowsAsync<CheckpointException>(async () => await Engine.RestoreAsync<TestState>(Stage, step, _ => throw new InvalidOperationException("a bug."), null, default));
            Assert.Equal(CheckpointErrorKind.CheckpointDamaged, error.Kind);
            Assert.Contains("byte for byte, what was saved, and yet its state cannot be read: a bug (", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_the_progress_throws_is_the_callers_own_and_no_damage()
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2, 3_000_000));
        foreach (var thrown in new Exception[] { new InvalidOperationException("stop"), new IOException("stop") })
            Assert.Same(thrown, await Assert.ThrowsAnyAsync<Exception>(async () => await Engine.RestoreAsync(Stage, null, TestState.Read, (_, _) => throw thrown, default)));
    }

    [Fact]
    public async Task A_state_that_is_not_read_in_full_is_not_given_out()
    {
        await Save(TestState.Large(1));
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, (await Assert.ThrowsAsync<CheckpointException>(async () => await Engine.RestoreAsync(Stage, null, _ => "not read", null, default))).Kind);
    }

    [Fact]
    public async Task Cancellation_is_cancellation_and_no_damage()
    {
        await Save(TestState.Large(1, 3_000_000));
        using var source = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Engine.RestoreAsync(
            Stage,
            null,
            reader =>
            {
                Span<byte> document = stackalloc byte[100];
                while (reader.ReadDocument(document) > 0)
                {
                }
                reader.ReadBlob(new byte[reader.BlobsLength], source.Token);
                return 1;
            },
            (_, _) => source.Cancel(),
            source.Token));
    }

    [Fact]
    public async Task Progress_tells_the_bytes_read_and_the_bytes_in_all()
    {
        var saved = await Save(TestState.Large(1, 5_000_000));
        var told = new List<(long Read, long Total)>();
        await Engine.RestoreAsync(Stage, null, TestState.Read, (read, total) => told.Add((read, total)), default);
        Assert.True(told.Count > 3);
        Assert.Equal(told.Select(t => t.Read).Order(), told.Select(t => t.Read));
        Assert.All(told, t => Assert.Equal(saved.StateSize, t.Total));
        Assert.Equal(saved.StateSize, told[^1].Read);
    }

    [Fact]
    public async Task Steps_that_vanish_while_they_are_read_are_looked_for_anew()
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2));
        var store = new DelegatingStore(Store);
        store.BeforeRead = async _ =>
        {
            store.BeforeRead = null;
            await SaveElsewhere(3, 1, 2);
        };
        var restored = await new CheckpointEngine(store, Time).RestoreAsync(Stage, null, TestState.Read, null, default);
        TestState.AssertEqual(TestState.Large(3), restored.State);
        Assert.Empty(restored.Damage);
    }

    [Fact]
    public async Task An_older_step_is_not_given_where_the_newer_one_vanished_because_a_still_newer_was_saved()
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2));
        var store = new DelegatingStore(Store);
        store.BeforeRead = async _ =>
        {
            // As -KeepBest prunes: 2 goes, 1 stays.
            store.BeforeRead = null;
            await SaveElsewhere(3, 2);
        };
        TestState.AssertEqual(TestState.Large(3), (await new CheckpointEngine(store, Time).RestoreAsync(Stage, null, TestState.Read, null, default)).State);
    }

    [Fact]
    public async Task A_payload_that_vanishes_between_the_record_and_its_opening_is_no_damage_where_a_newer_step_was_saved()
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2));
        var store = new DelegatingStore(Store);
        store.BeforeOpen = async () =>
        {
            store.BeforeOpen = null;
            await SaveElsewhere(3, 1, 2);
        };
        var restored = await new CheckpointEngine(store, Time).RestoreAsync(Stage, null, TestState.Read, null, default);
        TestState.AssertEqual(TestState.Large(3), restored.State);
        Assert.Empty(restored.Damage);
    }

    [Fact]
    public async Task A_named_step_that_is_overwritten_between_its_record_and_its_payload_is_the_new_one()
    {
        await Save(TestState.Large(1));
        var store = new DelegatingStore(Store);
        store.BeforeOpen = async () =>
        {
            store.BeforeOpen = null;
            await Store.SaveAsync(Draft(TestState.Large(2), 1, overwrite: true), default);
        };
        TestState.AssertEqual(TestState.Large(2), (await new CheckpointEngine(store, Time).RestoreAsync(Stage, 1, TestState.Read, null, default)).State);
    }

    [Fact]
    public async Task A_named_step_that_is_removed_while_it_is_read_is_not_found()
    {
        await Save(TestState.Large(1));
        await Save(TestState.Large(2));
        var store = new DelegatingStore(Store) { BeforeOpen = async () => await Store.RemoveAsync(Stage, [1], default) };
        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await new CheckpointEngine(store, Time).RestoreAsync(Stage, 1, TestState.Read, null, default));
        Assert.Equal(CheckpointErrorKind.CheckpointNotFound, error.Kind);
    }

    [Fact]
    public async Task A_stage_that_vanishes_for_ever_is_given_up_in_the_end()
    {
        var store = new DelegatingStore(Store)
        {
            BeforeFind = async () => await Save(TestState.Large(1)),
            BeforeRead = async _ => await Store.RemoveAsync(Stage, null, default),
        };
        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await new CheckpointEngine(store, Time).RestoreAsync(Stage, null, TestState.Read, null, default));
        Assert.Equal(CheckpointErrorKind.CheckpointNotFound, error.Kind);
        Assert.InRange(store.Finds, 2, 50);
    }

    private async Task SaveElsewhere(int seed, params long[] removed)
    {
        var other = new FolderStore(Root, new TestFileSystem());
        await other.SaveAsync(Draft(TestState.Large(seed)), default);
        await other.RemoveAsync(Stage, removed.Select(step => new DoomedStep(step)).ToList(), default);
    }

    private async Task<RestoredState<TestState>> Try(long? step = null) => await Engine.RestoreAsync(Stage, step, TestState.Read, null, default);

    private Task<CheckpointException> Fails(long? step = null) => Assert.ThrowsAsync<CheckpointException>(() => Try(step));
}
