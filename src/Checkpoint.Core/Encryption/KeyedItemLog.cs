using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>A journal of items whose outputs are encrypted, each with a data key of its own. Keys and errors of items stay readable, as names are.</summary>
/// <param name="inner">The journal.</param>
/// <param name="stage">Its stage.</param>
/// <param name="store">Its store.</param>
/// <param name="key">The key, or null for none.</param>
internal sealed class KeyedItemLog(ItemLog inner, StageId stage, string store, CheckpointKey? key) : ItemLog
{
    // One root for all that is written here: with a certificate each takes a millisecond to find again.
    private readonly Lazy<(KeyHeader Header, byte[] Root)> _root = new(() => key!.Begin(store));

    public override int Estimate => inner.Estimate;

    public override int ReadAll(Action<ItemMark> visit, CancellationToken cancellation) => inner.ReadAll(visit, cancellation);

    public override ItemOutput WriteOutput(ItemId id, IStateSource output, CancellationToken cancellation)
    {
        if (key is null)
            return inner.WriteOutput(id, output, cancellation);
        using var dataKey = DataKey.New();
        var state = new SealedState(output, dataKey);
        var written = inner.WriteOutput(id, state, cancellation);
        var (nonce, wrapped) = dataKey.Wrap(_root.Value.Root, SealedIdentity.OfItem(stage, id, written.State, state.DocumentLength));
        return written with { Encryption = new Envelope { Key = _root.Value.Header, Nonce = nonce, Wrapped = wrapped, DocumentLength = state.DocumentLength } };
    }

    public override void Append(IReadOnlyList<ItemEntry> entries) => inner.Append(entries);

    public override ItemOutput ReadOutput(long place) => inner.ReadOutput(place);

    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.KeyRequired"/> or <see cref="CheckpointErrorKind.KeyWrong"/>.</exception>
    public override StateReader OpenOutput(ItemId id, ItemOutput output)
    {
        if (output.Encryption is not { } envelope)
            return inner.OpenOutput(id, output);
        if (key?.Find(envelope.Key) is not { } root)
            throw CheckpointErrors.OutputLocked(stage, store, key?.Kind, envelope.Key, key?.MissingPrivateKey(envelope.Key));
        using var dataKey = DataKey.Unwrap(root, envelope, SealedIdentity.OfItem(stage, id, output.State, envelope.DocumentLength));
        CryptographicOperations.ZeroMemory(root);
        return KeyedStore.OpenState(inner.OpenOutput(id, output), output.State, envelope.DocumentLength, dataKey);
    }

    public override void Dispose()
    {
        if (_root.IsValueCreated)
            CryptographicOperations.ZeroMemory(_root.Value.Root);
        inner.Dispose();
    }
}
