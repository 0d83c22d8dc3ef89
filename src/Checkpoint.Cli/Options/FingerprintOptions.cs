using System.CommandLine;

namespace Checkpoint.Cli;

/// <summary>What a result depends on.</summary>
internal sealed class FingerprintOptions
{
    private readonly Option<string[]> _texts = Inputs.Many("--fingerprint", "text", "What the result depends on: name=text, or a text. May stand several times.");
    private readonly Option<string[]> _files = Inputs.Many("--fingerprint-file", "file", "A file or folder whose content the result depends on, or name=file. May stand several times.");

    public IEnumerable<Option> All => [_texts, _files];

    /// <summary>The hashes of the parts; none where nothing is given.</summary>
    public Dictionary<string, byte[]> PartsOf(ParseResult line, CancellationToken cancellation) =>
        line.GetResult(_texts) is null && line.GetResult(_files) is null ? [] : TextFingerprint.PartsOf(line.GetValue(_texts) ?? [], line.GetValue(_files) ?? [], ContextOptions.ResolvePath, cancellation);

    /// <summary>The fingerprint, or null where nothing is given.</summary>
    public CheckpointFingerprint? Of(ParseResult line, CancellationToken cancellation) => PartsOf(line, cancellation) is { Count: > 0 } parts ? FingerprintHash.Combine(parts) : null;
}
