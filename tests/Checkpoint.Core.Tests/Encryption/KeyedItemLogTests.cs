using System.Text;

namespace Checkpoint.Tests;

/// <summary>The outputs of items with a key.</summary>
public sealed class KeyedItemLogTests : EncryptionTest
{
    private const string Secret = "the launch code is 00000000";

    [Theory]
    [InlineData("passphrase")]
    [InlineData("key")]
    [InlineData("certificate")]
    public async Task Outputs_come_back_with_the_key_and_cannot_be_read_in_the_store(string kind)
    {
        var key = KeyOf(kind);
        var large = new TestState("[]", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(Secret, 5000))), isSequence: true);
        using (var journal = await Open(key))
        {
            Done(journal, "a", new TestState($"[\"{Secret}\"]", isSequence: true));
            Done(journal, "b", large);
        }
        using (var journal = await Open(key))
        {
            using var small = journal.OpenOutput(ItemId.Of("a"))!;
            Assert.Contains(Secret, TestState.Read(small).Document, StringComparison.Ordinal);
            small.Complete();
            using var reader = journal.OpenOutput(ItemId.Of("b"))!;
            TestState.AssertEqual(large, TestState.Read(reader));
            reader.Complete();
        }
        foreach (var file in Directory.EnumerateFiles(StageFolder))
            Assert.DoesNotContain("launch code", Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_key_an_output_is_refused_and_the_item_still_counts_as_done()
    {
        using (var journal = await Open(NewKey()))
            Done(journal, "a", TestState.Large(1));
        foreach (var (key, expected) in new (CheckpointKey?, CheckpointErrorKind)[] { (null, CheckpointErrorKind.KeyRequired), (NewKey(), CheckpointErrorKind.KeyWrong), (KeyOf("passphrase"), CheckpointErrorKind.KeyWrong) })
        {
            using var journal = await Open(key);
            Assert.Equal(ItemDecision.Done, journal.Decide(ItemId.Of("a"), retryFailed: false));
            Assert.Equal(expected, Assert.Throws<CheckpointException>(() => journal.OpenOutput(ItemId.Of("a"))).Kind);
        }
    }

    [Theory]
    [InlineData(10)]
    [InlineData(40_000)]
    public async Task The_output_of_one_item_cannot_be_passed_off_as_that_of_another(int size)
    {
        using var log = await With(NewKey()).Store.OpenItemsAsync(Stage, default);
        var output = log.WriteOutput(ItemId.Of("a"), TestState.Large(1, size), default);
        using (var reader = log.OpenOutput(ItemId.Of("a"), output, default))
            TestState.AssertEqual(TestState.Large(1, size), TestState.Read(reader));
        Assert.Throws<InvalidDataException>(() => log.OpenOutput(ItemId.Of("b"), output, default));
        Assert.Throws<InvalidDataException>(() => log.OpenOutput(ItemId.Of("a"), output with { Encryption = output.Encryption! with { DocumentLength = 1 } }, default));
    }

    [Fact]
    public async Task A_plain_output_is_read_with_a_key()
    {
        using (var journal = await Open(null))
            Done(journal, "a", TestState.Large(1));
        using var keyed = await Open(NewKey());
        using var reader = keyed.OpenOutput(ItemId.Of("a"))!;
        Assert.Equal(TestState.Large(1).Blob, TestState.Read(reader).Blob);
    }

    [Fact]
    public async Task The_same_names_in_other_letters_open_the_same_outputs()
    {
        var key = NewKey();
        using (var journal = await Open(key))
            Done(journal, "a", new TestState($"[\"{Secret}\"]", isSequence: true));
        var again = new StageId(Stage.Pipeline.ToUpperInvariant(), Stage.Run?.ToUpperInvariant(), Stage.Name.ToUpperInvariant());
        Assert.NotEqual(Stage.Name, again.Name);

        using var other = new ItemJournal(await With(key).Store.OpenItemsAsync(again, default), Time, null, default);
        using var reader = other.OpenOutput(ItemId.Of("a"))!;

        Assert.Contains(Secret, TestState.Read(reader).Document, StringComparison.Ordinal);
    }

    private async Task<ItemJournal> Open(CheckpointKey? key) => new(await With(key).Store.OpenItemsAsync(Stage, default), Time, null, default);

    private static void Done(ItemJournal journal, string item, TestState output)
    {
        journal.Add(new ItemEntry { Id = ItemId.Of(item), Key = item, At = Noon, Output = journal.Keep(ItemId.Of(item), output, default) });
        journal.Flush();
    }
}
