BeforeAll { . $PSScriptRoot/Common.ps1 }

AfterAll { Set-CheckpointContext -Reset }

Describe 'New-CheckpointStage' {
    It 'describes a stage and runs nothing' {
        $ran = [Collections.Generic.List[object]]::new()
        $stage = New-CheckpointStage fetch { $ran.Add(1) } -DependsOn a, b -Retry 3 -Timeout 5m -Disabled
        $stage | Should -BeOfType ([Checkpoint.CheckpointStage])
        $stage.Name | Should -Be 'fetch'
        $stage.DependsOn | Should -Be 'a', 'b'
        $stage.Retry | Should -Be 3
        $stage.Timeout | Should -Be ([timespan] '00:05')
        $stage.Disabled | Should -BeTrue
        "$stage" | Should -Be 'fetch'
        $ran | Should -BeNullOrEmpty
    }

    It 'has no dependencies, retries and timeout by default' {
        $stage = New-CheckpointStage fetch { }
        $stage.DependsOn | Should -BeNullOrEmpty
        (New-CheckpointStage fetch { } -DependsOn $null).DependsOn | Should -HaveCount 0
        $stage.Retry | Should -Be 0
        $stage.Timeout | Should -BeNullOrEmpty
        $stage.Disabled | Should -BeFalse
    }

    It 'can be piped into a pipeline, before those of its block' {
        Set-CheckpointContext -Reset -Store (New-TestStore)
        $result = New-CheckpointStage a { 1 } | Invoke-CheckpointPipeline p { stage b { $_.Output['a'] + 1 } -DependsOn a }
        $result.Stages.Name | Should -Be 'a', 'b'
        Restore-Checkpoint b -Pipeline p -Run $result.Run | Should -Be 2
    }

    It 'leaves names to be judged with the pipeline' {
        $stage = New-CheckpointStage '' { }
        { $stage | Invoke-CheckpointPipeline p -Store (New-TestStore) } | Should -Throw -ErrorId 'InvalidPipeline,Checkpoint.Commands.InvokeCheckpointPipelineCommand'
    }

    It 'refuses <_>' -ForEach @{ Retry = -1 }, @{ RetryDelay = '5' }, @{ RetryJitter = -1 }, @{ Timeout = 'soon' }, @{ Timeout = '50d' } {
        $with = $_
        { New-CheckpointStage s { } @with } | Should -Throw -ErrorId 'ParameterArgument*'
    }

    It 'says what cannot be a fingerprint' {
        $cycle = @{}
        $cycle.self = $cycle
        { New-CheckpointStage s { } -Fingerprint $cycle } | Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.NewCheckpointStageCommand'
    }

    It 'is shown as a table of what it depends on' {
        $rendering = $PSStyle.OutputRendering
        $PSStyle.OutputRendering = 'PlainText'
        $lines = (New-CheckpointStage fetch { } -DependsOn a, b -Retry 2 -Timeout 90s | Out-String) -split '\r?\n' | Where-Object { $_ }
        $PSStyle.OutputRendering = $rendering
        $lines[0].Trim() -split ' +' | Should -Be 'Name', 'DependsOn', 'Retry', 'Timeout', 'Disabled'
        $lines[2] | Should -Match '^fetch a, b +2 +1m 30s False'
    }
}
