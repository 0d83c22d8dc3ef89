namespace Checkpoint.Tests;

/// <summary>What tests of pipelines share: stages written as <c>a b:a c:a,b</c>, whose work is written down and can be made to fail.</summary>
public abstract class PipelineTest : EngineTest, IPipelineObserver
{
    private readonly List<string> _ran = [];

    /// <summary>The stages that fail.</summary>
    private protected HashSet<string> Failing { get; } = [];

    private protected HashSet<string> Disabled { get; } = [];

    /// <summary>What the stages' scripts are; their names where nothing else is said.</summary>
    private protected Dictionary<string, string> Scripts { get; } = [];

    /// <summary>Called when a stage runs.</summary>
    private protected Action<string>? OnRun { get; set; }

    private protected List<string> Warnings { get; } = [];

    private protected List<string> Told { get; } = [];

    /// <summary>The checkpoints that each stage that ran was given.</summary>
    private protected List<string> Inputs { get; } = [];

    void IPipelineObserver.Warn(string message) => Warnings.Add(message);

    void IPipelineObserver.PipelineStarted(CheckpointRun run, bool isResumed) => Told.Add("pipeline started" + (isResumed ? " (resumed)" : ""));

    void IPipelineObserver.StageStarted(StageId stage, CheckpointDecision decision, int number, int count) => Told.Add($"{stage.Name} started {number}/{count}");

    void IPipelineObserver.StageRetried(StageId stage, Exception error, int attempt, int retries, TimeSpan pause) => Told.Add($"{stage.Name} retried");

    void IPipelineObserver.CircuitChanged(StageId stage, CircuitChange change) => Told.Add($"{stage.Name} {change.Breaker} {change.State}");

    void IPipelineObserver.StageEnded(StageId stage, StageResult result, Exception? error) => Told.Add($"{stage.Name} ended {result.Status}");

    void IPipelineObserver.PipelineEnded(PipelineResult result) => Told.Add($"pipeline ended {result.Status}");

    private protected static CheckpointFingerprint Config(string part, string value) => FingerprintHash.Combine(new Dictionary<string, byte[]> { [part] = FingerprintHash.Scalar("string", value) });

    private protected static string Show(PipelineResult result) => $"{result.Status}: {string.Join(", ", result.Stages.Select(s => $"{s.Name} {s.Status}"))}";

    /// <summary>The stages that ran since the test began.</summary>
    private protected string Ran() => string.Join(' ', _ran);

    private protected PipelineRequest Request(string stages) => new()
    {
        Pipeline = "p",
        Stages = [.. stages.Split(' ').Select(s => s.Split(':')).Select(s => Define(s[0], s.Length > 1 ? s[1].Split(',') : []))],
    };

    private protected async Task<PipelineResult> Run(string stages, Func<PipelineRequest, PipelineRequest>? change = null) => (await Execute(stages, change ?? (r => r), default)).Result;

    private protected async Task<(PipelineResult Result, Exception? Error)> Execute(string stages, Func<PipelineRequest, PipelineRequest> change, CancellationToken cancellation)
    {
        // Runs are told apart by when they were started.
        Time.Advance(TimeSpan.FromSeconds(_ran.Count == 0 ? 0 : 1));
        return await new PipelineRunner(Engine, this, Time).RunAsync(change(Request(stages)), cancellation);
    }

    private protected Task<CheckpointException> Fails(string stages, Func<PipelineRequest, PipelineRequest> change) => Assert.ThrowsAsync<CheckpointException>(() => Run(stages, change));

    private protected async Task<List<CheckpointRun>> Runs()
    {
        var runs = new List<CheckpointRun>();
        await foreach (var reading in new RunRegistry(Store, Engine.History, Time).FindAsync(NamePattern.Any, NamePattern.Any, default))
            runs.Add(reading.Run!);
        return runs;
    }

    private protected string[] RunIds() => [.. Directory.EnumerateDirectories(Path.Join(Root, "p", "runs")).Select(d => Path.GetFileName(d))];

    private StageDefinition Define(string name, string[] dependsOn) => new()
    {
        Name = name,
        DependsOn = dependsOn,
        IsDisabled = Disabled.Contains(name),
        Parts = new Dictionary<string, byte[]> { ["script"] = FingerprintHash.Scalar("script", Scripts.GetValueOrDefault(name, name)) },
        Run = (attempt, cancellation) =>
        {
            _ran.Add(name);
            Inputs.Add(string.Join(", ", attempt.Inputs.Select(i => $"{i.Key} step {i.Value.Step}")));
            OnRun?.Invoke(name);
            cancellation.ThrowIfCancellationRequested();
            return Failing.Contains(name) ? throw new InvalidOperationException($"{name} broke") : TestState.Small(name);
        },
    };
}
