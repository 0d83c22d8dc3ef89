using System.Management.Automation;

namespace Checkpoint;

/// <summary>What a stage's result depends on: its script, and what the user named.</summary>
internal static class StageFingerprint
{
    private const string Script = "script";

    public static Dictionary<string, byte[]> PartsOf(ScriptBlock block, bool isGiven, object? named, CancellationToken cancellation)
    {
        var parts = new Dictionary<string, byte[]>(StringComparer.Ordinal) { [Script] = ScriptFingerprint.Hash(block) };
        if (!isGiven)
            return parts;
        // A fingerprint that was taken before counts by its parts, so that a change can be named.
        var value = named is PSObject wrapped ? wrapped.BaseObject : named;
        if (value is CheckpointFingerprint taken)
        {
            foreach (var (name, hash) in taken.Parts)
                parts[Distinct(name)] = Convert.FromHexString(hash);
            return parts;
        }
        foreach (var (name, hash) in new ObjectFingerprint(cancellation).PartsOf(named))
            parts[Distinct(name)] = hash;
        return parts;
    }

    private static string Distinct(string name) => name == Script ? $"[fingerprint].{name}" : name;
}
