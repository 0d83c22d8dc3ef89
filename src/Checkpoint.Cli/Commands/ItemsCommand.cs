namespace Checkpoint.Cli;

/// <summary><c>checkpoint items</c>: runs a command for each line of the standard input, each once.</summary>
internal static class ItemsCommand
{
    public static ToolCommand Create()
    {
        var stage = Inputs.Stage();
        var words = Inputs.Command("The command and its arguments, behind --. {} in them is the item; where there is none it stands at the end.");
        var throttle = Inputs.Number("--throttle-limit", "How many are done at once. Default: 1.", 1, 1000);
        var continueOnError = Inputs.Flag("--continue-on-error", "A failure leaves the other items alone.");
        var maxError = Inputs.Number("--max-error", "How many may fail before no more are begun; fewer stop nothing.", 1, int.MaxValue);
        var retryFailed = Inputs.Flag("--retry-failed", "Run again what failed before.");
        var saveOutput = Inputs.Flag("--save-output", "Keep what each item prints, and print it again where the item was done before.");
        var shared = Inputs.Flag("--shared", "Work on the list together with others, who say so too: each item is done by one of them.");
        var isNull = Inputs.Flag("--null", "Items end with a NUL, as of find -print0, and not with a line.");
        var json = Inputs.Json("what became of the items", "What the commands write goes to the standard error then.");
        var retry = new RetryOptions();
        var keep = RetentionOptions.KeepOption();
        var command = new ToolCommand("items", "Runs a command for each line of the standard input: each is done once, across any number of restarts. When all are done the stage is complete.")
        {
            Takes = [stage, words, throttle, continueOnError, maxError, retryFailed, saveOutput, shared, isNull, .. retry.All, keep, json],
            Keep = keep,
            Examples =
            [
                ("ls *.csv | checkpoint items load -- ./load.sh {}", "Load each file once; go on where it stopped."),
                ("checkpoint items fetch --throttle-limit 8 -- curl -fsSO {} < urls.txt", "Eight at once."),
                ("checkpoint items fetch --continue-on-error -- curl -fsSO {} < urls.txt", "Leave what fails for later."),
                ("checkpoint items fetch --retry-failed -- curl -fsSO {} < urls.txt", "Run what failed once more."),
                ("checkpoint items fetch --json -- curl -fsSO {} < urls.txt | jq .failed", "How many failed, for a program."),
                ("checkpoint items encode --shared -- ./encode.sh {} < films.txt", "On several machines at once, over one store."),
                ("find . -print0 | checkpoint items hash --null --save-output -- ls -ld {}", "Any file names; the output is kept."),
            ],
            ExitCodes = [("0", "every item is done"), ("1", "an item failed, now or before, or another process is at work on the stage"), ("2", "the command line or an item cannot be meant"), ("3", "the store cannot be used"), ("130", "Ctrl+C ended it; 143: SIGTERM, 129: SIGHUP")],
        };
        command.Work = async call =>
        {
            var work = new ItemWork
            {
                Stage = call.Stage(call.Get(stage)),
                ContinueOnError = call.Get(continueOnError),
                MaxError = (int?)call.Get(maxError),
                RetryFailed = call.Get(retryFailed),
                IsShared = call.Get(shared),
                Retry = call.RetryOf(retry),
                Retention = new RetentionPolicy { Keep = call.Context.Keep.Value },
            };
            var isAside = call.Get(json);
            using var items = new ItemLoop(call, work, call.GetCommand(words), (int)(call.Get(throttle) ?? 1), call.Get(saveOutput), isAside);
            var outcome = await items.RunAsync(new InputItems(Terminal.OpenInput(), call.Get(isNull) ? (byte)0 : (byte)'\n'));
            if (isAside)
                JsonViews.Print(outcome, (writer, o) => JsonViews.Write(writer, call.Engine.Store.Location, work.Stage, o));
            if (outcome.Error is not { } error)
                return ExitCode.Done;
            Messages.Tell(error);
            return ExitCode.Of(error);
        };
        return command;
    }
}
