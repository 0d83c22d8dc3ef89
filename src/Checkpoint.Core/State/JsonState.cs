using System.Text.Json;

namespace Checkpoint;

/// <summary>Plain JSON as a state: whole numbers become 64-bit ones or larger, others doubles, arrays <c>object[]</c> and objects <c>[pscustomobject]</c>s, in order.</summary>
/// <param name="open">Opens the text, UTF-8; it is read once as a stream and closed.</param>
internal sealed class JsonState(Func<Stream> open) : IStateSource
{
    private static readonly JsonWriterOptions Options = RecordFormat.WriterOptions with { Indented = false };

    public bool IsSequence => false;

    /// <exception cref="InvalidArgumentException">It is no JSON, or such as no object of PowerShell can hold.</exception>
    public void WriteTo(StateWriter writer, CancellationToken cancellation)
    {
        using var stream = open();
        using var json = new Utf8JsonWriter(writer, Options);
        JsonImport.Write(stream, json, cancellation);
    }
}
