BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    filter Get-Line { "$($_.Severity) $($_.Kind) $([IO.Path]::GetRelativePath($store, $_.Location) -replace '\\', '/')" }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Test-CheckpointStore' {
    BeforeEach {
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store -Pipeline default -Run ''
    }

    Context 'Of a whole store' {
        It 'says nothing, whatever state is in it' {
            $values = @(
                $null, $true, 1, 5000000000, 1.5, [double]::NaN, [decimal] '1.50', [bigint]::Pow(2, 200), 'text', "$([char] 0xD800)", [char] 'x', [datetime]::Now, [timespan]::FromDays(1), [guid]::NewGuid(), [uri] 'a/b',
                [version] '1.2', [byte[]] (1..10), [byte[]]::new(50000), [int[]] (1..20000), ('x' * 40000), @(), @(1, @(2, 'a')), [int[, ]]::new(2, 3), [Collections.Generic.List[long]] (1, 2),
                [Collections.Generic.HashSet[string]]::new([string[]] 'a', [StringComparer]::OrdinalIgnoreCase), @{ a = @{ b = 1 }; '$c' = 2 }, @{ 1 = 'a'; b = 2 }, [ordered] @{ z = 1; a = [byte[]]::new(20000) },
                [Collections.Generic.Dictionary[string, int]]::new(), [pscustomobject] @{ a = 1; b = @(1, 2) }, [pscustomobject] @{ '$a' = 1 }, (Get-Item $PSHOME), [DayOfWeek]::Monday, [xml] '<a/>', (1..30000)
            )
            $values | ForEach-Object { Save-Checkpoint all -State $_ }
            Save-Checkpoint all -Run r -State (Get-Process -Id $PID) -WarningAction SilentlyContinue
            1..5 | Save-Checkpoint sequence -Metadata @{ rows = 5 } -Fingerprint @{ a = 1 }
            $null = 1..20 | Invoke-CheckpointItem items { "out $_"; [byte[]]::new(30000) } -Key { $_ } -SaveOutput
            $null = Invoke-CheckpointPipeline nightly { stage a { 1 }; stage b { 2 } }
            Clear-Checkpoint sequence
            Test-CheckpointStore | Format-List Message | Out-String | Should -BeNullOrEmpty
            Test-CheckpointStore -Verbose 4>&1 | Should -BeLike '*iB verified in*, 0 findings.*'
        }

        It 'needs no key for what is encrypted, and finds each changed byte of it all the same' -Tag Files {
            Set-CheckpointContext -Key ([Security.Cryptography.RandomNumberGenerator]::GetBytes(32))
            Save-Checkpoint small @{ a = 1 } -Metadata @{ b = 2 }
            Save-Checkpoint big ([byte[]]::new(200000))
            1..3 | Invoke-CheckpointItem items { 'x' * 100000 } -SaveOutput | Out-Null
            Set-CheckpointContext -Key $null
            Test-CheckpointStore | Should -BeNullOrEmpty
            $payload = Get-ChildItem $store -Recurse -Filter '*.state'
            $bytes = [IO.File]::ReadAllBytes($payload.FullName)
            $bytes[100000] = $bytes[100000] -bxor 1
            [IO.File]::WriteAllBytes($payload.FullName, $bytes)
            (Test-CheckpointStore).Kind | Should -Be 'DamagedPayload'
            $null = Repair-CheckpointStore -Confirm:$false
            Test-CheckpointStore | Should -BeNullOrEmpty
            Test-Checkpoint small | Should -BeTrue
        }

        It 'says nothing of what is encrypted either, whatever state is in it' {
            Set-CheckpointContext -Key ([byte[]](1..32))
            $text = [Net.NetworkCredential]::new('', 'päß').SecurePassword
            Save-Checkpoint secrets @{ text = $text; user = [pscredential]::new('ü', $text); none = [pscredential]::Empty; list = @($text, [securestring]::new()) }
            Save-Checkpoint all (Get-Process -Id $PID) -WarningAction SilentlyContinue
            Save-Checkpoint big @{ a = [double[]](1..200000); b = 'x' * 300000 } -Metadata @{ rows = 5 }
            Test-CheckpointStore | Format-List | Out-String | Should -BeNullOrEmpty
        }

        It 'verifies with the key of the context or -Key that what is encrypted is what was saved, whoever made the checksums right' {
            $key = [byte[]](1..32)
            Set-CheckpointContext -Key $key
            Save-Checkpoint a 'first'
            Save-Checkpoint a 'second'
            $info = Get-Checkpoint a
            $text = Get-Record $info.Location
            $body = $text.Substring(0, $text.Length - 85) -replace '"savedAt": "2', '"savedAt": "3'
            $hash = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($body))).ToLowerInvariant()
            Set-Record $info.Location ("$body,`n  `"checksum`": `"$hash`"`n}`n")

            Test-CheckpointStore -Key $null | Should -BeNullOrEmpty
            (Test-CheckpointStore).Kind | Should -Be 'NotAuthentic'
            Test-CheckpointStore -Key ([byte[]](2..33)) | ForEach-Object { "$($_.Severity) $($_.Kind) $($_.Step)" } | Should -Be 'Information Locked 1', 'Information Locked 2'
            Set-CheckpointContext -Key $null
            (Test-CheckpointStore -Key $key).Kind | Should -Be 'NotAuthentic'
            { Test-CheckpointStore -Key 'secret' } | Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.TestCheckpointStoreCommand'
            Repair-CheckpointStore | Should -BeNullOrEmpty
            (Repair-CheckpointStore -Key $key).Action | Should -Be 'Quarantined'
            Restore-Checkpoint a -Key $key | Should -Be 'first'
            Save-Checkpoint plain 1
            (Test-CheckpointStore -Key $key).Kind | Should -Be 'NotEncrypted'
        }

        It 'says so, and makes nothing, where there is none' -Tag Files {
            $none = "$store/none"
            Test-CheckpointStore -Store $none -WarningVariable warned -WarningAction SilentlyContinue | Should -BeNullOrEmpty
            "$warned" | Should -BeLike "There is no store at*$([WildcardPattern]::Escape($none))*"
            $none | Should -Not -Exist
        }

        It 'is an error where the store is a file' -Tag Files {
            Set-Content "$store/file" x
            { Test-CheckpointStore -Store "$store/file" } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.TestCheckpointStoreCommand'
        }
    }

    Context 'Of damage' {
        It 'emits an object for each finding, and no error' -Tag Files {
            1..3 | ForEach-Object { Save-Checkpoint a ([byte[]]::new(20000)) }
            $last = Get-Checkpoint a
            [IO.File]::WriteAllBytes((Get-PayloadPath $last), [byte[]]::new(10))
            Set-Record (Get-RecordPath $store a -Step 1) x
            $found = @(Test-CheckpointStore -ErrorVariable errors)
            $? | Should -BeTrue
            $errors | Should -BeNullOrEmpty
            $found | Get-Line | Should -BeLike 'Error Damaged* default/stages/a/000000000*'
            $found.Kind | Should -Be 'DamagedRecord', 'DamagedPayload'
            $payload = $found | Where-Object Kind -EQ DamagedPayload
            $payload | Should -BeOfType Checkpoint.StoreFinding
            $payload.Pipeline, $payload.Run, $payload.Name, $payload.Step, $payload.Store, $payload.Action | Should -Be 'default', $null, 'a', 3, $store, 'None'
            $payload.Message | Should -BeLike '*10 bytes and should have*newest intact step counts. Repair-CheckpointStore puts it aside.'
            $found | Select-Object -First 1 | Get-Member -MemberType Property | ForEach-Object { $_.Definition } | Should -Not -Match 'set;'
        }

        It 'names what happened to the history' -Tag Files -ForEach @(
            @{ Change = { $_[0], $_[2], $_[3] }; Message = 'Line 2 of the history*follows a gap: line 2 was removed*. Find out who did it; Repair-CheckpointStore writes down that it is known.' }
            @{ Change = { $_[0], ($_[1] -replace '"b"', '"x"'), $_[2], $_[3] }; Message = "Line 2 of the history*was changed ('Saved x step 1')*" }
            @{ Change = { $_[0], $_[2], $_[1], $_[3] }; Message = 'Line 3 of the history*stands out of its place*' }
            @{ Change = { $_[0..2] }; Message = 'The newest line is missing*' }
        ) {
            'a', 'b', 'c', 'd' | ForEach-Object { Save-Checkpoint $_ }
            $lines = Get-Content "$store/default/history.jsonl"
            [IO.File]::WriteAllText("$store/default/history.jsonl", (((, $lines | ForEach-Object $Change) -join "`n") + "`n"))
            (Test-CheckpointStore).Message -like $Message | Should -HaveCount 1
        }

        It 'shows a table below 80 columns, and the message as a list' {
            Save-Checkpoint a
            Set-Record (Get-RecordPath $store a) x
            $shown = Test-CheckpointStore | Out-String -Width 80
            $shown | Should -Match 'Severity\s+Kind\s+Action\s+Location'
            $shown | Should -Match 'Error.*DamagedRecord\s+(default|#checkpoint/default)'
            Test-CheckpointStore | Format-List | Out-String | Should -Match 'Message\s*: The record is damaged'
        }
    }

    Context 'Of what is meant' {
        BeforeEach {
            Save-Checkpoint a
            Save-Checkpoint a -Run r1
            Save-Checkpoint 'b[1]' -Pipeline other
            Get-Checkpoint -Pipeline * | ForEach-Object { Set-Record $_.Location x }
            Set-Record (Get-Checkpoint -Run r1).Location x
        }

        It 'means the whole store, whatever the context says' {
            Set-CheckpointContext -Pipeline default -Run r1
            Test-CheckpointStore | Should -HaveCount 3
        }

        It 'means what the parameters name' {
            (Test-CheckpointStore -Pipeline oth*).Name | Should -Be 'b[1]'
            (Test-CheckpointStore -Run r1).Run | Should -Be 'r1'
            Test-CheckpointStore -Run '' | Should -HaveCount 2
            (Test-CheckpointStore a -Run '').Name | Should -Be 'a'
            Test-CheckpointStore a | Should -HaveCount 2
            (Test-CheckpointStore 'b[1]').Pipeline | Should -Be 'other'
            Test-CheckpointStore none | Should -BeNullOrEmpty
        }

        It 'takes stages from the pipeline' {
            Save-Checkpoint a -Run r1
            (Get-Checkpoint a -Run r1 | Test-CheckpointStore).Run | Should -Be 'r1'
        }
    }

    Context 'Beside others' {
        It 'finds nothing beside processes that save, overwrite, prune, clear and run items' {
            $work = {
                param($Store, $Id)
                Set-CheckpointContext -Store $Store -Pipeline default -Run ''
                while (-not (Test-Path "$env:TEST_PLACE/stop")) {
                    Save-Checkpoint shared ([byte[]]::new(30000)) -Keep 3 6>$null
                    Save-Checkpoint "own$Id" ([byte[]]::new(30000)) -Step 1 -Overwrite 6>$null
                    Save-Checkpoint "gone$Id" 1 6>$null
                    Clear-Checkpoint "gone$Id" 6>$null
                    $null = 1..5 | Invoke-CheckpointItem "items$Id" { [byte[]]::new(30000) } -Key { "$_ $([guid]::NewGuid())" } -SaveOutput
                }
            }
            $children = 1..3 | ForEach-Object { Start-Pwsh $work $store, "$_" }
            try {
                Wait-Until { @(Get-Checkpoint own*).Count -eq 3 }
                $found = 1..15 | ForEach-Object { Test-CheckpointStore }
            }
            finally {
                Set-Content "$env:TEST_PLACE/stop" x
                $left = $children | ForEach-Object { Wait-Pwsh $_ }
                Remove-Item "$env:TEST_PLACE/stop"
            }
            foreach ($one in $left) { $one.ErrorOutput | Should -BeNullOrEmpty }
            $found | Format-List Kind, Message, Location | Out-String | Should -BeNullOrEmpty
        }

        It 'tells what a killed process left, and calls nothing of it damage' {
            foreach ($i in 1..4) {
                $child = Start-Pwsh {
                    param($Store)
                    while ($true) {
                        Save-Checkpoint a ([byte[]]::new(3mb)) -Store $Store -Pipeline default -Run '' -Step 1 -Overwrite 6>$null
                        $null = 1..5 | Invoke-CheckpointItem items { 'x' * 30000 } -Key { "$_ $([guid]::NewGuid())" } -SaveOutput -Store $Store -Pipeline default -Run ''
                    }
                } $store
                Wait-Until { @(Get-CheckpointHistory).Count -ge 5 * $i }
                $null = Stop-Pwsh $child
                Complete-Lease $store -Name items
                Test-CheckpointStore | Where-Object Severity -NE Information | Format-List Message | Out-String | Should -BeNullOrEmpty
            }
            (Test-CheckpointStore).Kind | Where-Object { $_ -notin 'Leftover', 'TornLine' } | Should -BeNullOrEmpty
        }

        It 'shows how far it is, and stops within a second' {
            1..3 | ForEach-Object { Save-Checkpoint "big$_" ([byte[]]::new(($StoreKind -eq 'folder' ? 200mb : 40mb))) }
            $shell = [powershell]::Create().AddScript('Import-Module $args[0]; Test-CheckpointStore -Store $args[1]').AddArgument($ModulePath).AddArgument($store)
            try {
                $running = $shell.BeginInvoke()
                Wait-Until { $shell.Streams.Progress.Count -gt 1 }
                $shell.Streams.Progress[0].StatusDescription | Should -Match '^\d+( of \d+)? MiB$'
                $watch = [Diagnostics.Stopwatch]::StartNew()
                $shell.Stop()
                $watch.Elapsed.TotalSeconds | Should -BeLessThan 5
                $running.IsCompleted | Should -BeTrue
            }
            finally {
                $shell.Dispose()
            }
        }
    }
}
