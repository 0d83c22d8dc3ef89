using System.Collections.Concurrent;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Checkpoint;

/// <summary>A thread with a runspace that runs the block for one item after the other.</summary>
internal sealed class ItemWorker
{
    // Left by break or exit the block does not reach its end, and yet that is no error to PowerShell. See TryBlock for the try.
    private const string Wrapper = "param($__block, $__item, $__end) try { & $__block $__item; $__end.Reached() } catch { throw }";

    private readonly BlockingCollection<ItemTask> _tasks;
    private readonly UsingVariables _block;
    private readonly ActionPreference _errors;
    private readonly ContextSettings _context;
    private readonly string _location;
    private readonly PSLanguageMode _languageMode;
    private readonly Action<ItemWorker, ItemTask> _run;
    private readonly CancellationToken _cancellation;
    private readonly Thread _thread;
    private volatile PowerShell? _shell;
    private Runspace? _runspace;

    public ItemWorker(BlockingCollection<ItemTask> tasks, UsingVariables block, ActionPreference errors, ContextSettings context, string location, PSLanguageMode languageMode, Action<ItemWorker, ItemTask> run, CancellationToken cancellation)
    {
        (_tasks, _block, _errors, _context, _location, _languageMode, _run, _cancellation) = (tasks, block, errors, context, location, languageMode, run, cancellation);
        _thread = new Thread(Work) { IsBackground = true, Name = "Invoke-CheckpointItem" };
        _thread.Start();
    }

    /// <summary>Stops what is running; on any thread.</summary>
    public void Stop() => _shell?.BeginStop(null, null);

    /// <summary>Waits for the thread to end, so many milliseconds.</summary>
    public void Join(int milliseconds) => _thread.Join(milliseconds);

    /// <summary>Runs the block for an item, on the worker's thread.</summary>
    /// <param name="item">The item.</param>
    /// <param name="onOutput">Given each object as it comes.</param>
    /// <param name="onRecord">Given each record of another stream as it comes.</param>
    /// <exception cref="RuntimeException">The block's own error.</exception>
    public void Invoke(object? item, Action<object?> onOutput, Action<object> onRecord)
    {
        Prepare(item);
        var end = new BlockEnd();
        using var shell = PowerShell.Create();
        shell.Runspace = _runspace;
        shell.AddScript(Wrapper, useLocalScope: true).AddArgument(ScriptBlock.Create(_block.Script)).AddArgument(item).AddArgument(end);
        Listen(shell.Streams.Error, onRecord);
        Listen(shell.Streams.Warning, onRecord);
        Listen(shell.Streams.Verbose, onRecord);
        Listen(shell.Streams.Debug, onRecord);
        Listen(shell.Streams.Information, onRecord);
        Listen(shell.Streams.Progress, onRecord);
        _shell = shell;
        try
        {
            _cancellation.ThrowIfCancellationRequested();
            var output = new PSDataCollection<PSObject>();
            Listen(output, onOutput);
            shell.Invoke(null, output);
        }
        finally
        {
            _shell = null;
        }
        _cancellation.ThrowIfCancellationRequested();
        if (!end.IsReached)
            throw new InvalidOperationException("The block was left by break, continue or exit, so the item does not count as done. Leave it by return.");
    }

    private void Work()
    {
        try
        {
            foreach (var task in _tasks.GetConsumingEnumerable(_cancellation))
                _run(this, task);
        }
        catch (OperationCanceledException)
        {
        }
        finally
        {
            _runspace?.Dispose();
        }
    }

    private void Prepare(object? item)
    {
        if (_runspace is null)
        {
            var initial = InitialSessionState.CreateDefault2();
            initial.LanguageMode = _languageMode;
            _runspace = RunspaceFactory.CreateRunspace(initial);
            _runspace.ThreadOptions = PSThreadOptions.UseCurrentThread;
            _runspace.Open();
        }
        else
        {
            _runspace.ResetRunspaceState();
        }
        SessionContext.Set(_runspace, _context);
        var state = _runspace.SessionStateProxy;
        SetLocation(state);
        // What is not to be shown is kept quiet by the cmdlet, which may gather it all the same. In a runspace of its own these two would have even a throw passed over.
        state.SetVariable("ErrorActionPreference", _errors is ActionPreference.SilentlyContinue or ActionPreference.Ignore ? ActionPreference.Continue : _errors);
        state.SetVariable("_", item);
        foreach (var variable in _block.Variables)
            state.SetVariable(variable.Name, variable.Value);
    }

    private void SetLocation(SessionStateProxy state)
    {
        try
        {
            state.Path.SetLocation(WildcardPattern.Escape(_location));
        }
        catch (System.Management.Automation.DriveNotFoundException)
        {
            // A drive of the caller's that is no folder: the block begins where the process is, as with ForEach-Object -Parallel.
        }
    }

    private static void Listen<T>(PSDataCollection<T> records, Action<T> onRecord) => records.DataAdded += (_, _) =>
    {
        foreach (var record in records.ReadAll())
            onRecord(record);
    };

    /// <summary>Told by the wrapper that the block came to its end.</summary>
    public sealed class BlockEnd
    {
        public bool IsReached { get; private set; }

        public void Reached() => IsReached = true;
    }
}
