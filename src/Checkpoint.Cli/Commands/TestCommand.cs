namespace Checkpoint.Cli;

/// <summary><c>checkpoint test</c>: whether a stage is complete.</summary>
internal static class TestCommand
{
    public static ToolCommand Create()
    {
        var stage = Inputs.Stage();
        var step = Inputs.Step("This step, and not the newest intact one.");
        var fingerprint = new FingerprintOptions();
        var maxAge = Inputs.Duration("--max-age", "How old it may be: 90s, 15m, 36h, 7d.");
        var detailed = Inputs.Flag("--detailed", "Print the decision with its reason.");
        var json = Inputs.Json("the decision");
        var command = new ToolCommand("test", "Says by its exit code whether a stage is complete, and prints nothing.")
        {
            Takes = [stage, step, .. fingerprint.All, maxAge, detailed, json],
            Examples =
            [
                ("checkpoint test ingest || { ./ingest.sh && checkpoint save ingest; }", "Do a stage unless it is done."),
                ("checkpoint test report --fingerprint year=2026 --detailed", "Say why a stage is to be done again."),
                ("checkpoint test download --max-age 7d", "Complete, and not longer ago than a week."),
            ],
            ExitCodes = [("0", "it is complete, and all that was asked of it holds"), ("1", "it is not, or no longer"), ("2", "the command line cannot be meant"), ("3", "the store cannot be read")],
        };
        command.Work = async call =>
        {
            var decision = await call.Engine.DecideAsync(call.Stage(call.Get(stage)), call.Get(step), call.FingerprintOf(fingerprint), call.Get(maxAge), call.Cancellation);
            Call.WarnOf(decision.Damage, decision.Checkpoint);
            var isComplete = decision.Decision == StageDecision.Skip;
            if (isComplete)
                Call.WarnOf(call.Engine.DoubtOf(decision.Checkpoint));
            if (call.Get(json))
                JsonViews.Print(decision, JsonViews.Write);
            else if (call.Get(detailed))
                TableViews.Print(decision);
            return isComplete ? ExitCode.Done : ExitCode.Failed;
        };
        return command;
    }
}
