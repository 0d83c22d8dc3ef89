using System.Collections.Concurrent;
using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>Resolves what the call means: store, pipeline and run.</summary>
public abstract class ContextCommand : CancellableCommand
{
    // Work that had to wait goes on on another thread, from which nothing can be written.
    private readonly ConcurrentQueue<string> _unsaid = new();

    private ContextResolver? _context;
    private CheckpointEngine? _engine;

    [Parameter]
    [AllowNull]
    [AllowEmptyString]
    public virtual string? Store { get; set; }

    [Parameter]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(PipelineCompleter))]
    public virtual string? Pipeline { get; set; }

    [Parameter]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(RunCompleter))]
    public virtual string? Run { get; set; }

    /// <summary>What the call means. In a pipeline it may change from one input object to the next.</summary>
    private protected ContextResolver Context => _context ??= new ContextResolver(Given(), SessionContext.Current, Environment.GetEnvironmentVariable, ResolvePath);

    private protected CheckpointEngine Engine
    {
        get
        {
            if (_engine is null)
            {
                var store = ContextStores.Open(Context, _unsaid.Enqueue, () => ProcessEnd.Watch(Host, Events));
                _engine = new CheckpointEngine(store, onHistoryFault: fault => _unsaid.Enqueue(fault.Message), key: Context.Key.Value) { OnHashed = ReportHashed, HeldLease = SessionLeases.FindIn(store.Location) };
            }
            return _engine;
        }
    }

    /// <summary>The values given as parameters.</summary>
    private protected virtual ContextSettings Given() => new()
    {
        Store = StoreSetting(Store),
        Pipeline = Setting(nameof(Pipeline), Pipeline),
        Run = Setting(nameof(Run), Run),
        Key = KeySetting,
    };

    /// <summary>The key given as a parameter, where the cmdlet has one for it.</summary>
    private protected virtual ContextSetting<CheckpointKey> KeySetting => default;

    private protected ContextSetting<CheckpointKey> KeyOf(object? value) => IsGiven(nameof(CheckpointContext.Key)) ? new(KeyParameter.Read(value)) : default;

    private protected StageId Stage(string name) => new(Context.Pipeline.Value, Context.Run.Value, name);

    private protected override void SayLate()
    {
        while (_unsaid.TryDequeue(out var warning))
            WriteWarning(warning);
    }

    /// <summary>To be called for each input object: its store, pipeline and run count.</summary>
    private protected void ForgetContext()
    {
        _context = null;
        _engine = null;
    }

    private protected ContextSetting<string> Setting(string parameter, string? value) => IsGiven(parameter) ? new(value) : default;

    private protected ContextSetting<string> StoreSetting(string? value) =>
        !IsGiven(nameof(CheckpointContext.Store)) ? default : new(string.IsNullOrEmpty(value) ? null : ResolvePath(value));

    private protected string ResolvePath(string location) => StorePath.Resolve(SessionState.Path, location);

    /// <summary>Tells of the saves behind the work that failed, of the stages that are meant. The last failure is thrown where that is asked for.</summary>
    private protected void TellFailures(Func<string, StageId, bool> isMeant, bool throwsLast = false)
    {
        // One by one: what nobody was told of, since an error ended the cmdlet, is there for the next call.
        while (PendingSaves.OfProcess.TakeFailure(isMeant, warning => WriteWarning(warning.Message), out var isLast) is { } failure)
        {
            if (failure is not CheckpointException known || (throwsLast && isLast))
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
            else
                WriteError(known.ToErrorRecord());
        }
    }

    /// <summary>Warns of damage that was passed over.</summary>
    private protected void WarnOf(IReadOnlyList<CheckpointException> damage, CheckpointInfo? used)
    {
        foreach (var fault in damage)
            WriteWarning(used is null ? fault.Message : $"{fault.Message} Step {used.Step} counts instead.");
    }
    /// <summary>Warns where there is a key, and what is used is not encrypted.</summary>
    private protected void WarnOf(string? doubt)
    {
        if (doubt is not null)
            WriteWarning(doubt);
    }
}
