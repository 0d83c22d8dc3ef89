namespace Checkpoint.Tests;

/// <summary>A message says what happened, to which checkpoint, where, and what to do next.</summary>
public sealed class CheckpointErrorsTests
{
    private static readonly StageId Stage = new("nightly", "7", "ingest");

    private static readonly KeyHeader Key = new() { Kind = "passphrase", Id = "00" };

    private static readonly CheckpointInfo Info = new() { Store = "/store", Pipeline = "nightly", Run = "7", Name = "ingest", Step = 3 };

    [Fact]
    public void Errors_of_a_checkpoint_name_it_and_its_target_is_its_name()
    {
        foreach (var error in new[]
        {
            CheckpointErrors.NotFound(Stage, null, "/store", []), CheckpointErrors.NotFound(Stage, 3, "/store", [2, 1]), CheckpointErrors.Exists(Stage, 3, "/store"), CheckpointErrors.Damaged(Stage, 3, "/store/x", "why"),
            CheckpointErrors.FormatTooNew(Stage, 3, "/store/x", 2, 1), CheckpointErrors.NoState(Stage, 3, "/store"), CheckpointErrors.MissingMethod(Stage, "/data/store", "a.Type", "GetState"), CheckpointErrors.IdentityMismatch(Stage, 3, "model", "a", "b"), CheckpointErrors.KeyRequired(Info, Key), CheckpointErrors.KeyWrong(Info, Key, "certificate"), CheckpointErrors.PrivateKeyRequired(Info, "AB"), CheckpointErrors.OutputLocked(Stage, "/store", null, Key, null), CheckpointErrors.OutputLocked(Stage, "/store", "key", Key, null), CheckpointErrors.OutputLocked(Stage, "/store", "certificate", Key, "AB"),
            CheckpointErrors.NotSaved(Stage, "/store", CheckpointErrors.NotSerializable("$state.x[3]", "why")), CheckpointErrors.NotSaved(Stage, "/store", CheckpointErrors.SecretWithoutKey("$state.x[3]", "PSCredential")),
        })
        {
            Assert.Equal("ingest", error.Target);
            Assert.Contains("'ingest'", error.Message, StringComparison.Ordinal);
            Assert.Contains("'nightly'", error.Message, StringComparison.Ordinal);
            Assert.Contains("'7'", error.Message, StringComparison.Ordinal);
            Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("..", error.Message, StringComparison.Ordinal);
            // More than what happened: what to do next.
            Assert.True(error.Message.Split(". ").Length > 1 || error.Message.Contains(';', StringComparison.Ordinal), error.Message);
        }
    }

    [Fact]
    public void Each_error_has_its_kind()
    {
        Assert.Equal(CheckpointErrorKind.CheckpointNotFound, CheckpointErrors.NotFound(Stage, null, "s", []).Kind);
        Assert.Equal(CheckpointErrorKind.CheckpointNotFound, CheckpointErrors.NoState(Stage, 1, "s").Kind);
        Assert.Equal(CheckpointErrorKind.CheckpointExists, CheckpointErrors.Exists(Stage, 1, "s").Kind);
        Assert.Equal(CheckpointErrorKind.CheckpointDamaged, CheckpointErrors.Damaged(Stage, 1, "s", "why").Kind);
        Assert.Equal(CheckpointErrorKind.FormatTooNew, CheckpointErrors.FormatTooNew(Stage, 1, "s", 2, 1).Kind);
        Assert.Equal(CheckpointErrorKind.IdentityMismatch, CheckpointErrors.IdentityMismatch(Stage, 1, "f", "a", "b").Kind);
        Assert.Equal(CheckpointErrorKind.StateNotSerializable, CheckpointErrors.MissingMethod(Stage, "/data/store", "a.Type", "GetState").Kind);
        Assert.Equal(CheckpointErrorKind.StateNotSerializable, CheckpointErrors.NotSaved(Stage, "s", CheckpointErrors.NotSerializable("p", "why")).Kind);
        Assert.Equal(CheckpointErrorKind.KeyRequired, CheckpointErrors.KeyRequired(Info, Key).Kind);
        Assert.Equal(CheckpointErrorKind.KeyRequired, CheckpointErrors.PrivateKeyRequired(Info, "AB").Kind);
        Assert.Equal(CheckpointErrorKind.KeyWrong, CheckpointErrors.KeyWrong(Info, Key, "key").Kind);
        Assert.Equal(CheckpointErrorKind.KeyRequired, CheckpointErrors.NotSaved(Stage, "s", CheckpointErrors.SecretWithoutKey("p", "SecureString")).Kind);
        Assert.Equal(CheckpointErrorKind.InvalidName, CheckpointErrors.InvalidName("x", "run", "why").Kind);
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, CheckpointErrors.UnknownScheme("x://y", "x", ["file"]).Kind);
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, CheckpointErrors.Unusable("s", "why").Kind);
    }

    [Fact]
    public void An_identity_that_differs_names_the_field_and_both_values()
    {
        var message = CheckpointErrors.IdentityMismatch(Stage, 3, "model", "resnet", "vgg").Message;
        foreach (var part in new[] { "'model'", "resnet", "vgg", "Nothing was restored" })
            Assert.Contains(part, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_that_cannot_be_kept_is_named_by_its_path()
    {
        var cause = CheckpointErrors.NotSerializable("$state.users[3]", "it is a stream");
        Assert.Equal("$state.users[3]", cause.Path);
        var error = CheckpointErrors.NotSaved(Stage, "/store", cause);
        Assert.Same(cause, error.InnerException);
        foreach (var part in new[] { "$state.users[3]", "it is a stream", "/store" })
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Contains("vault", CheckpointErrors.NotSaved(Stage, "/store", CheckpointErrors.SecretWithoutKey("x", "SecureString")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_in_messages_are_the_same_in_every_culture()
    {
        using var _ = new InCulture("ar-SA");
        Assert.Contains("-3", CheckpointErrors.Exists(Stage, -3, "s").Message, StringComparison.Ordinal);
        Assert.Contains("step 3", CheckpointErrors.NotFound(Stage, 3, "s", [20, 10]).Message, StringComparison.Ordinal);
        Assert.Contains("20, 10.", CheckpointErrors.NotFound(Stage, 3, "s", [20, 10]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_says_its_name_and_step()
    {
        using var _ = new InCulture("sv-SE");
        var info = new CheckpointInfo { Name = "ingest", Step = 12 };
        Assert.Equal("ingest step 12", info.ToString());
        Assert.Null(info.StateSize);
        Assert.Empty(info.Metadata);
        Assert.Empty(info.OutputFiles);
        Assert.Throws<NotSupportedException>(() => ((IDictionary<string, object?>)info.Metadata).Add("x", 1));
        Assert.Throws<NotSupportedException>(() => ((IList<OutputFile>)info.OutputFiles).Clear());
    }
}
