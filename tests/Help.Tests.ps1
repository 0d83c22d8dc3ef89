BeforeDiscovery {
    $root = [IO.Path]::GetFullPath("$PSScriptRoot/..")
    $cmdlets = (Import-PowerShellDataFile "$root/Checkpoint.psd1").CmdletsToExport | ForEach-Object { @{ Cmdlet = $_ } }
    $topics = Get-ChildItem "$root/docs/en-US" -Filter about_*.md | ForEach-Object { @{ Topic = $_.BaseName } }

    # Each example with its code and, where the page shows it, the output that the code has.
    $examples = foreach ($page in Get-ChildItem "$root/docs/en-US" -Filter *-*.md) {
        $section = [regex]::Match((Get-Content -LiteralPath $page -Raw), '(?ms)^## EXAMPLES\s*$(.*?)^## ').Groups[1].Value
        foreach ($example in [regex]::Matches($section, '(?ms)^### ([^\r\n]+)\s*$(.*?)(?=^### |\z)')) {
            $blocks = [regex]::Matches($example.Groups[2].Value, '(?ms)^```(\w+)\r?\n(.*?)^```')
            @{
                Page = $page.BaseName
                Title = $example.Groups[1].Value
                Code = @($blocks | Where-Object { $_.Groups[1].Value -eq 'powershell' } | ForEach-Object { $_.Groups[2].Value })
                Output = @($blocks | Where-Object { $_.Groups[1].Value -eq 'Output' } | ForEach-Object { $_.Groups[2].Value })
            }
        }
    }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Pages.ps1
}

Describe 'Get-Help <Cmdlet>' -Tag AnyStore -ForEach $cmdlets {
    BeforeAll {
        $help = Get-Help $Cmdlet -Full
        $command = Get-Command $Cmdlet
        $common = [Management.Automation.PSCmdlet]::CommonParameters
    }

    It 'has a synopsis of one sentence' {
        # Without a help file the synopsis is the syntax.
        $help.Synopsis | Should -Match '^[A-Z].*\.$'
        $help.Synopsis | Should -Not -Match "^\s*$Cmdlet"
        $help.Synopsis.Length | Should -BeLessOrEqual 120
    }

    It 'has a description beyond it' {
        $text = ($help.description.Text -join ' ')
        $text.Length | Should -BeGreaterThan 80
        $text.Trim() | Should -Not -Be $help.Synopsis
    }

    It 'describes each parameter that there is, and no other' {
        $there = $command.Parameters.Keys | Where-Object { $_ -notin $common }
        ($help.parameters.parameter.name | Sort-Object -Unique) | Should -Be ($there | Sort-Object)
        foreach ($parameter in $help.parameters.parameter) {
            ($parameter.description.Text -join ' ').Trim() | Should -Match '\.$' -Because $parameter.name
        }
    }

    It 'says of each parameter what values it takes, and what holds without it' {
        foreach ($name in $command.Parameters.Keys | Where-Object { $_ -notin $common -and $_ -notin 'WhatIf', 'Confirm' }) {
            $parameter = $command.Parameters[$name]
            $text = ((Get-Help $Cmdlet -Parameter $name).description.Text -join ' ') -replace '\s+', ' '
            $text.Length | Should -BeGreaterOrEqual 30 -Because $name
            foreach ($range in $parameter.Attributes | Where-Object { $_ -is [Management.Automation.ValidateRangeAttribute] }) {
                $text | Should -Match "\bfrom $($range.MinRange)\b" -Because "$name begins there"
                if ($range.MaxRange -notin [int]::MaxValue, [long]::MaxValue) {
                    $text | Should -Match "\bto $($range.MaxRange)\b" -Because "$name ends there"
                }
            }
            if ($parameter.Attributes.TypeId.Name -contains 'DurationAttribute') {
                $text | Should -Match '\b\d+(\.\d+)?[smhd]\b' -Because "$name shows how a time is written"
            }
            $isMandatory = @($parameter.Attributes | Where-Object { $_ -is [Management.Automation.ParameterAttribute] })[0].Mandatory
            if (-not $isMandatory -and $parameter.ParameterType -ne [switch] -and $text -notmatch '(?i)changes nothing here|has no effect here|belongs to no') {
                $text | Should -Match '(?i)\bwithout\b|default|where it is not given|otherwise|alone' -Because "$name is optional"
            }
        }
    }

    It 'says of each parameter what the code says: type, place, need, pipeline, wildcards' {
        foreach ($parameter in $help.parameters.parameter) {
            $actual = $command.Parameters[$parameter.name]
            $attribute = @($actual.Attributes | Where-Object { $_ -is [Management.Automation.ParameterAttribute] })[0]
            $types = $parameter.type.name, $actual.ParameterType.ToString() -replace '^System\.Nullable`1\[(.*)\]$', '$1' -replace '^.*\.'
            $types[0] | Should -Be $types[1] -Because "$($parameter.name): type"
            [bool]::Parse($parameter.required) | Should -Be $attribute.Mandatory -Because "$($parameter.name): required"
            $parameter.position | Should -Be ($attribute.Position -lt 0 ? 'named' : "$($attribute.Position)") -Because "$($parameter.name): position"
            $parameter.pipelineInput -match 'true' | Should -Be ($attribute.ValueFromPipeline -or $attribute.ValueFromPipelineByPropertyName) -Because "$($parameter.name): pipeline"
            [bool]::Parse($parameter.globbing) | Should -Be ($actual.Attributes.TypeId.Name -contains 'SupportsWildcardsAttribute') -Because "$($parameter.name): wildcards"
        }
    }

    It 'has two worked examples or more, each with a title, code that uses it, and a remark' {
        $help.examples.example.Count | Should -BeGreaterOrEqual 2
        foreach ($example in $help.examples.example) {
            $text = "$($example.introduction.Text) $($example.code) $($example.remarks.Text)"
            $example.title.Trim('-', ' ') | Should -Match '\w'
            $text | Should -Match $Cmdlet
            $text.Length | Should -BeGreaterThan 60
            ($example.remarks.Text | Where-Object { $_ } | Select-Object -Last 1) | Should -Match '\.$' -Because $example.title
        }
    }

    It 'shows the syntax that the code has' {
        $shown = ($help.syntax | Out-String) -replace '\s+', ''
        foreach ($parameter in $command.Parameters.Keys | Where-Object { $_ -notin $common }) {
            $shown | Should -Match "-$parameter(<|\]|\W)" -Because $parameter
        }
    }

    It 'tells what it emits, with which errors it fails, and where to read on' {
        $help.returnValues.returnValue.type.name | Where-Object { $_ } | Should -Not -BeNullOrEmpty
        ($help.alertSet.alert.Text -join "`n") | Should -Match '(?m)^Errors(, by their ids)?:'
        $links = $help.relatedLinks.navigationLink.linkText | Where-Object { $_ }
        $links -match '^\w+-Checkpoint' | Should -Not -BeNullOrEmpty
        $links -match '^about_Checkpoint' | Should -Not -BeNullOrEmpty
        $links | Where-Object { -not (Test-Path "$RepositoryRoot/docs/en-US/$_.md") } | Should -BeNullOrEmpty
    }

    It 'can be asked for one parameter' {
        (Get-Help $Cmdlet -Parameter Store -ErrorAction Ignore).name ?? 'Store' | Should -Be 'Store'
        foreach ($name in $command.Parameters.Keys | Where-Object { $_ -notin $common }) {
            (Get-Help $Cmdlet -Parameter $name).description.Text | Should -Not -BeNullOrEmpty -Because $name
        }
    }
}

Describe 'The errors that the help names' -Tag AnyStore {
    BeforeDiscovery {
        $failures = @(
            @{ Of = 'Save-Checkpoint'; Id = 'CheckpointExists'; Call = { Save-Checkpoint a 1 -Step 1; Save-Checkpoint a 2 -Step 1 } }
            @{ Of = 'Save-Checkpoint'; Id = 'StateNotSerializable'; Call = { $a = @{}; $a.a = $a; Save-Checkpoint a $a } }
            @{ Of = 'Save-Checkpoint'; Id = 'KeyRequired'; Call = { Save-Checkpoint a ([securestring]::new()) } }
            @{ Of = 'Save-Checkpoint'; Id = 'FileUnreadable'; Call = { Save-Checkpoint a -OutputFile none.txt } }
            @{ Of = 'Restore-Checkpoint'; Id = 'CheckpointNotFound'; Call = { Restore-Checkpoint a } }
            @{ Of = 'Restore-Checkpoint'; Id = 'CheckpointDamaged'; Call = { Save-Checkpoint a 1; Set-Content (Get-Checkpoint a).Location oops; Restore-Checkpoint a -Step 1 } }
            @{ Of = 'Restore-Checkpoint'; Id = 'KeyRequired'; Call = { Save-Checkpoint a 1 -Key ([byte[]]::new(32)); Restore-Checkpoint a } }
            @{ Of = 'Restore-Checkpoint'; Id = 'KeyWrong'; Call = { Save-Checkpoint a 1 -Key ([byte[]]::new(32)); Restore-Checkpoint a -Key ([byte[]] (1..32)) } }
            @{ Of = 'Restore-Checkpoint'; Id = 'IdentityMismatch'; Call = { Save-Checkpoint a -InputObject (New-CheckpointIterator (1, 2) -BatchSize 1); Restore-Checkpoint a -InputObject (New-CheckpointIterator (1, 2) -BatchSize 2) } }
            @{ Of = 'New-CheckpointIterator'; Id = 'IdentityMismatch'; Call = { Save-Checkpoint a -InputObject (New-CheckpointIterator (1, 2) -BatchSize 1); Restore-Checkpoint a -InputObject (New-CheckpointIterator (1, 2, 3) -BatchSize 1) } }
            @{ Of = 'Test-Checkpoint'; Id = 'FileUnreadable'; Call = { Test-Checkpoint a -Fingerprint ([IO.FileInfo] 'none.txt') } }
            @{ Of = 'Test-Checkpoint'; Id = 'StateNotSerializable'; Call = { Test-Checkpoint a -Fingerprint ([securestring]::new()) } }
            @{ Of = 'Get-Checkpoint'; Id = 'CheckpointNotFound'; Call = { Get-Checkpoint a } }
            @{ Of = 'Get-Checkpoint'; Id = 'CheckpointDamaged'; Call = { Save-Checkpoint a 1; Set-Content (Get-Checkpoint a).Location oops; Get-Checkpoint a } }
            @{ Of = 'Copy-Checkpoint'; Id = 'CheckpointExists'; Call = { Save-Checkpoint a 1; Save-Checkpoint a 2 -Store b; Copy-Checkpoint -To b } }
            @{ Of = 'Copy-Checkpoint'; Id = 'CheckpointDamaged'; Call = { Save-Checkpoint a 1; Set-Content (Get-Checkpoint a).Location oops; Copy-Checkpoint -To b } }
            @{ Of = 'Get-CheckpointRun'; Id = 'RunNotFound'; Call = { Get-CheckpointRun a } }
            @{ Of = 'Get-CheckpointRun'; Id = 'CheckpointDamaged'; Call = { $null = Invoke-CheckpointPipeline -Run a { stage a { 1 } }; Set-Content .checkpoints/default/runs/a/run.json oops; Get-CheckpointRun a } }
            @{ Of = 'Export-CheckpointReport'; Id = 'FileUnwritable'; Call = { Export-CheckpointReport none/r.html } }
            @{ Of = 'Export-CheckpointReport'; Id = 'InvalidArgument'; Call = { Export-CheckpointReport r.txt } }
            @{ Of = 'Get-CheckpointFingerprint'; Id = 'FileUnreadable'; Call = { Get-CheckpointFingerprint -Path none.txt } }
            @{ Of = 'Get-CheckpointFingerprint'; Id = 'StateNotSerializable'; Call = { Get-CheckpointFingerprint ([securestring]::new()) } }
            @{ Of = 'Invoke-CheckpointStage'; Id = 'StateNotSerializable'; Call = { Invoke-CheckpointStage a { $a = @{}; $a.a = $a; $a } | Out-Null } }
            @{ Of = 'Invoke-CheckpointStage'; Id = 'StageTimeout'; Call = { Invoke-CheckpointStage a { Start-Sleep 60 } -Timeout 0.1s } }
            @{ Of = 'Invoke-CheckpointStage'; Id = 'CircuitOpen'; Call = { $b = New-CheckpointCircuitBreaker -FailureThreshold 1; try { Invoke-CheckpointStage a { throw 1 } -CircuitBreaker $b } catch { $null = $_ }; Invoke-CheckpointStage a { 1 } -CircuitBreaker $b } }
            @{ Of = 'New-CheckpointCircuitBreaker'; Id = 'CircuitOpen'; Call = { $b = New-CheckpointCircuitBreaker -FailureThreshold 1; try { Invoke-CheckpointStage a { throw 1 } -CircuitBreaker $b } catch { $null = $_ }; Invoke-CheckpointStage b { 1 } -CircuitBreaker $b } }
            @{ Of = 'Invoke-CheckpointStage'; Id = 'KeyRequired'; Call = { $b = { 1 }; $null = Invoke-CheckpointStage a $b -Key ([byte[]]::new(32)); Invoke-CheckpointStage a $b } }
            @{ Of = 'Invoke-CheckpointStage'; Id = 'KeyWrong'; Call = { $b = { 1 }; $null = Invoke-CheckpointStage a $b -Key ([byte[]]::new(32)); Invoke-CheckpointStage a $b -Key ([byte[]] (1..32)) } }
            @{ Of = 'Invoke-CheckpointStage'; Id = 'LeaseHeld'; Call = { Use-Other { $null = Lock-Checkpoint a } { Invoke-CheckpointStage a { 1 } } } }
            @{ Of = 'Invoke-CheckpointPipeline'; Id = 'InvalidPipeline'; Call = { Invoke-CheckpointPipeline { stage a { 1 } -DependsOn b } } }
            @{ Of = 'Invoke-CheckpointPipeline'; Id = 'StageFailed'; Call = { Invoke-CheckpointPipeline { stage a { throw 1 } } | Out-Null } }
            @{ Of = 'Invoke-CheckpointPipeline'; Id = 'FingerprintMismatch'; Call = { foreach ($i in 1, 2) { Invoke-CheckpointPipeline -Config $i -OnConfigChange Error { stage a { throw 1 } } -ErrorAction ($i -eq 1 ? 'Ignore' : 'Stop') | Out-Null } } }
            @{ Of = 'Invoke-CheckpointPipeline'; Id = 'RunNotFound'; Call = { Invoke-CheckpointPipeline -Resume { stage a { 1 } } } }
            @{ Of = 'Invoke-CheckpointItem'; Id = 'StageFailed'; Call = { 1 | Invoke-CheckpointItem a { throw 1 } -MaxError 1 -ErrorAction SilentlyContinue -ErrorVariable all; throw $all[-1] } }
            @{ Of = 'Invoke-CheckpointItem'; Id = 'LeaseHeld'; Call = { Use-Other { $null = Lock-Checkpoint a } { 1 | Invoke-CheckpointItem a { 1 } } } }
            @{ Of = 'Invoke-CheckpointItem'; Id = 'StateNotSerializable'; Call = { 1 | Invoke-CheckpointItem a { $a = @{}; $a.a = $a; $a } -SaveOutput } }
            @{ Of = 'Invoke-CheckpointItem'; Id = 'InvalidArgument'; Call = { , @{ a = 1 } | Invoke-CheckpointItem a { 1 } } }
            @{ Of = 'New-CheckpointHook'; Id = 'FileUnreadable'; Call = { New-CheckpointHook zz:/log.txt } }
            @{ Of = 'Lock-Checkpoint'; Id = 'LeaseHeld'; Call = { Use-Other { $null = Lock-Checkpoint a } { Lock-Checkpoint a } } }
            @{ Of = 'Unlock-Checkpoint'; Id = 'LeaseHeld'; Call = { Use-Other { $null = Lock-Checkpoint a } { Unlock-Checkpoint a } } }
            @{ Of = 'Wait-Checkpoint'; Id = 'CheckpointNotFound'; Call = { Wait-Checkpoint a -Timeout 0.1s } }
            @{ Of = 'Update-CheckpointKey'; Id = 'KeyWrong'; Call = { Save-Checkpoint a 1 -Key ([byte[]]::new(32)); Update-CheckpointKey -Key ([byte[]] (1..32)) -NewKey ([byte[]] (2..33)) } }
            @{ Of = 'Update-CheckpointKey'; Id = 'CheckpointNotFound'; Call = { Update-CheckpointKey a -Key ([byte[]]::new(32)) -NewKey ([byte[]] (1..32)) } }
        )
    }

    BeforeAll {
        # What a call does while another session of this process has something.
        function Use-Other([scriptblock] $Before, [scriptblock] $Call) {
            $other = [powershell]::Create()
            try {
                $null = $other.AddScript("Import-Module '$ModulePath'; Set-Location '$PWD'; $Before").Invoke()
                & $Call
            }
            finally {
                $other.Dispose()
            }
        }
    }

    It '<Of>: <Id>' -ForEach $failures {
        $named = (Get-Help $Of -Full).alertSet.alert.Text -join "`n"
        $named | Should -Match "\b$Id\b"
        $ErrorActionPreference = 'Stop'
        Push-Location (New-TestFolder)
        try {
            $failure = try { & $Call } catch { $_ }
            "$($failure.FullyQualifiedErrorId)" -replace ',.*' | Should -BeExactly $Id
        }
        finally {
            Pop-Location
        }
    }

    It 'are errors that there are, and each of <Cmdlet> stands in the list above or has tests of its own' -ForEach ($cmdlets | ForEach-Object { $_ + @{ Proved = $failures } }) {
        $text = (Get-Help $Cmdlet -Full).alertSet.alert.Text -join "`n"
        $ids = [regex]::Matches($text, '(?m)^- (\w+):').ForEach({ $_.Groups[1].Value })
        $there = [regex]::Matches((Get-Content "$RepositoryRoot/docs/en-US/about_Checkpoint.md" -Raw), '(?m)^\| (\w+) +\|').ForEach({ $_.Groups[1].Value })
        $ids | Where-Object { $_ -notin $there } | Should -BeNullOrEmpty
        # Those take a second process that dies, a lease that is lost, or a record of the future.
        $elsewhere = 'LeaseLost', 'FormatTooNew', 'Clear-Checkpoint LeaseHeld', 'Update-CheckpointKey LeaseHeld', 'Repair-CheckpointStore LeaseHeld', 'Invoke-CheckpointPipeline LeaseHeld', 'Wait-Checkpoint StageFailed'
        $proved = $Proved | ForEach-Object { "$($_.Of) $($_.Id)" }
        $ids | Where-Object { $_ -notin $elsewhere -and "$Cmdlet $_" -notin $elsewhere -and "$Cmdlet $_" -notin $proved } | Should -BeNullOrEmpty
    }
}

Describe 'Get-Help <Topic>' -Tag AnyStore -ForEach $topics {
    BeforeAll { $text = Get-Help $Topic | Out-String }

    It 'is found by its name alone, with a synopsis' {
        @(Get-Help $Topic) | Should -HaveCount 1
        $text | Should -Match "(?m)^\s*$Topic\s*$"
        (Get-Help $Topic).Synopsis | Should -Match '^\w.*\.$'
        (Get-Help about_Checkpoint*).Name | Should -Contain $Topic
    }

    It 'has examples, and says where to read on' {
        $text | Should -Match '(?m)^ {8}\w+-Checkpoint'
        ($text -split '(?m)^SEE ALSO')[1] | Should -Match '(?m)^ +- \w+-Checkpoint\w*$'
    }

    It 'names no cmdlet or topic that there is not' {
        $there = (Get-Module Checkpoint).ExportedCmdlets.Keys
        [regex]::Matches($text, '\b(Clear|Copy|Export|Get|Invoke|Lock|New|Repair|Restore|Save|Set|Show|Test|Unlock|Update|Wait|Watch)-Checkpoint\w*').Value | Sort-Object -Unique | Where-Object { $_ -notin $there } | Should -BeNullOrEmpty
        [regex]::Matches($text, '\babout_Checkpoint\w*').Value | Sort-Object -Unique | Where-Object { -not (Test-Path "$RepositoryRoot/docs/en-US/$_.md") } | Should -BeNullOrEmpty
    }

    It 'fits into a terminal of 80 columns' {
        $file = Get-ChildItem (Split-Path $ModulePath) -Recurse -Filter "$Topic.help.txt" | Select-Object -First 1
        # Code and tables are as wide as they are.
        Get-Content $file | Where-Object { $_ -notmatch '^ {8}|\|' -and $_.Length -gt 80 } | Should -BeNullOrEmpty
    }
}

Describe 'Get-Help about_Checkpoint' -Tag AnyStore {
    It 'names every cmdlet, every other topic, and every word of the trade' {
        $text = Get-Help about_Checkpoint | Out-String
        foreach ($name in @((Get-Module Checkpoint).ExportedCmdlets.Keys) + @((Get-ChildItem "$RepositoryRoot/docs/en-US" -Filter about_*.md).BaseName)) {
            $text | Should -Match $name
        }
        foreach ($word in 'store', 'pipeline', 'run', 'stage', 'step', 'state', 'metadata', 'fingerprint', 'record', 'CHECKPOINT_STORE', 'CHECKPOINT_RUN', 'GITHUB_RUN_ID', 'BUILD_BUILDID') {
            $text | Should -Match "\b$word"
        }
    }
}

Describe 'The examples of the pages' -Tag AnyStore {
    BeforeAll {
        # All in one child process, each in a folder and a shell of its own.
        $place = New-TestStore
        $work = foreach ($page in Get-ChildItem "$RepositoryRoot/docs/en-US" -Filter *-*.md) {
            $section = [regex]::Match((Get-Content -LiteralPath $page -Raw), '(?ms)^## EXAMPLES\s*$(.*?)^## ').Groups[1].Value
            foreach ($example in [regex]::Matches($section, '(?ms)^### ([^\r\n]+)\s*$(.*?)(?=^### |\z)')) {
                @{
                    Key = "$($page.BaseName) $($example.Groups[1].Value)"
                    Code = [regex]::Matches($example.Groups[2].Value, '(?ms)^```powershell\r?\n(.*?)^```').ForEach({ $_.Groups[1].Value }) -join "`n"
                }
            }
        }
        ConvertTo-Json @($work) | Set-Content "$place/work.json"
        $child = Invoke-Pwsh {
            param($Place, $Module)
            $results = [ordered]@{}
            foreach ($example in Get-Content "$Place/work.json" -Raw | ConvertFrom-Json) {
                $folder = (New-Item -ItemType Directory -Path "$Place/$($results.Count)").FullName
                $before = Get-ChildItem Env: | Where-Object Name -Match '^(CHECKPOINT|GITHUB|BUILD)_'
                $shell = [powershell]::Create()
                $null = $shell.AddScript('param($Module, $Folder) $PSStyle.OutputRendering = "PlainText"; Import-Module $Module; Set-Location $Folder').AddArgument($Module).AddArgument($Folder).Invoke()
                $shell.Commands.Clear()
                $failure = $null
                $output = try {
                    $shell.AddScript("& {`n$($example.Code)`n} | Out-String -Width 120").Invoke() -join ''
                }
                catch { $failure = "$_" }
                $results[$example.Key] = @{ Output = "$output"; Folder = $folder; Errors = @($failure) + @($shell.Streams.Error | ForEach-Object { "$_" }) | Where-Object { $_ } }
                $shell.Dispose()
                Get-ChildItem Env: | Where-Object Name -Match '^(CHECKPOINT|GITHUB|BUILD)_' | Remove-Item
                $before | ForEach-Object { Set-Item "Env:$($_.Name)" $_.Value }
            }
            $results | ConvertTo-Json -Depth 4 | Set-Content "$Place/results.json"
        } $place, $ModulePath -WorkingDirectory $place -TimeoutSeconds 600
        $child.ErrorOutput | Should -BeNullOrEmpty
        $results = Get-Content "$place/results.json" -Raw | ConvertFrom-Json -AsHashtable
    }

    It 'run on their own, without an error: <Page>, <Title>' -ForEach $examples {
        $Code.Count | Should -BeGreaterOrEqual 1
        $results["$Page $Title"].Errors | Should -BeNullOrEmpty
    }

    It 'show an output, that of one of them at least: <_.BaseName>' -ForEach (Get-ChildItem "$PSScriptRoot/../docs/en-US" -Filter *-*.md) {
        Get-PageBlock (Get-Content -LiteralPath $_ -Raw) | Where-Object Language -EQ Output | Should -Not -BeNullOrEmpty
    }

    It 'show the output that they have: <Page>, <Title>' -ForEach ($examples | Where-Object { $_.Output }) {
        $result = $results["$Page $Title"]
        Get-Essence $result.Output $result.Folder | Should -BeExactly (Get-Essence ($Output -join "`n"))
    }
}
