namespace Checkpoint;

/// <summary>A lease as the store keeps it.</summary>
/// <param name="Token">Its fencing token: of one key, each lease that is granted has a higher one than all before, also after the key was free for long.</param>
/// <param name="Holder">What the holder gave for itself: at most 1,000 characters.</param>
/// <param name="TakenAt">When it was granted, UTC, by the clock of the store.</param>
/// <param name="Remaining">How long it lasts from now on unless it is renewed.</param>
public sealed record StoreLease(long Token, string Holder, DateTimeOffset TakenAt, TimeSpan Remaining);
