using System.Collections;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>The context of a command line that is being written.</summary>
internal sealed class CompletionScope
{
    private readonly string _command;
    private readonly IDictionary _bound;
    private readonly ContextResolver _context;

    public CompletionScope(string command, IDictionary bound)
    {
        (_command, _bound) = (command, bound);
        _context = new ContextResolver(
            new ContextSettings { Store = Setting("Store"), Pipeline = Setting("Pipeline"), Run = Setting("Run") },
            SessionContext.Current,
            Environment.GetEnvironmentVariable,
            path => path);
    }

    /// <summary>The pipelines that are meant: to a report all of them, where nothing says which.</summary>
    public NamePattern Pipeline => IsReport && _context.Pipeline.Source == ContextResolver.Default ? NamePattern.Any : NamePattern.Of(CheckpointNames.Normalize(_context.Pipeline.Value, "pipeline"));

    public NamePattern? Run => _context.Run.Value is { } run ? NamePattern.Of(CheckpointNames.Normalize(run, "run")) : null;

    public string? Name => _bound["Name"]?.ToString();

    private CheckpointStore Store => StoreRegistry.Get(StorePath.Resolve(SessionPath(), _context.Store.Value));

    public IEnumerable<StageListing> List(NamePattern pipeline, NamePattern? run, NamePattern name) =>
        Store.ListAsync(new StageQuery { Pipeline = pipeline, Run = run, Name = name }, CancellationToken.None).ToBlockingEnumerable();

    public IEnumerable<CheckpointRun> Runs(NamePattern pipeline, NamePattern run) =>
        Store.ListRunsAsync(pipeline, run, CancellationToken.None).ToBlockingEnumerable().Select(r => r.Run).OfType<CheckpointRun>();

    public IEnumerable<CheckpointEvent> History(NamePattern pipeline) => Store.ReadHistoryAsync(pipeline, CancellationToken.None).ToBlockingEnumerable();

    /// <summary>What a history tells where that is what the command line asks for; else nothing.</summary>
    public IEnumerable<CheckpointEvent> Past(NamePattern pipeline) => IsReport || _command == "Get-CheckpointHistory" ? History(pipeline) : [];

    private bool IsReport => _command is "Export-CheckpointReport" or "Show-CheckpointDashboard" or "Watch-Checkpoint";

    // Completion runs inside a pipeline, where the runspace's own proxy of the session refuses to answer.
    private static PathIntrinsics SessionPath()
    {
        using var session = PowerShell.Create(RunspaceMode.CurrentRunspace);
        return (PathIntrinsics)session.AddScript("$ExecutionContext.SessionState.Path").Invoke()[0].BaseObject;
    }

    private ContextSetting<string> Setting(string name) => _bound.Contains(name) ? new(_bound[name]?.ToString()) : default;
}
