using System.Management.Automation;
using FsCheck;
using FsCheck.Fluent;

namespace Checkpoint.Campaigns;

/// <summary>The property that every state comes back with the same type and value, tried by FsCheck on the thread of the caller.</summary>
public static class StateCampaign
{
    /// <summary>Tries states until one fails, and shrinks that.</summary>
    /// <param name="copy">Saves its argument and emits what is restored.</param>
    /// <param name="count">How many states are tried.</param>
    /// <param name="withSecrets">Whether SecureStrings and PSCredentials are among them.</param>
    /// <param name="seed">With the same seed the same states are tried.</param>
    /// <returns>What is wrong with the smallest state that failed; or null.</returns>
    public static string? FindFault(ScriptBlock copy, int count, bool withSecrets, int seed)
    {
        ArgumentNullException.ThrowIfNull(copy);
        string? fault = null;
        var property = Prop.ForAll(withSecrets ? States.WithSecrets : States.All, state =>
        {
            var difference = Try(copy, state);
            fault = difference ?? fault;
            return difference is null;
        });
        try
        {
            property.Check(Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(count).WithEndSize(60).WithReplay((ulong)(uint)seed, 1));
        }
        catch (Exception e) when (fault is not null)
        {
            fault = $"{fault}; {e.Message}";
        }
        // Half of a surrogate pair can be in no report.
        return fault is null ? null : string.Concat(fault.Select(c => char.IsSurrogate(c) || char.IsControl(c) ? $"\\u{(int)c:x4}" : $"{c}"));
    }

    /// <summary>What the campaign sees of two states.</summary>
    /// <returns>Where and how they differ; or null.</returns>
    public static string? Difference(object? expected, object? found) => Campaigns.Difference.Find(expected, found);

    private static string? Try(ScriptBlock copy, object? state)
    {
        try
        {
            var copies = copy.Invoke(new object?[] { state });
            return copies.Count == 1 ? Campaigns.Difference.Find(state, copies[0]) : $"{copies.Count} values came back";
        }
        catch (RuntimeException e)
        {
            return e.Message;
        }
    }
}
