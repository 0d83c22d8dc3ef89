# A second store that gets what the first does: Set-CheckpointContext -Replica.

BeforeAll {
    . $PSScriptRoot/Common.ps1

    $environment = @{}
    foreach ($name in 'CHECKPOINT_STORE', 'CHECKPOINT_REPLICA', 'CHECKPOINT_REPLICA_MODE') { $environment[$name] = [Environment]::GetEnvironmentVariable($name) }

    # A new process, whose end has the replica whole.
    function Invoke-Replicated([scriptblock] $Script, [object[]] $Arguments) {
        $child = Start-Pwsh $Script $Arguments
        $result = Wait-Pwsh $child
        $result.ExitCode | Should -Be 0 -Because $result.ErrorOutput
        $result
    }

    # What cannot be told apart by its user.
    function Get-Essence([string] $Store) {
        foreach ($run in '', '*') { Get-Checkpoint -Store $Store -Pipeline * -Run $run -AllSteps | ForEach-Object { "$($_.Pipeline)/$($_.Run)/$($_.Name) $($_.Step) $($_.SavedAt.ToString('o')) $($_.StateSize)" } }
        Get-CheckpointRun -Store $Store -Pipeline * -Run * | ForEach-Object { "$($_.Run) $($_.Status) $($_.Attempts) $($_.EndedAt.ToString('o'))" }
        # By their times: what two threads do at once the replica may get in another order.
        Get-CheckpointHistory -Store $Store -Pipeline * | Where-Object Event -NE Restored | ForEach-Object { "$($_.Time.ToString('o')) $($_.Event) $($_.Name) $($_.Step)" } | Sort-Object
    }
}

Describe 'A replica' {
    BeforeEach {
        foreach ($name in $environment.Keys) { [Environment]::SetEnvironmentVariable($name, [NullString]::Value) }
        Set-CheckpointContext -Reset -Pipeline nightly -Run ''
        $a, $b = (New-TestStore -Missing), (New-TestStore -Missing)
    }

    AfterEach { foreach ($name in $environment.Keys) { [Environment]::SetEnvironmentVariable($name, $environment[$name] ?? [NullString]::Value) } }

    AfterAll { Set-CheckpointContext -Reset }

    It 'has at the end of the process all that the store has' {
        $null = Invoke-Replicated {
            param($a, $b)
            Set-CheckpointContext -Store $a -Replica $b -Pipeline nightly -Run ''
            1..3 | ForEach-Object { Save-Checkpoint ingest -State $_ -Keep 2 }
            Save-Checkpoint large -State ([byte[]]::new(1MB)) -Async
            Save-Checkpoint gone
            Clear-Checkpoint gone
            $null = Invoke-CheckpointPipeline nightly -Run 7 { stage one { Save-Checkpoint inner; 1 }; stage two { 2 } -DependsOn one }
        } $a, $b
        Get-Essence $b | Should -Be @(Get-Essence $a)
        (Get-Checkpoint -Store $a -Run *).Name | Should -Be 'inner', 'one', 'two'
        Restore-Checkpoint ingest -Store $b | Should -Be 3
        Test-CheckpointStore -Store $b | Should -BeNullOrEmpty
    }

    It 'that is required has a save as soon as the cmdlet returns' {
        Set-CheckpointContext -Store $a -Replica $b -ReplicaMode Required
        Save-Checkpoint ingest -State 42
        Restore-Checkpoint ingest -Store $b | Should -Be 42
        Clear-Checkpoint ingest
        Test-Checkpoint ingest -Store $b | Should -BeFalse
        Invoke-CheckpointStage extract { Save-Checkpoint inner -State 1; 'x' } | Should -Be x
        Test-Checkpoint inner -Store $b | Should -BeTrue
        Get-Essence $b | Should -Be @(Get-Essence $a)
    }

    It 'that is required and cannot be written makes an error of the save' -Tag Files {
        Set-CheckpointContext -Store $a
        Save-Checkpoint first
        Set-Content $b 'a file'
        Set-CheckpointContext -Store "$a/" -Replica $b -ReplicaMode Required
        { Save-Checkpoint ingest -State 42 } | Should -Throw -ErrorId 'StoreUnavailable,*' -ExpectedMessage "*not in its replica '$b'*Copy-Checkpoint*"
        Restore-Checkpoint ingest -Store $a | Should -Be 42
    }

    It 'that cannot be written is a warning at the end, with the command that brings what it missed' -Tag Files {
        Save-Checkpoint first -Store $a
        Set-Content $b 'a file'
        $result = Invoke-Replicated {
            param($a, $b)
            Set-CheckpointContext -Store $a -Replica $b -Pipeline nightly -Run ''
            Save-Checkpoint ingest -State 42
        } $a, $b
        $said = $result.ErrorOutput + $result.Output
        $said | Should -BeLike "*missed * changes*"
        ($said -replace '\s') | Should -BeLike "*Copy-Checkpoint-From'$a'-To'$b'-Mirror*"
        Remove-Item $b
        Copy-Checkpoint -From $a -To $b -Mirror
        Get-Essence $b | Should -Be @(Get-Essence $a)
    }

    It 'is read with a warning where the store is away, and never written' -Tag Files {
        Set-CheckpointContext -Store $a -Replica $b -ReplicaMode Required
        Save-Checkpoint ingest -State 42
        $null = Invoke-CheckpointPipeline nightly -Run 7 { stage one { 1 } }
        Move-Item $a "$a-unmounted"
        $before = Get-Essence $b

        Test-Checkpoint ingest -WarningVariable warned -WarningAction SilentlyContinue | Should -BeTrue
        $warned | Should -HaveCount 1
        $warned[0].Message | Should -BeLike "The replica '$b' is read in place of the store '$a'*"
        Restore-Checkpoint ingest -WarningAction SilentlyContinue | Should -Be 42
        (Get-Checkpoint -WarningAction SilentlyContinue).Store | Should -Be $a
        (Get-CheckpointRun -Run * -WarningAction SilentlyContinue).Status | Should -Be Completed
        Get-CheckpointHistory -WarningAction SilentlyContinue | Should -Not -BeNullOrEmpty

        { Save-Checkpoint ingest -State 43 } | Should -Throw -ErrorId 'StoreUnavailable,*'
        { Get-Checkpoint -WarningAction SilentlyContinue | Clear-Checkpoint -ErrorAction Stop } | Should -Throw -ErrorId 'StoreUnavailable,*'
        { Invoke-CheckpointStage extract { throw 'must not run' } -WarningAction SilentlyContinue } | Should -Throw -ErrorId 'StoreUnavailable,*'
        Get-Essence $b | Should -Be @($before)
        Test-Path $a | Should -BeFalse

        # As the message says.
        Copy-Checkpoint -From $b -To $a
        Save-Checkpoint ingest -State 43
        Restore-Checkpoint ingest -Store $b | Should -Be 43
    }

    It 'belongs to the store that it was set with' {
        $c = New-TestStore -Missing
        Set-CheckpointContext -Store $a -Replica $b -ReplicaMode Required
        Save-Checkpoint ingest -Store $c
        Get-Checkpoint -Store $b | Should -BeNullOrEmpty
        Save-Checkpoint ingest -Store $a
        Get-Checkpoint | Restore-Checkpoint
        Test-Checkpoint ingest -Store $b | Should -BeTrue
        Invoke-CheckpointStage extract { Save-Checkpoint inner } -Store $c
        Test-Checkpoint inner -Store $b | Should -BeFalse
        Set-CheckpointContext -Store $c
        (Get-CheckpointContext).Replica | Should -BeNullOrEmpty
    }

    It 'comes from the environment too, and is shown with where it came from' {
        $env:CHECKPOINT_STORE, $env:CHECKPOINT_REPLICA, $env:CHECKPOINT_REPLICA_MODE = $a, $b, 'Required'
        Save-Checkpoint ingest
        Test-Checkpoint ingest -Store $b | Should -BeTrue
        $context = Get-CheckpointContext
        $context.Replica, "$($context.ReplicaMode)", $context.Source['Replica'] | Should -Be $b, 'Required', 'CHECKPOINT_REPLICA'
        ($context | Out-String -Width 500) | Should -BeLike "*Replica*$b, Required*(CHECKPOINT_REPLICA)*"
        $env:CHECKPOINT_REPLICA_MODE = 'both'
        { Save-Checkpoint ingest } | Should -Throw -ErrorId 'InvalidArgument,*' -ExpectedMessage '*CHECKPOINT_REPLICA_MODE*'
    }

    It 'is not the store itself' {
        { Set-CheckpointContext -Store $a -Replica $a } | Should -Throw -ErrorId 'InvalidArgument,*'
        { Set-CheckpointContext -Store $a -Replica 'ftp://example.org/x' } | Should -Throw -ErrorId 'StoreUnavailable,*'
        Set-CheckpointContext -Store $a -Replica $b
        Set-CheckpointContext -Replica $null
        (Get-CheckpointContext).Replica | Should -BeNullOrEmpty
    }

    It 'keeps what is encrypted encrypted, and follows a change of the key' {
        $old, $new = [byte[]](1..32), [byte[]](2..33)
        Set-CheckpointContext -Store $a -Replica $b -ReplicaMode Required
        Save-Checkpoint ingest -State 'launch code' -Key $old
        { Restore-Checkpoint ingest -Store $b } | Should -Throw -ErrorId 'KeyRequired,*'
        Update-CheckpointKey -Key $old -NewKey $new
        Restore-Checkpoint ingest -Store $b -Key $new | Should -Be 'launch code'
        { Restore-Checkpoint ingest -Store $b -Key $old } | Should -Throw -ErrorId 'KeyWrong,*'
    }
}
