BeforeDiscovery {
    $twice = [Activator]::CreateInstance([hashtable], [StringComparer]::Ordinal)
    $twice['a'] = 1
    $twice['A'] = 2
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    # The files below a folder with what is in them: equal before and after means that nothing was touched.
    function Get-Snapshot([string] $Path) {
        Get-ChildItem -LiteralPath $Path -Recurse -Force | Sort-Object FullName | ForEach-Object {
            $_.FullName + $(if (-not $_.PSIsContainer) { " $($_.LastWriteTimeUtc.Ticks) " + (Get-FileHash -LiteralPath $_.FullName).Hash })
        }
    }

    function Get-StepNumber([string] $Name) {
        (Get-Checkpoint $Name -AllSteps @at).Step
    }

    # Runs a script in a runspace of its own, so that all its streams can be looked at.
    function Invoke-Runspace([string] $Script) {
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript("param(`$module, `$at) Import-Module `$module; $Script").AddArgument($ModulePath).AddArgument($at)
            $output = $shell.Invoke()
            [pscustomobject]@{
                Output = @($output)
                Errors = @($shell.Streams.Error)
                Warnings = @($shell.Streams.Warning)
                Verbose = @($shell.Streams.Verbose.Message)
                Information = @($shell.Streams.Information)
                Progress = @($shell.Streams.Progress)
            }
        }
        finally {
            $shell.Dispose()
        }
    }

    class Trainer {
        [int] $Epoch
        [hashtable] GetState() { return @{ epoch = $this.Epoch; weights = [double[]] (1, 2) } }
        [void] SetState([object] $state) { $this.Epoch = $state.epoch }
        [hashtable] GetIdentity() { return @{ model = 'small'; layers = (3, 4) } }
    }

    function New-Trainer([int] $Epoch) {
        [Trainer] @{ Epoch = $Epoch }
    }
}

Describe 'Save-Checkpoint' {
    BeforeEach {
        $store = New-TestStore -Missing
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
    }

    Context 'gives steps:' {
        It '1 to the first, then the latest plus 1' {
            1..3 | ForEach-Object { (Save-Checkpoint s -PassThru @at).Step } | Should -Be 1, 2, 3
        }

        It 'the latest plus 1, whatever was named before, without filling gaps' {
            Save-Checkpoint s -Step 40 @at
            Save-Checkpoint s -Step 7 @at
            (Save-Checkpoint s -PassThru @at).Step | Should -Be 41
        }

        It '1 after step 0' {
            (Save-Checkpoint s -Step 0 -PassThru @at).Step | Should -Be 0
            (Save-Checkpoint s -PassThru @at).Step | Should -Be 1
        }

        It 'each stage, pipeline and run its own' {
            Save-Checkpoint s -Step 9 @at
            (Save-Checkpoint t -PassThru @at).Step | Should -Be 1
            (Save-Checkpoint s -PassThru -Store $store -Pipeline other -Run '').Step | Should -Be 1
            (Save-Checkpoint s -PassThru -Store $store -Pipeline default -Run 7).Step | Should -Be 1
        }

        It 'up to the largest, behind which there is none' {
            (Save-Checkpoint s -State 'last' -Step ([long]::MaxValue) -PassThru @at).Step | Should -Be ([long]::MaxValue)
            { Save-Checkpoint s @at } | Should -Throw '*highest step*'
            Restore-Checkpoint s @at | Should -Be 'last'
        }

        It 'none below 0' {
            { Save-Checkpoint s -Step -1 @at } | Should -Throw -ErrorId 'ParameterArgumentValidationError,Checkpoint.Commands.SaveCheckpointCommand'
        }

        It 'the next one after a damaged record, whose number it does not give again' {
            1..2 | ForEach-Object { Save-Checkpoint s @at }
            Set-Record (Get-RecordPath $store s -Step 2) '{"format": 1'
            (Save-Checkpoint s -State 'new' -PassThru @at).Step | Should -Be 3
            Restore-Checkpoint s @at | Should -Be 'new'
        }
    }

    Context 'takes state:' {
        It 'one value by -State, by name or by position' {
            Save-Checkpoint a -State 5 @at
            Save-Checkpoint b 5 @at
            Restore-Checkpoint a @at | Should -Be 5
            Restore-Checkpoint b @at | Should -Be 5
        }

        It 'piped input as a sequence: all of it' {
            1..5 | Save-Checkpoint s @at
            Get-Checkpoint s -AllSteps @at | Should -HaveCount 1
            Restore-Checkpoint s @at | Should -Be 1, 2, 3, 4, 5
        }

        It 'piped objects whole, binding nothing by property name' {
            [pscustomobject]@{ Name = 'other'; Step = 9; Store = '/nowhere'; Pipeline = 'p'; Run = 'r'; State = 's'; Metadata = @{ m = 1 } } | Save-Checkpoint s @at
            $info = Get-Checkpoint @at
            $info.Name | Should -Be s
            $info.Step | Should -Be 1
            $info.Metadata.Count | Should -Be 0
            (Restore-Checkpoint s @at).Name | Should -Be other
            (Get-Command Save-Checkpoint).Parameters.Values.ParameterSets.Values.ValueFromPipelineByPropertyName | Should -Not -Contain $true
        }

        It 'from within a pipeline that is not its own' {
            1..3 | ForEach-Object { Save-Checkpoint each -State $_ @at }
            Restore-Checkpoint each @at | Should -Be 3
            Get-StepNumber each | Should -Be 3, 2, 1
        }

        It 'not both by -State and from the pipeline: an error, and nothing is saved' {
            { 1..3 | Save-Checkpoint s -State 5 @at } | Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.SaveCheckpointCommand'
            { 1..3 | Save-Checkpoint s -InputObject (New-Trainer 1) @at } | Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.SaveCheckpointCommand'
            Get-Checkpoint @at | Should -BeNullOrEmpty
        }

        It 'nothing of a state that fails on its way' {
            { & { 1; throw 'source broke' } | Save-Checkpoint s @at } | Should -Throw 'source broke'
            Get-Checkpoint @at | Should -BeNullOrEmpty
        }
    }

    Context 'takes the state of an object' {
        It 'by its GetState, of a class of PowerShell' {
            Save-Checkpoint s -InputObject (New-Trainer 3) @at
            $state = Restore-Checkpoint s @at
            $state.epoch | Should -Be 3
            Should -ActualValue $state.weights -BeOfType [double[]]
        }

        It 'by its GetState, of a pscustomobject with script methods' {
            $object = [pscustomobject]@{ Position = 17 } | Add-Member -MemberType ScriptMethod -Name GetState -Value { $this.Position } -PassThru
            Save-Checkpoint s -InputObject $object @at
            Restore-Checkpoint s @at | Should -Be 17
        }

        It 'as one value, be it a list or $null' {
            $object = [pscustomobject]@{} | Add-Member -MemberType ScriptMethod -Name GetState -Value { , @(, 1) } -PassThru
            Save-Checkpoint list -InputObject $object @at
            Should -ActualValue (Restore-Checkpoint list @at) -BeOfType [object[]]
            $object = [pscustomobject]@{} | Add-Member -MemberType ScriptMethod -Name GetState -Value { $null } -PassThru
            (Save-Checkpoint none -InputObject $object -PassThru @at).StateSize | Should -BeGreaterThan 0
        }

        It 'or fails where it has no GetState' {
            $failure = { Save-Checkpoint s -InputObject ([pscustomobject]@{ a = 1 }) @at } | Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand' -PassThru
            $failure.Exception.Message | Should -BeLike '*GetState*'
            Get-Checkpoint @at | Should -BeNullOrEmpty
        }

        It 'or fails where its GetState does' {
            $object = [pscustomobject]@{} | Add-Member -MemberType ScriptMethod -Name GetState -Value { throw 'not ready' } -PassThru
            { Save-Checkpoint s -InputObject $object @at } | Should -Throw '*not ready*'
            Get-Checkpoint @at | Should -BeNullOrEmpty
        }

        It 'or fails where its GetIdentity gives what cannot be compared' {
            $object = New-Trainer 1 | Add-Member -MemberType ScriptMethod -Name GetIdentity -Value { @{ nested = @{ a = 1 } } } -PassThru -Force
            { Save-Checkpoint s -InputObject $object @at } | Should -Throw '*identity.nested*' -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand'
            Get-Checkpoint @at | Should -BeNullOrEmpty
        }
    }

    Context 'finds the step there already' {
        It 'and fails, leaving every file as it was' -Tag Files {
            Save-Checkpoint s -State ([byte[]]::new(50000)) -Step 4 @at
            $before = Get-Snapshot $store
            $failure = { Save-Checkpoint s -State ([byte[]]::new(60000)) -Step 4 @at } | Should -Throw -ErrorId 'CheckpointExists,Checkpoint.Commands.SaveCheckpointCommand' -PassThru
            $failure.CategoryInfo.Category | Should -Be 'ResourceExists'
            $failure.TargetObject | Should -Be 's'
            $failure.Exception.Message | Should -BeLike "*4*'s'*$([WildcardPattern]::Escape($store))*-Overwrite*"
            Get-Snapshot $store | Should -Be $before
        }

        It 'and replaces it with -Overwrite, its state, metadata and all' {
            Save-Checkpoint s -State 'old' -Metadata @{ old = 1 } -Fingerprint 'old' -Step 4 @at
            $info = Save-Checkpoint s -State 'new' -Metadata @{ new = 1 } -Step 4 -Overwrite -PassThru @at
            Get-StepNumber s | Should -Be 4
            Restore-Checkpoint s @at | Should -Be 'new'
            $info.Metadata.Keys | Should -Be 'new'
            $info.Fingerprint | Should -Be $null
        }

        It 'and replaces a <Old> by a <New> with -Overwrite, leaving no file of the old' -ForEach @(
            @{ Old = 'small'; New = 'large' }
            @{ Old = 'large'; New = 'large' }
            @{ Old = 'large'; New = 'small' }
            @{ Old = 'large'; New = 'none' }
        ) {
            $state = @{ small = @{ State = 'small' }; large = @{ State = [byte[]]::new(50000) }; none = @{} }
            $oldState = $state[$Old]
            $newState = $state[$New]
            Save-Checkpoint s -Step 1 @oldState @at
            Save-Checkpoint s -Step 1 -Overwrite @newState @at
            Get-StoreFile $store | Should -HaveCount ($New -eq 'large' ? 2 : 1)
            $restored = Restore-Checkpoint s @at
            $New -eq 'none' ? $null -eq $restored : $restored.Length -eq $newState.State.Length | Should -BeTrue
        }

        It 'or not there: -Overwrite saves it all the same' {
            (Save-Checkpoint s -Step 4 -Overwrite -PassThru @at).Step | Should -Be 4
        }

        It 'and keeps the old one whole when the new one cannot be saved: <Name>' -Tag Files -ForEach @(
            @{ Name = 'its state'; Bad = { @{ State = @(1, ([byte[]]::new(50000)), [System.Net.NetworkCredential]::new('', 'x').SecurePassword) } } }
            @{ Name = 'its metadata'; Bad = { @{ State = [byte[]]::new(50000); Metadata = @{ nested = @{ a = 1 } } } } }
            @{ Name = 'its output file'; Bad = { @{ State = 1; OutputFile = "$TestDrive/not there" } } }
        ) {
            Save-Checkpoint s -State ([byte[]] (1..200 * 100)) -Step 1 @at
            $before = Get-Snapshot $store | Where-Object { $_ -notlike '*stages/s' }
            $bad = & $Bad
            { Save-Checkpoint s -Step 1 -Overwrite @bad @at } | Should -Throw
            Get-Snapshot $store | Where-Object { $_ -notlike '*stages/s' } | Should -Be $before
            (Restore-Checkpoint s -Step 1 @at).Length | Should -Be 20000
        }
    }

    Context 'with -Interval' {
        It 'saves where the step is a multiple of it' {
            0..10 | ForEach-Object { Save-Checkpoint s -Step $_ -Interval 5 @at }
            Get-StepNumber s | Should -Be 10, 5, 0
        }

        It 'saves any step with -Force' {
            (Save-Checkpoint s -Step 7 -Interval 5 -Force -PassThru @at).Step | Should -Be 7
        }

        It 'says nothing but verbosely where it does not save, and makes no store' {
            $said = Save-Checkpoint s -Step 7 -Interval 5 -PassThru -Verbose @at *>&1
            $said | Should -HaveCount 1
            $said | Should -BeOfType [System.Management.Automation.VerboseRecord]
            $store | Should -Not -Exist
        }

        It 'needs -Step, for it speaks of steps' {
            { Save-Checkpoint s -Interval 5 @at } | Should -Throw '*-Step*' -ErrorId 'InvalidArgument,Checkpoint.Commands.SaveCheckpointCommand'
        }
    }

    Context 'prunes:' {
        It 'nothing without a rule' {
            1..5 | ForEach-Object { Save-Checkpoint s @at }
            Get-StepNumber s | Should -Be 5, 4, 3, 2, 1
        }

        It 'all but the newest n by step number with -Keep, payloads too' {
            foreach ($step in 10, 30, 20, 50, 40) {
                Save-Checkpoint s -State ([byte[]]::new(20000)) -Step $step -Keep 2 @at
            }
            Get-StepNumber s | Should -Be 50, 40
            Get-StoreFile $store | Should -HaveCount 4
        }

        It 'not the step just saved, even when Keep would prune it' {
            5, 6, 7 | ForEach-Object { Save-Checkpoint s -Step $_ @at }
            Save-Checkpoint s -State 'low' -Step 1 -Keep 2 @at
            Get-StepNumber s | Should -Be 7, 6, 1
            Restore-Checkpoint s -Step 1 @at | Should -Be 'low'
        }

        It 'not the step just overwritten either' {
            5, 6, 7 | ForEach-Object { Save-Checkpoint s -Step $_ @at }
            Save-Checkpoint s -State 'again' -Step 5 -Keep 1 -Overwrite @at
            Get-StepNumber s | Should -Be 7, 5
        }

        It 'by CHECKPOINT_KEEP, unless -Keep says otherwise' {
            $env:CHECKPOINT_KEEP = '2'
            try {
                1..4 | ForEach-Object { Save-Checkpoint s @at }
                Get-StepNumber s | Should -Be 4, 3
                Save-Checkpoint s -Keep 3 @at
                Get-StepNumber s | Should -Be 5, 4, 3
                $env:CHECKPOINT_KEEP = 'all'
                { Save-Checkpoint s @at } | Should -Throw '*CHECKPOINT_KEEP*' -ErrorId 'InvalidArgument,Checkpoint.Commands.SaveCheckpointCommand'
                Get-StepNumber s | Should -Be 5, 4, 3
            }
            finally {
                Remove-Item Env:CHECKPOINT_KEEP
            }
        }

        It 'all but multiples with -KeepEvery, and the one just saved' {
            0..7 | ForEach-Object { Save-Checkpoint s -Step $_ -KeepEvery 3 @at }
            Get-StepNumber s | Should -Be 7, 6, 3, 0
        }

        It 'all that were saved longer ago than -KeepFor' {
            1..3 | ForEach-Object { Save-Checkpoint s -Step $_ @at }
            Edit-Record (Get-RecordPath $store s -Step 1) { $_ -replace '"savedAt": "[^"]+"', "`"savedAt`": `"$([DateTimeOffset]::UtcNow.AddDays(-8).ToString('O'))`"" }
            Edit-Record (Get-RecordPath $store s -Step 2) { $_ -replace '"savedAt": "[^"]+"', "`"savedAt`": `"$([DateTimeOffset]::UtcNow.AddDays(-6).ToString('O'))`"" }
            Save-Checkpoint s -KeepFor 7d @at
            Get-StepNumber s | Should -Be 4, 3, 2
        }

        It 'by their age though their time is written in another zone' {
            1..2 | ForEach-Object { Save-Checkpoint s -Step $_ @at }
            $offset = [timespan]::FromHours(14)
            Edit-Record (Get-RecordPath $store s -Step 1) { $_ -replace '"savedAt": "[^"]+"', "`"savedAt`": `"$([DateTimeOffset]::UtcNow.AddHours(-2).ToOffset($offset).ToString('O'))`"" }
            Edit-Record (Get-RecordPath $store s -Step 2) { $_ -replace '"savedAt": "[^"]+"', "`"savedAt`": `"$([DateTimeOffset]::UtcNow.AddMinutes(-30).ToOffset(-$offset).ToString('O'))`"" }
            Save-Checkpoint s -KeepFor 1h @at
            Get-StepNumber s | Should -Be 3, 2
        }

        It 'all but the n highest by a number in the metadata with -KeepBest' {
            $step = 0
            foreach ($accuracy in 0.1, 0.9, 0.5, 0.7, 0.2) {
                Save-Checkpoint s -Step (++$step) -Metadata @{ accuracy = $accuracy } -KeepBest 2 -By accuracy @at
            }
            Get-StepNumber s | Should -Be 5, 4, 2
        }

        It 'all but the n lowest with -Lowest' {
            $step = 0
            foreach ($loss in 5, 0.25d, [long] 3, [float] 0.5, 9) {
                Save-Checkpoint s -Step (++$step) -Metadata @{ loss = $loss } -KeepBest 2 -By LOSS -Lowest @at
            }
            Get-StepNumber s | Should -Be 5, 4, 2
        }

        It 'those without such a number as none of the best' {
            Save-Checkpoint s -Step 1 -Metadata @{ loss = 'low' } @at
            Save-Checkpoint s -Step 2 @at
            Save-Checkpoint s -Step 3 -Metadata @{ loss = [double]::NaN } @at
            Save-Checkpoint s -Step 4 -Metadata @{ loss = 100 } @at
            Save-Checkpoint s -Step 5 -Metadata @{ loss = 200 } -KeepBest 2 -By loss -Lowest @at
            Get-StepNumber s | Should -Be 5, 4
        }

        It 'what no rule keeps: a step stays when any does' {
            1..9 | ForEach-Object { Save-Checkpoint s -Step $_ -Metadata @{ score = $_ -eq 2 ? 100 : 0 } @at }
            Edit-Record (Get-RecordPath $store s -Step 5) { $_ -replace '"savedAt": "[^"]+"', '"savedAt": "2020-01-01T00:00:00+00:00"' }
            Save-Checkpoint s -Step 10 -Keep 2 -KeepEvery 4 -KeepBest 1 -By score @at
            Get-StepNumber s | Should -Be 10, 9, 8, 4, 2
            Save-Checkpoint s -Step 11 -Keep 1 -KeepFor 1h @at
            Get-StepNumber s | Should -Be 11, 10, 9, 8, 4, 2
        }

        It 'only the stage that is saved' {
            Save-Checkpoint a @at
            Save-Checkpoint a @at
            Save-Checkpoint b -Keep 1 @at
            Get-StepNumber a | Should -Be 2, 1
        }

        It 'no damaged record, which takes no place among the kept' {
            1..3 | ForEach-Object { Save-Checkpoint s -State $_ @at }
            Set-Record (Get-RecordPath $store s -Step 3) 'torn'
            Save-Checkpoint s -Keep 2 @at
            (Get-StoreFile $store) -like '*3.json' | Should -HaveCount 1
            Restore-Checkpoint s -Step 2 @at | Should -Be 2
            (Get-StoreFile $store) -like '*1.json' | Should -BeNullOrEmpty
        }

        It 'nothing when the save itself fails' {
            1..3 | ForEach-Object { Save-Checkpoint s @at }
            { Save-Checkpoint s -Step 3 -Keep 1 @at } | Should -Throw -ErrorId 'CheckpointExists,*'
            Get-StepNumber s | Should -Be 3, 2, 1
        }

        It 'by no rule of 0 or less: <Rule>' -ForEach @(
            @{ Rule = '-Keep 0'; Given = @{ Keep = 0 }; Id = 'ParameterArgumentValidationError' }
            @{ Rule = '-Keep -1'; Given = @{ Keep = -1 }; Id = 'ParameterArgumentValidationError' }
            @{ Rule = '-KeepEvery 0'; Given = @{ KeepEvery = 0 }; Id = 'ParameterArgumentValidationError' }
            @{ Rule = '-KeepEvery -5'; Given = @{ KeepEvery = -5 }; Id = 'ParameterArgumentValidationError' }
            @{ Rule = '-KeepBest 0'; Given = @{ KeepBest = 0; By = 'x' }; Id = 'ParameterArgumentValidationError' }
            @{ Rule = '-KeepBest -1'; Given = @{ KeepBest = -1; By = 'x' }; Id = 'ParameterArgumentValidationError' }
            @{ Rule = '-KeepFor 0s'; Given = @{ KeepFor = '0s' }; Id = 'ParameterArgumentTransformationError' }
            @{ Rule = '-KeepFor -1d'; Given = @{ KeepFor = '-1d' }; Id = 'ParameterArgumentTransformationError' }
            @{ Rule = '-KeepFor 00:00'; Given = @{ KeepFor = [timespan]::Zero }; Id = 'ParameterArgumentTransformationError' }
            @{ Rule = '-Interval 0'; Given = @{ Interval = 0; Step = 1 }; Id = 'ParameterArgumentValidationError' }
            @{ Rule = '-Interval -1'; Given = @{ Interval = -1; Step = 1 }; Id = 'ParameterArgumentValidationError' }
        ) {
            { Save-Checkpoint s @Given @at } | Should -Throw -ErrorId "$Id,Checkpoint.Commands.SaveCheckpointCommand"
            $store | Should -Not -Exist
        }

        It 'not by half a rule: <Rule>' -ForEach @(
            @{ Rule = '-KeepBest without -By'; Given = @{ KeepBest = 2 } }
            @{ Rule = '-By without -KeepBest'; Given = @{ By = 'loss' } }
            @{ Rule = '-Lowest without -KeepBest'; Given = @{ Lowest = $true } }
        ) {
            $failure = { Save-Checkpoint s @Given @at } | Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.SaveCheckpointCommand' -PassThru
            $failure.CategoryInfo.Category | Should -Be 'InvalidArgument'
            $store | Should -Not -Exist
        }
    }

    Context 'reads a duration' {
        It 'as <Text>: <Expected>' -ForEach @(
            @{ Text = '7d'; Expected = '7.00:00:00' }
            @{ Text = '10m'; Expected = '00:10:00' }
            @{ Text = '90s'; Expected = '00:01:30' }
            @{ Text = '36h'; Expected = '1.12:00:00' }
            @{ Text = '1.5h'; Expected = '01:30:00' }
            @{ Text = '2D'; Expected = '2.00:00:00' }
            @{ Text = '1.12:00:00'; Expected = '1.12:00:00' }
        ) {
            # Just inside and just outside of it.
            1..2 | ForEach-Object { Save-Checkpoint s -Step $_ @at }
            foreach ($step in 1, 2) {
                $time = [DateTimeOffset]::UtcNow - [timespan] $Expected + [timespan]::FromSeconds($step -eq 1 ? -5 : 60)
                Edit-Record (Get-RecordPath $store s -Step $step) { $_ -replace '"savedAt": "[^"]+"', "`"savedAt`": `"$($time.ToString('O'))`"" }
            }
            Save-Checkpoint s -KeepFor $Text @at
            Get-StepNumber s | Should -Be 3, 2
        }

        It 'also unquoted, where PowerShell sees a number, and as a [timespan]' {
            Save-Checkpoint s -KeepFor 7d @at
            Save-Checkpoint s -KeepFor 90s @at
            Save-Checkpoint s -KeepFor ([timespan]::FromDays(1)) @at
            Get-StepNumber s | Should -Be 3, 2, 1
        }

        It 'not from <Text>' -ForEach @(
            @{ Text = 10 }
            @{ Text = '10' }
            @{ Text = '10 parsecs' }
            @{ Text = 'd' }
            @{ Text = '' }
            @{ Text = '1e9d' }
            @{ Text = '99999999999d' }
            @{ Text = $null }
        ) {
            { Save-Checkpoint s -KeepFor $Text @at } | Should -Throw -ErrorId 'ParameterArgumentTransformationError,Checkpoint.Commands.SaveCheckpointCommand'
            $store | Should -Not -Exist
        }
    }

    Context 'keeps metadata' {
        It 'with its types, readable without the state' -Tag Files {
            Save-Checkpoint s -State ([byte[]]::new(50000)) -Metadata @{ epoch = 3; loss = 0.25; big = [long]::MaxValue; when = [datetime]::new(2026, 1, 2); note = 'größe'; none = $null; flag = $true; money = 1.10d } @at
            Remove-Item "$store/default/stages/s/*.state"
            Save-Checkpoint t -Metadata @{ epoch = 3; loss = 0.25; big = [long]::MaxValue; when = [datetime]::new(2026, 1, 2); note = 'größe'; none = $null; flag = $true; money = 1.10d } @at
            $metadata = (Get-Checkpoint t @at).Metadata
            $metadata['epoch'] | Should -BeOfType [int]
            $metadata['loss'] | Should -BeOfType [double]
            $metadata['big'] | Should -BeOfType [long]
            $metadata['when'] | Should -Be ([datetime]::new(2026, 1, 2))
            $metadata['note'] | Should -BeExactly 'größe'
            $metadata.ContainsKey('none') | Should -BeTrue
            $metadata['none'] | Should -Be $null
            $metadata['flag'] | Should -BeTrue
            "$($metadata['money'])" | Should -Be '1.10'
        }

        It 'in the order of an ordered dictionary, and finds its keys whatever their case' {
            $metadata = (Save-Checkpoint s -Metadata ([ordered]@{ zeta = 1; alpha = 2; Mid = 3 }) -PassThru @at).Metadata
            $metadata.Keys | Should -BeExactly 'zeta', 'alpha', 'Mid'
            (Get-Checkpoint s @at).Metadata.Keys | Should -BeExactly 'zeta', 'alpha', 'Mid'
            (Get-Checkpoint s @at).Metadata['MID'] | Should -Be 3
        }

        It 'with flat lists' {
            Save-Checkpoint s -Metadata @{ shape = (2, 3); names = [string[]] ('a', 'b') } @at
            (Get-Checkpoint s @at).Metadata['shape'] | Should -Be 2, 3
            (Get-Checkpoint s @at).Metadata['names'] | Should -Be 'a', 'b'
        }

        It 'takes enumerations in a list as it takes one, by their names' {
            Save-Checkpoint s -Metadata @{ one = [DayOfWeek]::Monday; two = @([DayOfWeek]::Monday, 'x'); typed = [DayOfWeek[]] (1, 2) } @at
            (Get-Checkpoint s @at).Metadata['one'] | Should -Be 'Monday'
            (Get-Checkpoint s @at).Metadata['two'] | Should -BeExactly 'Monday', 'x'
            (Get-Checkpoint s @at).Metadata['typed'] | Should -BeExactly 'Monday', 'Tuesday'
        }

        It 'gives metadata that nobody can change: <What>' -ForEach @(
            @{ What = 'of an array'; List = 1, 2 }
            @{ What = 'of a list'; List = [Collections.Generic.List[int]] (1, 2) }
            @{ What = 'of a collection'; List = [Collections.ObjectModel.Collection[int]] [int[]] (1, 2) }
        ) {
            foreach ($metadata in (Save-Checkpoint s -Metadata @{ a = $List } -PassThru @at).Metadata, (Get-Checkpoint s @at).Metadata) {
                $metadata['a'] | Should -Be 1, 2
                { $metadata['a'][0] = 9 } | Should -Throw
                { $metadata['a'].Add(9) } | Should -Throw
            }
        }

        It 'apart from the state, which comes back without it' {
            Save-Checkpoint s -State @{ a = 1 } -Metadata @{ a = 2; state = 3; checksum = 4; '$type' = 5 } @at
            $state = Restore-Checkpoint s @at
            $state.Keys | Should -Be 'a'
            $state.a | Should -Be 1
            (Get-Checkpoint s @at).Metadata['a'] | Should -Be 2
            (Get-Checkpoint s @at).Metadata['$type'] | Should -Be 5
        }

        It 'and makes no state of it' {
            Save-Checkpoint s -Metadata @{ a = 1 } @at
            @(Restore-Checkpoint s @at) | Should -HaveCount 0
        }

        It 'as nothing where it is $null' {
            (Save-Checkpoint s -Metadata $null -PassThru @at).Metadata.Count | Should -Be 0
        }

        It 'or fails, naming the key: <Name>' -ForEach @(
            @{ Name = 'a table inside'; Metadata = @{ nested = @{ a = 1 } }; Path = 'metadata.nested' }
            @{ Name = 'a list of lists'; Metadata = @{ deep = @(1, @(2)) }; Path = 'metadata.deep' }
            @{ Name = 'a matrix'; Metadata = @{ matrix = [int[, ]]::new(2, 2) }; Path = 'metadata.matrix' }
            @{ Name = 'keys that differ in case alone'; Metadata = $twice; Path = 'metadata.' }
        ) {
            { Save-Checkpoint s -Metadata $Metadata @at } | Should -Throw "*$Path*" -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand'
            Get-Checkpoint @at | Should -BeNullOrEmpty
        }
    }

    Context 'declares output files' {
        BeforeEach {
            $folder = New-TestFolder
            'one' | Set-Content "$folder/one.csv"
            'two' | Set-Content "$folder/two.csv"
        }

        It 'by full path, size, time and hash' {
            $file = (Save-Checkpoint s -OutputFile "$folder/one.csv" -PassThru @at).OutputFiles
            $file | Should -HaveCount 1
            $file.Path | Should -Be (Get-Item "$folder/one.csv").FullName
            $file.Size | Should -Be (Get-Item "$folder/one.csv").Length
            $file.ModifiedAt.UtcDateTime | Should -Be (Get-Item "$folder/one.csv").LastWriteTimeUtc
            $file.Sha256 | Should -Be (Get-FileHash "$folder/one.csv" -Algorithm SHA256).Hash
            (Get-Checkpoint s @at).OutputFiles.Path | Should -Be $file.Path
        }

        It 'several, by wildcards, and below the current location' {
            Push-Location $folder
            try {
                (Save-Checkpoint s -OutputFile '*.csv' -PassThru @at).OutputFiles.Path | Should -Be (Get-Item "$folder/*.csv").FullName
                (Save-Checkpoint s -OutputFile one.csv, two.csv -PassThru @at).OutputFiles.Path | Should -Be (Get-Item "$folder/*.csv").FullName
            }
            finally {
                Pop-Location
            }
        }

        It 'below the folder around the store so that both can be moved together' {
            $here = @{ Store = "$folder/.checkpoints"; Pipeline = 'default'; Run = '' }
            Save-Checkpoint s -OutputFile "$folder/one.csv" @here
            $moved = "$folder-moved"
            Move-Item $folder $moved
            $there = @{ Store = "$moved/.checkpoints"; Pipeline = 'default'; Run = '' }
            (Get-Checkpoint s @there).OutputFiles.Path | Should -Be (Get-Item "$moved/one.csv").FullName
            Test-Checkpoint s @there | Should -BeTrue
        }

        It 'and saves nothing where one is missing' {
            { Save-Checkpoint s -OutputFile "$folder/one.csv", "$folder/three.csv" @at } | Should -Throw -ErrorId 'FileUnreadable,Checkpoint.Commands.SaveCheckpointCommand'
            Get-Checkpoint @at | Should -BeNullOrEmpty
        }

        It 'and saves nothing where a wildcard finds none, for then the stage made none' {
            { Save-Checkpoint s -OutputFile "$folder/*.parquet" @at } | Should -Throw
            Get-Checkpoint @at | Should -BeNullOrEmpty
        }

        It 'and saves nothing where one is a folder' {
            { Save-Checkpoint s -OutputFile $folder @at } | Should -Throw '*folder*' -ErrorId 'InvalidArgument,Checkpoint.Commands.SaveCheckpointCommand'
            Get-Checkpoint @at | Should -BeNullOrEmpty
        }
    }

    Context 'takes any text as a name, inside the store:' {
        It '<_>' -ForEach @(
            '../../x', '..', '.', '/etc/x', 'a/b', 'a\b', 'C:\x', 'CON', 'con.txt', 'nul', 'COM1', 'a.', ' a ', '.hidden', '~x.tmp', '~lock', '0000000001.json', 'stages', 'runs', '%41', 'a%2Fb', '*', '[a]', '?', 'a:b', 'a|b<c>"d"',
            '$env:HOME', "it's", '-Name', 'größe', 'ДА', '日本語', ('x' * 200), ('😀' * 200), ('ä' * 200)
        ) {
            $name = $_
            $parent = Join-Path $TestDrive "parent-$([guid]::NewGuid().ToString('N'))"
            $null = New-Item -ItemType Directory $parent
            $here = @{ Store = "$parent/a/b/store"; Pipeline = $name; Run = $name }
            $info = Save-Checkpoint $name -State "state of $name" -PassThru @here
            $info.Name | Should -BeExactly $name
            $info.Pipeline | Should -BeExactly $name
            $info.Run | Should -BeExactly $name
            Restore-Checkpoint $name @here | Should -BeExactly "state of $name"
            (Get-Checkpoint -Store "$parent/a/b/store" -Pipeline ([WildcardPattern]::Escape($name)) -Run ([WildcardPattern]::Escape($name))).Name | Should -BeExactly $name
            (Get-ChildItem $parent -Force).Name | Should -Be 'a'
            (Get-ChildItem $parent/a/b -Force).Name | Should -Be 'store'
            Get-StoreFile $parent | Should -HaveCount 1
            # Every part of the path is one that any file system can hold.
            foreach ($part in [IO.Path]::GetRelativePath($parent, $info.Location) -split '[\\/]') {
                [Text.Encoding]::UTF8.GetByteCount($part) | Should -BeLessOrEqual 255
                $part | Should -Match '^[^\x00-\x1f<>:"|?*\\/]*[^\x00-\x1f<>:"|?*\\/. ]$'
                $part | Should -Not -Match '^(?i:con|prn|aux|nul|com\d|lpt\d)(\.|$)'
            }
        }

        It 'different names to different checkpoints' {
            $names = 'a/b', 'a\b', 'a%2fb', 'a_b', 'a.b', 'a b', 'ab', 'a.', 'a', 'a ', '.a', 'ä', 'a1', ('x' * 150 + 'a'), ('x' * 150 + 'b'), 'ss', 'ß', 'i', 'ı', 'İ'
            $names | ForEach-Object { Save-Checkpoint $_ -State "of $_" @at }
            foreach ($name in $names) {
                Restore-Checkpoint $name @at | Should -BeExactly "of $name"
                (Get-Checkpoint ([WildcardPattern]::Escape($name)) @at).Step | Should -Be 1
            }
            Get-Checkpoint @at | Should -HaveCount $names.Count
        }

        It 'names that differ in case or composition to the same one, shown as last saved' {
            Save-Checkpoint 'Größe' -State 1 @at
            Save-Checkpoint 'GRÖßE' -State 2 @at
            Save-Checkpoint "gro`u{308}ße" -State 3 @at
            Get-StepNumber 'größe' | Should -Be 3, 2, 1
            Restore-Checkpoint 'GRÖßE' @at | Should -Be 3
            (Get-Checkpoint 'GRÖßE' @at).Name | Should -BeExactly 'größe'
        }

        It 'not <Name>, as the name of a checkpoint, pipeline or run' -ForEach @(
            @{ Name = 'of 201 characters'; Text = 'x' * 201 }
            @{ Name = 'of 201 emoji'; Text = '😀' * 201 }
            @{ Name = 'with a new line'; Text = "a`nb" }
            @{ Name = 'with NUL'; Text = "a`0" }
            @{ Name = 'with DEL'; Text = "a`u{7f}" }
            @{ Name = 'with a control character of Latin 1'; Text = "a`u{85}b" }
            @{ Name = 'with half a pair'; Text = "a$([char] 0xD83D)" }
        ) {
            foreach ($call in @{ Name = $Text; Pipeline = 'p'; Run = 'r' }, @{ Name = 'n'; Pipeline = $Text; Run = 'r' }, @{ Name = 'n'; Pipeline = 'p'; Run = $Text }) {
                foreach ($command in 'Save-Checkpoint', 'Restore-Checkpoint') {
                    $failure = { & $command -Store $store @call } | Should -Throw -ErrorId "InvalidName,Checkpoint.Commands.$($command -replace '-')Command" -PassThru
                    $failure.CategoryInfo.Category | Should -Be 'InvalidArgument'
                    $failure.TargetObject | Should -BeExactly $Text
                }
            }
            $store | Should -Not -Exist
        }

        It 'not none at all' {
            { Save-Checkpoint '' @at } | Should -Throw
            { Save-Checkpoint $null @at } | Should -Throw
            $store | Should -Not -Exist
        }

        It 'counting code points as they are when composed' {
            { Save-Checkpoint ("e`u{301}" * 200) @at } | Should -Not -Throw
        }
    }

    Context 'writes files' {
        It 'one JSON record per step in a folder per pipeline, run and stage' {
            Save-Checkpoint ingest @at
            Save-Checkpoint ingest -Store $store -Pipeline nightly -Run 7
            Get-StoreFile $store | Sort-Object |
                Should -Be 'default/stages/ingest/0000000001.json', 'nightly/runs/7/stages/ingest/0000000001.json'
        }

        It 'that a person can read' {
            $info = Save-Checkpoint ingest -State @{ rows = 3 } -Metadata @{ note = 'größe' } -Fingerprint 'v1' -PassThru @at
            $bytes = Get-RecordByte $info.Location
            $bytes[0] | Should -Be ([byte] [char] '{')
            $text = [Text.UTF8Encoding]::new($false, $true).GetString($bytes)
            $text | Should -BeLike "{`n  `"format`": 1,*größe*`"checksum`": `"*`"`n}`n"
            $record = $text | ConvertFrom-Json
            $record.pipeline, $record.name, $record.step, $record.status | Should -Be 'default', 'ingest', 1, 'completed'
            $record.host, $record.user, $record.processId | Should -Be ([Environment]::MachineName), ([Environment]::UserName), $PID
            $record.metadata.note | Should -Be 'größe'
            $record.fingerprint.value | Should -Be $info.Fingerprint.Value
        }

        It 'with a checksum over everything before it' {
            $info = Save-Checkpoint s -State 1 -PassThru @at
            $text = Get-Record $info.Location
            $text -match '(?s)\A(.*),\n  "checksum": "([0-9a-f]{64})"\n\}\n\z' | Should -BeTrue
            $expected = $Matches[2]
            [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($Matches[1]))) | Should -Be $expected
        }

        It 'with the time in UTC and its offset, whatever the time zone' {
            $before = [DateTimeOffset]::UtcNow
            $null = Invoke-Pwsh { param($store) Save-Checkpoint s -Store $store -Pipeline default -Run '' } $store -Environment @{ TZ = 'Asia/Kolkata' }
            $text = Get-Record (Get-RecordPath $store s)
            $text | Should -Match '"savedAt": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00"'
            $time = (Get-Checkpoint s @at).SavedAt
            $time.Offset | Should -Be ([timespan]::Zero)
            $time | Should -BeGreaterOrEqual $before
            $time | Should -BeLessOrEqual ([DateTimeOffset]::UtcNow)
            $elsewhere = Invoke-Pwsh { param($store) (Get-Checkpoint s -Store $store -Pipeline default -Run '').SavedAt.UtcDateTime.ToString('O') } $store -Environment @{ TZ = 'America/New_York' }
            $elsewhere.Output | Should -Be $time.UtcDateTime.ToString('O')
        }

        It 'for the owner alone: 0600, in folders of 0700' -Tag Files {
            if ($IsWindows) {
                Set-ItResult -Skipped -Because 'Windows has no such modes; rights come from the folder above'
                return
            }
            $result = Invoke-Pwsh {
                param($store)
                Save-Checkpoint s -State ([byte[]]::new(50000)) -Store $store -Pipeline p -Run 7
                @(Get-Item $store) + @(Get-ChildItem $store -Recurse -Force) | ForEach-Object { "$($_.UnixMode) $($_.GetType().Name)" }
            } $store
            $result.Output | Sort-Object | Should -Be (@('drwx------ DirectoryInfo') * 6 + @('-rw------- FileInfo') * 4 | Sort-Object)
        }

        It 'and leaves the rights of a folder that was there before as they are' -Tag Files {
            if ($IsWindows) {
                Set-ItResult -Skipped -Because 'Windows has no such modes'
                return
            }
            $null = New-Item -ItemType Directory $store
            [IO.File]::SetUnixFileMode($store, 'UserRead, UserWrite, UserExecute, GroupRead, GroupExecute')
            Save-Checkpoint s @at
            (Get-Item $store).UnixMode | Should -Be 'drwxr-x---'
        }

        It 'and nothing else' -Tag Files {
            Save-Checkpoint s -State ([byte[]]::new(50000)) @at
            Save-Checkpoint s -State ([byte[]]::new(50000)) -Step 1 -Overwrite @at
            (Get-ChildItem "$store/default/stages/s" -Force).Name | Should -HaveCount 2
            (Get-ChildItem "$store/default/stages/s" -Force).Name | Should -Not -BeLike '~*'
        }
    }

    Context 'fails' {
        It 'as StoreUnavailable for a scheme that nobody knows' {
            $failure = { Save-Checkpoint s -Store 'gopher://host/x' -Pipeline p -Run '' } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.SaveCheckpointCommand' -PassThru
            $failure.CategoryInfo.Category | Should -Be 'ResourceUnavailable'
            $failure.Exception.Message | Should -BeLike '*gopher*'
        }

        It 'as StoreUnavailable for a store that is a file, or below one, or in no file system' -Tag Files {
            $file = New-Item "$(New-TestFolder)/file"
            foreach ($path in $file.FullName, "$file/store", 'Env:/store', 'NoSuchDrive:/store') {
                $failure = { Save-Checkpoint s -Store $path -Pipeline p -Run '' } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.SaveCheckpointCommand' -PassThru
                $failure.CategoryInfo.Category | Should -Be 'ResourceUnavailable'
            }
        }

        It 'as StoreAccessDenied where the system denies access' -Tag Files {
            if ($IsWindows) {
                Set-ItResult -Skipped -Because 'rights are taken away by the modes of Unix here'
                return
            }
            $denied = New-TestStore
            if ([Environment]::UserName -ne 'root') {
                [IO.File]::SetUnixFileMode($denied, 'UserRead, UserExecute')
            }
            elseif (Test-Path /sys/kernel) {
                # Nothing can be made there, not even by root.
                $denied = '/sys/kernel'
            }
            else {
                Set-ItResult -Skipped -Because 'root may write everywhere'
                return
            }
            try {
                $failure = { Save-Checkpoint s -Store "$denied/store" -Pipeline p -Run '' } | Should -Throw -ErrorId 'StoreAccessDenied,Checkpoint.Commands.SaveCheckpointCommand' -PassThru
                $failure.CategoryInfo.Category | Should -Be 'PermissionDenied'
                $failure.TargetObject | Should -Be 's'
                $failure.Exception.Message | Should -BeLike "*'s'*$denied/store*"
            }
            finally {
                if ($denied -notlike '/sys/*') {
                    [IO.File]::SetUnixFileMode($denied, 'UserRead, UserWrite, UserExecute')
                }
            }
        }

        It 'as StoreFull where the disk is, and as StoreReadOnly where it is that, and keeps what was there' -Tag Files {
            # A disk of 2 MiB that this child alone sees.
            $null = New-Item -ItemType Directory $store
            $script = Join-Path $TestDrive "full-$([guid]::NewGuid().ToString('N')).ps1"
            Set-Content $script @'
            param($module, $store)
            Import-Module $module
            $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
            function Show-Failure($block) {
                try { & $block; 'no error' } catch { "$($_.FullyQualifiedErrorId) $($_.CategoryInfo.Category) $($_.TargetObject) $($_.Exception.Message -like "*'s'*$store*")" }
            }
            Save-Checkpoint s -State 'old' -Step 1 @at
            Show-Failure { Save-Checkpoint s -State ([byte[]]::new(5MB)) @at }
            Show-Failure { Save-Checkpoint s -State ([byte[]]::new(5MB)) -Step 1 -Overwrite @at }
            (Get-ChildItem $store -Recurse -File -Force | Where-Object Name -NotLike 'history.*').Name
            Restore-Checkpoint s @at
            Save-Checkpoint s -State 'new' -Step 1 -Overwrite @at
            mount -o remount,ro $store
            Show-Failure { Save-Checkpoint s @at }
            Show-Failure { Save-Checkpoint s -State ([byte[]]::new(50000)) -Step 1 -Overwrite @at }
            Restore-Checkpoint s @at
            Test-Checkpoint s @at
'@
            $pwsh = (@(Get-PwshCommand) | ForEach-Object { "'$_'" }) -join ' '
            $output = if ($IsLinux) {
                unshare -rm sh -c "mount -t tmpfs -o size=2m none '$store' && exec $pwsh -NoProfile -NonInteractive -File '$script' '$ModulePath' '$store'" 2>$null
            }
            if (-not $output) {
                Set-ItResult -Skipped -Because 'this system lets nobody mount a small disk'
                return
            }
            $full = 'StoreFull,Checkpoint.Commands.SaveCheckpointCommand WriteError s True'
            $readOnly = 'StoreReadOnly,Checkpoint.Commands.SaveCheckpointCommand PermissionDenied s True'
            $output | Should -Be $full, $full, '0000000001.json', 'old', $readOnly, $readOnly, 'new', 'True'
        }

        It 'saying what happened, to which checkpoint, where, with its name as the target: <Id>' -ForEach @(
            @{ Id = 'CheckpointExists'; Given = @{ Step = 1 } }
            @{ Id = 'StateNotSerializable'; Given = @{ State = @{ a = & { $c = @{}; $c.c = $c; $c } } } }
            @{ Id = 'StateNotSerializable'; Given = @{ Metadata = @{ a = @{ b = 1 } } } }
            @{ Id = 'StateNotSerializable'; Given = @{ InputObject = [pscustomobject]@{} } }
            @{ Id = 'KeyRequired'; Given = @{ State = @([System.Net.NetworkCredential]::new('', 'x').SecurePassword) } }
        ) {
            Save-Checkpoint ingest -Step 1 @at
            $failure = { Save-Checkpoint ingest @Given @at } | Should -Throw -ErrorId "$Id,Checkpoint.Commands.SaveCheckpointCommand" -PassThru
            $failure.Exception | Should -BeOfType [Checkpoint.CheckpointException]
            $failure.Exception.Kind | Should -Be $Id
            $failure.TargetObject | Should -Be 'ingest'
            $failure.Exception.Message | Should -BeLike "*'ingest'*"
            $failure.Exception.Message | Should -BeLike "*$([WildcardPattern]::Escape($store))*"
        }

        It 'always with an error that ends the statement, whatever -ErrorAction says' {
            Save-Checkpoint s -Step 1 @at
            foreach ($action in 'Continue', 'SilentlyContinue', 'Ignore', 'Stop') {
                { Save-Checkpoint s -Step 1 -ErrorAction $action @at } | Should -Throw -ErrorId 'CheckpointExists,*'
            }
        }

        It 'and then is not listed: the latest is the one before, and the next save goes on from it' {
            Save-Checkpoint s -State 'good' @at
            { Save-Checkpoint s -State @{ big = [byte[]]::new(50000); bad = [System.Net.NetworkCredential]::new('', 'x').SecurePassword } @at } | Should -Throw
            { Save-Checkpoint t -State ([System.Net.NetworkCredential]::new('', 'x').SecurePassword) @at } | Should -Throw
            (Get-Checkpoint @at).Name | Should -Be s
            Test-Checkpoint t @at | Should -BeFalse
            Restore-Checkpoint s @at | Should -Be 'good'
            Get-StoreFile $store | Should -HaveCount 1
            (Save-Checkpoint s -PassThru @at).Step | Should -Be 2
        }
    }

    Context 'speaks' {
        It 'no word on output, and one line on the information stream with the tag Checkpoint' {
            $result = Invoke-Runspace 'Save-Checkpoint ingest -State 1 @at'
            $result.Output + $result.Errors + $result.Warnings + $result.Verbose + $result.Progress | Where-Object { $_ } | Should -BeNullOrEmpty
            $result.Information | Should -HaveCount 1
            $result.Information[0].MessageData | Should -BeExactly 'Checkpoint saved: ingest'
            $result.Information[0].Tags | Should -Be 'Checkpoint'
        }

        It 'nothing at all to the console' {
            $result = Invoke-Pwsh { param($store) Save-Checkpoint s -State ([byte[]]::new(100000)) -Store $store } $store
            $result.Output | Should -BeNullOrEmpty
            $result.ErrorOutput | Should -BeNullOrEmpty
        }

        It 'the CheckpointInfo with -PassThru, equal to what is read back' {
            $info = Save-Checkpoint ingest -State @{ a = 1 } -Metadata @{ m = 1 } -PassThru -Store $store -Pipeline nightly -Run 7
            $info | Should -BeOfType [Checkpoint.CheckpointInfo]
            $read = Get-Checkpoint ingest -Store $store -Pipeline nightly -Run 7
            foreach ($property in 'Store', 'Pipeline', 'Run', 'Name', 'Step', 'Status', 'SavedAt', 'StateSize', 'Encrypted', 'Host', 'User', 'ProcessId', 'Location') {
                $info.$property | Should -Be $read.$property -Because $property
            }
            $info.Store, $info.Pipeline, $info.Run, $info.Name, $info.Step, $info.Status, $info.Encrypted | Should -Be $store, 'nightly', '7', 'ingest', 1, 'Completed', $false
            $info.Host, $info.User, $info.ProcessId | Should -Be ([Environment]::MachineName), ([Environment]::UserName), $PID
            if ($StoreKind -eq 'folder') { $info.Location | Should -Exist }
        }

        It 'of path, time and pruning on the verbose stream' {
            $said = (Save-Checkpoint ingest -Keep 1 -Verbose @at 4>&1) + (Save-Checkpoint ingest -Keep 1 -Verbose @at 4>&1)
            "$said" | Should -BeLike "*$([WildcardPattern]::Escape((Get-RecordPath $store ingest -Step 2)))* ms*1 *removed*"
        }

        It 'of its progress with a large state, and then that it is done' {
            $result = Invoke-Runspace 'Save-Checkpoint big -State ([byte[]]::new(64MB)) @at'
            $result.Errors | Should -BeNullOrEmpty
            $result.Progress.Count | Should -BeGreaterOrEqual 2
            $result.Progress[0].Activity | Should -BeLike '*big*'
            $result.Progress[0].StatusDescription | Should -BeLike '* MiB*'
            $result.Progress[-1].RecordType | Should -Be 'Completed'
            (Invoke-Runspace 'Save-Checkpoint small -State ([byte[]]::new(1MB)) @at').Progress | Should -BeNullOrEmpty
        }
    }

    Context 'asks' {
        It 'nothing with -WhatIf, does nothing and says what it would do' -Tag Files {
            Save-Checkpoint s -State 'old' -Step 1 @at
            $before = Get-Snapshot $store
            $result = Invoke-Pwsh {
                param($store)
                Save-Checkpoint s -State 'new' -Step 1 -Overwrite -Keep 1 -Store $store -Pipeline default -Run '' -WhatIf -PassThru -InformationAction Continue
                Save-Checkpoint t -Store "$store-other" -WhatIf
            } $store
            $result.Output[0] | Should -BeLike "What if: *Save*'s'*step 1*"
            $result.Output | Should -HaveCount 2
            Get-Snapshot $store | Should -Be $before
            "$store-other" | Should -Not -Exist
        }

        It 'before it saves with -Confirm, and not without' {
            $result = Invoke-Pwsh { param($store) Save-Checkpoint s -Store $store -Confirm } $store
            $result.ExitCode | Should -Be 1
            $store | Should -Not -Exist
            (Get-Command Save-Checkpoint).Parameters.Keys | Should -Contain 'Confirm'
        }
    }

    Context 'is stopped' {
        It 'within a second in the middle of a large state, and leaves the store as it was' {
            Save-Checkpoint s -State 'old' -Step 1 @at
            $before = $StoreKind -eq 'folder' ? (Get-Snapshot $store).Where({ $_ -match '\.(json|head)' }) : (Get-StoreFile $store)
            $shell = [powershell]::Create()
            # 64 MiB of memory, 8 GiB of state.
            $null = $shell.AddScript('param($module, $at) Import-Module $module; $piece = [byte[]]::new(64MB); Save-Checkpoint s -State (, $piece * 128) -Step 1 -Overwrite @at').AddArgument($ModulePath).AddArgument($at)
            $null = $shell.BeginInvoke()
            try {
                Wait-Until { $StoreKind -eq 'folder' ? (Get-ChildItem $store -Recurse -File -Force | Where-Object { $_.Name -like '~*.tmp' -and $_.Length -gt 1MB }) : $shell.Streams.Progress.Count }
                $clock = [Diagnostics.Stopwatch]::StartNew()
                $shell.Stop()
                $clock.Elapsed.TotalSeconds | Should -BeLessThan 1
                $shell.InvocationStateInfo.State | Should -Be 'Stopped'
                $shell.Streams.Error | Should -BeNullOrEmpty
            }
            finally {
                $shell.Dispose()
            }
            ($StoreKind -eq 'folder' ? (Get-Snapshot $store | Where-Object { $_ -match '\.' }) : (Get-StoreFile $store)) | Should -Be $before
            Restore-Checkpoint s @at | Should -Be 'old'
            (Save-Checkpoint s -PassThru @at).Step | Should -Be 2
        }

        It 'within a second while another process holds the stage' -Tag Files {
            $flock = Get-Command flock -CommandType Application -ErrorAction Ignore | Select-Object -First 1
            if (-not $flock) {
                Set-ItResult -Skipped -Because 'there is no flock command to hold the lock with'
                return
            }
            Save-Checkpoint s @at
            $folder = "$store/default/stages/s"
            $holder = Start-Process $flock.Source -ArgumentList "`"$folder`"", 'sh', '-c', "`"touch '$store/held'; exec sleep 600`"" -PassThru
            $shell = [powershell]::Create()
            try {
                Wait-Until { Test-Path $store/held }
                $null = $shell.AddScript('param($module, $at) Import-Module $module; Save-Checkpoint s -State 1 @at').AddArgument($ModulePath).AddArgument($at)
                $null = $shell.BeginInvoke()
                Wait-Until { Get-ChildItem $folder -Force -Filter '~*.tmp' }
                $clock = [Diagnostics.Stopwatch]::StartNew()
                $shell.Stop()
                $clock.Elapsed.TotalSeconds | Should -BeLessThan 1
                (Get-ChildItem $folder -Force).Name | Should -Be '0000000001.json'
            }
            finally {
                $shell.Dispose()
                $holder.Kill($true)
            }
        }
    }
}
