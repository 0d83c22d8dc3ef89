using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Get, "CheckpointFingerprint", DefaultParameterSetName = "Object")]
[OutputType(typeof(CheckpointFingerprint))]
public sealed class GetCheckpointFingerprintCommand : ContextCommand
{
    private readonly List<object?> _objects = [];
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);

    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromRemainingArguments = true)]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object? InputObject { get; set; }

    [Parameter]
    [SupportsWildcards]
    public string[]? Path { get; set; }

    [Parameter]
    public string[]? LiteralPath { get; set; }

    protected override void Process()
    {
        if (!IsGiven(nameof(InputObject)))
            return;
        // PowerShell puts several arguments into a list of its own making; one array comes as it is.
        if (InputObject is List<object?> arguments && !MyInvocation.ExpectingInput)
            _objects.AddRange(arguments);
        else
            _objects.Add(InputObject);
    }

    protected override void End()
    {
        var started = Stopwatch.GetTimestamp();
        foreach (var path in (Path ?? []).SelectMany(this.ResolveFiles))
            AddPath(path);
        foreach (var path in (LiteralPath ?? []).Select(this.ResolveFile))
            AddPath(path);
        if (_objects.Count == 0 && _files.Count == 0 && !MyInvocation.ExpectingInput)
            throw new InvalidArgumentException("There is nothing to take a fingerprint of. Give an object, a script block, or files with -Path.");
        WriteObject(_objects is [PSObject { BaseObject: CheckpointFingerprint } or CheckpointFingerprint] && _files.Count == 0 ? _objects[0] : FingerprintHash.Combine(Parts()));
        if (IsVerbose)
            WriteVerbose($"Fingerprint of {_objects.Count} objects and {_files.Count} files. {Took(started)}");
    }

    private Dictionary<string, byte[]> Parts()
    {
        var parts = new Dictionary<string, byte[]>(_files, StringComparer.Ordinal);
        if (_objects.Count == 0 && _files.Count > 0)
            return parts;
        foreach (var (name, hash) in new ObjectFingerprint(Cancellation, ReportHashed).PartsOf(_objects.Count == 1 ? _objects[0] : _objects.ToArray()))
            parts[parts.ContainsKey(name) ? $"[object].{name}" : name] = hash;
        return parts;
    }

    private void AddPath(string path)
    {
        foreach (var file in Directory.Exists(path) ? FileTree.Files(path, Cancellation) : [path])
            _files[PartName(file)] = FingerprintHash.File(file, Cancellation, ReportHashed);
    }

    // Relative where the file lies below the session's location, so that the same files in another checkout are the same.
    private string PartName(string path) => OutputPath.Shorten(path, SessionState.Path.CurrentFileSystemLocation.ProviderPath);
}
