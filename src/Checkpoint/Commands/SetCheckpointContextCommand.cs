using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Set, "CheckpointContext", SupportsShouldProcess = true)]
[OutputType(typeof(CheckpointContext))]
public sealed class SetCheckpointContextCommand : BoundContextCommand
{
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

        var settings = Reset ? new ContextSettings() : SessionContext.Current;
        settings = settings with
        {
            Store = given.Store.IsSet ? given.Store : settings.Store,
            Pipeline = given.Pipeline.IsSet ? given.Pipeline : settings.Pipeline,
            Run = given.Run.IsSet ? given.Run : settings.Run,
            Key = given.Key.IsSet ? given.Key : settings.Key,
            Keep = IsGiven(nameof(Keep)) ? new ContextSetting<int?>(Keep) : settings.Keep,
        };
        if (ShouldProcess("The context of this session", "Set"))
            SessionContext.Current = settings;
        if (PassThru)
            WriteObject(new ContextResolver(new ContextSettings(), SessionContext.Current, Environment.GetEnvironmentVariable, ResolvePath).Resolve());
    }
}
