namespace Checkpoint.Browser.Tests;

/// <summary>A pipeline such as people have. With $fails its third stage fails, with $waits it waits until there is a file <c>go</c>.</summary>
internal static class Nightly
{
    public const string Script = """
        @(
            New-CheckpointStage fetch { Start-Sleep -Milliseconds 300; 'x' * 300000 }
            New-CheckpointStage unpack { Start-Sleep -Milliseconds 450; 1..2000 } -DependsOn fetch
            New-CheckpointStage index {
                if ($args[0].Attempt -eq 1) { throw [IO.IOException] 'No route to host db7' }
                if ($waits) { [Console]::Out.WriteLine('waiting'); while (-not (Test-Path go)) { Start-Sleep -Milliseconds 50 } }
                if ($fails) { throw 'No space left on device' }
                Start-Sleep -Milliseconds 400
            } -DependsOn unpack -Retry 1 -RetryDelay 1s
            New-CheckpointStage publish { Start-Sleep -Milliseconds 150 } -DependsOn index
        ) | Invoke-CheckpointPipeline nightly -Store store -WarningAction SilentlyContinue | Out-Null
        """;
}
