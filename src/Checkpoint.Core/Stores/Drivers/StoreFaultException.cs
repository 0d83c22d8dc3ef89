namespace Checkpoint;

/// <summary>What a driver throws where its store fails. Its message says what happened, in a sentence without its end, and never a password; who catches it adds to whom, where, and what to do.</summary>
public sealed class StoreFaultException : Exception
{
    /// <param name="fault">The kind of failure.</param>
    /// <param name="message">What happened.</param>
    /// <param name="inner">The cause, or null.</param>
    public StoreFaultException(StoreFault fault, string message, Exception? inner = null)
        : base(message, inner) => Fault = fault;

    /// <summary>The kind of failure.</summary>
    public StoreFault Fault { get; }

    /// <summary>Whether nothing was done, and the same may succeed that is begun anew: a payload of which only its user has all must be sent once more. Default: false.</summary>
    public bool MayRepeat { get; init; }
}
