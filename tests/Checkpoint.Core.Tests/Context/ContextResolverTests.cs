namespace Checkpoint.Tests;

/// <summary>What a call without parameters means: the first of parameter, session, environment, CI system and default that says something.</summary>
public sealed class ContextResolverTests
{
    private readonly Dictionary<string, string?> _environment = [];

    [Fact]
    public void Where_nothing_is_said_the_defaults_hold()
    {
        var context = Resolve().Resolve();
        Assert.Equal(("/here/.checkpoints", "default", null, null, null), (context.Store, context.Pipeline, context.Run, context.Key, context.Keep));
        Assert.Equal(["Store", "Pipeline", "Run", "Key", "Keep", "Replica", "ReplicaMode"], context.Source.Keys);
        Assert.All(context.Source.Values, source => Assert.Equal("default", source));
    }

    [Fact]
    public void The_first_that_says_something_counts_and_is_named()
    {
        void Check(string store, string pipeline, string? run, int? keep, string storeSource, string pipelineSource, string runSource, string keepSource, ContextSettings? parameters = null, ContextSettings? session = null)
        {
            var context = Resolve(parameters, session).Resolve();
            Assert.Equal((store, pipeline, run, keep), (context.Store, context.Pipeline, context.Run, context.Keep));
            Assert.Equal((storeSource, pipelineSource, runSource, keepSource), (context.Source["Store"], context.Source["Pipeline"], context.Source["Run"], context.Source["Keep"]));
        }

        const string Session = "Set-CheckpointContext";
        Check("/here/.checkpoints", "default", null, null, "default", "default", "default", "default");

        _environment["GITHUB_RUN_ID"] = "ci-run";
        _environment["GITHUB_WORKFLOW"] = "ci-pipeline";
        Check("/here/.checkpoints", "ci-pipeline", "ci-run", null, "default", "GITHUB_WORKFLOW", "GITHUB_RUN_ID", "default");

        _environment["CHECKPOINT_STORE"] = "env-store";
        _environment["CHECKPOINT_PIPELINE"] = "env-pipeline";
        _environment["CHECKPOINT_RUN"] = "env-run";
        _environment["CHECKPOINT_KEEP"] = "3";
        Check("/here/env-store", "env-pipeline", "env-run", 3, "CHECKPOINT_STORE", "CHECKPOINT_PIPELINE", "CHECKPOINT_RUN", "CHECKPOINT_KEEP");

        var session = new ContextSettings { Store = new("/session"), Pipeline = new("session-pipeline"), Run = new("session-run"), Keep = new(4) };
        Check("/session", "session-pipeline", "session-run", 4, Session, Session, Session, Session, null, session);

        var parameters = new ContextSettings { Store = new("/parameter"), Pipeline = new("parameter-pipeline"), Run = new("parameter-run"), Keep = new(5) };
        Check("/parameter", "parameter-pipeline", "parameter-run", 5, "parameter", "parameter", "parameter", "parameter", parameters, session);

        // Each value for itself.
        Check("/here/env-store", "session-pipeline", "parameter-run", 3, "CHECKPOINT_STORE", Session, "parameter", "CHECKPOINT_KEEP", new() { Run = new("parameter-run") }, new() { Pipeline = new("session-pipeline") });
    }

    [Fact]
    public void A_replica_is_that_of_the_store_it_was_set_with()
    {
        void Check(string? replica, string source, ContextSettings? parameters = null, ContextSettings? session = null)
        {
            var context = Resolve(parameters, session).Resolve();
            Assert.Equal((replica, source), (context.Replica, context.Source["Replica"]));
            Assert.Equal(replica is null, context.ReplicaMode is null);
        }

        const string Session = "Set-CheckpointContext";
        var both = new ContextSettings { Store = new("/a"), Replica = new("/b") };
        Check(null, "default");
        Check("/b", Session, null, both);
        Check("/b", Session, new() { Store = new("/a") }, both);
        Check("/b", Session, new() { Store = new("/a/") }, both);
        Check(null, "default", new() { Store = new("/other") }, both);
        Check("/b", Session, null, new() { Replica = new("/b") });

        _environment["CHECKPOINT_STORE"] = "env-store";
        _environment["CHECKPOINT_REPLICA"] = "env-replica";
        Check("/here/env-replica", "CHECKPOINT_REPLICA");
        Check("/b", Session, null, both);
        Check("/b", Session, null, new() { Replica = new("/b") });
        Check(null, Session, null, new() { Replica = new(null) });
        Check(null, "default", null, new() { Store = new("/a") });
        Check(null, "default", new() { Store = new("/other") });
        _environment["CHECKPOINT_REPLICA"] = "";
        Check(null, "CHECKPOINT_REPLICA");
    }

    [Fact]
    public void The_mode_of_a_replica_is_one_of_two()
    {
        Assert.Equal((ReplicaMode.Asynchronous, "default"), (Resolve().ReplicaMode.Value, Resolve().ReplicaMode.Source));
        _environment["CHECKPOINT_REPLICA_MODE"] = "required";
        Assert.Equal((ReplicaMode.Required, "CHECKPOINT_REPLICA_MODE"), (Resolve().ReplicaMode.Value, Resolve().ReplicaMode.Source));
        Assert.Equal(ReplicaMode.Asynchronous, Resolve(null, new() { ReplicaMode = new(ReplicaMode.Asynchronous) }).ReplicaMode.Value);
        foreach (var text in new[] { "both", "1", "Required,Asynchronous", " " })
        {
            _environment["CHECKPOINT_REPLICA_MODE"] = text;
            var error = Assert.ThrowsAny<ArgumentException>(() => Resolve().ReplicaMode);
            Assert.Contains("CHECKPOINT_REPLICA_MODE", error.Message, StringComparison.Ordinal);
            Assert.Contains("Asynchronous or Required", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Azure_DevOps_is_known_too()
    {
        _environment["BUILD_BUILDID"] = "4711";
        _environment["BUILD_DEFINITIONNAME"] = "nightly build";
        var context = Resolve().Resolve();
        Assert.Equal(("4711", "nightly build"), (context.Run, context.Pipeline));
        Assert.Equal(("BUILD_BUILDID", "BUILD_DEFINITIONNAME"), (context.Source["Run"], context.Source["Pipeline"]));
    }

    [Fact]
    public void Ids_of_an_attempt_are_not_the_run()
    {
        foreach (var name in new[] { "GITHUB_RUN_ATTEMPT", "GITHUB_RUN_NUMBER", "SYSTEM_JOBATTEMPT", "BUILD_BUILDNUMBER", "GITHUB_JOB" })
            _environment[name] = "2";
        Assert.Null(Resolve().Run.Value);
        Assert.Equal("default", Resolve().Pipeline.Value);
    }

    [Fact]
    public void A_variable_set_to_the_empty_text_says_none()
    {
        _environment["GITHUB_RUN_ID"] = "ci-run";
        _environment["GITHUB_WORKFLOW"] = "ci-pipeline";
        foreach (var name in new[] { "STORE", "PIPELINE", "RUN", "KEY", "KEEP" })
            _environment["CHECKPOINT_" + name] = "";
        var context = Resolve().Resolve();
        Assert.Equal(("/here/.checkpoints", "default", null, null, null), (context.Store, context.Pipeline, context.Run, context.Key, context.Keep));
        foreach (var name in new[] { "Store", "Pipeline", "Run", "Key", "Keep" })
            Assert.Equal("CHECKPOINT_" + name.ToUpperInvariant(), context.Source[name]);
    }

    [Fact]
    public void A_parameter_or_session_value_that_is_empty_says_none_and_ends_the_search()
    {
        _environment["CHECKPOINT_STORE"] = "env-store";
        _environment["CHECKPOINT_RUN"] = "env-run";
        _environment["CHECKPOINT_PIPELINE"] = "env-pipeline";
        _environment["CHECKPOINT_KEEP"] = "3";
        foreach (var none in new[] { null, "" })
        {
            var settings = new ContextSettings { Store = new(none), Pipeline = new(none), Run = new(none), Keep = new(null) };
            foreach (var (parameters, session, source) in new (ContextSettings?, ContextSettings?, string)[] { (settings, null, "parameter"), (null, settings, "Set-CheckpointContext") })
            {
                var context = Resolve(parameters, session).Resolve();
                Assert.Equal(("/here/.checkpoints", "default", null, null), (context.Store, context.Pipeline, context.Run, context.Keep));
                Assert.Equal((source, source, source, source), (context.Source["Store"], context.Source["Pipeline"], context.Source["Run"], context.Source["Keep"]));
            }
        }
    }

    [Fact]
    public void A_CI_variable_that_is_empty_says_nothing()
    {
        _environment["GITHUB_RUN_ID"] = "";
        _environment["GITHUB_WORKFLOW"] = "";
        Assert.Equal((null, "default"), (Resolve().Run.Value, Resolve().Run.Source));
        _environment["BUILD_BUILDID"] = "7";
        Assert.Equal(("7", "BUILD_BUILDID"), (Resolve().Run.Value, Resolve().Run.Source));
    }

    [Theory]
    [InlineData("1", 1)]
    [InlineData("007", 7)]
    [InlineData("2147483647", int.MaxValue)]
    public void Keep_of_the_environment_is_a_whole_number_above_0(string text, int keep)
    {
        _environment["CHECKPOINT_KEEP"] = text;
        Assert.Equal(keep, Resolve().Keep.Value);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.0")]
    [InlineData("1,000")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData(" ")]
    [InlineData("all")]
    [InlineData("0x10")]
    [InlineData("1e3")]
    [InlineData("2147483648")]
    [InlineData("٣")]
    public void Keep_that_is_none_is_an_error_that_names_the_variable_and_its_value(string text)
    {
        _environment["CHECKPOINT_KEEP"] = text;
        using var _ = new InCulture("ar-SA");
        var error = Assert.ThrowsAny<ArgumentException>(() => Resolve().Keep);
        Assert.Contains("CHECKPOINT_KEEP", error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{text}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("above 0", error.Message, StringComparison.Ordinal);
        // A call that says it itself does not look.
        Assert.Equal(2, Resolve(new() { Keep = new(2) }).Keep.Value);
    }

    [Fact]
    public void The_key_itself_is_never_told()
    {
        _environment["CHECKPOINT_KEY"] = "correct horse";
        var context = Resolve().Resolve();
        Assert.Equal("passphrase", context.Key);
        Assert.Equal("CHECKPOINT_KEY", context.Source["Key"]);
    }

    [Fact]
    public void A_key_of_the_environment_is_a_passphrase_or_32_bytes_in_base64()
    {
        _environment["CHECKPOINT_KEY"] = "base64:" + Convert.ToBase64String(new byte[32]);
        Assert.IsType<RawKey>(Resolve().Key.Value);
        _environment["CHECKPOINT_KEY"] = "Base64 is not what this is";
        Assert.IsType<PassphraseKey>(Resolve().Key.Value);
        // The call, then the session, then the environment; and each can say that there is none.
        Assert.Null(Resolve(new() { Key = new(null) }).Key.Value);
        foreach (var text in new[] { "base64:", "base64:AAAA", "base64:c2VjcmV0", "base64:" + Convert.ToBase64String(new byte[33]), "base64:" + Convert.ToBase64String(new byte[64]), "base64:!" })
        {
            _environment["CHECKPOINT_KEY"] = text;
            var error = Assert.Throws<InvalidArgumentException>(() => Resolve().Key);
            Assert.Contains("CHECKPOINT_KEY", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("c2VjcmV0", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_store_of_the_environment_is_resolved_and_one_of_the_caller_is_already()
    {
        _environment["CHECKPOINT_STORE"] = "rel";
        Assert.Equal("/here/rel", Resolve().Store.Value);
        Assert.Equal("rel", Resolve(new() { Store = new("rel") }).Store.Value);
        Assert.Equal("rel", Resolve(null, new() { Store = new("rel") }).Store.Value);
    }

    private ContextResolver Resolve(ContextSettings? parameters = null, ContextSettings? session = null) =>
        new(parameters ?? new(), session ?? new(), name => _environment.GetValueOrDefault(name), path => "/here/" + path);
}
