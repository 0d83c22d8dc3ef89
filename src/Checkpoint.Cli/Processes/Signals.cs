using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Checkpoint.Cli;

/// <summary>What ends the tool from outside: Ctrl+C, SIGTERM, SIGHUP. The work is cancelled and the commands that run are told; a second time they are killed.</summary>
internal sealed partial class Signals : IDisposable
{
    private const int Hangup = 1, Interrupt = 2, KillNow = 9, Terminate = 15;

    // A read of the standard input cannot be cancelled. What is cut off then is as after a loss of power: the store is whole.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // From the signal of a terminal to our hearing of it.
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _cancellation = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    // With who belonged to it when it was told to end.
    private readonly Dictionary<Process, ProcessTree?> _commands = [];
    private int _received;

    public Signals()
    {
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT })
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Cancellation => _cancellation.Token;

    /// <summary>The exit code of who was ended by the signal.</summary>
    public int ExitCode => Cli.ExitCode.Signal + (_received == 0 ? Interrupt : _received);

    /// <summary>Has a command know of signals until what is returned is disposed of.</summary>
    public IDisposable Attach(Process command)
    {
        lock (_commands)
        {
            _commands.Add(command, null);
            // It was started in the moment in which the signal came.
            if (_received != 0)
                Tell(command, _received);
        }
        return new Attachment(this, command);
    }

    /// <summary>Whether a signal has come, or comes in a moment.</summary>
    public async ValueTask<bool> IsComingAsync()
    {
        if (Volatile.Read(ref _received) == 0)
            await Task.Delay(Moment);
        return Volatile.Read(ref _received) != 0;
    }

    /// <summary>Who belonged to a command when it was told of a signal, or belongs to it now.</summary>
    public ProcessTree? TreeOf(Process command)
    {
        lock (_commands)
            return _commands.GetValueOrDefault(command) ?? Tree(command);
    }

    /// <summary>Asks a command to end, with all that it started.</summary>
    public static void End(Process command, ProcessTree? tree) => Send(command, tree, Terminate);

    /// <summary>Ends what lives still of a command that has ended.</summary>
    public static void Kill(ProcessTree? tree)
    {
        foreach (var id in tree?.Living ?? [])
            _ = SendSignal(id, KillNow);
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _cancellation.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        var number = context.Signal switch { PosixSignal.SIGINT => Interrupt, PosixSignal.SIGHUP => Hangup, PosixSignal.SIGTERM => Terminate, _ => 3 };
        var isFirst = Interlocked.CompareExchange(ref _received, number, 0) == 0;
        lock (_commands)
        {
            foreach (var command in _commands.Keys.ToList())
            {
                if (!isFirst)
                    Kill(command);
                else
                    Tell(command, number);
            }
            if (isFirst && _commands.Count == 0)
                _ = Task.Delay(Patience).ContinueWith(_ => Environment.Exit(ExitCode), TaskScheduler.Default);
        }
        // Not on this thread, which the system lends.
        ThreadPool.QueueUserWorkItem(_ => _cancellation.Cancel());
    }

    /// <summary>Ends a command with all that it started.</summary>
    public static void Kill(Process command)
    {
        try
        {
            command.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
        {
            // It has ended by itself.
        }
    }

    private void Tell(Process command, int signal)
    {
        var tree = _commands[command] = Tree(command);
        // What is typed at a terminal reaches all of its programs by itself. Who sends it to the tool alone cannot be told apart; see ChildCommand.
        if (!(signal is Interrupt or 3 && ControllingTerminal.IsOurs()))
            Send(command, tree, signal);
    }

    private static ProcessTree? Tree(Process command)
    {
        try
        {
            return OperatingSystem.IsWindows() || command.HasExited ? null : new ProcessTree(command.Id);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static void Send(Process command, ProcessTree? tree, int signal)
    {
        try
        {
            if (command.HasExited)
                return;
            if (OperatingSystem.IsWindows())
                command.Kill(entireProcessTree: true);
            foreach (var id in tree?.Living ?? [])
                _ = SendSignal(id, signal);
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    private sealed class Attachment(Signals signals, Process command) : IDisposable
    {
        public void Dispose()
        {
            lock (signals._commands)
                signals._commands.Remove(command);
        }
    }
}
