using System.Buffers;
using System.Text.Json;

namespace Checkpoint;

/// <summary>What a program wrote to its standard output, as a state: a sequence of one <c>byte[]</c>, where lines alone would not give every byte back.</summary>
/// <param name="bytes">All that it wrote.</param>
internal sealed class OutputBytes(ReadOnlySequence<byte> bytes) : IStateSource
{
    public bool IsSequence => true;

    public bool CanRepeat => true;

    public void WriteTo(StateWriter writer, CancellationToken cancellation)
    {
        using var json = new Utf8JsonWriter(writer, RecordFormat.WriterOptions with { Indented = false });
        json.WriteStartArray();
        json.WriteStartObject();
        json.WriteBase64String("$byte[]"u8, bytes.IsSingleSegment ? bytes.FirstSpan : bytes.ToArray());
        json.WriteEndObject();
        json.WriteEndArray();
    }
}
