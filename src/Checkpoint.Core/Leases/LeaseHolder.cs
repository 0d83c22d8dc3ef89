namespace Checkpoint;

/// <summary>Who has a lease.</summary>
/// <param name="Host">The machine.</param>
/// <param name="User">The user.</param>
/// <param name="ProcessId">The process.</param>
/// <param name="TakenAt">Since when, UTC.</param>
internal sealed record LeaseHolder(string Host, string User, int ProcessId, DateTimeOffset TakenAt)
{
    /// <summary>This process, from now on.</summary>
    public static LeaseHolder Self(TimeProvider time) => new(Environment.MachineName, Environment.UserName, Environment.ProcessId, time.GetUtcNow());

    /// <summary>In words, for messages.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"process {ProcessId} of {User} on {Host}, since {TakenAt:u}");
}
