using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;

namespace Checkpoint;

/// <summary>The leases that Lock-Checkpoint took, for each runspace its own. They end with the runspace, and with the process.</summary>
internal sealed class SessionLeases
{
    private static readonly ConditionalWeakTable<Runspace, SessionLeases> OfRunspaces = [];

    // Those of runspaces that are gone are given back by then; the table does not keep them, so this does.
    private static readonly HashSet<SessionLeases> Living = [];

    private readonly Dictionary<(string Store, StageId Stage), Lease> _leases = [];

    static SessionLeases() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        SessionLeases[] left;
        lock (Living)
            left = [.. Living];
        foreach (var leases in left)
            leases.ReleaseAll();
    };

    /// <summary>The leases of this runspace.</summary>
    public static SessionLeases Current => OfRunspaces.GetValue(Runspace.DefaultRunspace, static runspace =>
    {
        var leases = new SessionLeases();
        lock (Living)
            Living.Add(leases);
        runspace.StateChanged += (_, e) =>
        {
            if (e.RunspaceStateInfo.State is RunspaceState.Closed or RunspaceState.Closing or RunspaceState.Broken)
                leases.ReleaseAll();
        };
        return leases;
    });

    /// <summary>The lease of a stage, lost or not; null where this session has none.</summary>
    public static Lease? Find(string store, StageId stage) => FindIn(store)(stage);

    /// <summary>The same for any stage of a store and for any thread: it is the session of this one that counts.</summary>
    public static Func<StageId, Lease?> FindIn(string store) =>
        Runspace.DefaultRunspace is { } runspace && OfRunspaces.TryGetValue(runspace, out var leases) ? stage => leases.Get(store, stage) : static _ => null;

    public void Add(string store, StageId stage, Lease lease)
    {
        lock (_leases)
            _leases[(store, stage)] = lease;
    }

    /// <summary>Takes a lease out; the caller gives it back.</summary>
    public Lease? Take(string store, StageId stage)
    {
        lock (_leases)
            return _leases.Remove((store, stage), out var lease) ? lease : null;
    }

    private Lease? Get(string store, StageId stage)
    {
        lock (_leases)
            return _leases.GetValueOrDefault((store, stage));
    }

    private void ReleaseAll()
    {
        lock (Living)
            Living.Remove(this);
        List<Lease> left;
        lock (_leases)
        {
            left = [.. _leases.Values];
            _leases.Clear();
        }
        foreach (var lease in left)
            lease.Dispose();
    }
}
