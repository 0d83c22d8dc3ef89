using System.Text;

namespace Checkpoint.Tests;

public class HistoryChainTests : IntegrityTest
{
    [Theory]
    [InlineData("1 2 x 4 5 6", "Error 3 was changed")]
    [InlineData("x 2 3 4 5 6", "Error 1 was changed")]
    [InlineData("1 2 4 5 6", "Error 3 line 3 was removed")]
    [InlineData("3 4 5 6", "Error 1 lines 1 to 2 were removed")]
    [InlineData("1 2 4 3 5 6", "Error 3 line 3 was removed", "Error 4 stands out of its place")]
    [InlineData("1 2 3 2 4 5 6", "Error 4 stands out of its place")]
    [InlineData("1 2 c 4 5 6", "Error 3 was changed")]
    [InlineData("1 2 n 4 5 6", "Error 3 lines 3 to 98 were removed, or this one was changed")]
    [InlineData("1 2 j 4 5 6", "Error 3 was changed", "Error 4 line 3 was removed")]
    [InlineData("1 2 f 3 4 5 6", "Error 3 is not in the chain")]
    [InlineData("1 2 3 4 5 X", "Error 6 was changed, with its chain")]
    [InlineData("1 2 t 3 4 5 6", "Information 3")]
    [InlineData("1 2 3 4", "Warning 2 lines are missing")]
    [InlineData("", "Warning 6 lines are missing")]
    public async Task Each_way_to_forge_a_history_is_found_and_named(string lines, params string[] expected)
    {
        await Fill();
        var whole = await File.ReadAllLinesAsync(HistoryPath);
        Assert.Equal(6, whole.Length);
        var forged = lines.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(l => l switch
        {
            "x" => whole[lines[0] == 'x' ? 0 : 2].Replace("\"event\":\"Sa", "\"event\":\"Xa", StringComparison.Ordinal),
            "c" => whole[2][..^10] + (whole[2][^10] == '0' ? "1" : "0") + whole[2][^9..],
            "n" => whole[2].Replace("\"number\":3", "\"number\":99", StringComparison.Ordinal),
            "j" => "what" + whole[2][..^80] + "}",
            "f" => """{"time":"2026-01-01T00:00:00Z","event":"Saved","pipeline":"nightly","host":"h","user":"u","processId":1}""",
            "X" => Forge(whole[4], whole[5].Replace("StageStarted", "StageSkipped", StringComparison.Ordinal)),
            "t" => whole[2][..50],
            _ => whole[int.Parse(l, System.Globalization.CultureInfo.InvariantCulture) - 1],
        });
        await File.WriteAllTextAsync(HistoryPath, string.Concat(forged.Select(l => l + "\n")));

        var found = await Find();

        Assert.Equal(expected.Length, found.Count);
        foreach (var (finding, words) in found.Zip(expected))
        {
            var parts = words.Split(' ', 3);
            Assert.Equal(parts[0], finding.Severity.ToString());
            Assert.Contains(parts[1], finding.Message, StringComparison.Ordinal);
            Assert.Contains(parts.ElementAtOrDefault(2) ?? "", finding.Message, StringComparison.Ordinal);
            if (finding.Severity == FindingSeverity.Error)
                Assert.StartsWith($"Line {parts[1]} of the history", finding.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Every_byte_of_every_line_counts()
    {
        await Fill();
        var whole = await File.ReadAllBytesAsync(HistoryPath);
        for (var at = 0; at < whole.Length; at++)
        {
            Flip(HistoryPath, at);
            Assert.NotEmpty(await Find());
            await File.WriteAllBytesAsync(HistoryPath, whole);
        }
    }

    [Fact]
    public async Task Lines_lost_at_the_end_stay_named_when_others_follow_and_are_no_error()
    {
        await Fill();
        var whole = await File.ReadAllLinesAsync(HistoryPath);
        await File.WriteAllTextAsync(HistoryPath, string.Concat(whole[..4].Select(l => l + "\n")));
        Assert.Equal(["Warning HistoryCut nightly/history.jsonl"], await Verify());

        await new CheckpointEngine(Store).SaveAsync(Draft(), new RetentionPolicy(), default);

        var found = Assert.Single(await Find());
        Assert.Equal((FindingSeverity.Warning, StoreFindingKind.HistoryBroken), (found.Severity, found.Kind));
        Assert.Contains("lines 5 to 6 were removed", found.Message, StringComparison.Ordinal);
        Assert.Contains("loss of power", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_history_that_is_gone_altogether_is_found()
    {
        await Fill();
        File.Delete(HistoryPath);

        Assert.Equal(["Warning HistoryCut nightly/history.head"], await Verify());
    }

    [Fact]
    public async Task A_head_that_is_missing_is_found_and_one_that_is_behind_is_not()
    {
        await Fill();
        var head = await File.ReadAllTextAsync(HeadPath);
        await File.WriteAllTextAsync(HeadPath, $"{ChainOf((await File.ReadAllLinesAsync(HistoryPath))[2])} {3:D19}\n");
        Assert.Empty(await Verify());
        File.Delete(HeadPath);
        Assert.Equal(["Warning HistoryHead nightly/history.jsonl"], await Verify());
        await File.WriteAllTextAsync(HeadPath, head[..^5]);
        Own();
        Assert.Equal(["Warning HistoryHead nightly/history.jsonl"], await Verify());
    }

    [Fact]
    public async Task Other_ends_of_lines_are_told_once_and_are_neither_torn_nor_tampering_and_the_chain_goes_on()
    {
        await Fill();
        await File.WriteAllTextAsync(HistoryPath, (await File.ReadAllTextAsync(HistoryPath)).Replace("\n", "\r\n", StringComparison.Ordinal));

        var found = Assert.Single(await Find());
        Assert.Equal((FindingSeverity.Warning, StoreFindingKind.HistoryBroken), (found.Severity, found.Kind));
        Assert.Contains("6 lines of the history end in a carriage return", found.Message, StringComparison.Ordinal);

        await new CheckpointEngine(Store).SaveAsync(Draft(), new RetentionPolicy(), default);
        Assert.Equal(found, Assert.Single(await Find()));

        await File.WriteAllTextAsync(HistoryPath, (await File.ReadAllTextAsync(HistoryPath)).Replace("StageStarted", "StageSkipped", StringComparison.Ordinal));
        Assert.Contains(await Find(), f => f.Severity == FindingSeverity.Error);
    }

    [Fact]
    public async Task The_history_of_another_pipeline_is_found_though_its_chain_is_right()
    {
        await Fill();
        await Store.AppendHistoryAsync("Größe/2", [new CheckpointEvent { Time = Noon, Event = "Saved", Pipeline = "Größe/2" }], default);
        Assert.Empty(await Verify());
        var other = FolderLayout.RunPath(Root, "Größe/2", null);
        File.Copy(HistoryPath, Path.Join(other, FolderLayout.HistoryName), overwrite: true);
        File.Copy(HeadPath, Path.Join(other, FolderLayout.HistoryHeadName), overwrite: true);

        var found = Assert.Single(await Find());

        Assert.Equal((FindingSeverity.Error, StoreFindingKind.HistoryBroken, "größe/2"), (found.Severity, found.Kind, found.Pipeline));
        Assert.Contains("is of another pipeline, 'nightly'", found.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_history_that_is_gone_with_its_head_is_missed_where_there_are_checkpoints(bool isEmptied)
    {
        await Fill();
        File.Delete(HeadPath);
        File.Delete(HistoryPath);
        if (isEmptied)
        {
            await File.WriteAllTextAsync(HistoryPath, "");
            Own();
        }

        Assert.Equal(["Warning HistoryCut nightly"], await Verify());
        Assert.Empty(await Verify(new StoreScope { Name = NamePattern.Of("ingest") }));

        await new CheckpointEngine(Store).SaveAsync(Draft(), new RetentionPolicy(), default);
        Assert.Empty(await Verify());
    }

    [Fact]
    public async Task A_history_whose_head_is_a_link_is_verified_all_the_same()
    {
        if (OperatingSystem.IsWindows())
            return;
        await Fill();
        var outside = Path.Join(Temp.Path, "head");
        File.Move(HeadPath, outside);
        File.CreateSymbolicLink(HeadPath, outside);
        Flip(HistoryPath, 30);

        Assert.Equal(["Error NotAFile nightly/history.head", "Error HistoryBroken nightly/history.jsonl", "Warning HistoryHead nightly/history.jsonl"], await Verify());
    }

    [Theory]
    [InlineData(3, "number of an earlier line")]
    [InlineData(0, "number of none")]
    public async Task A_head_that_was_changed_is_found_and_written_anew(int number, string how)
    {
        await Fill();
        var head = await File.ReadAllTextAsync(HeadPath);
        await File.WriteAllTextAsync(HeadPath, $"{head[..64]} {number:D19}\n");

        var found = Assert.Single(await Find());

        Assert.True(found.Kind == StoreFindingKind.HistoryHead, how);
        Assert.Equal(FindingAction.Rebuilt, (await Store.RepairAsync(found, "x", null, default))?.Action);
        Assert.Equal(head, await File.ReadAllTextAsync(HeadPath));
        Assert.Empty(await Find());
    }

    [Fact]
    public async Task A_head_with_zeros_in_its_number_is_damaged()
    {
        await Fill();
        await File.WriteAllTextAsync(HeadPath, (await File.ReadAllTextAsync(HeadPath))[..^3] + "\0\0\n");

        Assert.Equal(["Warning HistoryHead nightly/history.jsonl"], await Verify());
    }

    [Fact]
    public async Task Zeros_that_a_loss_of_power_left_in_the_place_of_lines_are_not_called_a_change()
    {
        await Fill();
        var whole = await File.ReadAllLinesAsync(HistoryPath);
        // From the middle of line 3 to that of line 4.
        await File.WriteAllTextAsync(HistoryPath, string.Concat(whole[..2].Select(l => l + "\n")) + whole[2][..50] + new string('\0', 250) + whole[3][100..] + "\n" + string.Concat(whole[4..].Select(l => l + "\n")));

        var found = await Find();

        Assert.Equal([StoreFindingKind.HistoryBroken, StoreFindingKind.TornLine], found.Select(f => f.Kind));
        Assert.DoesNotContain(found, f => f.Severity == FindingSeverity.Error);
        Assert.Contains("lines 3 to 4 were removed", found[0].Message, StringComparison.Ordinal);
    }

    private static string ChainOf(string line) => line[^66..^2];

    // What who may write the store can do, but does not think of the head.
    private static string Forge(string before, string line)
    {
        Assert.True(HistoryFormat.TryReadLink(Encoding.UTF8.GetBytes(before), out var link, out _));
        var body = line[..line.IndexOf(",\"chain\"", StringComparison.Ordinal)];
        return $"{body},\"chain\":\"{HistoryFormat.Chain(link.Chain, Encoding.UTF8.GetBytes(body))}\"}}";
    }
}
