using System.CommandLine;
using System.CommandLine.Parsing;

namespace Checkpoint.Cli;

/// <summary>One call of the tool: what its command line means.</summary>
/// <param name="line">The command line.</param>
/// <param name="signals">What ends it.</param>
/// <param name="keep">How many steps are kept, where the command says so.</param>
internal sealed class Call(ParseResult line, Signals signals, int? keep = null)
{
    private CheckpointEngine? _engine;

    public ContextResolver Context { get; } = ContextOptions.Resolve(line, keep);

    public CancellationToken Cancellation => signals.Cancellation;

    public Signals Signals => signals;

    public CheckpointEngine Engine => _engine ??= new CheckpointEngine(ContextStores.Open(Context, Terminal.Warn, static () => { }), onHistoryFault: fault => Terminal.Warn(fault.Message), key: Context.Key.Value);

    public T? Get<T>(Option<T> option) => line.GetValue(option);

    public T Get<T>(Argument<T> argument) => line.GetValue(argument)!;

    /// <summary>The words of a command that is to be run: they stand behind --, so that no option of ours is taken for one of its, nor the other way round.</summary>
    /// <exception cref="InvalidArgumentException">Some stand before it.</exception>
    public string[] GetCommand(Argument<string[]> command)
    {
        var words = line.GetValue(command)!;
        var behind = line.Tokens.SkipWhile(token => token.Type != TokenType.DoubleDash).Skip(1).Count();
        if (words.Length == behind)
            return words;
        var (first, usage) = (words[0], $"checkpoint {line.CommandResult.Command.Name} {CommandLine.CommandUsage}");
        throw new InvalidArgumentException(first.StartsWith('-') ? $"There is no option '{first}'. The command, with its options, stands behind --: {usage}" : $"'{first}' stands before --. The command, with its options, stands behind it: {usage}");
    }

    /// <summary>The values of an option that may stand several times; null where it does not stand at all.</summary>
    public T[]? Get<T>(Option<T[]> option) => IsGiven(option) ? line.GetValue(option) : null;

    public bool IsGiven(Option option) => line.GetResult(option) is not null;

    /// <summary>The fingerprint that was given, or null.</summary>
    public CheckpointFingerprint? FingerprintOf(FingerprintOptions options) => options.Of(line, Cancellation);

    /// <summary>The hashes of its parts.</summary>
    public Dictionary<string, byte[]> PartsOf(FingerprintOptions options) => options.PartsOf(line, Cancellation);

    public RetryPolicy RetryOf(RetryOptions options) => options.Of(line);

    public StageId Stage(string name) => new(Context.Pipeline.Value, Context.Run.Value, name);

    /// <summary>What the tool means in a command that is run for a stage: what it saves there belongs to the same run. The key is not handed on.</summary>
    public IReadOnlyDictionary<string, string?> Environment => new Dictionary<string, string?>
    {
        [ContextResolver.StoreVariable] = Context.Store.Value,
        [ContextResolver.PipelineVariable] = Context.Pipeline.Value,
        [ContextResolver.RunVariable] = Context.Run.Value ?? "",
    };

    /// <summary>Warns of damage that was passed over.</summary>
    public static void WarnOf(IReadOnlyList<CheckpointException> damage, CheckpointInfo? used)
    {
        foreach (var fault in damage)
            Terminal.Warn(used is null ? fault.Message : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{fault.Message} Step {used.Step} counts instead."));
    }

    /// <summary>Warns where there is a key, and what is used is not encrypted.</summary>
    public static void WarnOf(string? doubt)
    {
        if (doubt is not null)
            Terminal.Warn(doubt);
    }

    /// <summary>The stages meant by a name. What is there by exactly that text is meant alone, though it may look like a wildcard.</summary>
    public async ValueTask<StageQuery> QueryAsync(string? name, bool withLeftovers = false)
    {
        var pipeline = await FindAsync(Context.Pipeline.Value, "pipeline", IsGiven(ContextOptions.Pipeline), async literal => await IsThereAsync(literal, null, NamePattern.Any) || await IsThereAsync(literal, NamePattern.Any, NamePattern.Any));
        var run = Context.Run.Value is { } id ? await FindAsync(id, "run", IsGiven(ContextOptions.Run), literal => IsThereAsync(pipeline, literal, NamePattern.Any)) : null;
        var named = name is null ? NamePattern.Any : await FindAsync(name, "checkpoint", true, literal => IsThereAsync(pipeline, run, literal));
        return new StageQuery { Pipeline = pipeline, Run = run, Name = named, WithLeftovers = withLeftovers };
    }

    /// <summary>The names meant by a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="what">What it names.</param>
    /// <param name="isTyped">Whether a person typed it: only that can be a wildcard, and not what a CI system says.</param>
    /// <param name="isThere">Whether something has just that name.</param>
    public static async ValueTask<NamePattern> FindAsync(string text, string what, bool isTyped, Func<NamePattern, ValueTask<bool>> isThere)
    {
        if (!isTyped || !Wildcard.IsPattern(text))
            return NamePattern.Of(CheckpointNames.Normalize(text, what));
        if (text != "*" && CheckpointNames.IsName(text) && NamePattern.Of(CheckpointNames.Normalize(text, what)) is var literal && await isThere(literal))
            return literal;
        return Wildcard.Parse(text, what);
    }

    /// <summary>Whether the history of some pipelines has a line.</summary>
    public async ValueTask<bool> HasHistoryAsync(NamePattern pipeline, Func<CheckpointEvent, bool> fits)
    {
        await foreach (var entry in Engine.Store.ReadHistoryAsync(pipeline, Cancellation))
        {
            if (fits(entry))
                return true;
        }
        return false;
    }

    /// <summary>Whether there is a stage that fits.</summary>
    public async ValueTask<bool> IsThereAsync(NamePattern pipeline, NamePattern? run, NamePattern name)
    {
        await foreach (var _ in Engine.Store.ListAsync(new StageQuery { Pipeline = pipeline, Run = run, Name = name }, Cancellation))
            return true;
        return false;
    }
}
