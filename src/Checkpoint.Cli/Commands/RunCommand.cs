namespace Checkpoint.Cli;

/// <summary><c>checkpoint run</c>: runs a command once.</summary>
internal static class RunCommand
{
    public static ToolCommand Create()
    {
        var stage = Inputs.Stage();
        var words = Inputs.Command("The command and its arguments, behind --.");
        var fingerprint = new FingerprintOptions();
        var retry = new RetryOptions();
        var timeout = Inputs.Duration("--timeout", "How long an attempt may take; then the command is ended.", maxDays: DurationText.TimerDays);
        var keep = RetentionOptions.KeepOption();
        var acceptChange = Inputs.Flag("--accept-change", "Take the saved result though the command or the fingerprint has changed.");
        var force = Inputs.Flag("--force", "Run the command though it completed before.");
        var whenBusy = Inputs.Choice<BusyRun>("--when-busy", "What is done where another process is at work on the stage. Default: fail.");
        var json = Inputs.Json("what became of the stage", "What the command writes goes to the standard error then.");
        var tool = new ToolCommand("run", "Runs a command once: when it ends with 0 the stage is complete, and from then on its output is printed and the command is not run.")
        {
            Takes = [stage, words, .. fingerprint.All, .. retry.All, timeout, keep, acceptChange, force, whenBusy, json],
            Keep = keep,
            Examples =
            [
                ("checkpoint run build -- make -j4", "Build once; a second call prints what the first did."),
                ("checkpoint run load --fingerprint-file rows.csv -- ./load.sh rows.csv", "Once for each content of a file."),
                ("checkpoint run fetch --retry 3 --timeout 5m -- curl -fsSO URL", "Try again what fails or hangs."),
                ("checkpoint run build --json -- make -j4 | jq -r .status", "Whether it ran (completed), was skipped or failed, for a program."),
                ("checkpoint run report -- sh -c 'sort rows.csv | uniq -c'", "A pipeline of a shell."),
            ],
            ExitCodes =
            [
                ("0", "the command ended with 0, now or before"), ("n", "that of the command, where it failed"), ("1", "another process is at work on the stage"), ("2", "the command line cannot be meant"),
                ("3", "the store cannot be used, or the result not be saved in it"), ("124", "the command took longer than --timeout"), ("126", "it cannot be run"), ("127", "there is no such command"), ("130", "Ctrl+C ended it; 143: SIGTERM, 129: SIGHUP"),
            ],
        };
        tool.Work = async call =>
        {
            var command = call.GetCommand(words);
            var target = call.Stage(call.Get(stage));
            var isAside = call.Get(json);
            var policy = call.RetryOf(retry);
            var attempt = new CommandAttempt(command, call, isAside);
            var work = new StageWork
            {
                Stage = target,
                Fingerprint = TextFingerprint.OfCommand(command, call.PartsOf(fingerprint)),
                Run = (_, cancellation) => attempt.Run(cancellation),
                Metadata = () => attempt.Facts,
                Decode = reader => StateDocument.Read(reader, call.Cancellation),
                Force = call.Get(force),
                AcceptChange = call.Get(acceptChange),
                Retry = policy,
                Timeout = call.Get(timeout),
                Retention = new RetentionPolicy { Keep = call.Context.Keep.Value },
                OnStart = decision =>
                {
                    Terminal.Note($"Stage runs: {target.Name}: {decision.Reason}");
                    return default;
                },
                OnRetry = (error, number, pause) => Terminal.Warn(Messages.Retry($"Stage '{target.Name}'", error, number, policy, pause)),
            };
            var outcome = await new StageLease(call.Engine, TimeProvider.System).RunAsync(work, call.Get(whenBusy) ?? BusyRun.Fail, Terminal.Warn, call.Cancellation);
            Call.WarnOf(outcome.Decision.Damage, outcome.Status == StageStatus.Skipped ? outcome.Checkpoint : null);
            Call.WarnOf(outcome.Doubt);
            if (outcome.Status == StageStatus.Skipped)
                Replay(call, outcome, isAside);
            if (isAside)
                JsonViews.Print(outcome, (writer, o) => JsonViews.Write(writer, call.Engine.Store.Location, target, o));
            if (outcome.Error is { } failure)
            {
                Messages.Tell(failure is TimeoutException ? failure.Message : $"stage '{target.Name}' failed: {failure.Message.TrimEnd('.')}.");
                return ExitCode.Of(failure);
            }
            if (outcome.PruneError is { } left)
                Terminal.Warn(left.Message);
            return ExitCode.Done;
        };
        return tool;
    }

    private static void Replay(Call call, StageOutcome outcome, bool isAside)
    {
        var checkpoint = outcome.Checkpoint!;
        Terminal.Note($"Stage skipped: {checkpoint.Name}: {outcome.Decision.Reason}");
        if (outcome.Restored is StateDocument state)
            state.WriteRaw(Terminal.Stream(isError: isAside), LineEnding.Of(checkpoint), () => call.Engine.Store.OpenStateAsync(checkpoint, null, call.Cancellation).AsTask().GetAwaiter().GetResult(), call.Cancellation);
        Captured.ReplayError(checkpoint);
    }
}
