#Requires -Version 7.4
<#
.SYNOPSIS
Runs the Pester suite in this process. `build.ps1 -Task Test` starts it in a process of its own.

.DESCRIPTION
A binary module cannot be unloaded, so the suite must not run in the shell that builds. Exits with 0 when at least one
test ran and none failed.

.PARAMETER Path
Test files or folders; all of them where not given.

.PARAMETER Module
The manifest of the module to test; the checkout's own where not given.

.PARAMETER Tag
Only the tests with this tag; all of them where it is empty.

.PARAMETER Store
The kind of store that the tests run on: a folder; sqlite, the sample of a driver; or postgresql, on the server that CHECKPOINT_TEST_POSTGRES names or one of their own. On another than a folder all tests
run but those with the tag Files, which look into the files of one, AnyStore, whose result cannot depend on it, and Campaign; on sqlite those of the command line, Tool, do not run either.

.PARAMETER ResultFolder
Where pester-<store>.xml (NUnit) and pester-<store>.json (the counts, and the names of tests that failed or were skipped) go.

.EXAMPLE
pwsh -NoProfile tests/Invoke-Tests.ps1 tests/Save-Checkpoint.Tests.ps1

.EXAMPLE
pwsh -NoProfile tests/Invoke-Tests.ps1 tests/Save-Checkpoint.Tests.ps1 -Store postgresql
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [string[]] $Path = $PSScriptRoot,

    [string] $Module = "$PSScriptRoot/../Checkpoint.psd1",

    [string] $Tag,

    [ValidateSet('folder', 'sqlite', 'postgresql')]
    [string] $Store = 'folder',

    [string] $ResultFolder = "$PSScriptRoot/../out/results"
)

$ErrorActionPreference = 'Stop'
Import-Module Pester -MinimumVersion 5.5 -MaximumVersion 5.999
$env:CHECKPOINT_TEST_MODULE = (Resolve-Path -LiteralPath $Module).ProviderPath
$env:CHECKPOINT_TEST_STORE_KIND = $Store
$null = New-Item -ItemType Directory -Path $ResultFolder -Force
$ResultFolder = (Resolve-Path -LiteralPath $ResultFolder).ProviderPath

$configuration = New-PesterConfiguration
$configuration.Run.Path = $Path
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'Normal'
if ($Tag) {
    $configuration.Filter.Tag = $Tag
}
if ($Store -ne 'folder') {
    # The command line knows the drivers that lie beside it, and not the sample.
    $configuration.Filter.ExcludeTag = @('Files', 'AnyStore', 'Campaign') + @($Store -eq 'sqlite' ? 'Tool' : @())
    # It takes a minute to read the files of which nothing would run.
    $configuration.Run.ExcludePath = (Get-ChildItem "$PSScriptRoot/*.Tests.ps1" | Where-Object { -not ((Get-Content $_) -match '^Describe ' -notmatch ' -Tag (Files|AnyStore|Campaign)\b') }).FullName
}
$missing = $null
if ($Store -eq 'postgresql') {
    . $PSScriptRoot/Postgres.ps1
    $missing = Start-PostgreSql
    $configuration.Run.SkipRun = [bool] $missing
}
$place = New-Item -ItemType Directory -Path (Join-Path ([IO.Path]::GetTempPath()) "checkpoint-tests-$PID")
# Of this process alone, and not of its children.
Set-Variable CheckpointTestPlace $place.FullName -Scope Global
try {
    $result = Invoke-Pester -Configuration $configuration
}
finally {
    try {
        $place.Delete($true)
    }
    catch [IO.IOException] {
        Write-Verbose "A database is still open: $_"
    }
    if ($Store -eq 'postgresql') {
        Clear-PostgreSql
    }
}
if (-not $result) {
    exit 1
}

# A test that did not run, for whatever reason but its tag, is a skipped test; a file that could not even be read is a failure.
$notRun = @($result.Skipped) + @($result.Inconclusive) + @($Tag -or $Store -ne 'folder' ? @() : $result.NotRun) | Where-Object { $_ }
$failed = $result.FailedCount + $result.FailedContainersCount
if ($missing) {
    Write-Warning $missing
    $notRun = $result.Tests | Where-Object ShouldRun
}
[ordered]@{
    Passed = $result.PassedCount
    Failed = $failed
    Failures = @(
        $result.FailedContainers + $result.FailedBlocks + $result.Failed | Where-Object { $_ } | ForEach-Object {
            [ordered]@{
                Name = ($_.ExpandedPath ? $_.ExpandedPath : "$($_.Path -join '.')$($_.Item)") + ($Store -eq 'folder' ? '' : " on $Store")
                Message = "$($_.ErrorRecord.DisplayErrorMessage -join "`n")" -replace '\e', '␛'
            }
        }
    )
    Skipped = @($notRun).Count
    SkippedNames = [string[]] @($notRun | ForEach-Object { ($_.ExpandedPath ? $_.ExpandedPath : $_.Path -join '.') + ($Store -eq 'folder' ? '' : " on $Store") + ($missing ? ": $missing" : '') })
} | ConvertTo-Json | Set-Content -LiteralPath (Join-Path $ResultFolder "pester-$Store.json")

# XML has no place for the escapes in a message that quotes coloured output.
$result.Failed.ErrorRecord | Where-Object { $_ } | ForEach-Object {
    $_.DisplayErrorMessage = $_.DisplayErrorMessage -replace '\e', '␛'
    $_.DisplayStackTrace = $_.DisplayStackTrace -replace '\e', '␛'
}
Export-NUnitReport -Result $result -Path (Join-Path $ResultFolder "pester-$Store.xml")

if ($failed -or $result.Result -ne 'Passed') {
    exit 1
}
if (-not $result.PassedCount -and -not $missing) {
    Write-Error 'No test ran.' -ErrorAction Continue
    exit 1
}
