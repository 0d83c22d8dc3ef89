using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text;

namespace Checkpoint;

/// <summary>The hash of a script block by what it does: its tokens, and the tree that they form. Comments, white space and line breaks stand in neither.</summary>
internal static class ScriptFingerprint
{
    public static byte[] Hash(ScriptBlock block)
    {
        // The tree says what tokens alone do not: "write $a.B (1)" passes two arguments, "write $a.B(1)" calls a method.
        var source = block.Ast.Extent.Text;
        // The text of a literal has its braces, that of a block made from text has none.
        if (block.Ast is ScriptBlockAst { Parent: ScriptBlockExpressionAst } && source is ['{', .., '}'])
            source = source[1..^1];
        var ast = Parser.ParseInput(source, out var tokens, out _);
        var text = new StringBuilder();
        foreach (var token in tokens)
        {
            if (token.Kind is not (TokenKind.Comment or TokenKind.NewLine or TokenKind.Semi or TokenKind.LineContinuation or TokenKind.EndOfInput))
                text.Append(CultureInfo.InvariantCulture, $"{token.Kind}:{token.Text.Length}:{token.Text};");
        }
        foreach (var node in ast.FindAll(static _ => true, searchNestedScriptBlocks: true))
            text.Append(CultureInfo.InvariantCulture, $"{Depth(node)}:{node.GetType().Name};");
        return FingerprintHash.Scalar("script", text.ToString());
    }

    private static int Depth(Ast node)
    {
        var depth = 0;
        for (var parent = node.Parent; parent is not null; parent = parent.Parent)
            depth++;
        return depth;
    }
}
