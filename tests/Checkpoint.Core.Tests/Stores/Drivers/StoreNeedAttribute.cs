namespace Checkpoint.Tests;

/// <summary>What the tests of a class need.</summary>
[AttributeUsage(AttributeTargets.Class)]
public abstract class StoreNeedAttribute : Attribute
{
    /// <summary>Why it is not to be had here; null where it is.</summary>
    public abstract string? Missing { get; }
}
