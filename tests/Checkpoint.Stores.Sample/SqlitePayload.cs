namespace Checkpoint.Stores.Sample;

/// <summary>A payload as it is read, chunk by chunk.</summary>
internal sealed class SqlitePayload(SqliteDriver driver, string name, long length) : Stream
{
    private byte[] _chunk = [];
    private int _used;
    private int _number;

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
            _chunk = driver.Read(db => SqliteDriver.Rows(db, "SELECT bytes FROM chunk WHERE payload = $payload AND number = $number", row => row.GetFieldValue<byte[]>(0),
                [("$payload", name), ("$number", _number++)]).FirstOrDefault()) ?? [];
            _used = 0;
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
}
