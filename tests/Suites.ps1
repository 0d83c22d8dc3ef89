# The test suites of build.ps1, which sources this file: each in a process of its own, counted together.

function Invoke-Suite([string] $Only) {
    $results = Join-Path $out 'results'
    Remove-Item -LiteralPath $results -Recurse -Force -ErrorAction Ignore
    $null = New-Item -ItemType Directory -Path $results

    $counts = Use-CleanContext {
        Invoke-XunitSuite Checkpoint.Core.Tests $results $Only
        if (-not $Only) {
            Invoke-XunitSuite Checkpoint.Cli.Tests $results
            Invoke-XunitSuite Checkpoint.Browser.Tests $results
        }
        Invoke-PesterSuite $results $Only
    }
    $passed, $failed, $skipped = foreach ($kind in 'Passed', 'Failed', 'Skipped') {
        ($counts.$kind | Measure-Object -Sum).Sum
    }
    Set-Content "$results/campaigns.txt" $counts.Campaigns

    Write-Step 'Result'
    foreach ($name in $counts.SkippedNames) {
        "Skipped: $name"
    }
    # Here too, for it is the end of a log that people are shown.
    foreach ($failure in $counts.Failures) {
        "Failed: $failure"
    }
    foreach ($suite in $counts) {
        "$($suite.Suite): $($suite.Passed) passed, $($suite.Failed) failed, $($suite.Skipped) skipped"
    }
    "$passed passed, $failed failed, $skipped skipped"
    if ($failed) {
        exit 1
    }
}

function Invoke-XunitSuite([string] $Project, [string] $ResultFolder, [string] $Only) {
    Write-Step $Project
    $filter = $Only ? @('--filter', "Category=$Only") : @()
    # A browser is shown what the cmdlets of that module make.
    $env:CHECKPOINT_TEST_MODULE = $Module
    try {
        & dotnet test "$PSScriptRoot/$Project" --configuration $Configuration --results-directory $ResultFolder --logger "trx;LogFileName=$Project.trx" @filter |
            Out-Host
        $exitCode = $LASTEXITCODE
    }
    finally {
        $env:CHECKPOINT_TEST_MODULE = $null
    }
    $trx = Join-Path $ResultFolder "$Project.trx"
    $tests = @()
    if (Test-Path $trx) {
        $tests = @(([xml] (Get-Content -LiteralPath $trx -Raw)).SelectNodes('//*[local-name() = "UnitTestResult"]'))
    }
    $passed = @($tests | Where-Object outcome -EQ 'Passed').Count
    $failures = @($tests | Where-Object outcome -EQ 'Failed')
    $failed = $failures.Count
    $skipped = @($tests | Where-Object outcome -NotIn 'Passed', 'Failed')
    if (-not $tests -or ($exitCode -and -not $failed)) {
        Write-Warning 'The xunit tests did not run to their end, which counts as one failure. The reason stands above.'
        $failed++
    }
    $campaigns = Select-CampaignLine ($tests | ForEach-Object { $_.SelectNodes('.//*[local-name() = "StdOut"]').InnerText })
    $campaigns | Out-Host
    @{
        Suite = $Project
        Passed = $passed
        Failed = $failed
        Failures = @($failures | ForEach-Object { Format-Failure $_.testName $_.SelectSingleNode('.//*[local-name() = "Message"]').InnerText })
        Skipped = $skipped.Count
        SkippedNames = @($skipped | ForEach-Object { "$($_.testName): $($_.SelectSingleNode('.//*[local-name() = "Message"]').InnerText)" })
        Campaigns = $campaigns
    }
}

function Invoke-PesterSuite([string] $ResultFolder, [string] $Only) {
    Write-Step 'Pester'
    try {
        Assert-Tool PSScriptAnalyzer 'The scripts can NOT be analysed; the tests that do so will fail.'
    }
    catch {
        Write-Warning $_
    }
    try {
        Assert-Tool Pester 'The Pester tests did NOT run.'
    }
    catch {
        Write-Warning "$_ That counts as one failure."
        return @{ Suite = 'Pester'; Passed = 0; Failed = 1; Skipped = 0; SkippedNames = @() }
    }
    # The cmdlets on every kind of store, all at once: each test waits for its children more than it computes.
    $others = $Only ? @() : @('sqlite', 'postgresql' | ForEach-Object { Start-PesterPass $ResultFolder $_ })
    Invoke-Pwsh "$PSScriptRoot/Invoke-Tests.ps1" -Module $Module -ResultFolder $ResultFolder -Tag $Only | Tee-Object -Variable told | Out-Host
    Get-PesterCount $ResultFolder folder $LASTEXITCODE $told
    foreach ($pass in $others) {
        $told = $pass.Told.GetAwaiter().GetResult()
        $pass.Process.WaitForExit()
        Write-Step "Pester on $($pass.Kind)"
        $told | Out-Host
        Get-PesterCount $ResultFolder $pass.Kind $pass.Process.ExitCode
    }
}

# What it tells is shown when the others have been.
function Start-PesterPass([string] $ResultFolder, [string] $Kind) {
    $program, $arguments = @(Get-PwshCommand) + '-File', "$PSScriptRoot/Invoke-Tests.ps1", '-Module', $Module, '-ResultFolder', $ResultFolder, '-Store', $Kind
    $start = [Diagnostics.ProcessStartInfo]::new($program, [string[]] $arguments)
    $start.RedirectStandardOutput = $true
    $process = [Diagnostics.Process]::Start($start)
    [pscustomobject]@{ Kind = $Kind; Process = $process; Told = $process.StandardOutput.ReadToEndAsync() }
}

function Get-PesterCount([string] $ResultFolder, [string] $Kind, [int] $ExitCode, [string[]] $Told) {
    $summary = Join-Path $ResultFolder "pester-$Kind.json"
    $counts = @{ Passed = 0; Failed = 0; Skipped = 0; SkippedNames = @() }
    if (Test-Path $summary) {
        $counts = Get-Content -LiteralPath $summary -Raw | ConvertFrom-Json -AsHashtable
        $counts.Failures = @($counts.Failures | ForEach-Object { Format-Failure $_.Name $_.Message })
    }
    if (($ExitCode -or -not (Test-Path $summary)) -and -not $counts.Failed) {
        Write-Warning "The Pester tests on $Kind did not run to their end, which counts as one failure. The reason stands above."
        $counts.Failed++
    }
    $counts.Suite = "Pester on $Kind"
    $counts.Campaigns = Select-CampaignLine $Told
    $counts
}

# The name of a test that failed, and the beginning of what it said.
function Format-Failure([string] $Name, [string] $Message) {
    $lines = @($Message -split '\r?\n' | Where-Object { $_.Trim() })
    (@($Name) + ($lines | Select-Object -First 8)) -join "`n    "
}

# As tests/Campaign.ps1 and the xunit tests print them.
function Select-CampaignLine([string[]] $Text) {
    @($Text -split '\r?\n' -match '^campaign .+: \d+ tries, seed ')
}

function Use-CleanContext([scriptblock] $Script) {
    # What a CI job, or the shell, says of itself, its pipeline and its run must not reach the tests. The size and the seed of campaigns are for them, and so are a server and a browser.
    $ci = 'GITHUB_ACTIONS', 'GITHUB_OUTPUT', 'GITHUB_RUN_ID', 'GITHUB_STEP_SUMMARY', 'GITHUB_WORKFLOW', 'BUILD_BUILDID', 'BUILD_DEFINITIONNAME', 'TF_BUILD'
    $saved = Get-Item (@('CHECKPOINT_*') + $ci -replace '^', 'Env:') -ErrorAction Ignore |
        Where-Object Name -NotIn 'CHECKPOINT_CAMPAIGN', 'CHECKPOINT_SEED', 'CHECKPOINT_TEST_POSTGRES', 'CHECKPOINT_TEST_BROWSER', 'CHECKPOINT_TEST_PICTURES'
    try {
        $saved | ForEach-Object { Remove-Item "Env:$($_.Name)" }
        & $Script
    }
    finally {
        $saved | ForEach-Object { Set-Item "Env:$($_.Name)" $_.Value }
    }
}
