namespace Checkpoint;

/// <summary>Which names are meant: one, or those that fit a pattern.</summary>
internal sealed class NamePattern
{
    private readonly string? _key;
    private readonly Func<string, bool>? _matches;

    private NamePattern(string? literal, Func<string, bool>? matches)
    {
        Literal = literal;
        _key = literal is null ? null : CheckpointNames.Key(literal);
        _matches = matches;
    }

    /// <summary>Every name.</summary>
    public static NamePattern Any { get; } = new(null, null);

    /// <summary>The one name that is meant, NFC, or null for a pattern.</summary>
    public string? Literal { get; }

    /// <summary>Whether every name is meant, even one that can no longer be read.</summary>
    public bool IsAny => Literal is null && _matches is null;

    /// <summary>One name.</summary>
    /// <param name="normalized">The name, NFC.</param>
    public static NamePattern Of(string normalized) => new(normalized, null);

    /// <summary>The names that fit.</summary>
    public static NamePattern Where(Func<string, bool> matches) => new(null, matches);

    public bool IsMatch(string name) => IsAny || (_matches?.Invoke(name) ?? CheckpointNames.Key(name) == _key);
}

/// <summary>Which stages are meant.</summary>
internal sealed class StageQuery
{
    public required NamePattern Pipeline { get; init; }

    /// <summary>The runs, or null for what belongs to no run.</summary>
    public NamePattern? Run { get; init; }

    public NamePattern Name { get; init; } = NamePattern.Any;

    /// <summary>Whether stages are meant too of which nothing is there but what saves left that were cut off, or a journal of items; for clearing.</summary>
    public bool WithLeftovers { get; init; }

    /// <summary>The one stage that is meant, or null where there may be several.</summary>
    public StageId? Stage => Pipeline.Literal is { } pipeline && Name.Literal is { } name && Run is null or { Literal: not null } ? new StageId(pipeline, Run?.Literal, name) : null;
}
