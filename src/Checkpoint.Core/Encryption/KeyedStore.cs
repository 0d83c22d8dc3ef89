using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Checkpoint;

/// <summary>
/// A store seen with a key, or without one. What is saved with a key is encrypted before the store behind it sees any of it, and what is read is decrypted, and so known to be
/// what was saved in that very place. Without a key, and with another one, names, times and sizes can be read all the same.
/// </summary>
/// <param name="inner">The store.</param>
/// <param name="key">The key, or null for none.</param>
internal sealed class KeyedStore(CheckpointStore inner, CheckpointKey? key) : CheckpointStore
{
    // To stretch a passphrase takes some tenths of a second: no more of what others saved is looked at for a salt.
    private const int TriedSalts = 3;

    // Nor of what is not encrypted, of which there may be very much.
    private const int SeenStages = 50;

    public override string Location => inner.Location;

    public override Replica? Replica => inner.Replica;

    public override bool IsThere => inner.IsThere;

    /// <summary>Why a checkpoint cannot be opened with this key.</summary>
    public CheckpointException Locked(CheckpointInfo info)
    {
        var header = info.Encryption!.Key;
        if (key is null)
            return CheckpointErrors.KeyRequired(info, header);
        return key.MissingPrivateKey(header) is { } thumbprint ? CheckpointErrors.PrivateKeyRequired(info, thumbprint) : CheckpointErrors.KeyWrong(info, header, key.Kind);
    }

    public override ValueTask<CheckpointInfo> SaveAsync(CheckpointDraft draft, CancellationToken cancellation) =>
        key is null ? inner.SaveAsync(draft, cancellation) : SaveAsync(draft, key, cancellation);

    public override ValueTask<bool> ReplaceEncryptionAsync(CheckpointInfo checkpoint, Envelope encryption, CancellationToken cancellation) => inner.ReplaceEncryptionAsync(checkpoint, encryption, cancellation);

    /// <summary>What the record of an encrypted checkpoint must say to be opened by another key. The state stays as it is.</summary>
    /// <returns>Null where that key opens it already.</returns>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.KeyRequired"/>, <see cref="CheckpointErrorKind.KeyWrong"/> or <see cref="CheckpointErrorKind.CheckpointDamaged"/>.</exception>
    public Envelope? Rewrap(CheckpointInfo checkpoint, CheckpointKey newKey)
    {
        var envelope = checkpoint.Encryption!;
        try
        {
            using var dataKey = Unwrap(checkpoint, envelope);
            if (dataKey is null)
                return newKey.IsOf(envelope.Key) ? null : throw Locked(checkpoint);
            return envelope.For(newKey.Begin(Location), dataKey, SealedIdentity.OfCheckpoint(checkpoint, envelope.DocumentLength, envelope.Facts));
        }
        catch (InvalidDataException e)
        {
            throw Damaged(checkpoint, e);
        }
    }

    public override ValueTask<StageListing?> FindAsync(StageId stage, CancellationToken cancellation) =>
        key is null ? inner.FindAsync(stage, cancellation) : OpenAsync(inner.FindAsync(stage, cancellation));

    public override ValueTask<StageListing?> RecallAsync(StageId stage, CancellationToken cancellation) =>
        key is null ? inner.RecallAsync(stage, cancellation) : OpenAsync(inner.RecallAsync(stage, cancellation));

    public override IAsyncEnumerable<StageListing> ListAsync(StageQuery query, CancellationToken cancellation) =>
        key is null ? inner.ListAsync(query, cancellation) : OpenAllAsync(query, cancellation);

    public override ValueTask<CheckpointReading> ReadAsync(StageId stage, long step, CancellationToken cancellation) =>
        key is null ? inner.ReadAsync(stage, step, cancellation) : OpenAsync(inner.ReadAsync(stage, step, cancellation));

    /// <exception cref="CheckpointException">
    /// Also <see cref="CheckpointErrorKind.KeyRequired"/> and <see cref="CheckpointErrorKind.KeyWrong"/>.
    /// </exception>
    public override async ValueTask<StateReader> OpenStateAsync(CheckpointInfo checkpoint, Action<long>? progress, CancellationToken cancellation)
    {
        if (checkpoint.Encryption is not { } envelope)
            return await inner.OpenStateAsync(checkpoint, progress, cancellation);
        DataKey dataKey;
        try
        {
            dataKey = Unwrap(checkpoint, envelope) ?? throw Locked(checkpoint);
        }
        catch (InvalidDataException e)
        {
            throw Damaged(checkpoint, e);
        }
        using (dataKey)
            return OpenState(await inner.OpenStateAsync(checkpoint, progress, cancellation), checkpoint.State!, envelope.DocumentLength, dataKey);
    }

    public override async ValueTask<ItemLog> OpenItemsAsync(StageId stage, Lease? worker, CancellationToken cancellation) =>
        new KeyedItemLog(await inner.OpenItemsAsync(stage, worker, cancellation), stage, Location, key);

    public override async ValueTask<ItemLog> ReadItemsAsync(StageId stage, CancellationToken cancellation) =>
        new KeyedItemLog(await inner.ReadItemsAsync(stage, cancellation), stage, Location, key);

    public override ValueTask<int> RemoveAsync(StageId stage, IReadOnlyCollection<DoomedStep>? steps, LeaseFence? held, CancellationToken cancellation) => inner.RemoveAsync(stage, steps, held, cancellation);

    public override ValueTask AppendHistoryAsync(string pipeline, IReadOnlyList<CheckpointEvent> events, CancellationToken cancellation) => inner.AppendHistoryAsync(pipeline, events, cancellation);

    public override IAsyncEnumerable<CheckpointEvent> ReadHistoryAsync(NamePattern pipeline, CancellationToken cancellation) => inner.ReadHistoryAsync(pipeline, cancellation);

    public override ValueTask WriteRunAsync(CheckpointRun run, CancellationToken cancellation) => inner.WriteRunAsync(run, cancellation);

    public override IAsyncEnumerable<RunReading> ListRunsAsync(NamePattern pipeline, NamePattern run, CancellationToken cancellation) => inner.ListRunsAsync(pipeline, run, cancellation);

    public override ValueTask<byte[]?> ReadDocumentAsync(DocumentName document, CancellationToken cancellation) => inner.ReadDocumentAsync(document, cancellation);

    public override ValueTask WriteDocumentAsync(DocumentName document, ReadOnlyMemory<byte> bytes, CancellationToken cancellation) => inner.WriteDocumentAsync(document, bytes, cancellation);

    public override ValueTask<LeaseAttempt> TryLeaseAsync(LeaseName lease, LeaseHolder holder, TimeSpan? duration, CancellationToken cancellation) => inner.TryLeaseAsync(lease, holder, duration, cancellation);

    public override ValueTask<LeaseHolder?> FindLeaseAsync(LeaseName lease, CancellationToken cancellation) => inner.FindLeaseAsync(lease, cancellation);

    public override ValueTask WaitForChangeAsync(StageId stage, TimeSpan atMost, TimeProvider time, CancellationToken cancellation) => inner.WaitForChangeAsync(stage, atMost, time, cancellation);

    public override IAsyncEnumerable<StoreFinding> VerifyAsync(StoreScope scope, Action<long, long>? progress, CancellationToken cancellation) => inner.VerifyAsync(scope with { Key = key }, progress, cancellation);

    public override ValueTask<StoreFinding?> RepairAsync(StoreFinding finding, string quarantine, CheckpointKey? _, CancellationToken cancellation) =>
        inner.RepairAsync(finding, quarantine, key, cancellation);

    /// <summary>Makes a reader of the plain state out of one of the encrypted.</summary>
    /// <exception cref="InvalidDataException">Its length is none that an encrypted state has.</exception>
    public static StateReader OpenState(StateReader state, StoredState stored, long documentLength, DataKey key)
    {
        var plain = new StoredState { IsSequence = stored.IsSequence, Payload = "", PayloadLength = ChunkCipher.PlainLength(stored.Size), DocumentLength = documentLength };
        return new StateReader(plain, new OpeningStream(state, stored.Size, key.StateCipher()), isAuthentic: true);
    }

    private async ValueTask<CheckpointInfo> SaveAsync(CheckpointDraft draft, CheckpointKey key, CancellationToken cancellation)
    {
        // On this thread, for the state is written on it.
        FindSaltAsync(draft.Stage.Pipeline, cancellation).AsTask().GetAwaiter().GetResult();
        using var dataKey = DataKey.New();
        var facts = new SealedFacts(draft.Metadata, draft.Identity).ToBytes();
        var sealedFacts = facts is null ? null : dataKey.SealFacts(facts);
        CryptographicOperations.ZeroMemory(facts);
        var state = draft.State is null ? null : new SealedState(draft.State, dataKey);
        var (header, root) = key.Begin(Location);

        // The step is known to the store alone, and only when the state is written.
        Envelope Close(CheckpointInfo info)
        {
            var documentLength = state?.DocumentLength ?? 0;
            var (nonce, wrapped) = dataKey.Wrap(root, SealedIdentity.OfCheckpoint(info, documentLength, sealedFacts));
            return new Envelope { Key = header, Nonce = nonce, Wrapped = wrapped, DocumentLength = documentLength, Facts = sealedFacts };
        }

        try
        {
            var saved = await inner.SaveAsync(draft with { Metadata = CheckpointInfo.NoMetadata, Identity = null, State = state, Close = Close }, cancellation);
            return saved.Opened(draft.Metadata, draft.Identity);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(root);
        }
    }

    private static CheckpointException Damaged(CheckpointInfo info, InvalidDataException e) => CheckpointErrors.Damaged(info.StageId, info.Step, info.Location, e.Message, e);

    private DataKey? Unwrap(CheckpointInfo info, Envelope envelope)
    {
        var dataKey = DataKey.Unwrap(key, envelope, () => SealedIdentity.OfCheckpoint(info, envelope.DocumentLength, envelope.Facts));
        if (dataKey is not null)
            key!.Adopt(Location, envelope.Key);
        return dataKey;
    }

    private CheckpointReading Open(CheckpointReading reading)
    {
        if (key is null || reading.Info is not { Encryption: { } envelope } info)
            return reading;
        try
        {
            using var dataKey = Unwrap(info, envelope);
            if (dataKey is null)
                return reading;
            if (envelope.Facts is null)
                return new CheckpointReading(info.Opened(CheckpointInfo.NoMetadata, null));
            var facts = dataKey.OpenFacts(envelope.Facts);
            var (metadata, identity) = SealedFacts.Parse(facts);
            CryptographicOperations.ZeroMemory(facts);
            return new CheckpointReading(info.Opened(metadata, identity));
        }
        catch (InvalidDataException e)
        {
            return new CheckpointReading(Damaged(info, e));
        }
    }

    private StageListing? Open(StageListing? listing) => key is null || listing is null ? listing : listing with { Newest = Open(listing.Newest) };

    private async ValueTask<StageListing?> OpenAsync(ValueTask<StageListing?> listing) => Open(await listing);

    private async ValueTask<CheckpointReading> OpenAsync(ValueTask<CheckpointReading> reading) => Open(await reading);

    private async IAsyncEnumerable<StageListing> OpenAllAsync(StageQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var listing in inner.ListAsync(query, cancellation))
            yield return Open(listing)!;
    }

    /// <summary>Lets the key see what was saved before: a passphrase with the same salt need be stretched only once by whoever reads all of it.</summary>
    private async ValueTask FindSaltAsync(string pipeline, CancellationToken cancellation)
    {
        var (tried, seen) = (0, 0);
        foreach (var run in new NamePattern?[] { null, NamePattern.Any })
        {
            if (key!.IsReady(Location))
                return;
            await foreach (var listing in inner.ListAsync(new StageQuery { Pipeline = NamePattern.Of(pipeline), Run = run, Name = NamePattern.Any }, cancellation))
            {
                if (listing.Newest.Info?.Encryption?.Key.Kind == key.Kind)
                {
                    Open(listing);
                    tried++;
                }
                if (key.IsReady(Location) || tried == TriedSalts || ++seen == SeenStages)
                    return;
            }
        }
    }
}
