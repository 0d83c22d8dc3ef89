# The campaign Kill, see docs/reliability.md: processes at work on one store are killed at random moments, and what they told of is looked for.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Campaign.ps1

    # What both sides know: what a state is of a writer's nth work, inside the record or beside it; and the stages of a run, whose text must be the same to be resumed.
    $common = {
        $flow = {
            stage a { Enter $_.Run a; "a of $($_.Run)" }
            stage b { Enter $_.Run b; [byte[]]::new(20000) } -DependsOn a
            stage c { Enter $_.Run c; "$($_.Output['b'].Count) of $($_.Run)" } -DependsOn b
        }
        function New-State([string] $Writer, [int] $N) {
            $data = [byte[]]::new((10, 20000, 300000)[$N % 3])
            [array]::Fill($data, [byte] ($N % 251))
            @{ writer = $Writer; n = $N; data = $data }
        }
    }

    # One life: works in an endless loop and tells of each work when it is done. What is saved has a number that only grows, also over lives.
    $worker = {
        param($Store, $Told, $Writer, $Own, $First, $TellsEarly)
        $at = @{ Store = $Store; Pipeline = 'default'; Run = '' }
        $file = [IO.File]::Open($Told, 'Append', 'Write', 'Read')
        function Tell([string] $Line) {
            $bytes = [Text.Encoding]::UTF8.GetBytes("$Line`n")
            $file.Write($bytes, 0, $bytes.Length)
            $file.Flush()
        }
        # A stage that is entered has the one before it behind it.
        function Enter([string] $Run, [string] $Stage) {
            if ($Stage -ne 'a') {
                Tell "done $Run $($Stage -eq 'b' ? 'a' : 'b')"
            }
        }
        function Save([string] $Name, [int] $N, [hashtable] $With = @{}) {
            if ($TellsEarly) {
                Tell "saved $Name $Writer $N $($With.Step)"
            }
            $step = (Save-Checkpoint $Name -State (New-State $Writer $N) -PassThru @With @at).Step
            Tell "saved $Name $Writer $N $step"
        }
        $works = @(
            { Save "own$Own" $n @{ Keep = 5 } }
            { Save "fixed$Own" $n @{ Step = 1; Overwrite = $true } }
            { Save shared $n @{ Keep = 30 } }
            { Save all $n @{ Step = 1; Overwrite = $true } }
            {
                0..2 | ForEach-Object { Save-Checkpoint "async$Own" -State (New-State $Writer ($n + $_)) -Step ($n + $_) -Keep 4 -Async @at }
                Wait-Checkpoint -Pending
                Tell "saved async$Own $Writer $($n + 2) $($n + 2)"
            }
            {
                $null = Invoke-CheckpointStage "stage$Own" { New-State $Writer $n } -Fingerprint $n -Keep 3 @at
                Tell "saved stage$Own $Writer $n $((Get-Checkpoint "stage$Own" @at).Step)"
            }
            {
                $run = "$Writer-$n"
                $null = Invoke-CheckpointPipeline flow -Store $Store -Run $run $flow
                Tell "done $run c"
            }
            {
                Tell "begun items$Own-$n"
                1..30 | Invoke-CheckpointItem "items$Own-$n" { "$_ of $n" } -SaveOutput @at | ForEach-Object { Tell "done items$Own-$n $($_ -replace ' .*')" }
            }
            {
                0..2 | ForEach-Object { Save "cleared$Own" ($n + $_) }
                Tell "clearing cleared$Own"
                Clear-Checkpoint "cleared$Own" @at
                Tell "cleared cleared$Own $Writer $($n + 2)"
            }
        )
        if ($TellsEarly) {
            $works = @($works[1])
        }
        Tell 'started'
        for ($turn = 1; ; $turn++) {
            $n = 100000 * ($Writer -replace '-.*') + 4 * $turn
            & $works[($First + $turn) % $works.Count]
        }
    }

    . $common

    # As the workers say by -Keep.
    $keep = @{ own = 5; async = 4; stage = 3; shared = 30 }

    # Children at work, each killed at its own moment after it started; what they told goes into the model.
    function Invoke-Round([object] $Campaign, [hashtable] $Model, [int] $Children, [string] $TellsEarly = '') {
        $Model.Round++
        $script = "$worker".Replace('$file =', "$common`n`$file =")
        $lives = foreach ($own in 1..$Children) {
            $told = "$($Model.Store).told-$($Model.Round)-$own"
            @{
                Child = Start-Pwsh $script $Model.Store, $told, "$($Model.Round)-$own", $own, $Campaign.Random.Next(9), $TellsEarly
                Told = $told
                # The first works of a process are slow, and are killed as often as the later.
                Delay = 2000 * [math]::Pow($Campaign.Random.NextDouble(), 2)
            }
        }
        for ($waiting = $lives; $waiting; $waiting = $waiting | Where-Object { -not $_.Left }) {
            foreach ($life in $waiting) {
                if (-not $life.Clock -and (Test-Path $life.Told)) {
                    $life.Clock = [Diagnostics.Stopwatch]::StartNew()
                }
                if ($life.Child.Process.HasExited -or ($life.Clock -and $life.Clock.ElapsedMilliseconds -ge $life.Delay)) {
                    $isOver = $life.Child.Process.HasExited
                    $life.Left = Stop-Pwsh $life.Child
                    $Campaign.Tries++
                    if ($isOver -or $life.Left.ErrorOutput) {
                        $Campaign.Findings.Add("a worker ended by itself, or with an error: $($life.Left.ErrorOutput)$($life.Left.Output)")
                    }
                }
            }
            [Threading.Thread]::Sleep(1)
        }
        foreach ($line in $lives | ForEach-Object { [IO.File]::ReadAllLines($_.Told) }) {
            Read-Line $Campaign $Model $line
        }
    }

    function Read-Line([object] $Campaign, [hashtable] $Model, [string] $Line) {
        $what, $where, $who, $n, $step = $Line -split ' '
        switch ($what) {
            saved {
                $Model.Saves++
                $Model.Cleared.Remove($where)
                $steps = $Model.Steps[$where] ??= @{}
                if ($where -eq 'shared' -and $steps.ContainsKey([long] $step)) {
                    $Campaign.Findings.Add("step $step of $where was given to $($steps[[long] $step]) and to $who $n")
                }
                $steps[[long] $step] = "$who $n"
                ($Model.Last[$where] ??= @{})[$who] = [int] $n
            }
            clearing { $Model.Steps.Remove($where) }
            cleared { $Model.Cleared[$where] = [int] $n }
            begun { $Model.Items.Add($where) }
            done { $Model.Done["$where $who"] = $true }
        }
    }

    # Compares what lies in the store with what was told of.
    function Test-Model([object] $Campaign, [hashtable] $Model) {
        $at = @{ Store = $Model.Store; Pipeline = 'default'; Run = '' }
        $found = @{}
        foreach ($checkpoint in Get-Checkpoint -AllSteps @at -WarningAction Stop | Where-Object Name -NotLike 'items*') {
            $state = $checkpoint | Restore-Checkpoint -WarningAction Stop
            if (-not [Linq.Enumerable]::SequenceEqual([byte[]] $state.data, [byte[]] (New-State $state.writer $state.n).data)) {
                $Campaign.Findings.Add("$checkpoint is torn")
            }
            ($found[$checkpoint.Name] ??= @{})[$checkpoint.Step] = "$($state.writer) $($state.n)"
        }
        foreach ($name in $Model.Steps.Keys) {
            $steps, $told = ($found[$name] ?? @{}), $Model.Steps[$name]
            if ($name -match '^(fixed|all)') {
                # It is of the last who overwrote it, or of one who was doing so.
                $writer, [int] $n = "$($steps[1L])" -split ' '
                $round = ($Model.Last[$name].Values | Measure-Object -Maximum).Maximum / 100000
                if ($n -lt $Model.Last[$name][$writer] -or $n / 100000 -lt [math]::Floor($round)) {
                    $Campaign.Findings.Add("$name is '$writer $n', and was told to be $($Model.Last[$name] | ConvertTo-Json -Compress)")
                }
                continue
            }
            $kept = $keep[$name -replace '\d+$'] ?? [int]::MaxValue
            foreach ($step in $told.Keys) {
                # What was told of is there, or was pruned: as many newer ones are.
                if ($steps[$step] -ne $told[$step] -and ($steps.ContainsKey($step) -or @($steps.Keys -gt $step).Count -lt $kept)) {
                    $Campaign.Findings.Add("step $step of $name is '$($steps[$step])', and was told to be '$($told[$step])'")
                }
            }
        }
        foreach ($name in $Model.Cleared.Keys) {
            $found[$name].Values | Where-Object { $_ -and [int] ($_ -replace '.* ') -le $Model.Cleared[$name] } | ForEach-Object { $Campaign.Findings.Add("$name has '$_', which was cleared") }
        }
    }

    # What was cut off is done once more: to the end, and nothing twice that was told to be done.
    function Complete-Work([object] $Campaign, [hashtable] $Model) {
        $ran = [Collections.Generic.List[string]]::new()
        function Enter([string] $Run, [string] $Stage) {
            $ran.Add("$Run $Stage")
        }
        foreach ($run in Get-CheckpointRun -Pipeline flow -Store $Model.Store) {
            $name = $run.Run
            if ("$($run.Status)" -notin 'Completed', 'Interrupted' -or ($Model.Done["$name c"] -and "$($run.Status)" -ne 'Completed')) {
                $Campaign.Findings.Add("run $name is $($run.Status)")
            }
            $Model.Cuts += "$($run.Status)" -eq 'Interrupted'
            $ran.Clear()
            $result = Invoke-CheckpointPipeline flow -Store $Model.Store -Run $name $flow
            $outputs = 'a', 'c' | ForEach-Object { Restore-Checkpoint $_ -Store $Model.Store -Pipeline flow -Run $name -WarningAction Stop }
            if ("$($result.Status)" -ne 'Completed' -or "$outputs" -ne "a of $name 20000 of $name") {
                $Campaign.Findings.Add("run $name was resumed, is $($result.Status), and gave: $outputs")
            }
            $ran | Where-Object { $Model.Done[$_] } | ForEach-Object { $Campaign.Findings.Add("$_ was done and ran again") }
        }
        foreach ($name in $Model.Items) {
            $ran.Clear()
            $n = $name -replace '.*-'
            $outputs = 1..30 | Invoke-CheckpointItem $name { $ran.Add("$name $_"); "$_ of $n" } -SaveOutput -Store $Model.Store -Pipeline default -Run ''
            if ("$($outputs | Sort-Object)" -ne "$(1..30 | ForEach-Object { "$_ of $n" } | Sort-Object)") {
                $Campaign.Findings.Add("$name gave: $outputs")
            }
            $Model.Cuts += $ran.Count -gt 0
            $ran | Where-Object { $Model.Done[$_] } | ForEach-Object { $Campaign.Findings.Add("$_ was done and ran again") }
        }
        $Model.Items.Clear()
    }

    # A repair removes what was left, at once, and has nothing else to mend: who is killed damages nothing.
    function Test-Repair([object] $Campaign, [hashtable] $Model) {
        Repair-CheckpointStore -Store $Model.Store -Confirm:$false | Where-Object { "$($_.Action) $($_.Kind)" -notin 'Removed Leftover', 'Rebuilt HistoryHead' } |
            ForEach-Object { $Campaign.Findings.Add("repaired: $_ $($_.Message)") }
        # That a crash cut off a line of a history or a journal stays to be told.
        Test-CheckpointStore -Store $Model.Store | Where-Object Kind -NE 'TornLine' | ForEach-Object { $Campaign.Findings.Add("behind a repair: $_ $($_.Message)") }
        Get-Leftover $Model | ForEach-Object { $Campaign.Findings.Add("a leftover behind a repair: $_") }
    }

    # The next save of each stage works, and removes what was left there.
    function Test-NextSave([object] $Campaign, [hashtable] $Model) {
        # A leftover counts as dead when the folder changed long after it; so it is made old, not waited for.
        Get-ChildItem $Model.Store -Recurse -File -Force -Include ~*.tmp, *.state | ForEach-Object { $_.LastWriteTimeUtc = [datetime]::UtcNow.AddHours(-1) }
        foreach ($folder in Get-ChildItem "$($Model.Store)/*/stages/*", "$($Model.Store)/*/runs/*/stages/*" -Directory) {
            $parts = [IO.Path]::GetRelativePath($Model.Store, $folder) -split '[\\/]'
            $at = @{ Name = $parts[-1]; Store = $Model.Store; Pipeline = $parts[0]; Run = $parts[1] -eq 'runs' ? $parts[2] : '' }
            $before = (Get-Checkpoint @at -ErrorAction Ignore).Step
            $step = (Save-Checkpoint -State 'next' -PassThru @at).Step
            if ($step -ne $before + 1 -or (Restore-Checkpoint @at) -ne 'next') {
                $Campaign.Findings.Add("behind step $before of $($at.Name) came $step")
            }
        }
        Get-Leftover $Model | Where-Object { $_.Directory.Parent.Name -eq 'stages' } | ForEach-Object { $Campaign.Findings.Add("a leftover behind the next save: $_") }
    }

    function Get-Leftover([hashtable] $Model) {
        Get-ChildItem $Model.Store -Recurse -File -Force | Where-Object { $_.Name -match '^~.*\.tmp$' -or ($_.Extension -eq '.state' -and -not (Test-Named $_)) }
    }

    # Where there is a key no file says what was saved, not even one that was left.
    function Test-Secrecy([object] $Campaign, [hashtable] $Model) {
        $open = @(Get-ChildItem $Model.Store -Recurse -File -Force | Where-Object { [Text.Encoding]::Latin1.GetString([IO.File]::ReadAllBytes($_)).Contains('"writer"') })
        if ($Model.Key) {
            $open | ForEach-Object { $Campaign.Findings.Add("'$_' is not encrypted") }
        }
        else {
            $Model.Open += $open.Count
        }
    }

    function Test-Named([IO.FileInfo] $Payload) {
        $record = "$($Payload.Directory)/$($Payload.Name -replace '\..*').json"
        (Test-Path $record) -and (Select-String -Path $record -SimpleMatch $Payload.Name -Quiet)
    }

    function New-Model {
        param([switch] $WithKey)
        @{ Store = New-TestStore; Key = $WithKey ? 'base64:' + [Convert]::ToBase64String([byte[]] (1..32)) : $null; Open = 0; Round = 0; Saves = 0; Cuts = 0; Leftovers = 0; Steps = @{}; Last = @{}; Cleared = @{}; Done = @{}; Items = [Collections.Generic.HashSet[string]]::new() }
    }
}

Describe 'Processes that are killed' -Tag Campaign {
    It 'leave all that they told of, and nothing torn; the next ones go on' {
        $campaign = Start-Campaign Kill
        # The store is left for a new one now and then: what lies there is read whole each time.
        $total, $rounds = $campaign.IsLong ? @(1000, 10) : @(32, 4)
        $sum = @{ Saves = 0; Cuts = 0; Leftovers = 0; Open = 0 }
        try {
            for ($number = 1; $campaign.Tries -lt $total -and $campaign.Findings.Count -lt 20; $number++) {
                $model = New-Model -WithKey:($number % 2 -eq 0)
                $env:CHECKPOINT_KEY = $model.Key
                foreach ($round in 1..$rounds) {
                    Invoke-Round $campaign $model -Children 4
                    Test-Model $campaign $model
                    Complete-Work $campaign $model
                }
                Test-Secrecy $campaign $model
                $model.Leftovers = @(Get-Leftover $model).Count
                # Either alone is to remove what was left.
                if ($campaign.Random.Next(2)) {
                    Test-Repair $campaign $model
                    Test-NextSave $campaign $model
                }
                else {
                    Test-NextSave $campaign $model
                    Test-Repair $campaign $model
                }
                foreach ($count in @($sum.Keys)) {
                    $sum[$count] += $model[$count]
                }
                Remove-Item $model.Store -Recurse -Force
            }
        }
        finally {
            $env:CHECKPOINT_KEY = $null
        }
        # Else nothing was shown by looking for it where there is a key.
        $sum.Open | Should -BeGreaterThan 0
        Complete-Campaign $campaign "half of them with a key; $($sum.Saves) saves told of, $($sum.Cuts) runs and journals cut off and resumed, $($sum.Leftovers) leftovers removed"
    }

    It 'would be found out, had they told of a save before it was there' {
        $campaign = Start-Campaign 'Kill, told too early'
        $model = New-Model
        while ($campaign.Tries -lt 200 -and -not $campaign.Findings) {
            Invoke-Round $campaign $model -Children 4 -TellsEarly yes
            Test-Model $campaign $model
        }
        $campaign.Findings | Should -Match 'was told to be'
    }
}
