# The campaign Shared, see docs/reliability.md: processes that work on one list together are killed, and stopped for longer than their lease lasts.

BeforeDiscovery {
    . $PSScriptRoot/Common.ps1
    $hasPostgres = $env:CHECKPOINT_TEST_POSTGRES -or (Get-Command initdb -CommandType Application -ErrorAction Ignore) -or (Test-Path /usr/lib/postgresql/*/bin/initdb)
    $kinds = @(
        @{ Kind = 'folder'; Skip = $false; Items = 600; LongItems = 20000 }
        @{ Kind = 'sqlite'; Skip = -not (Test-Path $RepositoryRoot/out/bin/Checkpoint.Stores.Sample/release); Items = 150; LongItems = 4000 }
        @{ Kind = 'postgresql'; Skip = -not $hasPostgres; Items = 150; LongItems = 4000 }
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Campaign.ps1
    . $PSScriptRoot/Postgres.ps1
    $sample = "$RepositoryRoot/out/bin/Checkpoint.Stores.Sample/release/Checkpoint.Stores.Sample.dll"

    # Does its part of the list, and again where it lost its lease. For each item that it begins it leaves a file, in a folder for each call; what it gave in the end stands in told.
    $worker = {
        param($store, $folder, $name, $count, $throttle, $sample)
        if ($store -like 'sqlite:*') { [Checkpoint.StoreDrivers]::Register('sqlite', $sample) }
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        for ($call = 1; ; $call++) {
            $traces = (New-Item -ItemType Directory "$folder/$name.$call.$throttle").FullName
            $block = {
                $file = [IO.File]::Open("$using:traces/$_", 'CreateNew')
                $stamp = [BitConverter]::GetBytes([Diagnostics.Stopwatch]::GetTimestamp())
                $file.Write($stamp, 0, $stamp.Length)
                $file.Dispose()
                [Threading.Thread]::Sleep((Get-Random -Maximum 6))
                $_
            }
            try {
                $all = @(1..$count | Invoke-CheckpointItem list $block -Shared -SaveOutput -ThrottleLimit $throttle @at)
                [IO.File]::WriteAllText("$traces.told", "whole $($all.Count) $(@($all | Select-Object -Unique).Count)")
                return
            }
            catch {
                [IO.File]::WriteAllText("$traces.told", ($_.FullyQualifiedErrorId -like 'LeaseLost,*' ? 'lost' : "fault $($_.FullyQualifiedErrorId) $_"))
                if ($_.FullyQualifiedErrorId -notlike 'LeaseLost,*') { return }
            }
        }
    }

    # What was done against what may have been: whoever did not tell of its end was killed.
    function Test-Done([object] $Campaign, [string] $Folder, [int] $Count, [hashtable] $Counts) {
        $doings = @{}
        $last = @{}
        $calls = foreach ($traces in Get-ChildItem $Folder -Directory) {
            $told = "$($traces.FullName).told"
            $end = (Test-Path $told) ? [IO.File]::ReadAllText($told) : 'killed'
            if ($end -notin 'killed', 'lost', "whole $Count $Count") { $Campaign.Findings.Add("$($traces.Name): $end") }
            if ($end -eq 'lost') { $Counts.Lost++ }
            $items = @(foreach ($file in $traces.GetFiles()) {
                    $bytes = [IO.File]::ReadAllBytes($file)
                    # Killed before it wrote: its last, if anybody's.
                    [pscustomobject]@{ Item = $file.Name; At = $bytes.Length -eq 8 ? [BitConverter]::ToInt64($bytes) : -1 }
                }) | Sort-Object { $_.At -lt 0 }, At
            foreach ($item in $items) {
                $doings[$item.Item]++
                if ($null -eq $last[$item.Item] -or $item.At -ge $last[$item.Item].At) { $last[$item.Item] = @{ At = $item.At; By = $traces.Name } }
            }
            [pscustomobject]@{ Name = $traces.Name; End = $end; Items = @($items | ForEach-Object Item) }
        }
        foreach ($item in 1..$Count) {
            if (-not $doings["$item"]) { $Campaign.Findings.Add("item $item was not done") }
        }
        $inHand = @{}
        foreach ($call in $calls) {
            # Its own were not the last: what it did after a dead one was.
            $doubled = @($call.Items | Where-Object { $last[$_].By -ne $call.Name })
            if ($call.End -eq 'lost') {
                # It stood still between looking whether it had its lease and beginning: then others were first with the items that it was just about to begin.
                $doubled += @($call.Items | Select-Object -Last ([int] ($call.Name -split '\.')[-1]) | Where-Object { $doings[$_] -gt 1 -and $_ -notin $doubled })
            }
            if ($call.End -in 'killed', 'lost') {
                foreach ($item in $doubled) { $inHand[$item]++ }
                # Its doings come into the journal in their order, so what was in its hands is the last of them.
                if ($call.Name -like '*.1' -and $doubled -and "$($call.Items | Select-Object -Last $doubled.Count)" -ne "$doubled") {
                    $Campaign.Findings.Add("$($call.Name): of what it had done before its end, some was done again: $doubled")
                }
            }
        }
        foreach ($item in $doings.Keys) {
            if ($doings[$item] - 1 -gt [int] $inHand[$item]) { $Campaign.Findings.Add("item $item was done $($doings[$item]) times, $([int] $inHand[$item]) of them by a dead one") }
        }
        $Counts.Doubled += @($doings.Values | Where-Object { $_ -gt 1 }).Count
        $Campaign.Tries += $Count
    }
}

Describe 'Items that several processes work on' -Tag Campaign -Skip:$IsWindows {
    It 'are each done by one of them, but for what a dead one had in its hands: <Kind>' -ForEach $kinds -Skip:$Skip {
        $campaign = Start-Campaign ($Kind -eq 'folder' ? 'Shared' : "Shared $Kind")
        $counts = @{ Lost = 0; Kills = 0; Stops = 0; Doubled = 0 }
        $count = $campaign.IsLong ? $LongItems : $Items
        $folder = (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid()))).FullName
        if ($Kind -eq 'sqlite') { [Checkpoint.StoreDrivers]::Register('sqlite', $sample) }
        $store = switch ($Kind) {
            folder { "$folder-store" }
            sqlite { "sqlite://$folder.db" }
            postgresql { New-PostgresStore }
        }
        $number = 0
        $start = {
            $name = 'w{0:d4}' -f ($number++)
            [pscustomobject]@{ Name = $name; Continues = $null; Child = Start-Pwsh $worker $store, $folder, $name, $count, ($number % 2 ? 1 : 3), $sample -Environment @{ DOTNET_TC_CallCounting = '0' } }
        }
        $begun = { @([IO.Directory]::EnumerateFiles($folder, '*', 'AllDirectories')).Count }
        $workers = @(1..4 | ForEach-Object { . $start })
        $since = [Diagnostics.Stopwatch]::StartNew()
        # One after the other is killed, each when some more items were begun; so it counts how far they are, and no time.
        $kills = $campaign.IsLong ? 40 : $Kind -eq 'folder' ? 3 : 1
        foreach ($kill in 1..$kills) {
            $at = $count * $kill / ($kills + 1) * (0.8 + 0.2 * $campaign.Random.NextDouble())
            Wait-Until {
                foreach ($stopped in $workers | Where-Object { $_.Continues -and $since.Elapsed -gt $_.Continues }) {
                    kill -CONT $stopped.Child.Process.Id
                    $stopped.Continues = $null
                }
                (& $begun) -ge $at -or -not ($workers | Where-Object { -not $_.Child.Process.HasExited })
            } -TimeoutSeconds 1200
            $chosen = $campaign.Random.Next($workers.Count)
            # What a database does with a client that stands still in the middle of its work is the database's.
            # The last is one that the others have to wait for.
            if ($campaign.IsLong -and $Kind -eq 'folder' -and ($kill % 10 -eq 5 -or $kill -eq $kills) -and -not $workers[$chosen].Continues -and -not $workers[$chosen].Child.Process.HasExited) {
                kill -STOP $workers[$chosen].Child.Process.Id
                $workers[$chosen].Continues = $since.Elapsed + [timespan]::FromSeconds(45)
                $counts.Stops++
                continue
            }
            if ($workers[$chosen].Child.Process.HasExited) { continue }
            $null = Stop-Pwsh $workers[$chosen].Child
            $counts.Kills++
            $workers[$chosen] = . $start
        }
        foreach ($stopped in $workers | Where-Object Continues) {
            # The others must not wait for one that stands still.
            Wait-Until { $since.Elapsed -gt $stopped.Continues } -TimeoutSeconds 120
            kill -CONT $stopped.Child.Process.Id
        }
        foreach ($one in $workers) {
            $left = Wait-Pwsh $one.Child -TimeoutSeconds 1200
            if ($left.ErrorOutput) { $campaign.Findings.Add("$($one.Name): $($left.ErrorOutput)") }
        }
        Test-Done $campaign $folder $count $counts
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        if (-not (Test-Checkpoint list @at)) { $campaign.Findings.Add('the stage is not complete') }
        if (@(Get-Checkpoint list -AllSteps @at -ErrorAction Ignore).Count -ne 1) { $campaign.Findings.Add('the stage has not one checkpoint') }
        if ($Kind -eq 'folder') {
            # Whoever lost its turn at the journal wrote the same line once more.
            $done = [IO.File]::ReadAllLines("$store/default/stages/list/items.jsonl") | Select-Object -Unique | Select-String '"id":"(\w+)","status":"done"' | ForEach-Object { $_.Matches.Groups[1].Value }
            $done.Count | Should -Be $count
            @($done | Select-Object -Unique).Count | Should -Be $count
            Test-CheckpointStore @at | Where-Object Severity -NE Information | Should -BeNullOrEmpty
        }
        $counts.Kills | Should -BeGreaterThan 0
        Complete-Campaign $campaign "$($counts.Kills) kills, $($counts.Stops) stops, $($counts.Lost) leases lost, $($counts.Doubled) items done again that were in a dead one's hands"
    }

    It 'would be told of, were one done twice, or not at all' {
        $campaign = [pscustomobject]@{ Tries = 0; Findings = [Collections.Generic.List[string]]::new() }
        $folder = (New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid()))).FullName
        $stamp = 0
        foreach ($call in @{ Name = 'c.1.1'; Items = 5, 2, 1 }, @{ Name = 'd.1.3'; Items = 1, 4; Told = 'lost' }, @{ Name = 'a.1.1'; Items = 1, 2, 3; Told = 'whole 6 6' }, @{ Name = 'b.1.1'; Items = 3, 4, 5; Told = 'whole 6 6' }) {
            $null = New-Item -ItemType Directory "$folder/$($call.Name)"
            foreach ($item in $call.Items) { [IO.File]::WriteAllBytes("$folder/$($call.Name)/$item", [BitConverter]::GetBytes([long] $stamp++)) }
            if ($call.Told) { [IO.File]::WriteAllText("$folder/$($call.Name).told", $call.Told) }
        }
        $counts = @{ Lost = 0; Doubled = 0 }
        Test-Done $campaign $folder 6 $counts
        $campaign.Findings | Should -Be 'item 6 was not done', 'item 3 was done 2 times, 0 of them by a dead one'
        $counts.Lost, $counts.Doubled | Should -Be 1, 5
        $null = New-Item "$folder/c.1.1/6"
        $campaign.Findings.Clear()
        Test-Done $campaign $folder 6 $counts
        $campaign.Findings | Should -Be 'c.1.1: of what it had done before its end, some was done again: 5 2 1', 'item 3 was done 2 times, 0 of them by a dead one'
    }
}
