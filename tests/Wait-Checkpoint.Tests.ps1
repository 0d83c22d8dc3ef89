# Saving behind the work: Save-Checkpoint -Async and those who wait for it.

BeforeAll {
    . $PSScriptRoot/Common.ps1

    # A file where the store's folder should be: no save can succeed there, for root neither.
    function New-BrokenStore {
        $path = New-TestStore -Missing
        Set-Content $path 'no folder'
        $path
    }
}

Describe 'Save-Checkpoint -Async' {
    BeforeEach {
        $store = New-TestStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
    }

    AfterEach {
        Wait-Checkpoint -Pending
    }

    It 'saves the state as it was, whatever the script does to it afterwards' {
        $bytes = [byte[]]::new(3MB)
        $bytes[7] = 1
        $list = [Collections.Generic.List[int]] (1, 2)
        $state = @{ Bytes = $bytes; List = $list; Numbers = [double[]] @(1..5000); Name = 'before' }
        $metadata = @{ loss = 1 }
        Save-Checkpoint a $state -Async -Metadata $metadata @at
        [Array]::Clear($bytes)
        $list.Add(3)
        $state.Numbers[0] = 99
        $state.Name = 'after'
        $metadata.loss = 2
        $saved = Restore-Checkpoint a @at
        $saved.Bytes[7] | Should -Be 1
        $saved.List | Should -Be 1, 2
        $saved.Numbers[0] | Should -Be 1
        $saved.Name | Should -Be 'before'
        (Get-Checkpoint a @at).Metadata['loss'] | Should -Be 1
    }

    It 'declares output files as they are at the call' {
        $file = "$env:TEST_PLACE/out"
        Set-Content $file 'first'
        Save-Checkpoint a -OutputFile $file -Async @at
        Set-Content $file 'second'
        Test-Checkpoint a @at | Should -BeFalse
    }

    It 'numbers, prunes and overwrites as a plain save does, in the order of the calls' {
        foreach ($i in 1..6) { Save-Checkpoint a $i -Async -Keep 2 @at }
        Save-Checkpoint a 7 -Keep 2 @at
        Wait-Checkpoint -Pending
        (Get-Checkpoint a -AllSteps @at).Step | Should -Be 7, 6
        Restore-Checkpoint a @at | Should -Be 7
        Save-Checkpoint a 60 -Step 6 -Overwrite -Async @at
        Restore-Checkpoint a -Step 6 @at | Should -Be 60
        { Save-Checkpoint a 8 -Step 7 -Async @at } | Should -Throw -ErrorId 'CheckpointExists,*'
        Save-Checkpoint a 9 -Step 9 -Interval 10 -Async @at
        Test-Checkpoint a -Step 9 @at | Should -BeFalse
    }

    It 'emits nothing, and refuses -PassThru, which would have to wait' {
        Save-Checkpoint a 1 -Async @at | Should -BeNullOrEmpty
        { Save-Checkpoint a 1 -Async -PassThru @at } | Should -Throw -ErrorId 'InvalidArgument,*'
        Save-Checkpoint a 1 -Async @at 6>&1 | Should -Be 'Checkpoint captured: a'
        Save-Checkpoint b 1 -Async -WhatIf @at
        Test-Checkpoint b @at | Should -BeFalse
    }

    It 'is waited for by what asks for the stage: <_>' -ForEach 'Test-Checkpoint', 'Restore-Checkpoint', 'Clear-Checkpoint' {
        $bytes = [byte[]]::new(40MB)
        Save-Checkpoint a $bytes -Async @at
        $answer = & $_ a @at
        switch ($_) {
            'Test-Checkpoint' { $answer | Should -BeTrue }
            'Restore-Checkpoint' { $answer.Length | Should -Be 40MB }
            'Clear-Checkpoint' { Wait-Checkpoint -Pending; Test-Checkpoint a @at | Should -BeFalse }
        }
    }

    It 'says at once that a state cannot be kept' {
        $circle = @{}
        $circle.Self = $circle
        { Save-Checkpoint a $circle -Async @at } | Should -Throw -ErrorId 'StateNotSerializable,*'
        Wait-Checkpoint -Pending
        Test-Checkpoint a @at | Should -BeFalse
    }

    It 'saves 8 stages side by side' {
        foreach ($turn in 1..3) {
            foreach ($i in 1..8) { Save-Checkpoint "s$i" ([byte[]]::new(1MB + $i)) -Async @at }
        }
        Wait-Checkpoint -Pending
        foreach ($i in 1..8) {
            (Get-Checkpoint "s$i" -AllSteps @at).Step | Should -Be 3, 2, 1
            (Restore-Checkpoint "s$i" @at).Length | Should -Be (1MB + $i)
        }
    }

    It 'keeps every step that 4 runspaces save of one stage' {
        $module = $ModulePath
        1..4 | ForEach-Object -ThrottleLimit 4 -Parallel {
            Import-Module $using:module
            for ($i = 1; $i -le 10; $i++) { Save-Checkpoint shared "$_.$i" -Async -Store $using:store -Pipeline default -Run '' }
        }
        Wait-Checkpoint -Pending
        (Get-Checkpoint shared -AllSteps @at).Count | Should -Be 40
        $states = 1..40 | ForEach-Object { Restore-Checkpoint shared -Step $_ @at }
        foreach ($runspace in 1..4) {
            $states | Where-Object { $_ -like "$runspace.*" } | Should -Be (1..10 | ForEach-Object { "$runspace.$_" })
        }
    }
}

Describe 'A failure behind the work' -Tag Files {
    BeforeEach {
        $store = New-BrokenStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        Save-Checkpoint a 1 -Async @at
    }

    AfterEach {
        Wait-Checkpoint -Pending -ErrorAction Ignore
    }

    It 'is raised once, by the next <Name>' -ForEach @(
        @{ Name = 'Save-Checkpoint'; Call = { Save-Checkpoint a 2 @at } }
        @{ Name = 'Save-Checkpoint -Async'; Call = { Save-Checkpoint a 2 -Async @at } }
        @{ Name = 'Test-Checkpoint'; Call = { Test-Checkpoint a @at } }
        @{ Name = 'Restore-Checkpoint'; Call = { Restore-Checkpoint a @at } }
        @{ Name = 'Wait-Checkpoint -Pending'; Call = { Wait-Checkpoint -Pending } }
        @{ Name = 'Wait-Checkpoint -Pending for the stage'; Call = { Wait-Checkpoint a -Pending @at } }
        @{ Name = 'Clear-Checkpoint'; Call = { Clear-Checkpoint a -ErrorAction Stop @at } }
    ) {
        $message = { & $Call } | Should -Throw -ErrorId 'StoreUnavailable,*' -PassThru
        "$message" | Should -BeLike "*checkpoint 'a'*$store*-Async*"
        Wait-Checkpoint -Pending
        Test-Checkpoint a @at | Should -BeFalse
    }

    It 'is not the failure of another stage' {
        Test-Checkpoint b @at | Should -BeFalse
        Wait-Checkpoint b -Pending @at
        { Wait-Checkpoint a -Pending @at } | Should -Throw
    }

    It 'is shown by Get-Checkpoint, beside what is there' {
        # Get-Checkpoint does not wait, so it is asked until the save is over.
        # Here it fails itself too, for the same reason.
        Wait-Until { try { $null = Get-Checkpoint a -ErrorAction SilentlyContinue -ErrorVariable told @at } catch { $null = $_ }; $told -match '-Async' }
        Wait-Checkpoint -Pending
    }

    It 'is told of each stage by Wait-Checkpoint' {
        Save-Checkpoint b 1 -Async @at
        $told = $null
        try { Wait-Checkpoint -Pending -ErrorAction SilentlyContinue -ErrorVariable told } catch { $last = $_ }
        @(@($told) + $last | ForEach-Object TargetObject | Sort-Object -Unique) | Should -Be 'a', 'b'
        Wait-Checkpoint -Pending
    }
}

Describe 'The end of a process' {
    BeforeEach { $store = New-TestStore }

    It 'waits for what is not yet saved: <_>' -ForEach 'the end of the script', 'exit', 'Environment.Exit', 'an error' {
        $result = Invoke-Pwsh {
            param($store, $end)
            Save-Checkpoint a ([byte[]]::new(100MB)) -Async -Store $store -Pipeline default -Run ''
            if ($end -eq 'exit') { exit 3 }
            if ($end -eq 'Environment.Exit') { [Environment]::Exit(3) }
            if ($end -eq 'an error') { throw 'the work failed' }
        } $store, $_
        $result.ExitCode | Should -Be @{ 'the end of the script' = 0; exit = 3; 'Environment.Exit' = 3; 'an error' = 1 }[$_]
        (Restore-Checkpoint a -Store $store -Pipeline default -Run '').Length | Should -Be 100MB
    }

    It 'waits when it is asked to end: SIG<_>' -ForEach 'INT', 'TERM', 'HUP' -Skip:$IsWindows {
        $child = Start-Pwsh {
            param($store)
            Save-Checkpoint a ([byte[]]::new(200MB)) -Async -Store $store -Pipeline default -Run ''
            $null = New-Item "$env:TEST_PLACE/captured"
            Start-Sleep 600
        } $store
        Wait-Until { Test-Path "$env:TEST_PLACE/captured" }
        kill "-$_" $child.Process.Id
        $null = Wait-Pwsh $child
        (Restore-Checkpoint a -Store $store -Pipeline default -Run '').Length | Should -Be 200MB
    }

    It 'waits though it is that of a job, which is killed when the job is over' {
        Start-Job {
            Import-Module $using:ModulePath
            Save-Checkpoint a ([byte[]]::new(200MB)) -Async -Store $using:store -Pipeline default -Run ''
        } | Receive-Job -Wait -AutoRemoveJob
        Wait-Until { Test-Checkpoint a -Store $store -Pipeline default -Run '' }
        (Restore-Checkpoint a -Store $store -Pipeline default -Run '').Length | Should -Be 200MB
    }

    It 'tells of a failure that nobody was told of, and fails: <_>' -Tag Files -ForEach 'the end of the script', 'exit', 'Environment.Exit' {
        $broken = New-BrokenStore
        $result = Invoke-Pwsh {
            param($store, $end)
            Save-Checkpoint a 1 -Async -Store $store
            if ($end -eq 'exit') { exit }
            if ($end -eq 'Environment.Exit') { [Environment]::Exit(0) }
        } $broken, $_
        $result.ExitCode | Should -Be 1
        $result.ErrorOutput | Should -BeLike "*checkpoint 'a'*$broken*"
    }

    It 'that comes as a kill leaves the step before and nothing torn (seed <_>)' -ForEach (1..4) {
        Save-Checkpoint a 'old' -Store $store -Pipeline default -Run ''
        $child = Start-Pwsh {
            param($store)
            Save-Checkpoint a ([byte[]]::new(400MB)) -Async -Store $store -Pipeline default -Run ''
            $null = New-Item "$env:TEST_PLACE/captured"
            Start-Sleep 600
        } $store
        Wait-Until { Test-Path "$env:TEST_PLACE/captured" }
        [Threading.Thread]::Sleep([Random]::new($_).Next(100))
        $null = Stop-Pwsh $child
        $latest = Get-Checkpoint a -Store $store -Pipeline default -Run ''
        $state = Restore-Checkpoint a -Store $store -Pipeline default -Run '' -WarningVariable damage
        $damage | Should -BeNullOrEmpty
        if ($latest.Step -eq 1) { $state | Should -Be 'old' } else { $state.Length | Should -Be 400MB }
    }
}

Describe 'Remove-Module' {
    It 'waits, and tells of a failure' -Tag Files {
        $store, $broken = (New-TestStore), (New-BrokenStore)
        $result = Invoke-Pwsh {
            param($store, $broken)
            Save-Checkpoint a ([byte[]]::new(100MB)) -Async -Store $store -Pipeline default -Run ''
            Remove-Module Checkpoint
            @(Get-ChildItem $store -Recurse -Filter *.json).Count
            Import-Module $env:MODULE
            Save-Checkpoint a 1 -Async -Store $broken
            try { Remove-Module Checkpoint } catch { "told: $_" }
            Remove-Module Checkpoint
            "left: $(Get-Module Checkpoint)"
        } $store, $broken -Environment @{ MODULE = $ModulePath }
        $result.ErrorOutput | Should -BeNullOrEmpty
        $result.Output[0] | Should -Be '1'
        $result.Output[1] | Should -BeLike "told: *checkpoint 'a'*"
        $result.Output[2] | Should -Be 'left: '
    }
}

Describe 'Ctrl+C' {
    It 'ends the wait for a save within a second and leaves what was captured to be committed' -Tag Files {
        $store = New-TestStore
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript("Import-Module '$ModulePath'; while (`$true) { Save-Checkpoint a ([byte[]]::new(100MB)) -Async -Keep 1 -Store '$store' -Pipeline default -Run '' }")
            $running = $shell.BeginInvoke()
            Wait-Until { Test-Checkpoint a -Store $store -Pipeline default -Run '' }
            $clock = [Diagnostics.Stopwatch]::StartNew()
            $shell.Stop()
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 1
            $running.IsCompleted | Should -BeTrue
        }
        finally {
            $shell.Dispose()
        }
        Wait-Checkpoint -Pending
        (Restore-Checkpoint a -Store $store -Pipeline default -Run '' -WarningVariable damage).Length | Should -Be 100MB
        $damage | Should -BeNullOrEmpty
        Get-ChildItem $store -Recurse -Filter *.tmp | Should -BeNullOrEmpty
    }
}

Describe 'Wait-Checkpoint for a stage' {
    BeforeEach {
        $store = New-TestStore
        $signal = Join-Path $TestDrive ([guid]::NewGuid())
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
    }

    It 'returns at once where the stage is complete, and nothing but with -PassThru' {
        Save-Checkpoint ingest -Fingerprint 1 @at
        Wait-Checkpoint ingest @at | Should -BeNullOrEmpty
        (Wait-Checkpoint ingest -Fingerprint 1 -PassThru @at).Step | Should -Be 1
    }

    It 'returns as soon as another process completes it' {
        $child = Start-Pwsh {
            param($store, $signal)
            Invoke-CheckpointStage ingest -Store $store { $null = New-Item $signal; while (-not (Test-Path "$signal.go")) { Start-Sleep -Milliseconds 20 }; 42 }
        } $store, $signal
        Wait-Until { Test-Path $signal }
        $waiting = Start-Pwsh { param($store) Wait-Checkpoint ingest -Timeout 60s -Store $store; Restore-Checkpoint ingest -Store $store } $store
        { Wait-Checkpoint ingest -Timeout 1s @at } | Should -Throw -ErrorId 'CheckpointNotFound,*'
        $null = New-Item "$signal.go"
        (Wait-Pwsh $waiting).Output | Should -Be 42
        $null = Wait-Pwsh $child
    }

    It 'fails at once where the process that was at it <How>' -ForEach @(
        @{ How = 'was killed'; End = 'kill' }
        @{ How = 'fails'; End = 'throw' }
    ) {
        $child = Start-Pwsh {
            param($store, $signal)
            Invoke-CheckpointStage ingest -Store $store { $null = New-Item $signal; while (-not (Test-Path "$signal.go")) { Start-Sleep -Milliseconds 20 }; throw 'no source' }
        } $store, $signal
        Wait-Until { Test-Path $signal }
        $waiting = Start-Pwsh { param($store, $signal) $null = New-Item "$signal.waits"; try { Wait-Checkpoint ingest -Timeout 10m -Store $store } catch { "$($_.FullyQualifiedErrorId) $_" } } $store, $signal
        Wait-Until { Test-Path "$signal.waits" }
        # It has looked at least once by then, for its longest pause is 2 s.
        Start-Sleep -Seconds 3
        $End -eq 'kill' ? (Stop-Pwsh $child) : (New-Item "$signal.go") | Out-Null
        $said = (Wait-Pwsh $waiting).Output -join ' '
        $said | Should -BeLike 'StageFailed,*'
        if ($End -eq 'throw') {
            $said | Should -BeLike '*no source*'
        }
        $null = Wait-Pwsh $child
    }

    It 'fails at once where the run has ended without it' {
        $null = Invoke-CheckpointPipeline nightly -Store $store -Run 7 -ErrorAction Ignore { stage ingest { throw 'no source' } }
        $fault = { Wait-Checkpoint ingest -Store $store -Pipeline nightly -Run 7 -Timeout 10m } | Should -Throw -ErrorId 'StageFailed,*' -PassThru
        $fault.Exception.Message | Should -BeLike '*no source*'
    }

    It 'stops within a second at Ctrl+C' {
        $shell = [powershell]::Create().AddScript('param($Module, $Store) Import-Module $Module; Wait-Checkpoint ingest -Store $Store').AddArgument($ModulePath).AddArgument($store)
        $running = $shell.BeginInvoke()
        Wait-Until { $shell.InvocationStateInfo.State -eq 'Running' }
        Start-Sleep -Milliseconds 500
        $clock = [Diagnostics.Stopwatch]::StartNew()
        $shell.Stop()
        $clock.Elapsed.TotalSeconds | Should -BeLessThan 5
        $running.IsCompleted | Should -BeTrue
    }
}
