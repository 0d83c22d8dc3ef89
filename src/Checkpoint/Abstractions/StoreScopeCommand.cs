using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>A cmdlet that means a store as a whole, or what of it the command line names. The context tells the store and the key alone: who verifies it wants to know of all that is in it.</summary>
public abstract class StoreScopeCommand : WildcardCommand
{
    private readonly HashSet<string> _stores = new(StringComparer.Ordinal);

    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(NameCompleter))]
    public string[]? Name { get; set; }

    [Parameter]
    [AllowNull]
    public object? Key { get; set; }

    private protected sealed override ContextSetting<CheckpointKey> KeySetting => KeyOf(Key);

    protected sealed override void OnProcess()
    {
        var store = Engine.Store;
        var scope = Scope();
        // Several objects that name nothing but the same store mean it once.
        if (scope is { Pipeline.IsAny: true, Run.IsAny: true, Name.IsAny: true } && !_stores.Add(store.Location))
            return;
        var started = Stopwatch.GetTimestamp();
        if (!StoreRegistry.IsUri(store.Location) && !Directory.Exists(store.Location) && !File.Exists(store.Location))
            WriteWarning($"There is no store at '{store.Location}', so nothing was verified.");
        var progress = new TransferProgress(this, "Verifying the store");
        var (bytes, findings) = (0L, 0);
        // Held until all is read: what is then done about one must not change what is walked through.
        foreach (var finding in Hold(Wait(store.VerifyAsync(scope, Report, Cancellation))))
        {
            findings++;
            See(store, finding);
        }
        progress.Complete();
        WriteVerbose($"{Humanize.Size(bytes)} verified in '{store.Location}', {findings} findings. {Took(started)}");

        void Report(long done, long total)
        {
            bytes = done;
            // Of a store that is no folder nobody knows it before all is read.
            progress.Report(done, total > 0 ? total : null);
        }
    }

    /// <summary>All findings before the first is seen to, or each as it comes.</summary>
    private protected abstract IEnumerable<StoreFinding> Hold(IEnumerable<StoreFinding> findings);

    private protected abstract void See(CheckpointStore store, StoreFinding finding);

    private StoreScope Scope()
    {
        var pipeline = IsGiven(nameof(Pipeline)) ? Find(Context.Pipeline.Value, "pipeline", nameof(Pipeline), literal => IsThere(new StageQuery { Pipeline = literal, Run = NamePattern.Any })) : NamePattern.Any;
        var run = !IsGiven(nameof(Run)) ? NamePattern.Any
            : string.IsNullOrEmpty(Run) ? null
            : Find(Run, "run", nameof(Run), literal => IsThere(new StageQuery { Pipeline = pipeline, Run = literal }));
        var names = Name?.Select(name => Find(name, "checkpoint", nameof(Name), literal => IsThere(new StageQuery { Pipeline = pipeline, Run = run, Name = literal }))).ToList();
        var named = names is null ? NamePattern.Any : names.Count == 1 ? names[0] : NamePattern.Where(name => names.Exists(n => n.IsMatch(name)));
        return new StoreScope { Pipeline = pipeline, Run = run, Name = named };
    }

    // Any run means here also what belongs to none, which a query tells apart.
    private bool IsThere(StageQuery query) =>
        Wait(Engine.Store.ListAsync(query, Cancellation)).Any() || (query.Run is { IsAny: true } && IsThere(new StageQuery { Pipeline = query.Pipeline, Name = query.Name }));
}
