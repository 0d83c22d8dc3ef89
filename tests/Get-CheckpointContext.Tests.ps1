BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Get-CheckpointContext' -Tag AnyStore {
    BeforeEach {
        # Nothing of the shell, or of the CI job, that runs the tests.
        $environment = @{}
        foreach ($each in 'CHECKPOINT_STORE', 'CHECKPOINT_PIPELINE', 'CHECKPOINT_RUN', 'CHECKPOINT_KEY', 'CHECKPOINT_KEEP',
            'GITHUB_RUN_ID', 'GITHUB_WORKFLOW', 'BUILD_BUILDID', 'BUILD_DEFINITIONNAME') {
            $environment[$each] = [Environment]::GetEnvironmentVariable($each)
            [Environment]::SetEnvironmentVariable($each, [NullString]::Value)
        }
        Set-CheckpointContext -Reset
        $place = New-TestFolder
        Push-Location $place
    }

    AfterEach {
        Pop-Location
        foreach ($each in $environment.Keys) {
            [Environment]::SetEnvironmentVariable($each, $environment[$each] ?? [NullString]::Value)
        }
    }

    Context 'Where nothing is said' {
        It 'gives the defaults: .checkpoints below the location, pipeline default, no run, no key, keep everything' {
            $context = @(Get-CheckpointContext)
            $context | Should -HaveCount 1
            $context[0] | Should -BeOfType [Checkpoint.CheckpointContext]
            $context[0].Store | Should -Be (Join-Path $place '.checkpoints')
            $context[0].Pipeline | Should -BeExactly 'default'
            $context[0].Run | Should -BeExactly $null
            $context[0].Key | Should -BeExactly $null
            $context[0].Keep | Should -BeExactly $null
            $context[0].Source.Keys | Should -Be 'Store', 'Pipeline', 'Run', 'Key', 'Keep', 'Replica', 'ReplicaMode'
            $context[0].Source.Values | Select-Object -Unique | Should -Be 'default'
        }

        It 'makes no store and writes to no other stream' {
            @(Get-CheckpointContext *>&1) | Should -HaveCount 1
            Get-ChildItem $place -Force | Should -BeNullOrEmpty
        }

        It 'follows Set-Location' {
            $null = New-Item -ItemType Directory sub
            Set-Location sub
            (Get-CheckpointContext).Store | Should -Be (Join-Path $place 'sub' '.checkpoints')
            Save-Checkpoint a
            Set-Location ..
            Test-Checkpoint a | Should -BeFalse
            Test-Checkpoint a -Store sub/.checkpoints | Should -BeTrue
        }

        It 'stays with the file system when the location is elsewhere' {
            Set-Location Env:/
            (Get-CheckpointContext).Store | Should -Be (Join-Path $place '.checkpoints')
            Save-Checkpoint a
            Set-Location $place
            '.checkpoints/default/stages/a/0000000001.json' | Should -Exist
        }

        It 'follows the location of the session, not of the process' {
            [Environment]::CurrentDirectory | Should -Not -Be $place
            Save-Checkpoint a
            Join-Path $place '.checkpoints' | Should -Exist
        }

        It 'cannot be changed' {
            $context = Get-CheckpointContext
            foreach ($property in $context.PSObject.Properties.Name) {
                { $context.$property = $context.$property } | Should -Throw -Because $property
            }
            { ([Collections.IDictionary] $context.Source)['Run'] = 'x' } | Should -Throw
        }
    }

    Context 'Precedence' {
        It 'takes for <Name>: the parameter, then Set-CheckpointContext, then <Variable>, then <CI>, then the default' -ForEach @(
            @{ Name = 'Pipeline'; Variable = 'CHECKPOINT_PIPELINE'; CI = 'GITHUB_WORKFLOW'; Default = 'default' }
            @{ Name = 'Pipeline'; Variable = 'CHECKPOINT_PIPELINE'; CI = 'BUILD_DEFINITIONNAME'; Default = 'default' }
            @{ Name = 'Run'; Variable = 'CHECKPOINT_RUN'; CI = 'GITHUB_RUN_ID'; Default = $null }
            @{ Name = 'Run'; Variable = 'CHECKPOINT_RUN'; CI = 'BUILD_BUILDID'; Default = $null }
        ) {
            function Get-Told {
                $context = Get-CheckpointContext @args
                "$($context.$Name) $($context.Source[$Name])"
            }
            Get-Told | Should -BeExactly "$Default default"
            [Environment]::SetEnvironmentVariable($CI, 'from CI')
            Get-Told | Should -BeExactly "from CI $CI"
            [Environment]::SetEnvironmentVariable($Variable, 'from us')
            Get-Told | Should -BeExactly "from us $Variable"
            $value = @{ $Name = 'from session' }
            Set-CheckpointContext @value
            Get-Told | Should -BeExactly 'from session Set-CheckpointContext'
            $value = @{ $Name = 'from call' }
            Get-Told @value | Should -BeExactly 'from call parameter'
        }

        It 'takes for Store: the parameter, then Set-CheckpointContext, then CHECKPOINT_STORE, then the default' {
            $env:CHECKPOINT_STORE = Join-Path $place 'from us'
            (Get-CheckpointContext).Store | Should -Be (Join-Path $place 'from us')
            (Get-CheckpointContext).Source['Store'] | Should -Be 'CHECKPOINT_STORE'
            Set-CheckpointContext -Store (Join-Path $place 'from session')
            (Get-CheckpointContext).Store | Should -Be (Join-Path $place 'from session')
            (Get-CheckpointContext).Source['Store'] | Should -Be 'Set-CheckpointContext'
            $context = Get-CheckpointContext -Store (Join-Path $place 'from call')
            $context.Store | Should -Be (Join-Path $place 'from call')
            $context.Source['Store'] | Should -Be 'parameter'
        }

        It 'takes for Keep: the parameter, then Set-CheckpointContext, then CHECKPOINT_KEEP, then everything; and prunes so' {
            function Get-Kept([hashtable] $With = @{}) {
                Clear-Checkpoint
                1..5 | ForEach-Object { Save-Checkpoint a @With }
                @(Get-Checkpoint -AllSteps).Count
            }
            Get-Kept | Should -Be 5
            $env:CHECKPOINT_KEEP = '3'
            (Get-CheckpointContext).Keep | Should -BeExactly 3
            (Get-CheckpointContext).Source['Keep'] | Should -Be 'CHECKPOINT_KEEP'
            Get-Kept | Should -Be 3
            Set-CheckpointContext -Keep 2
            (Get-CheckpointContext).Keep | Should -BeExactly 2
            (Get-CheckpointContext).Source['Keep'] | Should -Be 'Set-CheckpointContext'
            Get-Kept | Should -Be 2
            Get-Kept @{ Keep = 1 } | Should -Be 1
            Set-CheckpointContext -Keep $null
            (Get-CheckpointContext).Keep | Should -BeNullOrEmpty
            Get-Kept | Should -Be 5
        }

        It 'resolves each value on its own' {
            $env:GITHUB_RUN_ID = '77'
            $env:CHECKPOINT_PIPELINE = 'nightly'
            Set-CheckpointContext -Keep 4
            $context = Get-CheckpointContext -Store here
            $context.Source.Values | Should -Be 'parameter', 'CHECKPOINT_PIPELINE', 'GITHUB_RUN_ID', 'default', 'Set-CheckpointContext', 'default', 'default'
        }

        It 'is what the other cmdlets mean' {
            $env:CHECKPOINT_STORE = 'there'
            $env:CHECKPOINT_PIPELINE = 'nightly'
            $env:CHECKPOINT_RUN = '7'
            $saved = Save-Checkpoint a 1 -PassThru
            $saved.Store | Should -Be (Get-CheckpointContext).Store
            $saved.Pipeline | Should -Be 'nightly'
            $saved.Run | Should -Be '7'
            Test-Checkpoint a | Should -BeTrue
            (Get-Checkpoint).Location | Should -Be $saved.Location
            Restore-Checkpoint a | Should -Be 1
            Clear-Checkpoint
            Test-Checkpoint a | Should -BeFalse
        }

        It 'ends with a parameter that is empty, which says "none"' {
            $env:CHECKPOINT_RUN = '7'
            $env:CHECKPOINT_STORE = 'there'
            Set-CheckpointContext -Run 8 -Pipeline nightly
            (Get-CheckpointContext -Run '').Run | Should -BeNullOrEmpty
            (Get-CheckpointContext -Run $null).Source['Run'] | Should -Be 'parameter'
            (Get-CheckpointContext -Pipeline '').Pipeline | Should -Be 'default'
            (Get-CheckpointContext -Store '').Store | Should -Be (Join-Path $place '.checkpoints')
        }
    }

    Context 'The environment' {
        It 'takes an empty variable for "none", over the CI system, and names it as the source' {
            $result = Invoke-Pwsh {
                $context = Get-CheckpointContext
                foreach ($name in 'Store', 'Pipeline', 'Run', 'Key', 'Keep') {
                    "$name=$($context.$name) $($context.Source[$name])"
                }
                Save-Checkpoint a
                "saved in pipeline $((Get-Checkpoint a).Pipeline), run '$((Get-Checkpoint a).Run)'"
            } -WorkingDirectory $place -Environment @{
                CHECKPOINT_STORE = ''
                CHECKPOINT_PIPELINE = ''
                CHECKPOINT_RUN = ''
                CHECKPOINT_KEY = ''
                CHECKPOINT_KEEP = ''
                GITHUB_RUN_ID = '77'
                GITHUB_WORKFLOW = 'ci'
                BUILD_BUILDID = '88'
                BUILD_DEFINITIONNAME = 'build'
            }
            $result.ErrorOutput | Should -BeNullOrEmpty
            $result.Output | Where-Object { $_ -notlike 'Checkpoint saved*' } | Should -Be @(
                "Store=$(Join-Path $place '.checkpoints') CHECKPOINT_STORE"
                'Pipeline=default CHECKPOINT_PIPELINE'
                'Run= CHECKPOINT_RUN'
                'Key= CHECKPOINT_KEY'
                'Keep= CHECKPOINT_KEEP'
                "saved in pipeline default, run ''"
            )
        }

        It 'is not confused by an empty variable of the CI system' {
            $result = Invoke-Pwsh { $c = Get-CheckpointContext; "$($c.Pipeline) $($c.Run) $($c.Source['Run'])" } -Environment @{ GITHUB_RUN_ID = ''; GITHUB_WORKFLOW = ''; BUILD_BUILDID = '88' }
            $result.Output | Should -Be 'default 88 BUILD_BUILDID'
        }

        It 'takes from $env: as a script sets and removes it' {
            $env:CHECKPOINT_RUN = '7'
            (Get-CheckpointContext).Run | Should -Be '7'
            $env:CHECKPOINT_RUN = $null
            (Get-CheckpointContext).Source['Run'] | Should -Be 'default'
            # PowerShell 7.5 and later keep an empty variable; earlier ones remove it. Nobody says otherwise, so both mean none.
            $env:CHECKPOINT_RUN = ''
            (Get-CheckpointContext).Run | Should -BeNullOrEmpty
        }

        It 'resolves a relative CHECKPOINT_STORE from the location, at each call' {
            $env:CHECKPOINT_STORE = 'state/cp'
            (Get-CheckpointContext).Store | Should -Be (Join-Path $place 'state' 'cp')
            $null = New-Item -ItemType Directory sub
            Set-Location sub
            (Get-CheckpointContext).Store | Should -Be (Join-Path $place 'sub' 'state' 'cp')
        }

        It 'says InvalidArgument, and which variable it is, when CHECKPOINT_KEEP is <Value>' -ForEach @(
            @{ Value = '0' }, @{ Value = '-1' }, @{ Value = 'many' }, @{ Value = '1.5' }, @{ Value = '99999999999' }
        ) {
            $env:CHECKPOINT_KEEP = $Value
            { Get-CheckpointContext } | Should -Throw '*CHECKPOINT_KEEP*' -ErrorId 'InvalidArgument,Checkpoint.Commands.GetCheckpointContextCommand'
            { Save-Checkpoint a } | Should -Throw '*CHECKPOINT_KEEP*' -ErrorId 'InvalidArgument,Checkpoint.Commands.SaveCheckpointCommand'
            Test-Checkpoint a | Should -BeFalse
        }

        It 'says what kind of key there is, and never which; nothing is saved in plain then' {
            $env:CHECKPOINT_KEY = 'hunter2'
            $context = Get-CheckpointContext
            $context.Key | Should -Be 'passphrase'
            $context.Source['Key'] | Should -Be 'CHECKPOINT_KEY'
            $context | Format-List * -Force | Out-String | Should -Not -Match 'hunter2'
            $context | ConvertTo-Json | Should -Not -Match 'hunter2'
            Save-Checkpoint a 1
            (Get-Checkpoint a).Encrypted | Should -BeTrue
            $env:CHECKPOINT_KEY = 'base64:aHVudGVyMg=='
            $failure = { Save-Checkpoint a 1 } | Should -Throw -PassThru -ErrorId 'InvalidArgument,Checkpoint.Commands.SaveCheckpointCommand'
            $failure.Exception.Message | Should -BeLike '*CHECKPOINT_KEY*'
            $failure.Exception.Message | Should -Not -Match 'hunter2|aHVudGVyMg'
        }

        It 'says InvalidName for a variable that names no run' {
            $env:CHECKPOINT_RUN = "a`nb"
            { Save-Checkpoint a } | Should -Throw -ErrorId 'InvalidName,Checkpoint.Commands.SaveCheckpointCommand'
            { Get-Checkpoint } | Should -Throw -ErrorId 'InvalidName,Checkpoint.Commands.GetCheckpointCommand'
        }

        It 'takes a workflow with wildcard characters in its name literally' {
            $env:GITHUB_WORKFLOW = 'build [main] *'
            $env:GITHUB_RUN_ID = '77'
            Save-Checkpoint a
            (Get-Checkpoint).Pipeline | Should -Be 'build [main] *'
            Save-Checkpoint b -Pipeline 'build m' -Run 77
            Clear-Checkpoint
            (Get-Checkpoint -Pipeline 'build m' -Run 77).Name | Should -Be 'b'
            Get-Checkpoint | Should -BeNullOrEmpty
        }

        It 'lets a re-run of a job skip what its first attempt finished, in <System>' -ForEach @(
            @{ System = 'GitHub Actions'; Run = 'GITHUB_RUN_ID'; Pipeline = 'GITHUB_WORKFLOW'; Attempt = 'GITHUB_RUN_ATTEMPT' }
            @{ System = 'Azure DevOps'; Run = 'BUILD_BUILDID'; Pipeline = 'BUILD_DEFINITIONNAME'; Attempt = 'SYSTEM_JOBATTEMPT' }
        ) {
            function Invoke-Job([string] $Number, [string] $Try) {
                Invoke-Pwsh {
                    foreach ($stage in 'build', 'test') {
                        if (Test-Checkpoint $stage) { "skipped $stage"; continue }
                        "ran $stage"
                        if ($stage -eq 'test' -and $env:FAILS) { exit 1 }
                        Save-Checkpoint $stage 6>$null
                    }
                } -WorkingDirectory $place -Environment @{ $Run = $Number; $Pipeline = 'CI / main'; $Attempt = $Try; FAILS = ($Try -eq '1' ? 'yes' : $null) }
            }
            $first = Invoke-Job 1001 1
            $first.Output | Should -Be 'ran build', 'ran test'
            $first.ExitCode | Should -Be 1
            (Invoke-Job 1001 2).Output | Should -Be 'skipped build', 'ran test'
            (Invoke-Job 1002 2).Output | Should -Be 'ran build', 'ran test'
        }
    }

    Context 'Stores' {
        It 'makes <Store> the folder <Path>' -ForEach @(
            @{ Store = 'cp'; Path = '{0}/cp' }
            @{ Store = './cp/'; Path = '{0}/cp/' }
            @{ Store = '../cp'; Path = '{1}/cp' }
            @{ Store = 'a b [x] `c'; Path = '{0}/a b [x] `c' }
            @{ Store = 'TestDrive:/cp'; Path = '{2}/cp' }
            @{ Store = 'TestDrive:\a\cp'; Path = '{2}/a/cp' }
            @{ Store = '~/cp'; Path = '{3}/cp' }
            @{ Store = '~x'; Path = '{0}/~x' }
        ) {
            # TestDrive is the parent of every place here.
            $expected = [IO.Path]::GetFullPath(($Path -f $place, (Split-Path $place), $TestDrive, $HOME))
            $expected = [IO.Path]::TrimEndingDirectorySeparator($expected)
            [IO.Path]::TrimEndingDirectorySeparator((Get-CheckpointContext -Store $Store).Store) | Should -Be $expected
            if ($Store -notlike '~/*') {
                (Save-Checkpoint a -Store $Store -PassThru).Store | Should -Be $expected
                Join-Path $expected default stages a 0000000001.json | Test-Path -LiteralPath { $_ } | Should -BeTrue
                (Get-Checkpoint a -Store $Store).Store | Should -Be $expected
            }
        }

        It 'takes a file URI, with its escapes, for the folder' {
            $uri = [uri]::new((Join-Path $place 'a b'), [UriKind]::Absolute).AbsoluteUri
            $uri | Should -BeLike 'file:///*a%20b'
            Save-Checkpoint x 1 -Store $uri
            Restore-Checkpoint x -Store (Join-Path $place 'a b') | Should -Be 1
            (Get-Checkpoint x -Store $uri).Store | Should -Be (Join-Path $place 'a b')
            Test-Checkpoint x -Store ($uri -replace '^file', 'FILE') | Should -BeTrue
        }

        It 'takes file://localhost as this machine, and no other machine for this one' -Skip:$IsWindows {
            Save-Checkpoint x 1 -Store "file://localhost$place/cp"
            Restore-Checkpoint x -Store "$place/cp" | Should -Be 1
            { Save-Checkpoint x -Store "file://elsewhere$place/cp" } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.SaveCheckpointCommand'
        }

        It 'takes a drive letter for a path and not for a scheme' {
            if ($IsWindows) {
                (Get-CheckpointContext -Store 'C:\data').Store | Should -Be 'C:\data'
                (Get-CheckpointContext -Store 'C:/data').Store | Should -Be 'C:\data'
            }
            else {
                foreach ($store in 'C:\data', 'C:/data', 'C://data', 'data:') {
                    $failure = { Test-Checkpoint a -Store $store } | Should -Throw -PassThru -ErrorId 'StoreUnavailable,Checkpoint.Commands.TestCheckpointCommand'
                    $failure.Exception.Message | Should -BeLike "*'$store'*drive*"
                    $failure.Exception.Message | Should -Not -BeLike '*..*'
                }
            }
        }

        It 'says StoreUnavailable for <Store>' -ForEach @(
            @{ Store = 's3://bucket/x' }, @{ Store = 'https://host/x' }, @{ Store = 'x-y+z.1://host' }, @{ Store = 'Env:/x' }, @{ Store = 'NoSuchDrive:/x' }
        ) {
            { Save-Checkpoint a -Store $Store } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.SaveCheckpointCommand'
            { Test-Checkpoint a -Store $Store } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.TestCheckpointCommand'
            { Get-Checkpoint -Store $Store } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.GetCheckpointCommand'
            { Restore-Checkpoint a -Store $Store } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.RestoreCheckpointCommand'
            { Clear-Checkpoint -Store $Store } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.ClearCheckpointCommand'
            Get-ChildItem $place -Force | Should -BeNullOrEmpty
        }

        It 'takes a path with a colon where the file system has such' -Skip:$IsWindows {
            Save-Checkpoint a -Store "$place/12:30"
            Test-Checkpoint a -Store "$place/12:30" | Should -BeTrue
            Get-ChildItem $place -Name | Should -Be '12:30'
        }

        It 'says StoreUnavailable for a save where the store is a file' {
            Set-Content file 'mine'
            { Save-Checkpoint a -Store file } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.SaveCheckpointCommand'
            Get-Content file | Should -Be 'mine'
        }
    }
}
