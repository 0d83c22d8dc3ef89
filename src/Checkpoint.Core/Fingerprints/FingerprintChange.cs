namespace Checkpoint;

/// <summary>A part of a fingerprint that is not what it was.</summary>
public sealed class FingerprintChange
{
    internal FingerprintChange(string part, string? savedHash, string? currentHash)
    {
        Part = part;
        SavedHash = savedHash;
        CurrentHash = currentHash;
    }

    /// <summary>The part's name.</summary>
    public string Part { get; }

    /// <summary>Its hash in the checkpoint, or null where the part is new.</summary>
    public string? SavedHash { get; }

    /// <summary>Its hash now, or null where the part is gone.</summary>
    public string? CurrentHash { get; }

    /// <summary>The part's name.</summary>
    public override string ToString() => Part;
}
