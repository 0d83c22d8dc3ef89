#Requires -Version 7.4
<#
.SYNOPSIS
Measures Checkpoint against its peers and says which of the project's targets are met.

.DESCRIPTION
Each figure is a ratio of two things measured in turn, in the same process and folder, in several rounds; what counts is the
median of the rounds' ratios. So a slow or busy machine changes the times and hardly the verdict. Build the module first.

The peers are in Peers.cs: a cmdlet that only returns $true; a bare durable save (write, flush, rename, flush the folder); a
plain write and flush. With -UpdateDocs the table in docs/performance.md is replaced by what was measured.

.PARAMETER Figure
Only these figures: Test, Save, State, Payload, Encryption, Async, Get, Latest, Iterator, Import, Contention, Item.

.PARAMETER Folder
Where to measure; the disk matters. A folder of its own is made in it and removed again. Default: out/performance.

.PARAMETER Rounds
How many rounds of each.

.PARAMETER Stages
How many stages Get-Checkpoint is measured over.

.PARAMETER UpdateDocs
Writes the table into docs/performance.md.

.EXAMPLE
./Measure-Performance.ps1

Measures everything, in some minutes.

.EXAMPLE
./Measure-Performance.ps1 -Figure Test, Save -Rounds 3
#>
[CmdletBinding()]
param(
    [ValidateSet('Save', 'State', 'Test', 'Payload', 'Encryption', 'Async', 'Get', 'Latest', 'Iterator', 'Import', 'Contention', 'Item')]
    [string[]] $Figure = @('Test', 'Save', 'State', 'Payload', 'Encryption', 'Async', 'Get', 'Latest', 'Iterator', 'Import', 'Contention', 'Item'),

    [string] $Folder = "$PSScriptRoot/../../out/performance",

    [ValidateRange(1, 100)]
    [int] $Rounds = 7,

    [ValidateRange(100, 1000000)]
    [int] $Stages = 100000,

    [switch] $UpdateDocs
)

$ErrorActionPreference = 'Stop'
$repository = [IO.Path]::GetFullPath("$PSScriptRoot/../..")
$manifest = Join-Path $repository 'Checkpoint.psd1'
$work = Join-Path ([IO.Path]::GetFullPath($Folder, $PWD.ProviderPath)) "run-$PID"
$null = New-Item -ItemType Directory -Path $work
$pwsh = [Environment]::ProcessPath
$env:POWERSHELL_TELEMETRY_OPTOUT = '1'

$peers = Join-Path $work 'Peers.dll'
Add-Type -Path "$PSScriptRoot/Peers.cs" -OutputAssembly $peers -OutputType Library -CompilerOptions '/optimize+' -WarningAction Ignore
Import-Module $peers
Import-Module $manifest

function Measure-Time([scriptblock] $Block, [int] $Count) {
    # Microseconds a turn.
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $null = & $Block $Count
    $watch.Elapsed.TotalMicroseconds / $Count
}

function Get-Median([double[]] $Value) {
    $sorted = @($Value | Sort-Object)
    $middle = [int][Math]::Floor($sorted.Count / 2)
    if ($sorted.Count % 2) { $sorted[$middle] } else { ($sorted[$middle - 1] + $sorted[$middle]) / 2 }
}

function Compare-Block([scriptblock] $Ours, [scriptblock] $Peer, [int] $Count, [int] $WarmUp = 2) {
    # One round beforehand lets the runtime compile both; in each round the two take turns at going first.
    foreach ($i in 1..$WarmUp) {
        $null = Measure-Time $Ours $Count
        $null = Measure-Time $Peer $Count
    }
    $samples = foreach ($round in 1..$Rounds) {
        if ($round % 2) {
            $mine = Measure-Time $Ours $Count
            $theirs = Measure-Time $Peer $Count
        }
        else {
            $theirs = Measure-Time $Peer $Count
            $mine = Measure-Time $Ours $Count
        }
        [pscustomobject]@{ Ours = $mine; Peer = $theirs; Ratio = $mine / $theirs }
    }
    [pscustomobject]@{
        Ours = Get-Median $samples.Ours
        Peer = Get-Median $samples.Peer
        Ratio = Get-Median $samples.Ratio
        Lowest = ($samples.Ratio | Measure-Object -Minimum).Minimum
        Highest = ($samples.Ratio | Measure-Object -Maximum).Maximum
    }
}

function New-Figure([string] $What, [string] $Measured, [string] $Target, [bool] $Met) {
    [pscustomobject]@{ What = $What; Measured = $Measured; Target = $Target; Met = $Met ? 'yes' : '**missed**' }
}

function Format-Duration([double] $Microseconds) {
    if ($Microseconds -lt 1000) { '{0:0.0} µs' -f $Microseconds }
    elseif ($Microseconds -lt 1e6) { '{0:0.0} ms' -f ($Microseconds / 1e3) }
    else { '{0:0.00} s' -f ($Microseconds / 1e6) }
}

function Format-Comparison($Result, [string] $Peer) {
    '{0:0.00} × {1} (rounds {2:0.00} to {3:0.00}; {4} against {5})' -f $Result.Ratio, $Peer, $Result.Lowest, $Result.Highest, (Format-Duration $Result.Ours), (Format-Duration $Result.Peer)
}

function Invoke-Child([string] $Script) {
    $output = & $pwsh -NoProfile -NonInteractive -Command $Script
    if ($LASTEXITCODE) { throw "A child process failed: $output" }
    $output
}

function Measure-Save {
    $folder = (New-Item -ItemType Directory -Path (Join-Path $work 'floor')).FullName
    $store = Join-Path $work 'save'
    $script:step = 0
    $floor = { param($n) for ($i = 0; $i -lt $n; $i++) { Save-Peer $folder ($script:step++) } }.GetNewClosure()
    $result = Compare-Block { param($n) for ($i = 0; $i -lt $n; $i++) { Save-Checkpoint ingest -Store $store -Step ($script:step++) } } $floor 100
    New-Figure '`Save-Checkpoint` without state, the step named' (Format-Comparison $result 'the floor') '≤ 1.5 ×' ($result.Ratio -le 1.5)
    $result = Compare-Block { param($n) Clear-Checkpoint -Store $store; for ($i = 0; $i -lt $n; $i++) { Save-Checkpoint ingest -Store $store } } $floor 100
    New-Figure '`Save-Checkpoint` without state, the next step' (Format-Comparison $result 'the floor') '≤ 1.5 ×' ($result.Ratio -le 1.5)
    $result = Compare-Block { param($n) for ($i = 0; $i -lt $n; $i++) { Save-Checkpoint "stage-$(($script:step++))" -Store $store } } $floor 100
    New-Figure '`Save-Checkpoint` without state, the first of a new stage, whose folder is made and flushed too' (Format-Comparison $result 'the floor') 'none' $true
}

function Measure-State {
    $store = Join-Path $work 'state'
    $table = @{}
    foreach ($i in 1..1000) { $table["key$i"] = $i }
    $state = @{ table = $table; seed = 42; position = 7 }
    $file = Join-Path $work 'state.xml'
    $script:step = 0
    $result = Compare-Block { param($n) for ($i = 0; $i -lt $n; $i++) { Save-Checkpoint train -State $state -Store $store -Step ($script:step++) } } { param($n) for ($i = 0; $i -lt $n; $i++) { $state | Export-Clixml $file } } 100
    $faster = 1 / $result.Ratio
    New-Figure '`Save-Checkpoint` of a hashtable of 1,000 ints, a seed and a position' ('{0:0.0} × faster than Export-Clixml, which flushes nothing ({1} against {2})' -f $faster, (Format-Duration $result.Ours), (Format-Duration $result.Peer)) '≥ 5 × faster' ($faster -ge 5)
    $memory = [IO.Directory]::Exists('/dev/shm') ? "/dev/shm/checkpoint-$PID" : $null
    if ($memory) {
        # Without a disk's flush on one side only: what the two programs themselves take.
        try {
            $null = New-Item -ItemType Directory $memory
            $result = Compare-Block { param($n) for ($i = 0; $i -lt $n; $i++) { Save-Checkpoint train -State $state -Store $memory -Step ($script:step++) } } { param($n) for ($i = 0; $i -lt $n; $i++) { $state | Export-Clixml "$memory.xml" } } 100
            New-Figure 'the same on a file system in memory, where a flush costs nothing' ('{0:0.0} × faster ({1} against {2})' -f (1 / $result.Ratio), (Format-Duration $result.Ours), (Format-Duration $result.Peer)) 'none' $true
        }
        finally {
            Remove-Item -Recurse -Force -Path $memory, "$memory.xml" -ErrorAction Ignore
        }
    }
}

function Measure-Test {
    $store = Join-Path $work 'test'
    $env:CHECKPOINT_STORE = $store
    try {
        Save-Checkpoint ingest
        $record = (Get-Checkpoint ingest).Location
        # A stage's times are trusted when they have been seen unchanged for 2.1 s; the warm-up takes longer than that.
        $until = [Diagnostics.Stopwatch]::StartNew()
        while ($until.Elapsed.TotalSeconds -lt 2.5) { $null = Test-Checkpoint ingest }
        $peer = { param($n) for ($i = 0; $i -lt $n; $i++) { $null = Test-Peer ingest } }
        $path = { param($n) for ($i = 0; $i -lt $n; $i++) { $null = Test-Path $record } }
        $hit = { param($n) for ($i = 0; $i -lt $n; $i++) { $null = Test-Checkpoint ingest } }
        $miss = { param($n) for ($i = 0; $i -lt $n; $i++) { $null = Test-Checkpoint elsewhere } }
        foreach ($case in @{ Name = 'hit'; Block = $hit }, @{ Name = 'miss'; Block = $miss }) {
            $result = Compare-Block $case.Block $peer 20000
            New-Figure "``Test-Checkpoint``, $($case.Name)" (Format-Comparison $result 'a bare cmdlet') '≤ 2 ×' ($result.Ratio -le 2)
            $result = Compare-Block $case.Block $path 2000
            New-Figure "``Test-Checkpoint``, $($case.Name), against ``Test-Path``" (Format-Comparison $result 'Test-Path') '< 1 ×' ($result.Ratio -lt 1)
        }
        # Each turn another stage: nothing that was remembered helps.
        foreach ($i in 1..500) { Save-Checkpoint "fresh-$i" }
        $fresh = { param($n) for ($i = 1; $i -le $n; $i++) { $null = Test-Checkpoint "fresh-$i" } }
        $result = Compare-Block $fresh $path 500 -WarmUp 1
        New-Figure '`Test-Checkpoint`, hit, within 2 s of the first look (nothing remembered), against `Test-Path`' (Format-Comparison $result 'Test-Path') 'none' $true
    }
    finally {
        $env:CHECKPOINT_STORE = $null
    }
}

function Measure-Payload {
    $store = Join-Path $work 'bytes'
    $plain = Join-Path $work 'plain.bin'
    $bytes = [byte[]]::new(1GB)
    [Random]::new(1).NextBytes($bytes)
    $ours = { Save-Checkpoint image -State $bytes -Store $store -Step 1 -Overwrite }
    $peer = { Write-Peer $plain $bytes }
    $rounds = $script:Rounds
    $script:Rounds = [Math]::Min($rounds, 5)
    $result = Compare-Block $ours $peer 1 -WarmUp 1
    $script:Rounds = $rounds
    New-Figure 'A byte[] of 1 GiB' ('{0:0.00} of the throughput of a plain write and flush ({1:0} against {2:0} MiB/s)' -f (1 / $result.Ratio), (1024e6 / $result.Ours), (1024e6 / $result.Peer)) '≥ 0.7' (1 / $result.Ratio -ge 0.7)
    $bytes = $null
    Remove-Item -Recurse -Force -Path $store, $plain
    [GC]::Collect()

    $above = [long](Invoke-Child @"
Import-Module '$manifest'
Save-Checkpoint image -State ([byte[]]::new(20MB)) -Store '$store'
`$bytes = [byte[]]::new(1GB); [Random]::new(1).NextBytes(`$bytes)
[GC]::Collect()
`$before = [Diagnostics.Process]::GetCurrentProcess().WorkingSet64
Save-Checkpoint image -State `$bytes -Store '$store'
[Diagnostics.Process]::GetCurrentProcess().PeakWorkingSet64 - `$before
"@)
    New-Figure 'memory above the array' ('{0:0} MiB' -f ($above / 1MB)) '≤ 64 MiB' ($above -le 64MB)
    Remove-Item -Recurse -Force -Path $store
}

function Measure-Encryption {
    # The same saves and tests in turns, with a key and without one; each has a store of its own.
    $plain = Join-Path $work 'plain'
    $sealed = Join-Path $work 'sealed'
    $key = [Security.Cryptography.RandomNumberGenerator]::GetBytes(32)
    $small = @{ table = @{}; seed = 42; position = 7 }
    foreach ($i in 1..100) { $small.table["key$i"] = $i }
    $script:step = 0
    $with = { param($n) for ($i = 0; $i -lt $n; $i++) { Save-Checkpoint small $small -Store $sealed -Step ($script:step++) -Key $key } }
    $without = { param($n) for ($i = 0; $i -lt $n; $i++) { Save-Checkpoint small $small -Store $plain -Step ($script:step++) } }
    New-Figure '`Save-Checkpoint -Key`, a small state' (Format-Comparison (Compare-Block $with $without 100) 'the same without a key') 'none' $true

    $bytes = [byte[]]::new(64MB)
    [Random]::new(1).NextBytes($bytes)
    $with = { Save-Checkpoint large $bytes -Store $sealed -Step 1 -Overwrite -Key $key }
    $without = { Save-Checkpoint large $bytes -Store $plain -Step 1 -Overwrite }
    New-Figure '`Save-Checkpoint -Key`, a byte[] of 64 MiB' (Format-Comparison (Compare-Block $with $without 1) 'the same without a key') 'none' $true
    $with = { $null = Restore-Checkpoint large -Store $sealed -Key $key }
    $without = { $null = Restore-Checkpoint large -Store $plain }
    New-Figure '`Restore-Checkpoint -Key` of it' (Format-Comparison (Compare-Block $with $without 1) 'the same without a key') 'none' $true

    # As with every test: its stage is remembered when its times have been seen unchanged for 2.1 s.
    Save-Checkpoint ingest -Store $sealed -Key $key
    Save-Checkpoint ingest -Store $plain
    $with = { param($n) for ($i = 0; $i -lt $n; $i++) { $null = Test-Checkpoint ingest -Store $sealed -Key $key } }
    $without = { param($n) for ($i = 0; $i -lt $n; $i++) { $null = Test-Checkpoint ingest -Store $plain } }
    $until = [Diagnostics.Stopwatch]::StartNew()
    while ($until.Elapsed.TotalSeconds -lt 2.5) {
        & $with 1
        & $without 1
    }
    New-Figure '`Test-Checkpoint -Key`, hit' (Format-Comparison (Compare-Block $with $without 5000) 'the same without a key') 'none' $true

    # A passphrase is stretched once in a process for each salt, so each round has a process of its own.
    $samples = foreach ($round in 1..$Rounds) {
        $times = Invoke-Child @"
Import-Module '$manifest'
`$secret = [Net.NetworkCredential]::new('', 'correct horse').SecurePassword
Save-Checkpoint warm 1 -Store '$plain'
Save-Checkpoint warm 1 -Store '$sealed' -Key ([byte[]]::new(32))
`$watch = [Diagnostics.Stopwatch]::StartNew()
Save-Checkpoint s 1 -Store '$sealed-$round' -Key `$secret
`$watch.Elapsed.TotalMicroseconds
`$watch.Restart()
foreach (`$i in 1..20) { Save-Checkpoint s 1 -Store '$sealed-$round' -Key `$secret }
`$watch.Elapsed.TotalMicroseconds / 20
"@
        [pscustomobject]@{ First = [double] $times[0]; Next = [double] $times[1] }
    }
    New-Figure 'The first save with a passphrase in a process' ('{0} (median of {1} processes; each after it {2})' -f (Format-Duration (Get-Median $samples.First)), $Rounds, (Format-Duration (Get-Median $samples.Next))) 'none' $true
}

function Measure-Async {
    $store = Join-Path $work 'async'
    $bytes = [byte[]]::new(100MB)
    [Random]::new(1).NextBytes($bytes)
    # The same amount of work each turn, so that what goes on behind it and slows it down counts as lost.
    $size = 1000000
    $size = [int] ($size * 50000 / (Get-Median @(foreach ($i in 1..15) { Measure-Time { Invoke-PeerWork $size } 1 })))
    $script:step = 0
    $turns = 10
    $bare = { param($n) for ($i = 0; $i -lt $n; $i++) { Invoke-PeerWork $size } }
    $plain = { param($n) for ($i = 0; $i -lt $n; $i++) { Invoke-PeerWork $size; Save-Checkpoint model -State $bytes -Store $store -Step ($script:step++) -Keep 1 } }
    $behind = { param($n) for ($i = 0; $i -lt $n; $i++) { Invoke-PeerWork $size; Save-Checkpoint model -State $bytes -Store $store -Step ($script:step++) -Keep 1 -Async } }
    foreach ($block in $bare, $plain, $behind) { $null = & $block 3 }
    $samples = foreach ($round in 1..$Rounds) {
        $alone = Measure-Time $bare $turns
        $lost = foreach ($block in ($round % 2 ? ($plain, $behind) : ($behind, $plain))) {
            (Measure-Time $block $turns) - $alone
            Wait-Checkpoint -Pending
        }
        if ($round % 2 -eq 0) { [array]::Reverse($lost) }
        [pscustomobject]@{ Alone = $alone; Plain = $lost[0]; Async = $lost[1]; Ratio = $lost[1] / $lost[0] }
    }
    $ratio = Get-Median $samples.Ratio
    $range = $samples.Ratio | Measure-Object -Minimum -Maximum
    New-Figure 'A loop that computes 50 ms a turn and saves 100 MB with `-Async`: what it loses' ('{0:0} % of what it loses by plain saves (rounds {1:0} to {2:0} %; {3} against {4} a turn, beside {5} of work)' -f (100 * $ratio), (100 * $range.Minimum), (100 * $range.Maximum), (Format-Duration (Get-Median $samples.Async)), (Format-Duration (Get-Median $samples.Plain)), (Format-Duration (Get-Median $samples.Alone))) '< 40 %' ($ratio -lt 0.4)
    Remove-Item -Recurse -Force -Path $store
}

function Measure-Get {
    $store = Join-Path $work 'get'
    Add-StageFolder $store $Stages
    $script:Rounds, $rounds = 3, $script:Rounds
    $result = Compare-Block { foreach ($c in Get-Checkpoint -Store $store) { $null = $c } } { foreach ($f in Get-ChildItem $store -Recurse -File) { $null = $f } } 1 -WarmUp 1
    $script:Rounds = $rounds
    New-Figure ('`Get-Checkpoint` over {0:n0} stages' -f $Stages) (Format-Comparison $result 'Get-ChildItem -Recurse -File') '≤ 2 ×' ($result.Ratio -le 2)
    [IO.Directory]::Delete($store, $true)
}

function Add-StageFolder([string] $Store, [int] $Count) {
    # Records as Save-Checkpoint writes them, without 100,000 flushes: one is saved, the others are made from it.
    Save-Checkpoint stage-000000 -Store $Store
    $record = Get-Item (Get-Checkpoint stage-000000 -Store $Store).Location
    $text = [IO.File]::ReadAllText($record.FullName)
    $end = $text.LastIndexOf(",`n  `"checksum`"")
    $parent = $record.Directory.Parent.FullName
    for ($i = 1; $i -lt $Count; $i++) {
        $name = 'stage-{0:d6}' -f $i
        $folder = [IO.Directory]::CreateDirectory("$parent/$name").FullName
        $body = $text.Substring(0, $end).Replace('stage-000000', $name)
        $hash = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($body))).ToLowerInvariant()
        [IO.File]::WriteAllText("$folder/$($record.Name)", "$body,`n  `"checksum`": `"$hash`"`n}`n")
    }
}

function Measure-Latest {
    $store = Join-Path $work 'steps'
    Save-Checkpoint train -Store $store -Step 1
    $record = Get-Item (Get-Checkpoint train -Store $store).Location
    $text = [IO.File]::ReadAllText($record.FullName)
    $end = $text.LastIndexOf(",`n  `"checksum`"")
    foreach ($i in 2..10000) {
        $body = $text.Substring(0, $end).Replace('"step": 1,', "`"step`": $i,")
        $hash = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($body))).ToLowerInvariant()
        [IO.File]::WriteAllText((Join-Path $record.DirectoryName ('{0:d10}.json' -f $i)), "$body,`n  `"checksum`": `"$hash`"`n}`n")
    }
    # Cold: a new process each time, which has asked for another store before (what that costs is the figure for a start), and so remembers nothing of this one.
    $times = foreach ($round in 1..$Rounds) {
        [double](Invoke-Child @"
Import-Module '$manifest'
Save-Checkpoint one -Store '$store-one' -Overwrite -Step 1
`$null = Get-Checkpoint one -Store '$store-one'
`$watch = [Diagnostics.Stopwatch]::StartNew()
`$latest = Get-Checkpoint train -Store '$store'
`$time = `$watch.Elapsed.TotalMicroseconds
if (`$latest.Step -ne 10000) { throw "step `$(`$latest.Step)" }
`$time
"@)
    }
    $median = Get-Median $times
    New-Figure 'The latest of a stage with 10,000 steps, cold' ('{0} (median of {1} processes, highest {2})' -f (Format-Duration $median), $Rounds, (Format-Duration ($times | Measure-Object -Maximum).Maximum)) '≤ 10 ms' ($median -le 10000)
}

function Measure-Iterator {
    $store = Join-Path $work 'iterator'
    $data = 1..1000000
    $iterator = New-CheckpointIterator -InputObject $data -BatchSize 10 -Shuffle -Seed 42
    $null = $iterator.MoveNext()
    $plain = Join-Path $work 'indices.bin'
    $bytes = [byte[]]::new(4000000)
    [Random]::new(1).NextBytes($bytes)
    $script:step = 0
    $result = Compare-Block { param($n) for ($i = 0; $i -lt $n; $i++) { Save-Checkpoint train -InputObject $iterator -Step ($script:step++) -Keep 2 -Store $store } } { param($n) for ($i = 0; $i -lt $n; $i++) { Write-Peer $plain $bytes } } 10
    New-Figure '`Save-Checkpoint` of a shuffled iterator over 1,000,000 elements' (Format-Comparison $result 'a plain write and flush of its 4 MB of indices') 'none' $true

    $ready = @(for ($i = 0; $i -lt 100000; $i++) { , [object[]]::new(10) })
    $result = Compare-Block { $iterator.Reset(); foreach ($batch in $iterator) { $null = $batch.Length } } { foreach ($batch in $ready) { $null = $batch.Length } } 1
    New-Figure 'A loop over 100,000 batches of ten, shuffled' ('{0} a batch, the shuffle of 1,000,000 elements among it; {1:0} ns over arrays made beforehand' -f (Format-Duration ($result.Ours / 100000)), ($result.Peer / 100)) 'none' $true
}

function Measure-Import {
    $store = Join-Path $work 'import'
    Save-Checkpoint ingest -Store $store
    $empty = Join-Path $work 'Empty.dll'
    Add-Type -TypeDefinition 'using System.Management.Automation; [Cmdlet("Test", "Empty")] public sealed class TestEmptyCommand : PSCmdlet { }' -OutputAssembly $empty -OutputType Library
    $manifested = Join-Path $work 'Empty.psd1'
    New-ModuleManifest -Path $manifested -RootModule 'Empty.dll' -CmdletsToExport 'Test-Empty' -FunctionsToExport @() -AliasesToExport @() -VariablesToExport @()
    $import = { param($module) [double](Invoke-Child "`$w = [Diagnostics.Stopwatch]::StartNew(); Import-Module '$module'; `$w.Elapsed.TotalMicroseconds") }
    $samples = foreach ($round in 1..(3 * $Rounds)) {
        $mine = & $import $manifest
        [pscustomobject]@{ Mine = $mine; Dll = & $import $empty; Module = & $import $manifested }
    }
    foreach ($peer in @{ Name = 'Module'; Text = 'a module with one empty cmdlet and a manifest' }, @{ Name = 'Dll'; Text = 'a dll with one empty cmdlet, imported without a manifest' }) {
        $ratio = Get-Median @($samples | ForEach-Object { $_.Mine / $_.($peer.Name) })
        New-Figure '`Import-Module`, in a new process' ('{0:0.00} × {1} ({2} against {3})' -f $ratio, $peer.Text, (Format-Duration (Get-Median $samples.Mine)), (Format-Duration (Get-Median $samples.($peer.Name)))) '≤ 3 ×' ($ratio -le 3)
    }

    $start = { param($command) $w = [Diagnostics.Stopwatch]::StartNew(); $null = & $pwsh -NoProfile -Command $command; $w.Elapsed.TotalMicroseconds }
    $above = foreach ($round in 1..(3 * $Rounds)) {
        $bare = & $start 'exit'
        (& $start "Import-Module '$manifest'; `$null = Test-Checkpoint ingest -Store '$store'; exit") - $bare
    }
    $median = Get-Median $above
    New-Figure 'Import and a first `Test-Checkpoint`, above `pwsh -NoProfile -c exit`' (Format-Duration $median) '≤ 80 ms' ($median -le 80000)
}

function Measure-Contention {
    $store = Join-Path $work 'contention'
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $children = foreach ($i in 1..16) {
        $info = [Diagnostics.ProcessStartInfo]::new($pwsh)
        foreach ($argument in '-NoProfile', '-NonInteractive', '-Command', "`$ErrorActionPreference = 'Stop'; Import-Module '$manifest'; foreach (`$i in 1..500) { (Save-Checkpoint shared -Store '$store' -PassThru).Step }") {
            $info.ArgumentList.Add($argument)
        }
        $info.RedirectStandardOutput = $true
        $process = [Diagnostics.Process]::Start($info)
        [pscustomobject]@{ Process = $process; Output = $process.StandardOutput.ReadToEndAsync() }
    }
    $acknowledged = foreach ($child in $children) {
        $child.Output.Result -split "`n" | Where-Object { $_ } | ForEach-Object { [long]$_ }
        $child.Process.WaitForExit()
    }
    $watch.Stop()
    $listed = @((Get-Checkpoint shared -Store $store -AllSteps).Step)
    $distinct = [Collections.Generic.HashSet[long]]::new([long[]]$acknowledged)
    $lost = @($acknowledged | Where-Object { $_ -notin $listed }).Count
    $met = $acknowledged.Count -eq 8000 -and $distinct.Count -eq 8000 -and $listed.Count -eq 8000 -and $lost -eq 0
    New-Figure '16 processes, 500 saves each of one stage' ('{0:n0} acknowledged, {1:n0} distinct steps, {2:n0} listed, {3} lost, in {4:0} s' -f $acknowledged.Count, $distinct.Count, $listed.Count, $lost, $watch.Elapsed.TotalSeconds) '8,000 distinct, none lost' $met
}

function Measure-Item {
    $store = Join-Path $work 'items'
    $script:stage = 0
    $item = { $_ }
    $ours = { param($n) 1..$n | Invoke-CheckpointItem "loop-$((++$script:stage))" $item -Store $store -InformationAction Ignore }
    $result = Compare-Block $ours { param($n) foreach ($i in 1..$n) { & $item $i } } 20000
    $above = $result.Ours - $result.Peer
    New-Figure '`Invoke-CheckpointItem`, an item, one worker, above a bare loop' ('{0} ({1} against {2})' -f (Format-Duration $above), (Format-Duration $result.Ours), (Format-Duration $result.Peer)) '≤ 50 µs' ($above -le 50)

    1..1000000 | Invoke-CheckpointItem million { } -Store $store -InformationAction Ignore
    # In a new process each time, which has used another stage before.
    $samples = foreach ($round in 1..$Rounds) {
        Invoke-Child @"
Import-Module '$manifest'
1..1000 | Invoke-CheckpointItem warm { } -Store '$store-warm' -InformationAction Ignore
`$before = [GC]::GetTotalMemory(`$true)
`$watch = [Diagnostics.Stopwatch]::StartNew()
1..1000000 | Invoke-CheckpointItem million { throw 'run' } -Store '$store' -InformationAction Ignore
`$watch.Elapsed.TotalMicroseconds
1..1000000 | Invoke-CheckpointItem million { throw 'run' } -Store '$store' -InformationAction Ignore -Key { if (`$_ -eq 1000000) { `$global:held = [GC]::GetTotalMemory(`$true) }; `$_ }
(`$held - `$before) / 1e6
"@ | Join-String -Separator ' '
    }
    $time = Get-Median @($samples | ForEach-Object { [double](-split $_)[0] })
    $memory = Get-Median @($samples | ForEach-Object { [double](-split $_)[1] })
    New-Figure '1,000,000 items that are done, skipped in a new process' (Format-Duration $time) '≤ 5 s' ($time -le 5e6)
    New-Figure 'memory a key of these' ('{0:0} bytes' -f $memory) '≤ 200 bytes' ($memory -le 200)
    Remove-Item -Recurse -Force -Path $store
}

try {
    $results = foreach ($name in $Figure) {
        Write-Information "Measuring: $name" -InformationAction Continue
        foreach ($result in & "Measure-$name") {
            Write-Information ('  {0}: {1} (target {2}: {3})' -f $result.What, $result.Measured, $result.Target, $result.Met) -InformationAction Continue
            $result
        }
    }
}
finally {
    Set-Location $repository
    [IO.Directory]::Delete($work, $true)
}

if ($UpdateDocs) {
    $page = Join-Path $repository 'docs/performance.md'
    $rows = foreach ($r in $results) { '| {0} | {1} | {2} | {3} |' -f $r.What, $r.Measured, $r.Target, ($r.Target -eq 'none' ? '' : $r.Met) }
    $table = @('| what | measured | target | met |', '| --- | --- | --- | --- |') + $rows
    $text = [IO.File]::ReadAllText($page)
    $begin, $end = '<!-- figures -->', '<!-- end of figures -->'
    $from = $text.IndexOf($begin) + $begin.Length
    [IO.File]::WriteAllText($page, $text.Substring(0, $from) + "`n" + ($table -join "`n") + "`n" + $text.Substring($text.IndexOf($end)))
}
$results
