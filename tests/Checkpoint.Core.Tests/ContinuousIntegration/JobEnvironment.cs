namespace Checkpoint.Tests;

/// <summary>The variables that a runner sets, in a folder set up as its own.</summary>
internal static class JobEnvironment
{
    public static Dictionary<string, string?> GitHub(string folder) => new()
    {
        ["GITHUB_ACTIONS"] = "true",
        ["GITHUB_WORKSPACE"] = Path.Join(folder, "work"),
        ["GITHUB_OUTPUT"] = Path.Join(folder, "output"),
        ["GITHUB_STEP_SUMMARY"] = Path.Join(folder, "summary"),
    };

    public static Dictionary<string, string?> Azure(string folder) => new()
    {
        ["TF_BUILD"] = "True",
        ["BUILD_SOURCESDIRECTORY"] = Path.Join(folder, "work"),
        ["AGENT_TEMPDIRECTORY"] = folder,
    };

    public static CISystem System(Dictionary<string, string?> variables) => CISystem.Recognize(variables.GetValueOrDefault)!;
}
