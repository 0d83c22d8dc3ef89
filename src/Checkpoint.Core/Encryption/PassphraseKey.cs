using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Checkpoint;

/// <summary>A passphrase, stretched by PBKDF2-HMAC-SHA256 (RFC 8018, section 5.2).</summary>
/// <remarks>To stretch it takes some tenths of a second, so what came of it is kept while the process lives, for the few salts that a process meets.</remarks>
internal sealed class PassphraseKey : CheckpointKey
{
    /// <summary>What the OWASP Password Storage Cheat Sheet recommends for PBKDF2-HMAC-SHA256, since 2023.</summary>
    public const int DefaultIterations = 600_000;

    /// <summary>The fewest that are read. NIST SP 800-132 (2010), section 5.2, names 1,000 as the least; no version of this program wrote less.</summary>
    public const int MinIterations = 1_000;

    /// <summary>The most that are read: who can write to a store must not be able to keep a reader busy for more than some seconds.</summary>
    public const int MaxIterations = 10_000_000;

    /// <summary>The length of a salt in bytes; NIST SP 800-132, section 5.1, asks for 16.</summary>
    public const int SaltSize = 16;

    private const int MaxKept = 64;

    // What is kept is known by a keyed hash: a fast one of the passphrase alone would be all that a dump of the memory needs.
    private static readonly byte[] Pepper = RandomNumberGenerator.GetBytes(Size);

    private static readonly ConcurrentDictionary<string, Lazy<byte[]>> Roots = new();

    private static readonly ConcurrentDictionary<string, byte[]> Salts = new();

    private readonly byte[] _passphrase;
    private readonly int _iterations;

    /// <param name="passphrase">The passphrase. It is used in normalisation form C, so that it is the same from every keyboard (RFC 8265, section 4.2).</param>
    /// <param name="iterations">How often PBKDF2 iterates for what is saved.</param>
    /// <exception cref="InvalidArgumentException">It is empty, or no Unicode text.</exception>
    public PassphraseKey(ReadOnlySpan<char> passphrase, int iterations = DefaultIterations)
    {
        _iterations = iterations;
        if (passphrase.IsEmpty)
            throw new InvalidArgumentException("The passphrase is empty. Give one of some length, or $null for no key.");
        if (Ascii.IsValid(passphrase))
        {
            // Without a text of it in the memory that nobody can overwrite.
            _passphrase = new byte[passphrase.Length];
            Encoding.ASCII.GetBytes(passphrase, _passphrase);
            return;
        }
        var text = passphrase.ToString();
        if (!ScalarJson.IsUtf16(text))
            throw new InvalidArgumentException("The passphrase holds half of a surrogate pair, which is no character. Use 32 random bytes as the key instead.");
        _passphrase = Encoding.UTF8.GetBytes(text.Normalize(NormalizationForm.FormC));
    }

    public override string Kind => "passphrase";

    public override bool IsReady(string store) => Salts.ContainsKey(SaltTag(store));

    public override void Adopt(string store, KeyHeader header)
    {
        // Only of what this passphrase opens: a salt that an attacker chose could be one that he has a table for.
        if (header.Iterations == _iterations)
            KeepSalt(store, header.Salt);
    }

    public override (KeyHeader Header, byte[] Root) Begin(string store)
    {
        var salt = KeepSalt(store, null);
        var root = Stretch(salt, _iterations);
        return (new KeyHeader { Kind = Kind, Id = IdOf(root), Salt = salt, Iterations = _iterations }, root);
    }

    public override byte[]? Find(KeyHeader header)
    {
        if (header.Kind != Kind)
            return null;
        var root = Stretch(header.Salt, header.Iterations);
        return header.Id == IdOf(root) ? root : null;
    }

    /// <summary>PBKDF2-HMAC-SHA256.</summary>
    public static byte[] Stretch(byte[] passphrase, byte[] salt, int iterations) => Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, iterations, HashAlgorithmName.SHA256, Size);

    /// <summary>Forgets what was kept, as the end of the process does.</summary>
    public static void Forget()
    {
        Roots.Clear();
        Salts.Clear();
    }

    private byte[] KeepSalt(string store, byte[]? salt)
    {
        if (Salts.Count >= MaxKept)
            Salts.Clear();
        return Salts.GetOrAdd(SaltTag(store), _ => salt ?? RandomNumberGenerator.GetBytes(SaltSize));
    }

    private byte[] Stretch(byte[] salt, int iterations)
    {
        if (Roots.Count >= MaxKept)
            Roots.Clear();
        var tag = Tag(string.Create(CultureInfo.InvariantCulture, $"{iterations} {Convert.ToHexString(salt)}"));
        return [.. Roots.GetOrAdd(tag, _ => new(() => Stretch(_passphrase, salt, iterations))).Value];
    }

    private string SaltTag(string store) => Tag(string.Create(CultureInfo.InvariantCulture, $"{_iterations} {store}"));

    private string Tag(string of)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Pepper);
        hash.AppendData(BitConverter.GetBytes(_passphrase.Length));
        hash.AppendData(_passphrase);
        hash.AppendData(Encoding.UTF8.GetBytes(of));
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
