namespace Checkpoint.Stores.PostgreSql;

/// <summary>
/// A payload as it is written: while it is small it waits in memory, and goes along with the statement that saves, which can be repeated; what is larger is sent chunk by chunk as it comes.
/// </summary>
internal sealed class PayloadWriter(Server server, Guid name, CancellationToken cancellation) : Stream
{
    /// <summary>Of so many bytes is each chunk but the last.</summary>
    public const int ChunkSize = 1 << 20;

    private const int MaxWaiting = 4;

    private readonly List<byte[]> _waiting = [];
    private byte[] _chunk = [];
    private int _filled;
    private long _number;
    private bool _isClosed;

    public Guid Name => name;

    /// <summary>What waits; null where it was sent already.</summary>
    public byte[][]? Chunks => Transaction is null ? [.. _waiting] : null;

    public PayloadTransaction? Transaction { get; private set; }

    public override long Length => (_number * ChunkSize) + _filled;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => !_isClosed;

    public override long Position
    {
        get => Length;
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            if (_filled == _chunk.Length)
                Grow(buffer.Length);
            var taken = Math.Min(buffer.Length, _chunk.Length - _filled);
            buffer[..taken].CopyTo(_chunk.AsSpan(_filled));
            _filled += taken;
            buffer = buffer[taken..];
            if (_filled == ChunkSize)
                Push();
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Ends what was not committed.</summary>
    public ValueTask EndAsync() => Transaction?.DisposeAsync() ?? default;

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isClosed)
        {
            _isClosed = true;
            End();
        }
        base.Dispose(disposing);
    }

    private void End()
    {
        if (Transaction is null && _filled > 0)
            _waiting.Add(_chunk[.._filled]);
        else if (_filled > 0)
            Send(_chunk.AsMemory(0, _filled));
        if (Transaction is not null)
            Wait(Transaction.CompleteAsync(cancellation));
    }

    // Most payloads are some kilobytes.
    private void Grow(int wanted) => Array.Resize(ref _chunk, (int)Math.Min(ChunkSize, Math.Max((long)_filled + wanted, 2L * _filled)));

    private void Push()
    {
        if (Transaction is null && _waiting.Count < MaxWaiting)
        {
            _waiting.Add(_chunk);
            _chunk = [];
        }
        else
        {
            if (Transaction is null)
            {
                Transaction = Wait(new ValueTask<PayloadTransaction>(PayloadTransaction.BeginAsync(server, cancellation)));
                var number = _number;
                _number = 0;
                foreach (var chunk in _waiting)
                {
                    Send(chunk);
                    _number++;
                }
                _waiting.Clear();
                _number = number;
            }
            Send(_chunk);
        }
        _filled = 0;
        _number++;
    }

    private void Send(ReadOnlyMemory<byte> chunk) => Wait(Transaction!.WriteAsync(name, _number, chunk, cancellation));

    private static T Wait<T>(ValueTask<T> work) => work.IsCompletedSuccessfully ? work.Result : work.AsTask().GetAwaiter().GetResult();
}
