using System.Diagnostics;

namespace Checkpoint.Tests;

/// <summary>A network of its own for processes, with one cable to this machine, which can be pulled: then nothing arrives, and nobody is told. Needs Linux and root.</summary>
internal sealed class NetworkCable : IDisposable
{
    private readonly string _name;

    private NetworkCable(string name, int number) => (_name, Address) = (name, $"10.213.{number}.1");

    /// <summary>The address of this machine at the end of the cable.</summary>
    public string Address { get; }

    /// <summary>What starts a program in that network.</summary>
    public string[] Launcher => ["ip", "netns", "exec", _name];

    /// <returns>Null where the machine does not allow it.</returns>
    public static NetworkCable? TryMake()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root" || !(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(f => File.Exists(Path.Join(f, "ip"))))
            return null;
        var number = Environment.ProcessId % 250;
        // A name of an interface has 15 characters at most.
        var cable = new NetworkCable($"ckpt{Environment.ProcessId}", number);
        if (Run("netns", "add", cable._name)
            && Run("link", "add", $"{cable._name}a", "type", "veth", "peer", "name", $"{cable._name}b", "netns", cable._name)
            && Run("addr", "add", $"{cable.Address}/30", "dev", $"{cable._name}a") && Run("link", "set", $"{cable._name}a", "up")
            && Run("-n", cable._name, "addr", "add", $"10.213.{number}.2/30", "dev", $"{cable._name}b") && Run("-n", cable._name, "link", "set", $"{cable._name}b", "up"))
            return cable;
        cable.Dispose();
        return null;
    }

    public void Cut() => Assert.True(Run("link", "set", $"{_name}a", "down"));

    public void Restore() => Assert.True(Run("link", "set", $"{_name}a", "up"));

    public void Dispose()
    {
        Run("link", "del", $"{_name}a");
        Run("netns", "del", _name);
    }

    private static bool Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
