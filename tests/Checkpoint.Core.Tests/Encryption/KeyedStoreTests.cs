using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Checkpoint.Tests;

/// <summary>What a user with a key gets: the state back, and nothing of it to anybody else.</summary>
public sealed class KeyedStoreTests : EncryptionTest
{
    private const string Secret = "the launch code is 00000000";

    [Theory]
    [InlineData("passphrase")]
    [InlineData("key")]
    [InlineData("certificate")]
    public async Task What_was_saved_with_a_key_comes_back_with_it_and_nothing_of_it_can_be_read_in_the_store(string kind)
    {
        var key = KeyOf(kind);
        var engine = With(key);
        var saved = await Save(engine, TestState.Small(Secret), metadata: new() { ["note"] = Secret });
        await Save(engine, new TestState("{\"a\":1}", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(Secret, 5000))), isSequence: true));

        Assert.True(saved.Encrypted);
        Assert.Equal(Secret, saved.Metadata["note"]);
        TestState.AssertEqual(TestState.Small(Secret), await Read(engine, 1));
        var large = await Read(With(kind == "passphrase" ? KeyOf(kind) : key), 2);
        Assert.True(large!.IsSequence);
        Assert.Equal(Secret, Encoding.UTF8.GetString(large.Blob, 0, Secret.Length));
        var read = (await engine.Store.ReadAsync(Stage, 1, default)).Info!;
        Assert.Equal(Secret, read.Metadata["note"]);
        foreach (var file in Directory.EnumerateFiles(Temp.Path, "*", SearchOption.AllDirectories))
            Assert.DoesNotContain("launch code", Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_size_around_the_borders_of_chunks_comes_back()
    {
        var engine = With(NewKey());
        foreach (var size in new[] { 0, 1, 15, 16, 17, 16_383, 65_519, 65_520, 65_521, 65_534, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 196_608, 1_048_576, 3_000_001 })
        {
            var document = new TestState('"' + new string('x', Math.Max(0, size - 2)) + '"');
            TestState.AssertEqual(document, await SaveAndRead(engine, document));
            // So that document and blobs together have this size, and a chunk ends where the one begins and the other ends.
            var bytes = RandomNumberGenerator.GetBytes(Math.Max(1, size - 5));
            var blob = new TestState("[1,2]", bytes);
            TestState.AssertEqual(blob, await SaveAndRead(engine, blob));
        }
    }

    [Fact]
    public async Task The_size_shown_is_that_of_the_state_as_it_would_be_without_a_key()
    {
        foreach (var state in new[] { TestState.Small("x"), TestState.Large(1), TestState.Large(2, 70_000), TestState.Large(3, 65_536) })
        {
            var plain = await Save(With(null), state);
            var encrypted = await Save(With(NewKey()), state);
            Assert.Equal(plain.StateSize, encrypted.StateSize);
            Assert.Equal(plain.StateSize, (await With(null).Store.ReadAsync(Stage, encrypted.Step, default)).Info!.StateSize);
        }
    }

    [Theory]
    [InlineData("passphrase")]
    [InlineData("key")]
    [InlineData("certificate")]
    public async Task Without_a_key_and_with_another_the_state_is_refused_and_the_rest_can_be_read(string kind)
    {
        await Save(With(KeyOf(kind)), TestState.Large(1), metadata: new() { ["note"] = Secret });
        using var another = NewCertificate("CN=another");
        CheckpointKey[] others = [NewKey(), new PassphraseKey("another", Iterations), new CertificateKey(another)];

        Assert.Equal(CheckpointErrorKind.KeyRequired, await Fault(With(null)));
        foreach (var other in others)
            Assert.Equal(CheckpointErrorKind.KeyWrong, await Fault(With(other)));
        foreach (var engine in new[] { With(null) }.Concat(others.Select(With)))
        {
            var info = (await engine.Store.FindAsync(Stage, default))!.Newest.Info!;
            Assert.Equal((true, "ingest", 1L, Noon), (info.Encrypted, info.Name, info.Step, info.SavedAt));
            Assert.Empty(info.Metadata);
            Assert.Equal(StageDecision.Skip, (await engine.DecideAsync(Stage, null, null, null, default)).Decision);
        }
    }

    [Fact]
    public async Task The_public_part_of_a_certificate_saves_and_its_private_part_reads()
    {
        using var publicPart = X509CertificateLoader.LoadCertificate(Certificate.RawData);
        var sender = With(new CertificateKey(publicPart));
        await Save(sender, TestState.Small("x"));

        var error = await Assert.ThrowsAsync<CheckpointException>(() => Read(sender));
        Assert.Equal(CheckpointErrorKind.KeyRequired, error.Kind);
        Assert.Contains(Certificate.Thumbprint, error.Message, StringComparison.Ordinal);
        Assert.Contains("private key", error.Message, StringComparison.Ordinal);
        TestState.AssertEqual(TestState.Small("x"), await Read(With(new CertificateKey(Certificate))));
    }

    [Fact]
    public async Task Nothing_of_a_state_is_in_the_words_about_one_that_cannot_be_decoded()
    {
        var key = NewKey();
        await Save(With(key), TestState.Large(1));
        TestState Stumble(StateReader reader) => throw new FormatException($"The input string '{Secret}' was not in a correct format.");
        async Task<CheckpointException> Error() => await Assert.ThrowsAsync<CheckpointException>(async () => await With(key).RestoreAsync(Stage, null, Stumble, null, default));

        var whole = await Error();
        DamagePayload(1);
        foreach (var error in new[] { whole, await Error() })
        {
            Assert.Equal(CheckpointErrorKind.CheckpointDamaged, error.Kind);
            Assert.DoesNotContain("launch", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_checkpoint_without_a_state_needs_its_key_to_be_restored_too()
    {
        var key = NewKey();
        await Save(With(key), null);
        await Save(With(key), null, metadata: new() { ["rows"] = 5 }, stage: new StageId("nightly", null, "load"));
        foreach (var stage in new[] { Stage, new StageId("nightly", null, "load") })
        {
            Assert.Null(await Read(With(key), stage: stage));
            Assert.Equal(CheckpointErrorKind.KeyRequired, await Fault(With(null), stage: stage));
            Assert.Equal(CheckpointErrorKind.KeyWrong, await Fault(With(NewKey()), stage: stage));
        }
    }

    // A smart card that was taken out, or a key that the system does not let this user have.
    [Fact]
    public async Task A_private_key_that_does_not_work_is_a_missing_key_and_no_damage()
    {
        await Save(With(new CertificateKey(Certificate)), TestState.Small("old"));
        await Save(With(new CertificateKey(Certificate)), TestState.Small("new"));
        Func<RSA?>[] keys = [() => throw new CryptographicException("The card was removed."), () => new DeadRsa(), () => null];
        foreach (var key in keys)
        {
            var engine = With(new CertificateKey(Certificate, key));
            Assert.Equal(CheckpointErrorKind.KeyRequired, await Fault(engine));
            Assert.NotNull((await engine.Store.ReadAsync(Stage, 2, default)).Info);
        }
        Edit(RecordPath(2), text => System.Text.RegularExpressions.Regex.Replace(text, "(?<=\"encapsulated\": \")....", "AAAA"));
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, await Fault(With(new CertificateKey(Certificate)), 2));
    }

    private sealed class DeadRsa : RSA
    {
        public override byte[] Decrypt(byte[] data, RSAEncryptionPadding padding) => throw new CryptographicException("The card was removed.");

        public override RSAParameters ExportParameters(bool includePrivateParameters) => throw new CryptographicException();

        public override void ImportParameters(RSAParameters parameters) => throw new CryptographicException();
    }

    [Fact]
    public void A_certificate_that_cannot_encrypt_is_refused_with_the_reason()
    {
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=curve", curve, HashAlgorithmName.SHA256).CreateSelfSigned(Noon, Noon.AddYears(1));
        Assert.Contains("RSA", Assert.Throws<InvalidArgumentException>(() => new CertificateKey(certificate)).Message, StringComparison.Ordinal);
        Assert.Contains("32", Assert.Throws<InvalidArgumentException>(() => new RawKey(new byte[31])).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidArgumentException>(() => new PassphraseKey(""));
        Assert.Throws<InvalidArgumentException>(() => new PassphraseKey("\ud800"));
    }

    [Fact]
    public async Task A_passphrase_is_the_same_from_every_keyboard()
    {
        await Save(With(new PassphraseKey("Gro\u0308ße", Iterations)), TestState.Small("x"));
        TestState.AssertEqual(TestState.Small("x"), await Read(With(new PassphraseKey("Gr\u00f6ße", Iterations))));
    }

    [Fact]
    public async Task Each_checkpoint_has_a_data_key_of_its_own()
    {
        var engine = With(NewKey());
        await Save(engine, TestState.Large(1, 100_000));
        await Save(engine, TestState.Large(1, 100_000));
        Assert.NotEqual(await File.ReadAllBytesAsync(PayloadPath(1)), await File.ReadAllBytesAsync(PayloadPath(2)));
    }

    [Fact]
    public async Task Who_saves_with_a_passphrase_uses_the_salt_that_is_there_so_that_readers_stretch_it_once()
    {
        var passphrase = Guid.NewGuid().ToString();
        await Save(With(new PassphraseKey(passphrase, Iterations)), TestState.Small("x"));
        PassphraseKey.Forget();
        await Save(With(new PassphraseKey(passphrase, Iterations)), TestState.Small("y"), stage: new StageId("nightly", "run 7", "load"));
        PassphraseKey.Forget();
        await Save(With(new PassphraseKey("another " + passphrase, Iterations)), TestState.Small("z"), stage: new StageId("nightly", null, "other"));

        var salts = new List<string>();
        foreach (var stage in new[] { Stage, new StageId("nightly", "run 7", "load"), new StageId("nightly", null, "other") })
            salts.Add(Convert.ToHexString((await Store.FindAsync(stage, default))!.Newest.Info!.Encryption!.Key.Salt));
        Assert.Equal(salts[0], salts[1]);
        Assert.NotEqual(salts[0], salts[2]);
    }

    [Fact]
    public async Task Passphrases_are_stretched_as_often_as_OWASP_recommends_and_records_say_how_often()
    {
        await Save(With(new PassphraseKey("x")), TestState.Small("x"));
        Assert.Equal(600_000, (await Store.FindAsync(Stage, default))!.Newest.Info!.Encryption!.Key.Iterations);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(999)]
    [InlineData(10_000_001)]
    [InlineData(int.MaxValue)]
    public async Task A_record_that_asks_for_a_number_of_iterations_outside_of_the_bounds_is_damaged(int iterations)
    {
        await Save(With(KeyOf("passphrase")), TestState.Small("x"));
        Edit(RecordPath(1), text => text.Replace("\"iterations\": 1000", $"\"iterations\": {iterations}", StringComparison.Ordinal));
        var error = await Assert.ThrowsAsync<CheckpointException>(() => Read(With(KeyOf("passphrase")), 1));
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, error.Kind);
        Assert.Contains("iterations", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_saved_before_there_was_a_key_can_be_read_with_one()
    {
        await Save(With(null), TestState.Large(1), metadata: new() { ["rows"] = 5 });
        var engine = With(NewKey());
        TestState.AssertEqual(TestState.Large(1), await Read(engine));
        var info = (await engine.Store.FindAsync(Stage, default))!.Newest.Info!;
        Assert.False(info.Encrypted);
        Assert.Equal(5, info.Metadata["rows"]);
    }

    [Fact]
    public async Task A_plain_record_says_nothing_of_encryption()
    {
        await Save(With(null), TestState.Small("x"));
        Assert.DoesNotContain("encryption", await File.ReadAllTextAsync(RecordPath(1)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_save_behind_the_work_is_encrypted()
    {
        var key = NewKey();
        var engine = With(key);
        engine.SaveBehind(Draft(TestState.Small(Secret)), new RetentionPolicy(), default);
        TestState.AssertEqual(TestState.Small(Secret), await Read(engine));
        Assert.True((await Store.FindAsync(Stage, default))!.Newest.Info!.Encrypted);
        Assert.DoesNotContain("launch", await File.ReadAllTextAsync(RecordPath(1)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_best_are_kept_by_the_encrypted_metadata_and_what_another_key_locks_is_not_pruned()
    {
        var engine = With(NewKey());
        await Save(With(NewKey()), null, metadata: new() { ["loss"] = 9 });
        foreach (var loss in new[] { 3, 1, 2 })
            await Save(engine, null, metadata: new() { ["loss"] = loss });
        var draft = Draft(metadata: new() { ["loss"] = 5 });
        await engine.SaveAsync(draft, new RetentionPolicy { KeepBest = 1, By = "loss", Lowest = true }, default);
        Assert.Equal([5, 3, 1], await Steps());
    }

    [Fact]
    public async Task A_stage_that_is_accepted_under_another_fingerprint_keeps_its_facts_and_needs_its_key()
    {
        var engine = With(NewKey());
        var fingerprint = new CheckpointFingerprint(new string('a', 64), new Dictionary<string, string>());
        await Save(engine, TestState.Large(1), metadata: new() { ["rows"] = 5 });
        var saved = (await engine.Store.FindAsync(Stage, default))!.Newest.Info!;

        Assert.Equal(5, (await engine.AcceptAsync(saved, fingerprint, new RetentionPolicy(), null, default)).Metadata["rows"]);
        TestState.AssertEqual(TestState.Large(1), await Read(engine, 2));
        var locked = (await Store.FindAsync(Stage, default))!.Newest.Info!;
        Assert.Equal(CheckpointErrorKind.KeyRequired, (await Assert.ThrowsAsync<CheckpointException>(() => With(null).AcceptAsync(locked, fingerprint, new RetentionPolicy(), null, default).AsTask())).Kind);
    }

    [Fact]
    public async Task An_identity_is_encrypted_and_comes_back()
    {
        var engine = With(NewKey());
        await engine.SaveAsync(Draft(TestState.Small("x")) with { Identity = Facts("model", Secret) }, new RetentionPolicy(), default);
        Assert.Equal(Secret, (await engine.RestoreAsync(Stage, null, TestState.Read, null, default)).Checkpoint.Identity!["model"]);
        Assert.DoesNotContain("launch", await File.ReadAllTextAsync(RecordPath(1)), StringComparison.Ordinal);
    }

    private static async Task<TestState?> SaveAndRead(CheckpointEngine engine, TestState state) => await Read(engine, (await Save(engine, state)).Step);
}
