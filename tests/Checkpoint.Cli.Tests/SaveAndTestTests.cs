namespace Checkpoint.Cli.Tests;

/// <summary>Marking stages complete, asking, and the states that are saved with them.</summary>
public sealed class SaveAndTestTests : CliTest
{
    [Fact]
    public void A_stage_is_complete_when_it_was_saved_and_no_longer_when_it_was_cleared()
    {
        Assert.Equal((1, "", ""), Plain(Call("test", "ingest")));
        Call("save", "ingest").Done();
        Assert.Equal((0, "", ""), Plain(Call("test", "INGEST")));
        Call("clear", "ingest").Done();
        Assert.Equal(1, Call("test", "ingest").ExitCode);
        Call("clear", "ingest").Done();

        static (int, string, string) Plain(ToolResult result) => (result.ExitCode, result.Output, result.Error);
    }

    [Fact]
    public void Why_is_told_where_it_is_asked_for()
    {
        Call("save", "a", "--fingerprint", "year=2026").Done();
        var detailed = Call("test", "a", "--fingerprint", "year=2027", "--detailed");
        Assert.Equal(1, detailed.ExitCode);
        Assert.Matches(@"a\s+Run\s+the fingerprint changed: year", detailed.Output);
        var json = System.Text.Json.JsonDocument.Parse(Call("test", "a", "--fingerprint", "year=2027", "--json").Output).RootElement;
        Assert.Equal("run", json.GetProperty("decision").GetString());
        Assert.Equal("fingerprintChanged", json.GetProperty("cause").GetString());
        Assert.Equal("year", json.GetProperty("changed")[0].GetProperty("part").GetString());
        Assert.Equal(64, json.GetProperty("changed")[0].GetProperty("savedHash").GetString()!.Length);
        Assert.Equal(1, json.GetProperty("checkpoint").GetProperty("step").GetInt64());
    }

    [Fact]
    public void Age_fingerprint_and_output_files_are_asked_for()
    {
        var file = Write("out.csv", "1");
        Call("save", "a", "--output-file", "out.csv", "--fingerprint-file", $"in={file}").Done();
        Assert.Equal(0, Call("test", "a", "--max-age", "7d", "--fingerprint-file", "in=out.csv").ExitCode);
        Assert.Equal(1, Call("test", "a", "--fingerprint", "in=1").ExitCode);
        Write("out.csv", "22");
        var changed = Call("test", "a", "--detailed");
        Assert.Equal(1, changed.ExitCode);
        Assert.Contains("out.csv' has 2 bytes", changed.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"next":12,"rows":[1.5,null,true,"x"],"$t":{}}""")]
    [InlineData("123456789012345678901234567890")]
    [InlineData("\"\"")]
    [InlineData("[]")]
    public void A_state_comes_back_as_the_json_that_was_saved(string json)
    {
        Call("save", "s", "--state", json).Done();
        Assert.Equal(json + "\n", Call("restore", "s").Done());
        CallWith(json, "save", "s", "--state-file", "-").Done();
        Assert.Equal(json + "\n", Call("restore", "s", "--step", "2").Done());
        Write("state.json", json);
        Call("save", "s", "--state-file", "state.json").Done();
        Assert.Equal(json + "\n", Call("restore", "s").Done());
    }

    [Theory]
    [InlineData("""{"sequence":true,"value":[1,{"$datetime":"2026-03-01T00:00:00.0000000Z"}]}""")]
    [InlineData("""{"sequence":false,"value":{"$hashtable":{"d":{"$decimal":"1.50"}},"comparer":"exact"}}""")]
    public void An_exact_document_goes_from_one_stage_to_another_as_it_is(string typed)
    {
        CallWith(typed, "save", "a", "--typed", "--state-file", "-").Done();
        var printed = Call("restore", "a", "--typed").Done();
        Assert.Equal(typed + "\n", printed);
        CallWith(printed, "save", "b", "--typed", "--state-file", "-").Done();
        Assert.Equal(printed, Call("restore", "b", "--typed").Done());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(3_000_000)]
    public void Bytes_come_back_as_they_are(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        File.WriteAllBytes(At("file"), bytes);
        Call("save", "file", "--raw", "--state-file", "file").Done();
        using (var piped = Start(bytes, "save", "piped", "--raw", "--state-file", "-"))
            piped.Wait().Done();
        foreach (var stage in new[] { "file", "piped" })
            Assert.Equal(bytes, Call("restore", stage, "--raw").Bytes);
        Assert.Equal($"\"{Convert.ToBase64String(bytes)}\"\n", Call("restore", "file").Done());
        // In text form too nothing is lost.
        CallWith(Call("restore", "file", "--typed").Done(), "save", "again", "--typed", "--state-file", "-").Done();
        Assert.Equal(bytes, Call("restore", "again", "--raw").Bytes);
    }

    [Fact]
    public void A_text_is_printed_without_quotes_where_that_is_asked_for()
    {
        Call("save", "t", "--state", "a \"b\"", "--raw").Done();
        Assert.Equal("\"a \\\"b\\\"\"\n", Call("restore", "t").Done());
        Assert.Equal(["a \"b\""], Call("restore", "t", "--raw").Lines);
        Call("save", "l", "--state", """["x","y"]""").Done();
        Assert.Equal(["x", "y"], Call("restore", "l", "--raw").Lines);
    }

    [Fact]
    public void Without_a_state_there_is_nothing_to_print()
    {
        Call("save", "a").Done();
        Assert.Equal("", Call("restore", "a").Done());
    }

    [Fact]
    public void A_step_is_not_replaced_unless_that_is_asked_for()
    {
        Call("save", "a", "--step", "5", "--state", "1").Done();
        var refused = Call("save", "a", "--step", "5", "--state", "2");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("Use --overwrite to replace it, another --step", refused.Error, StringComparison.Ordinal);
        Assert.Equal("1\n", Call("restore", "a").Done());
        Call("save", "a", "--step", "5", "--state", "2", "--overwrite").Done();
        Assert.Equal("2\n", Call("restore", "a").Done());
    }

    [Fact]
    public void Steps_are_kept_as_the_cmdlets_keep_them()
    {
        foreach (var (step, loss) in new[] { (1, "0.5"), (2, "0.1"), (3, "0.9"), (4, "0.8") })
            Call("save", "m", "--step", $"{step}", "--metadata-json", $$"""{"loss":{{loss}}}""", "--keep-best", "1", "--by", "loss", "--lowest", "--keep", "1").Done();
        Assert.Equal([4, 2], Steps("m"));
        Variables["CHECKPOINT_KEEP"] = "1";
        Call("save", "m").Done();
        Assert.Equal([5], Steps("m"));
        Call("save", "i", "--step", "7", "--interval", "5").Done();
        Assert.Equal(1, Call("test", "i").ExitCode);
        Call("save", "i", "--step", "10", "--interval", "5").Done();
        Assert.Equal(0, Call("test", "i").ExitCode);
    }

    [Fact]
    public void Metadata_is_text_or_json()
    {
        Call("save", "a", "--metadata", "v=1.10", "--metadata", "note=a=b", "--metadata-json", """{"rows":5,"ok":true,"list":[1,"x"]}""").Done();
        var metadata = System.Text.Json.JsonDocument.Parse(Call("get", "a", "--json").Done()).RootElement[0].GetProperty("metadata");
        Assert.Equal("""{"rows":5,"ok":true,"list":[1,"x"],"v":"1.10","note":"a=b"}""", metadata.GetRawText().Replace(" ", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(2, "no JSON", "save", "a", "--state", "{")]
    [InlineData(2, "no state as", "save", "a", "--typed", "--state", "1")]
    [InlineData(2, "--state or by --state-file", "save", "a", "--state", "1", "--state-file", "x")]
    [InlineData(2, "none.json' cannot be read", "save", "a", "--state-file", "none.json")]
    [InlineData(2, "is no duration", "test", "a", "--max-age", "5")]
    [InlineData(2, "whole number of 0 or more", "test", "a", "--step", "-1")]
    [InlineData(2, "whole number of 1 or more", "save", "a", "--keep", "0")]
    [InlineData(2, "is empty", "save", "")]
    [InlineData(2, "'checkpoint save' needs <stage>", "save")]
    [InlineData(2, "--fingerprint", "save", "a", "--fingerprint")]
    [InlineData(2, "'nosuch'", "nosuch")]
    [InlineData(2, "name=text", "save", "a", "--metadata", "x")]
    [InlineData(2, "belong together", "save", "a", "--keep-best", "3")]
    [InlineData(2, "no event 'Nosuch'", "history", "--event", "Nosuch")]
    [InlineData(2, "fail or wait", "run", "a", "--when-busy", "perhaps", "--", "true")]
    [InlineData(1, "There is no checkpoint 'a'", "restore", "a")]
    [InlineData(1, "There is no checkpoint 'a'", "get", "a")]
    [InlineData(3, "Store", "save", "a", "--store", "nosuch://x/y")]
    public void What_is_wrong_is_told_by_the_exit_code_and_in_words(int code, string words, params string[] arguments)
    {
        var result = Call(arguments);
        Assert.Equal(code, result.ExitCode);
        Assert.Contains(words.Replace("no JSON", "cannot be taken as JSON", StringComparison.Ordinal).Replace("Store", "nosuch", StringComparison.Ordinal), result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
        Assert.False(Directory.Exists(At(".checkpoints")), "something was saved");
    }

    [Fact]
    public void A_damaged_store_is_told_by_its_own_exit_code()
    {
        Call("save", "a", "--state", "1").Done();
        var record = Directory.EnumerateFiles(At(".checkpoints"), "*.json", SearchOption.AllDirectories).Single();
        File.AppendAllText(record, "damage");
        Assert.Equal(1, Call("test", "a").ExitCode);
        Assert.Equal(3, Call("restore", "a").ExitCode);
        Assert.Equal(3, Call("get", "a").ExitCode);
        var verified = Call("verify", "--json");
        Assert.Equal(1, verified.ExitCode);
        var finding = System.Text.Json.JsonDocument.Parse(verified.Output).RootElement[0];
        Assert.Equal(("damagedRecord", "error", record), (finding.GetProperty("kind").GetString(), finding.GetProperty("severity").GetString(), finding.GetProperty("location").GetString()));
    }

    private List<long> Steps(string stage) => [.. System.Text.Json.JsonDocument.Parse(Call("get", stage, "--all-steps", "--json").Done()).RootElement.EnumerateArray().Select(c => c.GetProperty("step").GetInt64())];
}
