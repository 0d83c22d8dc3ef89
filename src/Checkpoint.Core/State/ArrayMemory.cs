using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Checkpoint;

/// <summary>The memory of a part of an array of numbers as bytes, without a copy.</summary>
/// <typeparam name="T">A type without references.</typeparam>
internal sealed class ArrayMemory<T>(T[] array, int start, int count) : MemoryManager<byte>
{
    public override Span<byte> GetSpan() =>
        RuntimeHelpers.IsReferenceOrContainsReferences<T>()
            ? throw new InvalidOperationException($"An array of {typeof(T)} has no bytes of its own.")
            : MemoryMarshal.CreateSpan(ref Unsafe.As<T, byte>(ref array.AsSpan(start, count)[0]), checked(count * Unsafe.SizeOf<T>()));

    public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
