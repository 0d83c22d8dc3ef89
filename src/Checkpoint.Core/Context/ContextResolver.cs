using System.Globalization;

namespace Checkpoint;

/// <summary>Finds what a call means: the parameter, else this session's setting, else our environment variable, else the CI system's, else the default.</summary>
/// <param name="parameters">What the call itself says.</param>
/// <param name="session">What Set-CheckpointContext said in this runspace.</param>
/// <param name="environment">Gives an environment variable, or null where it is not set.</param>
/// <param name="resolvePath">Makes a store that the environment names, or the default, absolute.</param>
internal sealed class ContextResolver(ContextSettings parameters, ContextSettings session, Func<string, string?> environment, Func<string, string> resolvePath)
{
    public const string DefaultStore = ".checkpoints";
    public const string DefaultPipeline = "default";
    public const string StoreVariable = "CHECKPOINT_STORE";
    public const string PipelineVariable = "CHECKPOINT_PIPELINE";
    public const string RunVariable = "CHECKPOINT_RUN";
    public const string KeyVariable = "CHECKPOINT_KEY";
    public const string KeepVariable = "CHECKPOINT_KEEP";
    public const string ReplicaVariable = "CHECKPOINT_REPLICA";
    public const string ReplicaModeVariable = "CHECKPOINT_REPLICA_MODE";

    /// <summary>The source of a value that nothing says.</summary>
    public const string Default = "default";

    private const string Parameter = "parameter";
    private const string Session = "Set-CheckpointContext";

    // Ids that stay the same when a failed job is run again.
    private static readonly string[] CIRun = ["GITHUB_RUN_ID", "BUILD_BUILDID"];
    private static readonly string[] CIPipeline = ["GITHUB_WORKFLOW", "BUILD_DEFINITIONNAME"];

    public ContextValue<string> Store => Located(parameters.Store, session.Store);

    /// <summary>The replica, or null for none. It is that of the store it was set with: a call that names another store has none.</summary>
    /// <exception cref="InvalidArgumentException">The environment names no mode.</exception>
    public ContextValue<string?> Replica
    {
        get
        {
            var isSession = session.Replica.IsSet;
            var location = isSession ? session.Replica.Value : environment(ReplicaVariable);
            if (location is not null && !IsSameStore(Store.Value, Located(default, isSession ? session.Store : default).Value))
                return new(null, Default);
            if (string.IsNullOrEmpty(location))
                return new(null, isSession ? session.Replica.Source ?? Session : location is null ? Default : ReplicaVariable);
            return isSession ? new(location, session.Replica.Source ?? Session) : new(resolvePath(location), ReplicaVariable);
        }
    }

    /// <summary>When a save is done where there is a replica.</summary>
    /// <exception cref="InvalidArgumentException">The environment names no mode.</exception>
    public ContextValue<ReplicaMode> ReplicaMode
    {
        get
        {
            if (session.ReplicaMode is { IsSet: true, Value: { } mode })
                return new(mode, session.ReplicaMode.Source ?? Session);
            if (environment(ReplicaModeVariable) is not { Length: > 0 } text)
                return new(default, Default);
            return text.All(char.IsAsciiLetter) && Enum.TryParse<ReplicaMode>(text, ignoreCase: true, out var given)
                ? new(given, ReplicaModeVariable)
                : throw new InvalidArgumentException($"The environment variable {ReplicaModeVariable} is '{text}'. It must be {string.Join(" or ", Enum.GetNames<ReplicaMode>())}.");
        }
    }

    public ContextValue<string> Pipeline
    {
        get
        {
            var (value, source) = Find(parameters.Pipeline, session.Pipeline, PipelineVariable, CIPipeline);
            return new(value ?? DefaultPipeline, source);
        }
    }

    public ContextValue<string?> Run => Find(parameters.Run, session.Run, RunVariable, CIRun);

    /// <summary>What everything is encrypted with that is saved, and opened with that is read; null for nothing.</summary>
    /// <exception cref="InvalidArgumentException">The environment variable holds no key.</exception>
    public ContextValue<CheckpointKey?> Key
    {
        get
        {
            if (parameters.Key.IsSet)
                return new(parameters.Key.Value, Parameter);
            if (session.Key.IsSet)
                return new(session.Key.Value, session.Key.Source ?? Session);
            return environment(KeyVariable) is { } text ? new(text.Length == 0 ? null : CheckpointKey.FromText(text, KeyVariable), KeyVariable) : new(null, Default);
        }
    }

    /// <exception cref="InvalidArgumentException">The environment variable is no whole number above 0.</exception>
    public ContextValue<int?> Keep
    {
        get
        {
            if (parameters.Keep.IsSet)
                return new(parameters.Keep.Value, Parameter);
            if (session.Keep.IsSet)
                return new(session.Keep.Value, Session);
            if (environment(KeepVariable) is not { } text)
                return new(null, Default);
            if (text.Length == 0)
                return new(null, KeepVariable);
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var keep) && keep > 0
                ? new(keep, KeepVariable)
                : throw new InvalidArgumentException($"The environment variable {KeepVariable} is '{text}'. It must be a whole number above 0, or empty to keep everything.");
        }
    }

    /// <summary>All values, for a person to see.</summary>
    public CheckpointContext Resolve() => new(new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        [nameof(Store)] = Store.Source,
        [nameof(Pipeline)] = Pipeline.Source,
        [nameof(Run)] = Run.Source,
        [nameof(Key)] = Key.Source,
        [nameof(Keep)] = Keep.Source,
        [nameof(Replica)] = Replica.Source,
        [nameof(ReplicaMode)] = ReplicaMode.Source,
    })
    {
        Store = StoreRegistry.Shown(Store.Value),
        Replica = Replica.Value is { } replica ? StoreRegistry.Shown(replica) : null,
        ReplicaMode = Replica.Value is null ? null : ReplicaMode.Value,
        Pipeline = Pipeline.Value,
        Run = Run.Value,
        Key = Key.Value?.ToString(),
        Keep = Keep.Value,
    };

    // Written with a slash at its end, or with its password, it is the same.
    private static bool IsSameStore(string a, string b) => a == b || StoreRegistry.Get(a).Location == StoreRegistry.Get(b).Location;

    private ContextValue<string> Located(ContextSetting<string> parameter, ContextSetting<string> setting)
    {
        var (value, source) = Find(parameter, setting, StoreVariable, []);
        return new((parameter.IsSet || setting.IsSet) && value is not null ? value : resolvePath(value ?? DefaultStore), source);
    }

    // An empty text says "none", and so ends the search.
    private ContextValue<string?> Find(ContextSetting<string> parameter, ContextSetting<string> setting, string variable, string[] ci)
    {
        if (parameter.IsSet)
            return new(NullIfEmpty(parameter.Value), Parameter);
        if (setting.IsSet)
            return new(NullIfEmpty(setting.Value), setting.Source ?? Session);
        if (environment(variable) is { } value)
            return new(NullIfEmpty(value), variable);
        foreach (var name in ci)
        {
            if (environment(name) is { Length: > 0 } given)
                return new(given, name);
        }
        return new(null, Default);
    }

    private static string? NullIfEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
