using System.IO.Enumeration;
using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>
/// Every file operation of the folder store. What differs between operating systems stands in <see cref="UnixFileSystem"/> and
/// <see cref="WindowsFileSystem"/>; tests derive from those to make operations fail.
/// </summary>
internal abstract class FileSystem
{
    private static readonly EnumerationOptions ListAll = new() { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = false, ReturnSpecialDirectories = false };

    /// <summary>What memory, offset and length are multiples of in <see cref="TryWriteDirect"/>: a page, which is the largest unit of most media and file systems.</summary>
    public const int DirectUnit = 4096;

    /// <summary>The file system of this machine.</summary>
    public static FileSystem Current { get; } = OperatingSystem.IsWindows() ? new WindowsFileSystem() : new UnixFileSystem();

    /// <summary>Whether a writer's own lock on a file outlasts the file's rename, so that one who never gets the folder's lock can go on without it.</summary>
    public virtual bool LocksOutlastRenames => true;

    /// <summary>Whether a folder's time moves when an entry is added, renamed or removed, as soon as others can see that. False where that is not known.</summary>
    public virtual bool TellsChanges(string path) => true;

    /// <summary>Creates one folder, for its owner alone. A folder that is there already is left as it is.</summary>
    /// <exception cref="DirectoryNotFoundException">The parent is missing.</exception>
    public abstract void CreateDirectory(string path);

    /// <summary>Creates a file for its owner alone, locked for as long as the handle is open, so that <see cref="TryDeleteAbandoned"/> can tell whether its writer lives.</summary>
    public abstract SafeFileHandle CreateFile(string path);

    /// <summary>Opens a folder for locking and flushing.</summary>
    public abstract DirectoryHandle OpenDirectory(string path);

    /// <summary>Gives a written and flushed file its final name, atomically. The handle is closed by this on systems that cannot rename an open file.</summary>
    /// <returns>False where the name is taken; the file keeps its old name then.</returns>
    public abstract bool TryRenameNew(SafeFileHandle file, string from, string to);

    /// <summary>Gives a file, a folder, or a link itself another name, where that is free.</summary>
    /// <returns>False where it is taken.</returns>
    public abstract bool TryMove(string from, string to);

    /// <summary>Gives a written and flushed file its final name, atomically in place of any file that has it.</summary>
    public abstract void RenameOver(SafeFileHandle file, string from, string to);

    public virtual void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(file, bytes, offset);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw IOErrors.TooLarge(e);
        }
    }

    /// <summary>Writes from this memory to the medium past the system's cache, which spares the processor a copy. It is to be flushed all the same.</summary>
    /// <returns>False where that cannot be; the bytes are to be written by <see cref="Write"/> then.</returns>
    public virtual bool TryWriteDirect(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset) => false;

    /// <summary>Has the file's content on the medium when it returns.</summary>
    public virtual void Flush(SafeFileHandle file) => RandomAccess.FlushToDisk(file);

    /// <summary>Has a file that somebody else wrote on the medium when it returns, where this user may open it for writing.</summary>
    public virtual void TryFlush(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.FlushToDisk(file);
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
        }
    }

    /// <summary>Opens a file for reading; writers and renames are not hindered.</summary>
    /// <returns>Null where there is no such file.</returns>
    /// <exception cref="ForeignFileException">It is a link, a pipe or a device.</exception>
    public virtual SafeFileHandle? OpenRead(string path)
    {
        RefuseLink(path);
        return OpenAny(path);
    }

    /// <summary>As <see cref="OpenRead"/>, for what is no file of a store: a link is followed.</summary>
    public virtual SafeFileHandle? OpenAny(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Opens a file for reading and writing, for its owner alone, and locks it until the handle is closed or the process ends; makes it where it is missing.</summary>
    /// <returns>Null where somebody else has the lock. Where a file system has no locks there is none.</returns>
    /// <exception cref="DirectoryNotFoundException">The folder is missing.</exception>
    public abstract SafeFileHandle? OpenLocked(string path);

    /// <summary>As <see cref="OpenLocked"/> without the lock: other programs may read the file meanwhile.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder is missing.</exception>
    public abstract SafeFileHandle OpenShared(string path);

    /// <summary>Whether an open file still has its name, or another took its place; null where the system does not tell, or lets no file take the place of an open one.</summary>
    public virtual bool? IsAt(SafeFileHandle file, string path) => null;

    public virtual int Read(SafeFileHandle file, Span<byte> buffer, long offset) => RandomAccess.Read(file, buffer, offset);

    /// <summary>Reads a record's file whole.</summary>
    /// <returns>Null where there is no such file.</returns>
    /// <exception cref="InvalidDataException">It is longer than any record.</exception>
    public byte[]? ReadRecord(string path)
    {
        // A folder that somebody gave a record's name.
        if (DirectoryExists(path))
            return null;
        try
        {
            using var file = OpenRead(path);
            return file is null ? null : ReadWhole(file);
        }
        catch (ForeignFileException e)
        {
            throw new InvalidDataException("it " + e.What, e);
        }
        catch (NotSupportedException)
        {
            throw new InvalidDataException("it " + ForeignFileException.NoFile);
        }
    }

    /// <summary>Whether a name is a link to a file or folder. What is marked otherwise (a file kept in a cloud) is none.</summary>
    public static bool IsLink(string path)
    {
        var entry = new FileInfo(path);
        return (int)entry.Attributes != -1 && (entry.Attributes & FileAttributes.ReparsePoint) != 0 && entry.LinkTarget is not null;
    }

    /// <summary>Refuses a folder that is reached through a link below the root, or is one: it could lie anywhere. The root itself may be one.</summary>
    /// <exception cref="ForeignFileException">It is.</exception>
    public static void RefuseLinks(string path, string root)
    {
        for (; path.Length > root.Length; path = Path.GetDirectoryName(path)!)
            RefuseLink(path);
    }

    /// <summary>Refuses a file that is a link.</summary>
    /// <exception cref="ForeignFileException">It is.</exception>
    protected static void RefuseLink(string path)
    {
        if (IsLink(path))
            throw new ForeignFileException(path, ForeignFileException.Link);
    }

    /// <summary>Removes a file; one that is not there is no error.</summary>
    public virtual void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
        }
    }

    /// <summary>Removes a folder where it is empty.</summary>
    public virtual bool TryDeleteEmptyDirectory(string path)
    {
        try
        {
            // .NET would remove a link to a folder, whatever is in that.
            if ((File.GetAttributes(path) & FileAttributes.ReparsePoint) != 0)
                return false;
            Directory.Delete(path, recursive: false);
            return true;
        }
        catch (Exception e) when (IOErrors.IsFault(e))
        {
            return false;
        }
    }

    /// <summary>The length of a file in bytes, or null where there is none.</summary>
    public virtual long? Length(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : null;
    }

    /// <summary>When a file or folder was last changed, and how long it is; null where there is none. A folder changes when an entry is added, renamed or removed.</summary>
    public virtual FileStamp? Stamp(string path)
    {
        var entry = new FileInfo(path);
        var attributes = entry.Attributes;
        return attributes == (FileAttributes)(-1) ? null
            : new FileStamp(entry.LastWriteTimeUtc, (attributes & FileAttributes.Directory) == 0 ? entry.Length : 0, (attributes & FileAttributes.ReparsePoint) != 0);
    }

    /// <summary>The time alone of <see cref="Stamp"/>, for a third less; 1601 where there is nothing.</summary>
    public virtual DateTime LastWrite(string path) => File.GetLastWriteTimeUtc(path);

    /// <summary>What something is, without following or opening it; null where there is nothing.</summary>
    public virtual EntryStatus? Status(string path)
    {
        var entry = new FileInfo(path);
        var attributes = entry.Attributes;
        if (attributes == (FileAttributes)(-1))
            return null;
        var type = (attributes & FileAttributes.ReparsePoint) != 0 ? EntryType.Link
            : (attributes & FileAttributes.Directory) != 0 ? EntryType.Folder
            : (attributes & FileAttributes.Device) != 0 ? EntryType.Other : EntryType.File;
        return new EntryStatus(type, type == EntryType.File ? entry.Length : 0, null);
    }

    public virtual bool DirectoryExists(string path) => Directory.Exists(path);

    /// <summary>Removes a file of <see cref="CreateFile"/> that has no living writer: its lock can be had.</summary>
    /// <returns>False where a writer lives, where this file system has no locks to tell, or where there is no such file.</returns>
    public abstract bool TryDeleteAbandoned(string path);

    /// <summary>Whether somebody has the lock of <see cref="OpenLocked"/> on a file, who may be this process. It needs no right to write; several may ask at once.</summary>
    public abstract bool IsLocked(string path);

    /// <summary>Shows every entry of a folder, in no order; none where the folder is not there.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="visit">Called with each entry's name, and whether it is a folder.</param>
    public virtual void Scan(string path, EntryVisitor visit)
    {
        try
        {
            // Nothing is ever included: so no string is made of a name that nobody keeps, and the loop is one that .NET ships compiled.
            var entries = new FileSystemEnumerable<string>(path, static (ref FileSystemEntry _) => "", ListAll)
            {
                ShouldIncludePredicate = (ref FileSystemEntry entry) =>
                {
                    visit(entry.FileName, entry.IsDirectory);
                    return false;
                },
            };
            foreach (var _ in entries)
            {
            }
        }
        catch (DirectoryNotFoundException)
        {
        }
    }

    /// <summary><see cref="Directory.CreateDirectory(string)"/> would create missing parents too, which nobody would flush.</summary>
    protected static void RequireParent(string path)
    {
        var parent = Path.GetDirectoryName(path);
        if (File.Exists(parent))
            throw new IOException($"'{parent}' is a file, not a folder");
        if (!Directory.Exists(parent))
            throw new DirectoryNotFoundException($"Could not find the folder above '{path}'.");
    }

    private byte[] ReadWhole(SafeFileHandle file)
    {
        var length = RandomAccess.GetLength(file);
        if (length > RecordFormat.MaxLength)
            throw new InvalidDataException("the record is longer than any record can be");
        var bytes = new byte[length];
        for (var done = 0; done < bytes.Length;)
        {
            // A network share may give less than was asked for.
            var read = Read(file, bytes.AsSpan(done), done);
            if (read == 0)
                return bytes[..done];
            done += read;
        }
        return bytes;
    }
}
