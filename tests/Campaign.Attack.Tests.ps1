# The campaign Attack, see docs/reliability.md: in each case somebody who may write a store's files has put something else in the place of one of them.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Campaign.ps1
    . $PSScriptRoot/Record.ps1

    $canary = 'CANARY of a file that is none of the store''s'

    # All that the cmdlets do to one store. What they emit and their errors go to the output, a line each.
    $work = {
        param($List)
        # Of each error its id; of what is none of ours everything.
        function Invoke-Each([string] $Store, [int] $Number) {
            $at = @{ Store = $Store; Pipeline = 'default'; Run = '' }
            $key, $newKey = [byte[]] (1..32), [byte[]] (2..33)
            $flow = { stage one { 'one' }; stage two { "two behind $($_.Output['one'])" } -DependsOn one }
            $each = @(
                { Test-CheckpointStore -Store $Store | ForEach-Object { "$_ $($_.Message)" } }
                # In every other case before anything has replaced what is wrong.
                { if ($Number % 2) { Repair-CheckpointStore -Store $Store -Confirm:$false | ForEach-Object { "$_ $($_.Message)" } } }
                { Get-Checkpoint -AllSteps @at | ForEach-Object { "$_ $($_.Metadata.Values)" } }
                { Get-Checkpoint -AllSteps -Store $Store -Pipeline * }
                { 'small', 'large', 'items' | ForEach-Object { Test-Checkpoint $_ @at } }
                { Restore-Checkpoint small @at }
                { [Text.Encoding]::Latin1.GetString((Restore-Checkpoint large @at)[0..99]) }
                { [Text.Encoding]::Latin1.GetString((Restore-Checkpoint large -Step 1 @at)[0..99]) }
                { Restore-Checkpoint secret -Key $key @at }
                { Set-CheckpointContext -Key $key; try { 1..2 | Invoke-CheckpointItem sealed { "$_" } -SaveOutput @at | ForEach-Object Length } finally { Set-CheckpointContext -Reset } }
                { Save-Checkpoint secret -State 'next' -Key $key @at }
                { Update-CheckpointKey secret, sealed -Key $key -NewKey $newKey @at }
                { Restore-Checkpoint secret -Key $newKey @at }
                { Get-CheckpointHistory -Store $Store -Pipeline default | ForEach-Object { "$($_.Event) $($_.Name) $($_.Reason)" } }
                { Get-CheckpointRun -Store $Store -Pipeline flow | ForEach-Object { "$($_.Run) $($_.Status) $($_.LastError)" } }
                { Save-Checkpoint small -State 'next' @at }
                { Save-Checkpoint small -State 'again' -Step 1 -Overwrite @at }
                { Save-Checkpoint large -State ([byte[]]::new(20000)) -Keep 1 @at }
                { Save-Checkpoint large -State ([byte[]]::new(20000)) -Async @at; Wait-Checkpoint -Pending }
                { Invoke-CheckpointStage stage { 'ran' } -Force @at }
                { "$((Invoke-CheckpointPipeline broken { stage x { 'up' } -CircuitBreaker (New-CheckpointCircuitBreaker api) } -Store $Store -Run r).Status)" }
                { "$((Invoke-CheckpointPipeline flow $flow -Store $Store -Run r).Status)" }
                { 1..4 | Invoke-CheckpointItem items { "$_" * 20000 } -SaveOutput @at | ForEach-Object Length }
                { Repair-CheckpointStore -Store $Store -Confirm:$false | ForEach-Object { "$_ $($_.Message)" } }
                { Test-CheckpointStore -Store $Store | ForEach-Object { "$_ $($_.Message)" } }
                { Clear-Checkpoint small -Keep 1 @at }
                { Clear-Checkpoint @at }
                { Clear-Checkpoint -Store $Store -Pipeline flow -Run r }
                { Clear-Checkpoint -Store $Store -Pipeline * -Run '' }
            )
            foreach ($block in $each) {
                try {
                    & $block 3>&1 6>$null | ForEach-Object { "  $_" }
                }
                catch {
                    "  error $($_.FullyQualifiedErrorId): $_"
                }
            }
        }
        function Get-Loaded {
            [AppDomain]::CurrentDomain.GetAssemblies().FullName | Sort-Object -Unique
        }
        $number = 0
        foreach ($store in [IO.File]::ReadAllLines($List)) {
            "case $store"
            # The first two are as they should be, and are worked on in both ways.
            Invoke-Each $store (++$number)
            if ($number -eq 2) {
                # What the work itself needs is loaded now, and what tells where an error was thrown.
                try { [Checkpoint.StoreDrivers]::Register('file', '') } catch { $null = $_.Exception.InnerException.StackTrace }
                # The first call is the first to sort something, and its module comes with what that needs.
                $null = Get-Loaded
                $loaded = Get-Loaded
            }
        }
        Get-Loaded | Where-Object { $_ -notin $loaded } | ForEach-Object { "loaded $_" }
        'end'
    }

    function New-Template {
        $store = New-TestStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        1..2 | ForEach-Object {
            Save-Checkpoint small -State "small $_" -Metadata @{ n = $_ } @at
            Save-Checkpoint large -State ([byte[]]::new(20000)) @at
        }
        $null = 1..2 | Invoke-CheckpointItem items { "$_" * 20000 } -SaveOutput @at
        $null = Invoke-CheckpointPipeline flow { stage one { 'one' } } -Store $store -Run r
        $key = [byte[]] (1..32)
        Save-Checkpoint secret -State 'secret' -Metadata @{ n = 1 } -Key $key @at
        Save-Checkpoint secret -State ([byte[]]::new(20000)) -Key $key @at
        Set-CheckpointContext -Key $key
        $null = 1..2 | Invoke-CheckpointItem sealed { "$_" * 20000 } -SaveOutput @at
        Set-CheckpointContext -Reset
        $null = Invoke-CheckpointPipeline broken { stage x { throw 'down' } -CircuitBreaker (New-CheckpointCircuitBreaker api) } -Store $store -Run r -ErrorAction Ignore
        # A repair has put a damaged record into the quarantine.
        Save-Checkpoint hurt -State 'hurt' @at
        Add-Content "$store/default/stages/hurt/0000000001.json" 'x'
        $null = Repair-CheckpointStore -Store $store -Confirm:$false
        $store
    }

    # Ends and times of all that lies outside. The times first: to read a file may change them.
    function Get-Outside([string] $Folder) {
        Get-ChildItem $Folder -Recurse -Force | Sort-Object FullName | ForEach-Object {
            $isFile = $_ -is [IO.FileInfo] -and $_.UnixStat.ItemType -eq 'RegularFile'
            $read = $isFile ? $_.LastAccessTimeUtc.ToString('O') : ''
            $content = $isFile ? [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([IO.File]::ReadAllBytes($_))) : ''
            if ($isFile) {
                [IO.File]::SetLastAccessTimeUtc($_, [datetime] '2020-01-01')
            }
            '{0} {1} {2} {3} {4}' -f [IO.Path]::GetRelativePath($Folder, $_), $_.UnixMode, $_.LastWriteTimeUtc.ToString('O'), $read, $content
        }
    }

    # Puts something in the place of a file or folder of the store; what it was lies outside then, or nowhere.
    $means = [ordered]@{
        'a link to what it was, outside' = { Move-Item $path "$outside/moved"; $null = [IO.File]::CreateSymbolicLink($path, "$outside/moved") }
        'a link to a file outside' = { Remove-Item $path -Recurse -Force; $null = [IO.File]::CreateSymbolicLink($path, "$outside/secret") }
        'a link to a folder outside' = { Remove-Item $path -Recurse -Force; $null = [IO.File]::CreateSymbolicLink($path, "$outside/folder") }
        'a link to nothing, outside' = { Remove-Item $path -Recurse -Force; $null = [IO.File]::CreateSymbolicLink($path, "$outside/nothing") }
        'a link to a pipe outside' = { Remove-Item $path -Recurse -Force; mkfifo "$outside/pipe"; $null = [IO.File]::CreateSymbolicLink($path, "$outside/pipe") }
        'a link to a device' = { Remove-Item $path -Recurse -Force; $null = [IO.File]::CreateSymbolicLink($path, "/dev/zero") }
        'a hard link to a file outside' = { Remove-Item $path -Recurse -Force; $null = New-Item -ItemType HardLink $path -Target "$outside/secret" }
        'a pipe' = { Remove-Item $path -Recurse -Force; mkfifo $path }
        'a device' = { Remove-Item $path -Recurse -Force; mknod $path c 1 5 2>$null }
        'a socket' = {
            Remove-Item $path -Recurse -Force
            $short = Join-Path ([IO.Path]::GetTempPath()) "s$(Get-Random)"
            [Net.Sockets.Socket]::new('Unix', 'Stream', 'Unspecified').Bind([Net.Sockets.UnixDomainSocketEndPoint]::new($short))
            [IO.File]::Move($short, $path)
        }
        'a folder' = { Remove-Item $path -Recurse -Force; $null = New-Item -ItemType Directory $path }
    }
    $stages = 'default/stages'
    $places = @(
        'default', $stages, "$stages/small", "$stages/large", "$stages/items", 'default/history.jsonl', 'default/leases', 'default/leases/items.lock'
        "$stages/small/0000000001.json", "$stages/small/0000000002.json", "$stages/large/0000000002.json", "$stages/large/*1.*.state", "$stages/large/*2.*.state"
        "$stages/small/~*.tmp", "$stages/items/items.jsonl", "$stages/items/items.outputs"
        'default/history.head', "$stages/secret/0000000002.json", "$stages/secret/*2.*.state", "$stages/sealed/items.jsonl", "$stages/sealed/items.outputs", '~quarantine', '~quarantine/*/default/stages'
        'broken/breakers', 'broken/breakers/api.json', 'broken/breakers/api.lock'
        'flow', 'flow/pipeline.lock', 'flow/history.jsonl', 'flow/runs', 'flow/runs/r', 'flow/runs/r/run.json', 'flow/runs/r/run.lock', 'flow/runs/r/stages', 'flow/runs/r/stages/one'
    )
    # Records that are sealed as they should be, and lie.
    $small, $large = "$stages/small/0000000002.json", "$stages/large/0000000002.json"
    $forgeries = [ordered]@{
        'a payload above the store' = { Edit-Record "$store/$large" { $_ -replace '"file": "[^"]+"', '"file": "../../../../outside/secret"' } }
        'a payload at an absolute path' = { Edit-Record "$store/$large" { $_ -replace '"file": "[^"]+"', "`"file`": `"$outside/secret`"" } }
        'a payload of another stage' = { Edit-Record "$store/$small" { $_ -replace '"value": .*', ('"payload": {"file": "../large/x.state", "length": 1, "documentLength": 1, "sha256": "' + '0' * 64 + '"}') } }
        'the payload of another step' = { Edit-Record "$store/$large" { $_ -replace '"file": "[^"]+"', "`"file`": `"$((Get-Item "$store/$stages/large/*1.*.state").Name)`"" } }
        'a payload that is the store itself' = { Edit-Record "$store/$large" { $_ -replace '"file": "[^"]+"', '"file": "."' } }
        'the stage of another' = { Edit-Record "$store/$small" { $_ -replace '"name": "small"', '"name": "../../../outside"' } }
        'a type of .NET as $type' = { Edit-Record "$store/$small" { $_ -replace '"value": .*', '"value": {"$type": "System.Diagnostics.Process, System.Diagnostics.Process", "StartInfo": {"FileName": "touch"}}' } }
        'a type of .NET as a tag' = { Edit-Record "$store/$small" { $_ -replace '"value": .*', '"value": {"$System.Net.WebClient, System.Net.WebClient": "x"}' } }
        'a type of .NET as an array''s' = { Edit-Record "$store/$small" { $_ -replace '"value": .*', '"value": {"$array": "System.Net.Mail.SmtpClient, System.Net.Mail", "items": []}' } }
        'a type of .NET as an object''s' = { Edit-Record "$store/$small" { $_ -replace '"value": .*', '"value": {"$object": {"types": ["System.IO.FileSystemWatcher, System.IO.FileSystem.Watcher"], "properties": {"Path": "/"}}}' } }
        'XML with a file as an entity' = { Edit-Record "$store/$small" { $_ -replace '"value": .*', "`"value`": {`"`$xml`": `"<!DOCTYPE x [<!ENTITY e SYSTEM 'file://$outside/secret'>]><x>&e;</x>`"}" } }
        'the payload of another stage, encrypted' = { Copy-Item "$store/$stages/large/*2.*.state" "$store/$stages/secret"; Edit-Record "$store/$stages/secret/0000000002.json" { $_ -replace '"file": "[^"]+"', "`"file`": `"$((Get-Item "$store/$stages/large/*2.*.state").Name)`"" } }
        'a key of a kind of .NET' = { Edit-Record "$store/$stages/secret/0000000002.json" { $_ -replace '"kind": "[^"]+"', '"kind": "System.Security.Cryptography.RC2CryptoServiceProvider, System.Security.Cryptography.Csp"' } }
        'a passphrase to be stretched for ever' = { Edit-Record "$store/$stages/secret/0000000002.json" { $_ -replace '"kind": "[^"]+"', '"kind": "passphrase", "salt": "AAAAAAAAAAAAAAAAAAAAAA==", "iterations": 2147483647' } }
        'facts of another step' = { $facts = [regex]::Match((Get-Content "$store/$stages/secret/0000000001.json" -Raw), '"facts": "[^"]+"').Value; Edit-Record "$store/$stages/secret/0000000002.json" { $_ -replace '("documentLength": \d+,)(\s+"key")', "`$1 $facts,`$2" } }
        'an output file that has no end' = { Edit-Record "$store/$small" { $_ -replace '"state": \{', ('"outputFiles": [{"path": "/dev/zero", "size": 0, "modifiedAt": "2026-01-01T00:00:00Z", "sha256": "' + '0' * 64 + '"}], "state": {') } }
    }

    # A store with one thing wrong, and a folder beside it with what must not be touched.
    function New-Case([string] $Root, [int] $Number, [string] $Name, [string] $Place, [scriptblock] $Attack) {
        $store, $outside = "$Root/$Number/store", "$Root/$Number/outside"
        $null = New-Item -ItemType Directory "$outside/folder" -Force
        cp -rp $template $store
        if ($Number -lt 2 -or $Place -like '*~*.tmp') {
            # As a writer that died left it. Who verifies looks at it for a second.
            Set-Content "$store/$stages/small/~$('0' * 32).tmp" 'left'
        }
        Set-Content "$outside/secret", "$outside/folder/secret", "$outside/folder/0000000001.json" $canary
        $path = $Place ? (Get-Item "$store/$Place" -Force).FullName : $store
        . $Attack
        $case = @{ Name = $Name; Store = $store; Outside = $outside }
        $null = Get-Outside $outside
        $case.Before = Get-Outside $outside
        $case
    }
}

Describe 'A store whose files somebody else may write' -Tag Campaign -Skip:(-not $IsLinux) {
    It 'makes nothing outside it be read, written or removed, no type be loaded, and nobody wait' {
        $campaign = Start-Campaign Attack
        $template = New-Template
        $root = New-TestStore
        $cases = @(0..1 | ForEach-Object { New-Case $root $_ 'nothing' '' { } })
        foreach ($place in $places) {
            foreach ($way in $means.Keys) {
                if (($way -ne 'a hard link to a file outside' -or $place -match '\.\w+$') -and ($campaign.IsLong -or $campaign.Random.Next(8) -eq 0)) {
                    $cases += New-Case $root $cases.Count "$place is $way" $place $means[$way]
                }
            }
        }
        foreach ($lie in $forgeries.Keys) {
            $cases += New-Case $root $cases.Count "a record tells of $lie" '' $forgeries[$lie]
        }
        Set-Content "$root/list" $cases.Store
        $child = Start-Pwsh ("$work" -replace '^\s*param\(\$List\)', "param(`$List) `$ErrorActionPreference = 'SilentlyContinue'; `$WarningPreference = 'Continue'") "$root/list"
        $result = Wait-Pwsh $child -TimeoutSeconds ($campaign.IsLong ? 1800 : 600)
        $campaign.Tries = $cases.Count - 2

        $result.Output[-1] | Should -Be 'end' -Because "of $($result.ErrorOutput)"
        $result.Output -match '^loaded ' | ForEach-Object { $campaign.Findings.Add($_) }
        $number = -1
        $told = foreach ($line in $result.Output) {
            if ($line -like 'case *') {
                $number++
            }
            elseif ($line -match 'CANARY|^  error (?!(Checkpoint\w+|Store\w+|Lease(Held|Lost)|Key(Wrong|Required)|RunNotFound|StageFailed|InvalidPipeline),)') {
                $campaign.Findings.Add("$($cases[$number].Name): $line")
            }
            else {
                "$($cases[$number].Name): $line"
            }
        }
        foreach ($case in $cases) {
            $after = Get-Outside $case.Outside
            Compare-Object @($case.Before) @($after) | ForEach-Object { $campaign.Findings.Add("$($case.Name): outside $($_.SideIndicator) $($_.InputObject)") }
        }
        Complete-Campaign $campaign "$(@($told -match '  error ').Count) refusals"
    }
}
