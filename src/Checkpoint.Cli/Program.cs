namespace Checkpoint.Cli;

/// <summary>The tool <c>checkpoint</c>.</summary>
internal static class Program
{
    /// <summary>For how long a replica may not take what it is to get.</summary>
    private static readonly TimeSpan ReplicaPatience = TimeSpan.FromMinutes(1);

    private static async Task<int> Main(string[] arguments)
    {
        using var signals = new Signals();
        var code = await CommandLine.RunAsync(arguments, signals);
        foreach (var news in ReplicaQueue.FinishAll(ReplicaPatience))
            Terminal.Warn(news);
        Terminal.Flush();
        if (Terminal.OutputFault is not { } fault)
            return code;
        Messages.Tell($"the standard output could not be written: {fault}. What was saved is saved; call again with an output that can be written.");
        return code == ExitCode.Done ? ExitCode.Failed : code;
    }
}
