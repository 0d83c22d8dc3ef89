using System.Text;

namespace Checkpoint.Tests;

/// <summary>Lines are appended whole, whoever else does so.</summary>
public sealed class LineFileTests : IDisposable
{
    private readonly TempFolder _temp = new();

    private string File => Path.Join(_temp.Path, "a", "b", "lines.log");

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task The_file_and_its_folders_are_made_and_lines_go_to_its_end()
    {
        await Append("one\n");
        await Append("two\nthree\n");
        Assert.Equal("one\ntwo\nthree\n", await System.IO.File.ReadAllTextAsync(File));
    }

    [Fact]
    public async Task A_line_that_a_crash_cut_off_does_not_swallow_the_next()
    {
        await Append("one\ntw");
        await Append("three\n");
        Assert.Equal("one\ntw\nthree\n", await System.IO.File.ReadAllTextAsync(File));
    }

    [Fact]
    public async Task Lines_of_many_writers_are_all_there_and_do_not_mix()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
                await Append($"{writer}-{i} {new string((char)('a' + writer), 200)}\n");
        })));
        var lines = await System.IO.File.ReadAllLinesAsync(File);
        Assert.Equal(400, lines.Distinct().Count());
        Assert.All(lines, line => Assert.Single(line.Split(' ')[1].Distinct()));
    }

    private async Task Append(string text) => await LineFile.AppendAsync(FileSystem.Current, File, Encoding.UTF8.GetBytes(text), default);
}
