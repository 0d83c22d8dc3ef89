using System.Buffers;
using System.Collections.ObjectModel;
using System.Globalization;

namespace Checkpoint.Cli;

/// <summary>What a command wrote.</summary>
internal sealed class Captured
{
    /// <summary>How much of the standard error is kept; the record that holds it must stay small.</summary>
    public const int MaxError = 1 << 20;

    private const string ErrorFact = "StandardError";

    private readonly ByteList _output = new(), _error = new();

    public ReadOnlySequence<byte> Output => _output.All;

    public ReadOnlySequence<byte> Error => _error.All;

    /// <summary>Takes the next bytes of a stream; each stream has one thread.</summary>
    public void Add(bool isError, ReadOnlySpan<byte> bytes) => (isError ? _error : _output).Add(bytes);

    /// <summary>What must be said beside the lines, so that the same bytes can be written again.</summary>
    public static ReadOnlyDictionary<string, object?> Facts(LineEnding ending, ReadOnlySequence<byte> error)
    {
        var facts = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        ending.AddTo(facts);
        if (!error.IsEmpty)
            facts[ErrorFact] = ByteText.Decode(Shorten(error));
        return facts.AsReadOnly();
    }

    /// <summary>Writes the standard error that a checkpoint keeps.</summary>
    public static void ReplayError(CheckpointInfo checkpoint)
    {
        if (checkpoint.Metadata.GetValueOrDefault(ErrorFact) is not string text)
            return;
        using var bytes = new MemoryStream();
        ByteText.Write(bytes, text);
        Terminal.Pass(isError: true, bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    private static byte[] Shorten(ReadOnlySequence<byte> error)
    {
        if (error.Length <= MaxError)
            return error.ToArray();
        var sign = System.Text.Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\n[{error.Length - MaxError} bytes of the standard error were not kept]\n"));
        return [.. error.Slice(0, MaxError / 2).ToArray(), .. sign, .. error.Slice(error.Length - (MaxError / 2)).ToArray()];
    }
}
