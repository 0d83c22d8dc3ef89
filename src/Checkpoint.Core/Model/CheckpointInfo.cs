using System.Collections.ObjectModel;

namespace Checkpoint;

/// <summary>A saved checkpoint: everything about it but its state. Immutable.</summary>
public sealed class CheckpointInfo
{
    internal static readonly ReadOnlyDictionary<string, object?> NoMetadata = new(new Dictionary<string, object?>());

    private bool _isOpened;

    // Nothing is init to the public: PowerShell would set it.
    internal CheckpointInfo()
    {
    }

    /// <summary>The store it was read from: a folder path or a URI.</summary>
    public string Store { get; internal set; } = "";

    /// <summary>The pipeline.</summary>
    public string Pipeline { get; internal init; } = "";

    /// <summary>The run, or null where it belongs to none.</summary>
    public string? Run { get; internal init; }

    /// <summary>The stage.</summary>
    public string Name { get; internal init; } = "";

    /// <summary>The version of the stage's checkpoint, 0 or more.</summary>
    public long Step { get; internal init; }

    /// <summary>What the record says of the stage.</summary>
    public CheckpointStatus Status { get; internal init; }

    /// <summary>When it was saved, UTC.</summary>
    public DateTimeOffset SavedAt { get; internal init; }

    /// <summary>The fingerprint of what it was saved under, or null.</summary>
    public CheckpointFingerprint? Fingerprint { get; internal init; }

    /// <summary>Small facts about it; keys are compared without case. None are there of an encrypted checkpoint that was read without its key.</summary>
    public ReadOnlyDictionary<string, object?> Metadata { get; internal set; } = NoMetadata;

    /// <summary>The size of the saved state in bytes, or null where no state was saved (a saved <c>$null</c> has a size).</summary>
    public long? StateSize => Encrypted && State is not null ? ChunkCipher.PlainLength(State.Size) : State?.Size;

    /// <summary>Whether its state and metadata are encrypted.</summary>
    public bool Encrypted => Encryption is not null;

    /// <summary>The files that were declared as the stage's output.</summary>
    public ReadOnlyCollection<OutputFile> OutputFiles { get; internal init; } = ReadOnlyCollection<OutputFile>.Empty;

    /// <summary>The machine that saved it.</summary>
    public string Host { get; internal init; } = "";

    /// <summary>The user that saved it.</summary>
    public string User { get; internal init; } = "";

    /// <summary>The process that saved it.</summary>
    public int ProcessId { get; internal init; }

    /// <summary>A text that is another one whenever the record is written anew, also where the step stays the same: of a folder store the record's checksum.</summary>
    public string Revision { get; internal set; } = "";

    /// <summary>Where the record lies in its store: for a folder store the file's path.</summary>
    public string Location { get; internal init; } = "";

    /// <summary>How the state is kept, or null where none was saved.</summary>
    internal StoredState? State { get; set; }

    /// <summary>What <c>GetIdentity()</c> said of the object that was saved, or null.</summary>
    internal ReadOnlyDictionary<string, object?>? Identity { get; set; }

    /// <summary>What its key needs to open it, or null where it is not encrypted.</summary>
    internal Envelope? Encryption { get; set; }

    /// <summary>Whether it is encrypted and was read without its key.</summary>
    internal bool IsLocked => Encrypted && !_isOpened;

    /// <summary>The same with what its key has opened.</summary>
    internal CheckpointInfo Opened(ReadOnlyDictionary<string, object?> metadata, ReadOnlyDictionary<string, object?>? identity)
    {
        var opened = (CheckpointInfo)MemberwiseClone();
        (opened.Metadata, opened.Identity, opened._isOpened) = (metadata, identity, true);
        return opened;
    }

    /// <summary>Whether the replica of its store gave it, the store being away.</summary>
    internal bool IsOfReplica { get; private set; }

    /// <summary>The same as of the store whose replica gave it.</summary>
    internal CheckpointInfo OfReplica(string store)
    {
        var copy = (CheckpointInfo)MemberwiseClone();
        (copy.Store, copy.IsOfReplica) = (store, true);
        return copy;
    }

    /// <summary>The same with its state kept otherwise.</summary>
    internal CheckpointInfo WithState(StoredState? state)
    {
        var copy = (CheckpointInfo)MemberwiseClone();
        copy.State = state;
        return copy;
    }

    internal StageId StageId => new(Pipeline, Run, Name);

    /// <summary>The name and the step.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Name} step {Step}");
}
