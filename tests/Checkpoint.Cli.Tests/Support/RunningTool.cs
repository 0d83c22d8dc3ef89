using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Checkpoint.Cli.Tests;

/// <summary>A process that runs.</summary>
internal sealed partial class RunningTool : IDisposable
{
    /// <summary>Longer than anything here takes on the slowest machine; what hangs must not hang the tests.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    private readonly Process _process;
    private readonly Task<byte[]> _output;
    private readonly Task<string> _error;

    public RunningTool(ProcessStartInfo start, byte[] input)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardErrorEncoding = new System.Text.UTF8Encoding(false);
        _process = Process.Start(start)!;
        _output = Task.Run(() => ReadAll(_process.StandardOutput.BaseStream));
        _error = _process.StandardError.ReadToEndAsync();
        try
        {
            _process.StandardInput.BaseStream.Write(input);
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It did not want all of it.
        }
    }

    /// <summary>Sends a signal by its number.</summary>
    public void Send(int signal) => Assert.Equal(0, SendSignal(_process.Id, signal));

    /// <summary>As the OOM killer would.</summary>
    public void Kill() => _process.Kill();

    public ToolResult Wait()
    {
        if (!_process.WaitForExit(Patience))
        {
            _process.Kill(entireProcessTree: true);
            Assert.Fail($"It had not ended after {Patience}. Error: {_error.Result}");
        }
        return new ToolResult(_process.ExitCode, _output.Result, _error.Result);
    }

    /// <summary>Waits for something that it does.</summary>
    public void Until(Func<bool> condition)
    {
        for (var clock = Stopwatch.StartNew(); !condition(); Thread.Sleep(10))
        {
            if (_process.HasExited && !condition())
                Assert.Fail($"It ended before, with exit code {_process.ExitCode}: {_error.Result}");
            Assert.True(clock.Elapsed < Patience, "It was waited for in vain.");
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var all = new MemoryStream();
        stream.CopyTo(all);
        return all.ToArray();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
