using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>
/// Leases of a folder store. Who has one holds the operating system's lock on its file, which ends with the process, so a dead holder never blocks. A holder that lives and yet does not renew it, as
/// one that was stopped, loses it by the clock of the file system: another puts a file of its own in the place of that file.
/// </summary>
internal sealed class FolderLeases(string root, FileSystem files, TimeProvider time)
{
    // Who only asks whether a lease is held shares its lock, for some microseconds, with others who ask.
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);

    // Others hold the turn for some milliseconds.
    private static readonly TimeSpan TurnPatience = TimeSpan.FromSeconds(60);

    private const int Glances = 10;
    private const int Attempts = 100;

    public ValueTask<LeaseAttempt> TryTakeAsync(LeaseName lease, LeaseHolder holder, TimeSpan? duration, CancellationToken cancellation) =>
        TryTakeAsync(FolderLayout.LeasePath(root, lease), lease, holder, duration, cancellation);

    /// <param name="path">The file whose lock is the lease.</param>
    /// <param name="name">What it is on.</param>
    /// <param name="holder">Who takes it.</param>
    /// <param name="duration">For how long it is kept without being renewed; null for as long as the process lives.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async ValueTask<LeaseAttempt> TryTakeAsync(string path, LeaseName name, LeaseHolder holder, TimeSpan? duration, CancellationToken cancellation)
    {
        FileSystem.RefuseLinks(Path.GetDirectoryName(path)!, root);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using (await TurnAsync(path, needsLocks: duration is not null, cancellation))
                {
                    var asked = time.GetTimestamp();
                    if (FindBar(path) is { } bar)
                        return new LeaseAttempt(null, bar) { IsBarred = true };
                    if (files.OpenLocked(path) is { } file)
                        return Grant(file, path, name, holder, duration, asked);
                    // Those who only ask share it, and may take turns at it for long; who has it shares it with nobody.
                    if (attempt >= Glances && files.IsLocked(path))
                        return IsOver(path) && TryTakeOver(path) is { } taken ? Grant(taken, path, name, holder, duration, asked) : new LeaseAttempt(null, Read(path)?.Holder);
                }
            }
            catch (DirectoryNotFoundException) when (attempt < Attempts)
            {
                FolderTree.Create(files, Path.GetDirectoryName(path)!);
                continue;
            }
            await Task.Delay(Glance, cancellation);
        }
    }

    /// <summary>Who has a lease now, or null.</summary>
    public LeaseHolder? Find(LeaseName lease)
    {
        var path = FolderLayout.LeasePath(root, lease);
        FileSystem.RefuseLinks(Path.GetDirectoryName(path)!, root);
        return HolderOf(path) ?? (lease.Worker is null ? FindBar(path) : null);
    }

    /// <summary>Who works on the items of a stage together with others, or null.</summary>
    /// <param name="path">The file of the stage's lease.</param>
    public LeaseHolder? FindWorker(string path)
    {
        // The first number that is free is taken, and no file is removed: so there is none behind the first that is missing.
        for (var worker = 1; FolderLayout.WorkerPath(path, worker) is var one && files.Status(one) is not null; worker++)
        {
            if (HolderOf(one) is { } holder)
                return holder;
        }
        return null;
    }

    /// <summary>Keeps others from taking a lease over until what is returned is disposed of.</summary>
    /// <exception cref="StoreFaultException">The lease is not held any more.</exception>
    public async ValueTask<IDisposable> HoldAsync(LeaseFence fence, CancellationToken cancellation)
    {
        var path = FolderLayout.LeasePath(root, fence.Name);
        try
        {
            var turn = await TurnAsync(path, needsLocks: false, cancellation);
            try
            {
                var now = ReadFile(path);
                if (now?.Token != fence.Token)
                    throw new StoreFaultException(StoreFault.LeaseLost, now is null ? "its lease is gone" : $"its lease is that of {now.Holder} now");
                return turn;
            }
            catch
            {
                turn.Dispose();
                throw;
            }
        }
        catch (DirectoryNotFoundException e)
        {
            throw new StoreFaultException(StoreFault.LeaseLost, "its lease is gone", e);
        }
    }

    /// <summary>Why somebody whose record was written into a lock's file has the lock no more, or null.</summary>
    /// <exception cref="CheckpointException">It cannot be told.</exception>
    public string? Look(string path, byte[] record)
    {
        try
        {
            return WhyLost(path, record);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            throw CheckpointErrors.FromIO(e, root, $"Looking at the lease '{path}'", path);
        }
    }

    private string? WhyLost(string path, byte[] record)
    {
        if (FolderLeaseFile.ReadBytes(files, path) is not { } bytes)
            return $"its file '{path}' was removed";
        return bytes.AsSpan().SequenceEqual(record) ? null : $"it is that of {FolderLeaseFile.Parse(bytes)?.Holder.ToString() ?? "another"} now";
    }

    // A stage's lease keeps out those who work on its items together, and theirs keep out that.
    private LeaseHolder? FindBar(string path) => !FolderLayout.IsOfStage(path) ? null : FolderLayout.StageLeaseOf(path) is { } stage ? HolderOf(stage) : FindWorker(path);

    private LeaseHolder? HolderOf(string path) => files.IsLocked(path) && !IsOver(path) ? Read(path)?.Holder ?? new LeaseHolder("", "", 0, default) : null;

    // Takers and savers under a lease come one after another: what one has seen must hold until it has done what it does about it. A lock on a file, for a share has none on folders.
    private async ValueTask<IDisposable> TurnAsync(string path, bool needsLocks, CancellationToken cancellation)
    {
        var turn = Path.Join(Path.GetDirectoryName(path), FolderLayout.TurnName);
        var started = time.GetTimestamp();
        for (var pause = TimeSpan.FromMilliseconds(1); ; pause = pause * 2 > Glance ? Glance : pause * 2)
        {
            if (files.OpenLocked(turn) is { } file)
            {
                if (!needsLocks || files.IsLocked(turn))
                    return file;
                file.Dispose();
                throw new IOException("its file system has no locks, and so no leases for a time");
            }
            if (time.GetElapsedTime(started) > TurnPatience)
                throw new IOException($"'{turn}' has been locked by another process for {TurnPatience.TotalSeconds:0} seconds");
            await Task.Delay(pause, cancellation);
        }
    }

    private LeaseAttempt Grant(SafeFileHandle file, string path, LeaseName name, LeaseHolder holder, TimeSpan? duration, long asked)
    {
        try
        {
            // Above all before also where the file was lost, as far as the clock can tell.
            var token = Math.Max((ReadFile(path)?.Token ?? 0) + 1, (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
            var record = FolderLeaseFile.Describe(holder, token, duration);
            Write(file, record, duration);
            var renewal = duration is null ? null : new LeaseRenewal(time, duration.Value, asked, _ => Renew(file, path, record, duration));
            return new LeaseAttempt(new FolderLease(this, file, path, record, renewal) { Name = name, Holder = holder, Token = token, Duration = duration }, holder);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private string? Renew(SafeFileHandle file, string path, byte[] record, TimeSpan? duration)
    {
        if (WhyLost(path, record) is { } lost)
            return lost;
        Write(file, record, duration);
        // Another may have taken its place meanwhile, and this have gone into the old file.
        return WhyLost(path, record);
    }

    // By its time of writing others see that it is renewed, on a share only when it is flushed.
    private void Write(SafeFileHandle file, byte[] record, TimeSpan? duration)
    {
        files.Write(file, record, 0);
        if (duration is not null)
            files.Flush(file);
    }

    // By the clock of the file system, which is one for all hosts: what is made now has its time. The file was just opened, so that a share tells no old time of it.
    private bool IsOver(string path)
    {
        if (Read(path) is not { Duration: { } duration })
            return false;
        var probe = Path.Join(Path.GetDirectoryName(path), FolderLayout.NewTemporaryName());
        try
        {
            files.CreateFile(probe).Dispose();
            var now = files.LastWrite(probe);
            files.Delete(probe);
            return now - files.LastWrite(path) > duration;
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            return false;
        }
    }

    // Null where the system lets no other file take the place of one that is open.
    private SafeFileHandle? TryTakeOver(string path)
    {
        var temporary = Path.Join(Path.GetDirectoryName(path), FolderLayout.NewTemporaryName());
        if (files.OpenLocked(temporary) is not { } file)
            return null;
        try
        {
            // Who has it next must go on from its token, whatever becomes of this process.
            files.Write(file, FolderLeaseFile.ReadBytes(files, path) ?? [], 0);
            files.Flush(file);
            files.RenameOver(file, temporary, path);
            return file;
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            file.Dispose();
            files.Delete(temporary);
            return null;
        }
    }

    // What a token follows from, or a save is refused for, must be known: an error of the file system is one here.
    private FolderLeaseFile? ReadFile(string path) => FolderLeaseFile.ReadBytes(files, path) is { } bytes ? FolderLeaseFile.Parse(bytes) : null;

    // For people.
    private FolderLeaseFile? Read(string path)
    {
        try
        {
            return ReadFile(path);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            return null;
        }
    }
}
