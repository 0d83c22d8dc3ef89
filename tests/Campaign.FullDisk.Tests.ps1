# The campaign Full disk, see docs/reliability.md: a small file system of its own fills up, becomes read-only, and a process may write no more.

BeforeDiscovery {
    # A right of its own to mount is had by root alone.
    $mayMount = $IsLinux -and (id -u) -eq '0'
    if ($mayMount) {
        $probe = (New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "probe-$(Get-Random)")).FullName
        mount -t tmpfs -o size=64k none $probe 2>$null
        $mayMount = $LASTEXITCODE -eq 0
        if ($mayMount) {
            umount $probe
        }
        Remove-Item $probe
    }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Campaign.ps1

    $works = [ordered]@{
        'a small save' = { Save-Checkpoint small -State 'new' @at }
        'an overwriting save' = { Save-Checkpoint kept -State ([byte[]]::new(30000)) -Step 1 -Overwrite @at }
        'a save with a payload' = { Save-Checkpoint payload -State ([byte[]]::new(20000)) @at }
        'a large save' = { Save-Checkpoint large -State ([byte[]]::new(6MB)) @at }
        'a save behind the work' = { Save-Checkpoint async -State ([byte[]]::new(20000)) -Async @at; Wait-Checkpoint -Pending }
        'a stage' = { $null = Invoke-CheckpointStage stage { 'x' * 50000 } @at }
        'a pipeline' = { $null = Invoke-CheckpointPipeline flow { stage one { 'x' * 50000 } } -Store $store -Run r -ErrorAction Stop }
        'an encrypted save' = { Save-Checkpoint sealed -State ([byte[]]::new(20000)) -Key ([byte[]] (1..32)) -Store $store -Pipeline sealed -Run '' }
        # The new key opens it from then on, so that it is another one each time.
        'a change of the key' = {
            $new = [Security.Cryptography.RandomNumberGenerator]::GetBytes(32)
            Update-CheckpointKey kept -Key $keys[-1] -NewKey $new -Store $store -Pipeline sealed -Run '' -ErrorAction Stop
            $keys.Add($new)
        }
        'a repair' = {
            Repair-CheckpointStore damaged -Store $store -Pipeline damaged -Confirm:$false -ErrorAction Stop | Where-Object Action -NE 'Quarantined' | ForEach-Object { throw "$_" }
        }
        'items' = { $null = 1..5 | Invoke-CheckpointItem items { "$_" * 20000 } -SaveOutput @at }
    }

    function Initialize-Store {
        Save-Checkpoint kept -State 'old' -Step 1 @at
        $null = 1..2 | Invoke-CheckpointItem items { "$_" * 20000 } -SaveOutput @at
        Save-Checkpoint kept -State 'secret' -Key $keys[-1] -Store $store -Pipeline sealed -Run ''
        Set-Damage
    }

    # Something to be repaired, anew where it was.
    function Set-Damage {
        $path = "$store/damaged/stages/damaged/0000000001.json"
        if (-not (Test-Path $path)) { Save-Checkpoint damaged -State ([byte[]]::new(20000)) -Store $store -Pipeline damaged -Run '' }
        $record = [IO.File]::Open($path, 'Open', 'ReadWrite')
        $record.Position = 100
        $record.WriteByte(0)
        $record.Dispose()
    }

    # Each work fails with one of the ids, and leaves what there was.
    function Test-Refusal([object] $Campaign, [string] $Id, [string] $Place, [string[]] $Work) {
        foreach ($name in $Work) {
            $Campaign.Tries++
            # What the work before it gave up is room again.
            if ($Id -eq 'StoreFull') { Write-Filling 0 }
            $told = try { & $works[$name] 3>$null; 'no error' } catch { "$($_.FullyQualifiedErrorId)" }
            # A pipeline tells of the error of its stage. A repair needs room for folders alone, which need none in memory.
            if ($told -notlike "$Id,*" -and -not ($name -eq 'a pipeline' -and $told -like 'StageFailed,*') -and -not ($name -eq 'a repair' -and $Place -eq 'tmpfs' -and $told -eq 'no error')) {
                $Campaign.Findings.Add("$name on $Place gave: $told")
            }
            Test-Content $Campaign "behind $name on $Place"
            $kept = Restore-Checkpoint kept @at 3>$null
            $sealed = Restore-Checkpoint kept -Key $keys[-1] -Store $store -Pipeline sealed -Run '' 3>$null
            if ($sealed -ne 'secret') { $Campaign.Findings.Add("behind $name on $Place the encrypted one is '$sealed'") }
            if ($kept -ne 'old') { $Campaign.Findings.Add("behind $name on $Place the old one is changed") }
        }
    }

    # All that is listed is whole. That its restoring cannot be noted in the history is a warning.
    function Test-Content([object] $Campaign, [string] $When) {
        try {
            Get-Checkpoint -AllSteps @at 3>&1 | ForEach-Object { $_ -is [Management.Automation.WarningRecord] ? $_ : ($_ | Restore-Checkpoint 3>&1) } |
                Where-Object { $_ -is [Management.Automation.WarningRecord] -and "$_" -notlike 'Writing the history*' } | ForEach-Object { $Campaign.Findings.Add("${When}: $_") }
        }
        catch { $Campaign.Findings.Add("$When, $($_.FullyQualifiedErrorId): $_") }
    }

    # With room again all goes on, and nothing of what failed is left.
    function Test-Recovery([object] $Campaign, [string] $Place) {
        foreach ($name in $works.Keys) {
            $Campaign.Tries++
            try { & $works[$name] -WarningAction Stop }
            catch { $Campaign.Findings.Add("$name on $Place with room again, $($_.FullyQualifiedErrorId): $_") }
        }
        $ran = [Collections.Generic.List[int]]::new()
        $outputs = 1..5 | Invoke-CheckpointItem items { $ran.Add($_) } -SaveOutput @at
        if ($ran -or "$($outputs | ForEach-Object Length)" -ne '20000 20000 20000 20000 20000') { $Campaign.Findings.Add("the items on $Place ran again: $ran") }
        Get-ChildItem $store -Recurse -Force -File | Where-Object Name -Like '~*.tmp' | ForEach-Object { $Campaign.Findings.Add("left on ${Place}: $_") }
    }

    function Clear-Filling {
        Get-ChildItem $folder -Filter 'filling*' | Remove-Item
    }

    # Fills what is left, to the last byte but some.
    function Write-Filling([long] $Leave) {
        # What was removed, or kept for a file that is open, is free only when the file system's journal is on the disk.
        do {
            sync -f $folder
            $file = [IO.FileStream]::new("$folder/filling", 'Append', 'Write', 'Read', 0)
            $before = $file.Length
            # The smallest has the size of a block.
            foreach ($size in 65536, 4096, 1024) {
                $piece = [byte[]]::new($size)
                try { while ($true) { $file.Write($piece) } }
                catch [IO.IOException] { $null = $_ }
            }
            $isFull = $file.Length -eq $before
            $file.Dispose()
        } until ($isFull)
        $file = [IO.File]::OpenWrite("$folder/filling")
        $file.SetLength([math]::Max(0, $file.Length - $Leave))
        $file.Dispose()
    }
}

Describe 'A small file system that fills up' -Tag Campaign {
    It 'is told of as full, keeps what it has, and goes on when there is room: <_>' -Skip:(-not $mayMount) -ForEach 'tmpfs', 'ext4' {
        $kind = $_
        $campaign = Start-Campaign "Full disk, $kind"
        $folder = New-TestStore
        $store = "$folder/store"
        $keys = [Collections.Generic.List[byte[]]]::new()
        $keys.Add([Security.Cryptography.RandomNumberGenerator]::GetBytes(32))
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        if ($kind -eq 'tmpfs') {
            mount -t tmpfs -o size=4m none $folder
        }
        else {
            $image = "$folder.img"
            [IO.File]::WriteAllBytes($image, [byte[]]::new(5MB))
            $null = mkfs.ext4 -q -F -m 0 $image 2>&1
            mount -o loop $image $folder
        }
        if ($LASTEXITCODE) {
            Set-ItResult -Skipped -Because "$kind cannot be mounted here"
            return
        }
        try {
            Initialize-Store
            foreach ($turn in 1..($campaign.IsLong ? 40 : 3)) {
                Test-Refusal $campaign StoreFull $kind ($works.Keys | Sort-Object { $campaign.Random.Next() })
                # With some room, less than the works need: which of them fits is not to be known, but each is there whole or is refused.
                Clear-Filling
                Write-Filling ($campaign.Random.Next(1, 16) * 4096)
                foreach ($work in $works.Keys | Sort-Object { $campaign.Random.Next() }) {
                    $campaign.Tries++
                    try { & $works[$work] 3>$null }
                    catch { if ("$($_.FullyQualifiedErrorId)" -notmatch '^(StoreFull|StageFailed|CheckpointExists),') { $campaign.Findings.Add("$work with little room: $($_.FullyQualifiedErrorId): $_") } }
                }
                Test-Content $campaign 'with little room'
                # Clearing is what makes room.
                Clear-Filling
                Write-Filling 0
                $campaign.Tries++
                try { Clear-Checkpoint @at -WarningAction SilentlyContinue; Clear-Checkpoint -Store $store -Pipeline flow -Run r -WarningAction SilentlyContinue }
                catch { $campaign.Findings.Add("clearing a full store: $($_.FullyQualifiedErrorId): $_") }
                if (Get-Checkpoint @at) { $campaign.Findings.Add('what was cleared is there') }
                Clear-Filling
                Save-Checkpoint kept -State 'old' -Step 1 @at
                Set-Damage
            }
            mount -o remount,ro $folder
            $LASTEXITCODE | Should -Be 0
            Test-Refusal $campaign StoreReadOnly "$kind, read-only" $works.Keys
            mount -o remount,rw $folder
            $works.Remove('a large save')
            Test-Recovery $campaign $kind
        }
        finally {
            umount $folder
        }
        Complete-Campaign $campaign
    }

    It 'is one for a process that may write no larger files, too' -Skip:$IsWindows {
        $campaign = Start-Campaign 'Full disk, file size limit'
        $store = New-TestStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        Save-Checkpoint big -State ([byte[]]::new(1MB)) @at
        $program, $arguments = @(Get-PwshCommand) + '-NoProfile', '-NonInteractive', '-Command', @"
Import-Module '$ModulePath'
foreach (`$n in 1..4) {
    try { Save-Checkpoint big -State ([byte[]]::new(`$n * 2MB)) -Store '$store' -Pipeline default -Run ''; 'saved' } catch { `$_.FullyQualifiedErrorId }
}
"@
        # In units of 1 KiB. Where the signal is not ignored the system kills the process. What the runtime maps twice to write code lies in large files of its own.
        $told = bash -c 'trap "" XFSZ; export DOTNET_EnableWriteXorExecute=0; ulimit -f 3072; exec "$@"' bash $program @arguments 2>&1 | ForEach-Object { "$_" }
        $campaign.Tries = 4
        if ("$told" -ne 'saved StoreFull,Checkpoint.Commands.SaveCheckpointCommand StoreFull,Checkpoint.Commands.SaveCheckpointCommand StoreFull,Checkpoint.Commands.SaveCheckpointCommand') {
            $campaign.Findings.Add("$told")
        }
        (Get-Checkpoint big -AllSteps @at).Step | Should -Be 2, 1
        (Restore-Checkpoint big @at -WarningAction Stop).Length | Should -Be 2MB
        Get-ChildItem $store -Recurse -Force -Filter '~*' | Should -BeNullOrEmpty
        Complete-Campaign $campaign
    }
}
