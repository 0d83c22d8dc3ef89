# The campaign Lease, see docs/reliability.md: processes that take turns at a stage, of which two in three have a clock that is an hour off, are killed, and stopped for longer than their lease lasts.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Campaign.ps1

    # Takes the lease, saves some steps under it, gives it back, and so on. What is told to have been done stands in a file of its own, a line each.
    $worker = {
        param($store, $told, $end)
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        $file = [IO.File]::Open($told, 'Append', 'Write', 'ReadWrite')
        $tell = { param($text) $bytes = [Text.Encoding]::UTF8.GetBytes("$text`n"); $file.Write($bytes, 0, $bytes.Length); $file.Flush() }
        while (-not (Test-Path $end)) {
            try {
                $lease = Lock-Checkpoint work -For 3s @at
            }
            catch {
                if ($_.FullyQualifiedErrorId -notlike 'LeaseHeld,*') { & $tell "fault $($_.FullyQualifiedErrorId) $_" }
                Start-Sleep -Milliseconds (Get-Random -Minimum 5 -Maximum 40)
                continue
            }
            & $tell "took $($lease.Token)"
            try {
                foreach ($i in 1..(Get-Random -Minimum 1 -Maximum 4)) {
                    $saved = Save-Checkpoint work -State @{ token = $lease.Token; process = $PID; i = $i } -PassThru @at
                    & $tell "saved $($lease.Token) $($saved.Step) $i"
                }
                Unlock-Checkpoint work @at -ErrorAction Stop
            }
            catch {
                & $tell ($_.FullyQualifiedErrorId -like 'LeaseLost,*' ? 'lost' : "fault $($_.FullyQualifiedErrorId) $_")
                Unlock-Checkpoint work @at -ErrorAction Ignore
            }
        }
    }

    # The clock of a process, and that of nothing else: what it asks for the time of day comes some seconds off.
    $clockSource = @'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    const char *shift = getenv("TEST_CLOCK_SHIFT");
    if (shift && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += atol(shift);
    return result;
}
'@

    # The library that shifts clocks; null where it cannot be made.
    function New-ClockLibrary {
        if (-not $IsLinux -or -not (Get-Command cc -CommandType Application -ErrorAction Ignore)) { return }
        $library = Join-Path $TestDrive 'clock.so'
        $clockSource | cc -shared -fPIC -x c -o $library - -ldl
        if ($LASTEXITCODE -eq 0) { $library }
    }

    function Get-ClockEnvironment([string] $Library, [int] $Number) {
        $shift = (0, 3600, -3600)[$Number % 3]
        $Library -and $shift ? @{ LD_PRELOAD = $Library; TEST_CLOCK_SHIFT = "$shift" } : @{}
    }

    function Start-Worker([string] $Store, [string] $Folder, [int] $Number, [string] $End, [string] $Library) {
        $environment = (Get-ClockEnvironment $Library $Number) + @{ DOTNET_TC_CallCounting = '0' }
        [pscustomobject]@{ Child = Start-Pwsh $worker $Store, (Join-Path $Folder $Number), $End -Environment $environment; Continues = $null }
    }

    # What was told of against what is there.
    function Test-Told([object] $Campaign, [string] $Store, [string[]] $Told, [hashtable] $Counts) {
        $saved = @{}
        $tokens = [Collections.Generic.HashSet[long]]::new()
        foreach ($line in $Told) {
            $word, $rest = $line -split ' ', 2
            switch ($word) {
                took { if (-not $tokens.Add([long] $rest)) { $Campaign.Findings.Add("token $rest was given twice") } }
                saved {
                    $token, $step, $i = $rest -split ' '
                    if ($saved.ContainsKey($step)) { $Campaign.Findings.Add("step $step was given twice") }
                    $saved[$step] = "$token $i"
                }
                lost { $Counts.Lost++ }
                fault { $Campaign.Findings.Add($rest) }
            }
        }
        $Campaign.Tries += $tokens.Count
        $highest = [long] 0
        foreach ($checkpoint in Get-Checkpoint work -AllSteps -Store $Store -Pipeline default -Run '' -WarningAction Stop | Sort-Object Step) {
            $state = $checkpoint | Restore-Checkpoint -WarningAction Stop
            if ($state.token -lt $highest) {
                $Campaign.Findings.Add("step $($checkpoint.Step) was saved under token $($state.token) after one was under $highest")
            }
            $highest = [Math]::Max($highest, $state.token)
            $key = "$($checkpoint.Step)"
            if ($saved.ContainsKey($key) -and $saved[$key] -ne "$($state.token) $($state.i)") {
                $Campaign.Findings.Add("step $key is $($state.token) $($state.i), and was told to be $($saved[$key])")
            }
            $saved.Remove($key)
            $Counts.Saves++
        }
        foreach ($step in $saved.Keys) { $Campaign.Findings.Add("step $step was told of and is not there") }
    }
}

Describe 'Leases' -Tag Campaign -Skip:$IsWindows {
    It 'never have two holders whose saves are both accepted' {
        $campaign = Start-Campaign ($StoreKind -and $StoreKind -ne 'folder' ? "Lease, $StoreKind" : 'Lease')
        $library = New-ClockLibrary
        if ($library) {
            $ahead, $behind = 1, 2 | ForEach-Object { [datetime] (Invoke-Pwsh { [datetime]::UtcNow.ToString('o') } -NoModule -Environment (Get-ClockEnvironment $library $_)).Output[0] }
            [Math]::Round(($ahead - $behind).TotalHours) | Should -Be 2
        }
        $counts = @{ Lost = 0; Saves = 0; Kills = 0; Stops = 0 }
        $wanted = $campaign.IsLong ? 10000 : 150
        while ($campaign.Tries -lt $wanted -and $campaign.Findings.Count -eq 0) {
            $store = New-TestStore
            $folder = (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid()))).FullName
            $end = Join-Path $folder end
            $number = 0
            $workers = @(1..($campaign.IsLong ? 8 : 4) | ForEach-Object { Start-Worker $store $folder ($number++) $end $library })
            $takes = { @(Get-ChildItem $folder -File | Where-Object Name -NE end | ForEach-Object { [IO.File]::ReadAllText($_.FullName) -split "`n" -like 'took *' }).Count }
            $clock = [Diagnostics.Stopwatch]::StartNew()
            $round = [Math]::Min(500, $wanted - $campaign.Tries)
            # A stop counts most where it hits who has the lease, which is one of them.
            $stops = $counts.Stops + ($campaign.IsLong ? 20 : 12)
            while (((& $takes) -lt $round -or $counts.Stops -lt $stops) -and $clock.Elapsed.TotalMinutes -lt 10) {
                Start-Sleep -Milliseconds $campaign.Random.Next(50, 300)
                foreach ($stopped in $workers | Where-Object { $_.Continues -and $clock.Elapsed -gt $_.Continues }) {
                    kill -CONT $stopped.Child.Process.Id
                    $stopped.Continues = $null
                }
                $at = $campaign.Random.Next($workers.Count)
                $chosen = $workers[$at]
                if ($chosen.Child.Process.HasExited) {
                    $campaign.Findings.Add("a worker ended: $((Wait-Pwsh $chosen.Child).ErrorOutput)")
                    break
                }
                if ($chosen.Continues) {
                    continue
                }
                if ($campaign.Random.Next(3) -eq 0) {
                    $null = Stop-Pwsh $chosen.Child
                    $workers[$at] = Start-Worker $store $folder ($number++) $end $library
                    $counts.Kills++
                }
                else {
                    # Longer than the lease lasts, and now and then not quite.
                    kill -STOP $chosen.Child.Process.Id
                    $chosen.Continues = $clock.Elapsed + [timespan]::FromSeconds(2 + 4 * $campaign.Random.NextDouble())
                    $counts.Stops++
                }
            }
            $workers | Where-Object Continues | ForEach-Object { kill -CONT $_.Child.Process.Id }
            $null = New-Item $end
            $workers | ForEach-Object { $null = Wait-Pwsh $_.Child }
            # The last line of one that was killed may be cut off.
            $told = Get-ChildItem $folder -File | Where-Object Name -NE end | ForEach-Object { [IO.File]::ReadAllText($_.FullName) -replace '[^\n]+\z' -split "`n" -ne '' }
            Test-Told $campaign $store $told $counts
        }
        $counts.Stops | Should -BeGreaterThan 0
        Complete-Campaign $campaign "$($counts.Saves) saves, $($counts.Kills) kills, $($counts.Stops) stops, $($counts.Lost) leases lost$($library ? ', two clocks in three an hour off' : '')"
    }

    It 'would be told of, were there two' {
        $campaign = [pscustomobject]@{ Tries = 0; Findings = [Collections.Generic.List[string]]::new() }
        $store = New-TestStore
        foreach ($token in 5, 7, 5) { Save-Checkpoint work -State @{ token = $token; process = 1; i = 1 } -Store $store -Pipeline default -Run '' }
        Test-Told $campaign $store ('took 5', 'took 7', 'saved 5 1 1', 'saved 7 2 1', 'saved 5 3 1') @{ Lost = 0; Saves = 0 }
        $campaign.Findings | Should -Be 'step 3 was saved under token 5 after one was under 7'
    }
}
