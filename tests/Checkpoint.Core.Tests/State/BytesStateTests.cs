namespace Checkpoint.Tests;

/// <summary>A byte[] that is streamed into the store and out of it.</summary>
public sealed class BytesStateTests : EngineTest
{
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(StateWriter.BlobThreshold - 1)]
    [InlineData(StateWriter.BlobThreshold)]
    [InlineData((5 << 20) + 7)]
    public async Task It_comes_back_byte_for_byte_with_a_key_and_without(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        foreach (var key in new[] { null, new RawKey(new byte[32]) })
        {
            var engine = new CheckpointEngine(Store, Time, key: key);
            var stage = new StageId("p", null, key is null ? "plain" : "sealed");
            await engine.SaveAsync(new CheckpointDraft { Stage = stage, State = new BytesState(length, () => new MemoryStream(bytes)), SavedAt = Time.GetUtcNow() }, new RetentionPolicy(), default);
            var restored = await engine.RestoreAsync(stage, null, reader => StateDocument.Read(reader, default), null, default);
            using var output = new MemoryStream();
            restored.State!.WriteRaw(output, LineEnding.OfSystem, () => engine.Store.OpenStateAsync(restored.Checkpoint, null, default).AsTask().Result, default);
            Assert.Equal(bytes, output.ToArray());
        }
    }

    [Theory]
    [InlineData(10, 11)]
    [InlineData(10, 9)]
    [InlineData(100_000, 100_001)]
    [InlineData(100_000, 99_999)]
    public async Task A_file_that_changes_while_it_is_read_is_not_saved(int said, int there)
    {
        var stage = new StageId("p", null, "s");
        await Assert.ThrowsAsync<InvalidArgumentException>(async () =>
            await Engine.SaveAsync(new CheckpointDraft { Stage = stage, State = new BytesState(said, () => new MemoryStream(new byte[there])), SavedAt = Time.GetUtcNow() }, new RetentionPolicy(), default));
        Assert.Null(await Store.FindAsync(stage, default));
    }
}
