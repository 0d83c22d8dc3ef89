# The command line and the cmdlets: what one writes the other reads. What the tool does by itself is tested by tests/Checkpoint.Cli.Tests.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    $tool = "$RepositoryRoot/out/bin/Checkpoint.Cli/release/checkpoint.dll"
    # Bytes of native programs are UTF-8 both ways.
    $encodings = $OutputEncoding, [Console]::OutputEncoding
    $OutputEncoding = [Console]::OutputEncoding = [Text.UTF8Encoding]::new($false)

    # Errors are for the test to look at.
    function Invoke-Tool {
        $script:toolError = "$(New-TestFolder)/error"
        $input | & dotnet $tool @args 2>$toolError
    }
}

AfterAll {
    $null, [Console]::OutputEncoding = $encodings
}

Describe 'The command line and the cmdlets' -Tag Tool {
    BeforeEach {
        $store = New-TestStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        $env:CHECKPOINT_STORE = $store
    }

    AfterEach {
        $env:CHECKPOINT_STORE = $null
    }

    Context 'States' {
        It 'gives PowerShell of JSON what ConvertFrom-Json makes of it: <_>' -ForEach @(
            '5', '-1', '5000000000', '123456789012345678901234567890', '1.5', '1e3', '"text"', '"2x"', 'true', '[1,"a",null]', '[]', '[[1]]', '{}', '{"b":1,"a":{"c":[1.5]}}', '{"$x":1}', '"\ud83d\ude00 \u0001"'
        ) {
            Invoke-Tool save s --state $_
            $LASTEXITCODE | Should -Be 0
            $restored = Restore-Checkpoint s @at
            $expected = $_ | ConvertFrom-Json -NoEnumerate
            # One document stands for one object, with the types of all that is in it.
            Save-Checkpoint restored $restored @at
            Save-Checkpoint expected $expected @at
            Invoke-Tool restore restored --typed | Should -BeExactly (Invoke-Tool restore expected --typed)
            Invoke-Tool restore s --typed | Should -BeExactly (Invoke-Tool restore expected --typed)
        }

        It 'keeps a text that looks like a date a text, as it is in JSON' {
            Invoke-Tool save s --state '"2026-03-01T00:00:00Z"'
            Restore-Checkpoint s @at | Should -BeOfType string
        }

        It 'prints what a cmdlet saved as plain JSON' {
            $state = [ordered]@{
                Int = 5; Long = 5L; Decimal = 1.50d; Double = 0.1; Nan = [double]::NaN; Text = "ü`n"; Flag = $true; Nothing = $null; Char = [char] 'x'
                Time = [datetime]::new(2026, 3, 1, 0, 0, 0, [DateTimeKind]::Utc); Span = [timespan]::FromSeconds(90); Id = [guid]::Empty; Bytes = [byte[]] (1, 2); List = [Collections.Generic.List[int]] (1, 2)
                Table = @{ a = [pscustomobject]@{ b = 1 } }; Day = [DayOfWeek]::Monday; Version = [version] '1.2'
            }
            Save-Checkpoint s $state @at
            Invoke-Tool restore s | Should -BeExactly (
                '{"Int":5,"Long":5,"Decimal":1.50,"Double":0.1,"Nan":"NaN","Text":"ü\n","Flag":true,"Nothing":null,"Char":"x",' +
                '"Time":"2026-03-01T00:00:00.0000000Z","Span":"00:01:30","Id":"00000000-0000-0000-0000-000000000000","Bytes":"AQI=","List":[1,2],"Table":{"a":{"b":1}},"Day":1,"Version":"1.2"}')
        }

        It 'takes any state from one stage to another with all of its types' {
            $state = @(
                1, 2L, 3d, 'x', [char] 'c', [datetime]::UtcNow, [timespan]::Zero, [bigint]::Parse('1' * 40), [Half] 1.5, [double]::NegativeInfinity, [byte[]]::new(100000), [int[]] (1..20000), [double[]] (1..5000 | ForEach-Object { $_ / 3 })
                ('long ' * 20000), "half $([char] 0xd800)", [Collections.Generic.Dictionary[string, long]]::new(), [Collections.Generic.HashSet[string]] ('a', 'b'), [uri] 'https://a.b', (Get-Item $tool), [ordered]@{ z = 1; a = @{ b = $null } }
                [int[, ]]::new(2, 3), [pscustomobject]@{ PSTypeName = 'My.Type'; '$a' = 1 }
            )
            Save-Checkpoint s $state @at
            Invoke-Tool restore s --typed | Invoke-Tool save t --typed --state-file -
            $LASTEXITCODE | Should -Be 0 -Because (Get-Content $toolError -Raw)
            $copied = Restore-Checkpoint t @at
            $copied.Count | Should -Be $state.Count
            for ($i = 0; $i -lt $state.Count; $i++) {
                if ($state[$i] -isnot [IO.FileInfo]) {
                    $copied[$i].GetType() | Should -Be $state[$i].GetType()
                }
            }
            # The document of what came back is the document of what was saved.
            Save-Checkpoint u (Restore-Checkpoint s @at) @at
            Save-Checkpoint v $copied @at
            (Invoke-Tool restore v --typed) -ceq (Invoke-Tool restore u --typed) | Should -BeTrue
        }

        It 'keeps a sequence a sequence' {
            'a', 'b' | Save-Checkpoint s @at
            Invoke-Tool restore s | Should -BeExactly '["a","b"]'
            Invoke-Tool restore s --raw | Should -Be 'a', 'b'
            Invoke-Tool restore s --typed | Invoke-Tool save t --typed --state-file -
            @(Restore-Checkpoint t @at) | Should -Be 'a', 'b'
        }

        It 'gives bytes as bytes, both ways' {
            $bytes = [byte[]]::new(100000)
            [Random]::new(7).NextBytes($bytes)
            $file = "$env:TEST_PLACE/bytes"
            [IO.File]::WriteAllBytes($file, $bytes)
            Invoke-Tool save s --raw --state-file $file
            $restored = Restore-Checkpoint s @at
            , $restored | Should -BeOfType byte[]
            [Convert]::ToBase64String($restored) -ceq [Convert]::ToBase64String($bytes) | Should -BeTrue
            Save-Checkpoint t $bytes @at
            & dotnet $tool restore t --raw > "$file.back"
            (Get-FileHash "$file.back").Hash | Should -Be (Get-FileHash $file).Hash
        }

        It 'keeps secrets for who has the key' {
            $env:CHECKPOINT_KEY = 'open sesame'
            try {
                Save-Checkpoint s @{ password = [Net.NetworkCredential]::new('', 'p ä').SecurePassword } @at
                Invoke-Tool restore s | Should -BeNullOrEmpty
                $LASTEXITCODE | Should -Be 2
                Invoke-Tool restore s --typed | Invoke-Tool save t --typed --state-file -
                (Restore-Checkpoint t @at).password | ConvertFrom-SecureString -AsPlainText | Should -BeExactly 'p ä'
                Invoke-Tool restore s --typed | Invoke-Tool save u --typed --state-file - --no-key
                $LASTEXITCODE | Should -Be 2
                Test-Checkpoint u @at | Should -BeFalse
                Invoke-Tool save v --state 1
                (Get-Checkpoint v @at).Encrypted | Should -BeTrue
            }
            finally {
                $env:CHECKPOINT_KEY = $null
            }
        }
    }

    Context 'Fingerprints' {
        BeforeEach {
            $file, $other, $folder = "$env:TEST_PLACE/a.txt", "$env:TEST_PLACE/b.txt", "$env:TEST_PLACE/folder"
            Set-Content $file one
            Set-Content $other two
            $null = New-Item -ItemType Directory "$folder/sub"
            Set-Content "$folder/sub/c" three
        }

        It 'are the same for the same: <Name>' -ForEach @(
            @{ Name = 'a table'; Arguments = { '--fingerprint', 'a=1' }; Object = { @{ a = '1' } } }
            @{ Name = 'a larger table'; Arguments = { '--fingerprint', 'b=x=y', '--fingerprint', 'A=' }; Object = { @{ A = ''; b = 'x=y' } } }
            @{ Name = 'a text'; Arguments = { '--fingerprint', 'ü text' }; Object = { 'ü text' } }
            @{ Name = 'texts'; Arguments = { '--fingerprint', 'x', '--fingerprint', 'y' }; Object = { 'x', 'y' } }
            @{ Name = 'a file'; Arguments = { '--fingerprint-file', $file }; Object = { Get-Item $file } }
            @{ Name = 'files'; Arguments = { '--fingerprint-file', $file, '--fingerprint-file', $other }; Object = { (Get-Item $file), (Get-Item $other) } }
            @{ Name = 'a folder'; Arguments = { '--fingerprint-file', $folder }; Object = { Get-Item $folder } }
            @{ Name = 'texts and files by name'; Arguments = { '--fingerprint', 'mode=fast', '--fingerprint-file', "in=$file", '--fingerprint-file', "dir=$folder" }; Object = { @{ mode = 'fast'; in = Get-Item $file; dir = Get-Item $folder } } }
        ) {
            Save-Checkpoint cmdlet -Fingerprint (& $Object) @at
            Invoke-Tool test cmdlet @(& $Arguments)
            $LASTEXITCODE | Should -Be 0
            Invoke-Tool save tool @(& $Arguments)
            Test-Checkpoint tool -Fingerprint (& $Object) @at | Should -BeTrue
            (Get-Checkpoint tool @at).Fingerprint.Parts.Keys | Sort-Object | Should -Be ((Get-Checkpoint cmdlet @at).Fingerprint.Parts.Keys | Sort-Object)
            Invoke-Tool test tool --fingerprint a=other
            $LASTEXITCODE | Should -Be 1
        }
    }

    Context 'Stages' {
        It 'are run by the tool and then skipped by the cmdlet, with the same lines' {
            Invoke-Tool run s '--' printf '1\n2 ä\n' | Should -Be '1', '2 ä'
            Invoke-CheckpointStage s { throw 'not again' } @at | Should -Be '1', '2 ä'
            Restore-Checkpoint s @at | Should -BeOfType string
        }

        It 'are run by the cmdlet and then skipped by the tool, with the same lines' {
            Invoke-CheckpointStage s { 'a'; 5; [pscustomobject]@{ x = 1 }; '' } @at
            Invoke-Tool run s '--' false | Should -Be 'a', '5', '{"x":1}', ''
            $LASTEXITCODE | Should -Be 0
            Get-CheckpointHistory s @at | Where-Object Event -EQ StageSkipped | Should -HaveCount 1
        }

        It 'are run again by either when what was named has changed' {
            Invoke-CheckpointStage s { 'block' } -Fingerprint @{ year = '2026' } @at
            Invoke-Tool run s --fingerprint year=2026 '--' echo command | Should -Be block
            Invoke-Tool run s --fingerprint year=2027 '--' echo command | Should -Be command
            Invoke-CheckpointStage s { 'block' } -Fingerprint @{ year = '2027' } @at | Should -Be command
            Invoke-CheckpointStage s { 'block' } -Fingerprint @{ year = '2028' } @at | Should -Be block
        }

        It 'take the same lease' {
            $lease = Lock-Checkpoint s @at
            try {
                Invoke-Tool run s '--' true
                $LASTEXITCODE | Should -Be 1
                Get-Content $toolError -Raw | Should -BeLike '*Another process is at work*'
            }
            finally {
                Unlock-Checkpoint s @at
            }
            $lease | Should -Not -BeNullOrEmpty
        }
    }

    Context 'Items' {
        It 'that the tool has done the cmdlet does not do again, and the other way round' {
            'a', 'b' | Invoke-Tool items s --save-output '--' echo '<{}>' | Should -Be '<a>', '<b>'
            'a', 'b', 'c' | Invoke-CheckpointItem s { "new $_" } -SaveOutput @at | Should -Be '<a>', '<b>', 'new c'
            'c', 'd' | Invoke-Tool items s --save-output '--' echo '<{}>' | Should -Be 'new c', '<d>'
            (Get-Checkpoint s @at).Metadata.Items | Should -Be 2
        }

        It 'are shared by both at once' {
            $place = $env:TEST_PLACE
            $child = Start-Pwsh {
                param($store, $place)
                1..40 | Invoke-CheckpointItem s { if ($_ -eq 1) { $null = New-Item "$place/begun" }; Add-Content "$place/cmdlet" $_ } -Shared -Store $store -Pipeline default -Run ''
            } $store, $place
            Wait-Until { Test-Path "$place/begun" }
            $null = 1..40 | Invoke-Tool items s --shared '--' sh -c 'echo $1 >> $2/tool' x '{}' $place
            $LASTEXITCODE | Should -Be 0
            (Wait-Pwsh $child).ExitCode | Should -Be 0
            Get-Content "$place/cmdlet", "$place/tool" -ErrorAction Ignore | Sort-Object { [int] $_ } | Should -Be (1..40)
        }

        It 'that failed under one are run again by the other' {
            'a', 'b' | Invoke-Tool items s --continue-on-error '--' false
            $LASTEXITCODE | Should -Be 1
            'a', 'b' | Invoke-CheckpointItem s { "did $_" } -RetryFailed @at | Should -Be 'did a', 'did b'
            Invoke-Tool test s
            $LASTEXITCODE | Should -Be 0
        }
    }

    Context 'What is there' {
        It 'is listed the same, in pipelines and runs' {
            Save-Checkpoint a 1 -Metadata @{ n = 5; t = [timespan]::FromSeconds(1) } -Store $store -Pipeline nightly -Run 7
            $saved = Get-Checkpoint a -Store $store -Pipeline nightly -Run 7
            $shown = Invoke-Tool get --pipeline=night* --run=* --json | ConvertFrom-Json
            $shown.name, $shown.pipeline, $shown.run, $shown.step, $shown.stateSize, $shown.processId | Should -Be 'a', 'nightly', '7', 1, $saved.StateSize, $PID
            $shown.savedAt | Should -Be $saved.SavedAt.UtcDateTime
            $shown.metadata.n, $shown.metadata.t | Should -Be 5, '00:00:01'
        }

        It 'is cleared by either' {
            Save-Checkpoint a @at
            Invoke-Tool clear a
            Test-Checkpoint a @at | Should -BeFalse
            Invoke-Tool save b
            Clear-Checkpoint b @at
            Invoke-Tool test b
            $LASTEXITCODE | Should -Be 1
            (Get-CheckpointHistory @at).Event | Should -Be (Invoke-Tool history --json | ConvertFrom-Json).event
        }

        It 'is verified by either, with the same findings' {
            Invoke-Tool save a --state 1
            Invoke-Tool verify
            $LASTEXITCODE | Should -Be 0
            Test-CheckpointStore -Store $store | Where-Object Severity -EQ Error | Should -BeNullOrEmpty
        }

        It 'is in the report of either' {
            Invoke-Tool run s '--' true
            $file = "$env:TEST_PLACE/report.json"
            $null = Export-CheckpointReport $file -Store $store
            $own = Invoke-Tool report --format json | ConvertFrom-Json
            ($own.runs | ConvertTo-Json -Depth 9) | Should -Be ((Get-Content $file | ConvertFrom-Json).runs | ConvertTo-Json -Depth 9)
        }
    }
}

Describe 'Completion of the command line in PowerShell' -Tag AnyStore {
    It 'gives commands, options and names in the store' {
        $place = New-TestStore
        $names = Invoke-Pwsh -WorkingDirectory (New-TestFolder) {
            param($tool, $place)
            $program = Join-Path $place checkpoint
            Set-Content $program "#!/bin/sh`nexec dotnet '$tool' `"`$@`""
            chmod +x $program
            $env:PATH = $place + [IO.Path]::PathSeparator + $env:PATH
            checkpoint save 'load data'
            checkpoint completion pwsh | Out-String | ForEach-Object { . ([scriptblock]::Create($_)) }
            foreach ($line in 'checkpoint rest', 'checkpoint restore lo', 'checkpoint test a --max') {
                (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText
            }
        } $tool, $place
        $names.ErrorOutput | Should -BeNullOrEmpty
        $names.Output | Should -Be 'restore', "'load data'", '--max-age'
    }
}
