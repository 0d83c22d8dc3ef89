using System.Globalization;

namespace Checkpoint;

/// <summary>
/// A circuit breaker at work in one pipeline of one store. Its record is read without a lock and changed under a lease; who makes a trial keeps the lease until it
/// is over, so there is one at a time, and a process that dies in its trial blocks nobody.
/// </summary>
/// <param name="breaker">How it is to behave.</param>
/// <param name="store">Where its record is kept.</param>
/// <param name="pipeline">The pipeline, NFC.</param>
/// <param name="time">The clock.</param>
/// <param name="tell">Told of each change of state, on the caller's thread; or null.</param>
internal sealed class CircuitGate(CircuitBreaker breaker, CheckpointStore store, string pipeline, TimeProvider time, Action<CircuitChange>? tell)
{
    private const string Advice = "The stage was not run. Run it again later, or let it wait with -Retry and -RetryDelay.";

    // Who has to count a failure waits so long for another who is about the same.
    private static readonly TimeSpan WaitPause = TimeSpan.FromMilliseconds(20);

    private readonly DocumentName _document = new(pipeline, DriverKeys.Breaker, breaker.Name);

    /// <summary>Asks for a call.</summary>
    /// <returns>To be disposed of when the call is over. A call of which neither success nor failure is told, such as one that was cancelled, does not count.</returns>
    /// <exception cref="CircuitOpenException">The call may not be made now.</exception>
    /// <exception cref="CheckpointException">An error of the store.</exception>
    public async ValueTask<CircuitCall> EnterAsync(CancellationToken cancellation)
    {
        var record = await LookAsync(cancellation);
        if (record.State == CircuitState.Closed)
            return new CircuitCall(this, record.Changes, null);
        var attempt = await LeaseAsync(cancellation);
        try
        {
            // Much may have happened until the lease was had, or refused.
            record = await LookAsync(cancellation);
            if (record.State == CircuitState.Closed)
            {
                attempt.Lease?.Dispose();
                return new CircuitCall(this, record.Changes, null);
            }
            if (attempt.Lease is null)
                throw new CircuitOpenException($"{Words(record)}: another call is its trial ({attempt.Holder?.ToString() ?? "it does not say whose"}), and one is made at a time. {Advice}");
            if (record.State == CircuitState.Open)
            {
                record = record.To(CircuitState.HalfOpen, time.GetUtcNow());
                await WriteAsync(record, cancellation);
                Tell(record, "it was open long enough, a call is made for trial");
            }
            return new CircuitCall(this, record.Changes, attempt.Lease);
        }
        catch
        {
            attempt.Lease?.Dispose();
            throw;
        }
    }

    /// <summary>Counts a call that is over.</summary>
    /// <param name="began">The number of changes when it began.</param>
    /// <param name="trial">The lease of a call that was a trial, disposed of by this; else null.</param>
    /// <param name="error">What it failed with, or null.</param>
    /// <param name="cancellation">Ends the waiting for others.</param>
    public async ValueTask CountAsync(long began, IDisposable? trial, string? error, CancellationToken cancellation)
    {
        CircuitRecord changed;
        string? reason;
        using (var lease = trial ?? await LeaseForCountAsync(began, error, cancellation))
        {
            if (lease is null)
                return;
            var record = await ReadAsync(cancellation);
            if (record.Changes != began)
                return;
            (changed, reason) = Judge(record, error);
            await WriteAsync(changed, cancellation);
        }
        if (reason is not null)
            Tell(changed, reason);
    }

    // What a call's end makes of the record, and why where that is another state.
    private (CircuitRecord Changed, string? Reason) Judge(CircuitRecord record, string? error)
    {
        var now = time.GetUtcNow();
        if (record.State == CircuitState.Closed)
        {
            if (error is null)
                return (record with { Failures = 0 }, null);
            var failures = record.Failures + 1;
            return failures < breaker.FailureThreshold
                ? (record with { Failures = failures, LastError = error }, null)
                : (Opened(error), Invariant($"{failures} {(failures == 1 ? "call" : "calls in a row")} failed, the last with: {error}"));
        }
        if (error is not null)
            return (Opened(error), $"the trial failed: {error}");
        var successes = record.Successes + 1;
        return successes < breaker.SuccessThreshold
            ? (record with { Successes = successes }, null)
            : (record.To(CircuitState.Closed, now), Invariant($"{successes} {(successes == 1 ? "trial" : "trials in a row")} succeeded"));

        CircuitRecord Opened(string cause) => record.To(CircuitState.Open, now) with { OpenUntil = now + breaker.OpenFor, LastError = cause };
    }

    private async ValueTask<CircuitRecord> LookAsync(CancellationToken cancellation)
    {
        var record = await ReadAsync(cancellation);
        // Where the clock was set back since, or is another machine's that is behind, nobody can say how long it is to be open still: a trial is made.
        return record is { State: CircuitState.Open, OpenUntil: { } until } && time.GetUtcNow() is var now && now < until && now >= record.Since
            ? throw new CircuitOpenException(Invariant($"{Words(record)} until {until:u}; the last failure was: {record.LastError?.TrimEnd('.')}. {Advice}"))
            : record;
    }

    // Nobody else is kept from counting for longer than a write; but who makes a trial has the lease, and then this call no longer counts.
    private async ValueTask<IDisposable?> LeaseForCountAsync(long began, string? error, CancellationToken cancellation)
    {
        while (await ReadAsync(cancellation) is var record && record.Changes == began && (error is not null || record.Failures > 0))
        {
            if ((await LeaseAsync(cancellation)).Lease is { } lease)
                return lease;
            await Task.Delay(WaitPause, time, cancellation);
        }
        return null;
    }

    private ValueTask<LeaseAttempt> LeaseAsync(CancellationToken cancellation) =>
        store.TryLeaseAsync(new LeaseName(_document), LeaseHolder.Self(time), cancellation);

    private async ValueTask<CircuitRecord> ReadAsync(CancellationToken cancellation)
    {
        var fresh = new CircuitRecord { Pipeline = pipeline, Name = breaker.Name };
        try
        {
            if (await store.ReadDocumentAsync(_document, cancellation) is not { } bytes)
                return fresh;
            var record = CircuitFormat.Parse(bytes);
            return new DocumentName(record.Pipeline, _document.Kind, record.Name).IsSame(_document) ? record
                : throw new InvalidDataException($"it belongs to another one, '{record.Name}' of pipeline '{record.Pipeline}'");
        }
        catch (InvalidDataException e)
        {
            // Work does not stop for a count that was lost. What was under way under the old record is not to be counted.
            fresh = fresh.To(CircuitState.Closed, time.GetUtcNow()) with { Changes = time.GetUtcNow().Ticks };
            await WriteAsync(fresh, cancellation);
            Tell(fresh, $"its record in '{store.Location}' was damaged ({e.Message.TrimEnd('.')}), so it starts anew");
            return fresh;
        }
        catch (RecordTooNewException e)
        {
            throw CheckpointErrors.CircuitTooNew(_document, store.Location, e.Version, CircuitFormat.Version);
        }
    }

    private ValueTask WriteAsync(CircuitRecord record, CancellationToken cancellation) => store.WriteDocumentAsync(_document, CircuitFormat.Serialize(record), cancellation);

    private void Tell(CircuitRecord record, string reason)
    {
        var change = new CircuitChange(breaker.Name, record.State, reason);
        Diagnostics.CircuitChanged(pipeline, change);
        tell?.Invoke(change);
    }

    private string Words(CircuitRecord record) => Invariant($"Circuit breaker '{breaker.Name}' of pipeline '{pipeline}' is {(record.State == CircuitState.Open ? "open" : "half-open")} since {record.Since:u}");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
