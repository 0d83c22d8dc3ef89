using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Checkpoint.Cli;

/// <summary>Runs a command and gives on what it writes.</summary>
/// <param name="words">The command and its arguments.</param>
/// <param name="environment">Variables that it gets beside ours.</param>
/// <param name="signals">What ends us ends it.</param>
internal sealed class ChildCommand(IReadOnlyList<string> words, IReadOnlyDictionary<string, string?> environment, Signals signals)
{
    /// <summary>So long a command has to end that was asked to.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    /// <summary>So long what a command left behind may hold its output before a person is told what is waited for.</summary>
    private static readonly TimeSpan Unsaid = TimeSpan.FromSeconds(5);

    private ProcessTree? _ended;

    private const int UnixNotFound = 2, TooLong = 7, AccessDenied = 13; // ENOENT, E2BIG, EACCES

    /// <summary>Whether it gets our standard input; else it gets none.</summary>
    public bool HasInput { get; init; }

    /// <summary>Told each piece that it writes, of each stream on one thread, and whether that is the standard error.</summary>
    public required Action<bool, ReadOnlyMemory<byte>> OnWritten { get; init; }

    /// <summary>Runs it.</summary>
    /// <exception cref="CommandFailedException">Its exit code was not 0, or it could not be started.</exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public void Run(CancellationToken cancellation) => RunAsync(cancellation).GetAwaiter().GetResult();

    private async Task RunAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var process = Start();
        using var attached = signals.Attach(process);
        if (!HasInput)
            process.StandardInput.Close();
        var streams = Task.WhenAll(Pump(process.StandardOutput.BaseStream, false), Pump(process.StandardError.BaseStream, true));
        using (cancellation.Register(() => Stop(process)))
        {
            await process.WaitForExitAsync(CancellationToken.None);
            try
            {
                // What it started may write on; who ends us does not wait for that.
                if (!cancellation.IsCancellationRequested)
                    await EndAsync(streams, cancellation);
            }
            catch (OperationCanceledException)
            {
            }
            if (cancellation.IsCancellationRequested)
            {
                await Task.WhenAny(streams, Task.Delay(Grace / 10, CancellationToken.None));
                // Nothing that it started may work on beside the next attempt, or beside whoever takes the stage then.
                Signals.Kill(_ended);
            }
        }
        cancellation.ThrowIfCancellationRequested();
        await streams;
        // At a terminal Ctrl+C reaches it as soon as us, so it may be over before we know of it.
        if (process.ExitCode > ExitCode.Signal && await signals.IsComingAsync())
            throw new OperationCanceledException(signals.Cancellation);
        if (process.ExitCode != 0)
            throw new CommandFailedException(string.Create(CultureInfo.InvariantCulture, $"'{words[0]}' ended with exit code {process.ExitCode}"), process.ExitCode);
    }

    // Nothing tells what the command wrote from what it left behind still writes: to stop before the end could cut off its last words.
    private async Task EndAsync(Task streams, CancellationToken cancellation)
    {
        if (await Task.WhenAny(streams, Task.Delay(Unsaid, cancellation)) != streams && !cancellation.IsCancellationRequested)
            Terminal.Warn($"'{words[0]}' has ended, and something that it started holds its output open: that is waited for. To leave it running, redirect what it writes, as in: server > server.log 2>&1 &");
        await streams.WaitAsync(cancellation);
    }

    private Process Start()
    {
        var start = new ProcessStartInfo(Executable.Find(words[0]), words.Skip(1))
        {
            RedirectStandardInput = !HasInput,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        try
        {
            return Process.Start(start)!;
        }
        catch (Exception e) when (e is Win32Exception or ArgumentException or FileNotFoundException)
        {
            var number = (e as Win32Exception)?.NativeErrorCode;
            if (e is FileNotFoundException || number == UnixNotFound)
                throw new CommandFailedException($"there is no command '{words[0]}'", ExitCode.NotFound);
            var why = number == TooLong ? "its arguments are longer than the system allows" : number == AccessDenied ? "permission denied" : Directory.Exists(words[0]) ? "it is a folder" : e.Message.TrimEnd('.');
            throw new CommandFailedException($"'{words[0]}' cannot be run: {why}", ExitCode.NotExecutable);
        }
    }

    private async Task Pump(Stream stream, bool isError)
    {
        var buffer = new byte[1 << 16];
        for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
            OnWritten(isError, buffer.AsMemory(0, read));
    }

    // Of a signal it was told already.
    private void Stop(Process process)
    {
        _ended = signals.TreeOf(process);
        if (!signals.Cancellation.IsCancellationRequested)
            Signals.End(process, _ended);
        _ = KillLate(process);
    }

    private async Task KillLate(Process process)
    {
        try
        {
            if (signals.Cancellation.IsCancellationRequested)
            {
                await Task.WhenAny(process.WaitForExitAsync(CancellationToken.None), Task.Delay(Grace / 2));
                // An interrupt may have come to us alone; and who heard it has not ended since.
                Signals.End(process, _ended);
            }
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(signals.Cancellation.IsCancellationRequested ? Grace / 2 : Grace);
        }
        catch (TimeoutException)
        {
            Signals.Kill(process);
            Signals.Kill(_ended);
        }
        catch (InvalidOperationException)
        {
            // It ended, and was forgotten.
        }
    }
}
