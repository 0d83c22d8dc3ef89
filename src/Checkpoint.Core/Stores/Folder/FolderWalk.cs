namespace Checkpoint;

/// <summary>Lists what lies in a folder store, and says what should not be there. No link is followed, and nothing but folders is opened.</summary>
internal sealed class FolderWalk(string root, FileSystem files, StoreScope scope, CancellationToken cancellation)
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private readonly List<FolderNode> _files = [];
    private readonly List<StoreFinding> _findings = [];

    /// <summary>The files to verify, those of a folder together and in the order of their names.</summary>
    public IReadOnlyList<FolderNode> Files => _files;

    /// <summary>What is wrong with the folders themselves.</summary>
    public IReadOnlyList<StoreFinding> Findings => _findings;

    /// <summary>Whether what belongs to no stage is meant too.</summary>
    public bool IsWhole => scope.Name.IsAny && scope.Run is { IsAny: true };

    public void Run() => Visit(new FolderNode(null, FolderRole.Store, root));

    /// <summary>A finding about a file or folder.</summary>
    public static StoreFinding Find(FolderNode node, string store, StoreFindingKind kind, FindingSeverity severity, string message) => new()
    {
        Kind = kind,
        Severity = severity,
        Store = store,
        Pipeline = node.NameOf(FolderRole.Pipeline),
        Run = node.NameOf(FolderRole.Run),
        Name = node.NameOf(FolderRole.Stage),
        Step = node.Role is FolderRole.Record or FolderRole.Payload ? FolderLayout.Classify(node.Name).Step : null,
        Location = node.Path,
        Message = message,
    };

    private void Visit(FolderNode folder)
    {
        cancellation.ThrowIfCancellationRequested();
        var names = new List<string>();
        try
        {
            files.Scan(folder.Path, (name, _) => names.Add(name.ToString()));
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            Add(folder, StoreFindingKind.Unreadable, FindingSeverity.Error, $"The folder could not be listed, and so not verified: {e.Message.TrimEnd('.')}. See to it that this user can read it, and verify again.");
            return;
        }
        var open = new List<string>();
        // The store's own folder may be somebody's, with rights of their choice.
        if (folder.Role != FolderRole.Store && files.Status(folder.Path) is { Mode: { } own } && (own & Others) != 0)
            open.Add(".");
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            if (files.Status(Path.Join(folder.Path, name)) is not { } status)
                continue;
            var node = new FolderNode(folder, folder.RoleOf(name), Path.Join(folder.Path, name), status.Length);
            if (Judge(node, status.Type) && status.Mode is { } mode && status.Type == EntryType.File && (mode & Others) != 0)
                open.Add(name);
        }
        if (open.Count > 0)
        {
            Add(folder, StoreFindingKind.OpenPermissions, FindingSeverity.Warning,
                $"Others than the owner have rights here: {CheckpointErrors.Listed([.. open.Select(o => o == "." ? "the folder itself" : $"'{o}'")])}. State may hold what they should not see; take the rights away, as with chmod -R go= on the store, unless they are meant.");
        }
    }

    // Whether it is one of ours that is meant.
    private bool Judge(FolderNode node, EntryType type)
    {
        if (node.Role == FolderRole.Reserved || !IsMeant(node))
            return false;
        var isFolder = node.Role < FolderRole.History;
        if (node.Role != FolderRole.Foreign && type is EntryType.Link or EntryType.Other)
        {
            Add(node, StoreFindingKind.NotAFile, FindingSeverity.Error,
                $"It is a {(type == EntryType.Link ? "link" : "pipe, device or socket")} where a {(isFolder ? "folder" : "file")} of the store should be. It was neither followed nor opened; nothing that Checkpoint writes is one.");
            return false;
        }
        if (node.Role == FolderRole.Foreign || isFolder != (type == EntryType.Folder))
        {
            Add(node, StoreFindingKind.Foreign, FindingSeverity.Information, "Checkpoint did not write it. It is neither read nor touched.");
            return false;
        }
        if (isFolder)
            Visit(node);
        else
            _files.Add(node);
        return true;
    }

    private bool IsMeant(FolderNode node) => node.Role switch
    {
        FolderRole.Pipeline => Fits(scope.Pipeline, node.Name),
        FolderRole.Run => scope.Run is not null && Fits(scope.Run, node.Name),
        FolderRole.Stage => Fits(scope.Name, node.Name),
        FolderRole.Stages => scope.Run is null or { IsAny: true } || node.Above(FolderRole.Run) is not null,
        FolderRole.Runs => scope.Run is not null,
        FolderRole.RunRecord => scope.Name.IsAny,
        FolderRole.Foreign => IsWhole || node.Parent!.Role is FolderRole.Stage,
        FolderRole.Leases or FolderRole.Breakers or FolderRole.History or FolderRole.HistoryHead or FolderRole.Lock => IsWhole,
        _ => true,
    };

    // Where a folder's name was cut only its records know the whole one: rather one too many is verified.
    private static bool Fits(NamePattern pattern, string folder) =>
        pattern.IsAny || (pattern.Literal is { } literal ? FolderLayout.Escape(literal) == FolderLayout.FoundName(folder) : FolderLayout.Unescape(folder) is not { } key || pattern.IsMatch(key));

    private void Add(FolderNode node, StoreFindingKind kind, FindingSeverity severity, string message) => _findings.Add(Find(node, root, kind, severity, message));
}
