using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>Judges a journal of items, on any store, line by line, and says which lines, and which of the outputs that they name, are not what was written.</summary>
/// <param name="stage">The stage whose journal it should be, as far as its place tells.</param>
/// <param name="key">What opens the outputs that are encrypted; null where their bytes alone are judged.</param>
/// <param name="isOwn">Whether the journal lies where that of a stage does.</param>
/// <param name="open">Opens the payload of an output; null where it is not there.</param>
/// <param name="mayBeTorn">Whether a crash can have left half a line; else that is damage.</param>
internal sealed class ItemsCheck(StageId? stage, CheckpointKey? key, Func<StageId, bool> isOwn, Func<ItemOutput, Stream?> open, bool mayBeTorn)
{
    private const int ReadSize = 1 << 20;

    private StageId? _stage = stage;

    /// <summary>The lines that are damaged, from 1.</summary>
    public List<long> Damaged { get; } = [];

    /// <summary>The lines that a crash cut off.</summary>
    public List<long> Torn { get; } = [];

    /// <summary>Whether the last line is such a one.</summary>
    public bool IsLastTorn { get; private set; }

    /// <summary>The lines whose outputs are damaged.</summary>
    public List<long> BadOutputs { get; } = [];

    /// <summary>The lines whose outputs another key opens.</summary>
    public List<long> Locked { get; } = [];

    /// <summary>The lines whose outputs are not encrypted though there is a key.</summary>
    public List<long> Plain { get; } = [];

    /// <summary>The stage that the journal is of, where that is another one.</summary>
    public StageId? Owner { get; private set; }

    /// <summary>The version of a journal that is newer than what is known: no more is judged then.</summary>
    public long? TooNew { get; private set; }

    /// <summary>Judges a piece of a line, without its line feed.</summary>
    /// <returns>Whether it is good.</returns>
    public bool Judge(ReadOnlyMemory<byte> piece, long number, CancellationToken cancellation)
    {
        IsLastTorn = false;
        if (piece.IsEmpty)
            return true;
        if (!ItemFormat.IsWhole(piece.Span))
        {
            // The last byte of a line is its brace, which what was cut off lacks.
            IsLastTorn = mayBeTorn && !piece.Span.EndsWith("}"u8);
            (IsLastTorn ? Torn : Damaged).Add(number);
            return false;
        }
        if (ItemFormat.TryParse(piece.Span, out var id, out _, out var hasOutput))
        {
            if (!hasOutput || IsOutputWhole(piece, id, number, cancellation))
                return true;
            BadOutputs.Add(number);
            return false;
        }
        if (ItemFormat.VersionOf(piece.Span) is > ItemFormat.Version and var version)
            TooNew = version;
        else if (ItemFormat.ReadHead(piece) is { } told)
            _ = isOwn(told) ? _stage = told : Owner = told;
        return true;
    }

    /// <summary>What is the matter with the journal as a whole, whichever its lines are.</summary>
    public IEnumerable<StateVerdict> Verdicts()
    {
        if (TooNew is { } version)
        {
            yield return new(StoreFindingKind.FormatTooNew, FindingSeverity.Warning, $"The journal of items was written in format {version}, which this version of Checkpoint does not know.");
            yield break;
        }
        if (Owner is { } owner)
            yield return new(StoreFindingKind.Misplaced, FindingSeverity.Error, $"The journal is that of another stage, {owner}, as in a folder that was copied: what it says is done was done for that one.");
        if (Locked.Count > 0)
            yield return new(StoreFindingKind.Locked, FindingSeverity.Information, $"The key does not open the outputs of the items in line {CheckpointErrors.Listed(Locked)} of the journal; their bytes are what was written.");
        if (Plain.Count > 0)
            yield return new(StoreFindingKind.NotEncrypted, FindingSeverity.Warning, $"There is a key, and the outputs of the items in line {CheckpointErrors.Listed(Plain)} of the journal are not encrypted: {CheckpointErrors.AnyWriter}");
    }

    private bool IsOutputWhole(ReadOnlyMemory<byte> line, ItemId id, long number, CancellationToken cancellation)
    {
        try
        {
            var output = ItemFormat.ReadOutput(line);
            return AreBytesWhole(output, cancellation) && (key is null || IsAuthentic(output, id, number, cancellation));
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private bool IsAuthentic(ItemOutput output, ItemId id, long number, CancellationToken cancellation)
    {
        // Where nothing tells the stage's name any more, the bytes are all that can be judged.
        if (output.Encryption is not { } envelope || _stage is not { } stage)
        {
            if (output.Encryption is null)
                Plain.Add(number);
            return true;
        }
        using var dataKey = DataKey.Unwrap(key!, envelope, () => SealedIdentity.OfItem(stage, id, output.State, envelope.DocumentLength));
        if (dataKey is null)
        {
            Locked.Add(number);
            return true;
        }
        var sealedOutput = new StateReader(output.State, output.State.Payload is null ? null : open(output), _ => cancellation.ThrowIfCancellationRequested());
        using var plain = KeyedStore.OpenState(sealedOutput, output.State, envelope.DocumentLength, dataKey);
        return plain.IsWhole();
    }

    private bool AreBytesWhole(ItemOutput output, CancellationToken cancellation)
    {
        if (output.State.Payload is null)
            return true;
        using var payload = open(output);
        if (payload is null)
            return false;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[Math.Clamp(output.State.PayloadLength, 1, ReadSize)];
        var done = 0L;
        for (int read; (read = payload.Read(buffer, 0, buffer.Length)) > 0; done += read)
        {
            cancellation.ThrowIfCancellationRequested();
            if (done + read > output.State.PayloadLength)
                return false;
            hash.AppendData(buffer, 0, read);
        }
        return done == output.State.PayloadLength && hash.GetHashAndReset().AsSpan().SequenceEqual(output.State.Sha256);
    }
}
