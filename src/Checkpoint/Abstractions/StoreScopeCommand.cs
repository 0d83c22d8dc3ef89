using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>A cmdlet that verifies a store.</summary>
public abstract class StoreScopeCommand : ScopedCommand
{
    private readonly HashSet<string> _stores = new(StringComparer.Ordinal);

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
}
