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
        }
    }

    It 'shows the syntax that the code has' {
        $shown = ($help.syntax | Out-String) -replace '\s+', ''
        foreach ($parameter in $command.Parameters.Keys | Where-Object { $_ -notin $common }) {
            $shown | Should -Match "-$parameter(<|\]|\W)" -Because $parameter
        }
    }

    It 'tells what it emits and where to read on' {
        $help.returnValues.returnValue.type.name | Where-Object { $_ } | Should -Not -BeNullOrEmpty
        ($help.relatedLinks.navigationLink.linkText | Where-Object { $_ }).Count | Should -BeGreaterOrEqual 1
    }

    It 'can be asked for one parameter' {
        (Get-Help $Cmdlet -Parameter Store -ErrorAction Ignore).name ?? 'Store' | Should -Be 'Store'
        foreach ($name in $command.Parameters.Keys | Where-Object { $_ -notin $common }) {
            (Get-Help $Cmdlet -Parameter $name).description.Text | Should -Not -BeNullOrEmpty -Because $name
        }
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
        } $place, $ModulePath -WorkingDirectory $place
        $child.ErrorOutput | Should -BeNullOrEmpty
        $results = Get-Content "$place/results.json" -Raw | ConvertFrom-Json -AsHashtable
    }

    It 'run on their own, without an error: <Page>, <Title>' -ForEach $examples {
        $Code.Count | Should -BeGreaterOrEqual 1
        $results["$Page $Title"].Errors | Should -BeNullOrEmpty
    }

    It 'show the output that they have: <Page>, <Title>' -ForEach ($examples | Where-Object { $_.Output }) {
        $result = $results["$Page $Title"]
        Get-Essence $result.Output $result.Folder | Should -BeExactly (Get-Essence ($Output -join "`n"))
    }
}
