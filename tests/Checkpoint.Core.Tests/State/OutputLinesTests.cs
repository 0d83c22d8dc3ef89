using System.Buffers;
using System.Text;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>What a program wrote, as lines, and the same bytes again.</summary>
public sealed class OutputLinesTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("", "[]")]
    [InlineData("a\n", """["a"]""")]
    [InlineData("a", """["a"]""")]
    [InlineData("a\n\nb\n", """["a","","b"]""")]
    [InlineData("a\r\nb\r\n", """["a","b"]""")]
    [InlineData("a\r\nb", """["a","b"]""")]
    [InlineData("a\r\nb\n", """["a\r","b"]""")]
    [InlineData("\n", """[""]""")]
    [InlineData("é\u0000\u001b[0m\n", """["é\u0000\u001b[0m"]""")]
    public void Output_is_a_sequence_of_its_lines_and_comes_back_byte_for_byte(string text, string document)
    {
        var lines = new OutputLines(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(text)));
        Assert.True(lines.IsSequence);
        Assert.Equal(document, Document(lines), ignoreCase: true);
        Assert.Equal(Encoding.UTF8.GetBytes(text), Again(lines));
    }

    [Fact]
    public void Any_bytes_come_back()
    {
        var random = Seeds.New(output);
        for (var i = 0; i < 300; i++)
        {
            // Of few values, so that lines, endings and pieces of UTF-8 come often.
            var bytes = Enumerable.Range(0, random.Next(40)).Select(_ => (byte)(random.Next(7) switch { 0 => '\n', 1 => '\r', 2 => 0xC3, 3 => 0xA9, 4 => 0xED, 5 => random.Next(256), _ => 'a' })).ToArray();
            Assert.Equal(bytes, Again(new OutputLines(new ReadOnlySequence<byte>(bytes))));
        }
    }

    [Fact]
    public void Text_that_no_program_wrote_keeps_what_can_be_kept()
    {
        using var bytes = new MemoryStream();
        ByteText.Write(bytes, "a\uD800b😀\uDC41");
        Assert.Equal("a\uFFFDb😀\uFFFD", Encoding.UTF8.GetString(bytes.ToArray()));
    }

    private static string Document(OutputLines lines)
    {
        using var writer = new StateWriter(() => throw new InvalidOperationException());
        lines.WriteTo(writer, default);
        return Encoding.UTF8.GetString(writer.Complete(isSequence: true, default).Inline.Span);
    }

    private static byte[] Again(OutputLines lines)
    {
        using var reader = new StateReader(new StoredState { IsSequence = true, Inline = Encoding.UTF8.GetBytes(Document(lines)) }, null);
        var facts = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        lines.Ending.AddTo(facts);
        using var bytes = new MemoryStream();
        StateDocument.Read(reader, default).WriteRaw(bytes, LineEnding.Of(new CheckpointInfo { Metadata = facts.AsReadOnly() }), () => throw new InvalidOperationException(), default);
        return bytes.ToArray();
    }
}
