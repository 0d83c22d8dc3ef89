using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;

namespace Checkpoint.Commands;

/// <summary>Owns what every cmdlet of ours does alike: Ctrl+C cancels the work, and an exception of Core becomes its error record.</summary>
public abstract class CancellableCommand : PSCmdlet, IDisposable
{
    private static readonly string[] InformationTags = ["Checkpoint"];

    private readonly CancellationTokenSource _cancellation = new();
    private TransferProgress? _hashing;
    private long _hashed;

    /// <summary>Cancelled when the pipeline is stopped.</summary>
    protected CancellationToken Cancellation => _cancellation.Token;

    public void Dispose()
    {
        Close();
        _cancellation.Dispose();
        GC.SuppressFinalize(this);
    }

    protected sealed override void BeginProcessing() => Guard(static command => command.Begin());

    protected sealed override void ProcessRecord() => Guard(static command => command.Process());

    protected sealed override void EndProcessing()
    {
        Guard(static command => command.End());
        _hashing?.Complete();
    }

    protected sealed override void StopProcessing() => _cancellation.Cancel();

    protected virtual void Begin()
    {
    }

    protected virtual void Process()
    {
    }

    protected virtual void End()
    {
    }

    /// <summary>Gives back what is held; also called after Ctrl+C or an error, when nothing can be written any more.</summary>
    private protected virtual void Close()
    {
    }

    /// <summary>Waits for work of Core. It runs on this thread as far as it does not have to wait itself.</summary>
    protected static T Wait<T>(ValueTask<T> work) => work.IsCompletedSuccessfully ? work.Result : work.AsTask().GetAwaiter().GetResult();

    /// <summary>The items of Core's sequence, on this thread.</summary>
    protected static IEnumerable<T> Wait<T>(IAsyncEnumerable<T> items)
    {
        var enumerator = items.GetAsyncEnumerator();
        try
        {
            while (Wait(enumerator.MoveNextAsync()))
                yield return enumerator.Current;
        }
        finally
        {
            enumerator.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    /// <summary>Says what was done, on the information stream.</summary>
    protected void WriteDone(string message) => this.Tell(message, InformationTags);

    /// <summary>Warns, with nothing in it that a CI system takes for a command.</summary>
    protected new void WriteWarning(string text) => this.Warn(text);

    /// <summary>The same, of what is asked for and of what <c>-WhatIf</c> says.</summary>
    protected new bool ShouldProcess(string target, string action) => base.ShouldProcess(LogText.Shown(target), action);

    /// <summary>The same on the verbose stream.</summary>
    protected new void WriteVerbose(string text) => base.WriteVerbose(LogText.Shown(text));

    /// <summary>Whether anybody reads the verbose stream: what is said there costs more to word than some cmdlets take.</summary>
    private protected bool IsVerbose => MyInvocation.BoundParameters.TryGetValue("Verbose", out var given)
        ? (SwitchParameter)given
        : GetVariableValue("VerbosePreference") is { } preference && preference.ToString() is not ("SilentlyContinue" or "Ignore");

    /// <summary>How long something took, for the verbose stream.</summary>
    private protected static string Took(long started) => string.Create(CultureInfo.InvariantCulture, $"It took {Stopwatch.GetElapsedTime(started).TotalMilliseconds:0.0} ms.");

    /// <summary>Shows how much of large files was read for their hashes.</summary>
    private protected void ReportHashed(int bytes)
    {
        _hashed += bytes;
        (_hashing ??= new TransferProgress(this, "Reading files")).Report(_hashed, null);
    }

    protected bool IsGiven(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);

    /// <summary>Says what could not be said at the time.</summary>
    private protected virtual void SayLate()
    {
    }

    private void Guard(Action<CancellableCommand> step)
    {
        // A host's own context, as that of a window, would have what we wait for go on by this thread, which waits.
        var host = SynchronizationContext.Current;
        if (host is not null)
            SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            try
            {
                step(this);
            }
            finally
            {
                SayLate();
            }
        }
        catch (CheckpointException e)
        {
            ThrowTerminatingError(e.ToErrorRecord());
        }
        catch (UnkeptValueException e)
        {
            ThrowTerminatingError(CheckpointErrors.NoFingerprint(e).ToErrorRecord());
        }
        catch (UnreadableFileException e)
        {
            ThrowTerminatingError(ErrorRecords.UnreadableFile(e.InnerException!, e.Path));
        }
        catch (UnwritableFileException e)
        {
            ThrowTerminatingError(e.ToErrorRecord());
        }
        catch (InvalidArgumentException e)
        {
            ThrowTerminatingError(e.ToErrorRecord());
        }
        catch (OperationCanceledException) when (_cancellation.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        finally
        {
            if (host is not null)
                SynchronizationContext.SetSynchronizationContext(host);
        }
    }
}
