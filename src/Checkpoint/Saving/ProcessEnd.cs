using System.Management.Automation;
using System.Management.Automation.Host;
using System.Runtime.InteropServices;

namespace Checkpoint;

/// <summary>
/// Has the process wait at its end for the saves that go on behind the work, and for what replicas are still to get. What failed and nobody was told of is told then, on the host's error stream, and the
/// exit code says so too.
/// </summary>
/// <remarks>
/// ProcessExit comes when a script or a session ends, by <c>exit</c>, by an error, by Ctrl+C, and by Environment.Exit. SIGTERM and SIGHUP do not bring it since .NET 10, so they
/// are waited on as well. The process of a job is killed as soon as its runspace is closed, which waits for the handlers of Exiting. Nothing comes when a process is killed; the store is whole then and lacks what was not committed.
/// </remarks>
internal static class ProcessEnd
{
    /// <summary>For how long a replica may not take what it is to get.</summary>
    private static readonly TimeSpan ReplicaPatience = TimeSpan.FromMinutes(1);

    private const string RemoteHost = "ServerRemoteHost";
    private const string DefaultHost = "Default Host";

    private static readonly PSEventReceivedEventHandler Closing = (_, _) => End();
    private static readonly object Gate = new();
    private static readonly List<PosixSignalRegistration> Signals = [];
    private static readonly List<string> LastLines = [];
    private static PSHost? _host;

    /// <summary>To be called before something goes behind the work.</summary>
    /// <param name="host">Who tells the user at the end.</param>
    /// <param name="events">Those of the runspace.</param>
    public static void Watch(PSHost host, PSEventManager events)
    {
        if (host.Name == RemoteHost && !events.GetEventSubscribers(PSEngineEvent.Exiting).Any(s => s.HandlerDelegate == Closing))
            events.SubscribeEvent(null, null, PSEngineEvent.Exiting, null, Closing, supportEvent: true, forwardEvent: false);
        lock (Gate)
        {
            if (_host is null)
            {
                AppDomain.CurrentDomain.ProcessExit += (_, _) => End();
                Signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => End()));
                Signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, _ => End()));
            }
            if (_host is null || !IsSilent(host))
                _host = host;
        }
    }

    /// <summary>Whether it is the host of a runspace that has none of its own, as in <c>ForEach-Object -Parallel</c> and thread jobs: what is written to it is lost.</summary>
    public static bool IsSilent(PSHost host) => host.Name == DefaultHost;

    /// <summary>Has the host write a line when the process ends, once however often it is asked for.</summary>
    public static void SayAtEnd(PSHost host, PSEventManager events, string line)
    {
        Watch(host, events);
        lock (Gate)
        {
            if (!LastLines.Contains(line))
                LastLines.Add(line);
        }
    }

    private static void End()
    {
        lock (Gate)
        {
            LastLines.ForEach(line => Tell(ui => ui.WriteLine(line)));
            LastLines.Clear();
        }
        PendingSaves.OfProcess.Wait((_, _) => true, CancellationToken.None);
        while (PendingSaves.OfProcess.TakeFailure((_, _) => true, warning => Tell("WARNING: " + warning.Message), out _) is { } failure)
        {
            Tell(failure.Message);
            if (Environment.ExitCode == 0)
                Environment.ExitCode = 1;
        }
        FinishReplicas();
    }

    /// <summary>Has replicas get what they are still to get, and tells what they missed. The store has it all, so this is no failure.</summary>
    public static void FinishReplicas()
    {
        foreach (var news in ReplicaQueue.FinishAll(ReplicaPatience))
            Tell("WARNING: " + news);
    }

    private static void Tell(string message) => Tell(ui => ui.WriteErrorLine(LogText.Shown(message)));

    private static void Tell(Action<PSHostUserInterface> say)
    {
        try
        {
            if (_host?.UI is { } ui)
                say(ui);
        }
        catch (Exception)
        {
            // Not every host can say anything at that time; the exit code is left.
        }
    }
}
