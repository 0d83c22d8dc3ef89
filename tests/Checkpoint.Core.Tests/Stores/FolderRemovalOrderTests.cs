namespace Checkpoint.Tests;

public sealed class FolderRemovalOrderTests : IDisposable
{
    private static readonly StageId Stage = new("nightly", null, "ingest");

    private readonly string _root = Directory.CreateTempSubdirectory("checkpoint-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task A_clearing_that_is_cut_off_leaves_the_latest_step_the_latest()
    {
        for (var dies = 1; dies <= 5; dies++)
        {
            var store = new FolderStore(Path.Combine(_root, $"store{dies}"));
            for (var step = 1; step <= 5; step++)
                await store.SaveAsync(new CheckpointDraft { Stage = Stage, SavedAt = DateTimeOffset.UnixEpoch }, default);

            using var cut = new CancellationTokenSource();
            var deletions = 0;
            var files = new TestFileSystem
            {
                After = operation =>
                {
                    if (operation.Verb == FileVerb.Delete && ++deletions == dies)
                        cut.Cancel();
                },
            };
            var clearing = new FolderStore(Path.Combine(_root, $"store{dies}"), files);
            if (dies < 5)
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await clearing.RemoveAsync(Stage, null, cut.Token));
            else
                await clearing.RemoveAsync(Stage, null, cut.Token);

            var left = await new FolderStore(Path.Combine(_root, $"store{dies}")).FindAsync(Stage, default);
            Assert.Equal(dies < 5 ? 5L : null, left?.Steps[0]);
        }
    }
}
