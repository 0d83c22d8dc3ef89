using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Set, "CheckpointContext", SupportsShouldProcess = true)]
[OutputType(typeof(CheckpointContext))]
public sealed class SetCheckpointContextCommand : BoundContextCommand
{
    [Parameter]
    [AllowNull]
    [AllowEmptyString]
    public string? Replica { get; set; }

    [Parameter]
    public ReplicaMode ReplicaMode { get; set; }

    [Parameter]
    [AllowNull]
    public int? Keep { get; set; }

    [Parameter]
    public SwitchParameter Reset { get; set; }

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    [Parameter]
    [AllowNull]
    public object? Key { get; set; }

    private protected override ContextSetting<CheckpointKey> KeySetting => KeyOf(Key);

    protected override void OnProcess()
    {
        if (Keep <= 0)
            throw new InvalidArgumentException("-Keep must be above 0, or $null to keep everything.");
        var given = Given();
        if (given.Pipeline.Value is { Length: > 0 } pipeline)
            CheckpointNames.Normalize(pipeline, "pipeline");
        if (given.Run.Value is { Length: > 0 } run)
            CheckpointNames.Normalize(run, "run");
        if (given.Store.Value is { Length: > 0 } store)
            StoreRegistry.Get(store);

        var replica = !IsGiven(nameof(Replica)) ? default : new ContextSetting<string>(string.IsNullOrEmpty(Replica) ? null : ResolvePath(Replica));
        if (replica.Value is not null)
            StoreRegistry.Get(replica.Value);

        var settings = Reset ? new ContextSettings() : SessionContext.Current;
        settings = settings with
        {
            Store = given.Store.IsSet ? given.Store : settings.Store,
            // A replica is that of its store, and not of the next one.
            Replica = replica.IsSet ? replica : given.Store.IsSet ? default : settings.Replica,
            ReplicaMode = IsGiven(nameof(ReplicaMode)) ? new(ReplicaMode) : settings.ReplicaMode,
            Pipeline = given.Pipeline.IsSet ? given.Pipeline : settings.Pipeline,
            Run = given.Run.IsSet ? given.Run : settings.Run,
            Key = given.Key.IsSet ? given.Key : settings.Key,
            Keep = IsGiven(nameof(Keep)) ? new ContextSetting<int?>(Keep) : settings.Keep,
        };
        var context = new ContextResolver(new ContextSettings(), settings, Environment.GetEnvironmentVariable, ResolvePath);
        if (context.Replica.Value is { } other && StoreRegistry.Get(other).Location == StoreRegistry.Get(context.Store.Value).Location)
            throw new InvalidArgumentException($"-Replica is the store itself, '{StoreRegistry.Shown(other)}'. Name another one.");
        if (ShouldProcess("The context of this session", "Set"))
            SessionContext.Current = settings;
        if (PassThru)
            WriteObject(new ContextResolver(new ContextSettings(), SessionContext.Current, Environment.GetEnvironmentVariable, ResolvePath).Resolve());
    }
}
