using System.Collections.ObjectModel;
using System.CommandLine;

namespace Checkpoint.Cli;

/// <summary><c>checkpoint save</c>: commits one checkpoint.</summary>
internal static class SaveCommand
{
    public static ToolCommand Create()
    {
        var stage = Inputs.Stage();
        var state = new StateOptions();
        var step = Inputs.Step("The step. Default: the latest and 1.");
        var overwrite = Inputs.Flag("--overwrite", "Replace the step where it is saved already.");
        var metadata = new MetadataOptions();
        var fingerprint = new FingerprintOptions();
        var outputs = Inputs.Many("--output-file", "file", "A file that the stage made: the checkpoint holds only while it is unchanged. May stand several times.");
        var retention = new RetentionOptions();
        var interval = Inputs.Number("--interval", "Save only where the step is a multiple of this, unless --force.", 1, long.MaxValue);
        var force = Inputs.Flag("--force", "Save whatever --interval says.");
        var json = Inputs.Json("the checkpoint that was saved");
        var command = new ToolCommand("save", "Saves a checkpoint: the stage is complete from then on.")
        {
            Takes = [stage, .. state.All, step, overwrite, .. metadata.All, .. fingerprint.All, outputs, .. retention.All, interval, force, json],
            Keep = retention.Keep,
            Examples =
            [
                ("checkpoint save ingest", "Mark a stage complete."),
                ("checkpoint save rows --state '{\"next\":1201,\"total\":5000}' --step 3 --keep 5", "Save a state, as JSON, and keep the five newest steps."),
                ("curl -s https://example.org/rates.json | checkpoint save rates --state-file -", "Save what a program prints as JSON."),
                ("checkpoint save model --state-file model.bin --raw", "Save a file byte for byte."),
                ("checkpoint save report --output-file report.csv --metadata rows=1200", "Complete for as long as the file is what it is."),
            ],
            ExitCodes = [("0", "it is saved"), ("1", "the step is saved already"), ("2", "the command line or the state cannot be meant; nothing was saved"), ("3", "the store cannot be written")],
        };
        command.Work = async call =>
        {
            var target = call.Stage(call.Get(stage));
            if (call.Get(interval) is { } every)
            {
                var number = call.Get(step) ?? throw new InvalidArgumentException("--interval says which steps are saved, so it needs --step.");
                if (number % every != 0 && !call.Get(force))
                {
                    Terminal.Note($"Not saved: the step is no multiple of {every}.");
                    return ExitCode.Done;
                }
            }
            var draft = new CheckpointDraft
            {
                Stage = target,
                Step = call.Get(step),
                Overwrite = call.Get(overwrite),
                Fingerprint = call.FingerprintOf(fingerprint),
                Metadata = metadata.Of(call),
                OutputFiles = Describe(call, outputs),
                State = state.Of(call),
                SavedAt = call.Engine.UtcNow,
            };
            var (saved, _, pruneError) = await call.Engine.SaveAsync(draft, retention.Of(call), call.Cancellation);
            if (call.Get(json))
                JsonViews.Print(saved, JsonViews.Write);
            Terminal.Note($"Checkpoint saved: {saved.Name}, step {saved.Step}");
            return pruneError is null ? ExitCode.Done : throw pruneError;
        };
        return command;
    }

    private static ReadOnlyCollection<OutputFile> Describe(Call call, Option<string[]> outputs) => (call.Get(outputs) ?? []).Select(file =>
    {
        var path = ContextOptions.ResolvePath(file);
        return Directory.Exists(path) ? throw new InvalidArgumentException($"--output-file '{file}' is a folder. Name the files in it.") : OutputFiles.Describe(path, call.Cancellation);
    }).ToList().AsReadOnly();
}
