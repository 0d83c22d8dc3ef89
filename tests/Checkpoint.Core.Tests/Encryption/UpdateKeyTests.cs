namespace Checkpoint.Tests;

/// <summary>Another key for what is saved.</summary>
public sealed class UpdateKeyTests : EncryptionTest
{
    [Theory]
    [InlineData("passphrase", "key")]
    [InlineData("key", "certificate")]
    [InlineData("certificate", "passphrase")]
    [InlineData("passphrase", "passphrase")]
    public async Task The_new_key_opens_what_the_old_one_did_and_the_state_is_not_written_again(string from, string to)
    {
        var (oldKey, newKey) = (KeyOf(from, "old"), KeyOf(to, "new"));
        await Save(With(oldKey), TestState.Large(1), metadata: new() { ["rows"] = 5 });
        var payload = PayloadPath(1);
        var (bytes, written) = (await File.ReadAllBytesAsync(payload), File.GetLastWriteTimeUtc(payload));
        var before = (await Store.ReadAsync(Stage, 1, default)).Info!;

        Assert.True(await With(oldKey).ChangeTo(newKey).ApplyAsync(Stage, 1, default));

        Assert.Equal(CheckpointErrorKind.KeyWrong, await Fault(With(oldKey)));
        TestState.AssertEqual(TestState.Large(1), await Read(With(newKey)));
        var after = (await With(newKey).Store.ReadAsync(Stage, 1, default)).Info!;
        Assert.Equal(5, after.Metadata["rows"]);
        Assert.Equal((before.SavedAt, before.Host, before.User, before.ProcessId), (after.SavedAt, after.Host, after.User, after.ProcessId));
        Assert.Equal(PayloadPath(1), payload);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(payload));
        Assert.Equal(written, File.GetLastWriteTimeUtc(payload));
        // Done before, as after an interruption, it is done.
        Assert.False(await With(oldKey).ChangeTo(newKey).ApplyAsync(Stage, 1, default));
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Fact]
    public async Task What_is_not_encrypted_or_not_there_stays_so_and_what_the_old_key_does_not_open_is_refused()
    {
        await Save(With(null), TestState.Small("x"));
        await Save(With(NewKey()), TestState.Small("y"));
        var record = await File.ReadAllBytesAsync(RecordPath(1));
        var engine = With(NewKey());
        Assert.False(await engine.ChangeTo(NewKey()).ApplyAsync(Stage, 1, default));
        Assert.False(await engine.ChangeTo(NewKey()).ApplyAsync(Stage, 7, default));
        Assert.Equal(record, await File.ReadAllBytesAsync(RecordPath(1)));
        record = await File.ReadAllBytesAsync(RecordPath(2));
        Assert.Equal(CheckpointErrorKind.KeyWrong, (await Assert.ThrowsAsync<CheckpointException>(() => engine.ChangeTo(NewKey()).ApplyAsync(Stage, 2, default).AsTask())).Kind);
        Assert.Equal(CheckpointErrorKind.KeyRequired, (await Assert.ThrowsAsync<CheckpointException>(() => With(null).ChangeTo(NewKey()).ApplyAsync(Stage, 2, default).AsTask())).Kind);
        Assert.Equal(record, await File.ReadAllBytesAsync(RecordPath(2)));
    }

    [Fact]
    public async Task Members_that_are_not_known_here_are_kept()
    {
        var (oldKey, newKey) = (NewKey(), NewKey());
        await Save(With(oldKey), TestState.Small("x"));
        Edit(RecordPath(1), text => text.Replace("\"status\"", "\"later\": {\"a\": [1.50, \"ß<\"]},\n  \"status\"", StringComparison.Ordinal));
        Assert.True(await With(oldKey).ChangeTo(newKey).ApplyAsync(Stage, 1, default));
        var text = await File.ReadAllTextAsync(RecordPath(1));
        Assert.Contains("\"later\"", text, StringComparison.Ordinal);
        Assert.Contains("1.50", text, StringComparison.Ordinal);
        Assert.Contains("ß<", text, StringComparison.Ordinal);
        TestState.AssertEqual(TestState.Small("x"), await Read(With(newKey)));
    }

    [Fact]
    public async Task An_overwrite_in_between_is_not_undone()
    {
        var (oldKey, newKey) = (NewKey(), NewKey());
        await Save(With(oldKey), TestState.Small("old"));
        var reads = 0;
        var store = new DelegatingStore(Store) { HasHistory = false };
        store.BeforeReplace = async () =>
        {
            if (reads++ == 0)
                await Save(With(oldKey), TestState.Small("new"), 1, overwrite: true);
        };
        Assert.True(await new CheckpointEngine(store, Time, key: oldKey).ChangeTo(newKey).ApplyAsync(Stage, 1, default));
        Assert.Equal(2, reads);
        TestState.AssertEqual(TestState.Small("new"), await Read(With(newKey)));
    }

    [Fact]
    public async Task What_is_cleared_while_its_key_is_changed_does_not_come_back()
    {
        var (oldKey, newKey) = (NewKey(), NewKey());
        await Save(With(oldKey), Output(40_000));
        Task? clearing = null;
        Store = new FolderStore(Root, new TestFileSystem
        {
            Before = o =>
            {
                if (o.Verb == FileVerb.RenameOver && o.Target == RecordPath(1) && clearing is null)
                {
                    clearing = Task.Run(async () => await new FolderStore(Root).RemoveAsync(Stage, null, default));
                    // It waits for the change to end; one that does not is done by then.
                    clearing.Wait(2000);
                }
            },
        });

        await With(oldKey).ChangeTo(newKey).ApplyAsync(Stage, 1, default);
        await clearing!;

        Assert.False(Directory.Exists(StageFolder));
    }

    [Fact]
    public async Task The_outputs_of_items_are_opened_by_the_new_key_too()
    {
        var (oldKey, newKey) = (NewKey(), KeyOf("certificate"));
        using (var journal = await Open(oldKey))
        {
            foreach (var (item, size) in new[] { ("a", 10), ("b", 40_000) })
                journal.Add(new ItemEntry { Id = ItemId.Of(item), Key = item, At = Noon, Output = journal.Keep(ItemId.Of(item), Output(size), default) });
            journal.Add(new ItemEntry { Id = ItemId.Of("c"), Key = "c", At = Noon });
            journal.Add(new ItemEntry { Id = ItemId.Of("d"), Key = "d", At = Noon, Error = "why" });
        }
        Assert.Equal(2, await With(oldKey).ChangeTo(newKey).ApplyToItemsAsync(Stage, default));
        Assert.Equal(0, await With(oldKey).ChangeTo(newKey).ApplyToItemsAsync(Stage, default));
        using (var journal = await Open(newKey))
        {
            Assert.Equal(0, journal.Damaged);
            foreach (var (item, size) in new[] { ("a", 10), ("b", 40_000) })
            {
                using var reader = journal.OpenOutput(ItemId.Of(item))!;
                TestState.AssertEqual(Output(size), TestState.Read(reader));
                reader.Complete();
            }
            Assert.Equal(ItemDecision.Done, journal.Decide(ItemId.Of("c"), retryFailed: false));
            Assert.Equal(ItemDecision.Failed, journal.Decide(ItemId.Of("d"), retryFailed: false));
        }
        Assert.Equal(CheckpointErrorKind.KeyWrong, (await Assert.ThrowsAsync<CheckpointException>(() => With(NewKey()).ChangeTo(NewKey()).ApplyToItemsAsync(Stage, default).AsTask())).Kind);
    }

    [Fact]
    public async Task The_outputs_of_a_stage_whose_long_name_only_its_journal_tells_are_opened_by_the_new_key_too()
    {
        var (oldKey, newKey) = (NewKey(), NewKey());
        var stage = new StageId("Nightly", null, new string('Ä', 150));
        using (var log = await With(oldKey).Store.OpenItemsAsync(stage, default))
            log.Append([new ItemEntry { Id = ItemId.Of("a"), Key = "a", At = Noon, Output = log.WriteOutput(ItemId.Of("a"), Output(40_000), default) }], default);
        StageId? found = null;
        await foreach (var listing in With(oldKey).Store.ListAsync(new StageQuery { Pipeline = NamePattern.Any, Name = NamePattern.Any, WithLeftovers = true }, default))
            found = listing.Stage;
        Assert.Equal(stage, found);

        Assert.Equal(1, await With(oldKey).ChangeTo(newKey).ApplyToItemsAsync(found!, default));

        using var journal = new ItemJournal(await With(newKey).Store.OpenItemsAsync(stage, default), Time, null, default);
        using var reader = journal.OpenOutput(ItemId.Of("a"))!;
        TestState.AssertEqual(Output(40_000), TestState.Read(reader));
    }

    [Fact]
    public async Task The_old_key_opens_nothing_of_a_journal_any_more()
    {
        var (oldKey, newKey) = (NewKey(), NewKey());
        var path = Path.Join(StageFolder, FolderLayout.ItemsName);
        using (var journal = await Open(oldKey))
        {
            foreach (var size in new[] { 10, 20, 40_000 })
                journal.Add(new ItemEntry { Id = ItemId.Of("a"), Key = "a", At = Noon, Output = journal.Keep(ItemId.Of("a"), Output(size), default) });
        }
        // An entry that was damaged is told of as before, and one that a crash cut off.
        var lines = (await File.ReadAllLinesAsync(path)).ToList();
        lines.Insert(2, lines[1].Replace("done", "dane", StringComparison.Ordinal));
        await File.WriteAllTextAsync(path, string.Join('\n', lines) + "\n" + lines[1][..100]);
        var id = await IdOf(oldKey);
        Assert.Contains(id, await File.ReadAllTextAsync(path), StringComparison.Ordinal);

        Assert.Equal(1, await With(oldKey).ChangeTo(newKey).ApplyToItemsAsync(Stage, default));

        var after = await File.ReadAllLinesAsync(path);
        Assert.Equal(lines[0], after[0]);
        Assert.DoesNotContain(after, line => line.Contains(id, StringComparison.Ordinal) && !line.Contains("dane", StringComparison.Ordinal) && line.Length > 100);
        using (var journal = await Open(newKey))
        {
            Assert.Equal(2, journal.Damaged);
            using var reader = journal.OpenOutput(ItemId.Of("a"))!;
            TestState.AssertEqual(Output(40_000), TestState.Read(reader));
            journal.Add(new ItemEntry { Id = ItemId.Of("b"), Key = "b", At = Noon });
        }
        using (var journal = await Open(newKey))
            Assert.Equal(ItemDecision.Done, journal.Decide(ItemId.Of("b"), retryFailed: false));
        Assert.Empty(Names(FolderEntryKind.Temporary));
    }

    [Fact]
    public async Task What_a_third_key_has_encrypted_does_not_keep_the_other_outputs_from_the_new_one()
    {
        var (oldKey, otherKey, newKey) = (NewKey(), NewKey(), NewKey());
        foreach (var (item, key) in new[] { ("a", oldKey), ("b", otherKey), ("c", oldKey) })
        {
            using var journal = await Open(key);
            journal.Add(new ItemEntry { Id = ItemId.Of(item), Key = item, At = Noon, Output = journal.Keep(ItemId.Of(item), Output(10), default) });
        }
        Assert.Equal(CheckpointErrorKind.KeyWrong, (await Assert.ThrowsAsync<CheckpointException>(() => With(oldKey).ChangeTo(newKey).ApplyToItemsAsync(Stage, default).AsTask())).Kind);
        foreach (var (item, key) in new[] { ("a", newKey), ("b", otherKey), ("c", newKey) })
        {
            using var journal = await Open(key);
            using var reader = journal.OpenOutput(ItemId.Of(item))!;
            TestState.AssertEqual(Output(10), TestState.Read(reader));
        }
    }

    [Fact]
    public async Task Where_any_file_operation_fails_no_item_is_lost_and_the_next_call_ends_it()
    {
        var (oldKey, newKey) = (NewKey(), NewKey());
        using (var journal = await Open(oldKey))
        {
            foreach (var (item, size) in new[] { ("a", 10), ("b", 40_000) })
                journal.Add(new ItemEntry { Id = ItemId.Of(item), Key = item, At = Noon, Output = journal.Keep(ItemId.Of(item), Output(size), default) });
        }
        var path = Path.Join(StageFolder, FolderLayout.ItemsName);
        var before = await File.ReadAllBytesAsync(path);
        var (failing, isDone) = (0, false);
        for (; !isDone; failing++)
        {
            Assert.True(failing < 500, "it never ends");
            await File.WriteAllBytesAsync(path, before);
            var at = 0;
            var files = new TestFileSystem { Before = operation => ThrowAt(at++ == failing) };
            var engine = new CheckpointEngine(new DelegatingStore(new FolderStore(Root, files, Time)) { HasHistory = false }, Time, key: oldKey);
            try
            {
                isDone = await engine.ChangeTo(newKey).ApplyToItemsAsync(Stage, default) == 2 && at <= failing;
            }
            catch (CheckpointException e)
            {
                Assert.Equal(CheckpointErrorKind.StoreFull, e.Kind);
            }
            await With(oldKey).ChangeTo(newKey).ApplyToItemsAsync(Stage, default);
            using var journal = await Open(newKey);
            Assert.Equal(0, journal.Damaged);
            foreach (var (item, size) in new[] { ("a", 10), ("b", 40_000) })
            {
                using var reader = journal.OpenOutput(ItemId.Of(item))!;
                TestState.AssertEqual(Output(size), TestState.Read(reader));
            }
        }
        Assert.True(failing > 5, $"only {failing} operations were made to fail");
    }

    [Fact]
    public async Task Where_any_file_operation_fails_the_old_key_or_the_new_one_opens_it_and_the_next_call_ends_it()
    {
        var (oldKey, newKey) = (NewKey(), NewKey());
        await Save(With(oldKey), TestState.Large(1));
        var record = await File.ReadAllBytesAsync(RecordPath(1));
        var (failing, isDone) = (0, false);
        for (; !isDone; failing++)
        {
            Assert.True(failing < 500, "it never ends");
            await File.WriteAllBytesAsync(RecordPath(1), record);
            var at = 0;
            var files = new TestFileSystem { Before = operation => ThrowAt(at++ == failing) };
            var engine = new CheckpointEngine(new DelegatingStore(new FolderStore(Root, files, Time)) { HasHistory = false }, Time, key: oldKey);
            try
            {
                isDone = await engine.ChangeTo(newKey).ApplyAsync(Stage, 1, default) && at <= failing;
            }
            catch (CheckpointException e)
            {
                Assert.Equal(CheckpointErrorKind.StoreFull, e.Kind);
            }
            var envelope = (await Store.ReadAsync(Stage, 1, default)).Info!.Encryption!;
            Assert.True(oldKey.IsOf(envelope.Key) || newKey.IsOf(envelope.Key));
            await With(oldKey).ChangeTo(newKey).ApplyAsync(Stage, 1, default);
            TestState.AssertEqual(TestState.Large(1), await Read(With(newKey)));
        }
        Assert.True(failing > 5, $"only {failing} operations were made to fail");
    }

    // What the journal's entries say of a key.
    private async Task<string> IdOf(RawKey key)
    {
        using var log = await With(key).Store.OpenItemsAsync(Stage, default);
        return log.WriteOutput(ItemId.Of("x"), Output(10), default).Encryption!.Key.Id;
    }

    private static void ThrowAt(bool isDue)
    {
        // ENOSPC.
        if (isDue)
            throw new IOException("No space left on device", OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28);
    }

    // What an item gave is a list always.
    private static TestState Output(int size) => new("[]", TestState.Large(1, size).Blob, isSequence: true);

    private async Task<ItemJournal> Open(CheckpointKey key) => new(await With(key).Store.OpenItemsAsync(Stage, default), Time, null, default);
}
