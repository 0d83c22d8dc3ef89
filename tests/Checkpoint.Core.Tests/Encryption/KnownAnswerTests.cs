using System.Security.Cryptography;
using System.Text;

namespace Checkpoint.Tests;

/// <summary>The published answers of the methods that encryption is made of, through the code that uses them.</summary>
public sealed class KnownAnswerTests
{
    // The test vectors for PBKDF2-HMAC-SHA256 of draft-josefsson-scrypt-kdf-01, section 11 (RFC 7914, section 11); the first 32 of their 64 bytes.
    [Theory]
    [InlineData("passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc")]
    [InlineData("Password", "NaCl", 80000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56")]
    public void Pbkdf2_is_that_of_RFC_7914(string passphrase, string salt, int iterations, string expected) =>
        Assert.Equal(expected, FingerprintHash.Hex(PassphraseKey.Stretch(Encoding.UTF8.GetBytes(passphrase), Encoding.UTF8.GetBytes(salt), iterations)));

    // RFC 5869, A.3: SHA-256 with neither salt nor info, 42 bytes.
    [Fact]
    public void Hkdf_is_that_of_RFC_5869()
    {
        var root = new byte[22];
        Array.Fill(root, (byte)0x0b);
        Assert.Equal("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8", FingerprintHash.Hex(CheckpointKey.Derive(root, "", 42)));
    }

    // Test case 13 of McGrew and Viega, "The Galois/Counter Mode of Operation": a key of 32 zeros, a nonce of zeros, nothing to encrypt. The first chunk, were it not the last, has that nonce.
    [Fact]
    public void The_first_chunk_is_encrypted_as_GCM_has_it()
    {
        using var empty = new ChunkCipher(new byte[32]);
        var tag = new byte[16];
        empty.Seal([], isLast: false, tag);
        Assert.Equal("530f8afbc74536b9a963b4f1c4cb738b", FingerprintHash.Hex(tag));

        // Test case 14: 16 zeros.
        using var block = new ChunkCipher(new byte[32]);
        var chunk = new byte[32];
        block.Seal(new byte[16], isLast: false, chunk);
        Assert.Equal("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919", FingerprintHash.Hex(chunk));
    }

    [Fact]
    public void The_nonce_is_the_number_of_the_chunk_and_whether_it_is_the_last()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        using var cipher = new ChunkCipher(key);
        using var aes = new AesGcm(key, 16);
        for (var number = 0; number < 300; number++)
        {
            var chunk = new byte[17];
            cipher.Seal([7], number == 299, chunk);
            byte[] nonce = [0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)(number >> 8), (byte)number, (byte)(number == 299 ? 1 : 0)];
            var plain = new byte[1];
            aes.Decrypt(nonce, chunk.AsSpan(0, 1), chunk.AsSpan(1), plain);
            Assert.Equal(7, plain[0]);
        }
    }

    [Fact]
    public void The_length_of_what_was_encrypted_is_known_from_that_of_the_cipher_text()
    {
        foreach (var plain in new long[] { 0, 1, 65_535, 65_536, 65_537, 131_072, 131_073, 1L << 40 })
        {
            var chunks = Math.Max(1, (plain + 65_535) / 65_536);
            Assert.Equal(plain, ChunkCipher.PlainLength(plain + (16 * chunks)));
        }
        foreach (var length in new long[] { -1, 0, 15, 65_552 + 1, 65_552 + 15, 65_552 + 16, long.MinValue })
            Assert.Throws<InvalidDataException>(() => ChunkCipher.PlainLength(length));
    }
}
