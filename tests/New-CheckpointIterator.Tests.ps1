BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    # The batches that are left, each as text.
    function Get-Rest($Iterator) {
        foreach ($batch in $Iterator) { "$batch" }
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'New-CheckpointIterator' {
    Context 'hands out' {
        It 'the data in batches, in its order, the last one shorter' {
            Get-Rest (New-CheckpointIterator -InputObject (1..10) -BatchSize 4) | Should -Be '1 2 3 4', '5 6 7 8', '9 10'
        }

        It 'no shorter last batch with -DropLast' {
            Get-Rest (New-CheckpointIterator (1..10) -BatchSize 4 -DropLast) | Should -Be '1 2 3 4', '5 6 7 8'
        }

        It 'the data as often as -Epochs says' {
            Get-Rest (New-CheckpointIterator (1..3) -BatchSize 2 -Epochs 3) | Should -Be '1 2', '3', '1 2', '3', '1 2', '3'
        }

        It 'each epoch in an order of its own, the same on every operating system' {
            $it = New-CheckpointIterator -InputObject (0..19) -BatchSize 10 -Shuffle -Seed 42 -Epochs 2
            Get-Rest $it | Should -Be '0 19 3 18 5 4 8 17 2 13', '6 9 14 10 11 16 15 12 7 1', '18 0 8 11 16 12 10 19 17 2', '13 15 5 6 4 9 7 3 1 14'
        }

        It 'another order without -Seed each time, and says by which seed it can be had again' {
            $first, $second = foreach ($i in 1, 2) { New-CheckpointIterator (1..50) -BatchSize 50 -Shuffle }
            $first.Seed | Should -Not -Be $second.Seed
            $order = Get-Rest $first
            $order | Should -Not -Be (Get-Rest $second)
            Get-Rest (New-CheckpointIterator (1..50) -BatchSize 50 -Shuffle -Seed $first.Seed) | Should -Be $order
        }

        It 'arrays, also where a batch has one element' {
            $it = New-CheckpointIterator (1..3) -BatchSize 2
            $types = foreach ($batch in $it) { $batch.GetType().FullName, $batch.Length -join ' ' }
            $types | Should -Be 'System.Object[] 2', 'System.Object[] 1'
            $it = New-CheckpointIterator (1..2) -BatchSize 1
            $it | ForEach-Object { $_.GetType().FullName, $_.Length -join ' ' } | Should -Be 'System.Object[] 1', 'System.Object[] 1'
        }

        It 'everything as one batch where the batch size is larger than the data' {
            Get-Rest (New-CheckpointIterator (1..3) -BatchSize 100 -Shuffle -Seed 1 -Epochs 2) | Should -HaveCount 2
            Get-Rest (New-CheckpointIterator (1..3) -BatchSize ([int]::MaxValue)) | Should -Be '1 2 3'
        }

        It 'nothing of <Name>' -ForEach @(
            @{ Name = 'an empty list'; Make = { New-CheckpointIterator -InputObject @() -BatchSize 2 -Shuffle } }
            @{ Name = 'null'; Make = { New-CheckpointIterator -InputObject $null -BatchSize 2 } }
            @{ Name = 'an empty pipeline'; Make = { @() | New-CheckpointIterator -BatchSize 2 -Epochs 5 } }
            @{ Name = 'data that fills no batch, with -DropLast'; Make = { New-CheckpointIterator (1..3) -BatchSize 4 -DropLast -Shuffle -Epochs 2 } }
        ) {
            $it = & $Make
            $it | Should -BeNullOrEmpty
            $it.Epoch, $it.Step, $it.BatchesPerEpoch | Should -Be 0, 0, 0
        }

        It '<Name> as foreach would see it' -ForEach @(
            @{ Name = 'a string'; Data = 'abc'; Count = 1 }
            @{ Name = 'a number'; Data = 7; Count = 1 }
            @{ Name = 'a hashtable'; Data = @{ a = 1; b = 2 }; Count = 1 }
            @{ Name = 'an array list'; Data = [Collections.ArrayList] (1, 2, 3); Count = 3 }
            @{ Name = 'a matrix'; Data = [int[, ]]::new(2, 3); Count = 6 }
            @{ Name = 'bytes'; Data = [byte[]] (1, 2); Count = 2 }
        ) {
            $seen = @(foreach ($item in $Data) { , $item })
            $it = New-CheckpointIterator -InputObject $Data -BatchSize 10
            $it.Count | Should -Be $Count
            $batch = foreach ($b in $it) { , $b }
            $batch.Count | Should -Be $seen.Count
            for ($i = 0; $i -lt $Count; $i++) {
                [object]::Equals($batch[$i], $seen[$i]) | Should -BeTrue
            }
        }

        It 'elements that are null, lists and objects as they are' {
            $list = [Collections.Generic.List[int]] (1, 2)
            $bag = [pscustomobject]@{ a = 1 }
            $it = New-CheckpointIterator -InputObject @($null, $list, $bag) -BatchSize 3
            $null = $it.MoveNext()
            $batch = $it.Current
            $batch.Count | Should -Be 3
            $batch[0] | Should -BeNullOrEmpty
            [object]::ReferenceEquals($batch[1], $list) | Should -BeTrue
            $batch[2].a | Should -Be 1
        }

        It 'what is piped in' {
            $it = 1..5 | New-CheckpointIterator -BatchSize 2
            $it.Count | Should -Be 5
            Get-Rest $it | Should -Be '1 2', '3 4', '5'
            ($null, 'a', $null | New-CheckpointIterator -BatchSize 2).Count | Should -Be 3
        }

        It 'what is read lazily, which it gathers once and at once' {
            $script:read = 0
            $lazy = [Linq.Enumerable]::Select([int[]] (1..5), [Func[int, int]] { param($n) $script:read++; $n * 10 })
            $it = New-CheckpointIterator -InputObject $lazy -BatchSize 2 -Epochs 2
            $script:read | Should -Be 5
            Get-Rest $it | Should -Be '10 20', '30 40', '50', '10 20', '30 40', '50'
            $script:read | Should -Be 5
        }

        It 'what a list held when it was made, whatever is added later' {
            $list = [Collections.Generic.List[int]] (1..3)
            $it = New-CheckpointIterator -InputObject $list -BatchSize 2
            $list.Add(4)
            $list.RemoveAt(0)
            Get-Rest $it | Should -Be '1 2', '3'
        }
    }

    Context 'is one position in the data' {
        BeforeEach { $it = New-CheckpointIterator (1..6) -BatchSize 2 }

        It 'that says where it is' {
            $it = New-CheckpointIterator (1..5) -BatchSize 2 -Epochs 2 -Shuffle -Seed 9
            $seen = @("$($it.Epoch) $($it.Position) $($it.Step)") + @(foreach ($batch in $it) { "$($it.Epoch) $($it.Position) $($it.Step)" })
            $seen | Should -Be '0 0 0', '1 2 1', '1 4 2', '1 5 3', '2 2 4', '2 4 5', '2 5 6'
            $it.Count, $it.BatchSize, $it.BatchesPerEpoch, $it.Epochs, $it.Seed, $it.Shuffle, $it.DropLast | Should -Be 5, 2, 3, 2, 9, $true, $false
        }

        It 'where a loop that was left goes on with the next batch' {
            foreach ($batch in $it) { break }
            Get-Rest $it | Should -Be '3 4', '5 6'
        }

        It 'that is at its end after a whole loop, until Reset' {
            $first = Get-Rest $it
            Get-Rest $it | Should -BeNullOrEmpty
            $it.Reset()
            Get-Rest $it | Should -Be $first
        }

        It 'shared by loops within loops' {
            $seen = foreach ($outer in $it) { foreach ($inner in $it) { "$outer | $inner" } }
            $seen | Should -Be '1 2 | 3 4', '1 2 | 5 6'
        }

        It 'that a pipeline goes through too, one array at a time' {
            $it | Select-Object -First 1 | ForEach-Object { $_.Count } | Should -Be 2
            $it | ForEach-Object { "$_" } | Should -Be '3 4', '5 6'
        }

        It 'that <_> goes through' -ForEach 'switch ($it) { default { "$_" } }', '$null = $it -contains 7', '$null = $it -match 7', 'foreach ($batch in @{ It = $it }.It) { }', '$null = $it | Get-Member' {
            $null = . ([scriptblock]::Create($_))
            $it.Step | Should -Be 3
        }

        It 'that <_> shows, piped as one object' -ForEach ', $it | Get-Member -Name Epoch', ', $it | Format-List Epoch', ', $it | ConvertTo-Json -Depth 1 -WarningAction Ignore' {
            . ([scriptblock]::Create($_)) | Out-String | Should -Not -BeNullOrEmpty
            $it.Step | Should -Be 0
        }

        It 'that MoveNext and Current go through by hand' {
            $it.Current | Should -BeNullOrEmpty
            $it.MoveNext() | Should -BeTrue
            "$($it.Current)" | Should -Be '1 2'
            Get-Rest $it | Should -Be '3 4', '5 6'
            $it.MoveNext() | Should -BeFalse
            $it.Current | Should -BeNullOrEmpty
        }

        It 'that being shown does not move' {
            $null = , $it | Out-String
            $null = Format-List -InputObject $it | Out-String
            $null = Get-Member -InputObject $it
            $it.Step | Should -Be 0
        }

        It 'that <_> does not move' -ForEach '$it', '"$it"', '$it.Missing', '[bool] $it; $it -ne $null', '@($it); Write-Output $it', '& { $it }', '[pscustomobject]@{ It = $it }', 'TabExpansion2 ''$it.'' 4', 'Format-List -InputObject $it', 'Out-String -InputObject $it', 'Get-Member -InputObject $it', 'ConvertTo-Json -InputObject $it -WarningAction Ignore', 'Get-CheckpointFingerprint $it' {
            . ([scriptblock]::Create($_)) | Out-String | Should -BeLike ($_ -eq '$it' ? '*BatchSize*' : '*')
            $it.Step | Should -Be 0
            Get-Rest $it | Should -Be '1 2', '3 4', '5 6'
        }

        It 'that a property it does not have says nothing, until it is added' {
            $look = { $it.Missing }
            & $look | Should -BeNullOrEmpty
            Add-Member -InputObject $it NoteProperty Missing 7
            & $look | Should -Be 7
            { Set-StrictMode -Version Latest; $it.Epcoh } | Should -Throw "*'Epcoh' cannot be found*"
            Get-Rest $it | Should -Be '1 2', '3 4', '5 6'
        }

        It 'that a function returns as it is' {
            function Get-Half { $made = New-CheckpointIterator (1..6) -BatchSize 4; $made }
            $it = Get-Half
            Get-Rest $it | Should -Be '1 2 3 4', '5 6'
            foreach ($batch in (New-CheckpointIterator (1..2) -BatchSize 2)) { $batch | Should -Be 1, 2 }
        }

        It 'that its name at a prompt shows and does not move' {
            $program, $arguments = @(Get-PwshCommand) + '-NoProfile', '-NoLogo', '-Command', '-'
            $typed = "`$PSStyle.OutputRendering = 'PlainText'", "Import-Module '$ModulePath'", '$it = New-CheckpointIterator (1..6) -BatchSize 2 -Seed 9', '$it', '$it', "'left: ' + @(`$it | ForEach-Object { `"`$_`" })"
            $shown = $typed -join "`n" | & $program @arguments
            @($shown -match 'BatchSize').Count | Should -Be 2
            $shown[-1] | Should -Be 'left: 1 2 3 4 5 6'
        }
    }

    Context 'refuses' {
        It 'a <Name> below 1' -ForEach @{ Name = 'BatchSize' }, @{ Name = 'Epochs' } {
            foreach ($value in 0, -1) {
                $given = @{ BatchSize = 1 }
                $given[$Name] = $value
                { New-CheckpointIterator (1..3) @given } | Should -Throw -ErrorId 'ParameterArgumentValidationError,Checkpoint.Commands.NewCheckpointIteratorCommand'
            }
        }

        It 'data from two sides' {
            { 1..3 | New-CheckpointIterator -InputObject (1..3) -BatchSize 1 } | Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.NewCheckpointIteratorCommand'
        }

        It 'a -Fingerprint of which none can be taken' {
            { New-CheckpointIterator (1..3) -BatchSize 1 -Fingerprint ([securestring]::new()) } | Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.NewCheckpointIteratorCommand'
        }
    }
}

Describe 'A saved iterator' {
    BeforeEach {
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store -Pipeline '' -Run '' -Keep $null
        function New-Iterator { New-CheckpointIterator -InputObject (0..19) -BatchSize 3 -Shuffle -Seed 42 -Epochs 2 @args }
    }

    It 'goes on, saved in the loop, with the batch after the one it was saved in, at every batch of every epoch' {
        $whole = Get-Rest (New-Iterator)
        $it = New-Iterator
        foreach ($batch in $it) {
            Save-Checkpoint train -InputObject $it -Step $it.Step -Metadata @{ epoch = $it.Epoch } 6>$null
        }
        $it.Step | Should -Be 14
        foreach ($step in 1..14) {
            # Another seed: that of the state counts.
            $again = New-CheckpointIterator -InputObject (0..19) -BatchSize 3 -Shuffle -Seed $step -Epochs 2
            Restore-Checkpoint train -InputObject $again -Step $step 6>$null
            $again.Step, $again.Seed, $again.Epoch | Should -Be $step, 42, ($step -le 7 ? 1 : 2)
            $again.Current | Should -BeNullOrEmpty
            Get-Rest $again | Should -Be @($whole | Select-Object -Skip $step)
        }
    }

    It 'goes on from <Name>' -ForEach @(
        @{ Name = 'before the first batch'; Move = { }; Done = 0 }
        @{ Name = 'between two calls of MoveNext'; Move = { $null = $it.MoveNext(); $null = $it.MoveNext() }; Done = 2 }
        @{ Name = 'a loop that was left'; Move = { foreach ($batch in $it) { if ($it.Step -eq 5) { break } } }; Done = 5 }
        @{ Name = 'the end'; Move = { foreach ($batch in $it) { } }; Done = 14 }
        @{ Name = 'beyond the end'; Move = { foreach ($batch in $it) { } $null = $it.MoveNext() }; Done = 14 }
        @{ Name = 'a pipeline that was left'; Move = { $null = $it | Select-Object -First 8 }; Done = 8 }
    ) {
        $it = New-Iterator
        . $Move
        Save-Checkpoint train -InputObject $it
        $rest = @(Get-Rest (New-Iterator) | Select-Object -Skip $Done)
        $again = New-Iterator
        Restore-Checkpoint train -InputObject $again
        Get-Rest $again | Should -Be $rest
        Get-Rest $it | Should -Be $rest
    }

    It 'goes on within a loop that restores it' {
        $it = New-Iterator
        $seen = foreach ($batch in $it) {
            "$batch"
            if ($it.Step -eq 2) { Save-Checkpoint train -InputObject $it }
            if ($it.Step -eq 4 -and -not $back) { $back = $true; Restore-Checkpoint train -InputObject $it }
        }
        $whole = Get-Rest (New-Iterator)
        $seen | Should -Be ($whole[0..3] + $whole[2..13])
    }

    It 'goes on from nothing to nothing where there is no data' {
        Save-Checkpoint none -InputObject (New-CheckpointIterator -InputObject @() -BatchSize 2 -Shuffle -Seed 3 -Epochs 2)
        $again = New-CheckpointIterator -InputObject @() -BatchSize 2 -Shuffle
        Restore-Checkpoint none -InputObject $again
        $again.Seed, $again.Step, $again.Epoch | Should -Be 3, 0, 0
        Get-Rest $again | Should -BeNullOrEmpty
        { Restore-Checkpoint none -InputObject (New-CheckpointIterator -InputObject 1 -BatchSize 2 -Shuffle) } | Should -Throw "*'count' is '0' in the checkpoint and '1' in the object*" -ErrorId 'IdentityMismatch,*'
    }

    It 'goes through more epochs than it was saved for' {
        $it = New-CheckpointIterator (0..19) -BatchSize 3 -Shuffle -Seed 42
        foreach ($batch in $it) { }
        Save-Checkpoint train -InputObject $it
        $again = New-Iterator
        Restore-Checkpoint train -InputObject $again
        Get-Rest $again | Should -Be (Get-Rest (New-Iterator))[7..13]
    }

    It 'has a state of generator, seed, epoch, position, indices and batch size, readable without the iterator, and without the data' {
        $it = New-CheckpointIterator -InputObject @('secret-a', 'secret-b', 'secret-c') -BatchSize 2 -Shuffle -Seed 42
        $null = $it.MoveNext()
        $saved = Save-Checkpoint train -InputObject $it -PassThru
        $state = Restore-Checkpoint train
        $state.Keys | Should -Be 'generator', 'generatorState', 'seed', 'epoch', 'position', 'indices', 'count', 'batchSize', 'shuffle', 'dropLast'
        $state.generator, $state.seed, $state.epoch, $state.position, $state.count, $state.batchSize, $state.shuffle, $state.dropLast | Should -Be 'xoshiro256**', 42, 1, 2, 3, 2, $true, $false
        $state.generatorState.GetType() | Should -Be ([uint64[]])
        $state.indices.GetType() | Should -Be ([int[]])
        $state.indices | Sort-Object | Should -Be 0, 1, 2
        Get-Record $saved.Location | Should -Not -Match 'secret'
    }

    It 'takes what GetState gave, by hand too' {
        $it = New-Iterator
        $null = $it.MoveNext()
        $state = $it.GetState()
        $rest = Get-Rest $it
        $state.indices.Count | Should -Be 20
        $it.SetState($state)
        $state.indices[5] = 99
        Get-Rest $it | Should -Be $rest
    }

    It 'keeps indices of long data beside the record, as four bytes each' {
        $it = New-CheckpointIterator -InputObject (1..100000) -BatchSize 10 -Shuffle -Seed 42
        $null = $it.MoveNext()
        $info = Save-Checkpoint train -InputObject $it -PassThru
        $info.StateSize | Should -BeGreaterThan 400000
        $info.StateSize | Should -BeLessThan 402000
        $again = New-CheckpointIterator -InputObject (1..100000) -BatchSize 10 -Shuffle
        Restore-Checkpoint train -InputObject $again
        $null = $it.MoveNext(), $again.MoveNext()
        $again.Current | Should -Be $it.Current
    }

    It 'is refused where <Field> differs, naming it with both values' -ForEach @(
        @{ Field = 'count'; Given = @{ InputObject = 1..21 }; Saved = '20'; Current = '21' }
        @{ Field = 'batchSize'; Given = @{ BatchSize = 4 }; Saved = '3'; Current = '4' }
        @{ Field = 'shuffle'; Given = @{ Shuffle = $false }; Saved = 'True'; Current = 'False' }
        @{ Field = 'dropLast'; Given = @{ DropLast = $true }; Saved = 'False'; Current = 'True' }
    ) {
        $it = New-Iterator
        $null = $it.MoveNext()
        Save-Checkpoint train -InputObject $it
        $with = @{ InputObject = 0..19; BatchSize = 3; Shuffle = $true; Seed = 7; Epochs = 2 }
        $Given.Keys | ForEach-Object { $with[$_] = $Given[$_] }
        $other = New-CheckpointIterator @with
        $failure = { Restore-Checkpoint train -InputObject $other } | Should -Throw -ErrorId 'IdentityMismatch,Checkpoint.Commands.RestoreCheckpointCommand' -PassThru
        $failure.Exception.Message | Should -BeLike "*'$Field' is '$Saved' in the checkpoint and '$Current' in the object*"
        $other.Step, $other.Seed | Should -Be 0, 7
        # By hand, without the comparison of identities, neither.
        { $other.SetState($it.GetState()) } | Should -Throw "*its $Field is $Saved, and here it is $Current*"
        $other.Step, $other.Seed | Should -Be 0, 7
    }

    It 'is refused on other data of the same length where a fingerprint was given' {
        $data = 'a', 'b', 'c'
        $it = New-CheckpointIterator $data -BatchSize 1 -Fingerprint $data
        $null = $it.MoveNext()
        Save-Checkpoint train -InputObject $it
        $same = New-CheckpointIterator $data -BatchSize 1 -Fingerprint $data
        Restore-Checkpoint train -InputObject $same
        $same.Step | Should -Be 1

        $data = 'a', 'b', 'd'
        $other = New-CheckpointIterator $data -BatchSize 1 -Fingerprint $data
        { Restore-Checkpoint train -InputObject $other } | Should -Throw "*'fingerprint'*" -ErrorId 'IdentityMismatch,*'
        # Without one it cannot be told.
        Save-Checkpoint bare -InputObject (New-CheckpointIterator ('a', 'b', 'c') -BatchSize 1)
        { Restore-Checkpoint bare -InputObject (New-CheckpointIterator $data -BatchSize 1) } | Should -Not -Throw
    }

    It 'is refused by an object of another kind' {
        Save-Checkpoint train -InputObject (New-Iterator)
        $other = [pscustomobject]@{} | Add-Member ScriptMethod SetState { } -PassThru | Add-Member ScriptMethod GetIdentity { @{ count = 20 } } -PassThru
        { Restore-Checkpoint train -InputObject $other } | Should -Throw "*'type'*" -ErrorId 'IdentityMismatch,*'
    }

    It 'takes no state that is <Name>, and stays where it is' -ForEach @(
        @{ Name = 'null'; Change = { $null } }
        @{ Name = 'text'; Change = { 'text' } }
        @{ Name = 'without a field'; Change = { $state.Remove('seed'); $state } }
        @{ Name = 'of another generator'; Change = { $state.generator = 'mt19937'; $state } }
        @{ Name = 'with a number as text'; Change = { $state.epoch = '1'; $state } }
        @{ Name = 'with an index twice'; Change = { $state.indices[0] = $state.indices[1]; $state } }
        @{ Name = 'with a generator that is stuck'; Change = { $state.generatorState = [uint64[]]::new(4); $state } }
        @{ Name = 'inside a batch'; Change = { $state.position = 4; $state } }
    ) {
        $it = New-Iterator
        $null = $it.MoveNext()
        $state = $it.GetState()
        $changed = & $Change
        { $it.SetState($changed) } | Should -Throw '*state of*'
        Get-Rest $it | Should -Be (Get-Rest (New-Iterator))[1..13]
    }
}

Describe 'An iterator whose process is killed' {
    BeforeAll {
        $loop = {
            param($store, $log, $seed, $interval)
            $with = $seed ? @{ Seed = [long] $seed } : @{}
            $it = New-CheckpointIterator -InputObject (1..200) -BatchSize 7 -Shuffle -Epochs 3 @with
            if (Test-Checkpoint train -Store $store) {
                Restore-Checkpoint train -InputObject $it -Store $store
            }
            $step = $it.Step
            foreach ($batch in $it) {
                [IO.File]::AppendAllText($log, "$($it.Step): $batch`n")
                Save-Checkpoint train -InputObject $it -Step (++$step) -Interval $interval -Keep 3 -Metadata @{ epoch = $it.Epoch } -Store $store
            }
            'end'
        }
    }

    It 'goes on so from any place with the loop of the help: <Name>' -ForEach @(
        @{ Name = 'shuffled'; Count = 1000; With = @{ BatchSize = 10; Shuffle = $true; Seed = 42; Epochs = 3 } }
        @{ Name = 'without shorter batches, the least seed'; Count = 1007; With = @{ BatchSize = 10; Shuffle = $true; Seed = [long]::MinValue; Epochs = 2; DropLast = $true } }
        @{ Name = 'in the order of the data'; Count = 1005; With = @{ BatchSize = 7; Epochs = 2 } }
        @{ Name = 'batches larger than the data, the greatest seed'; Count = 5; With = @{ BatchSize = 50; Shuffle = $true; Seed = [long]::MaxValue; Epochs = 250 } }
        @{ Name = 'one element'; Count = 1; With = @{ BatchSize = 1; Shuffle = $true; Seed = -1; Epochs = 250 } }
    ) {
        $seed = Get-Random
        Write-Information "seed $seed" -InformationAction Continue
        $random = [random]::new($seed)
        $whole = @(Get-Rest (New-CheckpointIterator -InputObject (1..$Count) @With))
        $store = New-TestStore
        $saved = 0
        # Two children end by SIGKILL in the middle of their loop, before or after the save of a batch; the third goes to the end.
        foreach ($child in 1..3) {
            $place = $child -eq 3 ? -1 : $random.Next($saved + 1, $whole.Count + 1)
            $log = "$env:TEST_PLACE/$child.log"
            $left = Invoke-Pwsh {
                param($count, $with, $log, $place, $isBefore)
                $with = ConvertFrom-Json $with -AsHashtable
                $it = New-CheckpointIterator -InputObject (1..$count) @with
                if (Test-Checkpoint train) { Restore-Checkpoint train -InputObject $it }
                $step = $it.Step
                foreach ($batch in $it) {
                    [IO.File]::AppendAllText($log, "$($it.Step): $batch`n")
                    if ($step + 1 -eq $place -and $isBefore -eq 'True') { [Diagnostics.Process]::GetCurrentProcess().Kill() }
                    Save-Checkpoint train -InputObject $it -Step (++$step) -Interval 100 -Keep 3 -Metadata @{ epoch = $it.Epoch }
                    if ($step -eq $place) { [Diagnostics.Process]::GetCurrentProcess().Kill() }
                }
                'end'
            } $Count, (ConvertTo-Json $With), $log, $place, ($random.Next(2) -eq 0) -Environment @{ CHECKPOINT_STORE = $store; CHECKPOINT_PIPELINE = $null; CHECKPOINT_RUN = $null }
            $left.ErrorOutput | Should -BeNullOrEmpty
            ($left.Output -contains 'end') | Should -Be ($child -eq 3)
            $lines = (Test-Path $log) ? [IO.File]::ReadAllLines($log) : @()
            $until = $child -eq 3 ? $whole.Count : $place
            $lines | Should -Be @(for ($i = $saved + 1; $i -le $until; $i++) { "${i}: $($whole[$i - 1])" })
            $at = Get-Checkpoint train -Store $store -Pipeline '' -Run '' -ErrorAction Ignore
            $at ? ($at.Metadata['epoch'] | Should -Be ([Math]::Ceiling($at.Step / ($whole.Count / $With.Epochs)))) : $null
            $saved = $at.Step ?? 0
            $saved % 100 | Should -Be 0
        }
    }

    It 'goes on with exactly the batches of an uninterrupted run: <Name>' -ForEach @(
        @{ Name = 'with a seed, saved at every step'; Seed = '42'; Interval = '1' }
        @{ Name = 'without a seed, saved at every fifth step'; Seed = ''; Interval = '5' }
    ) {
        $random = Get-Random
        Write-Information "seed $random" -InformationAction Continue
        $random = [random]::new($random)
        $store = New-TestStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        $whole = [string[]]::new(88)
        $saved = $ended = $kills = 0
        while (-not $ended) {
            $log = Join-Path $TestDrive "log-$([guid]::NewGuid().ToString('N'))"
            $child = Start-Pwsh $loop $store, $log, $Seed, $Interval -Environment @{ CHECKPOINT_PIPELINE = $null; CHECKPOINT_RUN = $null }
            $lines = $kills -lt 5 ? $random.Next(6, 18) : 1000
            Wait-Until { $child.Process.HasExited -or ((Test-Path $log) -and [IO.File]::ReadAllLines($log).Count -ge $lines) }
            $left = Stop-Pwsh $child
            $left.ErrorOutput | Should -BeNullOrEmpty
            $ended = $left.Output -contains 'end'
            $kills += -not $ended
            # A line that the kill has torn ends without a line break. Where the kill came after the last batch, the next child finds nothing left to do.
            $step = $saved
            $text = (Test-Path $log) ? [IO.File]::ReadAllText($log) : ''
            foreach ($line in [regex]::Matches($text, '(?m)^(\d+): (.*)\n')) {
                [int] $line.Groups[1].Value | Should -Be (++$step)
                $whole[$step] ??= $line.Groups[2].Value
                # What was done after the last save is done again, and is the same again.
                $line.Groups[2].Value | Should -Be $whole[$step]
            }
            $saved = (Get-Checkpoint train @at -ErrorAction SilentlyContinue).Step ?? 0
            $saved % $Interval | Should -Be 0
        }
        $kills | Should -BeGreaterThan 0

        $again = New-CheckpointIterator -InputObject (1..200) -BatchSize 7 -Shuffle -Epochs 3
        Restore-Checkpoint train -InputObject $again @at
        $Seed ? ($again.Seed | Should -Be $Seed) : $null
        $again.Reset()
        $whole[1..87] | Should -Be (Get-Rest $again)
        foreach ($epoch in 0..2) {
            $whole[(1 + 29 * $epoch)..(29 + 29 * $epoch)] | ForEach-Object { -split $_ } | Sort-Object { [int] $_ } | Should -Be (1..200)
        }
    }
}
