using Microsoft.Win32.SafeHandles;

namespace Checkpoint;

/// <summary>A payload file as a stream, in one direction, through the faultable <see cref="FileSystem"/>.</summary>
internal sealed class PayloadStream(FileSystem files, SafeFileHandle file, bool leaveOpen = false) : Stream
{
    /// <summary>While this many bytes more are being written, what came before goes to the medium: the last flush then has little left to do.</summary>
    public const long FlushBehind = 64 << 20;

    // Less than this is flushed by whoever waits for it: that costs less than to have another thread do it.
    private const long WorthAThread = FlushBehind / 16;

    // Less than this is soon copied.
    private const int WorthDirect = 1 << 20;

    private bool _mayBeDirect;
    private long _position;
    private long _flushFrom;
    private Task _flushing = Task.CompletedTask;

    /// <summary>Whether large pieces go past the system's cache. Only where nobody can change them meanwhile: a file system with checksums could read others than it wrote.</summary>
    public bool MayBeDirect
    {
        init => _mayBeDirect = value;
    }

    /// <summary>Where reading or writing begins in the file.</summary>
    public long Start
    {
        init => _position = _flushFrom = value;
    }

    /// <summary>Where reading ends, though there may be more.</summary>
    public long End { get; init; } = long.MaxValue;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var read = files.Read(file, buffer[..(int)Math.Min(buffer.Length, End - _position)], _position);
        _position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* memory = buffer)
        {
            var head = (int)(-_position & (FileSystem.DirectUnit - 1));
            if (_mayBeDirect && buffer.Length >= WorthDirect && (((nint)memory + head) & (FileSystem.DirectUnit - 1)) == 0)
            {
                WriteCached(buffer[..head]);
                buffer = buffer[head..];
                var units = buffer[..(buffer.Length & -FileSystem.DirectUnit)];
                _mayBeDirect = files.TryWriteDirect(file, units, _position);
                if (_mayBeDirect)
                {
                    _position += units.Length;
                    _flushFrom += units.Length;
                    buffer = buffer[units.Length..];
                }
            }
            WriteCached(buffer);
        }
        FlushBeyond(FlushBehind);
    }

    /// <summary>Has all that was written on the medium when it is done. Ctrl+C need not wait for a slow disk.</summary>
    /// <exception cref="IOException">Of this flush, or of one that was under way: the system tells an error only once.</exception>
    public async ValueTask FlushToDiskAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        await _flushing.WaitAsync(cancellation);
        if (_position < WorthAThread)
            files.Flush(file);
        else
            await Task.Run(() => files.Flush(file), CancellationToken.None).WaitAsync(cancellation);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Begins to bring what was written to the medium.</summary>
    public override void Flush() => FlushBeyond(WorthAThread);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void WriteCached(ReadOnlySpan<byte> buffer)
    {
        if (buffer.IsEmpty)
            return;
        files.Write(file, buffer, _position);
        _position += buffer.Length;
    }

    private void FlushBeyond(long size)
    {
        if (_position - _flushFrom < size || !_flushing.IsCompletedSuccessfully)
            return;
        _flushFrom = _position;
        _flushing = Task.Run(() => files.Flush(file));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !leaveOpen)
            file.Dispose();
        base.Dispose(disposing);
    }
}
