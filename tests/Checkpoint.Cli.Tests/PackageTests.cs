using System.Text.RegularExpressions;

namespace Checkpoint.Cli.Tests;

/// <summary>What the README says of a machine without PowerShell, on such a machine: the tool as it is installed from a checkout, and the pages' examples.</summary>
public sealed partial class PackageTests : CliTest
{
    private static readonly string Root = FindRoot();

    [UnixFact]
    public void Packed_and_installed_as_the_readme_says_the_tool_runs_where_no_powershell_is()
    {
        CopyCheckout();
        // Servers of the build would stay behind with our output open.
        (Variables["MSBUILDDISABLENODEREUSE"], Variables["UseSharedCompilation"]) = ("1", "false");
        // A global tool of this test alone; packages come from where they are.
        Variables["DOTNET_CLI_HOME"] = Here;
        Variables["NUGET_PACKAGES"] = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var lines = Readme().Split('\n').Where(line => line.StartsWith("dotnet pack ", StringComparison.Ordinal) || line.StartsWith("dotnet tool install ", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, lines.Count);
        var installed = Bash($"set -e\ncd checkout\n{string.Join('\n', lines)}");
        Assert.True(installed.ExitCode == 0, installed.Output + installed.Error);

        Directory.CreateDirectory(At("path"));
        Variables["PATH"] = At("path");
        foreach (var program in new[] { "sh", "seq", "dirname", "readlink" })
            File.CreateSymbolicLink(At($"path/{program}"), $"/usr/bin/{program}");
        Variables["DOTNET_ROOT"] = Path.GetDirectoryName(File.ResolveLinkTarget("/proc/self/exe", returnFinalTarget: true)!.FullName);
        ToolResult Checkpoint(params string[] arguments)
        {
            using var running = Run([], ["/usr/bin/env", .. Variables.Select(v => $"{v.Key}={v.Value}"), At(".dotnet/tools/checkpoint"), .. arguments]);
            return running.Wait();
        }

        Assert.Equal("1\n2\n3\n", Checkpoint("run", "numbers", "--", "seq", "3").Done());
        Assert.Equal("1\n2\n3\n", Checkpoint("run", "numbers", "--", "seq", "3").Done());
        Assert.Contains("numbers", Checkpoint("get").Done(), StringComparison.Ordinal);
        Assert.Contains("Usage:\n  checkpoint run", Checkpoint("run", "--help").Done(), StringComparison.Ordinal);
        // The driver came along, and is what says that nobody answers.
        var away = Checkpoint("test", "a", "--store", "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1");
        Assert.Equal(3, away.ExitCode);
        Assert.DoesNotContain("driver", away.Error, StringComparison.OrdinalIgnoreCase);
    }

    [UnixFact]
    public void The_job_that_the_readme_shows_is_done_from_the_checkout_and_once()
    {
        CopyCheckout();
        var line = Assert.Single(Readme().Split('\n'), l => l.Contains("dotnet run --project src/Checkpoint.Cli", StringComparison.Ordinal));
        Variables["CHECKPOINT_STORE"] = At("store");
        var first = Bash($"cd checkout\n{line}");
        Assert.True(first.ExitCode == 0, first.Error);
        Assert.Equal(Directory.EnumerateFiles(At("checkout/src"), "*.cs", SearchOption.AllDirectories).Count(), first.Lines.Count(l => Regex.IsMatch(l, "^[0-9a-f]{64}  src/")));
        Assert.Contains(" 0 done before, 0 failed", first.Error, StringComparison.Ordinal);
        var second = Bash($"cd checkout\n{line}");
        Assert.Equal(first.Lines.Order(), second.Lines.Order());
        Assert.Contains(": 0 done, ", second.Error, StringComparison.Ordinal);
    }

    [UnixFact]
    public void Nothing_of_powershell_is_loaded_or_shipped() =>
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.GetDirectoryName(Dll)!, "*.dll", SearchOption.AllDirectories), file => Path.GetFileName(file) is "Checkpoint.dll" || Path.GetFileName(file).Contains("Automation", StringComparison.Ordinal));

    [UnixFact]
    public void The_examples_of_the_page_run_one_after_the_other_in_an_empty_folder()
    {
        PutOnPath();
        Directory.CreateDirectory(At("work"));
        var page = File.ReadAllText(Path.Join(Root, "docs", "cli.md"));
        var blocks = Block().Matches(page);
        Assert.True(blocks.Count >= 8, "the page has lost its examples");
        var script = new System.Text.StringBuilder($"set -eu\ncd '{At("work")}'\n");
        var expected = new List<string>();
        foreach (Match block in blocks)
        {
            script.Append(block.Groups["code"].Value);
            if (!block.Groups["shown"].Success)
                continue;
            // What stands behind an example is what it prints.
            expected.Add(block.Groups["shown"].Value);
            script.Insert(script.Length - block.Groups["code"].Length, $"exec 5>&1 >'{At($"shown{expected.Count}")}'\n").Append("exec >&5\n");
        }
        var result = Bash(script.ToString());
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        for (var i = 0; i < expected.Count; i++)
            Assert.Equal(expected[i], File.ReadAllText(At($"shown{i + 1}")));
    }

    // A checkout of its own: what is built here must not replace what other tests run at this moment.
    private void CopyCheckout()
    {
        Variables["DOTNET_NOLOGO"] = Variables["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        foreach (var file in Directory.EnumerateFiles(Path.Join(Root, "src"), "*", SearchOption.AllDirectories).Concat([Path.Join(Root, "Checkpoint.psd1"), Path.Join(Root, ".editorconfig")]))
        {
            var copy = Path.Join(At("checkout"), Path.GetRelativePath(Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    private static string Readme() => File.ReadAllText(Path.Join(Root, "README.md")).ReplaceLineEndings("\n");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Join(folder.FullName, "Checkpoint.sln")))
            folder = folder.Parent!;
        return folder.FullName;
    }

    private ToolResult Bash(string script)
    {
        using var shell = Run([], ["bash", "-c", script]);
        return shell.Wait();
    }

    [GeneratedRegex(@"^```sh\n(?<code>.*?)^```\n(\n```text\n(?<shown>.*?)^```\n)?", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
