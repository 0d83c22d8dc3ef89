using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>The files of the outputs of a stage's items: each writer appends to one of its own, one output after the other, and reads all.</summary>
/// <param name="files">The file system.</param>
/// <param name="folder">The stage's folder.</param>
/// <param name="own">The name of the file that is written to.</param>
/// <param name="open">Opens that, and makes it where it is missing.</param>
internal sealed class FolderItemOutputs(FileSystem files, string folder, string own, Func<string, SafeFileHandle> open) : IDisposable
{
    private readonly object _gate = new();
    private SafeFileHandle? _file;
    private long _end;
    private bool _isDirty;

    /// <summary>Writes an output, where it is too large for a line. May be called from several threads.</summary>
    public ItemOutput Write(IStateSource output, CancellationToken cancellation)
    {
        var isLocked = false;
        try
        {
            PayloadStream? payload = null;
            using var writer = new StateWriter(() =>
            {
                Monitor.Enter(_gate);
                isLocked = true;
                _file ??= open(own);
                _isDirty = true;
                // Behind all that is there, also where somebody else, against the rules, has written.
                _end = RandomAccess.GetLength(_file);
                return payload = new PayloadStream(files, _file, leaveOpen: true) { Start = _end };
            });
            output.WriteTo(writer, cancellation);
            var state = writer.Complete(output.IsSequence, cancellation);
            // What was flushed behind the writing of a very large one tells its error here or never.
            if (state.PayloadLength >= PayloadStream.FlushBehind)
                payload!.FlushToDiskAsync(cancellation).AsTask().GetAwaiter().GetResult();
            var offset = _end;
            if (state.Payload is null)
                return new ItemOutput(state, offset);
            _end += state.PayloadLength;
            return new ItemOutput(state.Named(own), offset);
        }
        finally
        {
            if (isLocked)
                Monitor.Exit(_gate);
        }
    }

    /// <summary>Has all that was written on disk.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_isDirty)
                files.Flush(_file!);
            _isDirty = false;
        }
    }

    /// <summary>Opens an output.</summary>
    /// <exception cref="InvalidDataException">Its file is missing.</exception>
    public StateReader Open(ItemOutput output)
    {
        lock (_gate)
        {
            var isOwn = output.State.Payload! == own;
            // That of another is opened anew each time: of a file that stays open the client of a share may not see what was appended since.
            var file = isOwn ? _file ??= open(own) : files.OpenRead(Path.Join(folder, output.State.Payload)) ?? throw new InvalidDataException("the file of the output is missing");
            return new StateReader(output.State, new PayloadStream(files, file, leaveOpen: isOwn) { Start = output.Offset, End = output.Offset + output.State.PayloadLength });
        }
    }

    public void Dispose() => _file?.Dispose();
}
