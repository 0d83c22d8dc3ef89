BeforeAll {
    . $PSScriptRoot/Common.ps1

    # What the Tab key offers at the end of a line, in its order.
    function Complete-Line([string] $Line) {
        (TabExpansion2 $Line $Line.Length).CompletionMatches
    }

    function Get-Offer([string] $Line) {
        (Complete-Line $Line).CompletionText
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Completion' {
    BeforeEach {
        # An empty location: where a completer says nothing, PowerShell offers files.
        Push-Location (New-TestFolder)
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store -Pipeline '' -Run '' -Keep $null
        'ingest', 'index', 'train' | ForEach-Object { Save-Checkpoint $_ }
    }

    AfterEach { Pop-Location }

    Context '-Name' {
        It 'completes the names in the store for <_>' -ForEach 'Get-Checkpoint', 'Test-Checkpoint', 'Restore-Checkpoint', 'Clear-Checkpoint', 'Save-Checkpoint' {
            Get-Offer "$_ " | Should -Be 'index', 'ingest', 'train'
            Get-Offer "$_ in" | Should -Be 'index', 'ingest'
            Get-Offer "$_ -Name tr" | Should -Be 'train'
            Get-Offer "$_ x" | Should -BeNullOrEmpty
        }

        It 'completes whatever the case, composed or decomposed' {
            Save-Checkpoint "caf`u{E9}"
            Get-Offer 'Get-Checkpoint INGE' | Should -BeExactly 'ingest'
            Get-Offer "Get-Checkpoint cafe`u{301}" | Should -Be "caf`u{E9}"
        }

        It 'completes after a comma' {
            Get-Offer 'Get-Checkpoint train,in' | Should -Be 'index', 'ingest'
        }

        It 'completes within quotes' {
            Save-Checkpoint "it's new"
            Get-Offer "Get-Checkpoint 'i" | Should -Be "'index'", "'ingest'", "'it''s new'"
            Get-Offer 'Get-Checkpoint "i' | Should -Be '"index"', '"ingest"', '"it''s new"'
        }

        It 'takes what was typed literally' {
            'a[b', 'a*c', 'axc' | ForEach-Object { Save-Checkpoint $_ }
            (Complete-Line "Get-Checkpoint 'a*").ListItemText | Should -Be 'a*c'
            (Complete-Line "Get-Checkpoint 'a[").ListItemText | Should -Be 'a[b'
            Get-Offer 'Get-Checkpoint *' | Should -BeNullOrEmpty
        }

        It 'shows the name as it is in the list, and its latest step in the tip' {
            Save-Checkpoint 'a b' -Step 12
            $offer = Complete-Line 'Get-Checkpoint a'
            $offer.ListItemText | Should -Be 'a b'
            $offer.CompletionText | Should -Be "'a b'"
            $offer.ToolTip | Should -BeLike '*a b*12*'
            $offer.ResultType | Should -Be 'ParameterValue'
        }

        It 'gives text that finds the checkpoint again: <_>' -ForEach @(
            'a b', "it's", "q`u{2018}q", 'say "hi"', "say `u{201C}hi`u{201D}", '$var', '$(exit)', '`tick', '-dash', "`u{2013}dash", '@at', '#hash', '(paren', '{brace', 'a;b', 'a|b', 'a,b', 'a&b', '<a>',
            'a*', '[x]', '?', '%1', '~', 'Ünï', '日本', "`u{1F600}", '007', '1kb', '../x', 'C:\x', 'if', ' lead'
        ) {
            Save-Checkpoint x # 'a*', say, must not find more
            Save-Checkpoint -Name $_
            $offer = Complete-Line 'Get-Checkpoint -Name ' | Where-Object ListItemText -CEQ $_
            $offer | Should -HaveCount 1
            foreach ($text in $offer.CompletionText, (Complete-Line "Get-Checkpoint '" | Where-Object ListItemText -CEQ $_).CompletionText, (Complete-Line 'Get-Checkpoint "' | Where-Object ListItemText -CEQ $_).CompletionText) {
                $errors = $null
                $null = [Management.Automation.Language.Parser]::ParseInput("Get-Checkpoint -Name $text", [ref] $null, [ref] $errors)
                $errors | Should -BeNullOrEmpty -Because $text
                (& ([scriptblock]::Create("Get-Checkpoint -Name $text"))).Name | Should -BeExactly $_ -Because $text
                (& ([scriptblock]::Create("Get-Checkpoint -Name train, $text"))).Name | Should -BeExactly 'train', $_ -Because "train, $text"
                & ([scriptblock]::Create("Test-Checkpoint $text")) | Should -BeTrue -Because $text
            }
        }

        It 'offers the name * so that it finds that stage alone' {
            Save-Checkpoint '*'
            foreach ($command in 'Get-Checkpoint', 'Test-Checkpoint', 'Restore-Checkpoint', 'Clear-Checkpoint') {
                Save-Checkpoint '*' 'star'
                $text = (Complete-Line "$command " | Where-Object ListItemText -EQ '*').CompletionText
                switch ($result = & ([scriptblock]::Create("$command $text"))) {
                    { $_ -is [Checkpoint.CheckpointInfo] } { $result.Name | Should -Be '*' }
                    { $_ -is [bool] } { $result | Should -BeTrue }
                    { $_ -is [string] } { $result | Should -Be 'star' }
                }
            }
            (Get-Checkpoint).Name | Should -Be 'index', 'ingest', 'train'
        }

        It 'quotes a name that is a number to PowerShell' {
            '007', '1kb', '1e3' | ForEach-Object { Save-Checkpoint $_ }
            Get-Offer 'Get-Checkpoint 0' | Should -Be "'007'"
            Get-Offer 'Get-Checkpoint 1' | Should -Be "'1e3'", "'1kb'"
        }

        It 'completes a stage of which everything is damaged, for Clear-Checkpoint' -Tag Files {
            Set-Content -LiteralPath (Get-Checkpoint train).Location ''
            Get-Offer 'Clear-Checkpoint t' | Should -Be 'train'
        }
    }

    Context '-Pipeline and -Run' {
        BeforeEach {
            Save-Checkpoint a -Pipeline nightly
            Save-Checkpoint b -Pipeline 'my pipe' -Run 'run 7'
            Save-Checkpoint b -Pipeline 'my pipe' -Run 'run 8'
            Save-Checkpoint c -Run r1
        }

        It 'completes the pipelines, with and without runs, for <_>' -ForEach 'Get-Checkpoint', 'Test-Checkpoint a', 'Restore-Checkpoint a', 'Clear-Checkpoint', 'Save-Checkpoint a', 'Set-CheckpointContext', 'Get-CheckpointContext' {
            Get-Offer "$_ -Pipeline " | Sort-Object | Should -Be "'my pipe'", 'default', 'nightly'
            Get-Offer "$_ -Pipeline n" | Should -Be 'nightly'
            Get-Offer "$_ -Pipeline 'm" | Should -Be "'my pipe'"
        }

        It 'completes the runs of the pipeline that the line means, for <_>' -ForEach 'Get-Checkpoint', 'Test-Checkpoint a', 'Restore-Checkpoint a', 'Clear-Checkpoint', 'Save-Checkpoint a', 'Set-CheckpointContext', 'Get-CheckpointContext' {
            Get-Offer "$_ -Run " | Should -Be 'r1'
            Get-Offer "$_ -Pipeline 'my pipe' -Run " | Should -Be "'run 7'", "'run 8'"
            Get-Offer "$_ -Pipeline nightly -Run " | Should -BeNullOrEmpty
        }

        It 'completes the names of that pipeline and run' {
            Get-Offer 'Get-Checkpoint -Pipeline nightly -Name ' | Should -Be 'a'
            Get-Offer "Get-Checkpoint -Pipeline 'my pipe' -Run 'run 7' -Name " | Should -Be 'b'
            Get-Offer 'Get-Checkpoint -Run r1 ' | Should -Be 'c'
        }

        It 'takes the context for what the line does not say' {
            Set-CheckpointContext -Pipeline 'my pipe' -Run 'run 7'
            Get-Offer 'Get-Checkpoint ' | Should -Be 'b'
            Get-Offer "Get-Checkpoint -Run '' -Pipeline nightly -Name " | Should -Be 'a'
        }

        It 'offers no pipeline or run with a long name that does not begin so' {
            $long = 'x' * 150
            Save-Checkpoint a -Pipeline $long -Run $long
            Save-Checkpoint a -Pipeline $long
            Get-Offer 'Get-Checkpoint -Pipeline n' | Should -Be 'nightly'
            Get-Offer 'Get-Checkpoint -Pipeline x' | Should -Be $long
            Get-Offer "Get-Checkpoint -Pipeline $long -Run r" | Should -BeNullOrEmpty
            Get-Offer "Get-Checkpoint -Pipeline $long -Run x" | Should -Be $long
        }

        It 'gives text that finds a pipeline and a run with wildcard characters in their names' {
            Save-Checkpoint a -Pipeline 'build [m]' -Run 'r*'
            Save-Checkpoint a -Pipeline 'build m' -Run 'r*'
            $pipeline = (Complete-Line 'Get-Checkpoint -Pipeline b' | Where-Object ListItemText -EQ 'build [m]').CompletionText
            $run = Get-Offer "Get-Checkpoint -Pipeline $pipeline -Run "
            (& ([scriptblock]::Create("Get-Checkpoint -Pipeline $pipeline -Run $run"))).Pipeline | Should -Be 'build [m]'
        }
    }

    Context '-Step' {
        BeforeEach { 1..3 | ForEach-Object { Save-Checkpoint train -Step ($_ * 10) } }

        It 'completes the steps of the stage, newest first, for <_>' -ForEach 'Get-Checkpoint', 'Test-Checkpoint', 'Restore-Checkpoint', 'Clear-Checkpoint' {
            Get-Offer "$_ train -Step " | Should -Be '30', '20', '10', '1'
            Get-Offer "$_ train -Step 1" | Should -Be '10', '1'
            Get-Offer "$_ -Step 2 -Name " | Should -Be 'index', 'ingest', 'train'
            Get-Offer "$_ ingest -Step " | Should -Be '1'
            Get-Offer "$_ nothing -Step " | Should -BeNullOrEmpty
        }

        It 'completes the steps for Save-Checkpoint, which may overwrite one' {
            Get-Offer 'Save-Checkpoint train -Overwrite -Step ' | Should -Be '30', '20', '10', '1'
        }

        It 'completes several steps' {
            Get-Offer 'Get-Checkpoint train -Step 30,2' | Should -Be '20'
        }
    }

    Context 'The store' {
        It 'is the one that the line names' {
            $other = New-TestStore
            Save-Checkpoint elsewhere -Store $other
            Get-Offer "Get-Checkpoint -Store '$other' -Name " | Should -Be 'elsewhere'
            Set-Variable CheckpointTestStore $other -Scope Global
            Get-Offer 'Get-Checkpoint -Store $CheckpointTestStore -Name ' | Should -Be 'elsewhere'
            Remove-Variable CheckpointTestStore -Scope Global
        }

        It 'may be a path relative to the location, a drive or a URI' -Tag Files {
            Set-CheckpointContext -Reset -Pipeline '' -Run ''
            Save-Checkpoint here
            Save-Checkpoint there -Store sub
            Save-Checkpoint drive -Store TestDrive:/completion
            Get-Offer 'Get-Checkpoint ' | Should -Be 'here'
            Get-Offer 'Get-Checkpoint -Store sub -Name ' | Should -Be 'there'
            Get-Offer 'Get-Checkpoint -Store ./sub -Name ' | Should -Be 'there'
            Get-Offer 'Get-Checkpoint -Store TestDrive:/completion -Name ' | Should -Be 'drive'
            Get-Offer "Get-Checkpoint -Store $([uri]::new($store, [UriKind]::Absolute).AbsoluteUri) -Name tr" | Should -Be 'train'
        }

        It 'gives no completions, and no error, where it <What>' -ForEach @(
            @{ What = 'is not there'; Line = 'Get-Checkpoint -Store no/where ' }
            @{ What = 'is of an unknown kind'; Line = 'Get-Checkpoint -Store s3://bucket ' }
            @{ What = 'is on a drive that is not there'; Line = 'Get-Checkpoint -Store NoSuchDrive:/x ' }
            @{ What = 'has no such run'; Line = 'Get-Checkpoint -Run nothing ' }
            @{ What = 'could have no such run'; Line = 'Get-Checkpoint -Run "`n" ' }
        ) {
            $Error.Clear()
            Get-Offer $Line | Should -BeNullOrEmpty
            $Error | Should -HaveCount 0
        }

        It 'is not disturbed by foreign folders and damaged checkpoints' -Tag Files {
            $null = New-Item -ItemType Directory "$store/default/stages/$('n' * 230)", "$store/default/stages/i n"
            Set-Content -LiteralPath (Get-Checkpoint ingest).Location ''
            Get-Offer 'Get-Checkpoint in' | Should -Be 'index', 'ingest'
        }

        It 'is neither made nor changed' {
            $missing = New-TestStore -Missing
            $null = Get-Offer "Get-Checkpoint -Store $missing -Name "
            $missing | Should -Not -Exist
        }
    }

    Context 'Parameters' {
        It 'offers -Reset of Set-CheckpointContext' {
            Get-Offer 'Set-CheckpointContext -Re' | Should -Be '-Replica', '-ReplicaMode', '-Reset'
        }

        It 'offers for <Cmdlet> the parameters of design.md' -ForEach @(
            @{ Cmdlet = 'Save-Checkpoint'; Parameters = 'Name State Step Metadata Fingerprint OutputFile Keep KeepEvery KeepFor KeepBest By Lowest Interval Force Overwrite PassThru InputObject Store Pipeline Run WhatIf Confirm' }
            @{ Cmdlet = 'Test-Checkpoint'; Parameters = 'Name Step Fingerprint MaxAge Detailed Store Pipeline Run' }
            @{ Cmdlet = 'Get-Checkpoint'; Parameters = 'Name Step AllSteps Store Pipeline Run' }
            @{ Cmdlet = 'Restore-Checkpoint'; Parameters = 'Name Step InputObject Store Pipeline Run' }
            @{ Cmdlet = 'Clear-Checkpoint'; Parameters = 'Name Step OlderThan Keep Store Pipeline Run WhatIf Confirm' }
            @{ Cmdlet = 'Get-CheckpointFingerprint'; Parameters = 'InputObject Path LiteralPath' }
            @{ Cmdlet = 'Set-CheckpointContext'; Parameters = 'Store Replica ReplicaMode Pipeline Run Keep Reset PassThru WhatIf Confirm' }
            @{ Cmdlet = 'Get-CheckpointContext'; Parameters = 'Store Pipeline Run' }
        ) {
            $offered = @(Get-Offer "$Cmdlet -") -replace '^-'
            $Parameters -split ' ' | Where-Object { $_ -notin $offered } | Should -BeNullOrEmpty
        }
    }

    Context 'Reports' {
        BeforeEach {
            Save-Checkpoint plain -Pipeline alpha
            $null = Invoke-CheckpointPipeline beta -Run b1 { stage one { 1 } }
            Save-Checkpoint tied -Pipeline alpha -Run a1
            # What was cleared is told of by its history.
            Save-Checkpoint gone -Pipeline cleared -Run c1
            Clear-Checkpoint gone -Pipeline cleared -Run c1
            Set-CheckpointContext -Reset -Store $store
        }

        It 'completes -Pipeline, and -Run of all pipelines or of the one that is named, for <_>' -ForEach 'Export-CheckpointReport', 'Show-CheckpointDashboard', 'Watch-Checkpoint' {
            Get-Offer "$_ -Pipeline " | Sort-Object | Should -Be 'alpha', 'beta', 'cleared', 'default'
            Get-Offer "$_ -Pipeline b" | Should -Be 'beta'
            Get-Offer "$_ -Run " | Sort-Object | Should -Be 'a1', 'b1', 'c1'
            Get-Offer "$_ -Pipeline beta -Run " | Should -Be 'b1'
            Set-CheckpointContext -Pipeline alpha
            Get-Offer "$_ -Run " | Should -Be 'a1'
        }

        It 'completes -Format' {
            Get-Offer 'Export-CheckpointReport -Format ' | Should -Be 'Html', 'Json', 'Markdown'
        }
    }
}
