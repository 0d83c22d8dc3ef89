namespace Checkpoint.Tests;

/// <summary>Patterns of names, as PowerShell has them.</summary>
public sealed class WildcardTests
{
    [Theory]
    [InlineData("*", "anything", true)]
    [InlineData("Load*", "LOAD 2", true)]
    [InlineData("load?", "load12", false)]
    [InlineData("load[12]", "load2", true)]
    [InlineData("load[a-c]x", "loadBx", true)]
    [InlineData("load[a-c]x", "loaddx", false)]
    [InlineData("a.b*", "aXb", false)]
    [InlineData("(x)*", "(x)y", true)]
    [InlineData("[^a]*", "^", true)]
    [InlineData("[^a]*", "b", false)]
    [InlineData("É*", "e\u0301tage", true)]
    [InlineData("a*\u0130", "A x \u0130", true)]
    public void Match_as_in_powershell(string pattern, string name, bool matches) => Assert.Equal(matches, Wildcard.Parse(pattern, "checkpoint").IsMatch(CheckpointNames.Normalize(name, "checkpoint")));

    [Theory]
    [InlineData("[abc")]
    [InlineData("[]")]
    [InlineData("plain")]
    public void What_is_no_pattern_is_a_name(string text) => Assert.Equal(text, Wildcard.Parse(text, "checkpoint").Literal);

    [Theory]
    [InlineData("Stage*", "StageFailed", true)]
    [InlineData("saved", "Saved", true)]
    [InlineData("save", "Saved", false)]
    public void Events_match_too(string pattern, string word, bool matches) => Assert.Equal(matches, Wildcard.Matches(pattern, word));
}
