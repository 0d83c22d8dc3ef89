using System.Buffers;
using System.Text.Json;

namespace Checkpoint;

/// <summary>
/// What a program wrote to its standard output, as a state: a sequence of its lines, as PowerShell would have it. With <see cref="Ending"/> it gives every byte back.
/// </summary>
internal sealed class OutputLines : IStateSource
{
    private readonly ReadOnlySequence<byte> _bytes;

    /// <param name="bytes">All that it wrote.</param>
    public OutputLines(ReadOnlySequence<byte> bytes)
    {
        _bytes = bytes;
        Ending = new LineEnding(HasOnlyCrLf(bytes) ? "\r\n" : "\n", !bytes.IsEmpty && bytes.Slice(bytes.GetPosition(bytes.Length - 1)).FirstSpan[0] != '\n');
    }

    /// <summary>How its lines ended. Where some ended in CR LF and others in LF alone, the CR is a part of the line.</summary>
    public LineEnding Ending { get; }

    public bool IsSequence => true;

    public bool CanRepeat => true;

    public void WriteTo(StateWriter writer, CancellationToken cancellation)
    {
        using var json = new Utf8JsonWriter(writer, RecordFormat.WriterOptions with { Indented = false });
        var rest = new SequenceReader<byte>(_bytes);
        json.WriteStartArray();
        while (!rest.End)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!rest.TryReadTo(out ReadOnlySequence<byte> line, (byte)'\n'))
            {
                line = rest.UnreadSequence;
                rest.AdvanceToEnd();
            }
            else if (Ending.NewLine.Length == 2)
            {
                line = line.Slice(0, line.Length - 1);
            }
            ScalarJson.WriteString(json, ByteText.Decode(line.IsSingleSegment ? line.FirstSpan : line.ToArray()));
        }
        json.WriteEndArray();
    }

    private static bool HasOnlyCrLf(ReadOnlySequence<byte> bytes)
    {
        var rest = new SequenceReader<byte>(bytes);
        var lines = 0;
        for (; rest.TryReadTo(out ReadOnlySequence<byte> line, (byte)'\n'); lines++)
        {
            if (line.IsEmpty || line.Slice(line.GetPosition(line.Length - 1)).FirstSpan[0] != '\r')
                return false;
        }
        return lines > 0;
    }
}
