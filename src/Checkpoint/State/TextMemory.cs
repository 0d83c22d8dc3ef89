using System.Buffers;
using System.Runtime.InteropServices;

namespace Checkpoint;

/// <summary>The UTF-16 of a string as bytes, without a copy.</summary>
internal sealed class TextMemory(string text) : MemoryManager<byte>
{
    public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(text.AsSpan()), text.Length));

    public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
