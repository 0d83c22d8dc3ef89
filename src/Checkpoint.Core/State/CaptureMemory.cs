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

    /// <summary>An array of at least the length asked for, with anything in it.</summary>
    public static byte[] Rent(int length)
    {
        lock (Kept)
        {
            Kept.RemoveAll(kept => !kept.TryGetTarget(out _));
            for (var i = 0; length >= WorthKeeping && i < Kept.Count; i++)
            {
                // Not a much larger one: that may be wanted for what needs it.
                if (Kept[i].TryGetTarget(out var bytes) && bytes.Length >= length && bytes.Length / 2 <= length)
                {
                    Kept.RemoveAt(i);
                    return bytes;
                }
            }
        }
        return GC.AllocateUninitializedArray<byte>(length);
    }

    public static void Return(byte[] bytes)
    {
        if (bytes.Length < WorthKeeping)
            return;
        lock (Kept)
        {
            if (Kept.Count < MaxKept)
                Kept.Add(new WeakReference<byte[]>(bytes));
        }
    }
}
