using System.Runtime.CompilerServices;

namespace Checkpoint;

/// <summary>
/// Verifies a folder store, beside its readers and writers and without a lock. Whatever looks wrong is looked at once more before it is a finding: it may just have been
/// replaced, removed, or not yet written.
/// </summary>
internal sealed class FolderVerifier(string root, FileSystem files, TimeProvider time, CheckpointKey? key)
{
    // What lies about for longer without a lock has no living writer. A stalled one of which that is not true loses nothing by being told of.
    private static readonly TimeSpan Leftover = TimeSpan.FromSeconds(1);

    private const int HeadReads = 100;

    private readonly StageVerifier _stages = new(root, files, time, key);
    private readonly FolderHistory _histories = new(root, files);
    private readonly List<FolderNode> _doubtful = [];
    private long _looked;

    /// <summary>Verifies what is meant.</summary>
    /// <param name="scope">What is meant.</param>
    /// <param name="progress">Told the bytes done and the bytes in all, on the caller's thread.</param>
    /// <param name="cancellation">Ends it.</param>
    public async IAsyncEnumerable<StoreFinding> VerifyAsync(StoreScope scope, Action<long, long>? progress, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var walk = new FolderWalk(root, files, scope, cancellation);
        walk.Run();
        foreach (var finding in walk.Findings)
            yield return finding;
        var (done, total) = (0L, walk.Files.Sum(f => f.Length));
        foreach (var node in walk.Files)
        {
            cancellation.ThrowIfCancellationRequested();
            var (before, read) = (done, 0L);
            foreach (var finding in Guarded(node, () => Verify(node, bytes => progress?.Invoke(Math.Min(total, before + (read = bytes)), total), cancellation)))
                yield return finding;
            // A payload is read with its record.
            done += node.Role == FolderRole.Payload ? 0 : node.Role == FolderRole.Record ? node.Length + read : node.Length;
            progress?.Invoke(Math.Min(total, done), total);
        }
        // A new pipeline has its first checkpoint before its first line.
        var silent = walk.IsWhole ? walk.Files.Where(f => f.Role == FolderRole.Record).Select(f => f.Above(FolderRole.Pipeline)!).DistinctBy(p => p.Path).Where(IsSilent).ToList() : [];
        if (silent.Count > 0)
            _looked = time.GetTimestamp();
        else if (_doubtful.Count == 0)
            yield break;
        if (time.GetElapsedTime(_looked) is var waited && waited < Leftover)
            await Task.Delay(Leftover - waited, time, cancellation);
        foreach (var node in _doubtful.Where(IsLeftover))
            yield return FolderWalk.Find(node, root, StoreFindingKind.Leftover, FindingSeverity.Information, "A save that was cut off left it, and nobody reads it. A later save or Repair-CheckpointStore removes it.");
        foreach (var node in silent.Where(IsSilent))
            yield return FolderWalk.Find(node, root, StoreFindingKind.HistoryCut, FindingSeverity.Warning, "There are checkpoints, and no line of a history tells of them: somebody removed it with its head, or it could not be written. The next line begins a new one.");
    }

    /// <summary>Verifies one file.</summary>
    /// <param name="node">The file.</param>
    /// <param name="progress">Told the bytes of it that were read.</param>
    /// <param name="cancellation">Ends it.</param>
    public IEnumerable<StoreFinding> Verify(FolderNode node, Action<long>? progress, CancellationToken cancellation)
    {
        switch (node.Role)
        {
            case FolderRole.Record:
                return One(_stages.VerifyRecord(node, progress, cancellation));
            case FolderRole.Items:
                return _stages.VerifyItems(node, progress, cancellation);
            case FolderRole.Payload or FolderRole.Temporary:
                // Its lock is asked for when it is older: who has just made it is about to take that.
                if (IsNobodys(node))
                {
                    _doubtful.Add(node);
                    _looked = time.GetTimestamp();
                }
                return [];
            case FolderRole.RunRecord:
                return One(Twice(() => VerifyRun(node)));
            case FolderRole.Breaker:
                return One(Twice(() => VerifyBreaker(node)));
            case FolderRole.Lock:
                return One(Twice(() => VerifyLock(node)));
            case FolderRole.History:
                return VerifyHistory(node, progress, cancellation);
            case FolderRole.HistoryHead:
                // Lines without a head are told of with the history; so is a head that is beyond them.
                return files.Status(Path.Join(node.Folder, FolderLayout.HistoryName)) is null && _histories.ReadHead(node.Folder) is { Number: > 0 } head
                    ? One(FolderWalk.Find(node, root, StoreFindingKind.HistoryCut, FindingSeverity.Warning, Missing(head.Number)))
                    : [];
            default:
                return [];
        }
    }

    /// <summary>Whether a temporary file, or a payload that no record names, has no living writer. What a damaged record may have named is none.</summary>
    public bool IsLeftover(FolderNode node) => files.Status(node.Path) is { Type: EntryType.File } && IsNobodys(node) && !IsLocked(node.Path);

    // Its head would tell what is missing; what cannot be read is told of.
    private bool IsSilent(FolderNode pipeline) =>
        files.Status(Path.Join(pipeline.Path, FolderLayout.HistoryName)) is null or { Type: EntryType.File, Length: 0 } && files.Status(Path.Join(pipeline.Path, FolderLayout.HistoryHeadName)) is null && files.Status(pipeline.Path) is not null;

    private bool IsLocked(string path)
    {
        try
        {
            return files.IsLocked(path);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            return true;
        }
    }

    private bool IsNobodys(FolderNode node)
    {
        try
        {
            var (leftovers, step) = (new FolderLeftovers(files, node.Folder), FolderLayout.Classify(node.Name).Step);
            return node.Role == FolderRole.Temporary || !(leftovers.IsReferenced(step, node.Name) || leftovers.IsDamaged(step)
                || files.Status(Path.Join(node.Folder, FolderLayout.RecordName(step))) is { Type: not EntryType.File });
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            // The record is told of.
            return false;
        }
    }

    // It is written in place: what is read twice alike was not being written.
    private HistoryLink? ReadHead(string folder)
    {
        try
        {
            var head = _histories.ReadHead(folder);
            for (var attempt = 1; attempt < HeadReads && _histories.ReadHead(folder) is var again && again != head; attempt++)
                head = again;
            return head;
        }
        catch (ForeignFileException)
        {
            // It is told of, and the lines are verified without it.
            return null;
        }
    }

    private static IEnumerable<StoreFinding> One(StoreFinding? finding) => finding is null ? [] : [finding];

    private static StoreFinding? Twice(Func<StoreFinding?> look) => look() is null ? null : look();

    private static string Missing(long lines) => $"The newest {(lines == 1 ? "line is" : $"{lines} lines are")} missing. A loss of power can take them, for the history is not flushed with each line; so can whoever removes them.";

    // What cannot be read is a finding like another, and the rest is verified all the same.
    private List<StoreFinding> Guarded(FolderNode node, Func<IEnumerable<StoreFinding>> verify)
    {
        try
        {
            return [.. verify()];
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            return [FolderWalk.Find(node, root, StoreFindingKind.Unreadable, FindingSeverity.Error, $"It could not be read, and so not verified: {e.Message.TrimEnd('.')}. See to it that this user can read it, and verify again.")];
        }
    }

    private StoreFinding? VerifyRun(FolderNode node)
    {
        try
        {
            new FolderRuns(root, files).Read(node.Folder);
            return null;
        }
        catch (CheckpointException e)
        {
            return e.Kind == CheckpointErrorKind.FormatTooNew ? TooNew(node, e.Message) : FolderWalk.Find(node, root, StoreFindingKind.DamagedRun, FindingSeverity.Error, e.Message);
        }
    }

    private StoreFinding? VerifyBreaker(FolderNode node)
    {
        try
        {
            if (files.ReadRecord(node.Path) is not { } bytes)
                return null;
            var record = CircuitFormat.Parse(bytes);
            var path = Path.Join(FolderLayout.RunPath(root, record.Pipeline, null), Path.GetFileName(node.Folder), FolderLayout.Escape(record.Name) + ".json");
            return path == node.Path ? null : FolderWalk.Find(node, root, StoreFindingKind.Misplaced, FindingSeverity.Error, $"It is the record of another circuit breaker, '{record.Name}' of pipeline '{record.Pipeline}'; it does not count.");
        }
        catch (InvalidDataException e)
        {
            return FolderWalk.Find(node, root, StoreFindingKind.DamagedBreaker, FindingSeverity.Error, $"The record of the circuit breaker is damaged: {e.Message}. It counts as closed.");
        }
        catch (RecordTooNewException e)
        {
            return TooNew(node, $"The circuit breaker was written in format {e.Version}, which this version of Checkpoint does not know.");
        }
    }

    private StoreFinding? VerifyLock(FolderNode node) => FolderLeaseFile.IsWhole(files, node.Path) || files.IsLocked(node.Path) ? null
        : FolderWalk.Find(node, root, StoreFindingKind.DamagedLock, FindingSeverity.Warning, "The file of the lock does not say who had it last. That harms nothing; who takes the lock next writes it anew.");

    private IEnumerable<StoreFinding> VerifyHistory(FolderNode node, Action<long>? progress, CancellationToken cancellation)
    {
        var head = ReadHead(node.Folder);
        using var file = files.OpenRead(node.Path);
        if (file is null)
            yield break;
        var chain = new HistoryChain(Path.GetFileName(node.Folder), head);
        var read = 0L;
        var isTorn = false;
        foreach (var (line, isEnded) in LineFile.Lines(files, file, HistoryFormat.MaxLine))
        {
            cancellation.ThrowIfCancellationRequested();
            if (isEnded)
                chain.Add(line.Span);
            // What is longer by now, or locked, is being written.
            else
                isTorn = !files.IsLocked(node.Path) && files.Length(node.Path) == read + line.Length;
            progress?.Invoke(read += line.Length + 1);
        }
        var (missing, isHeadWrong) = chain.End();
        foreach (var found in chain.Breaks)
            yield return FolderWalk.Find(node, root, StoreFindingKind.HistoryBroken, found.Severity, found.Text);
        if (chain.Returns > 0)
            yield return FolderWalk.Find(node, root, StoreFindingKind.HistoryBroken, FindingSeverity.Warning, $"{chain.Returns} lines of the history end in a carriage return: a program changed the ends of lines, as git or an editor may. What the lines say is judged without it.");
        if (chain.Untold > 0)
            yield return FolderWalk.Find(node, root, StoreFindingKind.HistoryBroken, FindingSeverity.Error, chain.UntoldText);
        if (missing > 0)
            yield return FolderWalk.Find(node, root, StoreFindingKind.HistoryCut, FindingSeverity.Warning, Missing(missing));
        if (chain.Torn > 0 || isTorn)
            yield return FolderWalk.Find(node, root, StoreFindingKind.TornLine, FindingSeverity.Information, $"Line {(chain.Torn > 0 ? chain.FirstTorn : chain.Lines + 1)} of the history{(chain.Torn + (isTorn ? 1 : 0) is > 1 and var torn ? $", and {torn - 1} more," : "")} is not whole: a crash cut it off. It is passed over.");
        if (isHeadWrong || (head is null && chain.Lines > chain.Torn && ReadHead(node.Folder) is null))
            yield return FolderWalk.Find(node, root, StoreFindingKind.HistoryHead, FindingSeverity.Warning, $"'{FolderLayout.HistoryHeadName}' beside it is missing or damaged, so that nobody can tell whether the newest lines are there. The next line, or Repair-CheckpointStore, writes it anew.");
    }

    private StoreFinding TooNew(FolderNode node, string message) => FolderWalk.Find(node, root, StoreFindingKind.FormatTooNew, FindingSeverity.Warning, message);
}
