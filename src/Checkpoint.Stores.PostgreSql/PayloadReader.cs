namespace Checkpoint.Stores.PostgreSql;

/// <summary>A payload as it is read, chunk by chunk; while one is used the next is on its way.</summary>
internal sealed class PayloadReader(Server server, Guid name, long length, CancellationToken cancellation) : Stream
{
    private byte[] _chunk = [];
    private int _used;
    private long _number;
    private Task<byte[]?>? _next;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (_used == _chunk.Length)
        {
            // One that is not there was removed meanwhile.
            _chunk = (_next ?? Fetch())?.GetAwaiter().GetResult() ?? [];
            _used = 0;
            _number++;
            _next = _chunk.Length > 0 ? Fetch() : null;
        }
        var given = Math.Min(buffer.Length, _chunk.Length - _used);
        _chunk.AsSpan(_used, given).CopyTo(buffer);
        _used += given;
        return given;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        // It ends by itself, and nobody asks how.
        _next?.ContinueWith(static t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _next = null;
        base.Dispose(disposing);
    }

    private Task<byte[]?>? Fetch() => _number * PayloadWriter.ChunkSize >= length ? null : server.ReadAsync(
        async (connection, token) =>
        {
            await using var command = Query.On(connection, server.Statements.ReadChunk, p => p.With(name).With(_number));
            return await command.ExecuteScalarAsync(token).ConfigureAwait(false) as byte[];
        },
        null,
        cancellation).AsTask();
}
