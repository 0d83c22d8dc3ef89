namespace Checkpoint;

/// <summary>A file or folder of a folder store.</summary>
/// <param name="Parent">What it lies in; null for the store itself.</param>
/// <param name="Role">What it is there for.</param>
/// <param name="Path">Its path.</param>
/// <param name="Length">The length of a file in bytes.</param>
internal sealed record FolderNode(FolderNode? Parent, FolderRole Role, string Path, long Length = 0)
{
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>The folder's path.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>The name that the folder of a role above this, or this itself, stands for; where it was cut, the folder's own. Null where there is none.</summary>
    public string? NameOf(FolderRole role) => Above(role) is { } node ? FolderLayout.Unescape(node.Name) ?? node.Name : null;

    /// <summary>The stage that the folders above stand for; null where the name of one was cut.</summary>
    public StageId? Stage => new[] { FolderRole.Pipeline, FolderRole.Run, FolderRole.Stage }.All(role => Above(role) is not { } node || FolderLayout.Unescape(node.Name) is not null)
        ? new StageId(NameOf(FolderRole.Pipeline)!, NameOf(FolderRole.Run), NameOf(FolderRole.Stage)!) : null;

    /// <summary>The node of a role: this, or one above it, or null.</summary>
    public FolderNode? Above(FolderRole role) => Role == role ? this : Parent?.Above(role);

    /// <summary>What an entry of this folder is.</summary>
    public FolderRole RoleOf(string name)
    {
        if (name.StartsWith('~'))
            return Role is FolderRole.Stage or FolderRole.Run or FolderRole.Breakers or FolderRole.Leases or FolderRole.Pipeline && FolderLayout.Classify(name).Kind == FolderEntryKind.Temporary ? FolderRole.Temporary : FolderRole.Reserved;
        return Role switch
        {
            FolderRole.Store => IsName(name) ? FolderRole.Pipeline : FolderRole.Foreign,
            FolderRole.Runs => IsName(name) ? FolderRole.Run : FolderRole.Foreign,
            FolderRole.Stages => IsName(name) ? FolderRole.Stage : FolderRole.Foreign,
            FolderRole.Pipeline => name switch
            {
                FolderLayout.HistoryName => FolderRole.History,
                FolderLayout.HistoryHeadName => FolderRole.HistoryHead,
                "pipeline.lock" => FolderRole.Lock,
                FolderLayout.StagesFolder => FolderRole.Stages,
                FolderLayout.RunsFolder => FolderRole.Runs,
                "leases" => FolderRole.Leases,
                "breakers" => FolderRole.Breakers,
                _ => FolderRole.Foreign,
            },
            FolderRole.Run => name switch
            {
                FolderLayout.RunRecordName => FolderRole.RunRecord,
                "run.lock" => FolderRole.Lock,
                FolderLayout.StagesFolder => FolderRole.Stages,
                "leases" => FolderRole.Leases,
                _ => FolderRole.Foreign,
            },
            FolderRole.Leases => name.EndsWith(".lock", StringComparison.Ordinal) && IsFileOf(FolderLayout.StageLeaseOf(name) ?? name, ".lock") ? FolderRole.Lock : FolderRole.Foreign,
            FolderRole.Breakers => IsFileOf(name, ".lock") ? FolderRole.Lock : IsFileOf(name, ".json") ? FolderRole.Breaker : FolderRole.Foreign,
            FolderRole.Stage => FolderLayout.Classify(name).Kind switch
            {
                FolderEntryKind.Record => FolderRole.Record,
                FolderEntryKind.Payload => FolderRole.Payload,
                FolderEntryKind.Items => name == FolderLayout.ItemsName ? FolderRole.Items : FolderRole.ItemOutputs,
                _ => FolderRole.Foreign,
            },
            _ => FolderRole.Foreign,
        };
    }

    private static bool IsFileOf(string name, string suffix) => name.EndsWith(suffix, StringComparison.Ordinal) && IsName(name[..^suffix.Length]);

    private static bool IsName(string name) => name.Length > 0 && FolderLayout.FoundName(name) is { } folder && (FolderLayout.Unescape(folder) is not null || FolderLayout.IsCut(folder));
}
