namespace Checkpoint;

/// <summary>A value that was set, be it to nothing, or that was not set.</summary>
/// <typeparam name="T">The value's type.</typeparam>
internal readonly record struct ContextSetting<T>
{
    /// <param name="value">The value, or null for none.</param>
    /// <param name="source">Who set it, where that is not plain from where it stands.</param>
    public ContextSetting(T? value, string? source = null)
    {
        IsSet = true;
        Value = value;
        Source = source;
    }

    public bool IsSet { get; }

    public T? Value { get; }

    public string? Source { get; }
}
