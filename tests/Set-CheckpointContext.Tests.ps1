BeforeAll { . $PSScriptRoot/Common.ps1 }

AfterAll { Set-CheckpointContext -Reset }

Describe 'Set-CheckpointContext' -Tag AnyStore {
    BeforeEach {
        $environment = @{}
        foreach ($each in 'CHECKPOINT_STORE', 'CHECKPOINT_PIPELINE', 'CHECKPOINT_RUN', 'CHECKPOINT_KEY', 'CHECKPOINT_KEEP',
            'GITHUB_RUN_ID', 'GITHUB_WORKFLOW', 'BUILD_BUILDID', 'BUILD_DEFINITIONNAME') {
            $environment[$each] = [Environment]::GetEnvironmentVariable($each)
            [Environment]::SetEnvironmentVariable($each, [NullString]::Value)
        }
        Set-CheckpointContext -Reset
        $place = New-TestFolder
        Push-Location $place

        function Get-Told {
            $context = Get-CheckpointContext
            $store = [IO.Path]::GetRelativePath($place, $context.Store) -replace '\\', '/'
            "$store|$($context.Pipeline)|$($context.Run)|$($context.Keep)"
        }
    }

    AfterEach {
        Pop-Location
        foreach ($each in $environment.Keys) {
            [Environment]::SetEnvironmentVariable($each, $environment[$each] ?? [NullString]::Value)
        }
    }

    It 'sets what is given and leaves the rest as it was set' {
        Set-CheckpointContext -Store cp -Run 7
        Get-Told | Should -Be 'cp|default|7|'
        Set-CheckpointContext -Pipeline nightly
        Get-Told | Should -Be 'cp|nightly|7|'
        Set-CheckpointContext -Run 8 -Keep 3
        Get-Told | Should -Be 'cp|nightly|8|3'
        Set-CheckpointContext
        Get-Told | Should -Be 'cp|nightly|8|3'
    }

    It 'forgets everything with -Reset, but what is given beside it' {
        Set-CheckpointContext -Store cp -Pipeline nightly -Run 7 -Keep 3
        Set-CheckpointContext -Reset -Run 9
        Get-Told | Should -Be '.checkpoints|default|9|'
        Set-CheckpointContext -Reset
        Get-Told | Should -Be '.checkpoints|default||'
        (Get-CheckpointContext).Source.Values | Select-Object -Unique | Should -Be 'default'
    }

    It 'says "none" with an empty text or $null, over the environment' {
        $env:CHECKPOINT_STORE = 'from env'
        $env:CHECKPOINT_PIPELINE = 'from env'
        $env:CHECKPOINT_RUN = 'from env'
        $env:CHECKPOINT_KEEP = '5'
        Set-CheckpointContext -Store '' -Pipeline '' -Run $null -Keep $null
        Get-Told | Should -Be '.checkpoints|default||'
        'Store', 'Pipeline', 'Run', 'Keep' | ForEach-Object { (Get-CheckpointContext).Source[$_] } | Select-Object -Unique | Should -Be 'Set-CheckpointContext'
        Set-CheckpointContext -Reset
        Get-Told | Should -Be 'from env|from env|from env|5'
    }

    It 'holds for every cmdlet' {
        Set-CheckpointContext -Store cp -Pipeline nightly -Run 7 -Keep 2
        1..3 | ForEach-Object { Save-Checkpoint a $_ }
        Test-Checkpoint a | Should -BeTrue
        $found = Get-Checkpoint -AllSteps
        $found.Step | Should -Be 3, 2
        $found[0].Store | Should -Be (Join-Path $place cp)
        $found[0].Pipeline | Should -Be 'nightly'
        $found[0].Run | Should -Be '7'
        Restore-Checkpoint a | Should -Be 3
        Clear-Checkpoint
        Test-Checkpoint a | Should -BeFalse
    }

    It 'holds in functions, script blocks and modules of the same shell' {
        Set-CheckpointContext -Run 7
        & { (Get-CheckpointContext).Run } | Should -Be '7'
        $module = New-Module { function Get-RunInModule { (Get-CheckpointContext).Run } }
        & $module { Get-RunInModule } | Should -Be '7'
        & { Set-CheckpointContext -Run 8 }
        (Get-CheckpointContext).Run | Should -Be '8'
    }

    It 'holds in this runspace, and in no other' {
        Set-CheckpointContext -Run here
        $shell = [powershell]::Create().AddScript({
                param($Module)
                Import-Module $Module
                "$((Get-CheckpointContext).Run)"
                Set-CheckpointContext -Run there
                (Get-CheckpointContext).Run
            }).AddArgument($ModulePath)
        $shell.Invoke() | Should -Be '', 'there'
        (Get-CheckpointContext).Run | Should -Be 'here'
        $shell.Commands.Clear()
        $shell.AddScript('(Get-CheckpointContext).Run').Invoke() | Should -Be 'there'
        $shell.Dispose()
    }

    It 'is not seen in ForEach-Object -Parallel, nor changed from there' {
        Set-CheckpointContext -Run here
        1..3 | ForEach-Object -UseNewRunspace -Parallel {
            Import-Module $using:ModulePath
            "<$((Get-CheckpointContext).Run)>"
            Set-CheckpointContext -Run there
        } | Should -Be '<>', '<>', '<>'
        (Get-CheckpointContext).Run | Should -Be 'here'
    }

    It 'fixes a relative store where it was said' {
        Set-CheckpointContext -Store cp
        $null = New-Item -ItemType Directory sub
        Set-Location sub
        Get-Told | Should -Be 'cp|default||'
    }

    It 'resolves drives of PowerShell and ~' {
        Set-CheckpointContext -Store TestDrive:/drive
        (Get-CheckpointContext).Store | Should -Be (Join-Path $TestDrive drive)
        Set-CheckpointContext -Store ~/drive
        (Get-CheckpointContext).Store | Should -Be (Join-Path $HOME drive)
    }

    It 'keeps a URI as it was given' {
        $uri = [uri]::new((Join-Path $place 'a b'), [UriKind]::Absolute).AbsoluteUri
        Set-CheckpointContext -Store $uri
        (Get-CheckpointContext).Store | Should -Be $uri
        Save-Checkpoint a
        Join-Path $place 'a b' | Should -Exist
    }

    It 'emits nothing, or the context with -PassThru' {
        Set-CheckpointContext -Run 7 | Should -BeNullOrEmpty
        $context = Set-CheckpointContext -Pipeline nightly -PassThru
        $context | Should -BeOfType [Checkpoint.CheckpointContext]
        $context.Run | Should -Be '7'
        $context.Pipeline | Should -Be 'nightly'
        $context.Source['Pipeline'] | Should -Be 'Set-CheckpointContext'
    }

    It 'makes no store' {
        Set-CheckpointContext -Store cp
        Get-ChildItem $place -Force | Should -BeNullOrEmpty
    }

    It 'changes nothing with -WhatIf' {
        Set-CheckpointContext -Run 7
        $shell = [powershell]::Create().AddScript({
                param($Module)
                Import-Module $Module
                Set-CheckpointContext -Run 7
                Set-CheckpointContext -Run 8 -WhatIf
                Set-CheckpointContext -Reset -WhatIf
                (Get-CheckpointContext).Run
            }).AddArgument($ModulePath)
        $shell.Invoke() | Should -Be '7'
        $shell.Dispose()
    }

    It 'refuses <What>, and leaves the context as it is' -ForEach @(
        @{ What = 'a run with a line break'; Parameters = @{ Run = "a`nb" }; Id = 'InvalidName' }
        @{ What = 'a pipeline of 201 characters'; Parameters = @{ Pipeline = 'x' * 201 }; Id = 'InvalidName' }
        @{ What = 'a store of an unknown kind'; Parameters = @{ Store = 's3://bucket' }; Id = 'StoreUnavailable' }
        @{ What = 'a store on no file system'; Parameters = @{ Store = 'Env:/x' }; Id = 'StoreUnavailable' }
        @{ What = 'to keep 0'; Parameters = @{ Keep = 0 }; Id = 'InvalidArgument' }
        @{ What = 'to keep -1'; Parameters = @{ Keep = -1 }; Id = 'InvalidArgument' }
    ) {
        Set-CheckpointContext -Store cp -Pipeline nightly -Run 7 -Keep 3
        { Set-CheckpointContext -Reset @Parameters } | Should -Throw -ErrorId "$Id,Checkpoint.Commands.SetCheckpointContextCommand"
        { Set-CheckpointContext @Parameters } | Should -Throw -ErrorId "$Id,Checkpoint.Commands.SetCheckpointContextCommand"
        Get-Told | Should -Be 'cp|nightly|7|3'
    }

    Context 'in the block of a stage' {
        It 'has a call mean the run that the stage belongs to: <What>' -ForEach @(
            @{ What = 'a pipeline'; Run = { Invoke-CheckpointPipeline nightly -Run 7 -Store cp { stage a { Save-Checkpoint inner; Get-Told } } | ForEach-Object { Restore-Checkpoint a -Store cp -Pipeline nightly -Run 7 } } }
            @{ What = 'a pipeline, with -Timeout'; Run = { Invoke-CheckpointPipeline nightly -Run 7 -Store cp { stage a { Save-Checkpoint inner; Get-Told } -Timeout 1m } | ForEach-Object { Restore-Checkpoint a -Store cp -Pipeline nightly -Run 7 } } }
            @{ What = 'a stage'; Run = { Invoke-CheckpointStage a -Pipeline nightly -Run 7 -Store cp { Save-Checkpoint inner; Get-Told } } }
            @{ What = 'an item'; Run = { 1 | Invoke-CheckpointItem a -Pipeline nightly -Run 7 -Store cp { Save-Checkpoint inner; Get-Told } } }
            @{ What = 'an item in a runspace of its own'; Run = {
                    1 | Invoke-CheckpointItem a -Pipeline nightly -Run 7 -Store cp -ThrottleLimit 2 {
                        Import-Module $using:ModulePath
                        Save-Checkpoint inner
                        "cp|$((Get-CheckpointContext).Pipeline)|$((Get-CheckpointContext).Run)|$((Get-CheckpointContext).Keep)"
                    }
                }
            }
        ) {
            Set-CheckpointContext -Store elsewhere -Pipeline session -Keep 3
            & $Run | Should -Be 'cp|nightly|7|3'
            Get-Told | Should -Be 'elsewhere|session||3'
            Test-Checkpoint inner -Store cp -Pipeline nightly -Run 7 | Should -BeTrue
            Get-Checkpoint * -Store elsewhere -Pipeline * | Should -BeNullOrEmpty
        }

        It 'is not taken for done because an earlier run did it' {
            $script:done = 0
            1..2 | ForEach-Object {
                $null = Invoke-CheckpointPipeline nightly -Store cp { stage a { Invoke-CheckpointStage page { $script:done++ } } }
            }
            $done | Should -Be 2
        }

        It 'does not outlast it, whether it fails or sets the context itself' {
            Set-CheckpointContext -Run 1
            { Invoke-CheckpointStage a -Store cp -Run 7 { throw 'no' } } | Should -Throw 'no'
            Get-Told | Should -Be '.checkpoints|default|1|'
            Invoke-CheckpointStage a -Store cp -Run 7 { Set-CheckpointContext -Pipeline changed -Keep 2 }
            Get-Told | Should -Be '.checkpoints|changed|1|2'
        }

        It 'says where each value comes from' {
            $source = Invoke-CheckpointStage a -Store cp { (Get-CheckpointContext).Source }
            "$($source.Store) $($source.Run) $($source.Keep)" | Should -Be 'Invoke-CheckpointStage Invoke-CheckpointStage default'
        }
    }
}
