using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>A journal of items whose outputs are encrypted, each with a data key of its own. Keys and errors of items stay readable, as names are.</summary>
/// <param name="inner">The journal.</param>
/// <param name="stage">Its stage.</param>
/// <param name="store">Its store.</param>
/// <param name="key">The key, or null for none.</param>
internal sealed class KeyedItemLog(ItemLog inner, StageId stage, string store, CheckpointKey? key) : ItemLog
{
    // Small outputs lie in their entries, each up to 64 KiB long.
    private const int RewrapGroup = 100;

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

    public override ItemEntry ReadEntry(long place) => inner.ReadEntry(place);

    /// <summary>Has another key open the outputs: an entry for each is appended, which counts in place of the one before. The outputs stay as they are.</summary>
    /// <returns>For how many that was done; those that the new key opens already are not among them.</returns>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.KeyRequired"/> or <see cref="CheckpointErrorKind.KeyWrong"/>.</exception>
    public int Rewrap(CheckpointKey newKey, CancellationToken cancellation)
    {
        var places = new Dictionary<ItemId, long>();
        inner.ReadAll(mark => places[mark.Id] = mark.IsDone ? mark.Place : -1, cancellation);
        var (header, root) = newKey.Begin(store);
        var count = 0;
        foreach (var group in places.Values.Where(place => place >= 0).Chunk(RewrapGroup))
        {
            cancellation.ThrowIfCancellationRequested();
            var entries = group.Select(place => Rewrapped(place, newKey, header, root)).OfType<ItemEntry>().ToList();
            if (entries.Count > 0)
                inner.Append(entries);
            count += entries.Count;
        }
        CryptographicOperations.ZeroMemory(root);
        return count;
    }

    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.KeyRequired"/> or <see cref="CheckpointErrorKind.KeyWrong"/>.</exception>
    public override StateReader OpenOutput(ItemId id, ItemOutput output)
    {
        if (output.Encryption is not { } envelope)
            return inner.OpenOutput(id, output);
        if (key?.Find(envelope.Key) is not { } root)
            throw Locked(envelope);
        using var dataKey = DataKey.Unwrap(root, envelope, SealedIdentity.OfItem(stage, id, output.State, envelope.DocumentLength));
        CryptographicOperations.ZeroMemory(root);
        return KeyedStore.OpenState(inner.OpenOutput(id, output), output.State, envelope.DocumentLength, dataKey);
    }

    private CheckpointException Locked(Envelope envelope) => CheckpointErrors.OutputLocked(stage, store, key?.Kind, envelope.Key, key?.MissingPrivateKey(envelope.Key));

    private ItemEntry? Rewrapped(long place, CheckpointKey newKey, KeyHeader header, byte[] root)
    {
        try
        {
            var entry = inner.ReadEntry(place);
            if (entry.Output is not { Encryption: { } envelope } output)
                return null;
            if (key?.Find(envelope.Key) is not { } oldRoot)
                return newKey.IsOf(envelope.Key) ? null : throw Locked(envelope);
            var identity = SealedIdentity.OfItem(stage, entry.Id, output.State, envelope.DocumentLength);
            using var dataKey = DataKey.Unwrap(oldRoot, envelope, identity);
            CryptographicOperations.ZeroMemory(oldRoot);
            return new ItemEntry { Id = entry.Id, Key = entry.Key, At = entry.At, Output = output with { Encryption = envelope.For((header, [.. root]), dataKey, identity) } };
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
