BeforeDiscovery {
    # A terminal of so many columns, and what is on it: script records it, stty sizes it.
    $hasTerminal = $IsLinux -and -not ('script', 'stty' | Where-Object { -not (Get-Command $_ -CommandType Application -ErrorAction Ignore) })
}

BeforeAll {
    . $PSScriptRoot/Common.ps1

    # A run that waits in its second stage until there is a file.
    $slow = {
        param($Store, $Place, $Run)
        Invoke-CheckpointPipeline nightly -Store $Store -Run $Run -ErrorAction SilentlyContinue {
            stage fetch { 1 }
            stage index { $null = New-Item "$Place/at-work"; while (-not (Test-Path "$Place/go")) { Start-Sleep -Milliseconds 50 } } -DependsOn fetch
            stage publish { 5 } -DependsOn index
        }
    }

    # Starts the run, and waits until it is at work.
    function Start-Slow([string] $Run = 'r1') {
        $child = Start-Pwsh $slow $store, $place, $Run
        $children.Add($child)
        Wait-Until { (Test-Path "$place/at-work") -or $child.Process.HasExited }
        $child
    }

    # All that a script writes to a terminal. Meanwhile something may be done, once that is there for which it waits.
    function Show-Terminal([string] $Script, [int] $Columns = 80, [int] $Rows = 24, [string] $Awaited, [scriptblock] $Meanwhile) {
        $file = "$place/terminal.ps1"
        Set-Content -LiteralPath $file "Import-Module '$ModulePath'`n$Script"
        $words = @(Get-PwshCommand) + '-NoProfile', '-File', $file | ForEach-Object { "'$_'" }
        $recorded = "$place/recorded"
        $start = [Diagnostics.ProcessStartInfo]::new('script', [string[]] ('-qefc', "stty cols $Columns rows $Rows; $($words -join ' ')", $recorded))
        $start.RedirectStandardInput = $start.RedirectStandardOutput = $true
        $start.Environment['TERM'] = 'xterm-256color'
        $null = $start.Environment.Remove('NO_COLOR')
        $terminal = [Diagnostics.Process]::Start($start)
        $output = $terminal.StandardOutput.ReadToEndAsync()
        if ($Awaited) {
            Wait-Until { $terminal.HasExited -or (Get-Content $recorded -Raw -ErrorAction Ignore) -match $Awaited }
            & $Meanwhile
        }
        if (-not $terminal.WaitForExit([timespan]::FromMinutes(2))) {
            $terminal.Kill($true)
            throw "It had not ended: $([IO.File]::ReadAllText($recorded))"
        }
        $null = $output.GetAwaiter().GetResult()
        [IO.File]::ReadAllText($recorded) -replace '^Script started[^\n]*\n' -replace '\nScript done[^\n]*\n$'
    }

    # A screen on which the sequences of the view are carried out; it knows no others, and says so.
    function Get-Screen([string] $Text) {
        $lines, $row, $column = [Collections.Generic.List[string]]::new(), 0, 0
        $lines.Add('')
        foreach ($part in [regex]::Matches($Text, '\e\[(?<n>[\d;?]*)(?<op>[A-Za-z])|\e.|\r|\n|[^\e\r\n]+')) {
            if ($part.Value -eq "`n") {
                $row++
                if ($row -eq $lines.Count) { $lines.Add('') }
            }
            elseif ($part.Value -eq "`r") { $column = 0 }
            elseif ($part.Groups['op'].Success) {
                switch -CaseSensitive ($part.Groups['op'].Value) {
                    'F' { $row = [Math]::Max($row - [int] $part.Groups['n'].Value, 0); $column = 0 }
                    'J' { $lines[$row] = $lines[$row].Substring(0, [Math]::Min($column, $lines[$row].Length)); $lines.RemoveRange($row + 1, $lines.Count - $row - 1) }
                }
            }
            elseif ($part.Value[0] -ne "`e") {
                $lines[$row] = $lines[$row].PadRight($column).Substring(0, $column) + $part.Value
                $column += $part.Value.Length
            }
        }
        $lines | ForEach-Object TrimEnd | Where-Object { $_ }
    }

    $children = [Collections.Generic.List[object]]::new()
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Watch-Checkpoint' {
    BeforeEach {
        $store = New-TestStore
        $place = $env:TEST_PLACE
        Set-CheckpointContext -Reset -Store $store
    }

    AfterEach {
        foreach ($child in $children) {
            if (-not $child.Process.HasExited) { $null = Stop-Pwsh $child }
        }
        $children.Clear()
    }

    Context 'By lines' {
        It 'tells of a run that ended what happened, and how it ended: each stage with its error' {
            $null = Invoke-CheckpointPipeline nightly -Run r1 -ErrorAction SilentlyContinue {
                stage fetch { 1 }
                stage index { throw 'no route' } -DependsOn fetch
                stage publish { 5 } -DependsOn index
            }
            $lines = Watch-Checkpoint -Plain
            $lines | Should -BeOfType ([string])
            $lines -match '^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d RunStarted$' | Should -HaveCount 1
            $lines -match '^[\d: -]+ StageCompleted fetch step 1$' | Should -HaveCount 1
            $lines -match '^[\d: -]+ StageFailed index: no route$' | Should -HaveCount 1
            $lines[-4] | Should -Match '^nightly, run r1: failed after \d+\.\d+s: no route$'
            $lines[-3] | Should -Match '^  fetch    completed +\d+\.\d\ds$'
            $lines[-2] | Should -Match '^  index    failed +\d+\.\d\ds  no route$'
            $lines[-1] | Should -Match "^  publish  not run +the run stopped when 'index' failed$"
        }

        It 'has no sequences where it is piped, or goes to a file, though nobody says -Plain' {
            $null = Invoke-CheckpointPipeline nightly -Run r1 { stage fetch { 1 } }
            $result = Invoke-Pwsh {
                param($Store, $Place)
                Watch-Checkpoint -Store $Store
                'piped'
                Watch-Checkpoint -Store $Store | ForEach-Object { $_ }
                Watch-Checkpoint -Store $Store > "$Place/out.txt"
            } $store, $place -Environment @{ NO_COLOR = $null; TERM = 'xterm-256color' }
            $result.ExitCode | Should -Be 0 -Because $result.ErrorOutput
            $result.Output | Should -Not -Match '\e'
            $result.Output -match '^nightly, run r1: completed' | Should -HaveCount 2
            Get-Content "$place/out.txt" | Should -Contain $result.Output[-1]
        }

        It 'tells what happens as it happens, and ends when the run ends' {
            $run = Start-Slow
            $watch = Start-Pwsh { param($Store, $Place) Watch-Checkpoint -Store $Store | ForEach-Object { Add-Content "$Place/told" $_ } } $store, $place
            $children.Add($watch)
            Wait-Until { (Get-Content "$place/told" -Raw -ErrorAction Ignore) -match 'StageStarted index' }
            $watch.Process.HasExited | Should -BeFalse
            Set-Content "$place/go" ''
            (Wait-Pwsh $run).ExitCode | Should -Be 0
            (Wait-Pwsh $watch).ExitCode | Should -Be 0
            $told = Get-Content "$place/told"
            $told -match ' StageStarted ' | Should -HaveCount 3
            $told -match '^nightly, run r1: completed after ' | Should -HaveCount 1
        }

        It 'waits for a run that is not there yet, of a store that is not there yet' {
            $store = New-TestStore -Missing
            $watch = Start-Pwsh { param($Store, $Place) Watch-Checkpoint -Store $Store -Pipeline nightly -Run r7 | ForEach-Object { Add-Content "$Place/told" $_ } } $store, $env:TEST_PLACE
            $children.Add($watch)
            Wait-Until { (Get-Content "$env:TEST_PLACE/told" -Raw -ErrorAction Ignore) -match '\n' }
            # A path, and not the password of a database.
            Get-Content "$env:TEST_PLACE/told" | Should -BeLike 'Waiting for a run*'
            if ($StoreKind -eq 'folder') { Get-Content "$env:TEST_PLACE/told" | Should -BeLike "*'$store'" }
            $null = Invoke-CheckpointPipeline nightly -Store $store -Run r6 { stage other { 1 } }
            $null = Invoke-CheckpointPipeline nightly -Store $store -Run r7 { stage one { 1 } }
            (Wait-Pwsh $watch).ExitCode | Should -Be 0
            $told = Get-Content "$env:TEST_PLACE/told"
            $told -match '^Waiting' | Should -HaveCount 1
            $told -match 'other' | Should -BeNullOrEmpty
            $told[-1] | Should -Match '^  one  completed'
        }

        It 'tells that the process of a run died' {
            $run = Start-Slow
            $null = Stop-Pwsh $run
            Complete-Lease $store -Pipeline nightly -Run r1
            $lines = Watch-Checkpoint -Plain
            $lines -match '^nightly, run r1: interrupted after .*process ended' | Should -HaveCount 1
            $lines -match '^  index +interrupted' | Should -HaveCount 1
        }
    }

    Context 'Which run' {
        BeforeEach {
            foreach ($run in 'r1', 'r2') { $null = Invoke-CheckpointPipeline nightly -Run $run { stage one { 1 } } }
        }

        It 'is the newest, one at work before others' {
            Watch-Checkpoint -Plain | Select-String '^nightly, run' | Should -BeLike 'nightly, run r2: completed*'
            $run = Start-Slow r0
            $null = Invoke-CheckpointPipeline nightly -Run r9 { stage one { 1 } }
            $watch = Start-Pwsh { param($Store, $Place) Watch-Checkpoint -Store $Store | ForEach-Object { Add-Content "$Place/told" $_ } } $store, $place
            $children.Add($watch)
            Wait-Until { (Get-Content "$place/told" -Raw -ErrorAction Ignore) -match 'StageStarted \w+' }
            Set-Content "$place/go" ''
            foreach ($child in $run, $watch) { (Wait-Pwsh $child).ExitCode | Should -Be 0 }
            (Get-Content "$place/told") -match '^nightly, run' | Should -BeLike 'nightly, run r0: completed*'
        }

        It 'is that of -Run and -Pipeline, or of the session' {
            Watch-Checkpoint -Plain -Run r1 | Select-String '^nightly, run' | Should -BeLike 'nightly, run r1: completed*'
            $null = Invoke-CheckpointPipeline weekly -Run r1 { stage one { 1 } }
            Watch-Checkpoint -Plain -Pipeline night* -Run *1 | Select-String ', run' | Should -BeLike 'nightly, run r1: completed*'
            Set-CheckpointContext -Pipeline weekly
            Watch-Checkpoint -Plain | Select-String ', run' | Should -BeLike 'weekly, run r1: completed*'
        }

        It 'is each of those that are piped, one after the other' {
            Get-CheckpointRun -Pipeline nightly | Watch-Checkpoint -Plain | Select-String '^nightly, run' | ForEach-Object { "$_" -replace ':.*' } | Should -Be 'nightly, run r2', 'nightly, run r1'
        }
    }

    Context 'On a terminal' -Skip:(-not $hasTerminal) {
        It 'draws a run in place: at its end it is there once' {
            $run = Start-Slow
            $text = Show-Terminal "Watch-Checkpoint -Store '$store'" -Awaited 'index +running' -Meanwhile { Set-Content "$place/go" '' }
            $null = Wait-Pwsh $run
            $text | Should -Match '\e\[\d+F'
            $text | Should -Match '\e\[36m  index +running'
            $screen = Get-Screen $text
            @($screen -match 'nightly, run r1: ') | Should -HaveCount 1
            $screen -match 'nightly, run r1: completed' | Should -HaveCount 1
            $screen -match '^  (fetch|index|publish) +completed' | Should -HaveCount 3
        }

        It 'fits 80 columns and the height of the window, whatever the names and errors are' {
            $null = Invoke-CheckpointPipeline ('long ' * 30).Trim() -Run ('20260301-' * 12) -ErrorAction SilentlyContinue {
                1..30 | ForEach-Object { stage "$_ $('a stage of many words ' * 5)".Trim() { 1 } }
                stage '日本語のとても長い名前のステージがここにあります日本語' { throw ('so much went wrong ' * 20) }
            }
            $screen = Get-Screen (Show-Terminal "Watch-Checkpoint -Store '$store'" -Rows 12)
            $screen = $screen | Select-Object -Last 11
            $screen[0] | Should -BeLike 'long long*…'
            $screen[1] | Should -Match '^  … \d+ stages before$'
            $screen[-1] | Should -Match '^  日本.*… +failed +\d+\.\d\ds  so much.*…$'
            # What takes two columns counts twice.
            $screen | ForEach-Object { $_.Length + [regex]::Matches($_, '[\u3040-\u30ff\u4e00-\u9fff]').Count } | Measure-Object -Maximum | ForEach-Object Maximum | Should -BeLessThan 80
        }

        It 'draws nothing that a name or an error says: no sequence, no line' {
            $null = Invoke-CheckpointPipeline "p`u{202E}x" -Run r1 -ErrorAction SilentlyContinue {
                stage "a`u{2028}b" { throw "`e[2J`e]0;title`a`e[31mred`r`nsecond `u{9b}5A line" }
            }
            $text = Show-Terminal "Watch-Checkpoint -Store '$store'"
            $text | Should -Not -Match '\e\[2J|\e\]0;title|\u009b|\u202e|\u2028'
            $screen = Get-Screen $text
            $screen -match '^p x, run r1: failed' | Should -HaveCount 1
            $screen -match '^  a b +failed .*red  second' | Should -HaveCount 1
        }

        It 'has no colours with NO_COLOR' {
            $null = Invoke-CheckpointPipeline nightly -Run r1 { stage one { 1 } }
            Show-Terminal "Watch-Checkpoint -Store '$store'" | Should -Match '\e\[32m  one +completed'
            Show-Terminal "`$env:NO_COLOR = '1'; Watch-Checkpoint -Store '$store'" | Should -Not -Match '\e\[3\dm  one'
        }

        It 'cuts what it says while it waits, so that it can be drawn over' {
            $text = Show-Terminal "Watch-Checkpoint -Store '$store'" -Columns 40 -Awaited Waiting -Meanwhile { $null = Invoke-CheckpointPipeline nightly -Run r1 { stage one { 1 } } }
            $screen = Get-Screen $text
            $text | Should -BeLike '*Waiting for a run; Ctrl+C ends it.*'
            $screen -match 'Waiting' | Should -BeNullOrEmpty
            $screen -match '^  one  completed' | Should -HaveCount 1
        }
    }

    It 'ends within a second where the pipeline is stopped' {
        $shell = [powershell]::Create().AddScript({ param($module, $store) Import-Module $module; Watch-Checkpoint -Store $store -Plain }).AddParameters(@{ module = $ModulePath; store = $store })
        try {
            $output = [Management.Automation.PSDataCollection[psobject]]::new()
            $running = $shell.BeginInvoke([Management.Automation.PSDataCollection[psobject]]::new(), $output)
            Wait-Until { $output.Count -gt 0 -or $running.IsCompleted }
            $running.IsCompleted | Should -BeFalse
            $clock = [Diagnostics.Stopwatch]::StartNew()
            $shell.Stop()
            # Half a second is for a machine that has much else to do.
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 1.5
        }
        finally {
            $shell.Dispose()
        }
    }
}
