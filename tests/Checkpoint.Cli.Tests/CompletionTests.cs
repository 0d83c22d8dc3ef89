namespace Checkpoint.Cli.Tests;

/// <summary>What the Tab key gives, in real shells where they are installed.</summary>
public sealed class CompletionTests : CliTest
{
    public CompletionTests() => PutOnPath();

    [Fact]
    public void The_tool_knows_commands_options_and_what_is_in_the_store()
    {
        Call("save", "load data").Done();
        Call("save", "other", "--pipeline", "nightly", "--run", "r1").Done();
        Assert.Equal(["restore"], Suggest("checkpoint rest"));
        Assert.Contains("load data", Suggest("checkpoint restore "));
        Assert.Contains("nightly", Suggest("checkpoint get --pipeline "));
        Assert.Contains("r1", Suggest("checkpoint get --run "));
        Assert.Contains("other", Suggest("checkpoint test --pipeline nightly --run r1 "));
        Assert.Contains("--max-age", Suggest("checkpoint test a --m"));
        Assert.Contains("wait", Suggest("checkpoint run a --when-busy "));
        Assert.Contains("StageFailed", Suggest("checkpoint history --event "));
        Assert.DoesNotContain("load data", Suggest("checkpoint restore --store nosuch://x "));
    }

    [ShellFact("bash")]
    public void Bash_completes()
    {
        Prepare();
        const string Script = """
            source <(checkpoint completion bash)
            complete -p checkpoint >/dev/null || exit 9
            try() { COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _checkpoint_complete; printf '%s\n' "${COMPREPLY[@]}"; echo .; }
            try checkpoint re
            try checkpoint restore in
            try checkpoint restore ""
            """;
        Assert.Equal(["report", "restore", ".", "ingest", ".", "a\\ b", "ingest", "."], Shell("bash", "-c", Script));
    }

    [ShellFact("zsh")]
    public void Zsh_completes()
    {
        Prepare();
        const string Script = """
            compdef() { what="$1 $2" }
            compadd() { shift; print -rl -- "$@" }
            _files() { print files }
            eval "$(checkpoint completion zsh)"
            print -r -- "$what"
            try() { words=("$@"); CURRENT=$#; _checkpoint_complete; print . }
            try checkpoint rep
            try checkpoint restore ing
            try checkpoint restore ''
            """;
        Assert.Equal(["_checkpoint_complete checkpoint", "report", ".", "ingest", ".", "a b", "ingest", "."], Shell("zsh", "-f", "-c", Script));
    }

    [ShellFact("fish")]
    public void Fish_completes()
    {
        Prepare();
        Variables["HOME"] = Variables["XDG_CONFIG_HOME"] = Variables["XDG_DATA_HOME"] = Here;
        const string Script = "checkpoint completion fish | source; complete -C 'checkpoint rep'; echo .; complete -C 'checkpoint restore ing'; echo .";
        Assert.Equal(["report", ".", "ingest", "."], Shell("fish", "--no-config", "-c", Script));
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("pwsh")]
    public void There_is_a_script_for(string shell) => Assert.Contains("[suggest:", Call("completion", shell).Done(), StringComparison.Ordinal);

    [Fact]
    public void There_is_none_for_others() => Assert.Equal(2, Call("completion", "cmd").ExitCode);

    private void Prepare()
    {
        Call("save", "ingest").Done();
        Call("save", "a b").Done();
    }

    private string[] Suggest(string line) => Call($"[suggest:{line.Length}]", line).Done().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private string[] Shell(params string[] words)
    {
        using var shell = Run([], words);
        var result = shell.Wait();
        Assert.Equal("", result.Error);
        return result.Lines;
    }
}
