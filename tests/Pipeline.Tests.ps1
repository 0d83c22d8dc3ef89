BeforeAll { . $PSScriptRoot/Common.ps1 }

AfterAll { Set-CheckpointContext -Reset }

Describe 'Pipeline input' {
    BeforeEach {
        # Checkpoints that differ in everything by which one can be named, and a context that means none of them.
        $first, $second = (New-TestStore), (New-TestStore)
        Save-Checkpoint a 'first' -Store $first -Pipeline p1 -Run ''
        Save-Checkpoint a 'first, again' -Store $first -Pipeline p1 -Run ''
        Save-Checkpoint a 'run' -Store $first -Pipeline p1 -Run 7
        Save-Checkpoint b 'second' -Store $second -Pipeline p2 -Run 8 -Step 5
        Set-CheckpointContext -Reset -Store (New-TestStore -Missing) -Pipeline other -Run 9 -Keep $null

        function Get-All {
            @(Get-Checkpoint -Store $first -Pipeline * -Run '' -AllSteps) + @(Get-Checkpoint -Store $first -Pipeline * -Run *) + @(Get-Checkpoint -Store $second -Pipeline * -Run *)
        }
    }

    It 'binds by property name: <Bound>, for <Cmdlet>' -ForEach @(
        @{ Cmdlet = 'Test-Checkpoint'; Bound = 'Name', 'Pipeline', 'Run', 'Step', 'Store' }
        @{ Cmdlet = 'Get-Checkpoint'; Bound = 'Name', 'Pipeline', 'Run', 'Step', 'Store' }
        @{ Cmdlet = 'Restore-Checkpoint'; Bound = 'Name', 'Pipeline', 'Run', 'Step', 'Store' }
        @{ Cmdlet = 'Clear-Checkpoint'; Bound = 'Name', 'Pipeline', 'Revision', 'Run', 'Step', 'Store' }
        @{ Cmdlet = 'Set-CheckpointContext'; Bound = 'Pipeline', 'Run', 'Store' }
        @{ Cmdlet = 'Get-CheckpointContext'; Bound = 'Pipeline', 'Run', 'Store' }
        @{ Cmdlet = 'Save-Checkpoint'; Bound = @() }
        @{ Cmdlet = 'Get-CheckpointFingerprint'; Bound = @() }
        @{ Cmdlet = 'New-CheckpointIterator'; Bound = @() }
    ) {
        $parameters = (Get-Command $Cmdlet).Parameters.Values | Where-Object {
            $_.Attributes | Where-Object { $_ -is [Management.Automation.ParameterAttribute] -and $_.ValueFromPipelineByPropertyName }
        }
        $parameters.Name | Sort-Object | Should -Be $Bound
    }

    It 'gives Test-Checkpoint the very checkpoint' {
        Get-All | Test-Checkpoint | Should -Be $true, $true, $true, $true
        $decisions = Get-All | Test-Checkpoint -Detailed
        $decisions.Checkpoint.Location | Should -Be (Get-All).Location
        $checkpoints = Get-All
        Clear-Checkpoint -Store $first -Pipeline p1 -Run '' -Step 2
        $checkpoints | Test-Checkpoint | Should -Be $false, $true, $true, $true
    }

    It 'gives Restore-Checkpoint the very checkpoint' {
        Get-All | Restore-Checkpoint | Should -Be 'first, again', 'first', 'run', 'second'
    }

    It 'gives Get-Checkpoint the very checkpoint' {
        (Get-All | Get-Checkpoint).Location | Should -Be (Get-All).Location
    }

    It 'gives Clear-Checkpoint the very checkpoint' {
        Get-All | Where-Object { $_.Run -eq '7' -or $_.Step -eq 1 } | Clear-Checkpoint
        Get-All | Restore-Checkpoint | Should -Be 'first, again', 'second'
    }

    It 'gives Set-CheckpointContext and Get-CheckpointContext store, pipeline and run' {
        $context = Get-Checkpoint b -Store $second -Pipeline p2 -Run 8 | Get-CheckpointContext
        "$($context.Store) $($context.Pipeline) $($context.Run)" | Should -Be "$second p2 8"
        Get-Checkpoint b -Store $second -Pipeline p2 -Run 8 | Set-CheckpointContext
        Restore-Checkpoint b | Should -Be 'second'
        Get-Checkpoint a -Store $first -Pipeline p1 -Run '' | Set-CheckpointContext
        (Get-CheckpointContext).Run | Should -BeNullOrEmpty
        Restore-Checkpoint a | Should -Be 'first, again'
    }

    It 'is state to Save-Checkpoint, of which it binds nothing by property name' {
        Get-Checkpoint -Store $second -Pipeline p2 -Run 8 | Save-Checkpoint copy
        $saved = Get-Checkpoint
        "$($saved.Name) $($saved.Step) $($saved.Pipeline) $($saved.Run)" | Should -Be 'copy 1 other 9'
        (Restore-Checkpoint copy).Name | Should -Be 'b'
        [pscustomobject]@{ State = 'x'; Name = 'y'; Step = 4; Store = 'z'; Force = $true; Metadata = @{ a = 1 } } | Save-Checkpoint object
        (Get-Checkpoint object).Step | Should -Be 1
        (Get-Checkpoint object).Metadata.Count | Should -Be 0
        (Restore-Checkpoint object).State | Should -Be 'x'
    }

    It 'is an object to Get-CheckpointFingerprint' {
        $parts = ([pscustomobject]@{ Path = 'no/such/file'; LiteralPath = 'x' } | Get-CheckpointFingerprint).Parts.Keys
        $parts | Sort-Object | Should -Be 'LiteralPath', 'Path'
    }

    It 'takes what was exported and read again: <How>' -ForEach @(
        @{ How = 'JSON'; Convert = { $input | Select-Object Store, Pipeline, Run, Name, Step | ConvertTo-Json -AsArray | ConvertFrom-Json } }
        @{ How = 'CSV'; Convert = { $input | Select-Object Store, Pipeline, Run, Name, Step | ConvertTo-Csv | ConvertFrom-Csv } }
        @{ How = 'remoting'; Convert = { [Management.Automation.PSSerializer]::Deserialize([Management.Automation.PSSerializer]::Serialize(@($input))) } }
    ) {
        Get-All | & $Convert | Restore-Checkpoint | Should -Be 'first, again', 'first', 'run', 'second'
        (Get-All | & $Convert | Get-Checkpoint).Location | Should -Be (Get-All).Location
        Get-All | & $Convert | Test-Checkpoint | Should -Be $true, $true, $true, $true
        Get-All | & $Convert | Clear-Checkpoint
        Get-All | Should -BeNullOrEmpty
    }

    It 'takes a parameter of the command line over a property' {
        Get-Checkpoint a -Store $first -Pipeline p1 -Run 7 | Restore-Checkpoint -Run '' -Step 1 | Should -Be 'first'
        Get-Checkpoint a -Store $first -Pipeline p1 -Run 7 | Test-Checkpoint -Store $second | Should -BeFalse
        (Get-Checkpoint a -Store $first -Pipeline p1 -Run 7 | Get-Checkpoint -Name * -Step 1, 2).Step | Should -Be 1
    }

    It 'takes the context for what an object does not say' {
        Set-CheckpointContext -Store $first -Pipeline p1 -Run 7
        [pscustomobject]@{ Name = 'a' } | Restore-Checkpoint | Should -Be 'run'
        [pscustomobject]@{ Name = 'a'; Run = $null } | Restore-Checkpoint | Should -Be 'first, again'
        [pscustomobject]@{ Name = 'a'; Run = '' } | Restore-Checkpoint | Should -Be 'first, again'
    }

    It 'does not carry a step from one object to the next' {
        Set-CheckpointContext -Store $first -Pipeline p1 -Run ''
        $objects = [pscustomobject]@{ Name = 'a'; Step = 1 }, [pscustomobject]@{ Name = 'a' }, [pscustomobject]@{ Name = 'a'; Step = 1 }
        $objects | Restore-Checkpoint | Should -Be 'first', 'first, again', 'first'
        ($objects | Test-Checkpoint -Detailed).Checkpoint.Step | Should -Be 1, 2, 1
        ($objects | Get-Checkpoint).Step | Should -Be 1, 2, 1
    }

    It 'does not carry a store, pipeline or run from one object to the next' {
        Set-CheckpointContext -Store $first -Pipeline p1 -Run ''
        $objects = [pscustomobject]@{ Name = 'b'; Store = $second; Pipeline = 'p2'; Run = '8' }, [pscustomobject]@{ Name = 'a' }
        $objects | Restore-Checkpoint | Should -Be 'second', 'first, again'
        $objects | Test-Checkpoint | Should -Be $true, $true
        ($objects | Get-Checkpoint).Name | Should -Be 'b', 'a'
        $objects[1], $objects[0] | Restore-Checkpoint | Should -Be 'first, again', 'second'
    }

    It 'takes names literally from objects, and as wildcards from the command line' {
        Set-CheckpointContext -Store $first -Pipeline p1 -Run ''
        Save-Checkpoint '*' 'star'
        [pscustomobject]@{ Name = '*' } | Restore-Checkpoint | Should -Be 'star'
        ([pscustomobject]@{ Name = '*' } | Get-Checkpoint).Name | Should -Be '*'
        { [pscustomobject]@{ Name = 'a?' } | Get-Checkpoint -ErrorAction Stop } | Should -Throw -ErrorId 'CheckpointNotFound,Checkpoint.Commands.GetCheckpointCommand'
        ([pscustomobject]@{ Run = '7' } | Get-Checkpoint -Name 'a*').Run | Should -Be '7'
    }

    It 'does nothing when nothing comes' {
        @() | Test-Checkpoint | Should -BeNullOrEmpty
        @() | Get-Checkpoint | Should -BeNullOrEmpty
        @() | Restore-Checkpoint | Should -BeNullOrEmpty
        @() | Clear-Checkpoint | Should -BeNullOrEmpty
        @() | Set-CheckpointContext
        (Get-CheckpointContext).Run | Should -Be '9'
    }

    It 'emits each answer before the next object comes' {
        $order = [Collections.Generic.List[string]]::new()
        Get-All | ForEach-Object { $order.Add('in'); $_ } | Test-Checkpoint | ForEach-Object { $order.Add('out') }
        $order | Should -Be (@('in', 'out') * 4)
    }

    It 'lets Clear-Checkpoint remove what a listing is still coming from' {
        Set-CheckpointContext -Store (New-TestStore) -Pipeline '' -Run ''
        1..20 | ForEach-Object { Save-Checkpoint "s$_"; Save-Checkpoint "s$_" }
        Get-Checkpoint -AllSteps | Clear-Checkpoint
        Get-Checkpoint -AllSteps | Should -BeNullOrEmpty
    }
}

Describe 'Store, pipeline and run' {
    BeforeAll { . $PSScriptRoot/Common.ps1 }

    It 'are parameters of every cmdlet, so that one splat serves them all' {
        foreach ($command in Get-Command -Module Checkpoint -CommandType Cmdlet) {
            'Store', 'Pipeline', 'Run' | Should -BeIn $command.Parameters.Keys -Because $command.Name
        }
    }
}
