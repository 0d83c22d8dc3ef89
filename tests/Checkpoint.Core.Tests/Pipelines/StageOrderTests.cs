using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>The order follows the dependencies, stable with the order written; every fault of a pipeline is named at once.</summary>
public sealed class StageOrderTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("a b c", "a b c")]
    [InlineData("a:b b c", "b a c")]
    [InlineData("c:a b:a a", "a c b")]
    [InlineData("a:d b c:b d", "b c d a")]
    [InlineData("A:b B", "B A")]
    [InlineData("d:b,c b:a c:a a", "a b c d")]
    public void Each_stage_comes_behind_those_it_depends_on_else_as_written(string written, string order) =>
        Assert.Equal(order, string.Join(' ', StageOrder.Sort("p", Stages(written), null).Select(s => s.Name)));

    [Theory]
    [InlineData("", "it has no stages")]
    [InlineData("a b a", "stage 'a' is there twice")]
    [InlineData("é e\u0301", "stage 'e\u0301' is there twice")]
    [InlineData("a:x", "stage 'a' depends on 'x', which is not there")]
    [InlineData("a:a", "these depend on each other: a → a")]
    [InlineData("a:b b:c c:a", "these depend on each other: a → b → c → a")]
    [InlineData("x:a a:b b:a y:x", "these depend on each other: a → b → a")]
    public void A_fault_is_named(string written, string fault)
    {
        var error = Assert.Throws<CheckpointException>(() => StageOrder.Sort("p", Stages(written), null));
        Assert.Equal(CheckpointErrorKind.InvalidPipeline, error.Kind);
        Assert.Contains($"'p' cannot be run: {fault}. Nothing was done.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_fault_is_named_at_once()
    {
        var error = Assert.Throws<CheckpointException>(() => StageOrder.Sort("p", Stages("a:b b:a c:gone c d:d \u0001"), "nowhere"));
        foreach (var fault in new[] { "a → b → a", "'c' depends on 'gone'", "'c' is there twice", "d → d", "cannot be the name", "-From names 'nowhere'" })
            Assert.Contains(fault, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_graph_without_a_circle_has_an_order_that_keeps_to_it()
    {
        var random = Seeds.New(output);
        for (var i = 0; i < 200; i++)
        {
            var names = Enumerable.Range(0, random.Next(1, 15)).Select(n => $"s{n}").ToArray();
            var stages = names.Select((name, n) => Stage(name, [.. names.Take(n).Where(_ => random.Next(3) == 0)])).OrderBy(_ => random.Next()).ToList();
            var sorted = StageOrder.Sort("p", stages, null).ToList();
            Assert.Equal(stages.Count, sorted.Count);
            foreach (var stage in sorted)
                Assert.All(stage.DependsOn, d => Assert.True(sorted.FindIndex(s => s.Name == d) < sorted.IndexOf(stage)));
        }
    }

    private static List<StageDefinition> Stages(string written) =>
        [.. written.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(s => s.Split(':')).Select(s => Stage(s[0], s.Length > 1 ? s[1].Split(',') : []))];

    private static StageDefinition Stage(string name, string[] dependsOn) =>
        new() { Name = name, DependsOn = dependsOn, Parts = new Dictionary<string, byte[]>(), Run = (_, _) => throw new InvalidOperationException("run") };
}
