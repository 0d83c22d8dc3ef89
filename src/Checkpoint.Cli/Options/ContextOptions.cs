using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Checkpoint.Cli;

/// <summary>The options that every command has: where checkpoints are kept, and with which key. What is not given is what the environment says, as it is for the cmdlets.</summary>
internal static class ContextOptions
{
    public static readonly Option<string> Store = Of(Inputs.Text("--store", "place", "A folder, or a URI such as postgresql://host/database. Default: CHECKPOINT_STORE, else .checkpoints here."));

    public static readonly Option<string> Pipeline = Of(Inputs.Text("--pipeline", "name", "The pipeline. Default: CHECKPOINT_PIPELINE, else that of the CI system, else 'default'."));

    public static readonly Option<string> Run = Of(Inputs.Text("--run", "name", "The run; '' for none. Default: CHECKPOINT_RUN, else that of the CI system, else none."));

    public static readonly Option<string> KeyFile = Of(Inputs.Text("--key-file", "file", "The key is in this file: a passphrase, or base64: and 32 bytes. Default: CHECKPOINT_KEY, else none."));

    public static readonly Option<string> KeyEnvironment = Of(Inputs.Text("--key-env", "variable", "The key is in this environment variable."));

    public static readonly Option<string> KeyCertificate = Of(Inputs.Text("--key-certificate", "file", "The key is this certificate: PEM, with its private key where something is read, or PFX without a password."));

    public static readonly Option<bool> NoKey = Of(Inputs.Flag("--no-key", "No key, whatever the environment says."));

    public static readonly Option<bool> Verbose = Of(Inputs.Flag("--verbose", "Say on the standard error what is done, and why."));

    static ContextOptions()
    {
        Pipeline.CompletionSources.Add(StoreCompletion.Pipelines);
        Run.CompletionSources.Add(StoreCompletion.Runs);
    }

    public static IEnumerable<Option> All => [Store, Pipeline, Run, KeyFile, KeyEnvironment, KeyCertificate, NoKey, Verbose];

    /// <summary>What the command line means.</summary>
    /// <param name="line">The command line.</param>
    /// <param name="keep">How many steps are kept, where the command has an option for it.</param>
    /// <exception cref="InvalidArgumentException">The key cannot be meant.</exception>
    public static ContextResolver Resolve(ParseResult line, int? keep = null)
    {
        var settings = new ContextSettings
        {
            Store = Setting(line, Store) is { IsSet: true } store ? new(string.IsNullOrEmpty(store.Value) ? null : ResolvePath(store.Value)) : default,
            Pipeline = Setting(line, Pipeline),
            Run = Setting(line, Run),
            Key = Key(line),
            Keep = keep is null ? default : new(keep),
        };
        return new ContextResolver(settings, new ContextSettings(), Environment.GetEnvironmentVariable, ResolvePath);
    }

    /// <summary>A location as a full one. PowerShell knows ~ in a variable too, where no shell has replaced it.</summary>
    public static string ResolvePath(string location)
    {
        if (StoreRegistry.IsUri(location))
            return location;
        try
        {
            return Path.GetFullPath(location == "~" || location.StartsWith("~/", StringComparison.Ordinal) ? Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), location[1..]) : location);
        }
        catch (ArgumentException e)
        {
            throw new InvalidArgumentException($"'{location}' is no path: {e.Message}");
        }
    }

    private static ContextSetting<CheckpointKey> Key(ParseResult line)
    {
        var given = new[] { KeyFile, KeyEnvironment, KeyCertificate }.Where(option => IsGiven(line, option)).ToList();
        if (given.Count + (line.GetValue(NoKey) ? 1 : 0) > 1)
            throw new InvalidArgumentException("Give one key at most: --key-file, --key-env, --key-certificate or --no-key.");
        if (given.Count == 0)
            return line.GetValue(NoKey) ? new(null) : default;
        var value = line.GetValue(given[0])!;
        if (given[0] == KeyFile)
            return new(CheckpointKey.FromText(UnreadableFileException.Guard(value, () => File.ReadAllText(ResolvePath(value))), $"The file '{value}'"));
        if (given[0] == KeyCertificate)
            return new(Certificate(value));
        return new(CheckpointKey.FromText(Environment.GetEnvironmentVariable(value) ?? throw new InvalidArgumentException($"There is no environment variable '{value}', which was to have the key."), $"The environment variable {value}"));
    }

    private static CertificateKey Certificate(string file)
    {
        var bytes = UnreadableFileException.Guard(file, () => File.ReadAllBytes(ResolvePath(file)));
        try
        {
            if (bytes.AsSpan().IndexOf("-----BEGIN"u8) < 0)
                return new CertificateKey(new X509Certificate2(bytes));
            var pem = System.Text.Encoding.UTF8.GetString(bytes);
            return new CertificateKey(pem.Contains("PRIVATE KEY-----", StringComparison.Ordinal) ? X509Certificate2.CreateFromPem(pem, pem) : X509Certificate2.CreateFromPem(pem));
        }
        catch (CryptographicException e)
        {
            throw new InvalidArgumentException($"The file '{file}' is no certificate that can be read: {e.Message.TrimEnd('.')}.");
        }
    }

    private static ContextSetting<string> Setting(ParseResult line, Option<string> option) => IsGiven(line, option) ? new(line.GetValue(option)) : default;

    // A line that is still being typed may end in an option without its value.
    private static bool IsGiven(ParseResult line, Option option) => line.GetResult(option) is { Tokens.Count: > 0 };

    private static T Of<T>(T option)
        where T : Option
    {
        option.Recursive = true;
        return option;
    }
}
