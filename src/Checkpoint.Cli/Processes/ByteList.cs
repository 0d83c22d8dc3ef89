using System.Buffers;

namespace Checkpoint.Cli;

/// <summary>Bytes that are added to, in pieces that are never moved.</summary>
internal sealed class ByteList
{
    private const int Least = 4096, Most = 1 << 20;

    private readonly Segment _first = new(0, Least);
    private Segment _last;

    public ByteList() => _last = _first;

    /// <summary>All that was added.</summary>
    public ReadOnlySequence<byte> All => new(_first, 0, _last, _last.Filled);

    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            if (_last.IsFull)
                _last = _last.Append();
            bytes = bytes[_last.Add(bytes)..];
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private readonly byte[] _bytes;

        public Segment(long index, int size)
        {
            (RunningIndex, _bytes) = (index, new byte[size]);
            Memory = _bytes;
        }

        public int Filled { get; private set; }

        public bool IsFull => Filled == _bytes.Length;

        public int Add(ReadOnlySpan<byte> bytes)
        {
            var length = Math.Min(bytes.Length, _bytes.Length - Filled);
            bytes[..length].CopyTo(_bytes.AsSpan(Filled));
            Filled += length;
            return length;
        }

        public Segment Append()
        {
            var next = new Segment(RunningIndex + _bytes.Length, Math.Min(Most, 2 * _bytes.Length));
            Next = next;
            return next;
        }
    }
}
