using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;

namespace Checkpoint;

/// <summary>Which file of a folder store is what: the one place that turns names into paths and back. docs/format.md describes the same for other programs.</summary>
internal static class FolderLayout
{
    /// <summary>The longest name of a folder, in bytes; below what any file system allows, and short enough for three of them in a path.</summary>
    public const int MaxSegmentBytes = 100;

    public const string StagesFolder = "stages";
    public const string RunsFolder = "runs";

    /// <summary>A pipeline's history.</summary>
    public const string HistoryName = "history.jsonl";

    /// <summary>Where the newest line of a history stands in its chain.</summary>
    public const string HistoryHeadName = "history.head";

    /// <summary>The journal of a stage's items.</summary>
    public const string ItemsName = "items.jsonl";

    /// <summary>The outputs of items that are too large for the journal's lines, by one writer alone; see <see cref="ItemOutputsOf"/> for others.</summary>
    public const string ItemOutputsName = "items.outputs";

    /// <summary>The record of a run.</summary>
    public const string RunRecordName = "run.json";

    private const string LeasesFolder = "leases";
    private const string LeaseSuffix = ".lock";

    /// <summary>Ends the name of a file that is being written.</summary>
    public const string TemporarySuffix = ".tmp";

    /// <summary>On Windows, the file that locks a stage.</summary>
    public const string LockName = "~lock";

    /// <summary>In a folder of leases: locked for as long as one of them is being taken, or a save under one is being made visible.</summary>
    public const string TurnName = "~turn";

    private const string RecordSuffix = ".json";
    private const string PayloadSuffix = ".state";
    private const int MaxWorkerDigits = 6;
    private const int StepDigits = 10;
    private const int NonceDigits = 32;

    // ~ and half of a SHA-256.
    private const int HashedTail = 33;

    // Neither a point at an end nor '~' or '%' appears in a name but by escaping, so what this class adds with them cannot be mistaken for a name.
    private static readonly SearchValues<char> Literal = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_. ");

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>The folder of a stage.</summary>
    public static string StagePath(string store, StageId stage) =>
        stage.Locator ?? Path.Join(StagesPath(store, Escape(stage.Pipeline), stage.Run is null ? null : Escape(stage.Run)), Escape(stage.Name));

    /// <summary>The folder of the stages of a pipeline, or of a run of it; the arguments are escaped already.</summary>
    public static string StagesPath(string store, string pipelineFolder, string? runFolder) =>
        runFolder is null ? Path.Join(store, pipelineFolder, StagesFolder) : Path.Join(RunsPath(store, pipelineFolder), runFolder, StagesFolder);

    /// <summary>The folder of the runs of a pipeline.</summary>
    public static string RunsPath(string store, string pipelineFolder) => Path.Join(store, pipelineFolder, RunsFolder);

    /// <summary>The folder of a run, or of a pipeline where there is none.</summary>
    public static string RunPath(string store, string pipeline, string? run) =>
        run is null ? Path.Join(store, Escape(pipeline)) : Path.Join(RunsPath(store, Escape(pipeline)), Escape(run));

    /// <summary>The file whose lock is a lease.</summary>
    public static string LeasePath(string store, LeaseName lease)
    {
        if (lease.Document is { } document)
            return Path.Join(DocumentsPath(store, document), Escape(document.Name) + LeaseSuffix);
        return lease.Name is { } stage && LeasePath(StagePath(store, new StageId(lease.Pipeline, lease.Run, stage))) is var path ? lease.Worker is { } worker ? WorkerPath(path, worker) : path
            : Path.Join(RunPath(store, lease.Pipeline, lease.Run), (lease.Run is null ? "pipeline" : "run") + LeaseSuffix);
    }

    /// <summary>The file whose lock is the lease of the stage that has this folder.</summary>
    public static string LeasePath(string stageFolder) => Path.Join(Path.GetDirectoryName(Path.GetDirectoryName(stageFolder)), LeasesFolder, Path.GetFileName(stageFolder) + LeaseSuffix);

    /// <summary>The file whose lock is the lease of one of those who work on a stage's items together.</summary>
    /// <param name="stageLease">The file of the stage's lease.</param>
    /// <param name="worker">Its number.</param>
    public static string WorkerPath(string stageLease, int worker) => string.Create(CultureInfo.InvariantCulture, $"{stageLease[..^LeaseSuffix.Length]}~{worker}{LeaseSuffix}");

    /// <summary>Whether a file is that of a lease of a stage, or of one of those who work on its items together.</summary>
    public static bool IsOfStage(string lease) => Path.GetFileName(Path.GetDirectoryName(lease.AsSpan())).SequenceEqual(LeasesFolder);

    /// <summary>The file of the stage's lease, where a file is one of <see cref="WorkerPath"/>; else null.</summary>
    public static string? StageLeaseOf(string workerLease)
    {
        var name = workerLease.AsSpan()[..^LeaseSuffix.Length];
        var mark = name.LastIndexOf('~');
        // A name that was cut has more digits behind it.
        return mark >= 0 && name[(mark + 1)..] is { Length: > 0 and <= MaxWorkerDigits } number && !number.ContainsAnyExceptInRange('0', '9') ? string.Concat(name[..mark], LeaseSuffix) : null;
    }

    /// <summary>The file of the outputs of one who works on a stage's items together with others.</summary>
    public static string ItemOutputsOf(Lease worker) => string.Create(CultureInfo.InvariantCulture, $"items.{worker.Name.Worker}.{worker.Token}.outputs");

    /// <summary>Whether a file holds outputs of items.</summary>
    public static bool IsItemOutputs(ReadOnlySpan<char> name)
    {
        if (name.SequenceEqual(ItemOutputsName))
            return true;
        if (!name.StartsWith("items.", StringComparison.Ordinal) || !name.EndsWith(".outputs", StringComparison.Ordinal) || name.Length < "items..outputs".Length)
            return false;
        var numbers = name["items.".Length..^".outputs".Length];
        var point = numbers.IndexOf('.');
        return point is > 0 and <= MaxWorkerDigits && numbers.Length - point - 1 is > 0 and <= 19 && !numbers[..point].ContainsAnyExceptInRange('0', '9') && !numbers[(point + 1)..].ContainsAnyExceptInRange('0', '9');
    }

    /// <summary>The folder of the documents of a kind.</summary>
    public static string DocumentsPath(string store, DocumentName document) => Path.Join(RunPath(store, document.Pipeline, null), document.Kind + "s");

    public static string DocumentFileName(DocumentName document) => Escape(document.Name) + RecordSuffix;

    public static string RecordName(long step) => step.ToString("D10", CultureInfo.InvariantCulture) + RecordSuffix;

    public static string NewPayloadName(long step) => $"{step.ToString("D10", CultureInfo.InvariantCulture)}.{Nonce()}{PayloadSuffix}";

    public static string NewTemporaryName() => $"~{Nonce()}{TemporarySuffix}";

    /// <summary>The step of a record or payload by its file name.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static FolderEntry Classify(ReadOnlySpan<char> name)
    {
        if (name.StartsWith("~", StringComparison.Ordinal))
        {
            return name.EndsWith(TemporarySuffix, StringComparison.Ordinal) && IsNonce(name[1..^TemporarySuffix.Length])
                ? new FolderEntry(FolderEntryKind.Temporary, -1)
                : default;
        }
        if (name.SequenceEqual(ItemsName) || IsItemOutputs(name))
            return new FolderEntry(FolderEntryKind.Items, -1);
        var end = name.IndexOf('.');
        if (end < StepDigits || !TryStep(name[..end], out var step))
            return default;
        var rest = name[end..];
        if (rest.SequenceEqual(RecordSuffix))
            return new FolderEntry(FolderEntryKind.Record, step);
        return rest.Length == 1 + NonceDigits + PayloadSuffix.Length && rest.EndsWith(PayloadSuffix, StringComparison.Ordinal) && IsNonce(rest[1..^PayloadSuffix.Length])
            ? new FolderEntry(FolderEntryKind.Payload, step)
            : default;
    }

    /// <summary>
    /// The folder name of a pipeline, run or stage. Lower case ASCII letters, digits, hyphen, underscore, inner points and inner blanks stand for themselves,
    /// as do letters of <see cref="CheckpointNames.IsStable"/>; every other byte of the key's UTF-8 is %XX. A device name of Windows has its first letter escaped.
    /// A name that would be too long is cut and ends in ~ and 32 hex digits of the SHA-256 of its key.
    /// </summary>
    public static string Escape(string name)
    {
        var key = CheckpointNames.Key(name);
        if (IsPlain(key))
            return key;

        var escaped = new StringBuilder(key.Length + 16);
        var bytes = 0;
        var cut = 0;
        Span<byte> utf8 = stackalloc byte[4];
        var position = 0;
        var device = IsDeviceName(key);
        foreach (var rune in key.EnumerateRunes())
        {
            var first = position == 0;
            position += rune.Utf16SequenceLength;
            var last = position == key.Length;
            var count = rune.EncodeToUtf8(utf8);
            if (IsLiteral(rune) && !((first || last) && rune.IsBmp && IsEdge((char)rune.Value)) && !(first && device))
            {
                escaped.Append(rune.ToString());
                bytes += count;
            }
            else
            {
                foreach (var b in utf8[..count])
                    escaped.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
                bytes += 3 * count;
            }
            if (bytes <= MaxSegmentBytes - HashedTail)
                cut = escaped.Length;
        }
        if (bytes <= MaxSegmentBytes)
            return escaped.ToString();
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 16);
        return escaped.ToString(0, cut) + "~" + FingerprintHash.Hex(hash);
    }

    /// <summary>The name by which a listed folder can be ours, or null: HFS+ lists in form D what was made, and is found, in form C.</summary>
    public static string? FoundName(string folder)
    {
        try
        {
            return CheckpointNames.Compose(folder);
        }
        catch (ArgumentException)
        {
            // Half of a surrogate pair.
            return null;
        }
    }

    /// <summary>The key that a folder name stands for, or null where it was cut, or is no folder of ours.</summary>
    public static string? Unescape(string folder)
    {
        if (IsPlain(folder))
            return folder;
        if (folder.Contains('~'))
            return null;
        var bytes = new List<byte>(folder.Length);
        for (var i = 0; i < folder.Length; i++)
        {
            if (folder[i] != '%')
            {
                var length = char.IsHighSurrogate(folder[i]) && i + 1 < folder.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(folder.Substring(i, length)));
                i += length - 1;
                continue;
            }
            if (i + 2 >= folder.Length || !byte.TryParse(folder.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
                return null;
            bytes.Add(value);
            i += 2;
        }
        var name = Encoding.UTF8.GetString([.. bytes]);
        try
        {
            return Escape(CheckpointNames.Normalize(name, "checkpoint")) == folder ? name : null;
        }
        catch (CheckpointException)
        {
            return null;
        }
    }

    private static bool IsPlain(string key) =>
        key.Length <= MaxSegmentBytes && !key.AsSpan().ContainsAnyExcept(Literal) && !IsEdge(key[0]) && !IsEdge(key[^1]) && !IsDeviceName(key);

    /// <summary>Whether a folder name is one that was cut because it would have been too long.</summary>
    public static bool IsCut(string folder) =>
        folder.Length > HashedTail && folder[^HashedTail] == '~' && IsNonce(folder.AsSpan(folder.Length - HashedTail + 1)) && !folder.AsSpan(0, folder.Length - HashedTail).Contains('~');

    // Letters that have no plain upper case, such as sharp s, are escaped: some file systems hold them equal to others ("ss").
    private static bool IsLiteral(Rune rune) =>
        rune.IsAscii ? Literal.Contains((char)rune.Value)
        : CheckpointNames.IsStable(rune.Value) && Rune.IsLetter(rune) && (rune.Value >= 0x5D0 || Rune.ToUpperInvariant(rune) != rune);

    private static bool IsEdge(char c) => c is '.' or ' ';

    // https://learn.microsoft.com/windows/win32/fileio/naming-a-file: also with an extension, and with superscript digits.
    private static bool IsDeviceName(string key)
    {
        var stem = key.AsSpan();
        var end = stem.IndexOfAny('.', ' ');
        if (end >= 0)
            stem = stem[..end];
        return stem is "con" or "prn" or "aux" or "nul" or "conin$" or "conout$"
            || (stem.Length == 4 && (stem.StartsWith("com", StringComparison.Ordinal) || stem.StartsWith("lpt", StringComparison.Ordinal)) && "0123456789¹²³".Contains(stem[3], StringComparison.Ordinal));
    }

    private static string Nonce() => Guid.NewGuid().ToString("N");

    private static bool IsNonce(ReadOnlySpan<char> text) => text.Length == NonceDigits && !text.ContainsAnyExcept(HexDigits);

    // Only the form that RecordName writes: at least ten digits, more only without leading zeros.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool TryStep(ReadOnlySpan<char> digits, out long step)
    {
        step = 0;
        return !digits.ContainsAnyExceptInRange('0', '9')
            && (digits.Length == StepDigits || digits[0] != '0')
            && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out step);
    }
}
