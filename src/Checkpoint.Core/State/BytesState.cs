using System.Text.Json;

namespace Checkpoint;

/// <summary>A <c>byte[]</c> as a state, that is streamed.</summary>
/// <param name="length">How many bytes there are.</param>
/// <param name="open">Opens them; they are read once and closed.</param>
internal sealed class BytesState(long length, Func<Stream> open) : IStateSource
{
    private const int PieceSize = 1 << 20;

    public bool IsSequence => false;

    /// <exception cref="InvalidArgumentException">They are more than an array holds, or another number than was said.</exception>
    public void WriteTo(StateWriter writer, CancellationToken cancellation)
    {
        if (length > Array.MaxLength)
            throw new InvalidArgumentException($"The state has {length} bytes, and a byte[] cannot have more than {Array.MaxLength}. Nothing was saved.");
        using var stream = open();
        var isBlob = length >= StateWriter.BlobThreshold;
        var piece = new byte[isBlob ? PieceSize : (int)length];
        if (!isBlob)
        {
            if (stream.ReadAtLeast(piece, piece.Length, throwOnEndOfStream: false) < length || stream.ReadByte() >= 0)
                throw Changed();
            using var json = new Utf8JsonWriter(writer);
            json.WriteStartObject();
            json.WriteBase64String("$byte[]"u8, piece);
            json.WriteEndObject();
            return;
        }
        writer.WriteThrough(System.Text.Encoding.ASCII.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $$$"""{"$byte[]":{"blob":[0,{{{length}}}]}}""")));
        var left = length;
        for (int read; (read = stream.Read(piece)) > 0; left -= read)
        {
            cancellation.ThrowIfCancellationRequested();
            if (read > left)
                throw Changed();
            writer.WriteBlobThrough(piece.AsSpan(0, read));
        }
        if (left > 0)
            throw Changed();
    }

    private static InvalidArgumentException Changed() => new("The state's file was changed while it was read. Nothing was saved.");
}
