using System.Text.Json;

namespace Checkpoint;

/// <summary>A PowerShell object as a state to be saved.</summary>
/// <param name="value">The object; for a sequence, the array of its elements.</param>
/// <param name="isSequence">Whether it comes back element by element.</param>
internal sealed class ObjectState(object? value, bool isSequence) : IStateSource
{
    private static readonly JsonWriterOptions Options = RecordFormat.WriterOptions with { Indented = false };

    public bool IsSequence => isSequence;

    public bool CanRepeat => true;

    public void WriteTo(StateWriter writer, CancellationToken cancellation)
    {
        using var json = new Utf8JsonWriter(writer, Options);
        new StateEncoder(writer, json, cancellation).Write(value);
    }
}
