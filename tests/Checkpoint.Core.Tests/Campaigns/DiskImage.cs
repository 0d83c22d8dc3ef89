using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Checkpoint.Tests;

/// <summary>What a disk holds: of each folder its entries, of each file its content.</summary>
internal sealed class DiskImage
{
    public Dictionary<DiskNode, SortedDictionary<string, DiskNode>> Folders { get; } = [];

    public Dictionary<DiskNode, byte[]> Files { get; } = [];

    public DiskImage Copy()
    {
        var copy = new DiskImage();
        foreach (var (folder, entries) in Folders)
            copy.Folders[folder] = new(entries, StringComparer.Ordinal);
        // Contents are replaced, never changed.
        foreach (var (file, content) in Files)
            copy.Files[file] = content;
        return copy;
    }

    public void Apply(EntryChange[] changes)
    {
        foreach (var (folder, name, child) in changes)
        {
            if (child is null)
                Folders[folder].Remove(name);
            else
                Folders[folder][name] = child;
        }
    }

    /// <summary>What can be found from a folder: paths in order, with null for folders.</summary>
    public IEnumerable<(string Path, byte[]? Content)> Walk(DiskNode root, string above = "")
    {
        foreach (var (name, child) in Folders[root])
        {
            var path = Path.Join(above, name);
            yield return (path, child.IsFolder ? null : Files[child]);
            if (!child.IsFolder)
                continue;
            foreach (var entry in Walk(child, path))
                yield return entry;
        }
    }

    /// <summary>The same for the same tree.</summary>
    public UInt128 Hash(DiskNode root)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (path, content) in Walk(root))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{path}\0{content?.Length ?? -1}\0"));
            hash.AppendData(content ?? []);
        }
        return BinaryPrimitives.ReadUInt128BigEndian(hash.GetHashAndReset());
    }

    public void Materialise(DiskNode root, string path)
    {
        Directory.CreateDirectory(path);
        foreach (var (relative, content) in Walk(root))
        {
            if (content is null)
                Directory.CreateDirectory(Path.Join(path, relative));
            else
                File.WriteAllBytes(Path.Join(path, relative), content);
        }
    }
}
