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
        return code;
    }
}
