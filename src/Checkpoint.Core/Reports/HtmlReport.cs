using System.Security.Cryptography;
using System.Text;

namespace Checkpoint;

/// <summary>A report as one page: all that it needs is in it, and its own policy forbids it to ask for anything else.</summary>
/// <remarks>Content Security Policy Level 3, https://www.w3.org/TR/CSP3/: the script and the style are named by their hashes, so that nothing in the data can become either.</remarks>
internal static class HtmlReport
{
    private static readonly string Template = Resource("report.html"), Style = Resource("report.css"), Script = Resource("report.js");

    /// <summary>What the page may do, and nothing else.</summary>
    /// <param name="connects">Whether it may ask where it came from for news.</param>
    public static string Policy(bool connects) =>
        $"default-src 'none'; style-src '{Hash(Style)}'; script-src '{Hash(Script)}'; img-src data:; connect-src {(connects ? "'self'" : "'none'")}; base-uri 'none'; form-action 'none'";

    /// <summary>Writes the page.</summary>
    /// <param name="data">What it shows: <see cref="ReportJson.Serialize"/>, in which nothing is markup.</param>
    /// <param name="policy">See <see cref="Policy"/>.</param>
    /// <param name="output">Where it goes.</param>
    /// <param name="cancellation">Ends the writing.</param>
    public static async ValueTask WriteAsync(ReadOnlyMemory<byte> data, string policy, Stream output, CancellationToken cancellation)
    {
        var page = Template.Replace("{{policy}}", policy, StringComparison.Ordinal).Replace("{{style}}", Style, StringComparison.Ordinal).Replace("{{script}}", Script, StringComparison.Ordinal);
        var parts = page.Split("{{data}}");
        await output.WriteAsync(Encoding.UTF8.GetBytes(parts[0]), cancellation);
        await output.WriteAsync(data, cancellation);
        await output.WriteAsync(Encoding.UTF8.GetBytes(parts[1]), cancellation);
    }

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(HtmlReport).Assembly.GetManifestResourceStream(name)!);
        // A checkout may have other line ends, and a browser hashes the text with line feeds.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
