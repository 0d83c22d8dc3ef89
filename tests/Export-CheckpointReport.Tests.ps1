BeforeDiscovery {
    # On Linux a user can have file systems of their own, where the machine allows it.
    $canMount = $IsLinux -and (Get-Command unshare -CommandType Application -ErrorAction Ignore) -and
    $(unshare --user --map-root-user --mount sh -c 'mount -t tmpfs tmpfs /mnt' 2>$null; $LASTEXITCODE -eq 0)
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    # The report as a program reads it.
    function Get-Report([hashtable] $With = @{}) {
        $file = Export-CheckpointReport "$folder/$([guid]::NewGuid()).json" -WarningAction SilentlyContinue @With
        Get-Content -LiteralPath $file.FullName -Raw | ConvertFrom-Json -DateKind String
    }

    # What a page holds as data.
    function Get-PageData([string] $Path) {
        [regex]::Match([IO.File]::ReadAllText($Path), '(?s)<script type="application/json" id="data">(.*?)</script>').Groups[1].Value | ConvertFrom-Json
    }

    $hostile = @(
        '|', '`tick`', '</script><script>x</script>', '<img src=x onerror=x()>', '[x](javascript:alert(1))', '![x](http://example.com/x.png)', '@someone', '#12', '# h', '- item', '&lt;', '**b**', '_i_', '~~s~~',
        'http://example.com', 'www.example.com', "it's ""quoted""", "`u{202E}turned", "`u{1F600}", '::set-env name=x::y', '\|', '$(exit)', ' lead'
    )

    function Get-Told([object] $Report) { $Report.runs | ForEach-Object { "$($_.pipeline)/$($_.run)" } | Sort-Object }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Export-CheckpointReport' {
    BeforeEach {
        $store = New-TestStore
        $folder = New-TestFolder
        Set-CheckpointContext -Reset -Store $store
        Push-Location $folder
    }

    AfterEach { Pop-Location }

    Context 'The file' {
        BeforeEach { Save-Checkpoint ingest 5 }

        It 'is checkpoint-report.html in the current folder where nothing is said, and is emitted' {
            $file = Export-CheckpointReport
            $file | Should -HaveCount 1
            $file | Should -BeOfType ([IO.FileInfo])
            $file.FullName | Should -Be (Join-Path $folder checkpoint-report.html)
            [IO.File]::ReadAllText($file) | Should -BeLike '<!DOCTYPE html>*'
            # As what Get-Item gives, it can be piped on.
            $file | Get-Content -TotalCount 1 | Should -Be '<!DOCTYPE html>'
            Get-ChildItem $folder -Force | Should -HaveCount 1
        }

        It 'has the default name of -Format <Format>' -ForEach @(
            @{ Format = 'Html'; Name = 'checkpoint-report.html'; Begins = '<!DOCTYPE html>*' }
            @{ Format = 'Markdown'; Name = 'checkpoint-report.md'; Begins = '# Checkpoints*' }
            @{ Format = 'Json'; Name = 'checkpoint-report.json'; Begins = '{*' }
        ) {
            $file = Export-CheckpointReport -Format $Format
            $file.Name | Should -Be $Name
            [IO.File]::ReadAllText($file) | Should -BeLike $Begins
        }

        It 'is what its name <Name> says' -ForEach @(
            @{ Name = 'a.html'; Begins = '<!DOCTYPE html>*' }, @{ Name = 'a.HTM'; Begins = '<!DOCTYPE html>*' }
            @{ Name = 'a.md'; Begins = '# Checkpoints*' }, @{ Name = 'a.markdown'; Begins = '# Checkpoints*' }, @{ Name = 'a.b.Json'; Begins = '{*' }
        ) {
            [IO.File]::ReadAllText((Export-CheckpointReport $Name)) | Should -BeLike $Begins
        }

        It 'is what -Format says, whatever its name is' {
            [IO.File]::ReadAllText((Export-CheckpointReport summary.txt -Format Markdown)) | Should -BeLike '# Checkpoints*'
            [IO.File]::ReadAllText((Export-CheckpointReport a.html -Format Json)) | Should -BeLike '{*'
        }

        It 'is an error where neither says what it is to be: <_>' -ForEach 'report', 'report.txt', 'a.html.' {
            { Export-CheckpointReport $_ } | Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.ExportCheckpointReportCommand' -ExpectedMessage '*.html, .md or .json*-Format*'
            Get-ChildItem $folder -Force | Should -BeNullOrEmpty
        }

        It 'lies where a path says: relative, absolute, on a drive of PowerShell, with a provider' {
            $null = New-Item -ItemType Directory "$folder/below"
            (Export-CheckpointReport ./below/../below/a.html).FullName | Should -Be (Join-Path $folder below a.html)
            (Export-CheckpointReport "$folder/b.html").FullName | Should -Be (Join-Path $folder b.html)
            $null = New-PSDrive Reports FileSystem "$folder/below"
            (Export-CheckpointReport Reports:/c.md).FullName | Should -Be (Join-Path $folder below c.md)
            Push-Location Env:
            try {
                (Export-CheckpointReport "FileSystem::$folder/d.md").FullName | Should -Be (Join-Path $folder d.md)
            }
            finally {
                Pop-Location
            }
        }

        It 'is named by its path literally: <_>' -ForEach 'a[b].html', '[x].md', '`tick.html', "it's.json", 'ü日.html', '$x.md' {
            (Export-CheckpointReport $_).Name | Should -BeExactly $_
            (Get-ChildItem $folder).Name | Should -BeExactly $_
        }

        It 'takes * and ? literally too' -Skip:$IsWindows {
            Set-Content "$folder/ab.html" 'other'
            (Export-CheckpointReport '*b.html').Name | Should -BeExactly '*b.html'
            (Export-CheckpointReport '?b.html').Name | Should -BeExactly '?b.html'
            Get-Content "$folder/ab.html" | Should -Be 'other'
        }

        It 'takes the place of the file there was, whole' {
            Set-Content "$folder/a.json" ('x' * 1MB)
            $null = Export-CheckpointReport a.json
            (Get-Content "$folder/a.json" -Raw | ConvertFrom-Json).format | Should -Be 1
            Get-ChildItem $folder -Force | Should -HaveCount 1
        }

        It 'cannot be written <What>: the error FileUnwritable, and nothing changes' -ForEach @(
            @{ What = 'into a folder that is not there'; To = 'none/a.html' }
            @{ What = 'in place of a folder'; To = 'folder.html' }
            @{ What = 'below a file'; To = 'file.txt/a.html' }
            @{ What = 'to a provider without files'; To = 'Env:/a.html' }
            @{ What = 'to a drive that is not there'; To = 'Nowhere:/a.html' }
        ) {
            $null = New-Item -ItemType Directory "$folder/folder.html"
            Set-Content "$folder/file.txt" 'before'
            { Export-CheckpointReport $To } | Should -Throw -ErrorId 'FileUnwritable,Checkpoint.Commands.ExportCheckpointReportCommand' -ExpectedMessage '*cannot be written*'
            (Get-ChildItem $folder -Recurse -Force).Name | Sort-Object | Should -Be 'file.txt', 'folder.html'
            Get-Content "$folder/file.txt" | Should -Be 'before'
        }

        It 'that there was stays as it was where the disk is full' -Skip:(-not $canMount) -Tag Files {
            1..300 | ForEach-Object { Save-Checkpoint "stage $_" -Metadata @{ a = 'b' } }
            Set-Content "$TestDrive/full.ps1" @'
            param($Module, $Store, $Disk)
            Import-Module $Module
            mount -t tmpfs -o size=16k tmpfs $Disk
            Set-Content "$Disk/a.json" 'before'
            try { Export-CheckpointReport "$Disk/a.json" -Store $Store } catch { "$($_.FullyQualifiedErrorId) $($_.TargetObject)" }
            Get-Content "$Disk/a.json"
            (Get-ChildItem $Disk -Force).Name
'@
            $program = @(Get-PwshCommand)
            unshare --user --map-root-user --mount $program[0] @($program | Select-Object -Skip 1) -NoProfile -File "$TestDrive/full.ps1" $ModulePath $store $folder |
                Should -Be "FileUnwritable,Checkpoint.Commands.ExportCheckpointReportCommand $folder/a.json", 'before', 'a.json'
        }

        It 'is not written with -WhatIf' {
            Export-CheckpointReport -WhatIf | Should -BeNullOrEmpty
            Get-ChildItem $folder -Force | Should -BeNullOrEmpty
        }

        It 'is told of on the verbose stream, with how long it took' {
            $said = Export-CheckpointReport -Verbose 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] }
            "$said" | Should -Match '1 lines? of the history written to .*checkpoint-report\.html.* took \d'
        }
    }

    Context 'Which runs' {
        BeforeEach {
            Save-Checkpoint plain -Pipeline alpha
            Save-Checkpoint tied -Pipeline alpha -Run r1
            foreach ($run in 'r1', 'r2') { $null = Invoke-CheckpointPipeline beta -Run $run { stage a { 1 } } }
        }

        It 'are all there are, where nothing says which' {
            Get-Told (Get-Report) | Should -Be 'alpha/', 'alpha/r1', 'beta/r1', 'beta/r2'
        }

        It 'are those of -Pipeline and -Run, which may be wildcards, and the history is of these alone' {
            Get-Told (Get-Report @{ Pipeline = 'beta' }) | Should -Be 'beta/r1', 'beta/r2'
            Get-Told (Get-Report @{ Pipeline = 'al*' }) | Should -Be 'alpha/', 'alpha/r1'
            Get-Told (Get-Report @{ Run = 'r1' }) | Should -Be 'alpha/r1', 'beta/r1'
            $report = Get-Report @{ Pipeline = '*a'; Run = '?2' }
            Get-Told $report | Should -Be 'beta/r2'
            $report.history | ForEach-Object { "$($_.pipeline)/$($_.run)" } | Select-Object -Unique | Should -Be 'beta/r2'
            Get-Told (Get-Report @{ Pipeline = 'alpha'; Run = '' }) | Should -Be 'alpha/'
        }

        It 'are those of the session, and of the environment' {
            Set-CheckpointContext -Pipeline beta -Run r2
            Get-Told (Get-Report) | Should -Be 'beta/r2'
            Set-CheckpointContext -Reset -Store $store
            $env:CHECKPOINT_PIPELINE, $env:CHECKPOINT_RUN = 'beta', 'r1'
            try {
                Get-Told (Get-Report) | Should -Be 'beta/r1'
            }
            finally {
                Remove-Item Env:CHECKPOINT_PIPELINE, Env:CHECKPOINT_RUN
            }
        }

        It 'takes a name that looks like a wildcard for that pipeline alone, and a name from the context for no wildcard' {
            Save-Checkpoint x -Pipeline 'alph*'
            Get-Told (Get-Report @{ Pipeline = 'alph*' }) | Should -Be 'alph*/'
            Set-CheckpointContext -Pipeline '*' -Run ''
            Get-Report | ForEach-Object runs | Should -BeNullOrEmpty
        }

        It 'are those that are piped, in one report' {
            Get-CheckpointRun -Pipeline beta | Export-CheckpointReport "$folder/all.json" | Should -HaveCount 1
            $report = Get-Content "$folder/all.json" -Raw | ConvertFrom-Json
            Get-Told $report | Should -Be 'beta/r1', 'beta/r2'
            $report.history.run | Sort-Object -Unique | Should -Be 'r1', 'r2'
            # Each with its own pipeline: beta has an r2 that is not meant.
            $null = [pscustomobject]@{ Pipeline = 'alpha'; Run = $null }, [pscustomobject]@{ Pipeline = 'beta'; Run = 'r1' } | Export-CheckpointReport "$folder/two.json"
            $report = Get-Content "$folder/two.json" -Raw | ConvertFrom-Json
            Get-Told $report | Should -Be 'alpha/', 'beta/r1'
            $report.history | ForEach-Object { "$($_.pipeline)/$($_.run)" } | Sort-Object -Unique | Should -Be 'alpha/', 'beta/r1'
        }

        It 'is written of nothing where nothing is piped, and a warning says so' {
            Get-CheckpointRun -Pipeline none | Export-CheckpointReport -WarningVariable warned -WarningAction SilentlyContinue | Should -BeNullOrEmpty
            "$warned" | Should -Be 'Nothing was piped, so there is nothing to report.'
            Get-ChildItem $folder -Force | Should -BeNullOrEmpty
        }

        It 'refuses objects of two stores, of which nothing is written' {
            $other = New-TestStore
            Save-Checkpoint x -Store $other
            { (Get-Checkpoint -Pipeline alpha), (Get-Checkpoint -Store $other) | Export-CheckpointReport } |
                Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.ExportCheckpointReportCommand' -ExpectedMessage '*one store*'
            Get-ChildItem $folder -Force | Should -BeNullOrEmpty
        }
    }

    Context 'What it tells' {
        It 'is a warning where there is nothing to tell: of a store that is empty, or not there, or has no such pipeline' {
            foreach ($with in @{}, @{ Store = New-TestStore -Missing }) {
                $file = Export-CheckpointReport -WarningVariable warned -WarningAction SilentlyContinue @with
                "$warned" | Should -BeLike 'There is nothing to report in *.'
                (Get-PageData $file).runs | Should -BeNullOrEmpty
            }
            Save-Checkpoint a
            $null = Export-CheckpointReport -Pipeline typo -WarningVariable warned -WarningAction SilentlyContinue
            "$warned" | Should -BeLike 'There is nothing to report in * of the pipelines and runs that are meant.'
            $null = Export-CheckpointReport -WarningVariable warned
            $warned | Should -BeNullOrEmpty
        }

        It 'is of each stage what became of it, why, how often and how long; of the run its error' {
            $attempt = @{ Count = 0 }
            $run = {
                New-CheckpointStage fetch { 'x' * 2000 }
                New-CheckpointStage index { if (++$attempt.Count -lt 3) { throw "try $($attempt.Count)" } } -DependsOn fetch -Retry 1 -RetryDelay ([timespan]::FromMilliseconds(10))
                New-CheckpointStage publish { 5 } -DependsOn index
                New-CheckpointStage audit { 5 } -Disabled
            }
            & $run | Invoke-CheckpointPipeline nightly -Run r1 -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
            $first = (Get-Report).runs[0]
            $first.status | Should -Be 'failed'
            $first.lastError | Should -Be 'try 2'
            $first.stages | ForEach-Object { "$($_.name) $($_.status) $($_.attempts)" } | Should -Be 'fetch completed 1', 'index failed 2', 'publish notRun 0', 'audit disabled 0'
            $first.stages[1].error | Should -Be 'try 2'
            $first.stages[1].spans.kind | Should -Be 'attempt', 'wait', 'attempt'
            $first.stages[2].reason | Should -BeLike "*'index' failed*"
            $first.stages[0].checkpoint.stateSize | Should -BeGreaterThan 2000
            $null = & $run | Invoke-CheckpointPipeline nightly -Run r1 -WarningAction SilentlyContinue
            $second = (Get-Report).runs[0]
            $second.status, $second.attempts | Should -Be 'completed', 2
            $second.stages | ForEach-Object { "$($_.name) $($_.status) $($_.skips)" } | Should -Be 'fetch completed 1', 'index completed 0', 'publish completed 0', 'audit disabled 0'
            $second.host, $second.user, $second.processId | Should -Be ([Environment]::MachineName), ([Environment]::UserName), $PID
        }

        It 'is of items how many are done, and how many failed' {
            1..9 | Invoke-CheckpointItem hosts { if ($_ -eq 7) { throw 'no answer' } } -ContinueOnError -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
            $items = (Get-Report).runs[0].stages[0].items
            $items.done, $items.failed | Should -Be 8, 1
            [IO.File]::ReadAllText((Export-CheckpointReport a.md)) | Should -BeLike '*| 8 done, 1 failed |*'
        }

        It 'is of what is damaged a warning and a line, and of all else as ever' {
            Save-Checkpoint good 5
            $info = Save-Checkpoint bad 5 -PassThru
            $bytes = Get-RecordByte $info.Location
            $bytes[$bytes.Length / 2] = $bytes[$bytes.Length / 2] -bxor 1
            Set-Record $info.Location $bytes
            $report = Get-Content (Export-CheckpointReport a.json -WarningVariable warned -WarningAction SilentlyContinue) -Raw | ConvertFrom-Json
            "$warned" | Should -BeLike '*bad*damaged*'
            $report.problems | Should -Be "$warned"
            $report.runs[0].stages.name | Should -Contain 'good'
            [IO.File]::ReadAllText((Export-CheckpointReport a.md -WarningAction SilentlyContinue)) | Should -BeLike '*## What could not be read*damaged*## Runs*'
        }

        It 'of what is encrypted is the same with its key, without, and with another' {
            $key = [Net.NetworkCredential]::new('', 'correct horse').SecurePassword
            Set-CheckpointContext -Reset -Store $store -Key $key
            1..4 | Invoke-CheckpointItem hosts { if ($_ -eq 3) { throw 'no answer' } } -ContinueOnError -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
            Save-Checkpoint ingest 'a secret'
            Set-CheckpointContext -Reset -Store $store
            $reports = foreach ($with in @{}, @{ Key = $key }, @{ Key = [Net.NetworkCredential]::new('', 'another').SecurePassword }) {
                (Get-Report $with).runs | ConvertTo-Json -Depth 9
            }
            $reports | Select-Object -Unique | Should -HaveCount 1
            $stages = ($reports[0] | ConvertFrom-Json).stages
            ($stages | Where-Object name -EQ ingest).checkpoint.encrypted | Should -BeTrue
            ($stages | Where-Object name -EQ hosts).items.failed | Should -Be 1
            $reports | Should -Not -Match 'a secret'
        }

        It 'has no member as JSON that docs/reports.md does not name, and each that it names' -Tag AnyStore {
            $attempt = @{ Count = 0 }
            $null = & {
                New-CheckpointStage fetch { Start-Sleep -Milliseconds 1; 'x' }
                New-CheckpointStage index { if (++$attempt.Count -lt 3) { throw 'broken' } } -DependsOn fetch -Retry 1 -RetryDelay ([timespan]::FromMilliseconds(10))
            } | Invoke-CheckpointPipeline nightly -Run r1 -ErrorAction SilentlyContinue -WarningAction SilentlyContinue
            1..2 | Invoke-CheckpointItem hosts { 1 } | Out-Null
            1..2 | ForEach-Object { Invoke-CheckpointStage fetch { 1 } | Out-Null }
            $members = @{}
            $visit = {
                param($node)
                if ($node -is [Collections.IDictionary]) {
                    foreach ($key in $node.Keys) { $members[$key] = $true; & $visit $node[$key] }
                }
                elseif ($node -is [array]) { $node | ForEach-Object { & $visit $_ } }
            }
            & $visit (Get-Content (Export-CheckpointReport all.json) -Raw | ConvertFrom-Json -AsHashtable)
            $page = [regex]::Match((Get-Content "$RepositoryRoot/docs/reports.md" -Raw), '(?ms)^## JSON$(.*?)^## ').Groups[1].Value
            $named = [regex]::Matches($page, '(?m)^\|([^|]+)\|').ForEach({ [regex]::Matches($_.Groups[1].Value, '`(\w+)`').ForEach({ $_.Groups[1].Value }) }) | Sort-Object -Unique -CaseSensitive
            $members.Keys | Sort-Object -CaseSensitive | Should -BeExactly $named
        }

        It 'is in all three formats the same runs' {
            $null = Invoke-CheckpointPipeline nightly -Run r1 { stage a { 1 } }
            (Get-PageData (Export-CheckpointReport a.html)).runs[0].run | Should -Be 'r1'
            (Get-Content (Export-CheckpointReport a.json) -Raw | ConvertFrom-Json).runs[0].run | Should -Be 'r1'
            [IO.File]::ReadAllText((Export-CheckpointReport a.md)) | Should -BeLike '*## nightly, run r1*| ✅ completed | a |*'
        }

        It 'is what the replica has, where the store of the context is away' -Tag Files {
            $replica = New-TestStore
            Save-Checkpoint kept 5 -Store $replica
            Set-Content "$folder/file" 'no store'
            Set-CheckpointContext -Reset -Store "$folder/file" -Replica $replica
            (Get-Report).runs[0].stages[0].name | Should -Be 'kept'
        }

        It 'is of a store with a replica what the store has' {
            Set-CheckpointContext -Replica (New-TestStore -Missing) -ReplicaMode Required
            Save-Checkpoint both 5
            $report = Get-Report
            $report.store | Should -BeLike "*$store*"
            $report.runs[0].stages.name | Should -Be 'both'
        }
    }

    Context 'Hostile texts' {
        BeforeEach {
            foreach ($text in $hostile) {
                Save-Checkpoint -Name $text -State 1 -Pipeline $text -Run $text
                try { Invoke-CheckpointStage fails { throw "$text`n$text" } -Pipeline $text -Run $text } catch { "$_" | Should -Not -BeNullOrEmpty }
            }
        }

        It 'come back from JSON exactly' {
            $runs = (Get-Report).runs
            $runs | Should -HaveCount $hostile.Count
            foreach ($text in $hostile) {
                $run = $runs | Where-Object pipeline -CEQ $text
                $run.run, $run.stages[0].name | Should -BeExactly $text, $text
                $run.stages[1].error | Should -BeExactly "$text`n$text"
            }
        }

        It 'are data of the page, and no markup' {
            $path = (Export-CheckpointReport).FullName
            $runs = (Get-PageData $path).runs
            $hostile | Should -BeIn $runs.pipeline
            $hostile | Should -BeIn $runs.run
            [regex]::Matches([IO.File]::ReadAllText($path), '<(script|img)\b').Count | Should -Be 2
        }

        It 'are shown by Markdown as they are, and are no Markdown' {
            $text = [IO.File]::ReadAllText((Export-CheckpointReport a.md))
            $html = ($text | ConvertFrom-Markdown).Html
            $html | Should -Not -Match '<(script|img|a|b|em|del)\b|href'
            $shown = [Net.WebUtility]::HtmlDecode(($html -replace '<[^>]+>'))
            foreach ($one in $hostile) {
                $shown.Contains(($one.Trim() -replace "`u{202E}", "`u{FFFD}")) | Should -BeTrue -Because $one
            }
            # Every row has the cells of its table: no text ends one.
            $text -split '\n' -match '^\| ' | ForEach-Object { [regex]::Matches($_, '\|').Count } | Sort-Object -Unique | Should -Be 8
            # Neither a mention nor a link that a reader of GitHub's Markdown makes by itself.
            $text | Should -Not -Match '@someone|https?://|www\.'
        }
    }
}
