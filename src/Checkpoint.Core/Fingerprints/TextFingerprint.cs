namespace Checkpoint;

/// <summary>The fingerprint of texts, of named texts, of files and folders: of each the same as that of the like PowerShell objects.</summary>
internal static class TextFingerprint
{
    /// <summary>The part that a command line is in the fingerprint of a stage.</summary>
    public const string Command = "command";

    /// <summary>The part that a script block is.</summary>
    public const string Script = "script";

    /// <summary>The hashes of the parts.</summary>
    /// <param name="texts">Each <c>name=text</c>, as an entry of a table, or a text for itself.</param>
    /// <param name="files">Each the path of a file or folder, with <c>name=</c> before it or not. What is there by the whole text is meant by it.</param>
    /// <param name="resolve">Makes a path absolute.</param>
    /// <param name="cancellation">Ends the reading of files.</param>
    /// <exception cref="InvalidArgumentException">A name stands twice, or some have one and others none.</exception>
    /// <exception cref="UnreadableFileException">A file cannot be read.</exception>
    public static Dictionary<string, byte[]> PartsOf(IReadOnlyCollection<string> texts, IReadOnlyCollection<string> files, Func<string, string> resolve, CancellationToken cancellation)
    {
        var named = new Dictionary<string, byte[]>(StringComparer.OrdinalIgnoreCase);
        var loose = new List<(string Name, byte[] Hash)>();
        foreach (var text in texts)
        {
            var at = text.IndexOf('=', StringComparison.Ordinal);
            if (at > 0)
                AddNamed(named, text[..at], FingerprintHash.Value(text[(at + 1)..]));
            else
                loose.Add(("value", FingerprintHash.Value(text)));
        }
        var isAnyNamed = named.Count > 0;
        foreach (var file in files)
        {
            var at = Path.Exists(resolve(file)) ? -1 : file.IndexOf('=', StringComparison.Ordinal);
            var path = resolve(file[(at + 1)..]);
            var hash = Directory.Exists(path) ? FingerprintHash.Folder(path, cancellation) : FingerprintHash.File(path, cancellation);
            if (at > 0)
                AddNamed(named, file[..at], hash);
            else if (isAnyNamed)
                AddNamed(named, file, hash);
            else
                loose.Add((Directory.Exists(path) ? "value" : Path.GetFileName(path), hash));
        }
        if (named.Count > 0 && loose.Count > 0)
            throw new InvalidArgumentException("Give every part of the fingerprint a name, as in name=text, or none of them.");
        if (named.Count > 0)
            return new(named, StringComparer.Ordinal);
        if (loose.Count == 1)
            return new(StringComparer.Ordinal) { [loose[0].Name] = FingerprintHash.Whole(loose[0].Hash) };
        // As the items of a list, each with its own part; what has none is a part itself.
        return loose.Select((part, i) => (Name: part.Name == "value" ? $"[{i}].value" : $"[{i}].{part.Name}", part.Hash))
            .ToDictionary(part => part.Name, part => FingerprintHash.Whole(FingerprintHash.Whole(part.Hash)), StringComparer.Ordinal);
    }

    /// <summary>What the result of a command depends on: its command line, and what the user named.</summary>
    public static CheckpointFingerprint OfCommand(IReadOnlyCollection<string> command, IReadOnlyDictionary<string, byte[]> named)
    {
        var parts = new Dictionary<string, byte[]>(StringComparer.Ordinal) { [Command] = FingerprintHash.List([.. command.Select(word => FingerprintHash.Value(word))]) };
        foreach (var (name, hash) in named)
            parts[name is Command or Script ? $"[fingerprint].{name}" : name] = hash;
        return FingerprintHash.Combine(parts);
    }

    /// <summary>
    /// Whether two fingerprints of a stage differ in this alone, that the one is of a script block and the other of a command line: these are not to be compared, and say nothing against each other.
    /// </summary>
    public static bool AreOfOtherTools(IReadOnlyList<FingerprintChange> changed) =>
        changed.Count == 2 && changed.Any(c => c is { Part: Script } && IsOneSided(c)) && changed.Any(c => c is { Part: Command } && IsOneSided(c));

    private static bool IsOneSided(FingerprintChange change) => change.SavedHash is null || change.CurrentHash is null;

    private static void AddNamed(Dictionary<string, byte[]> parts, string name, byte[] hash)
    {
        if (!parts.TryAdd(name, hash))
            throw new InvalidArgumentException($"The part '{name}' of the fingerprint stands twice.");
    }
}
