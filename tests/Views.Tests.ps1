BeforeDiscovery {
    $hasTerminal = $IsLinux -and -not ('script', 'stty' | Where-Object { -not (Get-Command $_ -CommandType Application -ErrorAction Ignore) })
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1
    $escape = [string] [char] 27

    # The lines of an object as it is shown, without those that are empty.
    function Get-Shown {
        param([Parameter(ValueFromPipeline)] [object] $InputObject, [int] $Width = 150)
        begin { $all = [Collections.Generic.List[object]]::new() }
        process { $all.Add($InputObject) }
        end { ($all | Out-String -Width $Width) -split '\r?\n' | ForEach-Object TrimEnd | Where-Object { $_ } }
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Views' {
    BeforeEach {
        $rendering = $PSStyle.OutputRendering
        $PSStyle.OutputRendering = 'PlainText'
        $culture = [cultureinfo]::CurrentCulture
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store -Pipeline '' -Run '' -Keep $null
    }

    AfterEach {
        [cultureinfo]::CurrentCulture = $culture
        $PSStyle.OutputRendering = $rendering
    }

    Context 'The table of checkpoints' {
        It 'has the columns Name Step Status SavedAt Age Size Run' {
            Save-Checkpoint ingest
            (Get-Checkpoint | Get-Shown)[0] -split ' +' | Should -Be 'Name', 'Step', 'Status', 'SavedAt', 'Age', 'Size', 'Run'
        }

        It 'shows a line for each checkpoint' {
            $info = Save-Checkpoint ingest @{ rows = 1 } -Run 7 -Step 12 -PassThru
            Save-Checkpoint train -Run 7
            $lines = Get-Checkpoint -Run 7 | Get-Shown
            $lines | Should -HaveCount 4
            $saved = $info.SavedAt.ToLocalTime().ToString('yyyy-MM-dd HH:mm:ss', [cultureinfo]::InvariantCulture)
            $lines[2] | Should -Match "^ingest +12 Completed $saved +\ds +\d+ B 7$"
            $lines[3] | Should -Match '^train +1 Completed \d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\ds +- 7$'
        }

        It 'aligns numbers to the right and text to the left' {
            1, 10000 | ForEach-Object { Save-Checkpoint ingest -Step $_ }
            $lines = Get-Checkpoint -AllSteps | Get-Shown
            $lines[0].IndexOf('Step') + 4 | Should -Be ($lines[2].IndexOf('10000') + 5)
            $lines[3] | Should -Match '^ingest +1 Completed'
            $lines[0].IndexOf('Status') | Should -Be $lines[2].IndexOf('Completed')
        }

        It 'shows an age of <Age> as <Shown>' -ForEach @(
            @{ Age = '00:00:30'; Shown = '3\ds' }
            @{ Age = '00:05:10'; Shown = '5m' }
            @{ Age = '03:30:00'; Shown = '3h' }
            @{ Age = '1.12:00:00'; Shown = '36h' }
            @{ Age = '8.01:00:00'; Shown = '8d' }
            @{ Age = '400.00:00:00'; Shown = '400d' }
            @{ Age = '-01:00:00'; Shown = '0s' }
        ) {
            Set-RecordAge (Save-Checkpoint ingest -PassThru) $Age
            (Get-Checkpoint | Get-Shown)[2] | Should -Match ":\d\d +$Shown +-$"
        }

        It 'shows a size of <Bytes> bytes as <Shown>' -ForEach @(
            @{ Bytes = 100kb; Shown = '100\.\d KiB' }
            @{ Bytes = 3mb; Shown = '3\.0 MiB' }
        ) {
            Save-Checkpoint ingest ([byte[]]::new($Bytes))
            (Get-Checkpoint | Get-Shown)[2] | Should -Match " $Shown$"
        }

        It 'makes ages and sizes of any magnitude readable' {
            0, 1, 1023, 1024, 1536, 1mb, 1.5gb, 2tb, 3pb | ForEach-Object { [Checkpoint.Humanize]::Size($_) } |
                Should -Be '0 B', '1 B', '1023 B', '1.0 KiB', '1.5 KiB', '1.0 MiB', '1.5 GiB', '2.0 TiB', '3072.0 TiB'
            [Checkpoint.Humanize]::Size($null) | Should -Be '-'
        }

        It 'shows local time, which the object itself holds in UTC' {
            $result = Invoke-Pwsh {
                param($Store)
                $PSStyle.OutputRendering = 'PlainText'
                $info = Save-Checkpoint ingest -Store $Store -PassThru 6>$null
                ($info | Out-String) -match '(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)' | Out-Null
                $shown = [datetime]::ParseExact($Matches[1], 'yyyy-MM-dd HH:mm:ss', [cultureinfo]::InvariantCulture)
                [Math]::Round(($shown - $info.SavedAt.UtcDateTime).TotalMinutes)
                $info.SavedAt.Offset.TotalMinutes
            } $store -Environment @{ TZ = 'Asia/Kathmandu' }
            $result.ErrorOutput | Should -BeNullOrEmpty
            $result.Output | Should -Be ($IsWindows ? ([DateTimeOffset]::Now.Offset.TotalMinutes, 0) : (345, 0))
        }

        It 'shows the same in the culture <_>' -ForEach 'th-TH', 'ar-SA', 'fi-FI', 'de-DE', 'tr-TR' {
            $info = Save-Checkpoint ingest ([byte[]]::new(1.5mb)) -PassThru
            [cultureinfo]::CurrentCulture = $_
            $saved = $info.SavedAt.ToLocalTime().ToString('yyyy-MM-dd HH:mm:ss', [cultureinfo]::InvariantCulture)
            (Get-Checkpoint | Get-Shown)[2] | Should -Match "^ingest +1 Completed $saved +\ds 1\.5 MiB$"
        }

        It 'cuts a long name to the width, and keeps each checkpoint on its line' {
            Save-Checkpoint ('x' * 200)
            Save-Checkpoint train
            $lines = Get-Checkpoint | Get-Shown -Width 100
            $lines | Where-Object Length -GT 100 | Should -BeNullOrEmpty
            $lines | Should -HaveCount 4
            $lines[-1] | Should -Match 'x…'
        }

        It 'keeps Format-Table and Select-Object with properties working' {
            Save-Checkpoint ingest
            Get-Checkpoint | Format-Table Name, Pipeline | Out-String | Should -Match 'ingest\s+default'
            (Get-Checkpoint | Select-Object Name, Step | ConvertTo-Json -Compress) | Should -Be '{"Name":"ingest","Step":1}'
        }
    }

    Context 'The list of a checkpoint' {
        It 'tells everything, first what the table has' {
            $file = "$(New-TestFolder)/out.csv"
            Set-Content $file 'x'
            $info = Save-Checkpoint ingest 1 -Run 7 -Metadata ([ordered]@{ rows = 5; tags = 'x', 'y' }) -Fingerprint 1 -OutputFile $file -PassThru
            $list = $info | Format-List | Out-String -Width 300
            $labels = [regex]::Matches($list, '(?m)^(\w+) *:').ForEach({ $_.Groups[1].Value })
            $labels[0..5] | Should -Be 'Name', 'Step', 'Status', 'SavedAt', 'Age', 'Size'
            $labels | Sort-Object | Should -Be ('Age', 'Encrypted', 'Fingerprint', 'Host', 'Location', 'Metadata', 'Name', 'OutputFiles', 'Pipeline', 'ProcessId', 'Run', 'SavedAt', 'Size', 'Status', 'Step', 'Store', 'User')
            $list | Should -Match ([regex]::Escape($info.Location))
            $list | Should -Match ([regex]::Escape($file))
            $list | Should -Match $info.Fingerprint.Value
        }

        It 'shows metadata readably' {
            $list = Save-Checkpoint ingest -Metadata ([ordered]@{ rows = 5; tags = 'x', 'y' }) -PassThru | Format-List | Out-String
            $list | Should -Match 'Metadata +: .*rows.*5.*tags.*x, y'
            $list | Should -Not -Match 'System\.'
        }

        It 'shows every property with Format-List *' {
            $list = Save-Checkpoint ingest -PassThru | Format-List * | Out-String
            'StateSize', 'SavedAt', 'Metadata' | ForEach-Object { $list | Should -Match "(?m)^$_ " }
        }
    }

    Context 'Other objects' {
        It 'shows a decision as Name Decision Reason' {
            Save-Checkpoint ingest -Fingerprint @{ size = 1 }
            $lines = Test-Checkpoint ingest -Fingerprint @{ size = 2 } -Detailed | Get-Shown
            $lines[0] -split ' +' | Should -Be 'Name', 'Decision', 'Reason'
            $lines[2] | Should -Match '^ingest +Run +the fingerprint changed: size$'
        }

        It 'wraps a long reason rather than cutting it' {
            $file = "$(New-TestFolder)/$('long-' * 30).csv"
            Set-Content $file 'x'
            Save-Checkpoint ingest -OutputFile $file
            Remove-Item $file
            $text = (Test-Checkpoint ingest -Detailed | Get-Shown -Width 80) -join '' -replace ' '
            $text | Should -Match 'missing'
        }

        It 'shows the changed parts with the beginnings of their hashes' {
            Save-Checkpoint ingest -Fingerprint @{ size = 1; gone = 1 }
            $lines = (Test-Checkpoint ingest -Fingerprint @{ size = 2; new = 1 } -Detailed).Changed | Get-Shown
            $lines[0] -split ' +' | Should -Be 'Part', 'SavedHash', 'CurrentHash'
            $lines[2] | Should -Match '^gone +[0-9a-f]{12}… +\(gone\)$'
            $lines[3] | Should -Match '^new +\(new\) +[0-9a-f]{12}…$'
            $lines[4] | Should -Match '^size +[0-9a-f]{12}… +[0-9a-f]{12}…$'
        }

        It 'shows a fingerprint as its value and its parts' {
            $lines = Get-CheckpointFingerprint @{ b = 1; a = 1 } | Get-Shown
            $lines[0] -split ' +' | Should -Be 'Value', 'Parts'
            $lines[2] | Should -Match '^[0-9a-f]{64} a, b$'
        }

        It 'shows each value of the context with where it comes from' -Tag AnyStore {
            Set-CheckpointContext -Run 7
            $lines = Get-CheckpointContext | Get-Shown
            $lines | Should -Be @(
                "Store    : $store  (Set-CheckpointContext)"
                'Pipeline : default  (Set-CheckpointContext)'
                'Run      : 7  (Set-CheckpointContext)'
                "Key      : none  ($((Get-CheckpointContext).Source['Key']))"
                'Keep     : everything  (Set-CheckpointContext)'
                'Replica  : none  (default)'
            )
        }

        It 'shows an iterator by where it is, as it is made and behind a comma' {
            $lines = New-CheckpointIterator (1..10) -BatchSize 4 -Epochs 3 -Shuffle -Seed 42 | Get-Shown
            $lines[0] -split ' +' | Where-Object { $_ } | Should -Be 'Count', 'BatchSize', 'Epoch', 'Position', 'Step', 'Shuffle', 'Seed'
            $it = New-CheckpointIterator (1..10) -BatchSize 4 -Epochs 3 -Shuffle -Seed 42
            foreach ($batch in $it) { if ($it.Step -eq 4) { break } }
            (, $it | Get-Shown)[2].Trim() -split ' +' | Should -Be '10', '4', '2', 'of', '3', '4', '4', 'True', '42'
            $it.Step | Should -Be 4
        }

        It 'shows an output file by path, size and time' {
            $file = "$(New-TestFolder)/out.csv"
            Set-Content $file 'abc' -NoNewline
            $lines = (Save-Checkpoint ingest -OutputFile $file -PassThru).OutputFiles | Get-Shown
            $lines[0] -split ' +' | Should -Be 'Path', 'Size', 'ModifiedAt'
            $lines[2] | Should -Match "out\.csv +3 B \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"
        }
    }

    # A terminal of 80 columns, as script has it: what is shown there, line by line.
    Context 'At 80 columns' -Skip:(-not $hasTerminal) {
        BeforeAll {
            $store, $place = (New-TestStore), $env:TEST_PLACE
            Set-CheckpointContext -Reset -Store $store
            $workflow = 'Build, test and publish the nightly packages of all platforms'
            $error80 = "The remote server answered with 503: $('try again later ' * 20)"
            $null = Invoke-CheckpointPipeline nightly -ErrorAction SilentlyContinue {
                stage fetch { 1..3 }
                stage 'compare the files of the last week with those of the archive' { throw "$error80`nsecond line" } -DependsOn fetch
                stage publish { 1 } -DependsOn 'compare the files of the last week with those of the archive'
            }
            $null = Invoke-CheckpointPipeline $workflow -Run 17283940563 { stage fetch { 1 } }
            $null = Invoke-CheckpointPipeline $workflow { stage ('x' * 150) { 'y' * 2000 } }
            Save-Checkpoint ('long name ' * 19).Trim() -Pipeline nightly
            Set-Content "$place/views.ps1" @"
                Import-Module '$ModulePath'
                `$PSStyle.OutputRendering, `$ProgressPreference = 'PlainText', 'SilentlyContinue'
                Set-CheckpointContext -Store '$store'
                function Show([string] `$Title) { "== `$Title"; `$input | Out-Host }
                Get-CheckpointRun -Pipeline * | Show runs
                Get-CheckpointRun -Pipeline nightly | Format-List | Show run
                (Get-CheckpointRun -Pipeline nightly).Stages | Show stages
                Get-CheckpointHistory -Pipeline * | Show history
                Get-Checkpoint -Pipeline * -Run * | Show checkpoints
                Get-Checkpoint -Pipeline nightly -Run '' | Show loose
                Invoke-CheckpointPipeline nightly -Run again -ErrorAction SilentlyContinue { stage fetch { 1 }; stage clean { throw 'no space' } } | Show result
"@
            $words = @(Get-PwshCommand) + '-NoProfile', '-File', "$place/views.ps1" | ForEach-Object { "'$_'" }
            $output = $null | script -qec "stty cols 80 rows 50; $($words -join ' ')" /dev/null
            $shown, $title = @{}, ''
            foreach ($line in ($output -join "`n") -replace '\e\[[\d;?]*[A-Za-z]|\e.' -split '\r?\n') {
                if ($line -match '^== (\w+)') { $shown[($title = $Matches[1])] = [Collections.Generic.List[string]]::new() }
                elseif ($title -and $line.Trim()) { $shown[$title].Add($line.TrimEnd()) }
            }
        }

        It 'has no line that is longer, and no column one letter wide: <_>' -ForEach 'runs', 'run', 'stages', 'history', 'checkpoints', 'loose', 'result' {
            $shown[$_] | Where-Object Length -GT 80 | Should -BeNullOrEmpty
            $shown[$_].Count | Should -BeLessThan 40
        }

        It 'tells of runs of several pipelines which, how far, when and how long' {
            $shown.runs[0] -split ' +' | Select-Object -First 6 | Should -Be 'Run', 'Pipeline', 'Status', 'Stages', 'StartedAt', 'Duration'
            $shown.runs[2] | Should -Match '^\d{8}-\d{6}-\w{6} Build, te… Completed +1/1 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d+\.\d\d?s'
            $shown.runs[3] | Should -Match '^17283940563 +Build, te… Completed +1/1 '
            $shown.runs[4] | Should -Match '^\d{8}-\d{6}-\w{6} nightly +Failed +1/3 '
        }

        It 'tells of a run its stages, one to a line, and what each says below it where there is no room' {
            $stages = $shown.run -join "`n"
            $stages | Should -Match '(?m)^Stages +: fetch +Completed +\d+\.\d\d?s$'
            $stages | Should -Match '(?m)^ {14}compare the files of th…  Failed +\d+\.\d\d?s\n {18}The remote server answered with 503: try again later try$'
            $stages | Should -Match "(?m)^ {14}publish +NotRun +0\.00s\n {18}the run stopped when"
            $shown.result -join "`n" | Should -Match '(?m)^ +clean  Failed +\d+\.\d\d?s  no space$'
        }

        It 'tells of stages their errors in a column that can be read' {
            $shown.stages[0] -split ' +' | Should -Be 'Name', 'Status', 'Attempts', 'Duration', 'Reason'
            $shown.stages[2] | Should -Match '^fetch +Completed +1 +\d+\.\d\d?s there was no checkpoint$'
            $shown.stages[3] | Should -Match '^compare the files of th… Failed +1 +\d+\.\d\d?s The remote server'
        }

        It 'tells of the history what happened to what, in which run, and why' {
            $shown.history[0] -split ' +' | Should -Be 'Time', 'Event', 'Name', 'Step', 'Run', 'Reason'
            $shown.history -match 'StageCompleted fetch +1 17283940563$' | Should -HaveCount 1
            $shown.history -match 'StageFailed +compare the f… +\d{5}…\w{6} The rem' | Should -HaveCount 1
        }

        It 'tells of checkpoints everything, however long their names are' {
            $shown.checkpoints[0] -split ' +' | Should -Be 'Name', 'Step', 'Status', 'SavedAt', 'Age', 'Size', 'Run'
            $shown.checkpoints -match '^x{17}… +1 Completed .* 2\.0 KiB \d{5}…\w{6}$' | Should -HaveCount 1
            $shown.checkpoints -match '^fetch +1 Completed .* 17283940563$' | Should -HaveCount 1
            $shown.loose[2] | Should -Match '^long name long name long na… +1 Completed '
        }
    }

    Context 'Colour' {
        It 'is that of $PSStyle' {
            Save-Checkpoint ingest
            $PSStyle.OutputRendering = 'Ansi'
            $done, $skip, $run = foreach ($pair in @('Green', 'Completed'), @('Green', 'Skip'), @('Yellow', 'Run')) {
                [regex]::Escape($PSStyle.Foreground.($pair[0]) + $pair[1] + $PSStyle.Reset)
            }
            Get-Checkpoint | Out-String | Should -Match $done
            Get-Checkpoint | Format-List | Out-String | Should -Match $done
            Test-Checkpoint ingest -Detailed | Out-String | Should -Match $skip
            Test-Checkpoint nothing -Detailed | Out-String | Should -Match $run
        }

        It 'does not move the columns' {
            Save-Checkpoint ingest
            $plain = Get-Checkpoint | Out-String
            $PSStyle.OutputRendering = 'Ansi'
            (Get-Checkpoint | Out-String) -replace '\e\[[\d;]*m' -replace ' +(?=\r?\n)' | Should -Be ($plain -replace ' +(?=\r?\n)')
        }

        It 'is not in what PowerShell pipes, captures or redirects' {
            $PSStyle.OutputRendering = 'Host'
            Save-Checkpoint ingest
            $file = "$(New-TestFolder)/out.txt"
            Get-Checkpoint > $file
            Get-Checkpoint | Format-List | Out-File $file -Append
            Test-Checkpoint ingest -Detailed >> $file
            Get-Content $file -Raw | Should -Match 'Completed'
            Get-Content $file -Raw | Should -Not -Match '\e'
            Get-Checkpoint | Out-String | Should -Not -Match '\e'
        }

        It 'is not in the redirected output of a whole process<How>' -ForEach @(
            @{ How = ''; Variables = @{ NO_COLOR = $null } }
            @{ How = ' with NO_COLOR'; Variables = @{ NO_COLOR = '1' } }
            @{ How = ' of a terminal that can'; Variables = @{ NO_COLOR = $null; TERM = 'xterm-256color'; COLORTERM = 'truecolor' } }
        ) {
            Save-Checkpoint ingest
            $result = Invoke-Pwsh {
                param($Store)
                Get-Checkpoint -Store $Store
                Get-Checkpoint -Store $Store | Format-List
                Test-Checkpoint ingest -Store $Store -Detailed
                Test-Checkpoint nothing -Store $Store -Detailed | Format-Table
            } $store -Environment $Variables
            # PowerShell itself may colour headers and labels; what we show has none.
            $ours = $result.Output -match 'Completed|Skip|nothing' -replace '^\e\[32;1m([\w ]+: )\e\[0m', '$1'
            $ours.Count | Should -BeGreaterOrEqual 4
            $ours | Should -Not -Match '\e'
        }

        It 'is there on a terminal' -Skip:(-not (Get-Command script -CommandType Application -ErrorAction Ignore) -or -not $IsLinux) {
            Save-Checkpoint ingest
            $program, $arguments = @(Get-PwshCommand) + '-NoProfile', '-NonInteractive', '-Command', "Import-Module '$ModulePath'; Get-Checkpoint -Store '$store'"
            $line = (@($program) + $arguments | ForEach-Object { "'" + ($_ -replace "'", "'\''") + "'" }) -join ' '
            $output = $null | env -u NO_COLOR TERM=xterm-256color script -qec $line /dev/null | Out-String
            $output | Should -Match '\e\[32mCompleted\e\[0m'
        }
    }
}
