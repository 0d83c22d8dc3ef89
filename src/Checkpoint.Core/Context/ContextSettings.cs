namespace Checkpoint;

/// <summary>The values that a caller set itself: the parameters of a call, or those of Set-CheckpointContext.</summary>
internal sealed record ContextSettings
{
    public ContextSetting<string> Store { get; init; }

    public ContextSetting<string> Pipeline { get; init; }

    public ContextSetting<string> Run { get; init; }

    public ContextSetting<int?> Keep { get; init; }
}

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

/// <summary>A resolved value and where it comes from.</summary>
/// <typeparam name="T">The value's type.</typeparam>
internal readonly record struct ContextValue<T>(T Value, string Source);
