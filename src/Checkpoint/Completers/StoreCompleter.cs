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
            var isPattern = commandName is "Get-Checkpoint" or "Clear-Checkpoint" or "Get-CheckpointRun" or "Get-CheckpointHistory"
                or "Export-CheckpointReport" or "Show-CheckpointDashboard" or "Watch-Checkpoint";
            return Complete(new CompletionScope(commandName, fakeBoundParameters), pattern.IsMatch).Take(MaxResults)
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
