using System.Globalization;
using System.Text;

namespace Checkpoint.Tests;

/// <summary>What tests of drivers share.</summary>
internal static class DriverTest
{
    public static readonly StoreKey Key = new("checkpoint", "nightly", null, "ingest");

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static string Text(StoreEntry? entry) => entry is null ? "(none)" : Encoding.UTF8.GetString(entry.Record.Span);

    public static string NewName() => Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);

    /// <summary>Saves an entry. What it holds is its text, or what its text says.</summary>
    public static async Task<long?> Save(
        this StoreDriver driver, string text = "", long? step = null, bool overwrite = false, StoreKey? key = null, byte[]? payload = null, string? payloadName = null, StoreFence? fence = null, bool durable = true, StoreNote? note = null)
    {
        await using var save = await driver.BeginSaveAsync(key ?? Key, default);
        if (payload is not null)
        {
            using var stream = save.OpenPayload(payloadName ?? NewName());
            for (var at = 0; at < payload.Length; at += 100_000)
                stream.Write(payload, at, Math.Min(100_000, payload.Length - at));
        }
        return await save.CommitAsync(
            new StoreCommit { Step = step, Overwrite = overwrite, Fence = fence, IsDurable = durable, Note = note, MakeRecord = (s, _) => (Bytes(text.Length > 0 ? text : $"step {s}"), NewName()) },
            default);
    }

    /// <summary>Appends an entry that follows from the one before.</summary>
    public static async Task<long?> Append(this StoreDriver driver, StoreKey key)
    {
        await using var save = await driver.BeginSaveAsync(key, default);
        return await save.CommitAsync(
            new StoreCommit { NeedsLast = true, IsDurable = false, MakeRecord = (step, last) => (Bytes($"{step} after {(last is null ? "none" : last.Step)}"), NewName()) }, default);
    }

    /// <summary>What may be appended along with a save.</summary>
    public static StoreNote NoteTo(StoreKey key) => new() { Key = key, MakeRecord = (saved, last) => (Bytes($"saved {saved} after {(last is null ? "none" : last.Step)}"), NewName()) };

    public static async Task<List<StoreEntry>> All(this IAsyncEnumerable<StoreEntry> entries)
    {
        var all = new List<StoreEntry>();
        await foreach (var entry in entries)
            all.Add(entry);
        return all;
    }

    public static async Task<byte[]?> Payload(this StoreDriver driver, StoreKey key, long step, string? name)
    {
        await using var stream = await driver.OpenPayloadAsync(key, step, name, default);
        if (stream is null)
            return null;
        var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes);
        return bytes.ToArray();
    }
}
