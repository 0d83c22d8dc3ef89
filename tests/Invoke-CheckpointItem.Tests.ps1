BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1
}

Describe 'Invoke-CheckpointItem' {
    BeforeEach {
        $store = New-TestStore -Missing
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        $journal = "$store/default/stages/s/items.jsonl"
        $ran = [Collections.Concurrent.ConcurrentQueue[object]]::new()
    }

    Context 'item by item' {
        It 'emits what the block gives for each item and nothing else, and completes the stage' {
            $output = 1..3 | Invoke-CheckpointItem s { "out $_"; $_ } @at
            $output | Should -Be 'out 1', 1, 'out 2', 2, 'out 3', 3
            Test-Checkpoint s @at | Should -BeTrue
            $metadata = (Get-Checkpoint s @at).Metadata
            $metadata.Items, $metadata.Done, $metadata.Skipped | Should -Be 3, 3, 0
        }

        It 'runs no item again that was done, in whatever order the input comes' {
            $null = 1..3 | Invoke-CheckpointItem s { } @at
            4, 3, 1, 5, 2 | Invoke-CheckpointItem s { $_ } @at | Should -Be 4, 5
            $metadata = (Get-Checkpoint s @at).Metadata
            $metadata.Items, $metadata.Done, $metadata.Skipped | Should -Be 5, 2, 3
        }

        It 'does so in another process' {
            $script = { param($store) 1..3 | Invoke-CheckpointItem s { "did $_" } -Store $store }
            (Invoke-Pwsh $script $store).Output | Should -Be 'did 1', 'did 2', 'did 3'
            (Invoke-Pwsh $script $store).Output | Should -BeNullOrEmpty
        }

        It 'gives the item as $_ and as the first argument, below the scope of the caller' {
            function Get-Mine { 'mine' }
            $outside = 'seen'
            'a' | Invoke-CheckpointItem s { param($item) "$_ $item $outside $(Get-Mine)"; $outside = 'changed' } @at | Should -Be 'a a seen mine'
            $outside | Should -Be 'seen'
        }

        It 'takes $using: too' {
            $value = @{ Name = 'v' }
            $array = 1, 2
            'a' | Invoke-CheckpointItem s { "$_ $($using:value.Name) $using:array"; ${using:array}[1] } @at | Should -Be 'a v 1 2', 2
        }

        It 'runs a block of one module from a function of another, with $_ and stopping at errors' {
            $module = New-Module { function Invoke-It($Block, $At) { 1..2 | Invoke-CheckpointItem s $Block @At } }
            & $module { param($b, $at) Invoke-It $b $at } { "got $_" } $at | Should -Be 'got 1', 'got 2'
            Clear-Checkpoint s @at
            { & $module { param($b, $at) Invoke-It $b $at } { Get-Item /no/such/file } $at } | Should -Throw '*no/such/file*'
            Test-Checkpoint s @at | Should -BeFalse
        }

        It 'lets the block write to every stream' {
            $records = 'a' | Invoke-CheckpointItem s { Write-Warning w; Write-Information i; Write-Verbose v -Verbose; 'o' } @at *>&1
            $records | ForEach-Object { "$_" } | Should -Be 'w', 'i', 'v', 'o', 'Items of stage s: 1 done, 0 done before, 0 failed, 0 doubled', 'Checkpoint saved: s'
        }

        It 'says with a count on the information stream what it did, with the tag Checkpoint' {
            1, 1, 2 | Invoke-CheckpointItem s { } @at -InformationVariable told -WarningAction SilentlyContinue
            $told | ForEach-Object { "$_" } | Should -Be 'Items of stage s: 2 done, 0 done before, 0 failed, 1 doubled', 'Checkpoint saved: s'
            $told.Tags | Should -Be 'Checkpoint', 'Checkpoint'
        }

        It 'takes a collection by -InputObject, and one item' {
            Invoke-CheckpointItem s { "<$_>" } -InputObject @(1, 2) @at | Should -Be '<1>', '<2>'
            Invoke-CheckpointItem s { "<$_>" } -InputObject 'text' @at | Should -Be '<text>'
        }

        It 'leaves an item open that a break leaves, and the loop around it' {
            foreach ($turn in 1..2) {
                1..3 | Invoke-CheckpointItem s { if ($_ -eq 2) { break }; $ran.Enqueue($_) } @at
            }
            $turn | Should -Be 1
            1..3 | Invoke-CheckpointItem s { $_ } @at | Should -Be 2, 3
        }

        It 'gives what it has done before what ends it, since that is not done again: <What>, <Throttle> at once' -ForEach @(
            @{ What = 'an item without a key'; Throttle = 1; Last = $null; Block = { "out $_" } }
            @{ What = 'an item without a key'; Throttle = 3; Last = $null; Block = { "out $_" } }
            @{ What = 'a break'; Throttle = 1; Last = 7; Block = { if ($_ -eq 7) { break }; "out $_" } }
        ) {
            $given = [Collections.Generic.List[object]]::new()
            foreach ($turn in 1) {
                try {
                    1, 2, 3, 4, 5, 6, $Last | Invoke-CheckpointItem s $Block -ThrottleLimit $Throttle @at | ForEach-Object { $given.Add($_) }
                }
                catch {
                    $_.FullyQualifiedErrorId | Should -BeLike 'InvalidArgument,*'
                }
            }
            $given | Sort-Object | Should -Be (1..6 | ForEach-Object { "out $_" })
            1..6 | Invoke-CheckpointItem s { "again $_" } @at | Should -BeNullOrEmpty
        }

        It 'ends early for Select-Object -First, and what it gave is done' {
            1..100 | Invoke-CheckpointItem s { $_ } @at | Select-Object -First 3 | Should -Be 1, 2, 3
            1..3 | Invoke-CheckpointItem s { "again $_" } @at | Should -BeNullOrEmpty
        }

        It 'does nothing with -WhatIf' {
            1..3 | Invoke-CheckpointItem s { $ran.Enqueue($_) } @at -WhatIf
            $ran.Count | Should -Be 0
            Test-Path $store | Should -BeFalse
        }

        It 'does not complete a stage of no items' {
            @() | Invoke-CheckpointItem s { } @at -WarningVariable warned -WarningAction SilentlyContinue
            $warned | Should -BeLike '*no items*'
            Test-Checkpoint s @at | Should -BeFalse
        }

        It 'begins anew when the stage was cleared, also one that was never complete' {
            try { 1..3 | Invoke-CheckpointItem s { if ($_ -eq 3) { throw 'no' } } @at } catch { "$_" | Should -Be 'no' }
            Get-JournalLine $store s | Should -Not -BeNullOrEmpty
            Clear-Checkpoint s @at
            Get-JournalLine $store s | Should -BeNullOrEmpty
            1..3 | Invoke-CheckpointItem s { $_ } @at | Should -Be 1, 2, 3
            Get-Checkpoint @at | Clear-Checkpoint
            1..3 | Invoke-CheckpointItem s { $_ } @at | Should -BeNullOrEmpty -Because 'a step was cleared, not the stage'
            Clear-Checkpoint @at
            1..3 | Invoke-CheckpointItem s { $_ } @at | Should -Be 1, 2, 3
        }
    }

    Context 'the key' {
        It 'is the value of a string, number or Guid; 1 and "1" are the same' {
            $null = '1', 2.0, [guid]::Empty, [datetime]::new(2026, 3, 1) | Invoke-CheckpointItem s { } @at
            1, 2, '00000000-0000-0000-0000-000000000000', [datetime]::new(2026, 3, 1), 'A', 'a' | Invoke-CheckpointItem s { $_ } @at | Should -BeExactly 'A', 'a'
        }

        It 'is what -Key names or computes' {
            $people = @([pscustomobject]@{ Id = 1; Name = 'x' }, [pscustomobject]@{ Id = 2; Name = 'x' })
            $people | Invoke-CheckpointItem s { $_.Id } -Key Id @at | Should -Be 1, 2
            $people | Invoke-CheckpointItem t { $_.Id } -Key { $_.Name } @at -WarningAction SilentlyContinue | Should -Be 1
            @{ Id = 3 }, @{ Id = 1 } | Invoke-CheckpointItem s { $_.Id } -Key Id @at | Should -Be 3
        }

        It 'is missed with a clear error: <What>' -ForEach @(
            @{ What = 'no -Key'; Item = [pscustomobject]@{ Id = 1 }; With = @{}; Message = '*PSCustomObject has no key*-Key Id*' }
            @{ What = 'no such property'; Item = [pscustomobject]@{ Id = 1 }; With = @{ Key = 'No' }; Message = '*-Key gives nothing*' }
            @{ What = 'a block of two'; Item = 1; With = @{ Key = { 1; 2 } }; Message = '*-Key gives a *Collection*' }
            @{ What = 'null'; Item = $null; With = @{}; Message = '*null has no key*' }
        ) {
            { $Item | Invoke-CheckpointItem s { throw 'run' } @With @at } | Should -Throw $Message -ErrorId 'InvalidArgument,Checkpoint.Commands.InvokeCheckpointItemCommand'
        }

        It 'that comes twice is done once, with one warning' {
            1, 2, 1, 1 | Invoke-CheckpointItem s { $_ } @at -WarningVariable warned -WarningAction SilentlyContinue -Verbose 4>$null | Should -Be 1, 2
            $warned | Should -HaveCount 1
            $warned | Should -BeLike '2 items*'
        }
    }

    Context 'an item that fails' {
        It 'stops the run with its own error, and is tried again by the next call' {
            $at.ErrorVariable = 'failed'
            { 1..5 | Invoke-CheckpointItem s { $ran.Enqueue($_); if ($_ -eq 3) { throw [TimeoutException] 'late' } } @at } | Should -Throw 'late'
            $ran | Should -Be 1, 2, 3
            1..5 | Invoke-CheckpointItem s { $_ } @at | Should -Be 3, 4, 5
            Test-Checkpoint s -Store $store -Pipeline default -Run '' | Should -BeTrue
        }

        It 'is in the history, with its key and its error: <Throttle> at once' -ForEach @{ Throttle = 1 }, @{ Throttle = 2 } {
            { 'a', 'b' | Invoke-CheckpointItem s { if ($_ -eq 'b') { throw 'no such host' } } -ThrottleLimit $Throttle @at } | Should -Throw 'no such host'
            Get-CheckpointHistory -Store $store -Pipeline default -Name s | ForEach-Object { "$($_.Event) $($_.Reason)".Trim() } | Should -Be 'LeaseTaken', 'StageStarted', "StageFailed 1 of 2 items failed, the first being 'b': no such host"
        }

        It 'fails by an error that does not stop scripts, too; unless -ErrorAction says otherwise' {
            { 'a' | Invoke-CheckpointItem s { Get-Item /no/such/file; 'went on' } @at } | Should -Throw '*no/such/file*'
            'a' | Invoke-CheckpointItem s { Get-Item /no/such/file; 'went on' } @at -ErrorAction SilentlyContinue | Should -Be 'went on'
        }

        It 'fails by every terminating error, also where no try is around it: <Throttle> at once under <Preference>' -ForEach @(
            foreach ($throttle in 1, 2) { foreach ($preference in 'SilentlyContinue', 'Ignore', 'Continue') { @{ Throttle = $throttle; Preference = $preference } } }
        ) {
            $left = Invoke-Pwsh {
                param($Store, $Throttle, $Preference)
                1 | Invoke-CheckpointItem thrown { throw 'no'; 'went on' } -ContinueOnError -Store $Store -ErrorAction $Preference -ThrottleLimit $Throttle
                1 | Invoke-CheckpointItem parsed { [int]::Parse('no'); 'went on' } -ContinueOnError -Store $Store -ErrorAction $Preference -ThrottleLimit $Throttle
                (Test-Checkpoint thrown -Store $Store), (Test-Checkpoint parsed -Store $Store)
            } (New-TestStore -Missing), "$Throttle", $Preference
            $left.Output | Should -Be 'False', 'False'
        }

        It 'fails by throw whatever -ErrorAction says: <Throttle> at once' -ForEach @{ Throttle = 1 }, @{ Throttle = 2 } {
            foreach ($preference in 'Stop', 'Continue', 'SilentlyContinue', 'Ignore') {
                { 'a' | Invoke-CheckpointItem s { throw 'no'; 'went on' } -ThrottleLimit $Throttle @at -ErrorAction $preference } | Should -Throw 'no'
                Test-Checkpoint s @at | Should -BeFalse
            }
        }

        It 'is told of with its own error, and in the end by StageFailed' {
            1..4 | Invoke-CheckpointItem s { if ($_ % 2) { throw "odd $_" }; $_ } -ContinueOnError @at -ErrorAction SilentlyContinue -ErrorVariable failed | Should -Be 2, 4
            $failed | Where-Object { $_ -is [Management.Automation.ErrorRecord] } | ForEach-Object { "$_" } | Select-Object -First 2 | Should -Be 'odd 1', 'odd 3'
            $end = $failed | Where-Object { $_.FullyQualifiedErrorId -like 'StageFailed,*' } | Select-Object -First 1
            "$end" | Should -BeLike "2 of 4 items of stage 's'*'1': odd 1*-RetryFailed*"
            $end.TargetObject | Should -Be s
            Test-Checkpoint s @at | Should -BeFalse

            1..5 | Invoke-CheckpointItem s { "late $_" } @at -ErrorAction SilentlyContinue -ErrorVariable left | Should -Be 'late 5'
            $left[0].FullyQualifiedErrorId | Should -BeLike 'StageFailed,*'
            1..5 | Invoke-CheckpointItem s { "now $_" } @at -RetryFailed | Should -Be 'now 1', 'now 3'
            Test-Checkpoint s @at | Should -BeTrue
        }

        It 'does not stop the others where errors stop scripts: it is a warning then, and the end is the error' {
            $ErrorActionPreference = 'Stop'
            { 1..4 | Invoke-CheckpointItem s { $ran.Enqueue($_); if ($_ % 2) { throw "odd $_" } } -ContinueOnError @at -WarningAction SilentlyContinue } | Should -Throw -ErrorId 'StageFailed,Checkpoint.Commands.InvokeCheckpointItemCommand'
            $ran | Should -Be 1, 2, 3, 4
        }

        It 'counts towards -MaxError, which stops the run: <Throttle> at once' -ForEach @{ Throttle = 1 }, @{ Throttle = 2 } {
            { 1..50 | Invoke-CheckpointItem s { ($using:ran).Enqueue($_); throw 'no' } -MaxError 3 -ThrottleLimit $Throttle @at -ErrorAction Stop -WarningAction SilentlyContinue } |
                Should -Throw -ErrorId 'StageFailed,Checkpoint.Commands.InvokeCheckpointItemCommand'
            $ran.Count | Should -BeGreaterOrEqual 3
            $ran.Count | Should -BeLessOrEqual ($Throttle + 2)
        }

        It 'is tried again by -Retry, and its output comes once: <Throttle> at once' -ForEach @{ Throttle = 1 }, @{ Throttle = 2 } {
            $tries = [ref] 0
            'a' | Invoke-CheckpointItem s { "try"; if ([Threading.Interlocked]::Increment($using:tries) -lt 3) { throw 'not yet' }; 'done' } -Retry 2 -RetryDelay 0:0:0.01 -ThrottleLimit $Throttle @at -WarningVariable warned -WarningAction SilentlyContinue |
                Should -Be 'try', 'done'
            $tries.Value | Should -Be 3
            $warned | Should -HaveCount 2
            $warned[0] | Should -BeExactly "Item 'a' of stage 's' failed at attempt 1 of 3 and is tried again in 0.01 s: not yet"
        }

        It 'is not tried again for another error than those of -RetryOn' {
            { 'a' | Invoke-CheckpointItem s { $ran.Enqueue(1); throw [ArgumentException] 'no' } -Retry 5 -RetryOn TimeoutException @at } | Should -Throw 'no'
            $ran.Count | Should -Be 1
        }
    }

    Context 'with -SaveOutput' {
        It 'emits the output of what was done before too, exactly: <Throttle> at once' -ForEach @{ Throttle = 1 }, @{ Throttle = 3 } {
            $block = { [long] $_; , @(1, 'two'); [pscustomobject]@{ Bytes = [byte[]]::new(100000 * $_) } }
            $first = 1..3 | Invoke-CheckpointItem s $block -SaveOutput -ThrottleLimit $Throttle @at
            $first | Should -HaveCount 9
            $again = 3, 1, 2 | Invoke-CheckpointItem s { throw 'run' } -SaveOutput -ThrottleLimit $Throttle @at
            $again[0, 3, 6] | Should -Be 3, 1, 2
            $again[0] | Should -BeOfType long
            , $again[1] | Should -BeOfType object[]
            $again[1] | Should -Be 1, 'two'
            $again[2].Bytes.Length, $again[5].Bytes.Length, $again[8].Bytes.Length | Should -Be 300000, 100000, 200000
        }

        It 'runs an item again whose saved output was changed, with a warning' -Tag Files {
            $null = 1..2 | Invoke-CheckpointItem s { [byte[]]::new(100000) } -SaveOutput @at
            $file = "$store/default/stages/s/items.outputs"
            $bytes = [IO.File]::ReadAllBytes($file)
            $bytes[50] = $bytes[50] -bxor 1
            [IO.File]::WriteAllBytes($file, $bytes)
            $output = 1..2 | Invoke-CheckpointItem s { "again $_" } -SaveOutput @at -WarningVariable warned -WarningAction SilentlyContinue
            $output[0] | Should -Be 'again 1'
            $warned | Should -BeLike "The saved output of item '1'*"
            (1..2 | Invoke-CheckpointItem s { throw 'run' } -SaveOutput @at)[0] | Should -Be 'again 1'
        }

        It 'says how many were done without it' {
            $null = 1..3 | Invoke-CheckpointItem s { $_ } @at
            1..3 | Invoke-CheckpointItem s { throw 'run' } -SaveOutput @at -WarningVariable warned -WarningAction SilentlyContinue | Should -BeNullOrEmpty
            $warned | Should -BeLike '3 items*without -SaveOutput*'
        }

        It 'does not call an item done whose output cannot be kept: <Throttle> at once' -ForEach @{ Throttle = 1 }, @{ Throttle = 2 } {
            { 'a' | Invoke-CheckpointItem s { $h = @{}; $h.self = $h; $h } -SaveOutput -ThrottleLimit $Throttle @at } | Should -Throw "Item 'a'*" -ErrorId 'StateNotSerializable,Checkpoint.Commands.InvokeCheckpointItemCommand'
            'a' | Invoke-CheckpointItem s { 'better' } -SaveOutput @at | Should -Be 'better'
        }
    }

    Context 'several at once' {
        It 'does each item once, as many at a time as -ThrottleLimit allows' {
            $running = [Collections.Concurrent.ConcurrentDictionary[int, int]]::new()
            $most = [Collections.Concurrent.ConcurrentBag[int]]::new()
            $four = [Threading.Barrier]::new(4)
            $output = 1..12 | Invoke-CheckpointItem s {
                $null = ($using:running).TryAdd($_, 0)
                $null = ($using:four).SignalAndWait(30000)
                ($using:most).Add(($using:running).Count)
                $null = ($using:four).SignalAndWait(30000)
                $null = ($using:running).TryRemove($_, [ref] $null)
                "$_ $($args[0])"
            } -ThrottleLimit 4 @at
            $output | Sort-Object { [int] ($_ -split ' ')[0] } | Should -Be (1..12 | ForEach-Object { "$_ $_" })
            ($most | Measure-Object -Maximum).Maximum | Should -Be 4
            Test-Checkpoint s @at | Should -BeTrue
        }

        It 'behaves as ForEach-Object -Parallel: <What>' -ForEach @(
            @{ What = 'variables of the caller only by $using:'; Block = { "$_ [$plain] [$using:shared]" } }
            @{ What = 'the location'; Block = { "$PWD" } }
            @{ What = 'streams'; Block = { Write-Warning 'w'; & ('Write' + '-Host') 'h'; Write-Information 'i'; Write-Verbose 'v' -Verbose; Write-Debug 'd' -Debug; "o$_"; 'p' } }
            @{ What = '$using: in a block within'; Block = { 1, 2 | Where-Object { $_ -eq $using:two } | ForEach-Object { "$_ $using:two" } } }
            @{ What = '$using: of every form'; Block = { $using:table.b[1]; ($using:table).b.Count; "$($using:table.b[0])"; ${using:a b}; $using:script:shared; $using:env:HOME; & { param($x) $x } @using:splat } }
            @{ What = 'a switch between output and other streams'; Block = { 'one'; Write-Warning 'two'; 'three'; Write-Warning 'four' } }
            @{ What = 'null among the output'; Block = { $null; 1; $null } }
        ) {
            $plain = 'no'
            $shared = 'yes'
            $two = 2
            $table = @{ b = 10, 20 }
            ${a b} = 'a b'
            $script:shared = 'of the script'
            $splat = @{ x = 'splat' }
            $theirs = 1 | ForEach-Object -Parallel $Block -ThrottleLimit 2 *>&1 | ForEach-Object { "$($null -eq $_ ? 'null' : $_.GetType().Name) $_" }
            $ours = 1 | Invoke-CheckpointItem s $Block -ThrottleLimit 2 @at *>&1 | ForEach-Object { "$($null -eq $_ ? 'null' : $_.GetType().Name) $_" } | Where-Object { $_ -notmatch 'Items of stage|Checkpoint saved' }
            $ours | Should -Be $theirs
        }

        It 'takes every form of $using: with one worker as well' {
            $table = @{ b = 10, 20 }
            $script:shared = 'of the script'
            1 | Invoke-CheckpointItem s { $using:table.b[1]; $using:script:shared; $using:env:HOME; 1 | ForEach-Object { $using:table.b[0] } } @at | Should -Be 20, 'of the script', $env:HOME, 10
        }

        It 'has the location of the caller, whatever is in its name, and on a drive of its own' {
            $folder = (New-Item -ItemType Directory "$TestDrive/a[1] *b").FullName
            Push-Location -LiteralPath $folder
            try { 1 | Invoke-CheckpointItem s { "$PWD" } -ThrottleLimit 2 @at | Should -Be $folder }
            finally { Pop-Location }
            $null = New-PSDrive -Name CheckpointTest -PSProvider FileSystem -Root $TestDrive -Scope Local
            Push-Location -LiteralPath 'CheckpointTest:/a[1] *b'
            try { 2 | Invoke-CheckpointItem s { "$PWD" } -ThrottleLimit 2 @at | Should -Be $folder }
            finally { Pop-Location }
            Push-Location Variable:
            try { 3 | Invoke-CheckpointItem s { "$PWD" } -ThrottleLimit 2 @at | Should -Be 'Variable:/' }
            finally { Pop-Location }
        }

        It 'says before any item is run what it cannot take: <What>' -ForEach @(
            @{ What = 'a variable that is not there'; Block = { $using:noSuch }; Throttle = 1, 2; Message = '*$using:noSuch*no such variable*' }
            @{ What = 'a script block for another session'; Block = { & $using:inner }; Throttle = 2; Message = '*$using:inner*script block*' }
        ) {
            $inner = { 'hi' }
            $null = $inner
            foreach ($limit in $Throttle) {
                { 1 | Invoke-CheckpointItem s $Block -ThrottleLimit $limit @at } | Should -Throw $Message -ErrorId 'InvalidArgument,Checkpoint.Commands.InvokeCheckpointItemCommand'
            }
            Get-JournalLine $store s | Should -BeNullOrEmpty
        }

        It 'leaves nothing of one item for the next' {
            1..6 | Invoke-CheckpointItem s { "[$leftover]"; Set-Variable leftover $_ -Scope Global } -ThrottleLimit 2 @at | Select-Object -Unique | Should -Be '[]'
        }

        It 'gives what comes first first, whichever item it is of' {
            $signal = [Threading.ManualResetEventSlim]::new()
            $output = 1, 2 | Invoke-CheckpointItem s {
                if ($_ -eq 1) { "a$_"; 'b1'; $null = ($using:signal).Wait(20000); 'c1' }
                else { 'a2'; 'b2'; ($using:signal).Set() }
            } -ThrottleLimit 2 @at
            $output | Should -HaveCount 5
            # The last of each waits for the disk, so only what comes before that has an order among items.
            $output.IndexOf('a1') | Should -BeLessThan $output.IndexOf('b1')
            $output.IndexOf('b1') | Should -BeLessThan $output.IndexOf('c1')
            $output.IndexOf('a2') | Should -BeLessThan $output.IndexOf('b1')
        }

        It 'stops at the first item that fails, after what is running has ended, with its own error' {
            { 1..100 | Invoke-CheckpointItem s { if ($_ -eq 2) { throw 'two' }; Start-Sleep -Milliseconds 300; ($using:ran).Enqueue($_) } -ThrottleLimit 2 @at } | Should -Throw 'two'
            $ran.Count | Should -BeLessOrEqual 2
            @(Get-JournalLine $store s | Where-Object { $_ -match '"done"' }) | Should -HaveCount $ran.Count
        }

        It 'does not call an item done that break or exit left' -ForEach 'break', 'exit', 'continue' {
            { 1..2 | Invoke-CheckpointItem s ([scriptblock]::Create($_)) -ThrottleLimit 2 @at } | Should -Throw '*break, continue or exit*'
        }

        It 'goes on behind an error that the block passes over, also where errors stop the script: <Throttle> at once' -ForEach @{ Throttle = 1 }, @{ Throttle = 2 } {
            $ErrorActionPreference = 'Stop'
            $output = 1..3 | Invoke-CheckpointItem s { Write-Error "soft $_" -ErrorAction Continue; "o$_" } -ThrottleLimit $Throttle @at 2>$null 3>$null
            $output | Sort-Object | Should -Be 'o1', 'o2', 'o3'
            Test-Checkpoint s @at | Should -BeTrue
        }

        It 'does the others when some fail, each with its own error' {
            $output = 1..6 | Invoke-CheckpointItem s { if ($_ % 2) { throw "odd $_" }; "even $_" } -ThrottleLimit 2 -ContinueOnError @at -ErrorAction SilentlyContinue -ErrorVariable failed
            $output | Sort-Object | Should -Be 'even 2', 'even 4', 'even 6'
            $failed | Where-Object { $_ -is [Management.Automation.ErrorRecord] } | ForEach-Object { "$_" } | Where-Object { $_ -like 'odd*' } | Sort-Object -Unique | Should -Be 'odd 1', 'odd 3', 'odd 5'
            $failed.FullyQualifiedErrorId | Should -Contain 'StageFailed,Checkpoint.Commands.InvokeCheckpointItemCommand'
            1..6 | Invoke-CheckpointItem s { "now $_" } -ThrottleLimit 2 -RetryFailed @at | Sort-Object | Should -Be 'now 1', 'now 3', 'now 5'
        }

        It 'begins before the input ends, and takes no more of it than it can do' {
            $taken = [Collections.Concurrent.ConcurrentQueue[int]]::new()
            $ahead = & { for ($i = 1; ; $i++) { $taken.Enqueue($i); $i } } |
                Invoke-CheckpointItem s { ($using:taken).Count - ($using:ran).Count; ($using:ran).Enqueue($_) } -ThrottleLimit 3 @at | Select-Object -First 30
            $ahead | Should -HaveCount 30
            # Three are under way, and one waits for its turn.
            ($ahead | Measure-Object -Maximum).Maximum | Should -BeLessOrEqual 4
        }

        It 'has every error that the block writes where -ErrorAction lets it go on' {
            $null = 1..3 | Invoke-CheckpointItem s { Write-Error "soft $_" } -ThrottleLimit 2 @at -ErrorAction SilentlyContinue -ErrorVariable soft
            $soft | ForEach-Object { "$_" } | Sort-Object | Should -Be 'soft 1', 'soft 2', 'soft 3'
            Test-Checkpoint s @at | Should -BeTrue
        }
    }

    Context 'against others' {
        It 'refuses a stage on which another process is at work, and says which' {
            $child = Start-Pwsh { param($store) 1 | Invoke-CheckpointItem s { $null = New-Item "$env:TEST_PLACE/signal"; Start-Sleep 600 } -Store $store -Pipeline default -Run '' } $store
            try {
                Wait-Until { Test-Path "$env:TEST_PLACE/signal" }
                { 2 | Invoke-CheckpointItem s { } @at } | Should -Throw "*process $($child.Process.Id) of *" -ErrorId 'LeaseHeld,Checkpoint.Commands.InvokeCheckpointItemCommand'
                $null = Save-Checkpoint s @at
                { Clear-Checkpoint s @at } | Should -Throw "*process $($child.Process.Id) of *" -ErrorId 'LeaseHeld,Checkpoint.Commands.ClearCheckpointCommand'
            }
            finally {
                $null = Stop-Pwsh $child
                Complete-Lease $store -Name s
            }
            2 | Invoke-CheckpointItem s { "free $_" } @at | Should -Be 'free 2'
        }

        It 'lets other programs read the journal while it works, and is not hindered by them' -Tag Files {
            $null = 1 | Invoke-CheckpointItem s { } @at
            $reader = [IO.StreamReader]::new([IO.FileStream]::new($journal, 'Open', 'Read', 'ReadWrite, Delete'))
            2, 3 | Invoke-CheckpointItem s { @(Get-Content $journal).Count } @at | Should -Be 2, 3
            $reader.ReadToEnd() | Should -BeLike '*"key":"3"*'
            $reader.Dispose()
        }
    }

    Context 'the progress bar' {
        It 'tells what is done, skipped and failed, at what rate, and how long it takes where that is known' {
            $shell = [powershell]::Create()
            $null = $shell.AddScript({
                    param($module, $store)
                    Import-Module $module
                    1..3 | Invoke-CheckpointItem s { } -Store $store -Pipeline default -Run ''
                    Invoke-CheckpointItem s { Start-Sleep -Milliseconds 60 } -InputObject (1..20) -Store $store -Pipeline default -Run ''
                    21..25 | Invoke-CheckpointItem s { Start-Sleep -Milliseconds 100 } -Store $store -Pipeline default -Run ''
                }).AddArgument($ModulePath).AddArgument($store)
            $watch = [Diagnostics.Stopwatch]::StartNew()
            $null = $shell.Invoke()
            $seconds = $watch.Elapsed.TotalSeconds
            $records = @($shell.Streams.Progress | Where-Object { $_.Activity -eq "Items of stage 's'" -and $_.RecordType -eq 'Processing' })
            $records.Count | Should -BeGreaterOrEqual 3
            $records.Count | Should -BeLessOrEqual (5 * $seconds + 1)
            $known = @($records | Where-Object StatusDescription -Like '*; of 20')
            $known[-1].StatusDescription | Should -Match '^\d+ done, 3 skipped, 0 failed; \d+\.\d/s; of 20$'
            $known[-1].PercentComplete | Should -BeGreaterThan 15
            $known[-1].SecondsRemaining | Should -BeGreaterOrEqual 0
            @($records | Where-Object StatusDescription -Like '*not known*piped*').Count | Should -BeGreaterOrEqual 1
            $shell.Dispose()
        }
    }
}

Describe 'The journal of items' {
    It 'is what docs/format.md says, to a program that knows nothing but that page' -Tag Files {
        $store = New-TestStore -Missing
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        'host1', 2 | Invoke-CheckpointItem s { if ($_ -eq 2) { throw 'two' }; 'small'; 5L } -ContinueOnError -SaveOutput @at -ErrorAction SilentlyContinue
        'large' | Invoke-CheckpointItem s { , [byte[]]::new(20000) } -SaveOutput @at
        $text = [IO.File]::ReadAllText("$store/default/stages/s/items.jsonl")
        $text | Should -Match '\n$'
        $lines = $text.TrimEnd("`n") -split "`n"
        $lines | Should -HaveCount 4
        foreach ($line in $lines) {
            $line | Should -Match '^\{"crc":"[0-9a-f]{8}",'
            $crc = [uint] 0xFFFFFFFFL
            foreach ($byte in [Text.Encoding]::UTF8.GetBytes($line.Substring(18))) {
                $crc = $crc -bxor $byte
                foreach ($bit in 1..8) { $crc = ($crc -band 1) ? (($crc -shr 1) -bxor [uint] 0x82F63B78L) : ($crc -shr 1) }
            }
            '{0:x8}' -f ($crc -bxor [uint] 0xFFFFFFFFL) | Should -BeExactly $line.Substring(8, 8)
        }
        $head, $first, $second, $third = $lines | ConvertFrom-Json
        $head.PSObject.Properties.Name | Should -BeExactly 'crc', 'format', 'pipeline', 'name'
        $head.format, $head.pipeline, $head.name | Should -Be 1, 'default', 's'
        $first.PSObject.Properties.Name | Should -BeExactly 'crc', 'id', 'status', 'output', 'key', 'at'
        $first.id | Should -BeExactly ([Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::Unicode.GetBytes('host1'))).Substring(0, 32).ToLowerInvariant())
        $first.output.value | ConvertTo-Json -Compress | Should -Be '["small",{"$int64":"5"}]'
        $second.PSObject.Properties.Name | Should -BeExactly 'crc', 'id', 'status', 'key', 'at', 'error'
        $second.status, $second.key, $second.error | Should -Be 'failed', '2', 'two'
        $payload = [IO.File]::ReadAllBytes("$store/default/stages/s/items.outputs")
        $output = $third.output
        $output.offset, $output.length | Should -Be 0, $payload.Length
        [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($payload)).ToLowerInvariant() | Should -BeExactly $output.sha256
        [Text.Encoding]::UTF8.GetString($payload, 0, $output.documentLength) | Should -Be '[{"$byte[]":{"blob":[0,20000]}}]'
    }
}

Describe 'The lease of a stage of items' {
    It 'is what docs/format.md says: who locks its file is at work on the items' -Tag Files -Skip:(-not $IsLinux) {
        $store = New-TestStore -Missing
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        1 | Invoke-CheckpointItem 'a/b' { } @at
        $lock = "$store/default/leases/$(Split-Path -Leaf (Split-Path (Get-Checkpoint 'a/b' @at).Location)).lock"
        ([IO.File]::ReadAllText($lock) | ConvertFrom-Json).processId | Should -Be $PID
        $child = Start-Pwsh -NoModule { param($Path) flock -x $Path sh -c 'touch "$0.held"; exec sleep 600' $Path } $lock
        try {
            Wait-Until { Test-Path "$lock.held" }
            { 2 | Invoke-CheckpointItem 'a/b' { } @at } | Should -Throw -ErrorId 'LeaseHeld,Checkpoint.Commands.InvokeCheckpointItemCommand'
        }
        finally {
            $null = Stop-Pwsh $child
        }
    }
}

Describe 'A bulk job that is killed' {
    BeforeAll {
        # Each item, as the last thing it does, leaves its number and the time in a file of its own process and thread.
        $job = {
            param($Store, $Marks, $Last, $Throttle, $Pause)
            1..[int] $Last | Invoke-CheckpointItem s {
                if ($using:Pause) { Start-Sleep -Milliseconds $using:Pause }
                $_
                [IO.File]::AppendAllText("$using:Marks/$PID-$([Environment]::CurrentManagedThreadId)", "$_ $([datetime]::UtcNow.Ticks)`n")
            } -ThrottleLimit $Throttle -Store $Store -Pipeline default -Run '' | ForEach-Object { [Console]::Out.WriteLine($_) }
        }

        # The items that ended in a process, and when.
        function Get-Ended([string] $Marks, $Child) {
            $ended = [Collections.Generic.Dictionary[string, long]]::new()
            foreach ($file in [IO.Directory]::GetFiles($Marks, "$($Child.Process.Id)-*")) {
                foreach ($line in [IO.File]::ReadAllLines($file)) {
                    $item, $ticks = $line -split ' '
                    $ended.Add($item, $ticks)
                }
            }
            , $ended
        }

        function Get-Done([string] $Store) {
            $done = [Collections.Generic.HashSet[string]]::new()
            foreach ($line in Get-JournalLine $Store s) {
                if ($line -match '"status":"done","key":"(\d+)".*\}$') { $null = $done.Add($Matches[1]) }
            }
            , $done
        }
    }

    It 'does again at most what ended inside of the window, and nothing that it told of: <Throttle> at once' -ForEach @{ Throttle = 1; Pause = 0 }, @{ Throttle = 4; Pause = 5 } {
        # On disk after 200 ms at the latest; beyond that a disk that is slow to flush has so long.
        $window = [timespan]::FromMilliseconds(200) + [timespan]::FromSeconds(2)
        $store = New-TestStore -Missing
        $marks = New-TestFolder
        $random = [Random]::new(($seed = Get-Random))
        Write-Verbose "seed $seed" -Verbose
        $told = [Collections.Generic.HashSet[string]]::new()
        $most = 0
        foreach ($kill in 1..3) {
            $before = Get-Done $store
            $isLast = $kill -eq 3
            $child = Start-Pwsh $job $store, $marks, ($isLast ? $most : 1000000), $Throttle, ($isLast ? 0 : $Pause)
            if ($isLast) {
                $left = Wait-Pwsh $child
                $left.ErrorOutput | Should -BeNullOrEmpty
            }
            else {
                Wait-Until { [IO.Directory]::GetFiles($marks, "$($child.Process.Id)-*") }
                Start-Sleep -Milliseconds $random.Next(2500, 3500)
                $left = Stop-Pwsh $child
                Complete-Lease $store -Name s
            }
            $done = Get-Done $store
            $ended = Get-Ended $marks $child
            $before.Overlaps($ended.Keys) | Should -BeFalse -Because 'what was in the journal is not run again'
            $told.Overlaps($left.Output) | Should -BeFalse -Because 'what was told of is not run again'
            $told.UnionWith($left.Output)
            $told.IsSubsetOf($done) | Should -BeTrue -Because 'what was told of is in the journal'
            $lost = @($ended.Keys | Where-Object { -not $done.Contains($_) })
            Write-Verbose "$($lost.Count) of $($ended.Count) items were lost" -Verbose
            if ($lost) {
                # By the process's own time: it may have stood still before it was killed.
                $until = [Linq.Enumerable]::Max([long[]] @($ended.Values))
                $from = [Linq.Enumerable]::Min([long[]] @($lost | ForEach-Object { $ended[$_] }))
                [timespan]::FromTicks($until - $from) | Should -BeLessOrEqual $window
                if ($Throttle -eq 1) {
                    [Linq.Enumerable]::Min([int[]] $lost) | Should -BeGreaterThan ([Linq.Enumerable]::Max([int[]] @($done))) -Because 'the journal has all that ended before'
                }
            }
            $most = [Linq.Enumerable]::Max([int[]] @($most; $ended.Keys))
        }
        $lost | Should -BeNullOrEmpty
        $done.Count | Should -Be $most
        Test-Checkpoint s -Store $store -Pipeline default -Run '' | Should -BeTrue
    }

    It 'has an item on disk when it has ended, while the next takes long' {
        $store = New-TestStore -Missing
        $child = Start-Pwsh {
            param($Store)
            1..4 | Invoke-CheckpointItem s { if ($_ -eq 4) { Start-Sleep 600 } } -Store $Store -Pipeline default -Run ''
        } $store
        # That it is so after 200 ms, is shown by a clock that can be moved: ItemJournalTests.
        Wait-Until { (Get-Done $store).Count -eq 3 }
        $null = Stop-Pwsh $child
        Complete-Lease $store -Name s
        1..4 | Invoke-CheckpointItem s { $_ } -Store $store -Pipeline default -Run '' | Should -Be 4
    }

    It 'stops within a second at Ctrl+C and keeps what was done: <Throttle> at once' -ForEach @{ Throttle = 1 }, @{ Throttle = 3 } {
        $store = New-TestStore -Missing
        $shell = [powershell]::Create()
        $null = $shell.AddScript({
                param($module, $store, $throttle)
                Import-Module $module
                1..100 | Invoke-CheckpointItem s { if ($_ -gt 20) { $null = New-Item "$env:TEST_PLACE/signal$_"; Start-Sleep 600 } } -ThrottleLimit $throttle -Store $store -Pipeline default -Run ''
            }).AddArgument($ModulePath).AddArgument($store).AddArgument($Throttle)
        $running = $shell.BeginInvoke()
        # Then nobody is at work on one of the first twenty any more.
        Wait-Until { @(Get-Item "$env:TEST_PLACE/signal*").Count -eq $Throttle }
        $watch = [Diagnostics.Stopwatch]::StartNew()
        $shell.Stop()
        $watch.Elapsed.TotalSeconds | Should -BeLessThan 1
        $running.IsCompleted | Should -BeTrue
        $shell.Dispose()
        1..22 | Invoke-CheckpointItem s { $_ } -Store $store -Pipeline default -Run '' | Should -Be 21, 22
    }

    It 'stops within a second at Ctrl+C, with sixteen at work in <What>' -ForEach @(
        @{ What = 'PowerShell'; Wait = { Set-Content $file 0; Start-Sleep 600 } }
        @{ What = 'a program'; Wait = { sh -c 'echo $$ >"$0"; exec sleep 600' $file } }
        @{ What = '.NET, which cannot be stopped'; Wait = { Set-Content $file 0; [Threading.Thread]::Sleep(10000) } }
    ).Where{ -not $IsWindows -or $_.What -ne 'a program' } {
        $store = New-TestStore -Missing
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript({
                    param($module, $store, $wait)
                    Import-Module $module
                    $block = [scriptblock]::Create("if (`$_ -gt 20) { `$file = `"`$env:TEST_PLACE/signal`$_`"; $wait }")
                    1..100 | Invoke-CheckpointItem s $block -ThrottleLimit 16 -Store $store -Pipeline default -Run ''
                }).AddArgument($ModulePath).AddArgument($store).AddArgument("$Wait")
            $running = $shell.BeginInvoke()
            Wait-Until { @(Get-Item "$env:TEST_PLACE/signal*" | Where-Object Length).Count -ge 16 }
            $watch = [Diagnostics.Stopwatch]::StartNew()
            $shell.Stop()
            $watch.Elapsed.TotalSeconds | Should -BeLessThan 1
            $running.IsCompleted | Should -BeTrue
        }
        finally {
            $shell.Dispose()
        }
        if ($What -eq 'a program') {
            Wait-Until { -not (Get-Process -Id (Get-Content "$env:TEST_PLACE/signal*") -ErrorAction Ignore) }
        }
        1..20 | Invoke-CheckpointItem s { $_ } -Store $store -Pipeline default -Run '' | Should -BeNullOrEmpty
    }

    It 'loses to a torn tail of the journal its torn entries alone' -Tag Files {
        $store = New-TestStore -Missing
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        1..5 | Invoke-CheckpointItem s { } @at
        $file = "$store/default/stages/s/items.jsonl"
        $bytes = [IO.File]::ReadAllBytes($file)
        [IO.File]::WriteAllBytes($file, $bytes[0..($bytes.Length - 20)])
        1..5 | Invoke-CheckpointItem s { $_ } @at -WarningVariable warned -WarningAction SilentlyContinue | Should -Be 5
        $warned | Should -BeLike '*1 entries*'
        1..5 | Invoke-CheckpointItem s { $_ } @at -WarningAction SilentlyContinue | Should -BeNullOrEmpty
    }
}
