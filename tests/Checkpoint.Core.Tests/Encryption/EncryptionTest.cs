using System.Collections.ObjectModel;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Checkpoint.Tests;

/// <summary>What tests of encryption share: keys of every kind, engines that have them, and ways to change records with a right checksum.</summary>
public abstract class EncryptionTest : EngineTest
{
    /// <summary>Passphrases are stretched this often in tests, so that these do not wait for it.</summary>
    protected const int Iterations = 1000;

    private static readonly Lazy<X509Certificate2> TheCertificate = new(() => NewCertificate("CN=Checkpoint tests"));

    private protected static X509Certificate2 Certificate => TheCertificate.Value;

    private protected static RawKey NewKey() => new(RandomNumberGenerator.GetBytes(32));

    private protected static X509Certificate2 NewCertificate(string name)
    {
        using var rsa = RSA.Create(2048);
        return new CertificateRequest(name, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    private protected static CheckpointKey KeyOf(string kind, string passphrase = "correct horse") => kind switch
    {
        "passphrase" => new PassphraseKey(passphrase, Iterations),
        "key" => NewKey(),
        _ => new CertificateKey(Certificate),
    };

    private protected CheckpointEngine With(CheckpointKey? key) => new(new DelegatingStore(Store) { HasHistory = false }, Time, key: key);

    private protected static async Task<CheckpointInfo> Save(CheckpointEngine engine, IStateSource? state, long? step = null, Dictionary<string, object?>? metadata = null, StageId? stage = null, bool overwrite = false) =>
        (await engine.SaveAsync(Draft(state, step, overwrite, stage, metadata: metadata), new RetentionPolicy(), default)).Saved;

    private protected static async Task<TestState?> Read(CheckpointEngine engine, long? step = null, StageId? stage = null) =>
        (await engine.RestoreAsync(stage ?? Stage, step, TestState.Read, null, default)).State;

    private protected static async Task<CheckpointErrorKind> Fault(CheckpointEngine engine, long? step = null, StageId? stage = null) =>
        (await Assert.ThrowsAsync<CheckpointException>(() => Read(engine, step, stage))).Kind;

    private protected static ReadOnlyDictionary<string, object?> Facts(string name, object? value) => new(new Dictionary<string, object?> { [name] = value });

    /// <summary>Changes the text of a record and gives it a right checksum, as an attacker would.</summary>
    private protected static void Edit(string path, Func<string, string> edit)
    {
        var text = File.ReadAllText(path);
        var body = System.Text.Encoding.UTF8.GetBytes(edit(text[..text.LastIndexOf(",\n  \"checksum\"", StringComparison.Ordinal)]));
        File.WriteAllBytes(path, [.. body, .. System.Text.Encoding.UTF8.GetBytes($",\n  \"checksum\": \"{Convert.ToHexStringLower(SHA256.HashData(body))}\"\n}}\n")]);
    }

    private protected string PayloadPath(long step) => Path.Join(StageFolder, Names(FolderEntryKind.Payload).Single(n => FolderLayout.Classify(n).Step == step));
}
