using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Checkpoint.Tests;

/// <summary>What holds for all of the code, and not for one part of it.</summary>
public sealed partial class CodeShapeTests
{
    private static readonly Assembly Core = typeof(CheckpointInfo).Assembly;

    private static readonly string[] ErrorIds =
    [
        "CheckpointNotFound", "CheckpointExists", "CheckpointDamaged", "FormatTooNew", "FingerprintMismatch", "IdentityMismatch", "StateNotSerializable", "KeyRequired", "KeyWrong",
        "StoreUnavailable", "StoreAccessDenied", "StoreFull", "StoreReadOnly", "LeaseHeld", "LeaseLost", "InvalidName", "InvalidPipeline", "StageFailed", "RunNotFound",
    ];

    [Fact]
    public void The_core_refers_to_the_base_library_alone()
    {
        foreach (var reference in Core.GetReferencedAssemblies())
            Assert.True(reference.Name!.StartsWith("System.", StringComparison.Ordinal) || reference.Name is "Microsoft.Win32.Primitives" or "netstandard", $"{reference.Name} is no part of the base library");
    }

    [Fact]
    public void Public_types_are_sealed_abstract_or_static_and_stand_in_one_namespace()
    {
        foreach (var type in Core.GetExportedTypes())
        {
            Assert.True(type.IsSealed || type.IsAbstract, $"{type} can be derived from");
            Assert.Equal("Checkpoint", type.Namespace);
        }
    }

    [Fact]
    public void Internal_types_that_nobody_derives_from_are_sealed()
    {
        var bases = Core.GetTypes().Concat(typeof(CodeShapeTests).Assembly.GetTypes()).Select(t => t.BaseType).Where(t => t is not null).Select(t => t!.IsGenericType ? t.GetGenericTypeDefinition() : t).ToHashSet();
        foreach (var type in Core.GetTypes().Where(t => t is { IsClass: true, IsSealed: false, IsAbstract: false } && !t.IsDefined(typeof(CompilerGeneratedAttribute)) && !bases.Contains(t)))
            // Tests may derive from those to make operations fail.
            Assert.True(type.BaseType == typeof(FileSystem), $"{type} is not sealed");
    }

    [Fact]
    public void What_a_user_is_shown_cannot_be_changed()
    {
        Type[] immutable = [typeof(CheckpointInfo), typeof(CheckpointDecision), typeof(CheckpointFingerprint), typeof(FingerprintChange), typeof(OutputFile), typeof(CheckpointContext), typeof(StageId), typeof(StoreFinding)];
        foreach (var type in immutable)
        {
            foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                Assert.True(property.SetMethod is null || !property.SetMethod.IsPublic, $"{type.Name}.{property.Name} can be set");
                Assert.False(property.PropertyType.IsArray, $"{type.Name}.{property.Name} is an array");
                Assert.False(property.PropertyType.IsGenericType && property.PropertyType.GetGenericTypeDefinition() is { } generic && (generic == typeof(List<>) || generic == typeof(Dictionary<,>) || generic == typeof(IList<>) || generic == typeof(IDictionary<,>)), $"{type.Name}.{property.Name} can be added to");
            }
            Assert.Empty(type.GetFields(BindingFlags.Public | BindingFlags.Instance));
        }
    }

    [Fact]
    public void The_objects_show_what_they_must()
    {
        AssertShows<CheckpointInfo>("Store Pipeline Run Name Step Status SavedAt Fingerprint Metadata StateSize Encrypted OutputFiles Host User ProcessId Location");
        AssertShows<CheckpointDecision>("Name Decision Reason Changed Checkpoint");
        AssertShows<FingerprintChange>("Part SavedHash CurrentHash");
        AssertShows<CheckpointFingerprint>("Value Parts");
        AssertShows<CheckpointContext>("Store Pipeline Run Key Keep Source");
        AssertShows<StoreFinding>("Kind Severity Location Message");
        Assert.Equal(["Skip", "Run"], Enum.GetNames<StageDecision>());
    }

    [Fact]
    public void Times_are_DateTimeOffset_and_durations_TimeSpan()
    {
        foreach (var property in Core.GetExportedTypes().SelectMany(t => t.GetProperties()))
            Assert.False(property.PropertyType == typeof(DateTime) || property.PropertyType == typeof(DateTime?), $"{property.DeclaringType!.Name}.{property.Name} is a DateTime");
    }

    [Fact]
    public void The_error_ids_are_these_and_no_others() => Assert.Equal(ErrorIds.Order(StringComparer.Ordinal), Enum.GetNames<CheckpointErrorKind>().Order(StringComparer.Ordinal));

    [Fact]
    public void There_is_one_public_exception_that_only_the_core_makes_and_one_for_drivers()
    {
        Assert.Equal([typeof(CheckpointException), typeof(StoreFaultException)], Core.GetExportedTypes().Where(t => t.IsSubclassOf(typeof(Exception))));
        Assert.Empty(typeof(CheckpointException).GetConstructors());
    }

    [Fact]
    public void Asynchronous_methods_take_a_cancellation_token()
    {
        foreach (var method in Core.GetTypes().Where(t => !t.IsDefined(typeof(CompilerGeneratedAttribute))).SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(m => m.Name.EndsWith("Async", StringComparison.Ordinal) && m.DeclaringType != typeof(RetentionPolicy) && m.Name != nameof(IAsyncDisposable.DisposeAsync)))
            Assert.True(method.GetParameters() is [.., { } last] && last.ParameterType == typeof(CancellationToken), $"{method.DeclaringType!.Name}.{method.Name}");
    }

    [Fact]
    public void No_source_writes_to_the_console_or_reads_the_systems_clock()
    {
        var sources = Sources();
        Assert.True(sources.Count > 50, "the sources were not found");
        foreach (var (path, text) in sources)
        {
            var code = Comment().Replace(text, "");
            // The tool has standard streams, in one file.
            Assert.False(ConsoleUse().IsMatch(code) && !path.EndsWith(Path.Join("Checkpoint.Cli", "Terminal.cs"), StringComparison.Ordinal), $"{path} uses Console");
            Assert.False(ClockUse().IsMatch(code), $"{path} reads the system's clock");
            Assert.False(code.Contains("#region", StringComparison.Ordinal), $"{path} has a region");
            Assert.False(Regex.IsMatch(text, @"\b(TODO|FIXME|HACK)\b"), $"{path} has something left to do");
        }
    }

    [Fact]
    public void A_file_holds_one_type_and_has_its_name()
    {
        foreach (var (path, text) in Sources())
        {
            var types = TopLevelType().Matches(text).Select(m => m.Groups["name"].Value);
            Assert.True(types.SequenceEqual([Path.GetFileNameWithoutExtension(path)]), $"{path} holds {string.Join(", ", types)}");
        }
    }

    private static void AssertShows<T>(string names)
    {
        var properties = typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(p => p.Name).ToHashSet();
        foreach (var name in names.Split(' '))
            Assert.Contains(name, properties);
    }

    private static List<(string Path, string Text)> Sources([CallerFilePath] string here = "")
    {
        var root = new[] { AppContext.BaseDirectory, Path.GetDirectoryName(here)! }.Select(FindRoot).FirstOrDefault(r => r is not null);
        Assert.True(root is not null, "the checkout was not found");
        return [.. Directory.EnumerateFiles(Path.Join(root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(p => !p.Split(Path.DirectorySeparatorChar).Intersect(["obj", "bin"]).Any()).Select(p => (p, File.ReadAllText(p)))];
    }

    private static string? FindRoot(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Join(at.FullName, "Checkpoint.sln")))
                return at.FullName;
        }
        return null;
    }

    [GeneratedRegex(@"//[^\n]*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"^(public|internal)\b.*?\b(class|struct|record|interface|enum|delegate \w+)\s+(?<name>(?!struct\b)\w+)", RegexOptions.Multiline)]
    private static partial Regex TopLevelType();

    // To ask where the output goes writes nothing.
    [GeneratedRegex(@"\bConsole\s*\.(?!IsOutputRedirected\b)")]
    private static partial Regex ConsoleUse();

    [GeneratedRegex(@"\bDateTime(Offset)?\s*\.\s*(Now|UtcNow|Today)\b")]
    private static partial Regex ClockUse();
}
