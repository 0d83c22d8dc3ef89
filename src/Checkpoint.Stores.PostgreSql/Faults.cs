using System.Net.Sockets;
using Npgsql;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>What the errors of the server and of the way to it mean.</summary>
internal static class Faults
{
    // What this process was too slow for, as after a pause; the server ended the session, and with it the transaction.
    private const string IdleInTransaction = "25P03";

    /// <summary>Whether the server itself refused, so that nothing was done. Where it says that it ends the session it may have done so after the commit.</summary>
    public static bool IsRefusal(Exception error) => Find(error) is { } refusal && !IsEnd(refusal.SqlState);

    /// <summary>Whether the same may succeed in a moment, here or on another host.</summary>
    /// <param name="error">The error.</param>
    /// <param name="wasReached">Whether the store was reached before: then no name in its address is misspelt, and one that is unknown now is that of a host that is gone.</param>
    public static bool MayPass(Exception error, bool wasReached = true) => error switch
    {
        StoreFaultException => false,
        _ when InChain<StoreFaultException>(error) => false,
        _ when Find(error) is { } refusal => IsEnd(refusal.SqlState) || refusal.SqlState is
            PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected
            or PostgresErrorCodes.LockNotAvailable or IdleInTransaction
            // Of a statement that was prepared before the schema was upgraded.
            or PostgresErrorCodes.FeatureNotSupported && refusal.Routine == "RevalidateCachedQuery",
        // A name that nobody knows is misspelt.
        _ when !wasReached && Chain(error).OfType<SocketException>().Any(e => e.SocketErrorCode is SocketError.HostNotFound) => false,
        NpgsqlException or IOException or SocketException or TimeoutException => true,
        // A connection that broke while it was used.
        ObjectDisposedException or InvalidOperationException => error.Source == "Npgsql",
        _ => false,
    };

    /// <summary>Whether the store is not there yet.</summary>
    public static bool IsNoStore(Exception error) => Find(error)?.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName;

    /// <summary>Whether the server does not take writes.</summary>
    public static bool IsReadOnly(Exception error) => Find(error)?.SqlState is PostgresErrorCodes.ReadOnlySqlTransaction;

    /// <summary>What the store's user is told.</summary>
    public static StoreFaultException Translate(Exception error, string database)
    {
        if (Chain(error).OfType<StoreFaultException>().FirstOrDefault() is { } known)
            return known;
        if (Find(error) is not { } refusal)
            return IsWithoutPrimary(error) ? new(StoreFault.ReadOnly, "none of its servers takes writes: each is a standby, or none can be reached", error) : new(StoreFault.Unavailable, Chain(error).Any(e => e is TimeoutException) ? "the server did not answer in time" : Words(error), error);
        var said = refusal.MessageText.TrimEnd('.');
        var (fault, words) = refusal.SqlState switch
        {
            PostgresErrorCodes.DiskFull or PostgresErrorCodes.OutOfMemory => (StoreFault.Full, said),
            PostgresErrorCodes.ReadOnlySqlTransaction => (StoreFault.ReadOnly, $"none of its servers takes writes ({said})"),
            PostgresErrorCodes.InvalidCatalogName => (StoreFault.Unavailable, $"{said}; make it with createdb, or name another one"),
            PostgresErrorCodes.InsufficientPrivilege => (StoreFault.AccessDenied, said),
            PostgresErrorCodes.QueryCanceled => (StoreFault.Unavailable, "the statement took longer than the server allows (statement_timeout)"),
            ['2', '8', ..] => (StoreFault.AccessDenied, said),
            // Program limits: what is to be saved does not fit.
            ['5', '4', ..] => (StoreFault.Full, said),
            _ => (StoreFault.Unavailable, $"{said} (SQLSTATE {refusal.SqlState}, database '{database}')"),
        };
        return new(fault, words, error);
    }

    // What Npgsql says where it has looked at each host; there is no other sign of it.
    private static bool IsWithoutPrimary(Exception error) => error is NpgsqlException && error.Message.StartsWith("No suitable host", StringComparison.Ordinal);

    private static bool IsEnd(string state) => state is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow or ['0', '8', ..];

    private static PostgresException? Find(Exception error)
    {
        var all = Chain(error).OfType<PostgresException>().ToList();
        // Of several hosts that which says most: a wrong password rather than that a server is starting.
        return all.Find(e => !IsEnd(e.SqlState)) ?? all.FirstOrDefault();
    }

    private static bool InChain<T>(Exception error) => Chain(error).OfType<T>().Any();

    private static IEnumerable<Exception> Chain(Exception error) => new[] { error }.Concat(error switch
    {
        AggregateException several => several.InnerExceptions.SelectMany(Chain),
        { InnerException: { } inner } => Chain(inner),
        _ => [],
    });

    // The innermost says what happened, in the words of the operating system; of several hosts each does.
    private static string Words(Exception error) => error switch
    {
        AggregateException several => string.Join("; ", several.InnerExceptions.Select(Words).Distinct()),
        { InnerException: AggregateException several } => Words(several),
        { InnerException: { } inner } when inner is not SocketException => Words(inner),
        _ => error.Message.TrimEnd('.'),
    };
}
