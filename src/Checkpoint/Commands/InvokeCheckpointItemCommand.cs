using System.Management.Automation;
using System.Runtime.ExceptionServices;

namespace Checkpoint.Commands;

[Cmdlet(VerbsLifecycle.Invoke, "CheckpointItem", SupportsShouldProcess = true)]
[OutputType(typeof(object))]
public sealed class InvokeCheckpointItemCommand : RetryingCommand
{
    private ItemSession? _session;

    [Parameter(Mandatory = true, Position = 0)]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string Name { get; set; } = "";

    [Parameter(Mandatory = true, Position = 1)]
    public ScriptBlock ScriptBlock { get; set; } = null!;

    [Parameter(ValueFromPipeline = true)]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object? InputObject { get; set; }

    [Parameter]
    [ValidateNotNullOrEmpty]
    public object? Key { get; set; }

    [Parameter]
    [ValidateRange(1, 1000)]
    public int ThrottleLimit { get; set; } = 1;

    [Parameter]
    public SwitchParameter ContinueOnError { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int MaxError { get; set; }

    [Parameter]
    public SwitchParameter RetryFailed { get; set; }

    [Parameter]
    public SwitchParameter SaveOutput { get; set; }

    [Parameter]
    public SwitchParameter Shared { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Keep { get; set; }

    protected override void Begin()
    {
        var keys = new ItemKeyReader(Key);
        var variables = UsingVariables.Of(ScriptBlock, SessionState.PSVariable);
        if (ThrottleLimit > 1)
            variables.RefuseBlocks();
        var stage = Stage(Name);
        if (!ShouldProcess($"Stage {stage} in '{Engine.Store.Location}'", "Run the items that are not done"))
            return;
        var work = new ItemWork
        {
            Stage = stage,
            IsShared = Shared,
            ContinueOnError = ContinueOnError,
            MaxError = IsGiven(nameof(MaxError)) ? MaxError : null,
            RetryFailed = RetryFailed,
            Retry = RetryPolicy,
            Retention = new RetentionPolicy { Keep = Context.Keep.Value },
            CauseOf = BlockErrors.CauseOf,
        };
        var items = MyInvocation.ExpectingInput ? null : Items(InputObject);
        _session = new ItemSession(this, Engine, work, keys, SaveOutput, items?.Count, Cancellation);
        _session.Open(ScriptBlock, variables, ThrottleLimit, BlockErrors.Preference(MyInvocation.BoundParameters));
        foreach (var item in items ?? [])
            Do(session => session.Take(item));
    }

    protected override void Process()
    {
        if (MyInvocation.ExpectingInput)
            Do(session => session.Take(InputObject));
    }

    protected override void End() => Do(session => session.Complete());

    private protected override void Close() => _session?.Dispose();

    private protected override ContextSettings Given() => base.Given() with { Keep = IsGiven(nameof(Keep)) ? new(Keep) : default };

    // What is given as a parameter is a collection of items, or one.
    private List<object?> Items(object? input) =>
        !IsGiven(nameof(InputObject)) ? [] : LanguagePrimitives.GetEnumerable(input) is { } items ? [.. items.Cast<object?>()] : [input];

    private void Do(Action<ItemSession> work)
    {
        if (_session is null)
            return;
        try
        {
            work(_session);
        }
        catch (FlowInterruptedException e)
        {
            if (e.InnerException is not PipelineStoppedException)
                _session.GiveRest();
            ExceptionDispatchInfo.Throw(e.InnerException!);
        }
        catch (Exception e) when (e is CheckpointException or InvalidArgumentException)
        {
            _session.Broke(e);
            throw;
        }
    }
}
