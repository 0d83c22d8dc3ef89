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

    public override int ReadAll(Action<ItemMark> visit, Action<WorkerLine> visitWorker, CancellationToken cancellation) => inner.ReadAll(visit, visitWorker, cancellation);

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

    public override void Append(IReadOnlyList<ItemEntry> entries, CancellationToken cancellation) => inner.Append(entries, cancellation);

    public override void Append(WorkerLine line, CancellationToken cancellation) => inner.Append(line, cancellation);

    public override void WaitForChange(TimeSpan atMost, CancellationToken cancellation) => inner.WaitForChange(atMost, cancellation);

    public override ItemOutput ReadOutput(long place, CancellationToken cancellation) => inner.ReadOutput(place, cancellation);

    public override ItemEntry ReadFailure(long at, CancellationToken cancellation) => inner.ReadFailure(at, cancellation);

    public override int Rewrite(Func<ItemEntry, ItemEntry?> change, CancellationToken cancellation) => inner.Rewrite(change, cancellation);

    /// <summary>Has another key open the outputs, and the one before no longer: the journal is written anew. The outputs stay as they are.</summary>
    /// <returns>For how many that was done; those that the new key opens already are not among them.</returns>
    /// <exception cref="CheckpointException">
    /// <see cref="CheckpointErrorKind.KeyRequired"/> or <see cref="CheckpointErrorKind.KeyWrong"/> of some; for the others it is done.
    /// </exception>
    public int Rewrap(CheckpointKey newKey, CancellationToken cancellation)
    {
        var begun = newKey.Begin(store);
        CheckpointException? locked = null;
        var count = inner.Rewrite(entry =>
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return Rewrapped(entry, newKey, begun);
            }
            catch (CheckpointException e)
            {
                locked ??= e;
                return null;
            }
        }, cancellation);
        CryptographicOperations.ZeroMemory(begun.Root);
        return locked is null ? count : throw locked;
    }

    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.KeyRequired"/> or <see cref="CheckpointErrorKind.KeyWrong"/>.</exception>
    public override StateReader OpenOutput(ItemId id, ItemOutput output, CancellationToken cancellation)
    {
        if (output.Encryption is not { } envelope)
            return inner.OpenOutput(id, output, cancellation);
        using var dataKey = DataKey.Unwrap(key, envelope, () => SealedIdentity.OfItem(stage, id, output.State, envelope.DocumentLength)) ?? throw Locked(envelope);
        return KeyedStore.OpenState(inner.OpenOutput(id, output, cancellation), output.State, envelope.DocumentLength, dataKey);
    }

    private CheckpointException Locked(Envelope envelope) => CheckpointErrors.OutputLocked(stage, store, key?.Kind, envelope.Key, key?.MissingPrivateKey(envelope.Key));

    private ItemEntry? Rewrapped(ItemEntry entry, CheckpointKey newKey, (KeyHeader Header, byte[] Root) begun)
    {
        if (entry.Output is not { Encryption: { } envelope } output)
            return null;
        try
        {
            var identity = SealedIdentity.OfItem(stage, entry.Id, output.State, envelope.DocumentLength);
            using var dataKey = DataKey.Unwrap(key, envelope, () => identity);
            if (dataKey is null)
                return newKey.IsOf(envelope.Key) ? null : throw Locked(envelope);
            return new ItemEntry { Id = entry.Id, Key = entry.Key, At = entry.At, Output = output with { Encryption = envelope.For((begun.Header, [.. begun.Root]), dataKey, identity) } };
        }
        catch (InvalidDataException)
        {
            // It was damaged before, and is done again when it is asked for.
            return null;
        }
    }

    public override void Dispose()
    {
        if (_root.IsValueCreated)
            CryptographicOperations.ZeroMemory(_root.Value.Root);
        inner.Dispose();
    }
}
