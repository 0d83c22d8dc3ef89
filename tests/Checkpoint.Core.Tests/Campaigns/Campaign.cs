using System.Globalization;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>
/// What every campaign has: its size (CHECKPOINT_CAMPAIGN=long), its seed (CHECKPOINT_SEED, or one drawn), what it counts, and the one line that it prints.
/// docs/reliability.md says what campaigns are.
/// </summary>
internal sealed class Campaign
{
    private const int ShownFindings = 20;

    private readonly string _name;
    private readonly ITestOutputHelper _output;

    public Campaign(string name, ITestOutputHelper output)
    {
        (_name, _output) = (name, output);
        Seed = int.TryParse(Environment.GetEnvironmentVariable("CHECKPOINT_SEED"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var given) ? given : System.Random.Shared.Next();
        Random = new Random(Seed);
        // Told at once, so that it is known also where the campaign breaks off.
        output.WriteLine($"campaign {name}: seed {Seed}");
    }

    public static bool IsLong => Environment.GetEnvironmentVariable("CHECKPOINT_CAMPAIGN") == "long";

    public int Seed { get; }

    public Random Random { get; }

    public int Tries { get; set; }

    public List<string> Findings { get; } = [];

    /// <summary>Prints the campaign's line, and fails where it has findings.</summary>
    /// <param name="more">What else was counted, in words.</param>
    public void End(string more)
    {
        _output.WriteLine(FormattableString.Invariant($"campaign {_name}: {Tries} tries, seed {Seed}, {Findings.Count} findings, {more}"));
        Assert.True(Findings.Count == 0, $"seed {Seed}:\n" + string.Join('\n', Findings.Take(ShownFindings)));
    }
}
