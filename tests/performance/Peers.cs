using System;
using System.IO;
using System.Management.Automation;
using System.Runtime.InteropServices;

// What Checkpoint is measured against: the least a cmdlet must do for the same. Compiled by Measure-Performance.ps1.

/// <summary>A cmdlet that only answers.</summary>
[Cmdlet(VerbsDiagnostic.Test, "Peer")]
public sealed class TestPeerCommand : PSCmdlet
{
    [Parameter(Position = 0)]
    public string Name { get; set; }

    protected override void ProcessRecord() { WriteObject(true); }
}

/// <summary>The floor of a durable save: write, flush, rename, flush the folder.</summary>
[Cmdlet(VerbsData.Save, "Peer")]
public sealed class SavePeerCommand : PSCmdlet
{
    private static readonly byte[] Record = new byte[400];

    [Parameter(Position = 0)]
    public string Folder { get; set; }

    [Parameter(Position = 1)]
    public long Step { get; set; }

    protected override void ProcessRecord()
    {
        var temporary = Path.Join(Folder, "peer.tmp");
        using (var file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            RandomAccess.Write(file, Record, 0);
            RandomAccess.FlushToDisk(file);
        }
        File.Move(temporary, Path.Join(Folder, Step + ".json"), true);
        if (!OperatingSystem.IsWindows())
            FlushFolder();
    }

    private void FlushFolder()
    {
        var folder = Open(Folder, OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000);
        if (folder < 0 || Fsync(folder) != 0)
            throw new IOException("The folder cannot be flushed.");
        Close(folder);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open(string path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    private static extern int Fsync(int file);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int file);
}

/// <summary>A plain write and flush of bytes.</summary>
[Cmdlet(VerbsCommunications.Write, "Peer")]
public sealed class WritePeerCommand : PSCmdlet
{
    [Parameter(Position = 0)]
    public string Path { get; set; }

    [Parameter(Position = 1)]
    public byte[] Bytes { get; set; }

    protected override void ProcessRecord()
    {
        using (var file = File.OpenHandle(Path, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            for (var at = 0; at < Bytes.Length; at += 1 << 20)
                RandomAccess.Write(file, Bytes.AsSpan(at, Math.Min(1 << 20, Bytes.Length - at)), at);
            RandomAccess.FlushToDisk(file);
        }
    }
}

/// <summary>An amount of computing that is the same each time.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "PeerWork")]
public sealed class InvokePeerWorkCommand : PSCmdlet
{
    private static ulong s_value = 88172645463325252;

    [Parameter(Position = 0)]
    public int Size { get; set; }

    protected override void ProcessRecord()
    {
        // Marsaglia, Xorshift RNGs, 2003: each number needs the one before, so nothing of it can be left out.
        var value = s_value;
        for (var i = 0; i < Size; i++)
        {
            value ^= value << 13;
            value ^= value >> 7;
            value ^= value << 17;
        }
        s_value = value;
    }
}
