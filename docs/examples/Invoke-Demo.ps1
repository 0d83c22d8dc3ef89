#Requires -Version 7.4
<#
.SYNOPSIS
Shows what Checkpoint is for: starts inventory.ps1, kills it in the middle of its work, starts it again, and compares the
report with that of a run that nobody stopped.

.DESCRIPTION
`pwsh ./build.ps1 -Task Demo` builds the module and runs this. Ends with an error, and as a process with exit code 1, where the
second run skipped nothing or the reports differ in a single byte. Works in out/demo of the checkout, which it empties first.

.PARAMETER Path
The folder to make an inventory of. PowerShell's own installation if not given.

.EXAMPLE
./docs/examples/Invoke-Demo.ps1
#>
[CmdletBinding()]
param([string] $Path = $PSHOME)

$ErrorActionPreference = 'Stop'
$InformationPreference = 'Continue'

$root = [IO.Path]::GetFullPath("$PSScriptRoot/../..")
$demo = Join-Path $root 'out' 'demo'
$module = Join-Path $root 'Checkpoint.psd1'
$Path = (Get-Item -LiteralPath $Path).FullName
if ("$demo/".StartsWith([IO.Path]::TrimEndingDirectorySeparator($Path) + [IO.Path]::DirectorySeparatorChar)) {
    throw "The demo works in '$demo', so it cannot make an inventory of '$Path', which changes while it does. Name another folder."
}
if (-not (Get-Command Get-Checkpoint -ErrorAction Ignore)) {
    Import-Module $module
}

$stages = 'list', 'hash', 'duplicates', 'report'
$reports = 'inventory.csv', 'inventory.md'
$attempts = 5
$patience = [timespan]::FromSeconds(60)

function Write-Heading([string] $Text) {
    Write-Information "`n$Text"
}

function Write-Indented([string] $Text) {
    $Text.Trim() -split '\r?\n' | ForEach-Object { Write-Information "    $_".TrimEnd() }
}

# A process of its own, as a job of CI or a scheduled task would be.
function Start-Inventory([string] $Folder, [int] $SaveEvery) {
    $quoted = foreach ($text in $module, "$PSScriptRoot/inventory.ps1", $Path, "$Folder/report", "$Folder/checkpoints") {
        "'$([Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($text))'"
    }
    $command = 'Import-Module {0}; $null = & {1} -Path {2} -OutputFolder {3} -Store {4} -SaveEvery {5} -InformationAction Continue' -f ($quoted + $SaveEvery)

    # PowerShell as a .NET tool is a dll without a program of its own.
    $program = Join-Path $PSHOME ($IsWindows ? 'pwsh.exe' : 'pwsh')
    $program, $arguments = @((Test-Path -LiteralPath $program) ? $program : 'dotnet', "$PSHOME/pwsh.dll") + '-NoProfile', '-NonInteractive', '-Command', $command
    $start = [Diagnostics.ProcessStartInfo]::new($program)
    $arguments | ForEach-Object { $start.ArgumentList.Add($_) }
    $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $process = [Diagnostics.Process]::Start($start)
    @{ Process = $process; Output = $process.StandardOutput.ReadToEndAsync(); Errors = $process.StandardError.ReadToEndAsync() }
}

function Wait-Inventory([hashtable] $Child) {
    if (-not $Child.Process.WaitForExit($patience)) {
        $Child.Process.Kill()
        throw "The inventory had not ended after $($patience.TotalSeconds) s. It said: $($Child.Output.GetAwaiter().GetResult())"
    }
    if ($Child.Process.ExitCode) {
        throw "The inventory failed with exit code $($Child.Process.ExitCode): $($Child.Errors.GetAwaiter().GetResult())"
    }
    Write-Indented $Child.Output.GetAwaiter().GetResult()
}

# Waits until a third of the files is hashed, kills the process, and says whether it came in time.
function Stop-Inventory([hashtable] $Child, [hashtable] $From) {
    $clock = [Diagnostics.Stopwatch]::StartNew()
    try {
        do {
            if ($Child.Process.HasExited) {
                if ($Child.Process.ExitCode) {
                    throw "The inventory failed before it could be killed: $($Child.Errors.GetAwaiter().GetResult())"
                }
                return $false
            }
            if ($clock.Elapsed -gt $patience) {
                throw "The inventory had not hashed a third of the files after $($patience.TotalSeconds) s."
            }
            $list = Get-Checkpoint list @From -ErrorAction Ignore
            $progress = Get-Checkpoint hash-progress @From -ErrorAction Ignore
            Start-Sleep -Milliseconds 5
        } until ($progress -and $progress.Step -ge $list.Metadata['Files'] / 3)
    }
    finally {
        $Child.Process.Kill()
        $Child.Process.WaitForExit()
    }
    (Test-Checkpoint hash-progress @From) -and -not (Test-Checkpoint hash @From)
}

if (Test-Path -LiteralPath $demo) {
    Remove-Item -LiteralPath $demo -Recurse -Force
}
$stopped = Join-Path $demo 'stopped'
$whole = Join-Path $demo 'whole'
$from = @{ Store = "$stopped/checkpoints"; Pipeline = 'inventory' }

Write-Heading "1. An inventory of $Path is started, and killed while it hashes."
$saveEvery = 20
for ($attempt = 1; ; $attempt++) {
    $child = Start-Inventory $stopped $saveEvery
    if (Stop-Inventory $child $from) {
        break
    }
    if ($attempt -eq $attempts) {
        throw "The inventory was done with hashing before it could be killed, $attempts times in a row. Name a folder with more files by -Path."
    }
    Write-Indented 'It was done with hashing before it could be killed. Once more, from the beginning.'
    Remove-Item -LiteralPath $stopped -Recurse -Force
    $saveEvery = [Math]::Max(1, $saveEvery / 2)
}
$killed = $child.Process.Id
Write-Indented $child.Output.GetAwaiter().GetResult()
Write-Indented "Process $killed is gone. This is what it had saved:"
$left = Get-Checkpoint @from
Write-Information "`n$(($left | Format-Table Name, Step, Status, StateSize, ProcessId | Out-String).Trim() -replace '(?m)^', '    ')"

Write-Heading '2. It is started again, in the same words.'
Wait-Inventory (Start-Inventory $stopped $saveEvery)

Write-Heading '3. What came of it:'
$made = Get-Checkpoint $stages @from
$skipped = @($made | Where-Object ProcessId -EQ $killed)
$hash = $made | Where-Object Name -EQ 'hash'
foreach ($stage in $made | Sort-Object { $stages.IndexOf($_.Name) }) {
    if ($stage -in $skipped) {
        $what = 'skipped: it was complete'
    }
    elseif ($stage -eq $hash) {
        $what = "ran from file $($hash.Metadata['ResumedAt'] + 1) of $($hash.Metadata['Files'])"
    }
    else {
        $what = 'ran'
    }
    Write-Indented ('{0,-10}  {1}' -f $stage.Name, $what)
}
if (-not $skipped) {
    throw 'The second run skipped nothing.'
}
if (-not $hash.Metadata['ResumedAt']) {
    throw 'The second run hashed all files anew.'
}

Write-Heading '4. The same inventory, by a process that nobody stops and with a store of its own.'
Wait-Inventory (Start-Inventory $whole $saveEvery)

Write-Heading '5. The two reports, compared byte by byte:'
foreach ($name in $reports) {
    $bytes = [IO.File]::ReadAllBytes("$stopped/report/$name")
    if (-not [Linq.Enumerable]::SequenceEqual($bytes, [IO.File]::ReadAllBytes("$whole/report/$name"))) {
        throw "They differ: compare '$stopped/report/$name' and '$whole/report/$name'."
    }
    Write-Indented ('{0,-13}  {1,8} bytes  equal' -f $name, $bytes.Count)
}
Write-Heading "The reports and the checkpoints are in $demo."
