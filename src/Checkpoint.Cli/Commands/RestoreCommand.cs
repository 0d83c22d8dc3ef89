namespace Checkpoint.Cli;

/// <summary><c>checkpoint restore</c>: prints a saved state.</summary>
internal static class RestoreCommand
{
    public static ToolCommand Create()
    {
        var stage = Inputs.Stage();
        var step = Inputs.Step("This step. Default: the newest intact one.");
        var typed = Inputs.Flag("--typed", "Print the exact document, with its types; 'save --typed' takes it back.");
        var raw = Inputs.Flag("--raw", "Print bytes as they are, texts without quotes, and lists with a line for each item.");
        var command = new ToolCommand("restore", "Prints the saved state, as JSON.")
        {
            Takes = [stage, step, typed, raw],
            Examples =
            [
                ("next=$(checkpoint restore rows | jq .next)", "Use a part of a state."),
                ("checkpoint restore list --raw | while read -r line; do echo \"$line\"; done", "Go through a list, line by line."),
                ("checkpoint restore model --raw > model.bin", "Get back a file byte for byte."),
                ("checkpoint restore a --typed | checkpoint save b --typed --state-file -", "Copy a state exactly."),
            ],
            ExitCodes = [("0", "it is printed, or the checkpoint has no state"), ("1", "there is no such checkpoint"), ("2", "the command line cannot be meant, or the key is missing or wrong"), ("3", "the store cannot be read, or the state is damaged")],
        };
        command.Work = async call =>
        {
            if (call.Get(typed) && call.Get(raw))
                throw new InvalidArgumentException("Give --typed or --raw, not both.");
            var (checkpoint, state, damage) = await call.Engine.RestoreAsync(call.Stage(call.Get(stage)), call.Get(step), reader => StateDocument.Read(reader, call.Cancellation), null, call.Cancellation);
            Call.WarnOf(damage, checkpoint);
            Call.WarnOf(call.Engine.DoubtOf(checkpoint));
            if (state is null)
                return ExitCode.Done;
            if (call.Get(typed))
                state.WriteTyped(Terminal.Output, Open, call.Cancellation);
            else if (call.Get(raw))
                state.WriteRaw(Terminal.Output, LineEnding.Of(checkpoint), Open, call.Cancellation);
            else
                state.WritePlain(Terminal.Output, Open, call.Cancellation);
            return ExitCode.Done;

            StateReader Open() => call.Engine.Store.OpenStateAsync(checkpoint, null, call.Cancellation).AsTask().GetAwaiter().GetResult();
        };
        return command;
    }
}
