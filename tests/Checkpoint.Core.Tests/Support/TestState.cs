using System.Text;
using System.Text.Json;

namespace Checkpoint.Tests;

/// <summary>A state to be saved: a JSON document and the blobs behind it.</summary>
internal sealed class TestState(string document, byte[]? blob = null, bool isSequence = false) : IStateSource
{
    public string Document { get; } = document;

    public byte[] Blob { get; } = blob ?? [];

    public bool IsSequence => isSequence;

    public bool CanRepeat => true;

    /// <summary>A state that lies inside the record.</summary>
    public static TestState Small(string text) => new(JsonSerializer.Serialize(text));

    /// <summary>A state that lies in a payload.</summary>
    public static TestState Large(int seed, int length = 40_000)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return new TestState($"{{\"seed\":{seed}}}", bytes);
    }

    public void WriteTo(StateWriter writer, CancellationToken cancellation)
    {
        using (var json = new Utf8JsonWriter(writer, RecordFormat.WriterOptions with { Indented = false }))
            json.WriteRawValue(Document);
        if (Blob.Length > 0)
            writer.AddBlob(Blob);
    }

    /// <summary>Reads a state in full; a decoder for <see cref="CheckpointEngine.RestoreAsync"/>.</summary>
    public static TestState Read(StateReader reader)
    {
        var document = new MemoryStream();
        var buffer = new byte[1000];
        for (int read; (read = reader.ReadDocument(buffer)) > 0;)
            document.Write(buffer, 0, read);
        var blob = new byte[reader.BlobsLength];
        reader.ReadBlob(blob, default);
        return new TestState(Encoding.UTF8.GetString(document.ToArray()), blob, reader.IsSequence);
    }

    public static void AssertEqual(TestState expected, TestState? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Document, actual.Document);
        Assert.Equal(expected.Blob, actual.Blob);
        Assert.Equal(expected.IsSequence, actual.IsSequence);
    }
}
