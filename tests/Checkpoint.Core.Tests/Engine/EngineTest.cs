namespace Checkpoint.Tests;

/// <summary>What tests of the engine share: an engine on a folder store, a clock, and ways to damage things.</summary>
public abstract class EngineTest : StoreTest
{
    protected EngineTest()
    {
        Store = new FolderStore(Root, new TestFileSystem(), Time);
        Engine = new CheckpointEngine(Store, Time);
    }

    private protected ManualTime Time { get; } = new();

    private protected CheckpointEngine Engine { get; }

    private protected void DamageRecord(long step) => File.AppendAllText(RecordPath(step), "damage");

    /// <summary>Changes a byte of a payload, and neither its length nor its record.</summary>
    private protected void DamagePayload(long step)
    {
        var path = Path.Join(StageFolder, Names(FolderEntryKind.Payload).Single(n => FolderLayout.Classify(n).Step == step));
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    /// <summary>Gives a record another version and a right checksum.</summary>
    private protected void MakeNewer(long step) => MakeNewer(RecordPath(step));

    private protected static void MakeNewer(string path)
    {
        var text = File.ReadAllText(path).Replace("\"format\": 1", "\"format\": 2", StringComparison.Ordinal);
        var body = System.Text.Encoding.UTF8.GetBytes(text[..text.LastIndexOf(",\n  \"checksum\"", StringComparison.Ordinal)]);
        var checksum = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(body));
        File.WriteAllBytes(path, [.. body, .. System.Text.Encoding.UTF8.GetBytes($",\n  \"checksum\": \"{checksum}\"\n}}\n")]);
    }
}
