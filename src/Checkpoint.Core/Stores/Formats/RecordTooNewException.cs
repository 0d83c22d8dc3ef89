namespace Checkpoint;

/// <summary>A whole record, but of a version that this code does not know.</summary>
internal sealed class RecordTooNewException(long version) : Exception($"Format {version}")
{
    public long Version { get; } = version;
}
