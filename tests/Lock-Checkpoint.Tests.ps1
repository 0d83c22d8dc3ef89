# The right to be the only one at work on a stage: Lock-Checkpoint, Unlock-Checkpoint, and the leases that Invoke-CheckpointStage takes by itself.

BeforeAll {
    . $PSScriptRoot/Common.ps1

    # A process that holds the lease until it is told to end, or is killed.
    function Start-Holder([string] $Store, [string] $Signal, [string] $For = '1m') {
        $child = Start-Pwsh {
            param($store, $signal, $for)
            $lease = Lock-Checkpoint deploy -For $for -Store $store
            Set-Content "$signal.tmp" $lease.Token
            Move-Item "$signal.tmp" $signal
            while (-not (Test-Path "$signal.end")) { Start-Sleep -Milliseconds 20 }
            try { Save-Checkpoint deploy late -Store $store; 'saved' } catch { $_.FullyQualifiedErrorId }
            try { Unlock-Checkpoint deploy -Store $store -ErrorAction Stop; 'unlocked' } catch { $_.FullyQualifiedErrorId }
        } $Store, $Signal, $For
        Wait-Until { (Test-Path $Signal) -or $child.Process.HasExited }
        $child
    }
}

Describe 'Lock-Checkpoint' {
    BeforeEach {
        $store = New-TestStore
        $signal = Join-Path $TestDrive ([guid]::NewGuid())
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
    }

    AfterEach {
        Unlock-Checkpoint deploy @at -ErrorAction Ignore
    }

    It 'gives the lease, and says who has it, since when, until when and with which token' {
        $lease = Lock-Checkpoint deploy -For 10m @at
        $lease | Should -BeOfType Checkpoint.CheckpointLease
        $lease.Name, $lease.Pipeline, $lease.Run, $lease.Store | Should -Be 'deploy', 'default', $null, $store
        $lease.Token | Should -BeGreaterThan 0
        $lease.Holder | Should -BeExactly "process $PID of $([Environment]::UserName) on $([Environment]::MachineName)"
        ($lease.ExpiresAt - [DateTimeOffset]::UtcNow).TotalMinutes | Should -BeGreaterThan 9
        ($lease.ExpiresAt - [DateTimeOffset]::UtcNow).TotalMinutes | Should -BeLessOrEqual 10
        [Math]::Abs(($lease.TakenAt - [DateTimeOffset]::UtcNow).TotalMinutes) | Should -BeLessThan 1
        (Get-CheckpointHistory -Store $store -Pipeline default).Event | Should -Be 'LeaseTaken'
    }

    It 'keeps every other process out, which is told who has it' {
        $child = Start-Holder $store $signal
        try {
            $fault = { Lock-Checkpoint deploy @at } | Should -Throw -ErrorId 'LeaseHeld,*' -PassThru
            $fault.CategoryInfo.Category | Should -Be 'ResourceBusy'
            $fault.TargetObject | Should -Be 'deploy'
            $fault.Exception.Message | Should -BeLike "*process $($child.Process.Id) of *"
            { Invoke-CheckpointStage deploy { 'mine' } @at } | Should -Throw -ErrorId 'LeaseHeld,*'
            # Nothing else is kept from anybody.
            Save-Checkpoint other @at
            Test-Checkpoint deploy @at | Should -BeFalse
        }
        finally {
            $null = New-Item "$signal.end"
            (Wait-Pwsh $child).Output | Should -Be 'saved', 'unlocked'
        }
        Restore-Checkpoint deploy @at | Should -Be late
    }

    It 'is free at once when its process is killed, of which the system tells' -Tag Files {
        $child = Start-Holder $store $signal 1h
        $null = Stop-Pwsh $child
        (Lock-Checkpoint deploy -Timeout 30s @at).Token | Should -BeGreaterThan ([long] (Get-Content $signal))
    }

    It 'is free when its time is over where its process was killed' {
        $child = Start-Holder $store $signal 3s
        $null = Stop-Pwsh $child
        (Lock-Checkpoint deploy -Timeout 30s -WarningAction Ignore @at).Token | Should -BeGreaterThan ([long] (Get-Content $signal))
    }

    It 'is lost by a process that was stopped for longer, which then saves nothing' -Skip:$IsWindows {
        $child = Start-Holder $store $signal 3s
        kill -STOP $child.Process.Id
        try {
            $lease = Lock-Checkpoint deploy -Timeout 60s -WarningAction Ignore @at
            $lease.Token | Should -BeGreaterThan ([long] (Get-Content $signal))
            Save-Checkpoint deploy mine @at
        }
        finally {
            $null = New-Item "$signal.end"
            kill -CONT $child.Process.Id
        }
        (Wait-Pwsh $child).Output -replace ',.*' | Should -Be 'LeaseLost', 'LeaseLost'
        Restore-Checkpoint deploy @at | Should -Be mine
        (Get-Checkpoint deploy -AllSteps @at).Step | Should -Be 1
    }

    It 'waits as long as -Timeout says, and is told as soon as it is free' {
        $child = Start-Holder $store $signal
        $clock = [Diagnostics.Stopwatch]::StartNew()
        { Lock-Checkpoint deploy -Timeout 1s -WarningAction Ignore @at } | Should -Throw -ErrorId 'LeaseHeld,*'
        $clock.Elapsed.TotalSeconds | Should -BeGreaterOrEqual 1
        $null = New-Item "$signal.end"
        Lock-Checkpoint deploy -Timeout 60s @at 3>&1 | ForEach-Object { $_ -is [Management.Automation.WarningRecord] ? 'warned' : $_.Name } | Should -Contain deploy
        $null = Wait-Pwsh $child
    }

    It 'gives a session the lease that it has already, and a higher token after it was given back' {
        $first = Lock-Checkpoint deploy @at
        (Lock-Checkpoint DEPLOY @at).Token | Should -Be $first.Token
        $first | Unlock-Checkpoint
        (Lock-Checkpoint deploy @at).Token | Should -BeGreaterThan $first.Token
    }

    It 'keeps the runspaces of one process apart, and ends with the runspace' {
        $shell = [powershell]::Create().AddScript('param($Module, $Store) Import-Module $Module; Lock-Checkpoint deploy -Store $Store').AddArgument($ModulePath).AddArgument($store)
        $shell.Invoke() | Should -HaveCount 1
        { Lock-Checkpoint deploy @at } | Should -Throw -ErrorId 'LeaseHeld,*'
        $shell.Runspace.Close()
        $shell.Dispose()
        (Lock-Checkpoint deploy -Timeout 30s -WarningAction Ignore @at).Name | Should -Be deploy
    }

    It 'ends with its session' {
        $left = Invoke-Pwsh { param($store) Lock-Checkpoint deploy -For 1h -Store $store | ForEach-Object Token } $store
        $left.ExitCode | Should -Be 0
        (Lock-Checkpoint deploy @at).Token | Should -BeGreaterThan ([long] $left.Output[0])
    }

    It 'does nothing with -WhatIf' {
        Lock-Checkpoint deploy -WhatIf @at | Should -BeNullOrEmpty
        (Invoke-Pwsh { param($store) (Lock-Checkpoint deploy -Store $store).Name } $store).Output | Should -Be deploy
    }

    It 'refuses a time that is too short to be renewed in' {
        { Lock-Checkpoint deploy -For 1s @at } | Should -Throw -ErrorId 'InvalidArgument,*'
    }

    It 'is renewed for as long as it is held' {
        $lease = Lock-Checkpoint deploy -For 3s @at
        $until = $lease.ExpiresAt
        Wait-Until { [DateTimeOffset]::UtcNow -gt $until.AddSeconds(1) }
        $lease.ExpiresAt | Should -BeGreaterThan $until
        (Invoke-Pwsh { param($store) try { Lock-Checkpoint deploy -Store $store } catch { $_.FullyQualifiedErrorId } } $store).Output | Should -BeLike 'LeaseHeld,*'
        Save-Checkpoint deploy @at
    }
}

Describe 'Unlock-Checkpoint' {
    BeforeEach {
        $store = New-TestStore
        $signal = Join-Path $TestDrive ([guid]::NewGuid())
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
    }

    It 'says so on the information stream and in the history, and nothing on the output' {
        $null = Lock-Checkpoint deploy @at 6>&1
        Unlock-Checkpoint deploy @at 6>&1 | Should -Be 'Checkpoint unlocked: deploy'
        (Get-CheckpointHistory -Store $store -Pipeline default).Event | Should -Be 'LeaseTaken', 'LeaseReleased'
    }

    It 'has nothing to do where nobody has the lease, and leaves that of another alone' {
        Unlock-Checkpoint deploy @at -ErrorAction Stop | Should -BeNullOrEmpty
        $child = Start-Holder $store $signal
        { Unlock-Checkpoint deploy @at -ErrorAction Stop } | Should -Throw -ErrorId 'LeaseHeld,*'
        $null = New-Item "$signal.end"
        (Wait-Pwsh $child).Output | Should -Be 'saved', 'unlocked'
    }

    It 'does nothing with -WhatIf' {
        $null = Lock-Checkpoint deploy @at
        Unlock-Checkpoint deploy -WhatIf @at
        (Invoke-Pwsh { param($store) try { Lock-Checkpoint deploy -Store $store } catch { $_.FullyQualifiedErrorId } } $store).Output | Should -BeLike 'LeaseHeld,*'
        Unlock-Checkpoint deploy @at
    }
}

Describe 'The lease of a stage that is run' {
    BeforeEach {
        $store = New-TestStore
        $signal = Join-Path $TestDrive ([guid]::NewGuid())
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
    }

    It 'has a stage run by one process, and the others wait and take its output' {
        $children = 1..4 | ForEach-Object {
            Start-Pwsh {
                param($store, $signal)
                Invoke-CheckpointStage build -Store $store -WhenBusy Wait -WarningAction Ignore { Add-Content $signal $PID; Start-Sleep -Milliseconds 500; "made by $PID" }
            } $store, $signal
        }
        $output = $children | ForEach-Object { (Wait-Pwsh $_).Output }
        $output | Should -HaveCount 4
        $output | Select-Object -Unique | Should -Be "made by $(Get-Content $signal)"
    }

    It 'is had by the session that locked the stage, and not by its own block again' {
        $null = Lock-Checkpoint build @at
        Invoke-CheckpointStage build { 'done' } @at | Should -Be done
        Unlock-Checkpoint build @at
        { Invoke-CheckpointStage outer { Invoke-CheckpointStage outer { 'inner' } } @at } | Should -Throw -ErrorId 'LeaseHeld,*'
    }

    It 'is that of the session for items too, which keep nobody else out longer than that' {
        $null = Lock-Checkpoint copy @at
        1..3 | Invoke-CheckpointItem copy { $_ } @at | Should -Be 1, 2, 3
        (Invoke-Pwsh { param($store) try { Lock-Checkpoint copy -Store $store } catch { $_.FullyQualifiedErrorId } } $store).Output | Should -BeLike 'LeaseHeld,*'
        Unlock-Checkpoint copy @at -ErrorAction Stop
    }

    It 'is not needed where the stage is complete' {
        Invoke-CheckpointStage deploy { 'early' } @at | Should -Be early
        $child = Start-Holder $store $signal
        Invoke-CheckpointStage deploy { 'early' } @at | Should -Be early
        $null = New-Item "$signal.end"
        $null = Wait-Pwsh $child
    }
}
