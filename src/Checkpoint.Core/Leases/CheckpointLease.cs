namespace Checkpoint;

/// <summary>The right to work on a stage that <c>Lock-Checkpoint</c> gave to a session. Immutable but for the time when it ends, which moves on as it is renewed.</summary>
public sealed class CheckpointLease
{
    private readonly Lease _lease;

    internal CheckpointLease(Lease lease, string store) => (_lease, Store) = (lease, store);

    /// <summary>The store: a folder path or a URI.</summary>
    public string Store { get; }

    /// <summary>The pipeline.</summary>
    public string Pipeline => _lease.Name.Pipeline;

    /// <summary>The run, or null where the stage belongs to none.</summary>
    public string? Run => _lease.Name.Run;

    /// <summary>The stage.</summary>
    public string Name => _lease.Name.Name!;

    /// <summary>The fencing token: of one stage, each lease has a higher one than all before.</summary>
    public long Token => _lease.Token;

    /// <summary>Who has it: process, user and host.</summary>
    public string Holder => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"process {_lease.Holder.ProcessId} of {_lease.Holder.User} on {_lease.Holder.Host}");

    /// <summary>Since when, UTC.</summary>
    public DateTimeOffset TakenAt => _lease.Holder.TakenAt;

    /// <summary>When it ends unless it is renewed, UTC, by the clock of this machine. It is renewed for as long as its process lives, and in the past where it was lost.</summary>
    public DateTimeOffset ExpiresAt => _lease.ExpiresAt ?? DateTimeOffset.MaxValue;

    /// <summary>The stage and the token.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Name} token {Token}");
}
