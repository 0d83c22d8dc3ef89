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
        "Invoke-Command", "icm", "Start-Job", "sajb", "Start-ThreadJob", "Invoke-CheckpointItem",
    };

    private static readonly HashSet<string> Loops = new(StringComparer.OrdinalIgnoreCase) { "ForEach-Object", "%", "foreach" };

    private UsingVariables(string script, IReadOnlyList<PSVariable> variables) => (Script, Variables) = (script, variables);

    /// <summary>The block's text, without its braces.</summary>
    public string Script { get; }

    /// <summary>The variables that the text needs.</summary>
    public IReadOnlyList<PSVariable> Variables { get; }

    /// <summary>Takes them.</summary>
    /// <exception cref="InvalidArgumentException">The caller does not have one of them.</exception>
    public static UsingVariables Of(ScriptBlock block, PSVariableIntrinsics caller)
    {
        var text = block.ToString();
        var start = block.Ast.Extent.StartOffset + Math.Max(0, block.Ast.Extent.Text.IndexOf(text, StringComparison.Ordinal));
        var variables = new Dictionary<string, PSVariable>(StringComparer.OrdinalIgnoreCase);
        var uses = block.Ast.FindAll(ast => ast is UsingExpressionAst, searchNestedScriptBlocks: true).Where(ast => !IsElsewhere(ast, block.Ast)).OrderByDescending(ast => ast.Extent.StartOffset);
        foreach (UsingExpressionAst use in uses.Cast<UsingExpressionAst>())
        {
            var name = UsingExpressionAst.ExtractUsingVariable(use).VariablePath.UserPath;
            var value = caller.GetValue(name);
            if (value is null && caller.Get(name) is null)
                throw new InvalidArgumentException($"The script block names $using:{name}, and there is no such variable where Invoke-CheckpointItem is called.");
            // Of $using:script:name and $using:env:name too a plain variable is made.
            var scope = name.LastIndexOf(':') + 1;
            var prefix = Prefix + name[..scope].Replace(':', '_');
            variables[name] = new PSVariable(prefix + name[scope..], value);
            var at = text.IndexOf(Scope, use.Extent.StartOffset - start, StringComparison.OrdinalIgnoreCase);
            text = text.Remove(at, Scope.Length + scope).Insert(at, prefix);
        }
        return new UsingVariables(text, [.. variables.Values]);
    }

    /// <summary>Refuses blocks among the values: each belongs to the session in which it was made, and can fail or hang in another.</summary>
    /// <exception cref="InvalidArgumentException">There is one.</exception>
    public void RefuseBlocks()
    {
        if (Variables.FirstOrDefault(v => v.Value is ScriptBlock or PSObject { BaseObject: ScriptBlock }) is { } block)
            throw new InvalidArgumentException($"$using:{block.Name[Prefix.Length..]} is a script block, which belongs to this session and cannot run in another. Hand over its text and make a block of it there by [scriptblock]::Create, or leave -ThrottleLimit out.");
    }

    private static bool IsElsewhere(Ast use, Ast block)
    {
        for (var ast = use.Parent; ast is not null && ast != block; ast = ast.Parent)
        {
            if (ast is ScriptBlockExpressionAst { Parent: CommandAst command } && command.GetCommandName() is { } name && (Elsewhere.Contains(name) || (Loops.Contains(name) && IsParallel(command))))
                return true;
        }
        return false;
    }

    private static bool IsParallel(CommandAst command) =>
        command.CommandElements.OfType<CommandParameterAst>().Any(p => p.ParameterName.Length > 1 && "Parallel".StartsWith(p.ParameterName, StringComparison.OrdinalIgnoreCase));
}
