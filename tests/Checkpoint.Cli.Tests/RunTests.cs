using System.Text.Json;

namespace Checkpoint.Cli.Tests;

/// <summary>A command that is run once.</summary>
public sealed class RunTests : CliTest
{
    private const int Interrupt = 2, Terminate = 15;

    // Says on both streams what no line of text can hold, and that it ran.
    private const string Speaking = "echo ran >> ran; printf 'a\\r\\nb\\377\\000c\\n\\303\\251 last'; printf 'on error\\n\\200' >&2";

    [UnixFact]
    public void It_runs_once_and_from_then_on_what_it_wrote_is_written_again_byte_for_byte()
    {
        byte[] output = [.. "a\r\nb"u8, 255, 0, .. "c\né last"u8];
        for (var call = 1; call <= 3; call++)
        {
            var run = Shell(Speaking);
            Assert.Equal(0, run.ExitCode);
            Assert.Equal(output, run.Bytes);
            Assert.Equal("on error\n\uFFFD", run.Error);
        }
        Assert.Equal(1, Count("ran"));
        Assert.Equal(output, Call("restore", "s", "--raw").Bytes);
        Assert.Equal("[\"a\\r\",\"b\\udcff\\u0000c\",\"é last\"]\n", Call("restore", "s").Done());
    }

    [UnixFact]
    public void Its_lines_may_end_as_on_windows_or_not_at_all()
    {
        foreach (var text in new[] { "", "a\n", "a\r\nb\r\n", "a\r\nb", "\n\n" })
        {
            var name = JsonSerializer.Serialize(text);
            for (var call = 1; call <= 2; call++)
                Assert.Equal(text, Call("run", name, "--", "printf", "%b", text.Replace("\r", "\\r", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Done());
        }
    }

    [UnixFact]
    public void Much_output_is_kept_in_full_and_much_of_the_standard_error_in_part()
    {
        for (var call = 1; call <= 2; call++)
        {
            var run = Shell("seq 1 400000; seq 1 300000 >&2");
            Assert.Equal(string.Concat(Enumerable.Range(1, 400_000).Select(n => $"{n}\n")), run.Output);
            Assert.Equal(string.Concat(Enumerable.Range(1, 300_000).Select(n => $"{n}\n")) is var all && call == 1 ? all : all[..(1 << 19)], call == 1 ? run.Error : run.Error[..(1 << 19)]);
            Assert.EndsWith("300000\n", run.Error, StringComparison.Ordinal);
        }
        Assert.Contains("bytes of the standard error were not kept]", Shell("seq 1 400000; seq 1 300000 >&2").Error, StringComparison.Ordinal);
    }

    [UnixFact]
    public void Its_exit_code_passes_through_and_nothing_is_complete()
    {
        var failed = Shell("echo ran >> ran; echo partly; exit 7");
        Assert.Equal((7, "partly\n"), (failed.ExitCode, failed.Output));
        Assert.Contains("'sh' ended with exit code 7", failed.Error, StringComparison.Ordinal);
        Assert.Equal(1, Call("test", "s").ExitCode);
        Assert.Equal(7, Shell("echo ran >> ran; echo partly; exit 7").ExitCode);
        Assert.Equal(2, Count("ran"));
        Assert.Equal(127, Call("run", "s", "--", "no-such-command").ExitCode);
        Assert.Equal(127, Call("run", "s", "--", "./no-such-command").ExitCode);
        Assert.Equal(126, Call("run", "s", "--", Write("no-program", "x")).ExitCode);
        Assert.Equal(137, Shell("kill -9 $$").ExitCode);
    }

    [UnixFact]
    public void The_command_stands_behind_two_dashes_and_no_option_is_taken_for_it()
    {
        foreach (var (line, said) in new[]
        {
            ("run a --bogus -- true", "There is no option '--bogus'"), ("run a ls --json", "'ls' stands before --"), ("run a -- ", "needs <command>: checkpoint run <stage> [options] -- <command>..."),
            ("run -- true", "needs <command>: checkpoint run"), ("items a echo --shared", "'echo' stands before --"), ("run a x -- true", "'x' stands before --"),
        })
        {
            var call = Call(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            Assert.Equal((2, ""), (call.ExitCode, call.Output));
            Assert.Contains(said, call.Error, StringComparison.Ordinal);
        }
        Assert.Equal("--json --\n", Call("run", "a", "--", "echo", "--json", "--").Done());
    }

    [UnixFact]
    public void Output_that_cannot_be_written_is_no_success_and_what_was_saved_is_saved()
    {
        Variables["TOOL"] = Dll;
        Call("save", "a", "--state", "1").Done();
        foreach (var command in new[] { "get", "get --json", "restore a", "report", "test a --detailed", "run b -- echo hi", "run b -- echo hi" })
        {
            foreach (var to in new[] { ">/dev/full", ">&-" })
            {
                using var call = Run([], ["sh", "-c", $"dotnet \"$TOOL\" {command} {to}"]);
                var ended = call.Wait();
                Assert.True(ended.ExitCode == 1, $"{command} {to}: {ended.ExitCode}");
                Assert.Contains("the standard output could not be written", ended.Error, StringComparison.Ordinal);
            }
        }
        Assert.Equal("hi\n", Call("run", "b", "--", "echo", "hi").Done());
        using var silent = Run([], ["sh", "-c", "dotnet \"$TOOL\" run c -- sh -c 'echo e >&2; echo o' 2>&-"]);
        Assert.Equal("o\n", silent.Wait().Done());
    }

    [UnixFact]
    public void A_command_is_found_on_the_path_and_never_in_the_current_folder()
    {
        Write("true", "#!/bin/sh\necho mine");
        Run([], ["chmod", "+x", At("true")]).Wait().Done();
        Assert.Equal("", Call("run", "a", "--", "true").Done());
        Assert.Equal("mine\n", Call("run", "b", "--", "./true").Done());
    }

    [UnixFact]
    public void Another_command_line_or_fingerprint_runs_it_again()
    {
        for (var call = 1; call <= 2; call++)
            Shell("echo ran >> ran").Done();
        Assert.Equal(1, Count("ran"));
        Shell("echo ran >> ran; true").Done();
        Assert.Equal(2, Count("ran"));
        var input = Write("input", "1");
        for (var call = 1; call <= 2; call++)
            Call("run", "s", "--fingerprint-file", "input", "--fingerprint", "mode=fast", "--", "sh", "-c", "echo ran >> ran; true").Done();
        Assert.Equal(3, Count("ran"));
        File.WriteAllText(input, "2");
        Call("run", "s", "--accept-change", "--fingerprint-file", "input", "--fingerprint", "mode=fast", "--", "sh", "-c", "echo ran >> ran; true").Done();
        Assert.Equal(3, Count("ran"));
        Call("run", "s", "--force", "--fingerprint-file", "input", "--fingerprint", "mode=fast", "--", "sh", "-c", "echo ran >> ran; true").Done();
        Assert.Equal(4, Count("ran"));
    }

    [UnixFact]
    public void What_fails_is_tried_again_and_only_the_last_attempt_is_kept()
    {
        const string Script = "echo ran >> ran; echo try $(wc -l < ran); [ $(wc -l < ran) -ge 3 ]";
        var run = Call("run", "s", "--retry", "5", "--retry-delay", "0s", "--", "sh", "-c", Script);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(["try 1", "try 2", "try 3"], run.Lines.Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
        Assert.Contains("failed at attempt 2 of 6", run.Error, StringComparison.Ordinal);
        Assert.Single(Call("run", "s", "--", "sh", "-c", Script).Lines);
    }

    [UnixFact]
    public void What_takes_too_long_is_ended()
    {
        var run = Call("run", "s", "--timeout", "0.5s", "--", "sh", "-c", "echo $$ > pid; exec sleep 300");
        Assert.Equal(124, run.ExitCode);
        Assert.Contains("took longer than 0.5 s", run.Error, StringComparison.Ordinal);
        AssertGone();
    }

    [UnixFact]
    public void What_it_started_is_ended_with_it()
    {
        var run = Call("run", "s", "--timeout", "0.5s", "--", "sh", "-c", "sh -c 'echo $$ > pid; exec sleep 300'; echo more");
        Assert.Equal(124, run.ExitCode);
        AssertGone();
        File.Delete(At("pid"));
        using var running = Start([], "run", "t", "--", "sh", "-c", "sh -c 'echo $$ > pid; exec sleep 300'; echo more");
        running.Until(() => Count("pid") == 1);
        running.Send(Terminate);
        Assert.Equal(143, running.Wait().ExitCode);
        AssertGone();
    }

    [UnixFact]
    public void Nothing_in_data_is_a_command_to_the_system_that_reads_the_log()
    {
        foreach (var system in new[] { "GITHUB_ACTIONS", "TF_BUILD" })
        {
            Variables[system] = "True";
            const string Item = "##vso[task.setvariable variable=a]b ::set-env name=a::b\e[2J";
            var said = CallWith(Item + "\n", "items", system, "--", "false");
            Assert.Equal(1, said.ExitCode);
            Assert.DoesNotContain("##vso", said.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("::set-env", said.Error, StringComparison.Ordinal);
            Assert.DoesNotContain('\e', said.Error);
            Call("save", "##vso[task.x]y").Done();
            Assert.DoesNotContain("##vso", Call("get").Done(), StringComparison.Ordinal);
            Call("clear", "*").Done();
            Variables.Remove(system);
        }
    }

    [UnixFact]
    public void Whoever_waits_for_its_input_can_be_ended()
    {
        using var running = Run([], ["sh", "-c", $"mkfifo in; sleep 300 > in & echo $! > feeder; dotnet '{Dll}' save s --state-file - < in & echo $! > tool; wait $!; echo ended $?; kill $(cat feeder)"]);
        running.Until(() => Count("tool") == 1 && Count("feeder") == 1);
        using var ender = Run([], ["sh", "-c", "while kill -TERM $(cat tool) 2>/dev/null; do sleep 0.2; done"]);
        Assert.Equal("ended 143\n", running.Wait().Output);
        ender.Wait();
    }

    [UnixFact]
    public void It_reads_our_standard_input_and_writes_while_it_runs()
    {
        Assert.Equal("typed\n", CallWith("typed\n", "run", "s", "--", "cat").Done());
        using var running = Start([], "run", "t", "--", "sh", "-c", "echo first; touch told; while [ ! -e go ]; do sleep 0.05; done");
        running.Until(() => IsThere("told"));
        Write("go", "");
        Assert.Equal("first\n", running.Wait().Done());
    }

    [UnixFact]
    public void What_a_command_leaves_behind_with_its_output_is_waited_for_and_a_person_told_so()
    {
        Variables["TOOL"] = Dll;
        using var running = Run([], ["sh", "-c", "exec dotnet \"$TOOL\" run s -- sh -c '(while [ ! -e go ]; do sleep 0.05; done; echo late) & echo early' 2> err"]);
        running.Until(() => IsThere("err") && File.ReadAllText(At("err")).Contains("holds its output open", StringComparison.Ordinal));
        Write("go", "");
        Assert.Equal("early\nlate\n", running.Wait().Done());
        Assert.Equal("early\nlate\n", Call("restore", "s", "--raw").Done());
    }

    [UnixFact]
    public void A_reader_that_goes_away_does_not_end_the_work()
    {
        Variables["TOOL"] = Dll;
        using var shell = Run([], ["sh", "-c", "dotnet \"$TOOL\" run s -- sh -c 'seq 1 200000; echo done > done' | head -n 1"]);
        Assert.Equal("1\n", shell.Wait().Output);
        Assert.True(IsThere("done"));
        Assert.Equal(200_000, Call("run", "s", "--", "sh", "-c", "seq 1 200000; echo done > done").Lines.Length);
    }

    [UnixFact]
    public void In_the_command_the_tool_means_the_same_store_pipeline_and_run()
    {
        Variables["TOOL"] = Dll;
        Call("run", "outer", "--store", "mine", "--pipeline", "p", "--run", "r", "--", "sh", "-c", "cd / && dotnet \"$TOOL\" save inner").Done();
        Assert.Equal(0, Call("test", "inner", "--store", "mine", "--pipeline", "p", "--run", "r").ExitCode);
    }

    [UnixFact]
    public void Signals_are_passed_on_and_leave_the_store_whole()
    {
        foreach (var (signal, trapped, code) in new[] { (Terminate, "TERM", 143), (Interrupt, "INT", 130) })
        {
            using var running = Start([], "run", "s", "--", "sh", "-c", $"trap 'echo {trapped} >> trapped; exit 0' {trapped}; touch ready-{trapped}; while :; do sleep 0.05; done");
            running.Until(() => IsThere($"ready-{trapped}"));
            running.Send(signal);
            Assert.Equal(code, running.Wait().ExitCode);
            Assert.Contains(trapped, File.ReadAllLines(At("trapped")));
        }
        Assert.Equal(1, Call("test", "s").ExitCode);
        Assert.Equal(0, Call("verify").ExitCode);
        Call("run", "s", "--", "true").Done();
    }

    // As "script" of Linux calls a program at a terminal of its own.
    [ShellFact("setsid")]
    public void An_interrupt_typed_at_a_terminal_comes_once_and_one_for_the_tool_alone_is_passed_on_all_the_same()
    {
        Write("typed.sh", "trap 'echo INT >> ints' INT; touch ready; while [ ! -e ints ]; do sleep 0.05; done; i=0; while [ $i -lt 20 ]; do sleep 0.05; i=$((i + 1)); done; touch ended");
        using var typing = Run([], ["sh", "-c", $"(while [ ! -e ready ]; do sleep 0.05; done; printf '\\003'; while [ ! -e ended ]; do sleep 0.05; done) | script -qec \"exec dotnet '{Dll}' run s -- sh typed.sh </dev/null >out 2>err\" /dev/null"]);
        Assert.Equal(130, typing.Wait().ExitCode);
        Assert.Equal(1, Count("ints"));

        Write("sent.sh", "trap 'echo TERM > told; exit 0' TERM; echo $PPID > tool; while :; do sleep 0.05; done");
        using var running = Run([], ["script", "-qec", $"exec dotnet '{Dll}' run t -- sh sent.sh", "/dev/null"]);
        running.Until(() => Count("tool") == 1);
        using var sender = Run([], ["sh", "-c", "kill -INT $(cat tool)"]);
        Assert.Equal(130, running.Wait().ExitCode);
        Assert.Equal(1, Count("told"));
    }

    [UnixFact]
    public void A_second_signal_kills_what_does_not_listen()
    {
        using var running = Start([], "run", "s", "--", "sh", "-c", "trap '' TERM; echo $$ > pid; touch ready; while :; do sleep 0.05; done");
        running.Until(() => IsThere("ready"));
        running.Send(Terminate);
        running.Send(Terminate);
        Assert.Equal(143, running.Wait().ExitCode);
        AssertGone();
    }

    [UnixFact]
    public void After_a_hard_kill_it_runs_again_and_the_store_is_whole()
    {
        using (var running = Start([], "run", "s", "--", "sh", "-c", "echo ran >> ran; touch ready; while [ ! -e go ]; do sleep 0.05; done"))
        {
            running.Until(() => IsThere("ready"));
            var busy = Call("run", "s", "--", "true");
            Assert.Equal(1, busy.ExitCode);
            Assert.Contains("Another process is at work", busy.Error, StringComparison.Ordinal);
            running.Kill();
        }
        Write("go", "");
        Assert.Equal(0, Call("verify").ExitCode);
        Call("run", "s", "--when-busy", "wait", "--", "sh", "-c", "echo ran >> ran").Done();
        Assert.Equal(2, Count("ran"));
    }

    [UnixFact]
    public void Why_it_runs_or_not_is_told_where_that_is_asked_for()
    {
        Assert.Contains("Stage runs: s: there is no checkpoint", Call("run", "s", "--verbose", "--", "true").Error, StringComparison.Ordinal);
        Assert.Contains("Stage skipped: s: it completed at", Call("run", "s", "--verbose", "--", "true").Error, StringComparison.Ordinal);
        Assert.Equal(["StageStarted", "Saved", "StageCompleted", "StageSkipped"], Events().Where(e => e is not ("LeaseTaken" or "Restored")));
    }

    [UnixFact]
    public void Old_results_are_removed_as_it_is_said()
    {
        for (var i = 0; i < 3; i++)
            Call("run", "s", "--force", "--keep", "2", "--", "true").Done();
        Assert.Equal(2, JsonDocument.Parse(Call("get", "s", "--all-steps", "--json").Done()).RootElement.GetArrayLength());
    }

    private ToolResult Shell(string script) => Call("run", "s", "--", "sh", "-c", script);

    private IEnumerable<string?> Events() => JsonDocument.Parse(Call("history", "--json").Done()).RootElement.EnumerateArray().Select(e => e.GetProperty("event").GetString());

    // A zombie is none: who is to bury it may be slow.
    private void AssertGone()
    {
        var status = $"/proc/{File.ReadAllText(At("pid")).Trim()}/status";
        if (Directory.Exists("/proc/self"))
            Assert.True(!File.Exists(status) || File.ReadAllText(status).Contains("State:\tZ", StringComparison.Ordinal), "the command still runs");
    }
}
