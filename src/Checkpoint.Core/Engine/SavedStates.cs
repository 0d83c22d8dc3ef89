namespace Checkpoint;

/// <summary>Reads saved states back, and tells damage of them from what went wrong otherwise.</summary>
/// <param name="store">The store.</param>
internal sealed class SavedStates(KeyedStore store)
{
    /// <summary>Reads a state.</summary>
    /// <param name="info">The checkpoint.</param>
    /// <param name="decode">Makes an object of the state; called on the caller's thread.</param>
    /// <param name="progress">Told the bytes read and the bytes in all.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <returns>The state, or the damage that was found in its bytes.</returns>
    /// <exception cref="CheckpointException">
    /// <see cref="CheckpointErrorKind.KeyRequired"/> or <see cref="CheckpointErrorKind.KeyWrong"/>; a state that is whole and cannot be decoded; or an error of the store.
    /// </exception>
    public async ValueTask<(T? State, CheckpointException? Damage)> ReadAsync<T>(CheckpointInfo info, Func<StateReader, T> decode, Action<long, long>? progress, CancellationToken cancellation)
    {
        // Without a state there is nothing to open, and yet it is the key alone that says whether it is what was saved.
        if (info.IsLocked)
            throw store.Locked(info);
        if (info.State is null)
            return default;
        Exception? fromCaller = null;
        void Report(long read)
        {
            try
            {
                progress?.Invoke(read, info.State.Size);
            }
            catch (Exception e)
            {
                fromCaller = e;
                throw;
            }
        }

        bool IsStumble(Exception e) => e != fromCaller && e is not (CheckpointException or IOException or UnauthorizedAccessException or OperationCanceledException or OutOfMemoryException) && !cancellation.IsCancellationRequested;

        StateReader? opened = null;
        try
        {
            using var reader = opened = await store.OpenStateAsync(info, Report, cancellation);
            try
            {
                var state = decode(reader);
                reader.Complete();
                return (state, null);
            }
            catch (Exception e) when (IsStumble(e))
            {
                // The bytes are decoded before their hash is known, so a decoder may stumble over them in any way. Where they are right, an older
                // state in their place would be a wrong one.
                if (reader.IsWhole())
                    throw CheckpointErrors.Undecodable(info, e);
                return (default, CheckpointErrors.Damaged(info.StageId, info.Step, info.Location, $"its state cannot be read ({CheckpointErrors.WhyUnreadable(e, info.Encrypted)})", e));
            }
        }
        catch (CheckpointException e) when (e.Kind == CheckpointErrorKind.CheckpointDamaged && opened is null)
        {
            // The payload went missing since its record was read.
            return (default, e);
        }
        catch (Exception e) when (e != fromCaller && IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, store.Location, $"Restoring checkpoint {info.StageId}", info.Name);
        }
    }
}
