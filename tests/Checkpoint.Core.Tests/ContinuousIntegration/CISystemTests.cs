namespace Checkpoint.Tests;

/// <summary>The commands are those that the systems document, and data in them is data.</summary>
public sealed class CISystemTests
{
    private static readonly string Folder = Path.Join(Path.GetTempPath(), "job");
    private static readonly CISystem GitHub = JobEnvironment.System(JobEnvironment.GitHub(Folder));
    private static readonly CISystem Azure = JobEnvironment.System(JobEnvironment.Azure(Folder));
    private static readonly ScriptPlace Place = new(Path.Join(Folder, "work", "jobs", "a, b:c;d].ps1"), 7, 5);

    [Theory]
    [InlineData("GITHUB_ACTIONS", "true", typeof(GitHubActions))]
    [InlineData("TF_BUILD", "True", typeof(AzureDevOps))]
    [InlineData("GITHUB_ACTIONS", "false", null)]
    [InlineData("GITHUB_ACTIONS", "", null)]
    [InlineData("CI", "true", null)]
    public void A_system_is_recognised_by_the_variable_that_it_alone_sets(string variable, string value, Type? expected) =>
        Assert.Equal(expected, CISystem.Recognize(name => name == variable ? value : null)?.GetType());

    [Fact]
    public void A_group_is_begun_and_ended_as_each_system_has_it()
    {
        Assert.Equal(("::group::Stage 'a'", "::endgroup::"), (GitHub.BeginGroup("Stage 'a'"), GitHub.EndGroup));
        Assert.Equal(("##[group]Stage 'a'", "##[endgroup]"), (Azure.BeginGroup("Stage 'a'"), Azure.EndGroup));
    }

    [Fact]
    public void An_error_names_its_place_in_the_workspace_with_slashes()
    {
        Assert.Equal("::error file=jobs/a%2C b%3Ac;d].ps1,line=7,col=5::it broke", GitHub.Error("it broke", Place));
        Assert.Equal("##vso[task.logissue type=error;sourcepath=jobs/a, b:c%3Bd%5D.ps1;linenumber=7;columnnumber=5]it broke", Azure.Error("it broke", Place));
    }

    [Fact]
    public void The_first_of_its_places_that_is_in_the_workspace_is_shown()
    {
        var module = new ScriptPlace(Path.Join(Folder, "worker", "m.psm1"), 1, 1);
        Assert.Equal("::error file=jobs/a%2C b%3Ac;d].ps1,line=7,col=5::it broke", GitHub.Error("it broke", module, Place));
        Assert.Equal($"::error::it broke ({module.File}:1)", GitHub.Error("it broke", module));
        Assert.Equal("##vso[task.logissue type=error]it broke", Azure.Error("it broke"));
        Assert.Equal("::error::it broke (a.ps1:3)", JobEnvironment.System(new() { ["GITHUB_ACTIONS"] = "true" }).Error("it broke", new ScriptPlace("a.ps1", 3, 1)));
    }

    [Fact]
    public void What_a_message_holds_is_decoded_to_what_it_was()
    {
        Assert.Equal("::error::100%25 of%0D%0Athe \"disk\"; ], %253A", GitHub.Error("100% of\r\nthe \"disk\"; ], %3A"));
        Assert.Equal("##vso[task.logissue type=error]100%AZP25 of%0D%0Athe \"disk\"; ], %AZP253A", Azure.Error("100% of\r\nthe \"disk\"; ], %3A"));
    }

    [Fact]
    public void A_message_without_end_is_cut() => Assert.True(GitHub.Error(new string('x', 1 << 20)).Length < 5000);

    [Theory]
    [InlineData("x%0A::set-env name=A::b")]
    [InlineData("x ##vso[task.setvariable variable=A]b")]
    [InlineData("x ##VSO[task.setvariable variable=A]b")]
    [InlineData("x ##[set-env name=A]b")]
    [InlineData("x ###[set-env name=A]b")]
    [InlineData(":::set-env name=A::b")]
    [InlineData("::::set-env name=A::b")]
    [InlineData("a\n\u0085  ::add-path::/evil")]
    [InlineData("a\r##vso[task.setvariable variable=A]b")]
    [InlineData("::stop-commands::x\n::x::")]
    [InlineData("::set-output name=x:\u200b:evil")]
    [InlineData("\u00ad:\u034f:set-output name=x:\u0001\u0640\U000E0001:evil")]
    [InlineData("x #\u200b#\u00ad[set-env name=A]b")]
    [InlineData("x ##v\u200bs\u0300o\ufeff[task.setvariable variable=A]b")]
    public void No_text_becomes_a_command_however_it_is_broken_into_lines(string text)
    {
        foreach (var line in new[] { GitHub.BeginGroup(text), Azure.BeginGroup(text), GitHub.Error(text), Azure.Error(text) })
        {
            Assert.DoesNotContain('\n', line);
            Assert.DoesNotContain('\r', line);
            AssertHarmless(line[(line.IndexOf(']', StringComparison.Ordinal) is var end and >= 0 && line[0] == '#' ? end + 1 : line.IndexOf("::", 2, StringComparison.Ordinal) + 2)..]);
        }
        AssertHarmless(LogText.Safe(text));
        AssertHarmless(LogText.Line(text));
        Assert.Equal(LogText.Safe(text), LogText.Safe(LogText.Safe(text)));
    }

    [Theory]
    [InlineData("[System.IO.File]::Exists failed")]
    [InlineData("# a heading ## and another")]
    [InlineData("C:\\data: 1:2")]
    public void Ordinary_text_stays_as_it_is(string text) => Assert.Same(text, LogText.Safe(text));

    [Fact]
    public void An_output_of_the_step_is_a_line_of_its_file_or_a_variable()
    {
        Assert.Equal(new StepText("checkpoint-build=completed\n", Path.Join(Folder, "output")), GitHub.SetOutput(StepOutputName.Of("build"), "completed"));
        Assert.Equal(new StepText("##vso[task.setvariable variable=checkpoint-build;isOutput=true]completed", null), Azure.SetOutput(StepOutputName.Of("build"), "completed"));
    }

    [Theory]
    [InlineData("build", "checkpoint-build")]
    [InlineData("Load_data-2", "checkpoint-Load_data-2")]
    [InlineData("fetch data", "checkpoint-fetch.20data")]
    [InlineData("a.b=c<<d", "checkpoint-a.2Eb.3Dc.3C.3Cd")]
    [InlineData("Größe", "checkpoint-gr.C3.B6.C3.9Fe")]
    [InlineData("📦", "checkpoint-.F0.9F.93.A6")]
    public void The_name_of_an_output_is_that_of_the_stage_with_other_bytes_in_hexadecimal(string stage, string output) => Assert.Equal(output, StepOutputName.Of(stage));

    [Fact]
    public void Two_stages_never_share_an_output_and_one_stage_never_has_two()
    {
        string[] stages = ["a b", "a.20b", "a.2E20b", "a_b", "a-b", "a%20b", "ab", "å", "é", "è"];
        Assert.Equal(stages.Length, stages.Select(StepOutputName.Of).Distinct(StringComparer.OrdinalIgnoreCase).Count());
        foreach (var (one, other) in new[] { ("Build", "build"), ("ÉTÉ", "été"), ("Σ x", "ς X") })
            Assert.Equal(CheckpointNames.Key(one) == CheckpointNames.Key(other), string.Equals(StepOutputName.Of(one), StepOutputName.Of(other), StringComparison.OrdinalIgnoreCase));
    }

    // As the runners look for commands: "::name …::" from any place at which a line may be made to begin, "##[" and "##vso[" anywhere; by the bytes and by the culture.
    private static void AssertHarmless(string text)
    {
        AssertHarmless(text, StringComparison.OrdinalIgnoreCase);
        AssertHarmless(text, StringComparison.InvariantCultureIgnoreCase);
    }

    private static void AssertHarmless(string text, StringComparison comparison)
    {
        Assert.DoesNotContain("##[", text, comparison);
        Assert.DoesNotContain("##vso[", text, comparison);
        foreach (var line in text.Split('\r', '\n'))
        {
            for (var at = 0; at < line.Length; at++)
            {
                var rest = line[at..].TrimStart();
                Assert.False(rest.StartsWith("::", comparison) && rest.IndexOf("::", 2, comparison) > 2, text);
            }
        }
    }
}
