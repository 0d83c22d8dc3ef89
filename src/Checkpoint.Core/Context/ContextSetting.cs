namespace Checkpoint;

/// <summary>A value that was set, be it to nothing, or that was not set.</summary>
/// <typeparam name="T">The value's type.</typeparam>
internal readonly struct ContextSetting<T>
{
    public ContextSetting(T? value)
    {
        IsSet = true;
        Value = value;
    }

    public bool IsSet { get; }

    public T? Value { get; }
}
