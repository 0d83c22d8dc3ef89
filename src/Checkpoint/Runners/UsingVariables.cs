using System.Management.Automation;
using System.Management.Automation.Language;

namespace Checkpoint;

/// <summary>
/// Takes the variables that a block names with <c>$using:</c> from its caller. The block is written anew with a plain variable in the place of each, for PowerShell itself gives
/// them to its own cmdlets alone.
/// </summary>
internal sealed class UsingVariables
{
    private const string Scope = "using:";
    private const string Prefix = "__using_";

    // What these are given runs elsewhere, and $using: in it means the variables of our block.
    private static readonly HashSet<string> Elsewhere = new(StringComparer.OrdinalIgnoreCase)
    {
        "ForEach-Object", "%", "foreach", "Invoke-Command", "icm", "Start-Job", "sajb", "Start-ThreadJob", "Invoke-CheckpointItem",
    };

    private UsingVariables(string script, IReadOnlyList<PSVariable> variables) => (Script, Variables) = (script, variables);

    /// <summary>The block's text, without its braces.</summary>
    public string Script { get; }

    /// <summary>The variables that the text needs.</summary>
    public IReadOnlyList<PSVariable> Variables { get; }

    /// <summary>Takes them. One that the caller does not have is left for PowerShell to complain of.</summary>
    public static UsingVariables Of(ScriptBlock block, PSVariableIntrinsics caller)
    {
        var text = block.ToString();
        var start = block.Ast.Extent.StartOffset + Math.Max(0, block.Ast.Extent.Text.IndexOf(text, StringComparison.Ordinal));
        var variables = new Dictionary<string, PSVariable>(StringComparer.OrdinalIgnoreCase);
        var uses = block.Ast.FindAll(ast => ast is UsingExpressionAst, searchNestedScriptBlocks: true).Where(ast => !IsElsewhere(ast, block.Ast)).OrderByDescending(ast => ast.Extent.StartOffset);
        foreach (UsingExpressionAst use in uses.Cast<UsingExpressionAst>())
        {
            var name = UsingExpressionAst.ExtractUsingVariable(use).VariablePath.UserPath;
            if (caller.Get(name) is not { } variable)
                continue;
            variables[name] = new PSVariable(Prefix + name, variable.Value);
            var at = text.IndexOf(Scope, use.Extent.StartOffset - start, StringComparison.OrdinalIgnoreCase);
            text = text.Remove(at, Scope.Length).Insert(at, Prefix);
        }
        return new UsingVariables(text, [.. variables.Values]);
    }

    private static bool IsElsewhere(Ast use, Ast block)
    {
        for (var ast = use.Parent; ast is not null && ast != block; ast = ast.Parent)
        {
            if (ast is ScriptBlockExpressionAst { Parent: CommandAst command } && command.GetCommandName() is { } name && Elsewhere.Contains(name))
                return true;
        }
        return false;
    }
}
