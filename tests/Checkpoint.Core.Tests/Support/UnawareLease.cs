namespace Checkpoint.Tests;

/// <summary>A lease that is lost, whose holder does not know of it yet: its process stood still.</summary>
internal sealed class UnawareLease : Lease
{
    /// <summary>The one before a lease.</summary>
    public static UnawareLease Before(Lease lease) => new() { Name = lease.Name, Holder = lease.Holder, Token = lease.Token - 1 };

    public override ValueTask<string?> WhyLostAsync(CancellationToken cancellation) => default;

    public override void Dispose()
    {
    }
}
