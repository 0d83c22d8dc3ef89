BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    # Whatever the shell or the CI job says, a test's checkpoints belong to the default pipeline and no run.
    function Initialize-Context([string] $Store) {
        Set-CheckpointContext -Reset -Store $Store -Pipeline '' -Run '' -Keep $null
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Test-Checkpoint' {
    BeforeEach {
        $store = New-TestStore
        Initialize-Context $store
    }

    Context 'The answer' {
        It 'says $false for a stage that was never saved' {
            Test-Checkpoint ingest | Should -BeFalse
        }

        It 'says $false where there is no store, and makes none' {
            $missing = New-TestStore -Missing
            Test-Checkpoint ingest -Store $missing | Should -BeFalse
            $missing | Should -Not -Exist
        }

        It 'says $true for a stage that was saved <How>' -ForEach @(
            @{ How = 'without a state'; Save = { Save-Checkpoint ingest } }
            @{ How = 'with the state $null'; Save = { Save-Checkpoint ingest $null } }
            @{ How = 'with a small state'; Save = { Save-Checkpoint ingest @{ rows = 1 } } }
            @{ How = 'with a large state'; Save = { Save-Checkpoint ingest ([byte[]]::new(100kb)) } }
            @{ How = 'as step 0'; Save = { Save-Checkpoint ingest -Step 0 } }
        ) {
            & $Save
            Test-Checkpoint ingest | Should -BeTrue
        }

        It 'emits one [bool] and writes to no other stream' {
            Save-Checkpoint there -InformationAction Ignore
            foreach ($name in 'there', 'missing') {
                $all = @(Test-Checkpoint $name *>&1)
                $all | Should -HaveCount 1
                $all[0] | Should -BeOfType [bool]
            }
        }

        It 'makes a stage run once, as in the script of an operator' {
            $ran = 0
            1..3 | ForEach-Object {
                if (-not (Test-Checkpoint ingest)) {
                    $ran++
                    Save-Checkpoint ingest
                }
            }
            $ran | Should -Be 1
        }

        It 'looks in the pipeline and run that the call means, and in no other' {
            Save-Checkpoint ingest -Pipeline nightly -Run 7
            Test-Checkpoint ingest -Pipeline nightly -Run 7 | Should -BeTrue
            Test-Checkpoint ingest | Should -BeFalse
            Test-Checkpoint ingest -Pipeline nightly | Should -BeFalse
            Test-Checkpoint ingest -Pipeline nightly -Run 8 | Should -BeFalse
            Test-Checkpoint ingest -Pipeline weekly -Run 7 | Should -BeFalse
            Test-Checkpoint ingest -Run 7 | Should -BeFalse
        }

        It 'asks for one step with -Step, and never takes another for it' {
            Save-Checkpoint ingest -Step 0
            Save-Checkpoint ingest -Step 7
            0, 7 | ForEach-Object { Test-Checkpoint ingest -Step $_ } | Should -Be $true, $true
            1, 6, 8, [long]::MaxValue | ForEach-Object { Test-Checkpoint ingest -Step $_ } | Should -Be $false, $false, $false, $false
        }

        It 'refuses a step below 0' {
            { Test-Checkpoint ingest -Step -1 } | Should -Throw -ErrorId 'ParameterArgumentValidationError,Checkpoint.Commands.TestCheckpointCommand'
        }

        It 'takes a name literally: a wildcard is none here' {
            Save-Checkpoint ingest
            Test-Checkpoint 'ing*' | Should -BeFalse
            Save-Checkpoint 'ing*'
            Test-Checkpoint 'ing*' | Should -BeTrue
        }

        It 'says $false again once the checkpoint is cleared' {
            Save-Checkpoint ingest
            Clear-Checkpoint ingest
            Test-Checkpoint ingest | Should -BeFalse
        }

        It 'says InvalidName for <What>' -ForEach @(
            @{ What = 'an empty name'; Name = '' }
            @{ What = 'a line break in a name'; Name = "a`nb" }
            @{ What = 'a name of 201 characters'; Name = 'x' * 201 }
        ) {
            { Test-Checkpoint $Name } | Should -Throw -ErrorId 'InvalidName,Checkpoint.Commands.TestCheckpointCommand'
        }

        It 'says StoreUnavailable for a store of an unknown kind' {
            $failure = { Test-Checkpoint ingest -Store 'redis://localhost/0' } | Should -Throw -PassThru -ErrorId 'StoreUnavailable,Checkpoint.Commands.TestCheckpointCommand'
            $failure.CategoryInfo.Category | Should -Be 'ResourceUnavailable'
            $failure.Exception.Message | Should -BeLike "*'redis://'*file://*"
        }
    }

    Context '-Detailed' {
        It 'emits one decision to skip, with the checkpoint, for a stage that is done' {
            $saved = Save-Checkpoint ingest -PassThru
            $decision = Test-Checkpoint ingest -Detailed
            $decision | Should -HaveCount 1
            $decision | Should -BeOfType [Checkpoint.CheckpointDecision]
            $decision.Name | Should -BeExactly 'ingest'
            $decision.Decision | Should -Be 'Skip'
            $decision.Cause | Should -Be 'Completed'
            $decision.Reason | Should -BeLike "*completed at $($saved.SavedAt.ToString('u'))*"
            $decision.Changed | Should -HaveCount 0
            $decision.Checkpoint.Location | Should -Be $saved.Location
        }

        It 'emits one decision to run, without a checkpoint, for a stage that was never saved' {
            $decision = Test-Checkpoint ingest -Detailed
            $decision.Decision | Should -Be 'Run'
            $decision.Cause | Should -Be 'NotFound'
            $decision.Reason | Should -Be 'there is no checkpoint'
            $decision.Checkpoint | Should -BeNullOrEmpty
            $decision.Changed | Should -HaveCount 0
        }

        It 'names the step that is not there' {
            Save-Checkpoint ingest
            $decision = Test-Checkpoint ingest -Step 4 -Detailed
            $decision.Decision | Should -Be 'Run'
            $decision.Cause | Should -Be 'NotFound'
            $decision.Reason | Should -Be 'step 4 is not saved'
        }

        It 'decides as the plain call does, with the same parameters' {
            Save-Checkpoint ingest -Fingerprint 1
            foreach ($parameters in @{}, @{ Fingerprint = 1 }, @{ Fingerprint = 2 }, @{ Step = 9 }, @{ MaxAge = '1h' }) {
                (Test-Checkpoint ingest @parameters -Detailed).Decision | Should -Be ((Test-Checkpoint ingest @parameters) ? 'Skip' : 'Run')
            }
        }

        It 'gives a decision that cannot be changed' {
            Save-Checkpoint ingest -Fingerprint @{ a = 1 }
            $decision = Test-Checkpoint ingest -Fingerprint @{ a = 2 } -Detailed
            foreach ($property in $decision.PSObject.Properties.Name) {
                { $decision.$property = $decision.$property } | Should -Throw -Because $property
            }
            { $decision.Changed.Clear() } | Should -Throw
            { $decision.Changed[0].Part = 'b' } | Should -Throw
            $decision.Changed | Should -HaveCount 1
        }

        It 'gives a checkpoint whose change by a script would not change the next answer' {
            Save-Checkpoint ingest -Metadata @{ rows = 1, 2 }
            $first = (Test-Checkpoint ingest -Detailed).Checkpoint
            try {
                $first.Metadata['rows'][0] = 9
                $first.Name = 'other'
            }
            catch {
                $null = $_ # It could not be changed: so much the better.
            }
            $second = (Test-Checkpoint ingest -Detailed).Checkpoint
            $second.Name | Should -Be 'ingest'
            $second.Metadata['rows'] | Should -Be 1, 2
        }
    }

    Context '-Fingerprint' {
        It 'says <Answer> for a checkpoint saved <Saved>, asked <Asked>' -ForEach @(
            @{ Saved = 'under the same'; Save = @{ Fingerprint = @{ size = 1; date = '2024-05-01' } }; Asked = 'with the same'; Ask = @{ Fingerprint = @{ date = '2024-05-01'; size = 1 } }; Answer = $true }
            @{ Saved = 'under another'; Save = @{ Fingerprint = @{ size = 1 } }; Asked = 'with one'; Ask = @{ Fingerprint = @{ size = 2 } }; Answer = $false }
            @{ Saved = 'without one'; Save = @{}; Asked = 'with one'; Ask = @{ Fingerprint = @{ size = 1 } }; Answer = $false }
            @{ Saved = 'without one'; Save = @{}; Asked = 'with $null'; Ask = @{ Fingerprint = $null }; Answer = $false }
            @{ Saved = 'under $null'; Save = @{ Fingerprint = $null }; Asked = 'with $null'; Ask = @{ Fingerprint = $null }; Answer = $true }
            @{ Saved = 'under one'; Save = @{ Fingerprint = 1 }; Asked = 'without one'; Ask = @{}; Answer = $true }
            @{ Saved = 'under ("ab","c")'; Save = @{ Fingerprint = 'ab', 'c' }; Asked = 'with ("a","bc")'; Ask = @{ Fingerprint = 'a', 'bc' }; Answer = $false }
        ) {
            Save-Checkpoint ingest @Save
            Test-Checkpoint ingest @Ask | Should -Be $Answer
        }

        It 'takes what Get-CheckpointFingerprint gives' {
            Save-Checkpoint ingest -Fingerprint @{ size = 1 }
            Test-Checkpoint ingest -Fingerprint (Get-CheckpointFingerprint @{ size = 1 }) | Should -BeTrue
            Test-Checkpoint ingest -Fingerprint (Get-CheckpointFingerprint @{ size = 2 }) | Should -BeFalse
            Test-Checkpoint ingest -Fingerprint (Get-Checkpoint ingest).Fingerprint | Should -BeTrue
        }

        It 'names each part that changed, was added or is gone, with its hashes then and now' {
            $then = Get-CheckpointFingerprint @{ same = 0; edited = 1; gone = 2 }
            $now = Get-CheckpointFingerprint @{ same = 0; edited = 9; added = 3 }
            Save-Checkpoint ingest -Fingerprint $then
            $decision = Test-Checkpoint ingest -Fingerprint $now -Detailed
            $decision.Decision | Should -Be 'Run'
            $decision.Cause | Should -Be 'FingerprintChanged'
            $decision.Reason | Should -Be 'the fingerprint changed: added, edited, gone'
            $decision.Checkpoint.Name | Should -Be 'ingest'
            $decision.Changed.Part | Should -Be 'added', 'edited', 'gone'
            $decision.Changed.SavedHash | Should -Be $null, $then.Parts['edited'], $then.Parts['gone']
            $decision.Changed.CurrentHash | Should -Be $now.Parts['added'], $now.Parts['edited'], $null
        }

        It 'names the first few of many changes, and how many there are' {
            $many = @{ same = 0 }
            1..8 | ForEach-Object { $many["k$_"] = $_ }
            Save-Checkpoint ingest -Fingerprint @{ same = 0 }
            (Test-Checkpoint ingest -Fingerprint $many -Detailed).Reason | Should -Be 'the fingerprint changed: k1, k2, k3, k4, k5 and 3 more'
        }

        It 'names the group of a change among very many parts, and the record stays small' -Tag Files {
            $settings = @{}
            1..20000 | ForEach-Object { $settings["key$_"] = $_ }
            (Get-Item (Save-Checkpoint ingest -Fingerprint $settings -PassThru).Location).Length | Should -BeLessThan 200kb
            Test-Checkpoint ingest -Fingerprint $settings | Should -BeTrue
            $settings['key12345'] = 0
            (Test-Checkpoint ingest -Fingerprint $settings -Detailed).Reason | Should -Be 'the fingerprint changed: key123…'
        }

        It 'names a change deep inside by its topmost part' {
            Save-Checkpoint ingest -Fingerprint @{ source = @{ server = @{ name = 'a'; ports = 1, 2 } }; size = 1 }
            $decision = Test-Checkpoint ingest -Fingerprint @{ source = @{ server = @{ name = 'a'; ports = 1, 3 } }; size = 1 } -Detailed
            $decision.Changed.Part | Should -Be 'source'
        }

        It 'says that a checkpoint has no fingerprint to compare' {
            Save-Checkpoint ingest
            $decision = Test-Checkpoint ingest -Fingerprint 1 -Detailed
            $decision.Cause | Should -Be 'FingerprintChanged'
            $decision.Reason | Should -Be 'it was saved without a fingerprint'
            $decision.Changed | Should -HaveCount 0
        }

        It 'compares with the latest step, not with one that would fit' {
            Save-Checkpoint ingest -Fingerprint 1
            Save-Checkpoint ingest -Fingerprint 2
            Test-Checkpoint ingest -Fingerprint 1 | Should -BeFalse
            Test-Checkpoint ingest -Fingerprint 1 -Step 1 | Should -BeTrue
        }

        It 'refuses a secret as an error, not as $false' {
            Save-Checkpoint ingest
            { Test-Checkpoint ingest -Fingerprint @{ password = [securestring]::new() } } |
                Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.TestCheckpointCommand'
        }
    }

    Context '-MaxAge' {
        It 'says <Answer> after <Age> for at most <MaxAge>' -ForEach @(
            @{ Age = '00:00:30'; MaxAge = '90s'; Answer = $true }
            @{ Age = '00:02:00'; MaxAge = '90s'; Answer = $false }
            @{ Age = '00:14:00'; MaxAge = '15m'; Answer = $true }
            @{ Age = '00:16:00'; MaxAge = '15m'; Answer = $false }
            @{ Age = '1.11:00:00'; MaxAge = '36h'; Answer = $true }
            @{ Age = '1.13:00:00'; MaxAge = '36h'; Answer = $false }
            @{ Age = '6.00:00:00'; MaxAge = '7d'; Answer = $true }
            @{ Age = '8.00:00:00'; MaxAge = '7D'; Answer = $false }
            @{ Age = '01:20:00'; MaxAge = '1.5h'; Answer = $true }
            @{ Age = '01:40:00'; MaxAge = '1.5h'; Answer = $false }
            @{ Age = '01:40:00'; MaxAge = '01:30:00'; Answer = $false }
            @{ Age = '01:20:00'; MaxAge = [timespan]::FromMinutes(90); Answer = $true }
            @{ Age = '01:40:00'; MaxAge = [timespan]::FromMinutes(90); Answer = $false }
            @{ Age = '00:00:00'; MaxAge = '1s'; Answer = $true }
            @{ Age = '-01:00:00'; MaxAge = '1s'; Answer = $true } # another machine's clock is ahead
        ) {
            Set-RecordAge (Save-Checkpoint ingest -PassThru) $Age
            Test-Checkpoint ingest -MaxAge $MaxAge | Should -Be $Answer
        }

        It 'takes 90s and 7d, which are numbers to PowerShell, as they were written' {
            Set-RecordAge (Save-Checkpoint ingest -PassThru) 1.00:00:00
            Test-Checkpoint ingest -MaxAge 90s | Should -BeFalse
            Test-Checkpoint ingest -MaxAge 90000s | Should -BeTrue
            Test-Checkpoint ingest -MaxAge 7d | Should -BeTrue
        }

        It 'says when it was saved, and the limit' {
            Set-RecordAge (Save-Checkpoint ingest -PassThru) 08:00:00
            $decision = Test-Checkpoint ingest -MaxAge 2h -Detailed
            $decision.Cause | Should -Be 'Expired'
            $decision.Reason | Should -BeLike "*$((Get-Checkpoint ingest).SavedAt.ToString('u'))*02:00:00*"
        }

        It 'counts from the latest step' {
            Set-RecordAge (Save-Checkpoint ingest -PassThru) 08:00:00
            Save-Checkpoint ingest
            Test-Checkpoint ingest -MaxAge 2h | Should -BeTrue
            Test-Checkpoint ingest -MaxAge 2h -Step 1 | Should -BeFalse
        }

        It 'refuses <MaxAge>' -ForEach @(
            @{ MaxAge = 5 }
            @{ MaxAge = '5' }
            @{ MaxAge = '0s' }
            @{ MaxAge = '-1h' }
            @{ MaxAge = [timespan]::Zero }
            @{ MaxAge = 'soon' }
            @{ MaxAge = '' }
            @{ MaxAge = '1e3s' }
            @{ MaxAge = '99999999999d' }
            @{ MaxAge = $null }
        ) {
            { Test-Checkpoint ingest -MaxAge $MaxAge } | Should -Throw -ErrorId 'ParameterArgumentTransformationError,Checkpoint.Commands.TestCheckpointCommand'
        }
    }

    Context 'A stage with output files' {
        BeforeEach {
            $place = New-TestFolder
            $file = Join-Path $place 'rows.csv'
            Set-Content -LiteralPath $file 'a,b' -NoNewline
            $null = Save-Checkpoint ingest -OutputFile $file -PassThru
            $written = [IO.File]::GetLastWriteTimeUtc($file)
        }

        It 'says Skip while the file is as it was' {
            Test-Checkpoint ingest | Should -BeTrue
        }

        It 'says Skip for a file that was touched but has its content' {
            [IO.File]::SetLastWriteTimeUtc($file, $written.AddHours(1))
            Test-Checkpoint ingest | Should -BeTrue
        }

        It 'says Skip for a file that was written anew with the same content' {
            Remove-Item -LiteralPath $file
            Set-Content -LiteralPath $file 'a,b' -NoNewline
            [IO.File]::SetLastWriteTimeUtc($file, $written.AddSeconds(-5))
            Test-Checkpoint ingest | Should -BeTrue
        }

        It 'says Run for a stage whose output file was changed' {
            Set-Content -LiteralPath $file 'a,c' -NoNewline
            [IO.File]::SetLastWriteTimeUtc($file, $written.AddSeconds(1))
            $decision = Test-Checkpoint ingest -Detailed
            $decision.Decision | Should -Be 'Run'
            $decision.Cause | Should -Be 'OutputChanged'
            $decision.Reason | Should -BeLike "*$file*another content*"
            Test-Checkpoint ingest | Should -BeFalse
        }

        It 'does not read a file whose size and time are what they were' {
            Set-Content -LiteralPath $file 'x,y' -NoNewline
            [IO.File]::SetLastWriteTimeUtc($file, $written)
            Test-Checkpoint ingest | Should -BeTrue
        }

        It 'says Run for a file of another size, even of the same time' {
            Set-Content -LiteralPath $file 'a,b,c' -NoNewline
            [IO.File]::SetLastWriteTimeUtc($file, $written)
            (Test-Checkpoint ingest -Detailed).Reason | Should -BeLike '*has 5 bytes and had 3*'
        }

        It 'says Run for a file that is missing' {
            Remove-Item -LiteralPath $file
            (Test-Checkpoint ingest -Detailed).Reason | Should -BeLike "*$file*missing*"
            Test-Checkpoint ingest | Should -BeFalse
        }

        It 'says Run for a file that is a folder now' {
            Remove-Item -LiteralPath $file
            $null = New-Item -ItemType Directory $file
            Test-Checkpoint ingest | Should -BeFalse
        }

        It 'says Skip again when the content is back' {
            Set-Content -LiteralPath $file 'a,c' -NoNewline
            Test-Checkpoint ingest | Should -BeFalse
            Set-Content -LiteralPath $file 'a,b' -NoNewline
            Test-Checkpoint ingest | Should -BeTrue
        }

        It 'wants every file as it was' {
            $files = 1..3 | ForEach-Object { Join-Path $place "part$_" }
            $files | ForEach-Object { Set-Content -LiteralPath $_ $_ }
            Save-Checkpoint parts -OutputFile "$place/part*"
            Test-Checkpoint parts | Should -BeTrue
            Remove-Item -LiteralPath $files[2]
            Test-Checkpoint parts | Should -BeFalse
        }

        It 'finds files beside the store again when both have moved' -Tag Files {
            $project = New-TestStore
            Set-Content "$project/out.csv" 'x'
            Save-Checkpoint export -Store "$project/.checkpoints" -OutputFile "$project/out.csv"
            $moved = New-TestStore -Missing
            Move-Item $project $moved
            Test-Checkpoint export -Store "$moved/.checkpoints" | Should -BeTrue
            Set-Content "$moved/out.csv" 'other'
            Test-Checkpoint export -Store "$moved/.checkpoints" | Should -BeFalse
        }

        It 'looks at the files of the latest step only' {
            $other = Join-Path $place 'other.csv'
            Set-Content $other 'x'
            Save-Checkpoint ingest -OutputFile $other
            Remove-Item -LiteralPath $file
            Test-Checkpoint ingest | Should -BeTrue
        }
    }

    Context 'Damaged checkpoints' {
        It 'never counts a record that is <What>, warns, and raises no error' -ForEach @(
            @{ What = 'empty'; Damage = { Set-Record $args[0] '' } }
            @{ What = 'half-written'; Damage = { $b = Get-RecordByte $args[0]; Set-Record $args[0] ($b[0..($b.Length / 2)]) } }
            @{ What = 'short of its last byte'; Damage = { $b = Get-RecordByte $args[0]; Set-Record $args[0] ($b[0..($b.Length - 2)]) } }
            @{ What = 'longer than it was'; Damage = { Set-Record $args[0] ((Get-Record $args[0]) + "`n") } }
            @{ What = 'full of zeros'; Damage = { Set-Record $args[0] ([byte[]]::new(400)) } }
            @{ What = 'some other JSON'; Damage = { Set-Record $args[0] '{"format": 1}' } }
            @{ What = 'changed in one letter'; Damage = { Set-Record $args[0] ((Get-Record $args[0]) -replace '"savedAt": "2', '"savedAt": "1') } }
            @{ What = 'without a name though whole'; Damage = { Edit-Record $args[0] { $_ -replace '  "name": "ingest",\n' } } }
            @{ What = 'of an unknown status though whole'; Damage = { Edit-Record $args[0] { $_ -replace '"completed"', '"started"' } } }
        ) {
            $only = Save-Checkpoint ingest -Step 2 -PassThru
            & $Damage $only.Location
            $answer = Test-Checkpoint ingest -WarningVariable warning -WarningAction SilentlyContinue -ErrorAction Stop
            $answer | Should -BeFalse
            $warning | Should -HaveCount 1
            $warning[0].Message | Should -BeLike "Step 2 of checkpoint 'ingest'*damaged*'$($only.Location)'*"
        }

        It 'never counts a record cut off at any byte (seed <Seed>)' -ForEach @(@{ Seed = Get-Random -Maximum 1000000 }) {
            $info = Save-Checkpoint ingest @{ rows = 1..5 } -Fingerprint @{ a = 1 } -Metadata @{ b = 2 } -PassThru
            $bytes = Get-RecordByte $info.Location
            $random = [Random]::new($Seed)
            foreach ($length in @(0, 1, ($bytes.Length - 1)) + @(1..25 | ForEach-Object { $random.Next(1, $bytes.Length) })) {
                Set-Record $info.Location ([byte[]] $bytes[0..$length][0..([Math]::Max(0, $length - 1))])
                Test-Checkpoint ingest -WarningAction Ignore | Should -BeFalse -Because "it is cut at $length"
            }
            Set-Record $info.Location $bytes
            Test-Checkpoint ingest | Should -BeTrue
        }

        It 'counts the newest intact one, and says so in a warning' {
            1..4 | ForEach-Object { Save-Checkpoint ingest -Fingerprint $_ }
            Get-Checkpoint ingest -Step 3, 4 | ForEach-Object { Set-Record $_.Location '' }
            $decision = Test-Checkpoint ingest -Detailed -WarningVariable warning -WarningAction SilentlyContinue
            $decision.Decision | Should -Be 'Skip'
            $decision.Checkpoint.Step | Should -Be 2
            $warning | Should -HaveCount 2
            $warning.Message | Should -BeLike '*Step 2 counts instead.'
            Test-Checkpoint ingest -Fingerprint 2 -WarningAction Ignore | Should -BeTrue
            Test-Checkpoint ingest -Fingerprint 4 -WarningAction Ignore | Should -BeFalse
        }

        It 'says that none is left when all are damaged' {
            1..3 | ForEach-Object { Set-Record (Save-Checkpoint ingest -PassThru).Location '' }
            $decision = Test-Checkpoint ingest -Detailed -WarningVariable warning -WarningAction SilentlyContinue
            $decision.Decision | Should -Be 'Run'
            $decision.Cause | Should -Be 'Damaged'
            $decision.Checkpoint | Should -BeNullOrEmpty
            $warning | Should -HaveCount 3
        }

        It 'says $false, with a warning, for the damaged step that was asked for' {
            1..2 | ForEach-Object { Save-Checkpoint ingest }
            Set-Record (Get-Checkpoint ingest).Location ''
            Test-Checkpoint ingest -Step 2 -WarningVariable warning -WarningAction SilentlyContinue | Should -BeFalse
            $warning | Should -HaveCount 1
            Test-Checkpoint ingest -Step 1 | Should -BeTrue
        }

        It 'does not count a checkpoint whose payload is <What>; an older one counts' -Tag Files -ForEach @(
            @{ What = 'missing'; Damage = { Remove-Item -LiteralPath $args[0] } }
            @{ What = 'short'; Damage = { $f = [IO.File]::OpenWrite($args[0]); $f.SetLength($f.Length - 1); $f.Dispose() } }
            @{ What = 'empty'; Damage = { Set-Record $args[0] '' } }
            @{ What = 'longer than it was'; Damage = { [IO.File]::AppendAllText($args[0], 'x') } }
        ) {
            Save-Checkpoint ingest
            $large = Save-Checkpoint ingest ([byte[]]::new(100kb)) -PassThru
            & $Damage (Get-PayloadPath $large)
            $decision = Test-Checkpoint ingest -Detailed -WarningVariable warning -WarningAction SilentlyContinue
            $decision.Decision | Should -Be 'Skip'
            $decision.Checkpoint.Step | Should -Be 1
            $warning[0].Message | Should -BeLike '*its payload*'
            Clear-Checkpoint ingest -Step 1
            Test-Checkpoint ingest -WarningAction Ignore | Should -BeFalse
        }

        It 'does not count a file that a save left unfinished' -Tag Files {
            $folder = Split-Path (Save-Checkpoint ingest -PassThru).Location
            Move-Item "$folder/0000000001.json" "$folder/~$([guid]::NewGuid().ToString('N')).tmp"
            Test-Checkpoint ingest | Should -BeFalse
            (Test-Checkpoint ingest -Detailed).Cause | Should -Be 'NotFound'
        }

        It 'does not count a folder that has the name of a record' -Tag Files {
            $folder = Split-Path (Save-Checkpoint ingest -PassThru).Location
            $null = New-Item -ItemType Directory "$folder/0000000002.json"
            (Test-Checkpoint ingest -Detailed).Checkpoint.Step | Should -Be 1
        }

        It 'does not count a record that was copied into <Where>' -Tag Files -ForEach @(
            @{ Where = 'the folder of another stage'; Other = @{ Name = 'other' }; Step = 5 }
            @{ Where = 'another pipeline'; Other = @{ Name = 'ingest'; Pipeline = 'p2' }; Step = 5 }
            @{ Where = 'another run'; Other = @{ Name = 'ingest'; Run = 'r2' }; Step = 5 }
        ) {
            $good = Save-Checkpoint ingest -Step 5 -PassThru
            $target = Split-Path (Save-Checkpoint @Other -Step 1 -PassThru).Location
            Copy-Item $good.Location $target
            $decision = Test-Checkpoint @Other -Detailed -WarningVariable warning -WarningAction SilentlyContinue
            $decision.Checkpoint.Step | Should -Be 1
            $warning[0].Message | Should -BeLike '*belongs to another checkpoint*'
            Test-Checkpoint @Other -Step 5 -WarningAction Ignore | Should -BeFalse
        }

        It 'does not count a record that was renamed to another step' -Tag Files {
            $good = Save-Checkpoint ingest -PassThru
            Copy-Item $good.Location ((Split-Path $good.Location) + '/0000000009.json')
            (Test-Checkpoint ingest -Detailed -WarningAction Ignore).Checkpoint.Step | Should -Be 1
            Test-Checkpoint ingest -Step 9 -WarningAction Ignore | Should -BeFalse
        }

        It 'counts in a copy of the whole store' -Tag Files {
            Save-Checkpoint ingest ([byte[]]::new(100kb)) -Run 7
            $copy = New-TestStore -Missing
            Copy-Item $store $copy -Recurse
            Test-Checkpoint ingest -Store $copy -Run 7 | Should -BeTrue
        }

        It 'passes over members that it does not know' {
            $info = Save-Checkpoint ingest -PassThru
            Edit-Record $info.Location { $_ -replace '"step": 1,', '"step": 1, "later": {"a": [1, null]},' }
            Test-Checkpoint ingest -WarningVariable warning | Should -BeTrue
            $warning | Should -BeNullOrEmpty
        }

        It 'stops with FormatTooNew for a record of a later version, even over an intact one' {
            Save-Checkpoint ingest
            $new = Save-Checkpoint ingest -PassThru
            Edit-Record $new.Location { $_ -replace '"format": 1', '"format": 2' }
            $failure = { Test-Checkpoint ingest } | Should -Throw -PassThru -ErrorId 'FormatTooNew,Checkpoint.Commands.TestCheckpointCommand'
            $failure.CategoryInfo.Category | Should -Be 'InvalidData'
            $failure.TargetObject | Should -Be 'ingest'
            $failure.Exception.Message | Should -BeLike "Step 2 of checkpoint 'ingest'*format 2*'$($new.Location)'*Update*"
            Test-Checkpoint ingest -Step 1 | Should -BeTrue
        }

        It 'takes a record that only seems to be of a later version for damaged' {
            $info = Save-Checkpoint ingest -PassThru
            Set-Record $info.Location ((Get-Record $info.Location) -replace '"format": 1', '"format": 2')
            Test-Checkpoint ingest -WarningVariable warning -WarningAction SilentlyContinue | Should -BeFalse
            $warning | Should -HaveCount 1
        }
    }

    Context 'Asked again and again' {
        BeforeAll {
            # The same store under another name has a memory of its own, as another process would.
            function Get-OtherView([string] $Store) { $StoreKind -eq 'folder' ? [uri]::new($Store, [UriKind]::Absolute).AbsoluteUri : $Store }

            $changes = @(
                @{ What = 'saved anew'; Before = $true; After = $true; Change = { Save-Checkpoint $args[0] -Fingerprint new -Store $args[1] } }
                @{ What = 'overwritten'; Before = $true; After = $true; Change = { Save-Checkpoint $args[0] -Step 1 -Overwrite -Fingerprint new -Store $args[1] } }
                @{ What = 'cleared'; Before = $true; After = $false; Change = { Clear-Checkpoint $args[0] -Store $args[1] } }
                @{ What = 'emptied'; Before = $true; After = $false; Change = { Set-Record $args[2].Location '' } }
                @{ What = 'changed in one byte'; Before = $true; After = $false; Change = { $b = Get-RecordByte $args[2].Location; $b[20] = $b[20] -bxor 1; Set-Record $args[2].Location $b } }
                @{ What = 'deprived of its payload'; Files = $true; Before = $true; After = $false; Change = { Remove-Item -LiteralPath (Get-PayloadPath $args[2]) } }
                @{ What = 'cut in its payload'; Files = $true; Before = $true; After = $false; Change = { $f = [IO.File]::OpenWrite((Get-PayloadPath $args[2])); $f.SetLength(10); $f.Dispose() } }
                @{ What = 'removed with its folder'; Files = $true; Before = $true; After = $false; Change = { Remove-Item -LiteralPath (Split-Path $args[2].Location) -Recurse } }
                @{ What = 'moved aside with its folder'; Files = $true; Before = $true; After = $false; Change = { Rename-Item -LiteralPath (Split-Path $args[2].Location) "$($args[0])-old" } }
            ).Where{ $StoreKind -eq 'folder' -or -not $_.Files }

            function Invoke-Change($Case, [string] $Store, [string] $Name) {
                $info = Get-Checkpoint $Name -Store (Get-OtherView $Store)
                & $Case.Change $Name (Get-OtherView $Store) $info
            }

            # What it says of a stage: the plain answer, and whether it sees the fingerprint of the change.
            function Get-Answer([string] $Store, [string] $Name) {
                "$(Test-Checkpoint $Name -Store $Store -WarningAction Ignore) $(Test-Checkpoint $Name -Fingerprint new -Store $Store -WarningAction Ignore)"
            }

            function Get-Expected($Case) { $Case.After ? 'True True' : 'False False' }
        }

        It 'notices at once that a checkpoint was changed by others' {
            foreach ($case in $changes) {
                Save-Checkpoint stage ([byte[]]::new(50kb)) -Fingerprint old
                1..3 | ForEach-Object { Get-Answer $store stage | Should -Be 'True False' }
                Invoke-Change $case $store stage
                1..3 | ForEach-Object { Get-Answer $store stage | Should -Be (Get-Expected $case) -Because $case.What }
                if ($StoreKind -eq 'folder') { Get-ChildItem $store | Remove-Item -Recurse } else { Clear-Checkpoint }
                Get-Answer $store stage | Should -Be 'False False'
            }
        }

        It 'notices at once what was changed when it had been sure of its answer for longer than two seconds' {
            $names = 0..($changes.Count - 1) | ForEach-Object { "stage$_" }
            $names | ForEach-Object { Save-Checkpoint $_ ([byte[]]::new(50kb)) -Fingerprint old }
            # The cache trusts what it saw twice with more than 2.1 s between; a second look in between must not confuse it.
            foreach ($pause in 1100, 1100, 100) {
                $names | ForEach-Object { Get-Answer $store $_ } | Select-Object -Unique | Should -Be 'True False'
                Start-Sleep -Milliseconds $pause
            }
            $names | ForEach-Object { Get-Answer $store $_ } | Select-Object -Unique | Should -Be 'True False'

            for ($i = 0; $i -lt $changes.Count; $i++) {
                Invoke-Change $changes[$i] $store $names[$i]
                1..3 | ForEach-Object { Get-Answer $store $names[$i] | Should -Be (Get-Expected $changes[$i]) -Because $changes[$i].What }
            }
        }

        It 'is not deceived by a file system whose clock ticks in seconds' -Tag Files {
            # FAT counts in 2 s: what changes soon after it was read may have the times it had before. After 2.1 s that is over, so a slow machine tries again.
            foreach ($attempt in 1..10) {
                $record = (Save-Checkpoint "stage$attempt" -Step 1 -Fingerprint old -PassThru).Location
                $folder = Split-Path $record
                $clock = [Diagnostics.Stopwatch]::StartNew()
                1..3 | ForEach-Object { Get-Answer $store "stage$attempt" } | Select-Object -Unique | Should -Be 'True False'
                $recordTime, $folderTime = [IO.File]::GetLastWriteTimeUtc($record), [IO.Directory]::GetLastWriteTimeUtc($folder)
                Save-Checkpoint "stage$attempt" -Step 1 -Fingerprint new -Overwrite -Store (Get-OtherView $store)
                [IO.File]::SetLastWriteTimeUtc($record, $recordTime)
                [IO.Directory]::SetLastWriteTimeUtc($folder, $folderTime)
                $answer = Get-Answer $store "stage$attempt"
                if ($clock.Elapsed.TotalSeconds -lt 2) {
                    break
                }
            }
            $answer | Should -Be 'True True'
        }

        It 'notices at once what another process did, first and later' {
            $signal = New-TestFolder
            $worker = Start-Pwsh -NoModule {
                param($Tests, $Store, $Signal)
                . $Tests/Common.ps1
                . $Tests/Record.ps1
                foreach ($step in 'save', 'clear', 'save again', 'damage') {
                    while (-not (Test-Path "$Signal/do $step")) { [Threading.Thread]::Sleep(5) }
                    switch -Wildcard ($step) {
                        'save*' { Save-Checkpoint a -Store $Store }
                        'clear' { Clear-Checkpoint a -Store $Store }
                        'damage' { Set-Record (Get-Checkpoint a -Store $Store).Location 'x' }
                    }
                    $null = New-Item "$Signal/done $step"
                }
            } $PSScriptRoot, $store, $signal
            function Invoke-Step([string] $Step) {
                $null = New-Item "$signal/do $Step"
                Wait-Until { Test-Path "$signal/done $Step" }
            }

            try {
                Test-Checkpoint a | Should -BeFalse
                Invoke-Step 'save'
                1..5 | ForEach-Object { Test-Checkpoint a } | Select-Object -Unique | Should -BeTrue
                Invoke-Step 'clear'
                1..5 | ForEach-Object { Test-Checkpoint a } | Select-Object -Unique | Should -BeFalse
                Invoke-Step 'save again'
                Test-Checkpoint a | Should -BeTrue
                Start-Sleep -Milliseconds 2200
                1..5 | ForEach-Object { Test-Checkpoint a } | Select-Object -Unique | Should -BeTrue
                Invoke-Step 'damage'
                1..5 | ForEach-Object { Test-Checkpoint a -WarningAction Ignore } | Select-Object -Unique | Should -BeFalse
                (Wait-Pwsh $worker).ErrorOutput | Should -BeNullOrEmpty
            }
            finally {
                if (-not $worker.Process.HasExited) {
                    $null = Stop-Pwsh $worker
                }
            }
        }

        It 'is never behind in a long random history (seed <Seed>)' -ForEach @(@{ Seed = Get-Random -Maximum 1000000 }) {
            $random = [Random]::new($Seed)
            $other = Get-OtherView $store
            $stages = 1..24 | ForEach-Object { [pscustomobject]@{ Name = "s$_"; Due = $random.Next(0, 4500); Answer = $false; Path = $null; Bytes = $null } }
            $clock = [Diagnostics.Stopwatch]::StartNew()
            $changed = 0
            while ($clock.ElapsedMilliseconds -lt 5500) {
                foreach ($stage in $stages) {
                    if ($clock.ElapsedMilliseconds -ge $stage.Due) {
                        $stage.Due = $clock.ElapsedMilliseconds + $random.Next(0, 3200)
                        $changed++
                        switch ($stage.Answer ? $random.Next(4) : 4) {
                            0 { Clear-Checkpoint $stage.Name -Store $other; $stage.Answer = $false; $stage.Path = $null }
                            1 { Set-Record $stage.Path 'x'; $stage.Answer = $false }
                            2 { Save-Checkpoint $stage.Name -Step 1 -Overwrite -Store $other }
                            3 { if ($StoreKind -eq 'folder') { Remove-Item -LiteralPath $stage.Path } else { Clear-Checkpoint $stage.Name -Store $other }; $stage.Answer = $false }
                            4 { $stage.Path = (Save-Checkpoint $stage.Name -Step 1 -Overwrite -Store $other -PassThru).Location; $stage.Answer = $true }
                        }
                    }
                    if ((Test-Checkpoint $stage.Name -WarningAction Ignore) -ne $stage.Answer) {
                        throw "Seed ${Seed}: after $changed changes, $($stage.Name) is not $($stage.Answer)."
                    }
                }
            }
            $changed | Should -BeGreaterThan 24
        }

        It 'is never behind in runspaces that save, test and clear at the same time' {
            $failed = 1..4 | ForEach-Object -ThrottleLimit 4 -Parallel {
                Import-Module $using:ModulePath
                $name = "stage$_"
                foreach ($round in 1..40) {
                    Save-Checkpoint $name -Step 1 -Fingerprint $round -Overwrite:($round % 2 -eq 0) -Store $using:store
                    if (-not (Test-Checkpoint $name -Fingerprint $round -Store $using:store)) { "$name, round $round, saved" }
                    if ($round % 2 -eq 0) {
                        Clear-Checkpoint $name -Store $using:store
                        if (Test-Checkpoint $name -Store $using:store) { "$name, round $round, cleared" }
                    }
                }
            }
            $failed | Should -BeNullOrEmpty
        }

        It 'sees nothing but whole checkpoints while others save, overwrite and prune' {
            $signal = "$(New-TestFolder)/stop"
            $write = {
                param($Module, $Store, $Signal, $Number)
                Import-Module $Module
                $saved = 0
                while (-not [IO.File]::Exists($Signal)) {
                    if ($Number -eq 1) {
                        Save-Checkpoint busy ([byte[]]::new(20kb)) -Keep 3 -Store $Store -ErrorAction Stop
                    }
                    else {
                        Save-Checkpoint busy ([byte[]]::new(20kb + 100 * $saved)) -Step 1 -Overwrite -Store $Store -ErrorAction Stop
                    }
                    $saved++
                    if ($saved -eq 1) { $null = New-Item "$Signal-$Number" }
                }
                $saved
            }
            $writers = 1..2 | ForEach-Object { Start-ThreadJob $write -ArgumentList $ModulePath, $store, $signal, $_ }
            Wait-Until { (Test-Path "$signal-1") -and (Test-Path "$signal-2") }
            $clock = [Diagnostics.Stopwatch]::StartNew()
            $said = while ($clock.ElapsedMilliseconds -lt 2500) {
                Test-Checkpoint busy 3>&1
                Test-Checkpoint busy -Step 1 3>&1 | Where-Object { $_ -isnot [bool] } # it may just be pruned
                Get-Checkpoint -AllSteps 2>&1 3>&1 | Where-Object { $_ -isnot [Checkpoint.CheckpointInfo] }
            }
            $null = New-Item $signal
            $counts = $writers | Wait-Job | Receive-Job -ErrorAction Stop 6>$null
            $writers | Remove-Job
            $said | Select-Object -Unique | Should -Be $true
            $counts | Should -HaveCount 2
        }

        It 'is right in more stores than it remembers' -Tag Files {
            $stores = 1..70 | ForEach-Object { Join-Path $store $_ }
            $stores | ForEach-Object { Save-Checkpoint a -Store $_ }
            $stores | ForEach-Object { Test-Checkpoint a -Store $_ } | Select-Object -Unique | Should -BeTrue
            Clear-Checkpoint -Store $stores[0]
            Test-Checkpoint a -Store $stores[0] | Should -BeFalse
        }

        It 'notices at once that a folder or a record became a link, and a shorter record of the same time' -Tag Files -Skip:$IsWindows {
            $elsewhere = New-TestStore
            $folder = Split-Path (Save-Checkpoint 'linked folder' -PassThru).Location
            $record = (Save-Checkpoint 'linked record' -PassThru).Location
            $timed = (Save-Checkpoint timed -PassThru).Location
            foreach ($pause in 2200, 0) {
                'linked folder', 'linked record', 'timed' | ForEach-Object { Test-Checkpoint $_ } | Select-Object -Unique | Should -BeTrue
                Start-Sleep -Milliseconds $pause
            }

            Move-Item $folder "$elsewhere/folder"
            $null = New-Item -ItemType SymbolicLink $folder -Target "$elsewhere/folder"
            Move-Item $record "$elsewhere/record.json"
            $null = New-Item -ItemType SymbolicLink $record -Target "$elsewhere/record.json"
            $fileTime, $folderTime = [IO.File]::GetLastWriteTimeUtc($timed), [IO.Directory]::GetLastWriteTimeUtc((Split-Path $timed))
            [IO.File]::WriteAllText($timed, 'x')
            [IO.File]::SetLastWriteTimeUtc($timed, $fileTime)
            [IO.Directory]::SetLastWriteTimeUtc((Split-Path $timed), $folderTime)

            { Test-Checkpoint 'linked folder' -ErrorAction Stop } | Should -Throw -ErrorId 'StoreUnavailable*'
            Test-Checkpoint 'linked record' -WarningAction Ignore | Should -BeFalse
            Test-Checkpoint timed -WarningAction Ignore | Should -BeFalse
        }
    }
}
