namespace Checkpoint.Browser.Tests;

/// <summary>A store with a bit of everything, made by the cmdlets.</summary>
public sealed class Demo : IAsyncLifetime
{
    /// <summary>A text that would run, were it taken for markup or script.</summary>
    public const string Hostile = "</script><script>window.broken = 1</script><img src=x onerror=\"window.broken = 1\">";

    private const string Script = """
        Set-CheckpointContext -Store store
        $hostile = 'HOSTILE'
        $fails = $true
        function Invoke-Nightly {
            @(
                New-CheckpointStage fetch { 'x' * 10240 }
                New-CheckpointStage index { if ($fails) { throw "no route to host $hostile" } } -DependsOn fetch -Retry 1 -RetryDelay ([timespan]::FromMilliseconds(100))
                New-CheckpointStage publish { 5 } -DependsOn index
                New-CheckpointStage audit { 5 } -Disabled
            ) | Invoke-CheckpointPipeline nightly -ContinueOnError -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
        }
        $null = try { Invoke-Nightly } catch { }
        $fails = $false
        $null = Invoke-Nightly
        $fails = $true
        $null = try { Invoke-Nightly } catch { }
        1..20 | Invoke-CheckpointItem hosts { if ($_ -eq 7) { throw 'no answer' } } -Pipeline hosts -ContinueOnError -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
        Save-Checkpoint $hostile 5 -Pipeline 'scripts & "more"'
        Invoke-CheckpointStage one { 1 } -Pipeline 'scripts & "more"' | Out-Null
        Invoke-CheckpointStage one { 1 } -Pipeline 'scripts & "more"' | Out-Null
        """;

    /// <summary>Where it is.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("checkpoint-browser-").FullName;

    public string Store => Path.Join(Folder, "store");

    public async Task InitializeAsync()
    {
        if (Machine.WhyNot is null)
            await PowerShell.RunAsync(Script.Replace("HOSTILE", Hostile, StringComparison.Ordinal), Folder);
    }

    public Task DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return Task.CompletedTask;
    }
}
