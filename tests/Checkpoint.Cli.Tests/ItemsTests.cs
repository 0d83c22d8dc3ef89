using System.Text.Json;

namespace Checkpoint.Cli.Tests;

/// <summary>Lines of the standard input, each done once.</summary>
public sealed class ItemsTests : CliTest
{
    private const string Log = "echo \"$1\" >> done; echo \"<$1>\"";

    [UnixFact]
    public void A_NUL_in_an_item_is_no_end_of_an_argument_but_an_error_that_names_the_option()
    {
        var nul = CallWith("z/1\0z/2\0", "items", "s", "--", "echo");
        Assert.Equal((2, ""), (nul.ExitCode, nul.Output));
        Assert.Contains("--null", nul.Error, StringComparison.Ordinal);
        Assert.Equal(1, Call("test", "s").ExitCode);
        Assert.Equal("z/1\nz/2\n", CallWith("z/1\0z/2\0", "items", "s", "--null", "--", "echo").Output);
    }

    [UnixFact]
    public void Saved_output_comes_back_byte_for_byte()
    {
        string[] outputs = ["a\\r\\nb", "a\\r\\nb\\r\\n", "a", "\\n", "a\\n\\nb\\n", "\\377\\000\\n", ""];
        foreach (var output in outputs)
        {
            string[] call = ["items", "s" + output, "--save-output", "--", "sh", "-c", $"printf '{output}'"];
            var first = CallWith("x\n", call);
            var second = CallWith("x\n", call);
            Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
            Assert.Contains("1 done before", second.Error, StringComparison.Ordinal);
            Assert.Equal(first.Bytes, second.Bytes);
            Assert.Equal(output.Length == 0, first.Bytes.Length == 0);
        }
    }

    [UnixFact]
    public void A_mark_before_the_text_is_no_part_of_its_first_item() => Assert.Equal("[a][b]", CallWith("\uFEFFa\r\nb\r\n", "items", "s", "--", "printf", "[%s]").Output);

    [UnixFact]
    public void An_item_without_end_is_shown_in_part()
    {
        var failed = CallWith(new string('a', 300_000) + "\n", "items", "s", "--", "echo");
        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("its arguments are longer than the system allows", failed.Error, StringComparison.Ordinal);
        Assert.True(failed.Error.Length < 2000, failed.Error);
    }

    [UnixFact]
    public void Each_line_is_done_once_in_their_order_and_the_stage_is_complete()
    {
        var first = Items("a\nb c\n\nä\r\na\n");
        Assert.Equal((0, "<a>\n<b c>\n<ä>\n"), (first.ExitCode, first.Output));
        Assert.Contains("Items of stage s: 3 done, 0 done before, 0 failed, 1 doubled", first.Error, StringComparison.Ordinal);
        Assert.Equal(0, Call("test", "s").ExitCode);
        var second = Items("ä\nnew\na\n");
        Assert.Equal((0, "<new>\n"), (second.ExitCode, second.Output));
        Assert.Contains("1 done, 2 done before", second.Error, StringComparison.Ordinal);
        Assert.Equal(["a", "b c", "ä", "new"], File.ReadAllLines(At("done")));
    }

    [UnixFact]
    public void The_item_stands_where_the_braces_are_or_at_the_end()
    {
        Assert.Equal("x-a-a\n", CallWith("a\n", "items", "1", "--", "echo", "x-{}-{}").Output);
        Assert.Equal("x a\n", CallWith("a\n", "items", "2", "--", "echo", "x").Output);
        Assert.Equal("-n $(id) 'q' ;\n", CallWith("-n $(id) 'q' ;\n", "items", "3", "--", "printf", "%s\\n", "{}").Output);
    }

    [UnixFact]
    public void A_failure_ends_it_and_the_next_call_goes_on_there()
    {
        var first = Items("a\nbad\nc\n", "[ \"$1\" != bad ] || exit 1; " + Log);
        Assert.Equal((1, "<a>\n"), (first.ExitCode, first.Output));
        Assert.Contains("item 'bad' failed: 'sh' ended with exit code 1", first.Error, StringComparison.Ordinal);
        Assert.Contains("--retry-failed", first.Error, StringComparison.Ordinal);
        Assert.Equal(1, Call("test", "s").ExitCode);
        Assert.Equal("<bad>\n<c>\n", Items("a\nbad\nc\n").Output);
    }

    [UnixFact]
    public void Failures_leave_the_others_alone_where_that_is_said_and_are_run_again_on_request()
    {
        const string Picky = "echo why >&2; case $1 in bad*) exit 3;; esac; " + Log;
        var first = Items("bad1\nb\nbad2\nd\n", Picky, "--continue-on-error");
        Assert.Equal((1, "<b>\n<d>\n"), (first.ExitCode, first.Output));
        Assert.Contains("2 done, 0 done before, 2 failed", first.Error, StringComparison.Ordinal);
        Assert.Contains("why\n", first.Error, StringComparison.Ordinal);
        var again = Items("bad1\nb\nbad2\nd\n", Log, "--continue-on-error");
        Assert.Equal((1, ""), (again.ExitCode, again.Output));
        var retried = Items("bad1\nb\nbad2\nd\n", Log, "--continue-on-error", "--retry-failed");
        Assert.Equal((0, "<bad1>\n<bad2>\n"), (retried.ExitCode, retried.Output));
        var most = CallWith(string.Concat(Enumerable.Range(1, 20).Select(i => $"{i}\n")), "items", "m", "--max-error", "3", "--", "false");
        Assert.Equal(1, most.ExitCode);
        Assert.Contains("0 done, 0 done before, 3 failed", most.Error, StringComparison.Ordinal);
    }

    [UnixFact]
    public void What_fails_is_tried_again()
    {
        var run = Items("a\n", "echo ran >> ran; [ $(wc -l < ran) -ge 3 ] || exit 1; " + Log, "--retry", "3", "--retry-delay", "0s");
        Assert.Equal((0, "<a>\n"), (run.ExitCode, run.Output));
        Assert.Contains("Item 'a' of stage 's' failed at attempt 2 of 4", run.Error, StringComparison.Ordinal);
    }

    [UnixFact]
    public void Several_are_done_at_once_and_their_outputs_do_not_mix()
    {
        // Each waits until three are there: one after the other they would wait for ever.
        const string Meet = "touch at-$1; while [ $(ls at-* | wc -l) -lt 3 ]; do sleep 0.05; done; echo $1; sleep 0.05; echo $1";
        var run = Items("1\n2\n3\n", Meet, "--throttle-limit", "3");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(3, run.Lines.Chunk(2).Count(pair => pair[0] == pair[1]));
        Assert.Equal(["1", "2", "3"], run.Lines.Distinct().Order());
    }

    [UnixFact]
    public void Outputs_are_kept_and_given_again_on_request()
    {
        Assert.Equal("<a>\n<b>\n", Items("a\nb\n", Log, "--save-output").Output);
        Assert.Equal("<b>\n<a>\n<c>\n", Items("b\na\nc\n", Log, "--save-output").Output);
        Assert.Equal(3, Count("done"));
    }

    [UnixFact]
    public void Items_may_end_with_nul()
    {
        Assert.Equal("[a\nb]\n[c]\n", CallWith("a\nb\0c\0", "items", "s", "--null", "--", "printf", "[%s]\\n").Output);
    }

    [UnixFact]
    public void A_hard_kill_loses_nothing_that_was_printed()
    {
        var input = string.Concat(Enumerable.Range(1, 40).Select(i => $"{i}\n"));
        // The twentieth does not end by itself.
        const string Stuck = "[ \"$1\" = 20 ] && touch stuck && while [ ! -e go ]; do sleep 0.05; done; " + Log;
        ToolResult killed;
        using (var running = Start(System.Text.Encoding.UTF8.GetBytes(input), "items", "s", "--", "sh", "-c", Stuck, "x", "{}"))
        {
            running.Until(() => IsThere("stuck"));
            running.Kill();
            Write("go", "");
            killed = running.Wait();
        }
        Assert.Equal(0, Call("verify").ExitCode);
        var second = Items(input);
        Assert.Equal(0, second.ExitCode);
        Assert.Empty(killed.Lines.Intersect(second.Lines));
        Assert.Contains("<20>", second.Lines);
        Assert.Equal(40, File.ReadAllLines(At("done")).Distinct().Count());
        Assert.Equal(0, Call("test", "s").ExitCode);
    }

    [UnixFact]
    public void Several_work_on_one_list_and_do_what_one_that_dies_had_in_its_hands()
    {
        var input = System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(1, 60).Select(i => $"{i}\n")));
        const string Script = "[ -e go ] || { touch \"held-$1\"; while [ ! -e go ]; do sleep 0.05; done; }; " + Log;
        string[] arguments = ["items", "s", "--shared", "--save-output", "--", "sh", "-c", Script, "x", "{}"];
        using var dying = Start(input, arguments);
        dying.Until(() => Directory.EnumerateFiles(Here, "held-*").Any());
        using var first = Start(input, arguments);
        using var second = Start(input, arguments);
        first.Until(() => Directory.EnumerateFiles(Here, "held-*").Count() == 3);
        dying.Kill();
        Write("go", "");
        foreach (var other in new[] { first.Wait(), second.Wait() })
        {
            Assert.Equal(0, other.ExitCode);
            Assert.Contains("done before or by others, 0 failed", other.Error, StringComparison.Ordinal);
            // Each gives the outputs of all.
            Assert.Equal(60, other.Lines.Distinct().Count());
        }
        Assert.Equal(60, File.ReadAllLines(At("done")).Distinct().Count());
        Assert.Equal(0, Call("test", "s").ExitCode);
        Assert.Equal(0, Call("verify").ExitCode);
    }

    [UnixFact]
    public void Ctrl_C_ends_the_commands_and_what_is_done_stays_done()
    {
        using var running = Start("a\nb\nc\n"u8.ToArray(), "items", "s", "--", "sh", "-c", "[ \"$1\" = b ] && touch ready && exec sleep 300; " + Log, "x", "{}");
        running.Until(() => IsThere("ready"));
        running.Send(2);
        Assert.Equal((130, "<a>\n"), (running.Wait() is var ended ? ended.ExitCode : 0, ended.Output));
        Assert.Equal("<b>\n<c>\n", Items("a\nb\nc\n").Output);
    }

    [UnixFact]
    public void A_line_that_no_command_can_be_given_is_refused()
    {
        using var running = Start([(byte)'a', (byte)'\n', 0xff, (byte)'\n'], "items", "s", "--", "echo");
        var result = running.Wait();
        Assert.Equal((2, "a\n"), (result.ExitCode, result.Output));
        Assert.Contains("not UTF-8", result.Error, StringComparison.Ordinal);
    }

    [UnixFact]
    public void Without_items_nothing_is_complete()
    {
        var run = Items("");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("There were no items", run.Error, StringComparison.Ordinal);
        Assert.Equal(1, Call("test", "s").ExitCode);
    }

    [UnixFact]
    public void The_checkpoint_says_how_many_there_were()
    {
        Items("a\nb\n");
        var metadata = JsonDocument.Parse(Call("get", "s", "--json").Done()).RootElement[0].GetProperty("metadata");
        Assert.Equal(2, metadata.GetProperty("Items").GetInt64());
    }

    private ToolResult Items(string input, string script = Log, params string[] options) => CallWith(input, ["items", "s", .. options, "--", "sh", "-c", script, "x", "{}"]);
}
