# Copy-Checkpoint: what one store holds, in another.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    # What cannot be told apart by its user.
    function Get-Essence([string] $Store) {
        foreach ($run in '', '*') {
            Get-Checkpoint -Store $Store -Pipeline * -Run $run -AllSteps | ForEach-Object {
                $state = $_.Encrypted ? 'encrypted' : $_.StateSize ? ((Restore-Checkpoint $_.Name -Step $_.Step -Store $Store -Pipeline $_.Pipeline -Run "$($_.Run)" -OutVariable x | ConvertTo-Json -Compress -Depth 9)) : ''
                "$($_.Pipeline)/$($_.Run)/$($_.Name) $($_.Step) $($_.SavedAt.ToString('o')) $($_.Host) $($_.User) $($_.ProcessId) $($_.Fingerprint.Value) $($_.StateSize) $($_.Metadata | ConvertTo-Json -Compress) $($state.Length) $($state.GetHashCode())"
            }
        }
        Get-CheckpointRun -Store $Store -Pipeline * | ForEach-Object { "$($_.Run) $($_.Status) $($_.StartedAt.ToString('o')) $($_.Stages.Name)" }
    }

    function Get-StoreEvent([string] $Store) {
        Get-CheckpointHistory -Store $Store -Pipeline * | Where-Object Event -NE Restored | ForEach-Object { "$($_.Time.ToString('o')) $($_.Event) $($_.Pipeline) $($_.Run) $($_.Name) $($_.Step) $($_.Reason)" }
    }
}

Describe 'Copy-Checkpoint' {
    BeforeEach {
        $from, $to = (New-TestStore), (New-TestStore)
        $at = @{ Store = $from; Pipeline = 'default'; Run = '' }
    }

    Context 'of a store with everything' {
        BeforeEach {
            Save-Checkpoint small -State @{ a = 1 } -Metadata @{ loss = 0.5 } -Fingerprint 1 @at
            Save-Checkpoint large -State ([byte[]]::new(3MB)) @at
            Save-Checkpoint large -State ('ä' * 100000) @at
            Save-Checkpoint bare @at
            1, 2 | Save-Checkpoint sequence @at
            Save-Checkpoint secret -State 'launch code' -Key ([byte[]]::new(32)) @at
            $null = Invoke-CheckpointPipeline nightly -Run 7 -Store $from { stage one { 1 }; stage two { 2 } -DependsOn one }
        }

        It 'has it all in the other store, as it was, and nothing twice' {
            Copy-Checkpoint -From $from -To $to 6>&1 | Should -Be 'Checkpoints copied: 8, 0 were there'
            Get-StoreEvent $to | Should -Be @(Get-StoreEvent $from)
            Get-Essence $to | Should -Be @(Get-Essence $from)
            Restore-Checkpoint secret -Key ([byte[]]::new(32)) -Store $to -Pipeline default -Run '' | Should -Be 'launch code'
            Test-CheckpointStore -Store $to | Should -BeNullOrEmpty

            Copy-Checkpoint -From $from -To $to 6>&1 | Should -Be 'Checkpoints copied: 0, 8 were there'
            Get-Essence $to | Should -Be @(Get-Essence $from)
        }

        It 'brings what is new when it is repeated' {
            Copy-Checkpoint -From $from -To $to
            Save-Checkpoint small -State @{ a = 2 } @at
            Copy-Checkpoint -From $from -To $to 6>&1 | Should -Be 'Checkpoints copied: 1, 8 were there'
            Get-StoreEvent $to | Should -Be @(Get-StoreEvent $from)
            (Restore-Checkpoint small -Store $to -Pipeline default -Run '').a | Should -Be 2
        }

        It 'goes on where it was killed' {
            foreach ($i in 1..30) { Save-Checkpoint many -State ([byte[]]::new(300KB)) @at }
            $child = Start-Pwsh { param($from, $to) Copy-Checkpoint -From $from -To $to } $from, $to
            Wait-Until { $child.Process.HasExited -or @(Get-Checkpoint many -AllSteps -Store $to -Pipeline default -Run '' -ErrorAction Ignore).Count -gt 3 }
            $null = Stop-Pwsh $child
            Copy-Checkpoint -From $from -To $to
            Get-Essence $to | Should -Be @(Get-Essence $from)
            Get-StoreEvent $to | Should -Be @(Get-StoreEvent $from)
        }
    }

    It 'copies what is named, and no history with it' {
        'a', 'b', 'ab' | ForEach-Object { Save-Checkpoint $_ @at }
        Copy-Checkpoint a* -From $from -To $to -PassThru | ForEach-Object Name | Should -Be 'a', 'ab'
        (Get-Checkpoint -Store $to -Pipeline default -Run '').Name | Should -Be 'a', 'ab'
        (Get-CheckpointHistory -Store $to -Pipeline *).Count | Should -Be 0
    }

    It 'takes wildcards for pipelines and runs' {
        foreach ($pipeline in 'nightly', 'nightly-2', 'weekly') { foreach ($run in '', 'a1', 'a2', 'b1') { Save-Checkpoint s -Store $from -Pipeline $pipeline -Run $run } }
        Copy-Checkpoint -From $from -To $to -Pipeline nightly* -Run a* -PassThru | ForEach-Object { "$($_.Pipeline)/$($_.Run)" } | Should -Be 'nightly/a1', 'nightly/a2', 'nightly-2/a1', 'nightly-2/a2'
        Copy-Checkpoint s* -From $from -To $to -Pipeline weekly -Run '' -PassThru | ForEach-Object { "$($_.Pipeline)/$($_.Run)" } | Should -Be 'weekly/'
        Get-CheckpointHistory -Store $to -Pipeline * | ForEach-Object Pipeline | Sort-Object -Unique | Should -Be 'nightly', 'nightly-2'
    }

    It 'copies what is piped to it, the step and no other' {
        1..3 | ForEach-Object { Save-Checkpoint 'a*' $_ @at; Save-Checkpoint ab $_ @at }
        Get-Checkpoint -Step 2 @at | Where-Object Name -EQ 'a*' | Copy-Checkpoint -To $to 6>&1 | Should -Be 'Checkpoints copied: 1, 0 were there'
        Get-Checkpoint -AllSteps -Store $to -Pipeline default -Run '' | ForEach-Object { "$($_.Name) $($_.Step)" } | Should -Be 'a* 2'
        Get-Checkpoint ab -AllSteps @at | Copy-Checkpoint -To $to 6>&1 | Should -Be 'Checkpoints copied: 3, 0 were there'
    }

    It 'removes with -Mirror what the store has no more, and asks' {
        1..3 | ForEach-Object { Save-Checkpoint a $_ @at }
        Save-Checkpoint b @at
        Copy-Checkpoint -From $from -To $to
        Clear-Checkpoint a -Step 2 @at
        Clear-Checkpoint b @at
        Copy-Checkpoint -From $from -To $to
        Test-Checkpoint b -Store $to -Pipeline default -Run '' | Should -BeTrue -Because 'a copy removes nothing'
        Copy-Checkpoint -From $from -To $to -Mirror -WhatIf
        Test-Checkpoint b -Store $to -Pipeline default -Run '' | Should -BeTrue
        Copy-Checkpoint -From $from -To $to -Mirror
        Get-Essence $to | Should -Be @(Get-Essence $from)
        Get-StoreEvent $to | Should -Be @(Get-StoreEvent $from)
        { Copy-Checkpoint -From (New-TestStore) -To $to -Mirror } | Should -Throw -ErrorId 'StoreUnavailable,*'
        { Copy-Checkpoint a -Step 1 -From $from -To $to -Mirror } | Should -Throw -ErrorId 'InvalidArgument,*'
        Test-Checkpoint a -Store $to -Pipeline default -Run '' | Should -BeTrue
    }

    It 'takes the store of the context where -From is not given' {
        Save-Checkpoint a @at
        Copy-Checkpoint -Store $from -To $to
        Test-Checkpoint a -Store $to -Pipeline default -Run '' | Should -BeTrue
    }

    It 'leaves a step alone that is another one there, and replaces it with -Overwrite' {
        Save-Checkpoint a 'ours' @at
        Save-Checkpoint b @at
        Save-Checkpoint a 'theirs' -Store $to -Pipeline default -Run ''
        Copy-Checkpoint -From $from -To $to -ErrorVariable fault -ErrorAction SilentlyContinue
        $fault.FullyQualifiedErrorId | Should -BeLike 'CheckpointExists,*'
        Restore-Checkpoint a -Store $to -Pipeline default -Run '' | Should -Be theirs
        Test-Checkpoint b -Store $to -Pipeline default -Run '' | Should -BeTrue
        Copy-Checkpoint -From $from -To $to -Overwrite
        Restore-Checkpoint a -Store $to -Pipeline default -Run '' | Should -Be ours
    }

    It 'tells of what is damaged, copies the rest, and mends a damaged copy' -Tag Files {
        Save-Checkpoint a 1 @at
        Save-Checkpoint b ([byte[]]::new(100KB)) @at
        $record = (Get-Checkpoint a @at).Location
        Copy-Checkpoint -From $from -To $to
        $payload = Get-ChildItem (Split-Path (Get-Checkpoint b -Store $to -Pipeline default -Run '').Location) -Filter *.state
        $bytes = [IO.File]::ReadAllBytes($payload)
        $bytes[7] = 1
        [IO.File]::WriteAllBytes($payload, $bytes)
        Set-Record $record 'x'
        Copy-Checkpoint -From $from -To $to -ErrorVariable fault -ErrorAction SilentlyContinue 6>&1 | Should -Be 'Checkpoints copied: 1, 0 were there'
        $fault.FullyQualifiedErrorId | Should -BeLike 'CheckpointDamaged,*'
        (Restore-Checkpoint b -Store $to -Pipeline default -Run '').Length | Should -Be 100KB
        Test-CheckpointStore -Store $to | Should -BeNullOrEmpty
    }

    It 'refuses one store as both' {
        { Copy-Checkpoint -From $from -To $from } | Should -Throw -ErrorId 'InvalidArgument,*'
    }

    It 'does nothing with -WhatIf' {
        Save-Checkpoint a @at
        Copy-Checkpoint -From $from -To $to -WhatIf
        Get-Checkpoint -Store $to -Pipeline * -Run '' | Should -BeNullOrEmpty
        (Get-CheckpointHistory -Store $to -Pipeline *).Count | Should -Be 0
    }
}
