# Reads histories, records of runs and lock files with a reader that knows docs/format.md and nothing else, and compares what it finds with what the module gives.

BeforeAll {
    . $PSScriptRoot/Common.ps1

    # History: only what ends in a line feed is a line, and only what has the members that are always there is an event.
    function Read-History([string] $Path) {
        $text = [Text.UTF8Encoding]::new($false, $true).GetString([IO.File]::ReadAllBytes($Path))
        $lines = $text -split '\n'
        foreach ($line in $lines[0..($lines.Count - 2)]) {
            try { $entry = [Text.Json.JsonDocument]::Parse($line).RootElement } catch { continue }
            $names = $entry.EnumerateObject().Name
            if (-not ('time', 'event', 'pipeline', 'host', 'user', 'processId' | Where-Object { $_ -cnotin $names })) { $entry }
        }
    }

    # The numbers of the lines that fit into the chain, and what the last of them says of itself. What has no place in the chain is passed over.
    function Read-Chain([string] $Path) {
        $chain = '0' * 64
        $fitting = foreach ($line in [IO.File]::ReadAllText($Path) -split '\n') {
            if ($line -cnotmatch '^(?<body>.*,"number":(?<number>[0-9]+)),"chain":"(?<chain>[0-9a-f]{64})"\}$') { continue }
            $bytes = [Text.Encoding]::UTF8.GetBytes($chain + $Matches.body)
            $chain = $Matches.chain
            if ([Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($bytes)) -eq $chain) { [int] $Matches.number }
        }
        @{ Fitting = @($fitting); Last = $chain }
    }

    # Run: what a reader checks, then the members.
    function Read-Run([string] $Path) {
        $bytes = [IO.File]::ReadAllBytes($Path)
        $tail = [Text.Encoding]::ASCII.GetString($bytes, $bytes.Length - 85, 85)
        $tail | Should -Match '^,\n  "checksum": "[0-9a-f]{64}"\n\}\n\z'
        $hash = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([byte[]] $bytes[0..($bytes.Length - 86)])).ToLowerInvariant()
        $tail.Substring(17, 64) | Should -BeExactly $hash
        $run = [Text.Json.JsonDocument]::Parse([Text.Encoding]::UTF8.GetString($bytes)).RootElement
        @($run.EnumerateObject())[0].Name | Should -BeExactly 'format'
        $run.GetProperty('format').GetInt32() | Should -Be 1
        $run
    }

    # A member's text, or $null where it is not there.
    function Get-Text([Text.Json.JsonElement] $Object, [string] $Name) {
        $found = @($Object.EnumerateObject() | Where-Object Name -CEQ $Name)
        if ($found) { $found[0].Value.ToString() }
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'docs/format.md, of runs and histories' -Tag Files {
    BeforeEach {
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store -Pipeline nightly
        $null = Invoke-CheckpointPipeline nightly -Run r1 -Config @{ Server = 'db1' } -ErrorAction SilentlyContinue -ContinueOnError {
            stage fetch { 1 }
            stage 'größe "x"' { throw "no`nspace" } -DependsOn fetch
            stage publish { 2 } -DependsOn 'größe "x"'
            stage off { 3 } -Disabled
        }
    }

    It 'names every file of a pipeline that was run' {
        Get-ChildItem $store -Recurse -File -Force | ForEach-Object { [IO.Path]::GetRelativePath($store, $_.FullName) -replace '\\', '/' } | Sort-Object |
            Should -Be 'nightly/~turn', 'nightly/history.head', 'nightly/history.jsonl', 'nightly/pipeline.lock', 'nightly/runs/r1/~turn', 'nightly/runs/r1/run.json', 'nightly/runs/r1/run.lock', 'nightly/runs/r1/stages/fetch/0000000001.json'
    }

    It 'tells of a run what Get-CheckpointRun tells' {
        $read = Read-Run "$store/nightly/runs/r1/run.json"
        $run = Get-CheckpointRun r1
        Get-Text $read pipeline | Should -BeExactly $run.Pipeline
        Get-Text $read run | Should -BeExactly $run.Run
        Get-Text $read status | Should -BeExactly 'partial'
        $run.Status | Should -Be 'Partial'
        $read.GetProperty('startedAt').GetDateTimeOffset() | Should -Be $run.StartedAt
        $read.GetProperty('endedAt').GetDateTimeOffset() | Should -Be $run.EndedAt
        $read.GetProperty('attempts').GetInt32() | Should -Be $run.Attempts
        Get-Text $read host | Should -BeExactly $run.Host
        Get-Text $read user | Should -BeExactly $run.User
        Get-Text $read processId | Should -Be $run.ProcessId
        Get-Text $read lastError | Should -BeExactly $run.LastError
        Get-Text $read.GetProperty('fingerprint') value | Should -BeExactly $run.Fingerprint.Value
        $words = @{ Completed = 'completed'; Skipped = 'skipped'; Failed = 'failed'; NotRun = 'notRun'; Disabled = 'disabled' }
        $stages = @($read.GetProperty('stages').EnumerateArray())
        $stages | Should -HaveCount 4
        for ($i = 0; $i -lt 4; $i++) {
            $stage = $run.Stages[$i]
            Get-Text $stages[$i] name | Should -BeExactly $stage.Name
            Get-Text $stages[$i] status | Should -BeExactly $words["$($stage.Status)"]
            Get-Text $stages[$i] reason | Should -BeExactly $stage.Reason
            Get-Text $stages[$i] error | Should -BeExactly $stage.Error
            $stages[$i].GetProperty('attempts').GetInt32() | Should -Be $stage.Attempts
            [timespan]::FromSeconds($stages[$i].GetProperty('durationSeconds').GetDouble()) | Should -Be $stage.Duration
        }
        $known = 'format', 'pipeline', 'run', 'status', 'startedAt', 'endedAt', 'attempts', 'host', 'user', 'processId', 'lastError', 'fingerprint', 'stages', 'checksum'
        $read.EnumerateObject().Name | Where-Object { $_ -cnotin $known } | Should -BeNullOrEmpty
    }

    It 'tells of a history what Get-CheckpointHistory tells, also beside a torn line' {
        Save-Checkpoint 'größe "x"' -Step 12345678901
        [IO.File]::AppendAllText("$store/nightly/history.jsonl", '{"time":"2026-03')
        Clear-Checkpoint
        [IO.File]::AppendAllText("$store/nightly/history.jsonl", '{"time":"2026-03')
        $read = @(Read-History "$store/nightly/history.jsonl")
        $events = @(Get-CheckpointHistory)
        $read.Count | Should -Be $events.Count
        for ($i = 0; $i -lt $read.Count; $i++) {
            $read[$i].GetProperty('time').GetDateTimeOffset() | Should -Be $events[$i].Time
            foreach ($name in 'Event', 'Pipeline', 'Run', 'Name', 'Step', 'Reason', 'Host', 'User', 'ProcessId') {
                Get-Text $read[$i] ($name.Substring(0, 1).ToLowerInvariant() + $name.Substring(1)) | Should -BeExactly ($null -eq $events[$i].$name ? $null : "$($events[$i].$name)")
            }
        }
        $text = Get-Content "$RepositoryRoot/docs/format.md" -Raw
        foreach ($name in [Checkpoint.CheckpointEvents].GetFields().Name) { $text | Should -Match "``$name``" }
    }

    It 'says how the lines of a history are chained, also past a torn one, and what its head is' {
        $path = "$store/nightly/history.jsonl"
        [IO.File]::AppendAllText($path, '{"time":"2026-03')
        Save-Checkpoint a
        Save-Checkpoint b
        $read = Read-Chain $path
        $read.Fitting | Should -Be (1..@(Get-CheckpointHistory).Count)
        [IO.File]::ReadAllText("$store/nightly/history.head") | Should -BeExactly ('{0} {1:D19}{2}' -f $read.Last, $read.Fitting.Count, "`n")

        $lines = @(Get-Content $path)
        [IO.File]::WriteAllText($path, (($lines[0, 1] + $lines[2].Replace('"event"', '"Event"') + $lines[3..($lines.Count - 1)]) -join "`n") + "`n")
        (Read-Chain $path).Fitting | Should -Not -Contain 3
        [IO.File]::WriteAllText($path, ($lines[0, 1, 3] -join "`n") + "`n")
        (Read-Chain $path).Fitting | Should -Be 1, 2
        Save-Checkpoint c
        (Get-Content $path)[-1] | Should -Match ',"lost":\d+,"number":\d+,"chain":"'
    }

    It 'tells who has a lock' {
        foreach ($file in 'pipeline.lock', 'runs/r1/run.lock') {
            $bytes = [IO.File]::ReadAllBytes("$store/nightly/$file")
            $bytes.Length | Should -Be 1024
            $bytes[-1] | Should -Be 10
            $holder = [Text.Json.JsonDocument]::Parse([Text.Encoding]::UTF8.GetString($bytes)).RootElement
            Get-Text $holder host | Should -BeExactly ([Environment]::MachineName)
            Get-Text $holder user | Should -BeExactly ([Environment]::UserName)
            Get-Text $holder processId | Should -Be $PID
            $holder.GetProperty('takenAt').GetDateTimeOffset() | Should -BeGreaterThan ([DateTimeOffset]::UtcNow.AddMinutes(-5))
        }
    }

    It 'is right about the lock: who takes it as the page says has the run' -Skip:(-not $IsLinux) {
        $child = Start-Pwsh -NoModule { param($Path) flock -x $Path sh -c 'touch "$0.held"; exec sleep 600' $Path } "$store/nightly/runs/r1/run.lock"
        try {
            Wait-Until { Test-Path "$store/nightly/runs/r1/run.lock.held" }
            { Invoke-CheckpointPipeline nightly -Run r1 -Config @{ Server = 'db1' } -ErrorAction Stop { stage fetch { 1 } } } | Should -Throw -ErrorId 'LeaseHeld,*'
        }
        finally {
            $null = Stop-Pwsh $child
        }
    }

    It 'is right about the modes of these files' -Skip:$IsWindows {
        Get-ChildItem $store -Recurse -File -Force | ForEach-Object { $_.UnixFileMode | Should -Be ([IO.UnixFileMode] 'UserRead, UserWrite') }
    }
}
