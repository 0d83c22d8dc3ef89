using System.Collections.ObjectModel;

namespace Checkpoint;

/// <summary>A SHA-256 hash of a configuration or of inputs, with the hash of each part so that a change can be named.</summary>
public sealed class CheckpointFingerprint : IEquatable<CheckpointFingerprint>
{
    internal CheckpointFingerprint(string value, IDictionary<string, string> parts)
    {
        Value = value;
        Parts = new ReadOnlyDictionary<string, string>(parts);
    }

    /// <summary>The hash over all parts, 64 lower-case hex digits.</summary>
    public string Value { get; }

    /// <summary>The hash of each part by its name: the keys of a hashtable, the properties of an object, the paths of files.</summary>
    public ReadOnlyDictionary<string, string> Parts { get; }

    /// <summary>The parts that differ from <paramref name="current"/>, in the order of their names; a part that one side lacks has a null hash there.</summary>
    /// <param name="current">The fingerprint of now; this one is the saved one.</param>
    public IReadOnlyList<FingerprintChange> CompareTo(CheckpointFingerprint current)
    {
        ArgumentNullException.ThrowIfNull(current);
        return Parts.Keys.Union(current.Parts.Keys)
            .Select(part => new FingerprintChange(part, Parts.GetValueOrDefault(part), current.Parts.GetValueOrDefault(part)))
            .Where(change => change.SavedHash != change.CurrentHash)
            .OrderBy(change => change.Part, StringComparer.Ordinal)
            .ToList()
            .AsReadOnly();
    }

    /// <inheritdoc/>
    public bool Equals(CheckpointFingerprint? other) => other is not null && Value == other.Value;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CheckpointFingerprint);

    /// <inheritdoc/>
    public override int GetHashCode() => Value.GetHashCode(StringComparison.Ordinal);

    /// <summary>The value.</summary>
    public override string ToString() => Value;
}
