using System.Text.Json;

namespace Checkpoint;

/// <summary>A state by its exact document, as docs/format.md describes it and <see cref="StateDocument.WriteTyped"/> writes it: <c>{"sequence":false,"value":…}</c>.</summary>
internal sealed class TypedState : IStateSource
{
    private const int PieceSize = 1 << 16;

    private readonly byte[] _document;
    private readonly bool _hasSecrets;

    private TypedState(byte[] document, bool isSequence, bool hasSecrets) => (_document, IsSequence, _hasSecrets) = (document, isSequence, hasSecrets);

    public bool IsSequence { get; }

    public bool CanRepeat => true;

    /// <summary>Reads and checks a state.</summary>
    /// <exception cref="InvalidArgumentException">It is none.</exception>
    public static TypedState Parse(ReadOnlySpan<byte> json, CancellationToken cancellation)
    {
        try
        {
            return Read(json.StartsWith("\uFEFF"u8) ? json[3..] : json, cancellation);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or InvalidDataException)
        {
            throw Refused(e.Message.TrimEnd('.'));
        }
    }

    public void WriteTo(StateWriter writer, CancellationToken cancellation)
    {
        if (_hasSecrets && !writer.KeepsSecrets)
            throw CheckpointErrors.SecretWithoutKey("$state", "SecureString");
        for (var at = 0; at < _document.Length; at += PieceSize)
        {
            cancellation.ThrowIfCancellationRequested();
            var piece = _document.AsSpan(at, Math.Min(PieceSize, _document.Length - at));
            piece.CopyTo(writer.GetSpan(piece.Length));
            writer.Advance(piece.Length);
        }
    }

    private static TypedState Read(ReadOnlySpan<byte> json, CancellationToken cancellation)
    {
        var reader = new Utf8JsonReader(json, RecordFormat.ReaderOptions);
        bool? isSequence = null;
        byte[]? document = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw Refused("it is no object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            if (name == "sequence" && isSequence is null)
            {
                isSequence = reader.GetBoolean();
            }
            else if (name == "value" && document is null)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                document = OnOneLine(json[start..(int)reader.BytesConsumed]);
            }
            else
            {
                throw Refused($"it has a member '{name}', where sequence and value are wanted, once each");
            }
        }
        if (reader.Read() || isSequence is null || document is null)
            throw Refused("it has not the members sequence and value, and nothing else");
        if (isSequence.Value && document[0] != '[')
            throw Refused("the value of a sequence is an array");
        using var state = new StateReader(new StoredState { IsSequence = isSequence.Value, Inline = document }, null);
        return new TypedState(document, isSequence.Value, StateCheck.Check(state, cancellation));
    }

    // As records have it: nobody's indentation stands between.
    private static byte[] OnOneLine(ReadOnlySpan<byte> json)
    {
        var line = new byte[json.Length];
        var length = 0;
        var isText = false;
        for (var i = 0; i < json.Length; i++)
        {
            if (!isText && json[i] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
                continue;
            line[length++] = json[i];
            if (json[i] == '"')
                isText = !isText;
            else if (isText && json[i] == '\\')
                line[length++] = json[++i];
        }
        return line[..length];
    }

    private static InvalidArgumentException Refused(string reason) => new($"This is no state as 'restore --typed' prints it: {reason}. Nothing was saved.");
}
