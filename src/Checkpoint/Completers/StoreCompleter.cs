using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Checkpoint;

/// <summary>Completes from what is in the store that the command line means. What goes wrong gives no completions: a Tab key is no place for errors.</summary>
public abstract class StoreCompleter : IArgumentCompleter
{
    // More would neither be read by a person nor come in time.
    private const int MaxResults = 500;

    // To PowerShell the typographic double quotes are double quotes too.
    private const string SpecialInDoubleQuotes = "`$\"\u201C\u201D\u201E";

    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        try
        {
            var quote = wordToComplete.Length > 0 && wordToComplete[0] is '\'' or '"' ? wordToComplete[..1] : "";
            var prefix = WildcardPattern.Escape(wordToComplete.Trim('\'', '"').Normalize()) + "*";
            var pattern = WildcardPattern.Get(prefix, WildcardOptions.IgnoreCase | WildcardOptions.CultureInvariant);
            // To the cmdlets that take patterns * is every name, also where one stage has it for its name.
            var isPattern = commandName is "Get-Checkpoint" or "Clear-Checkpoint";
            return Complete(new CompletionScope(fakeBoundParameters), pattern.IsMatch).Take(MaxResults)
                .Select(c => (c.Text, c.Tip, Word: isPattern && c.Text == "*" ? "`*" : c.Text))
                .Select(c => new CompletionResult(IsText ? Quote(c.Word, quote) : c.Word, c.Text, CompletionResultType.ParameterValue, c.Tip)).ToList();
        }
        catch (Exception e) when (e is CheckpointException or IOException or UnauthorizedAccessException or ArgumentException or RuntimeException)
        {
            return [];
        }
    }

    /// <summary>Whether the completions are texts, which may need quotes; else numbers.</summary>
    private protected virtual bool IsText => true;

    private protected abstract IEnumerable<(string Text, string Tip)> Complete(CompletionScope scope, Func<string, bool> matches);

    private static string Quote(string text, string quote)
    {
        // 007 and 1kb would be numbers.
        var isWord = text.All(c => char.IsLetterOrDigit(c) || c is '_' or '-' or '.') && !text.StartsWith('-') && !char.IsAsciiDigit(text[0]) && text[0] != '.';
        if (quote == "\"")
            return '"' + string.Concat(text.Select(c => SpecialInDoubleQuotes.Contains(c) ? $"`{c}" : c.ToString())) + '"';
        return isWord && quote.Length == 0 ? text : $"'{CodeGeneration.EscapeSingleQuotedStringContent(text)}'";
    }
}

/// <summary>The context of a command line that is being written.</summary>
internal sealed class CompletionScope
{
    private readonly IDictionary _bound;
    private readonly ContextResolver _context;

    public CompletionScope(IDictionary bound)
    {
        _bound = bound;
        _context = new ContextResolver(
            new ContextSettings { Store = Setting("Store"), Pipeline = Setting("Pipeline"), Run = Setting("Run") },
            SessionContext.Current,
            Environment.GetEnvironmentVariable,
            path => path);
    }

    public NamePattern Pipeline => NamePattern.Of(CheckpointNames.Normalize(_context.Pipeline.Value, "pipeline"));

    public NamePattern? Run => _context.Run.Value is { } run ? NamePattern.Of(CheckpointNames.Normalize(run, "run")) : null;

    public string? Name => _bound["Name"]?.ToString();

    public IEnumerable<StageListing> List(NamePattern pipeline, NamePattern? run, NamePattern name)
    {
        var path = StorePath.Resolve(SessionPath(), _context.Store.Value);
        return StoreRegistry.Get(path).ListAsync(new StageQuery { Pipeline = pipeline, Run = run, Name = name }, CancellationToken.None).ToBlockingEnumerable();
    }

    // Completion runs inside a pipeline, where the runspace's own proxy of the session refuses to answer.
    private static PathIntrinsics SessionPath()
    {
        using var session = PowerShell.Create(RunspaceMode.CurrentRunspace);
        return (PathIntrinsics)session.AddScript("$ExecutionContext.SessionState.Path").Invoke()[0].BaseObject;
    }

    private ContextSetting<string> Setting(string name) => _bound.Contains(name) ? new(_bound[name]?.ToString()) : default;
}
