namespace Checkpoint;

/// <summary>Has another key open what is encrypted, instead of that of the store. No state is read or written.</summary>
/// <param name="store">The store, with the old key.</param>
/// <param name="time">The clock.</param>
/// <param name="newKey">The new key.</param>
internal sealed class KeyChange(KeyedStore store, TimeProvider time, CheckpointKey newKey)
{
    // How often a checkpoint is read anew when another was saved in its place before its key was changed.
    private const int Attempts = 10;

    /// <summary>Changes the key of a checkpoint.</summary>
    /// <returns>False where there is nothing to do: it is not there, not encrypted, or the new key opens it already.</returns>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.KeyRequired"/> or <see cref="CheckpointErrorKind.KeyWrong"/> of the old key; damage; or an error of the store.</exception>
    public async ValueTask<bool> ApplyAsync(StageId stage, long step, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            if ((await store.ReadAsync(stage, step, cancellation)).OrThrow() is not { Encrypted: true } info || store.Rewrap(info, newKey) is not { } envelope)
                return false;
            // Where it was overwritten meanwhile, the new one is what is meant.
            if (await store.ReplaceEncryptionAsync(info, envelope, cancellation))
                return true;
            if (attempt == Attempts)
                throw CheckpointErrors.FromIO(new IOException("it is saved anew again and again"), store.Location, $"Changing the key of checkpoint {stage}", stage.Name);
        }
    }

    /// <summary>Changes the key of the outputs of a stage's items.</summary>
    /// <returns>For how many that was done.</returns>
    /// <exception cref="CheckpointException">Also <see cref="CheckpointErrorKind.LeaseHeld"/> where the items are being worked on.</exception>
    public async ValueTask<int> ApplyToItemsAsync(StageId stage, CancellationToken cancellation)
    {
        var name = new LeaseName(stage);
        var (lease, other) = await store.TryLeaseAsync(name, LeaseHolder.Self(time), cancellation);
        if (lease is null)
            throw CheckpointErrors.LeaseHeld(name, store.Location, other);
        using (lease)
        {
            using var log = await store.OpenItemsAsync(stage, cancellation);
            return ((KeyedItemLog)log).Rewrap(newKey, cancellation);
        }
    }
}
