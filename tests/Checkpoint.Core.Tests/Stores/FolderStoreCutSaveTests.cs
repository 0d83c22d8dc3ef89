namespace Checkpoint.Tests;

public sealed class FolderStoreCutSaveTests : StoreTest
{
    [Fact]
    public async Task Progress_tells_the_bytes_of_the_payload_as_they_are_written()
    {
        var told = new List<long>();
        var saved = await Store.SaveAsync(new CheckpointDraft { Stage = Stage, SavedAt = Noon, State = TestState.Large(1, 5_000_000), Progress = told.Add }, default);
        Assert.True(told.Count > 3);
        Assert.Equal(told.Order(), told);
        Assert.Equal(saved.StateSize, told[^1]);
    }

    [Fact]
    public async Task A_save_that_is_cancelled_before_it_begins_saves_nothing()
    {
        foreach (var state in new[] { null, TestState.Small("x"), TestState.Large(1) })
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.SaveAsync(Draft(state), new CancellationToken(true)));
        Assert.Empty(Temp.Files());
    }

    [Fact]
    public async Task A_save_that_is_cancelled_while_it_writes_leaves_the_store_as_it_was()
    {
        await Save(TestState.Large(1));
        var before = Temp.Files();
        using var source = new CancellationTokenSource();
        var draft = new CheckpointDraft { Stage = Stage, SavedAt = Noon, State = TestState.Large(2, 8_000_000), Progress = _ => source.Cancel() };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.SaveAsync(draft, source.Token));
        Assert.Equal(before, Temp.Files());
    }

    [Theory]
    [InlineData(FileVerb.CreateFile)]
    [InlineData(FileVerb.Write)]
    [InlineData(FileVerb.Flush)]
    [InlineData(FileVerb.OpenDirectory)]
    [InlineData(FileVerb.LockDirectory)]
    [InlineData(FileVerb.Scan)]
    [InlineData(FileVerb.RenameNew)]
    [InlineData(FileVerb.FlushDirectory)]
    public async Task A_save_that_is_cancelled_at_any_time_is_saved_in_full_or_not_at_all(FileVerb verb)
    {
        for (var time = 1; time <= 2; time++)
        {
            foreach (var state in new[] { TestState.Small("new"), TestState.Large(2) })
            {
                var root = Path.Join(Temp.Path, $"{verb} {time} {state.Blob.Length}");
                await new FolderStore(root, new TestFileSystem()).SaveAsync(Draft(TestState.Large(1)), default);
                using var source = new CancellationTokenSource();
                var files = new TestFileSystem();
                files.Before = o =>
                {
                    if (o.Verb == verb && files.Count(verb) == time)
                        source.Cancel();
                };
                var isSaved = true;
                try
                {
                    await new FolderStore(root, files).SaveAsync(Draft(state), source.Token);
                }
                catch (OperationCanceledException)
                {
                    isSaved = false;
                }
                var store = new FolderStore(root);
                Assert.Equal(isSaved ? [2L, 1] : [1L], (await store.FindAsync(Stage, default))!.Steps);
                TestState.AssertEqual(isSaved ? state : TestState.Large(1), await Restore(store));
                Assert.DoesNotContain(Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories), f => f.EndsWith(FolderLayout.TemporarySuffix, StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public async Task A_state_that_cannot_be_written_leaves_nothing_behind()
    {
        foreach (var before in new[] { 0, 200_000 })
            await Assert.ThrowsAsync<NotSupportedException>(async () => await Store.SaveAsync(Draft(new BrokenState(before)), default));
        Assert.Empty(Temp.Files());
    }

    [Fact]
    public async Task A_record_that_would_be_too_long_to_read_is_not_written()
    {
        var draft = Draft(TestState.Large(1), metadata: new() { ["text"] = new string('x', RecordFormat.MaxLength) });
        var error = await Assert.ThrowsAsync<CheckpointException>(async () => await new CheckpointEngine(Store).SaveAsync(draft, new RetentionPolicy(), default));
        Assert.Equal(CheckpointErrorKind.StateNotSerializable, error.Kind);
        Assert.Contains("metadata", error.Message, StringComparison.Ordinal);
        Assert.Empty(Temp.Files());

        draft = new CheckpointDraft
        {
            Stage = Stage,
            SavedAt = draft.SavedAt,
            Fingerprint = FingerprintHash.Combine(new Dictionary<string, byte[]> { [new string('x', RecordFormat.MaxLength)] = FingerprintHash.Bytes([]) }),
            Metadata = new(new Dictionary<string, object?> { ["small"] = 1 }),
        };
        error = await Assert.ThrowsAsync<CheckpointException>(async () => await new CheckpointEngine(Store).SaveAsync(draft, new RetentionPolicy(), default));
        Assert.Contains(": fingerprint cannot be kept", error.Message, StringComparison.Ordinal);

        await Save(metadata: new() { ["text"] = new string('x', RecordFormat.MaxLength - 1000) });
        Assert.Equal(RecordFormat.MaxLength - 1000, ((string)(await Store.ReadAsync(Stage, 1, default)).Info!.Metadata["text"]!).Length);
    }

    private sealed class BrokenState(int before) : IStateSource
    {
        public bool IsSequence => false;

        public void WriteTo(StateWriter writer, CancellationToken cancellation)
        {
            for (var written = 0; written < before; written += 1000)
            {
                writer.GetSpan(1000)[..1000].Fill((byte)' ');
                writer.Advance(1000);
            }
            throw new NotSupportedException("broken");
        }
    }
}
