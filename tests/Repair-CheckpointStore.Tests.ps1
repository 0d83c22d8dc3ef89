BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    # All that is in the store, so that it is seen when something is written.
    function Get-Trace {
        if ($StoreKind -eq 'folder') {
            return Get-ChildItem $store -Recurse -Force | ForEach-Object { "$_ $($_.LastWriteTimeUtc.Ticks)" }
        }
        Get-StoreEntry $store -Kind checkpoint, run, history, items, item-output, breaker, quarantine | ForEach-Object { "$($_.Key) $($_.Step) $([Convert]::ToHexString($_.Record))" }
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Repair-CheckpointStore' {
    BeforeEach {
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store -Pipeline default -Run ''
    }

    It 'does and says nothing where nothing is the matter' {
        Save-Checkpoint a
        $before = Get-Trace
        Repair-CheckpointStore | Should -BeNullOrEmpty
        Get-Trace | Should -Be $before
    }

    It 'puts a damaged step aside, after which nothing is wrong and the newest intact one counts' -Tag Files {
        1..3 | ForEach-Object { Save-Checkpoint a ([byte[]] (, $_ * 20000)) }
        $payload = Get-PayloadPath (Get-Checkpoint a)
        [IO.File]::WriteAllBytes($payload, [byte[]]::new(20))
        $done = Repair-CheckpointStore
        $done.Action, $done.Kind, $done.Name, $done.Step | Should -Be 'Quarantined', 'DamagedPayload', 'a', 3
        $place = (Get-ChildItem "$store/~quarantine").FullName
        (Split-Path $place -Leaf) | Should -Match '^\d{8}T\d{6}Z-[0-9a-f]{8}$'
        (Get-ChildItem $place -Recurse -File -Force).Name | Sort-Object Length | Should -Be '0000000003.json', (Split-Path $payload -Leaf)
        Test-CheckpointStore | Should -BeNullOrEmpty
        (Get-Checkpoint a -AllSteps).Step | Should -Be 2, 1
        (Restore-Checkpoint a -WarningVariable warned)[0] | Should -Be 2
        $warned | Should -BeNullOrEmpty
        (Get-CheckpointHistory a)[-2].Event | Should -Be 'Repaired'
        (Save-Checkpoint a 4 -PassThru).Step | Should -Be 3
    }

    It 'has what was undone run again: items whose lines are damaged, and no others' {
        $null = 1..5 | Invoke-CheckpointItem s { $_ } -Key { $_ }
        # Of a store that is no folder it is the entry with the line of that item.
        $path = "$store/default/stages/s/items.jsonl"
        if ($StoreKind -ne 'folder') {
            $step = (Get-StoreEntry $store -Kind items | Where-Object { [Text.Encoding]::UTF8.GetString($_.Record).Contains('"key":"3"') }).Step
            $path = "$store#items/default/s/$step"
        }
        Set-Record $path ((Get-Record $path) -replace '"done"(?=[^\n]*"key":"3")', '"dOne"')
        (Repair-CheckpointStore).Kind | Should -Be 'DamagedJournal'
        Test-CheckpointStore | Should -BeNullOrEmpty
        Clear-Checkpoint s -Step 1
        1..5 | Invoke-CheckpointItem s { "did $_" } -Key { $_ } | Should -HaveCount 1
    }

    It 'only says what it would do, with -WhatIf' {
        Save-Checkpoint a
        Set-Record (Get-RecordPath $store a) x
        $before = Get-Trace
        Repair-CheckpointStore -WhatIf | Should -BeNullOrEmpty
        Get-Trace | Should -Be $before
    }

    It 'repairs what is meant and leaves the rest' {
        'a', 'b' | ForEach-Object { Save-Checkpoint $_; Set-Record (Get-RecordPath $store $_) x }
        (Repair-CheckpointStore a).Name | Should -Be 'a'
        (Test-CheckpointStore).Name | Should -Be 'b'
    }

    It 'acknowledges a history that was changed, which is a warning from then on' {
        'a', 'b', 'c' | ForEach-Object { Save-Checkpoint $_ }
        $path = $StoreKind -eq 'folder' ? "$store/default/history.jsonl" : "$store#history/default/2"
        Set-Record $path (Get-Record $path).Replace('"b"', '"x"')
        (Repair-CheckpointStore).Action | Should -Be 'Acknowledged'
        $found = Test-CheckpointStore
        $found.Severity, $found.Kind | Should -Be 'Warning', 'HistoryBroken'
        $found.Message | Should -BeLike 'Line 2 of the history*known since a repair*'
        (Get-CheckpointHistory)[-1].Event | Should -Be 'HistoryBroken'
        Repair-CheckpointStore | Should -BeNullOrEmpty
    }

    It 'removes what killed processes left, and nothing else' -Tag Files {
        foreach ($i in 1..5) {
            $child = Start-Pwsh {
                param($Store)
                while ($true) { Save-Checkpoint a ([byte[]]::new(3mb)) -Store $Store -Pipeline default -Run '' -Step 1 -Overwrite 6>$null }
            } $store
            Wait-Until { @(Get-CheckpointHistory).Count -ge 3 * $i }
            $null = Stop-Pwsh $child
        }
        # For certain, beside what chance left.
        [IO.File]::WriteAllBytes("$store/default/stages/a/~$('0' * 32).tmp", [byte[]]::new(10))
        $done = Repair-CheckpointStore
        $done.Action | Should -Contain 'Removed'
        $done.Action | Sort-Object -Unique | Should -Be 'Removed'
        (Get-ChildItem "$store/default/stages/a" -Force).Name | Sort-Object Length | ForEach-Object { $_ -replace '\.[0-9a-f]{32}' } | Should -Be '0000000001.json', '0000000001.state'
        Test-CheckpointStore | Where-Object Kind -NE TornLine | Should -BeNullOrEmpty
        (Restore-Checkpoint a).Length | Should -Be 3mb
    }

    It 'is safe beside processes that save, overwrite, prune and run items: each loses nothing' {
        $work = {
            param($Store, $Id)
            Set-CheckpointContext -Store $Store -Pipeline default -Run ''
            $saved = 0
            while (-not (Test-Path "$env:TEST_PLACE/stop")) {
                $saved = (Save-Checkpoint "own$Id" ([byte[]]::new(30000)) -PassThru -Keep 3 6>$null).Step
                Save-Checkpoint shared ([byte[]]::new(30000)) -Step 1 -Overwrite 6>$null
                $null = 1..5 | Invoke-CheckpointItem "items$Id" { [byte[]]::new(30000) } -Key { "$_ $([guid]::NewGuid())" } -SaveOutput
            }
            $saved
        }
        $children = 1..3 | ForEach-Object { Start-Pwsh $work $store, "$_" }
        try {
            Wait-Until { @(Get-Checkpoint own*).Count -eq 3 }
            Save-Checkpoint broken
            Set-Record (Get-RecordPath $store broken) x
            $done = 1..12 | ForEach-Object { Repair-CheckpointStore }
        }
        finally {
            Set-Content "$env:TEST_PLACE/stop" x
            $left = $children | ForEach-Object { Wait-Pwsh $_ }
            Remove-Item "$env:TEST_PLACE/stop"
        }
        foreach ($one in $left) { $one.ErrorOutput | Should -BeNullOrEmpty }
        $done | ForEach-Object { "$($_.Action) $($_.Name)" } | Should -Be 'Quarantined broken'
        for ($id = 1; $id -le 3; $id++) { (Get-Checkpoint "own$id").Step | Should -Be ([int] $left[$id - 1].Output[-1]) }
        Test-CheckpointStore | Should -BeNullOrEmpty
    }

    It 'leaves alone what somebody is at work on, says so, and goes on with the rest' {
        $null = 1..3 | Invoke-CheckpointItem s { $_ } -Key { $_ }
        $path = "$store/default/stages/s/items.jsonl"
        if ($StoreKind -ne 'folder') {
            $step = (Get-StoreEntry $store -Kind items | Where-Object { [Text.Encoding]::UTF8.GetString($_.Record).Contains('"done"') } | Select-Object -First 1).Step
            $path = "$store#items/default/s/$step"
        }
        Set-Record $path (Get-Record $path).Replace('done', 'dOne')
        Clear-Checkpoint s -Step 1
        Save-Checkpoint t
        Set-Record (Get-RecordPath $store t) x
        $child = Start-Pwsh {
            param($Store)
            $null = 1 | Invoke-CheckpointItem s { Set-Content "$env:TEST_PLACE/held" x; Start-Sleep 600 } -Key { 'other' } -Store $Store -Pipeline default -Run ''
        } $store
        try {
            Wait-Until { Test-Path "$env:TEST_PLACE/held" }
            $done = Repair-CheckpointStore -ErrorVariable failed -ErrorAction SilentlyContinue
            $failed.FullyQualifiedErrorId | Should -Be 'LeaseHeld,Checkpoint.Commands.RepairCheckpointStoreCommand'
            $done.Name | Should -Be 't'
        }
        finally {
            $null = Stop-Pwsh $child
            Complete-Lease $store -Name s
            Remove-Item "$env:TEST_PLACE/held" -ErrorAction Ignore
        }
        (Repair-CheckpointStore).Kind | Should -Contain 'DamagedJournal'
        Test-CheckpointStore | Should -BeNullOrEmpty
    }
}
