namespace Checkpoint.Commands;

/// <summary>A cmdlet that makes one report of all that is piped to it, as of the runs that Get-CheckpointRun gives.</summary>
public abstract class MergedReportCommand : ReportCommand
{
    private readonly List<ReportScope> _scopes = [];
    private CheckpointEngine? _engine;

    protected sealed override void OnProcess()
    {
        var scope = Scope();
        if (_engine is not null && _engine.Store.Location != Engine.Store.Location)
            throw new InvalidArgumentException($"A report tells of one store, and of '{_engine.Store.Location}' and '{Engine.Store.Location}' were objects piped. Make one of each.");
        _engine ??= Engine;
        _scopes.Add(scope);
    }

    protected sealed override void End()
    {
        if (_engine is null)
            WriteWarning("Nothing was piped, so there is nothing to report.");
        else
            Report(_engine, ReportScope.Of(_scopes));
    }

    private protected abstract void Report(CheckpointEngine engine, ReportScope scope);
}
