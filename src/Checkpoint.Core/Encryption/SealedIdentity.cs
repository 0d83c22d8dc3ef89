using System.Buffers;
using System.Buffers.Binary;
using System.Collections.ObjectModel;
using System.Security.Cryptography;
using System.Text;

namespace Checkpoint;

/// <summary>What a wrapped data key is bound to, as bytes: it opens in its own place alone. Every value has its length before it, so that no two identities have the same bytes.</summary>
internal sealed class SealedIdentity
{
    private readonly ArrayBufferWriter<byte> _bytes = new(256);

    /// <summary>A checkpoint: the store's format, what names it, the form and size of its state, its facts, and all by which it is decided whether a stage is complete.</summary>
    public static byte[] OfCheckpoint(CheckpointInfo info, long documentLength, byte[]? facts) => new SealedIdentity().Add("checkpoint", info.Pipeline, info.Run, info.Name)
        .Add(info.Step).Add(info.Fingerprint?.Value).AddState(info.State, documentLength).Add(facts is null ? null : SHA256.HashData(facts))
        .Add(info.SavedAt.UtcTicks).AddFiles(info.OutputFiles)._bytes.WrittenSpan.ToArray();

    /// <summary>The output of an item. No record keeps the letters of the names that it was saved under: who goes on with the items may write them otherwise.</summary>
    public static byte[] OfItem(StageId stage, ItemId item, StoredState output, long documentLength) =>
        new SealedIdentity().Add("checkpoint item", CheckpointNames.Key(stage.Pipeline), stage.Run is null ? null : CheckpointNames.Key(stage.Run), CheckpointNames.Key(stage.Name))
            .Add(item.ToString()).AddState(output, documentLength)._bytes.WrittenSpan.ToArray();

    private SealedIdentity Add(string label, string pipeline, string? run, string name) => Add(label).Add(RecordFormat.Version).Add(pipeline).Add(run).Add(name);

    private SealedIdentity AddState(StoredState? state, long documentLength) => state is null ? Add((string?)null) : Add(state.IsSequence ? "sequence" : "value").Add(state.Size).Add(documentLength);

    // Not their paths: those in the store's folder move with it.
    private SealedIdentity AddFiles(ReadOnlyCollection<OutputFile> files)
    {
        Add(files.Count);
        foreach (var file in files)
            Add(file.Size).Add(file.ModifiedAt.UtcTicks).Add(file.Sha256);
        return this;
    }

    private SealedIdentity Add(string? text) => Add(text is null ? null : Encoding.UTF8.GetBytes(text));

    private SealedIdentity Add(byte[]? bytes)
    {
        // Nothing at all, as no run, is not the same as an empty text.
        Add(bytes?.Length ?? -1L);
        _bytes.Write(bytes);
        return this;
    }

    private SealedIdentity Add(long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        _bytes.Write(bytes);
        return this;
    }
}
