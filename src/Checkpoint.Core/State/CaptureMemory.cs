using System.Runtime.InteropServices;

namespace Checkpoint;

/// <summary>
/// Memory for captures, used again from one to the next. A copy of 100 MB into new memory takes some 40 ms, for the system gives it page by page; into memory that was used before, 6 ms.
/// The garbage collector may have it back at any time: it is held by weak references alone.
/// </summary>
internal static class CaptureMemory
{
    private const int WorthKeeping = 1 << 20;

    private const int MaxKept = 16;

    private static readonly List<WeakReference<byte[]>> Kept = [];

    /// <summary>Memory with anything in it.</summary>
    /// <param name="length">How much.</param>
    /// <param name="position">Where in a file it will be written: large memory begins as far behind a multiple of <see cref="FileSystem.DirectUnit"/>, so that it can be written from where it lies.</param>
    public static Memory<byte> Rent(int length, long position)
    {
        if (length < WorthKeeping)
            return GC.AllocateUninitializedArray<byte>(length);
        // The longest array leaves no room to choose from.
        var size = (int)Math.Min(length + (FileSystem.DirectUnit - 1L), Array.MaxLength);
        var bytes = TakeKept(size) ?? GC.AllocateUninitializedArray<byte>(size, pinned: true);
        var start = (int)((position - Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0)) & (FileSystem.DirectUnit - 1));
        return bytes.AsMemory(Math.Min(start, bytes.Length - length), length);
    }

    public static void Return(Memory<byte> memory)
    {
        if (memory.Length < WorthKeeping || !MemoryMarshal.TryGetArray<byte>(memory, out var part))
            return;
        lock (Kept)
        {
            if (Kept.Count < MaxKept)
                Kept.Add(new WeakReference<byte[]>(part.Array!));
        }
    }

    private static byte[]? TakeKept(int size)
    {
        lock (Kept)
        {
            Kept.RemoveAll(kept => !kept.TryGetTarget(out _));
            for (var i = 0; i < Kept.Count; i++)
            {
                // Not a much larger one: that may be wanted for what needs it.
                if (Kept[i].TryGetTarget(out var bytes) && bytes.Length >= size && bytes.Length / 2 <= size)
                {
                    Kept.RemoveAt(i);
                    return bytes;
                }
            }
        }
        return null;
    }
}
