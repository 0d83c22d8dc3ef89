using System.Text;

namespace Checkpoint.Tests;

/// <summary>Plain JSON as a state, and a state as plain JSON.</summary>
public sealed class JsonStateTests
{
    private static readonly System.Text.Json.JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Theory]
    [InlineData("12", """{"$int64":"12"}""")]
    [InlineData("-9223372036854775808", """{"$int64":"-9223372036854775808"}""")]
    [InlineData("9223372036854775808", """{"$bigint":"9223372036854775808"}""")]
    [InlineData("1.0", "1.0")]
    [InlineData("1e3", "1000.0")]
    [InlineData("-0.0", "-0.0")]
    [InlineData("\"a\\u00e9\\n\"", "\"aé\\n\"")]
    [InlineData("[ ]", "[]")]
    [InlineData("{ }", "{}")]
    [InlineData("null", "null")]
    [InlineData(" true ", "true")]
    [InlineData("""{"b":[1,null],"a":{"x":false}}""", """{"b":[{"$int64":"1"},null],"a":{"x":false}}""")]
    [InlineData("""{"$a":"$b"}""", """{"$object":{"$a":"$b"}}""")]
    [InlineData("""{"a":"2026-03-01T00:00:00Z"}""", """{"a":"2026-03-01T00:00:00Z"}""")]
    [InlineData("\"x\\ud800y\"", """{"$utf16":"eAAA2HkA"}""")]
    [InlineData("\uFEFF[1.5]", "[1.5]")]
    public void Json_becomes_what_a_cmdlet_would_save(string json, string document) => Assert.Equal(document, Import(json));

    [Theory]
    [InlineData("", "JSON tokens")]
    [InlineData("{", "")]
    [InlineData("[1,]", "")]
    [InlineData("{'a':1}", "")]
    [InlineData("1 2", "")]
    [InlineData("nul", "")]
    [InlineData("""{"a":1,"A":2}""", "'A' stands twice")]
    [InlineData("""{"":1}""", "empty name")]
    [InlineData("1e999", "beyond the range")]
    [InlineData("{\"\\udfff\":1}", "surrogate")]
    public void What_is_no_json_or_no_object_is_refused_with_the_reason(string json, string reason)
    {
        var error = Assert.Throws<InvalidArgumentException>(() => Import(json));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was saved.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_is_taken_to_a_hundred_levels_and_no_deeper()
    {
        Assert.Equal(Nested(100), Import(Nested(100)));
        Assert.Throws<InvalidArgumentException>(() => Import(Nested(101)));

        static string Nested(int levels) => new string('[', levels) + new string(']', levels);
    }

    [Fact]
    public void Json_that_comes_in_small_pieces_and_has_long_texts_is_the_same()
    {
        var json = $$"""{"long":"{{new string('x', 100_000)}}","numbers":[{{string.Join(',', Enumerable.Range(0, 5000))}}]}""";
        var whole = Import(json);
        Assert.Equal(whole, Import(() => new Trickle(Encoding.UTF8.GetBytes(json))));
        Assert.Contains("""{"$int64":"4999"}""", whole, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null", "null")]
    [InlineData("""{"$int64":"5"}""", "5")]
    [InlineData("""{"$decimal":"1.50"}""", "1.50")]
    [InlineData("""{"$double":"NaN"}""", "\"NaN\"")]
    [InlineData("""{"$double":"-Infinity"}""", "\"-Infinity\"")]
    [InlineData("""{"$single":"1E+20"}""", "1E+20")]
    [InlineData("""{"$double":"NaN:7ff8000000000001"}""", "\"NaN\"")]
    [InlineData("""{"$bool":"true"}""", "true")]
    [InlineData("""{"$char":"65"}""", "\"A\"")]
    [InlineData("""{"$datetime":"2026-03-01T00:00:00.0000000Z"}""", "\"2026-03-01T00:00:00.0000000Z\"")]
    [InlineData("""{"$timespan":"00:01:30"}""", "\"00:01:30\"")]
    [InlineData("""{"$uri":"absolute:https://a.b/c"}""", "\"https://a.b/c\"")]
    [InlineData("""{"$version":"1.2.3"}""", "\"1.2.3\"")]
    [InlineData("""{"$byte[]":"AQI="}""", "\"AQI=\"")]
    [InlineData("""{"$utf16":"eAAA2HkA"}""", "\"x\\ud800y\"")]
    [InlineData("""{"$list<int64>":["1","2"]}""", "[1,2]")]
    [InlineData("""{"$double[]":[1.5,"NaN"]}""", "[1.5,\"NaN\"]")]
    [InlineData("""{"$char[]":["65","66"]}""", """["A","B"]""")]
    [InlineData("""{"$hashset<string>":["a"],"comparer":"ignoreCase"}""", """["a"]""")]
    [InlineData("""{"$hashtable":{"$a":1,"b":{"$int64":"2"}},"comparer":"exact"}""", """{"$a":1,"b":2}""")]
    [InlineData("""{"$ordered":[[1,"a"],["b",2],[{"$utf16":"ANg="},3]]}""", "{\"1\":\"a\",\"b\":2,\"\\ud800\":3}")]
    [InlineData("""{"$dictionary<string,timespan>":{"a":"00:00:01"}}""", """{"a":"00:00:01"}""")]
    [InlineData("""{"$object":{"$x":1,"y":[{"$guid":"00000000-0000-0000-0000-000000000001"}]},"types":["T"]}""", """{"$x":1,"y":["00000000-0000-0000-0000-000000000001"]}""")]
    [InlineData("""{"$deserialized":{"$Id":7},"types":["Deserialized.P"],"text":"P (7)"}""", """{"$Id":7}""")]
    [InlineData("""{"$deserialized":{},"types":["Deserialized.P"],"text":"P"}""", "\"P\"")]
    [InlineData("""{"$deserialized":{"a":1},"types":["Deserialized.E"],"text":"Monday","value":1}""", "1")]
    [InlineData("""[{"$xml":"<a />"},{"x":"\"\\\u0001"}]""", "[\"<a />\",{\"x\":\"\\\"\\\\\\u0001\"}]")]
    public void A_state_is_printed_as_the_json_that_a_program_expects(string document, string json) => Assert.Equal(json + "\n", Plain(document));

    [Fact]
    public void A_secret_is_not_printed_as_plain_json()
    {
        var state = Read("""[{"$securestring":"QQA="}]""", [], isSequence: false);
        Assert.Throws<InvalidArgumentException>(() => state.WritePlain(Stream.Null, () => throw new InvalidOperationException(), default));
        Assert.Throws<InvalidArgumentException>(() => state.WriteRaw(Stream.Null, LineEnding.OfSystem, () => throw new InvalidOperationException(), default));
        Assert.Equal("""{"sequence":false,"value":[{"$securestring":"QQA="}]}""" + "\n", Typed("""[{"$securestring":"QQA="}]""", [], isSequence: false));
    }

    [Fact]
    public void Blobs_stand_in_their_places_in_plain_json_and_in_the_exact_document()
    {
        byte[] blobs = [1, 2, 3, 0, 0, 128, 63, 0, 0, 192, 127, .. Encoding.Unicode.GetBytes("né"), 255, 255, 255, 255];
        const string Document = """{"b":{"$byte[]":{"blob":[0,3]}},"f":{"$single[]":{"blob":[3,8]}},"s":{"$string":{"blob":[11,4]}},"h":{"$hashtable":{"blob":[0,1]}},"i":{"$int32[]":{"blob":[15,4]}}}""";
        Assert.Equal("""{"b":"AQID","f":[1,"NaN"],"s":"né","h":{"blob":[0,1]},"i":[-1]}""" + "\n", Plain(Document, blobs));
        var typed = Typed(Document, blobs, isSequence: false);
        Assert.Equal("""{"sequence":false,"value":{"b":{"$byte[]":"AQID"},"f":{"$single[]":["1","NaN:7fc00000"]},"s":"né","h":{"$hashtable":{"blob":[0,1]}},"i":{"$int32[]":[-1]}}}""" + "\n", typed);
        Assert.Equal(typed, Typed(Taken(TypedState.Parse(Encoding.UTF8.GetBytes(typed), default)), [], isSequence: false));
    }

    [Theory]
    [InlineData("""{"sequence":true,"value":[1,{"$int64":"2"}]}""")]
    [InlineData("""{"sequence":false,"value":"a b  \" c"}""")]
    [InlineData("""{"sequence":false,"value":{"$hashtable":{"x":{"$datetime":"2026-03-01T00:00:00.0000000"}}}}""")]
    public void An_exact_document_comes_back_exactly_also_when_it_was_indented(string typed)
    {
        using var parsed = System.Text.Json.JsonDocument.Parse(typed);
        var indented = System.Text.Json.JsonSerializer.Serialize(parsed, Indented);
        foreach (var text in new[] { typed, indented })
        {
            var state = TypedState.Parse(Encoding.UTF8.GetBytes(text), default);
            Assert.Equal(typed + "\n", Typed(Taken(state), [], state.IsSequence));
        }
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""{"value":1}""")]
    [InlineData("""{"sequence":false}""")]
    [InlineData("""{"sequence":1,"value":1}""")]
    [InlineData("""{"sequence":true,"value":1}""")]
    [InlineData("""{"sequence":false,"value":1,"value":2}""")]
    [InlineData("""{"sequence":false,"value":1,"more":2}""")]
    [InlineData("""{"sequence":false,"value":{"$nosuch":"1"}}""")]
    [InlineData("""{"sequence":false,"value":{"$byte[]":{"blob":[0,1]}}}""")]
    [InlineData("""{"sequence":false,"value":5000000000}""")]
    [InlineData("""{"sequence":false,"value":1} x""")]
    public void What_is_no_exact_document_is_refused(string text) => Assert.Throws<InvalidArgumentException>(() => TypedState.Parse(Encoding.UTF8.GetBytes(text), default));

    [Fact]
    public void A_secret_in_an_exact_document_is_saved_only_where_it_is_encrypted()
    {
        var state = TypedState.Parse("""{"sequence":false,"value":{"a":{"$securestring":"QQA="}}}"""u8, default);
        Assert.Equal(CheckpointErrorKind.KeyRequired, Assert.Throws<UnkeptValueException>(() => Taken(state)).Kind);
        Assert.Equal("""{"a":{"$securestring":"QQA="}}""", Taken(state, keepsSecrets: true));
        Assert.Equal("""{"$hashtable":{"$securestring":"QQA="}}""", Taken(TypedState.Parse("""{"sequence":false,"value":{"$hashtable":{"$securestring":"QQA="}}}"""u8, default)));
    }

    [Theory]
    [InlineData("\"a\\nb\"", "a\nb\n")]
    [InlineData("""["a",{"$int64":"5"},{"x":1},{"$utf16":"gNwA2A=="}]""", "a\n5\n{\"x\":1}\n<80>\uFFFD\n")]
    [InlineData("""{"$list<string>":["a","b"]}""", "a\nb\n")]
    [InlineData("[]", "")]
    [InlineData("""[{"$byte[]":"gAE="}]""", "<80>\u0001")]
    [InlineData("""["a",{"$byte[]":"gAE="}]""", "a\n\"gAE=\"\n")]
    [InlineData("""{"$int32[]":[1,2]}""", "1\n2\n")]
    [InlineData("""{"$int64[]":["5","-6"]}""", "5\n-6\n")]
    [InlineData("""{"$list<datetime>":["2026-03-01T12:00:00.0000000Z"]}""", "\"2026-03-01T12:00:00.0000000Z\"\n")]
    [InlineData("""{"$byte[]":"gAE="}""", "<80>\u0001")]
    [InlineData("""{"$int64":"5"}""", "5\n")]
    [InlineData("""{"$hashtable":{"a":1}}""", "{\"a\":1}\n")]
    public void Raw_is_bytes_texts_and_lines(string document, string raw)
    {
        using var output = new MemoryStream();
        Read(document, [], isSequence: false).WriteRaw(output, new LineEnding("\n", false), () => throw new InvalidOperationException(), default);
        Assert.Equal(raw, Encoding.UTF8.GetString(output.ToArray().SelectMany(b => b == 0x80 ? "<80>"u8.ToArray() : [b]).ToArray()));
    }

    private static string Import(string json) => Import(() => new MemoryStream(Encoding.UTF8.GetBytes(json)));

    private static string Import(Func<Stream> open) => Taken(new JsonState(open));

    // What lies in the record, or in the payload.
    private static string Taken(IStateSource state, bool keepsSecrets = false)
    {
        var payload = new MemoryStream();
        using var writer = new StateWriter(() => payload) { KeepsSecrets = keepsSecrets };
        state.WriteTo(writer, default);
        var stored = writer.Complete(state.IsSequence, default);
        return Encoding.UTF8.GetString(stored.Payload is null ? stored.Inline.ToArray() : payload.ToArray());
    }

    private static StateReader Open(string document, byte[] blobs, bool isSequence)
    {
        var bytes = Encoding.UTF8.GetBytes(document);
        return new StateReader(new StoredState { IsSequence = isSequence, Payload = "p", DocumentLength = bytes.Length, PayloadLength = bytes.Length + blobs.Length }, new MemoryStream([.. bytes, .. blobs]), isAuthentic: true);
    }

    private static StateDocument Read(string document, byte[] blobs, bool isSequence)
    {
        using var reader = Open(document, blobs, isSequence);
        return StateDocument.Read(reader, default);
    }

    private static string Plain(string document, byte[]? blobs = null)
    {
        using var output = new MemoryStream();
        Read(document, blobs ?? [], isSequence: false).WritePlain(output, () => Open(document, blobs ?? [], isSequence: false), default);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private static string Typed(string document, byte[] blobs, bool isSequence)
    {
        using var output = new MemoryStream();
        Read(document, blobs, isSequence).WriteTyped(output, () => Open(document, blobs, isSequence), default);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 7)]);
    }
}
