using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Checkpoint.Cli;

/// <summary>What ends the tool from outside: Ctrl+C, SIGTERM, SIGHUP. The work is cancelled and the commands that run are told; a second time they are killed.</summary>
internal sealed partial class Signals : IDisposable
{
    private const int Hangup = 1, Interrupt = 2, Terminate = 15;

    private readonly CancellationTokenSource _cancellation = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly HashSet<Process> _commands = [];
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
            _commands.Add(command);
        return new Attachment(this, command);
    }

    /// <summary>Asks a command to end.</summary>
    public static void End(Process command) => Send(command, Terminate);

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
            foreach (var command in _commands)
            {
                if (!isFirst)
                    Kill(command);
                // What is typed at a terminal reaches all of its programs by itself.
                else if (!(number is Interrupt or 3 && Terminal.IsInteractive))
                    Send(command, number);
            }
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

    private static void Send(Process command, int signal)
    {
        try
        {
            if (command.HasExited)
                return;
            if (OperatingSystem.IsWindows())
                command.Kill(entireProcessTree: true);
            else
                _ = SendSignal(command.Id, signal);
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
