BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Clear-Checkpoint' {
    BeforeEach {
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store -Pipeline '' -Run '' -Keep $null

        # What is left, as 'pipeline/run/name step'.
        function Get-Left {
            @(Get-Checkpoint -Pipeline * -AllSteps -WarningAction Ignore) + @(Get-Checkpoint -Pipeline * -Run * -AllSteps -WarningAction Ignore) |
                ForEach-Object { "$($_.Pipeline)/$($_.Run)/$($_.Name) $($_.Step)" }
        }
    }

    Context 'What it clears' {
        It 'clears all of the current pipeline without a run, and nothing else, when no name is given' {
            1..3 | ForEach-Object { Save-Checkpoint a }
            Save-Checkpoint b
            Save-Checkpoint c -Run 7
            Save-Checkpoint d -Pipeline other
            Save-Checkpoint e -Pipeline other -Run 7
            Clear-Checkpoint
            Get-Left | Should -Be 'other//d 1', 'default/7/c 1', 'other/7/e 1'
        }

        It 'clears all of the current run, and nothing else, when no name is given' {
            Save-Checkpoint a
            7, 8 | ForEach-Object { Save-Checkpoint b -Run $_ }
            Set-CheckpointContext -Store $store -Run 7
            Clear-Checkpoint
            Set-CheckpointContext -Store $store -Run ''
            Get-Left | Should -Be 'default//a 1', 'default/8/b 1'
        }

        It 'clears every step of the stages that are named, literally and by wildcard' {
            'ingest', 'index', 'train', 'report' | ForEach-Object { Save-Checkpoint $_; Save-Checkpoint $_ }
            Clear-Checkpoint TRAIN, 'in*'
            Get-Left | Should -Be 'default//report 2', 'default//report 1'
        }

        It 'leaves a copied folder alone, with a warning, for its records say that they are of another stage' -Tag Files {
            1..2 | ForEach-Object { Save-Checkpoint ingest $_ }
            $folder = Split-Path (Get-Checkpoint ingest).Location
            Copy-Item $folder "$folder-backup" -Recurse
            Clear-Checkpoint ingest-backup -WarningVariable warnings -WarningAction Ignore -InformationVariable said
            $warnings | Should -BeLike "*'ingest-backup'*belongs to another checkpoint*'ingest'*"
            $said | Should -BeNullOrEmpty
            Clear-Checkpoint -WarningVariable warnings -WarningAction Ignore
            $warnings.Count | Should -Be 1
            Get-Left | Should -BeNullOrEmpty
            (Get-ChildItem "$folder-backup").Name | Should -Be '0000000001.json', '0000000002.json'
        }

        It 'removes what a save that was cut off left of a stage that has no checkpoint' -Tag Files {
            Save-Checkpoint a
            $folder = (Split-Path (Split-Path (Get-Checkpoint a).Location)) + '/ingest'
            $null = New-Item $folder -ItemType Directory
            'secret' | Set-Content "$folder/0000000001.00000000000000000000000000000000.state", "$folder/~00000000000000000000000000000000.tmp"
            Clear-Checkpoint -Keep 1
            Clear-Checkpoint -WhatIf
            (Get-ChildItem $folder -Force).Count | Should -Be 2
            Clear-Checkpoint -InformationVariable said
            (Get-ChildItem $store -Force -Recurse).Name | Should -Be 'default', 'history.head', 'history.jsonl'
            "$said" | Should -Be 'All checkpoints cleared.'
        }

        It 'clears the steps that are named' {
            1..5 | ForEach-Object { Save-Checkpoint a }
            1..2 | ForEach-Object { Save-Checkpoint b }
            Clear-Checkpoint a -Step 2, 5, 9
            Get-Left | Should -Be 'default//a 4', 'default//a 3', 'default//a 1', 'default//b 2', 'default//b 1'
            Clear-Checkpoint -Step 1
            Get-Left | Should -Be 'default//a 4', 'default//a 3', 'default//b 2'
        }

        It 'clears what was saved longer ago than -OlderThan' {
            1..3 | ForEach-Object { Set-RecordAge (Save-Checkpoint a -PassThru) ([timespan]::FromHours(4 - $_)) } # 3 h, 2 h, 1 h
            Set-RecordAge (Save-Checkpoint b -PassThru) 08:00:00
            Clear-Checkpoint -OlderThan 90m
            Get-Left | Should -Be 'default//a 3'
            Clear-Checkpoint -OlderThan 2h
            Get-Left | Should -Be 'default//a 3'
        }

        It 'clears all but the newest of each stage with -Keep' {
            1..4 | ForEach-Object { Save-Checkpoint a }
            1..2 | ForEach-Object { Save-Checkpoint b }
            Save-Checkpoint c
            Clear-Checkpoint -Keep 2
            Get-Left | Should -Be 'default//a 4', 'default//a 3', 'default//b 2', 'default//b 1', 'default//c 1'
            Clear-Checkpoint a -Keep 1
            Get-Left | Should -Be 'default//a 4', 'default//b 2', 'default//b 1', 'default//c 1'
        }

        It 'clears with -Keep and -OlderThan what is both old and not among the newest' {
            3, 2, 1, 0 | ForEach-Object { Set-RecordAge (Save-Checkpoint a -PassThru) ([timespan]::FromHours($_)) }
            Clear-Checkpoint -Keep 3 -OlderThan 90m
            Get-Left | Should -Be 'default//a 4', 'default//a 3', 'default//a 2'
            Clear-Checkpoint -Keep 1 -OlderThan 90m
            Get-Left | Should -Be 'default//a 4', 'default//a 3'
        }

        It 'does not count a damaged one among the newest that it keeps' {
            1..4 | ForEach-Object { Save-Checkpoint a }
            Set-Record (Get-RecordPath $store a -Step 4) ''
            Clear-Checkpoint -Keep 1
            Get-Left | Should -Be 'default//a 3'
        }

        It 'clears runs and pipelines by wildcard' {
            foreach ($pipeline in 'p1', 'p2', 'x') {
                Save-Checkpoint a -Pipeline $pipeline
                8, 9 | ForEach-Object { Save-Checkpoint a -Pipeline $pipeline -Run $_ }
            }
            Clear-Checkpoint -Pipeline 'p*' -Run 8
            Clear-Checkpoint a -Pipeline x -Run '*'
            Clear-Checkpoint -Pipeline 'P?'
            Get-Left | Should -Be 'x//a 1', 'p1/9/a 1', 'p2/9/a 1'
        }

        It 'leaves a pipeline, run or stage with a long name alone when the pattern does not match it' {
            $long = 'x' * 150
            Save-Checkpoint a -Pipeline $long
            Save-Checkpoint a -Run $long
            Save-Checkpoint a -Pipeline $long -Run $long
            Save-Checkpoint $long
            $before = Get-Left
            Clear-Checkpoint -Pipeline 'b*'
            Clear-Checkpoint -Run 'b*'
            Clear-Checkpoint -Pipeline 'b*' -Run 'x*'
            Clear-Checkpoint -Pipeline 'x*' -Run 'b*'
            Clear-Checkpoint 'b*', 'x*y'
            Get-Left | Should -Be $before
        }

        It 'clears a stage whose name is a wildcard by that name, and no other' {
            'a', 'a*', '*', '[a]' | ForEach-Object { Save-Checkpoint $_ }
            Clear-Checkpoint 'a*'
            Clear-Checkpoint '[a]'
            Get-Left | Should -Be 'default//* 1', 'default//a 1'
            Clear-Checkpoint '`*'
            Get-Left | Should -Be 'default//a 1'
        }

        It 'is no error where there is nothing to clear: <What>' -ForEach @(
            @{ What = 'a name'; Parameters = @{ Name = 'nothing' } }
            @{ What = 'a wildcard'; Parameters = @{ Name = 'n*' } }
            @{ What = 'no valid wildcard'; Parameters = @{ Name = '[abc' } }
            @{ What = 'a step'; Parameters = @{ Name = 'there'; Step = 9 } }
            @{ What = 'a run'; Parameters = @{ Run = 'nothing' } }
            @{ What = 'a pipeline'; Parameters = @{ Pipeline = 'nothing' } }
            @{ What = 'no names'; Parameters = @{ Name = @() } }
            @{ What = 'no age'; Parameters = @{ OlderThan = '1d' } }
        ) {
            Save-Checkpoint there
            Clear-Checkpoint @Parameters -ErrorAction Stop -InformationVariable said
            Get-Left | Should -Be 'default//there 1'
            $said.MessageData | Where-Object { $_ -like 'Checkpoint cleared*' } | Should -BeNullOrEmpty
        }

        It 'is no error twice, nor where there is no store, of which it makes none' {
            Save-Checkpoint a
            Clear-Checkpoint a
            Clear-Checkpoint a -ErrorAction Stop
            Clear-Checkpoint -ErrorAction Stop
            $missing = New-TestStore -Missing
            Clear-Checkpoint -Store $missing -ErrorAction Stop
            $missing | Should -Not -Exist
        }

        It 'refuses a name that is $null, which a variable that was never set would be' {
            Save-Checkpoint a
            { Clear-Checkpoint $null } | Should -Throw -ErrorId 'ParameterArgumentValidationError,Checkpoint.Commands.ClearCheckpointCommand'
            { Clear-Checkpoint -Name $null -Step 1 } | Should -Throw
            { Clear-Checkpoint a, $null -ErrorAction Stop } | Should -Throw
            { Clear-Checkpoint -Step $null } | Should -Throw
            { Clear-Checkpoint -OlderThan $null } | Should -Throw
            { Clear-Checkpoint -Keep $null } | Should -Throw
            Get-Left | Should -Be 'default//a 1'
        }

        It 'refuses -Keep <Keep>' -ForEach @(@{ Keep = 0 }, @{ Keep = -1 }) {
            { Clear-Checkpoint -Keep $Keep } | Should -Throw -ErrorId 'ParameterArgumentValidationError,Checkpoint.Commands.ClearCheckpointCommand'
        }

        It 'refuses -OlderThan <Age>' -ForEach @(@{ Age = '0s' }, @{ Age = '-1d' }, @{ Age = 7 }, @{ Age = 'old' }) {
            { Clear-Checkpoint -OlderThan $Age } | Should -Throw -ErrorId 'ParameterArgumentTransformationError,Checkpoint.Commands.ClearCheckpointCommand'
        }

        It 'says StoreUnavailable for a store of an unknown kind' {
            { Clear-Checkpoint -Store 'redis://localhost/0' } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.ClearCheckpointCommand'
        }
    }

    Context 'What it leaves alone' {
        It 'leaves foreign files and folders beside the checkpoints, and goes on behind them' -Tag Files {
            'a', 'b', 'c' | ForEach-Object { Save-Checkpoint $_ ([byte[]]::new(50kb)) }
            $foreign = foreach ($name in 'a', 'b', 'c') {
                "default/stages/$name/notes.txt"
                "default/stages/$name/0000000001.txt"
                "default/stages/$name/1.json"
                "default/stages/$name/sub/0000000001.json"
                "default/stages/$name/sub/deeper/x"
                "default/stages/$name/~1.tmp"
                "default/stages/$name/0000000001.abc.state"
            }
            $foreign += 'README.txt', 'default/x', 'default/stages/x', 'default/stages/d/x', 'runs/x', 'default/runs/7/x'
            foreach ($file in $foreign) {
                $null = New-Item -ItemType File "$store/$file" -Force -Value 'mine'
            }
            $null = New-Item -ItemType Directory "$store/default/stages/a/empty", "$store/default/stages/a/0000000009.json"

            Clear-Checkpoint
            Get-StoreFile $store | Sort-Object | Should -Be ($foreign | Sort-Object)
            "$store/default/stages/a/empty", "$store/default/stages/a/0000000009.json" | Should -Exist
            Get-Checkpoint | Should -BeNullOrEmpty
        }

        It 'leaves a copy of a stage that somebody made under a name that no stage has: <Name>' -Tag Files -ForEach @(
            @{ Name = 'Ingest backup (2)' }
            @{ Name = 'ingest~' }
            @{ Name = 'ingest~0123' }
            @{ Name = 'ingest.' }
            @{ Name = '%69ngest' }
        ) {
            Save-Checkpoint ingest
            $copy = "$store/default/stages/$Name"
            Copy-Item "$store/default/stages/ingest" $copy -Recurse
            Clear-Checkpoint
            Get-StoreFile $store | Should -Be "default/stages/$Name/0000000001.json"
            Get-Checkpoint -WarningVariable warning | Should -BeNullOrEmpty
            $warning | Should -BeNullOrEmpty
        }

        It 'leaves the file that a link in its folder leads to' -Tag Files -Skip:$IsWindows {
            $mine = New-TestFolder
            Set-Content "$mine/0000000001.json" 'mine'
            Save-Checkpoint a
            $null = New-Item -ItemType SymbolicLink "$store/default/stages/a/0000000002.json" -Target "$mine/0000000001.json"
            $null = New-Item -ItemType SymbolicLink "$store/default/stages/a/link" -Target $mine
            Clear-Checkpoint
            Get-Content "$mine/0000000001.json" | Should -Be 'mine'
            "$store/default/stages/a/link" | Should -Exist
        }

        It 'leaves the file that another process is writing' -Tag Files {
            Save-Checkpoint a
            $path = "$store/default/stages/a/~$('0' * 32).tmp"
            $writer = [IO.File]::Open($path, 'CreateNew', 'Write', 'None')
            try {
                Clear-Checkpoint
                $path | Should -Exist
            }
            finally {
                $writer.Dispose()
            }
            Save-Checkpoint a
            Clear-Checkpoint
            $path | Should -Not -Exist
        }

        It 'leaves the store, empty but for its history' -Tag Files {
            Save-Checkpoint a ([byte[]]::new(50kb))
            Save-Checkpoint b -Run 7
            Clear-Checkpoint
            Clear-Checkpoint -Run 7
            $store | Should -Exist
            (Get-ChildItem $store -Force -Recurse).Name | Should -Be 'default', 'history.head', 'history.jsonl'
        }

        It 'removes the payload and what a crash left with the record' -Tag Files {
            Save-Checkpoint a ([byte[]]::new(50kb))
            Save-Checkpoint a ([byte[]]::new(50kb))
            $folder = "$store/default/stages/a"
            Set-Content "$folder/~$('1' * 32).tmp" 'cut off'
            Set-Content "$folder/0000000003.$('2' * 32).state" 'cut off'
            Clear-Checkpoint a -Step 1
            (Get-ChildItem $folder -Filter '0000000001*').Name | Should -BeNullOrEmpty
            Clear-Checkpoint
            Get-StoreFile $store | Should -BeNullOrEmpty
        }
    }

    Context 'Damaged checkpoints' {
        It 'clears a record that is <What>' -ForEach @(
            @{ What = 'empty'; Damage = { Set-Record $args[0] '' } }
            @{ What = 'cut off'; Damage = { Set-Record $args[0] (Get-RecordByte $args[0])[0..99] } }
            @{ What = 'of a later format'; Damage = { Edit-Record $args[0] { $_ -replace '"format": 1', '"format": 2' } } }
        ) {
            foreach ($parameters in @{}, @{ Name = 'ingest' }, @{ Name = 'in*' }, @{ Name = 'ingest'; Step = 1 }, @{ Step = 1 }) {
                $info = Save-Checkpoint ingest ([byte[]]::new(50kb)) -Step 1 -PassThru
                & $Damage $info.Location
                Clear-Checkpoint @parameters -ErrorAction Stop -WarningVariable warning
                Get-StoreFile $store | Should -BeNullOrEmpty
                $warning | Should -BeNullOrEmpty
            }
        }

        It 'clears a record without its payload' -Tag Files {
            $info = Save-Checkpoint ingest ([byte[]]::new(50kb)) -PassThru
            Get-ChildItem (Split-Path $info.Location) -Filter *.state | Remove-Item
            Clear-Checkpoint -ErrorAction Stop -WarningVariable warning
            Get-StoreFile $store | Should -BeNullOrEmpty
            $warning | Should -BeNullOrEmpty
        }

        It 'clears a damaged checkpoint of a stage, pipeline and run with a long name' {
            $long = 'x' * 150
            foreach ($parameters in @{ Pipeline = $long }, @{ Run = $long }, @{ Pipeline = $long; Run = $long }) {
                foreach ($name in 'a', $long) {
                    $info = Save-Checkpoint $name @parameters -PassThru
                    Set-Record $info.Location ''
                    Clear-Checkpoint $name @parameters
                    Get-StoreFile $store | Should -BeNullOrEmpty
                }
            }
        }

        It 'does not take a damaged one for old' {
            Set-Record (Save-Checkpoint a -PassThru).Location ''
            Clear-Checkpoint -OlderThan 1s
            Get-StoreFile $store | Should -Be 'default/stages/a/0000000001.json'
        }
    }

    Context 'What it says' {
        BeforeEach { 'a', 'b' | ForEach-Object { Save-Checkpoint $_; Save-Checkpoint $_ } }

        It 'says what it did on the information stream, with the tag Checkpoint, and emits nothing' {
            $said = Clear-Checkpoint 6>&1
            $said.MessageData | Should -BeExactly 'All checkpoints cleared.'
            $said.Tags | Should -BeExactly 'Checkpoint'
        }

        It 'names each stage where names are given' {
            (Clear-Checkpoint A, nothing 6>&1).MessageData | Should -BeExactly 'Checkpoint cleared: a'
            Save-Checkpoint a
            (Clear-Checkpoint '*' 6>&1).MessageData | Should -BeExactly 'Checkpoint cleared: a', 'Checkpoint cleared: b'
        }

        It 'names each stage of which it cleared only some' {
            (Clear-Checkpoint -Step 1 6>&1).MessageData | Should -BeExactly 'Checkpoint cleared: a', 'Checkpoint cleared: b'
            Save-Checkpoint a
            (Clear-Checkpoint -Keep 1 6>&1).MessageData | Should -BeExactly 'Checkpoint cleared: a'
        }

        It 'tells the place on the verbose stream' {
            $told = Clear-Checkpoint a -Verbose 4>&1 6>$null
            "$told" | Should -BeLike "*'a'*$store*2 removed*"
        }

        It 'changes nothing with <How>, and does not say that it did' -ForEach @(
            @{ How = '-WhatIf'; Switch = '-WhatIf'; Preference = $false }
            @{ How = '$WhatIfPreference'; Switch = ''; Preference = $true }
        ) {
            # In a shell without a screen, which the announcements of what would be done would fill.
            $shell = [powershell]::Create().AddScript({
                    param($Module, $Preference)
                    Import-Module $Module
                    $WhatIfPreference = $Preference
                }.ToString() + (('', 'a', '-Step 1', '-Keep 1') | ForEach-Object { "; Clear-Checkpoint $_ $Switch -Store '$store'" }))
            $shell.AddArgument($ModulePath).AddArgument($Preference).Invoke() | Should -BeNullOrEmpty
            $shell.Streams.Error | Should -BeNullOrEmpty
            $shell.Streams.Information.MessageData | Where-Object { $_ -notlike 'What if: *' } | Should -BeNullOrEmpty
            $shell.Dispose()
            Get-Left | Should -HaveCount 4
        }

        It 'asks with -Confirm, and clears nothing when nobody can answer' {
            $result = Invoke-Pwsh {
                param($Store)
                Clear-Checkpoint a -Store $Store -Confirm:$false
                Clear-Checkpoint b -Store $Store -Confirm
            } $store
            $result.ExitCode | Should -Be 1
            $result.ErrorOutput | Should -BeLike '*NonInteractive*'
            Get-Left | Should -Be 'default//b 2', 'default//b 1'
        }
    }

    Context 'Piped objects' {
        It 'clears the step that each object is, and no other' {
            1..3 | ForEach-Object { Save-Checkpoint a; Save-Checkpoint b }
            Get-Checkpoint | Clear-Checkpoint
            Get-Left | Should -Be 'default//a 2', 'default//a 1', 'default//b 2', 'default//b 1'
            Get-Checkpoint -AllSteps | Where-Object Step -EQ 1 | Clear-Checkpoint
            Get-Left | Should -Be 'default//a 2', 'default//b 2'
        }

        It 'clears objects of several pipelines, runs and stores, whatever the context is' {
            $second = New-TestStore
            Save-Checkpoint a -Pipeline p1
            Save-Checkpoint a -Pipeline p2 -Run 7
            Save-Checkpoint a -Run 7
            Save-Checkpoint a -Store $second
            $objects = @(Get-Checkpoint -Pipeline *) + @(Get-Checkpoint -Pipeline * -Run *) + @(Get-Checkpoint -Store $second)
            Set-CheckpointContext -Store (New-TestStore) -Pipeline other -Run 9
            Save-Checkpoint a
            $objects | Clear-Checkpoint
            (Get-Checkpoint).Name | Should -Be 'a'
            Get-StoreFile $store | Should -BeNullOrEmpty
            Get-StoreFile $second | Should -BeNullOrEmpty
        }

        It 'clears exactly the object whose name is <Name>' -ForEach '*', '[x]', '[a-z]*', '?', 'x`*', '[', '../x', '' , '-Step' {
            $Name = $_ ? $_ : 'x*'
            'x', 'xx', 'a' | ForEach-Object { Save-Checkpoint $_; Save-Checkpoint $_ -Pipeline $Name; Save-Checkpoint $_ -Run $Name }
            Save-Checkpoint $Name
            Save-Checkpoint $Name -Pipeline $Name -Run $Name
            $all = Get-Left
            Get-Checkpoint -Pipeline * | Where-Object { $_.Name -eq $Name } | Clear-Checkpoint
            Get-Checkpoint -Pipeline * -Run * | Where-Object { $_.Name -eq $Name } | Clear-Checkpoint
            Get-Left | Should -Be ($all | Where-Object { $_ -notin "default//$Name 1", "$Name/$Name/$Name 1" })
        }

        It 'clears the steps of a stage in one go, so that the newest can go last' {
            1..5 | ForEach-Object { Save-Checkpoint a; Save-Checkpoint b }
            $said = Get-Checkpoint -AllSteps | Where-Object Step -GT 1 | Clear-Checkpoint -Verbose 4>&1
            $said = $said -like '*removed.'
            $said | Should -HaveCount 2
            $said[0] | Should -BeLike "Checkpoint 'a'*step 5, 4, 3, 2,*: 4 removed."
            Get-Left | Should -Be 'default//a 1', 'default//b 1'
        }

        It 'leaves a step that was saved anew after it was looked at' {
            1..2 | ForEach-Object { Save-Checkpoint a -State $_ -Metadata @{ bad = $true } }
            $bad = Get-Checkpoint -AllSteps | Where-Object { $_.Metadata.bad }
            Save-Checkpoint a -Step 2 -Overwrite -State 'good'
            $said = $bad | Clear-Checkpoint -Verbose -InformationVariable done 4>&1
            $said -like '*1 of these were removed or saved anew since*' | Should -HaveCount 1
            $done.MessageData | Should -Be 'Checkpoint cleared: a'
            Restore-Checkpoint a | Should -Be 'good'
            Get-Left | Should -Be 'default//a 2'
        }

        It 'leaves it too when the object came by way of Select-Object or -PassThru' {
            $seen = Save-Checkpoint a -State 'old' -PassThru
            Save-Checkpoint a -Step 1 -Overwrite -State 'new'
            $seen | Select-Object Name, Step, Revision | Clear-Checkpoint -InformationVariable done
            $done | Should -BeNullOrEmpty
            Restore-Checkpoint a | Should -Be 'new'
            Get-Checkpoint a | Clear-Checkpoint
            Get-Left | Should -BeNullOrEmpty
        }

        It 'takes -Revision only beside the one step that it belongs to' {
            Save-Checkpoint a
            foreach ($call in { Clear-Checkpoint a -Revision x }, { Clear-Checkpoint a -Step 1, 2 -Revision x }) {
                $call | Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.ClearCheckpointCommand'
            }
            Clear-Checkpoint a -Step 1 -Revision x
            Get-Left | Should -Be 'default//a 1'
            Clear-Checkpoint a -Step 1 -Revision (Get-Checkpoint a).Revision
            Get-Left | Should -BeNullOrEmpty
        }

        It 'clears nothing when nothing is piped' {
            Save-Checkpoint a
            Get-Checkpoint 'x*' | Clear-Checkpoint
            @() | Clear-Checkpoint
            Get-Left | Should -Be 'default//a 1'
        }

        It 'clears nothing for <What>, which is no checkpoint' -ForEach @(
            @{ What = '$null'; Piped = $null }
            @{ What = 'a text'; Piped = 'a' }
            @{ What = 'an object whose name is $null'; Piped = [pscustomobject]@{ Name = $null } }
        ) {
            Save-Checkpoint a
            , $Piped | Clear-Checkpoint -ErrorVariable failure -ErrorAction SilentlyContinue
            $failure | Should -HaveCount 1
            Get-Left | Should -Be 'default//a 1'
        }
    }

    Context 'Beside others' {
        It 'hinders no save that runs at the same time' {
            $left = 1..4 | ForEach-Object -ThrottleLimit 4 -Parallel {
                Import-Module $using:ModulePath
                $round = 0
                if ($_ -eq 4) {
                    foreach ($round in 1..120) { Clear-Checkpoint -Store $using:store -ErrorAction Stop }
                }
                else {
                    foreach ($round in 1..60) { Save-Checkpoint shared ([byte[]]::new(20kb)) -Store $using:store -ErrorAction Stop }
                }
                "$_ done"
            }
            $left | Sort-Object | Should -Be '1 done', '2 done', '3 done', '4 done'
            Get-Checkpoint -AllSteps -WarningVariable warning | ForEach-Object { $null = Restore-Checkpoint $_.Name -Step $_.Step }
            $warning | Should -BeNullOrEmpty
            Clear-Checkpoint
            Get-StoreFile $store | Should -BeNullOrEmpty
        }
    }
}
