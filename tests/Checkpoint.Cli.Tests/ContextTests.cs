using System.Text.Json;

namespace Checkpoint.Cli.Tests;

/// <summary>Where checkpoints go: option, environment, CI system, default, as for the cmdlets.</summary>
public sealed class ContextTests : CliTest
{
    [Fact]
    public void The_option_comes_before_the_environment_and_that_before_the_ci_system()
    {
        Assert.Equal(("default", null), Saved());
        (Variables["GITHUB_WORKFLOW"], Variables["GITHUB_RUN_ID"]) = ("nightly", "77");
        Assert.Equal(("nightly", "77"), Saved());
        (Variables["CHECKPOINT_PIPELINE"], Variables["CHECKPOINT_RUN"]) = ("mine", "");
        Assert.Equal(("mine", null), Saved());
        Assert.Equal(("yours", "1"), Saved("--pipeline", "yours", "--run", "1"));
        Assert.Equal(("default", null), Saved("--pipeline", "", "--run", ""));
    }

    [Fact]
    public void What_is_meant_is_shown_with_what_says_so()
    {
        Variables["CHECKPOINT_PIPELINE"] = "mine";
        Variables["CHECKPOINT_KEY"] = "open sesame";
        var context = JsonDocument.Parse(Call("context", "--store", "postgresql://me:secret@host/db", "--json").Done()).RootElement;
        Assert.Equal(("postgresql://me@host/db", "parameter"), Of("store"));
        Assert.Equal(("mine", "CHECKPOINT_PIPELINE"), Of("pipeline"));
        Assert.Equal((null, "default"), Of("run"));
        Assert.Equal(("passphrase", "CHECKPOINT_KEY"), Of("key"));
        Assert.Matches(@"(?m)^Pipeline +mine +CHECKPOINT_PIPELINE$", Call("context").Done());

        (string?, string?) Of(string name) => (Value(context.GetProperty(name), "value"), context.GetProperty(name).GetProperty("source").GetString());
    }

    [Fact]
    public void A_store_is_named_by_the_option_or_the_environment()
    {
        Variables["CHECKPOINT_STORE"] = "env";
        Call("save", "a").Done();
        Call("save", "a", "--store", "option").Done();
        Call("save", "a", "--store", new Uri(At("uri")).AbsoluteUri).Done();
        foreach (var folder in new[] { "env", "option", "uri" })
            Assert.True(Directory.Exists(At(folder)), folder);
        Assert.False(Directory.Exists(At(".checkpoints")));
    }

    [Fact]
    public void Options_may_stand_before_the_command_and_behind_it()
    {
        Call("--store", "s", "save", "a").Done();
        Assert.Equal(0, Call("test", "--store", "s", "a").ExitCode);
    }

    [Fact]
    public void Names_are_any_text()
    {
        foreach (var name in new[] { "../../x", "a/b", "@file", "[ab]", "😀", "--", "a b" })
        {
            Call("save", "--state", "1", "--", name).Done();
            Assert.Equal(0, Call("test", "--", name).ExitCode);
            var found = JsonDocument.Parse(Call("get", "--json", "--", name).Done()).RootElement;
            Assert.Equal([name], found.EnumerateArray().Select(c => c.GetProperty("name").GetString()));
        }
        // What is there by just that text is meant, and else what fits it.
        Call("save", "a").Done();
        Assert.Equal(1, JsonDocument.Parse(Call("get", "[ab]", "--json").Done()).RootElement.GetArrayLength());
        Call("clear", "[ab]").Done();
        Assert.Equal("a", JsonDocument.Parse(Call("get", "[ab]", "--json").Done()).RootElement[0].GetProperty("name").GetString());
    }

    [Fact]
    public void A_key_encrypts_what_is_saved_and_is_asked_for_by_who_reads()
    {
        Write("key", "open sesame\n");
        Call("save", "a", "--state", "\"secret\"", "--metadata", "m=hidden", "--key-file", "key").Done();
        Assert.DoesNotContain(Directory.EnumerateFiles(At(".checkpoints"), "*", SearchOption.AllDirectories), file => File.ReadAllText(file) is var text && (text.Contains("secret", StringComparison.Ordinal) || text.Contains("hidden", StringComparison.Ordinal)));
        Assert.Equal("\"secret\"\n", Call("restore", "a", "--key-file", "key").Done());
        Assert.Equal(2, Call("restore", "a").ExitCode);
        Variables["CHECKPOINT_KEY"] = "another";
        Assert.Equal(2, Call("restore", "a").ExitCode);
        Assert.Equal(2, Call("restore", "a", "--no-key").ExitCode);
        Variables["MY_KEY"] = "open sesame";
        Assert.Equal("\"secret\"\n", Call("restore", "a", "--key-env", "MY_KEY").Done());
        Assert.Equal(2, Call("restore", "a", "--key-env", "MY_KEY", "--no-key").ExitCode);
        Assert.Equal(2, Call("restore", "a", "--key-env", "NO_KEY").ExitCode);
        Assert.Equal(0, Call("verify", "--key-file", "key").ExitCode);
    }

    [Fact]
    public void A_certificate_is_a_key_too()
    {
        using var rsa = System.Security.Cryptography.RSA.Create(2048);
        using var certificate = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=checkpoint", rsa, System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2036, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Write("public.pem", certificate.ExportCertificatePem());
        Write("both.pem", certificate.ExportCertificatePem() + "\n" + rsa.ExportPkcs8PrivateKeyPem());
        File.WriteAllBytes(At("both.pfx"), certificate.Export(System.Security.Cryptography.X509Certificates.X509ContentType.Pfx));
        Call("save", "a", "--state", "7", "--key-certificate", "public.pem").Done();
        Assert.Equal(2, Call("restore", "a", "--key-certificate", "public.pem").ExitCode);
        Assert.Equal("7\n", Call("restore", "a", "--key-certificate", "both.pem").Done());
        Assert.Equal("7\n", Call("restore", "a", "--key-certificate", "both.pfx").Done());
        Assert.Equal(2, Call("restore", "a", "--key-certificate", Write("none.pem", "none")).ExitCode);
    }

    [Fact]
    public void A_replica_gets_what_is_saved()
    {
        Variables["CHECKPOINT_REPLICA"] = "second";
        Call("save", "a", "--state", "1").Done();
        Variables.Remove("CHECKPOINT_REPLICA");
        Assert.Equal("1\n", Call("restore", "a", "--store", "second").Done());
    }

    private (string?, string?) Saved(params string[] options)
    {
        var saved = JsonDocument.Parse(Call(["save", "a", "--json", .. options]).Done()).RootElement;
        return (Value(saved, "pipeline"), Value(saved, "run"));
    }

    private static string? Value(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;
}
