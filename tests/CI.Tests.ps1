BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Job.ps1
    $import = "Import-Module '$ModulePath'; Set-CheckpointContext -Store ../store"

    # No group within another, and none left open.
    function Assert-Group([object] $Result) {
        $open = 0
        foreach ($name in $Result.Commands.Name -match '^(end)?group$') {
            $open += $name -eq 'group' ? 1 : -1
            $open | Should -BeIn 0, 1 -Because ($Result.Log -join "`n")
        }
        $open | Should -Be 0 -Because ($Result.Log -join "`n")
    }
}

Describe 'Stages in a job of <System>' -Tag AnyStore -ForEach @(
    @{ System = 'github'; Error = 'error'; File = 'file'; Line = 'line'; Column = 'col' }
    @{ System = 'azure'; Error = 'task.logissue'; File = 'sourcepath'; Line = 'linenumber'; Column = 'columnnumber' }
) {
    BeforeEach { $job = New-Job $System }

    It 'have a group, an output and a line of the summary, and give their result alone, started by <How>' -ForEach @{ How = '-File'; IsFile = $true }, @{ How = '-Command'; IsFile = $false } {
        $result = Invoke-JobStep $job -File:$IsFile @"
$import
`$x = Invoke-CheckpointStage build { Write-Host 'at work'; 1; 2 } *>&1
"got `$(`$x.Count): `$x"
`$y = Invoke-CheckpointStage build { Write-Host 'at work'; 1; 2 }
"then `$y"
"@
        $result.ExitCode | Should -Be 0
        $result.Log | Should -Contain 'got 4: at work 1 2 Stage completed: build'
        $result.Log | Should -Contain 'then 1 2'
        Assert-Group $result
        @($result.Commands | Where-Object Name -EQ group).Data | Should -Be "Stage 'build'"
        $result.Log -match "^Stage 'build' completed in " | Should -HaveCount 1
        $result.Log -match "^Stage 'build' skipped: it completed at " | Should -HaveCount 1
        $result.Outputs['checkpoint-build'] | Should -Be 'skipped'
        $result.Summary -split '\n' -match '^- \*\*build\*\* ' | Should -HaveCount 2
    }

    It 'show a failure where it happened, with the group closed before, and the error stays the block''s own' {
        $place = "$($job.Workspace)/jobs/night, 1.ps1"
        $null = New-Item -ItemType Directory "$($job.Workspace)/jobs"
        $result = Invoke-JobStep $job -Path $place @"
$import
try {
    Invoke-CheckpointStage load {
        Write-Host 'at work'
        throw [IO.InvalidDataException] "50% of the rows; [a]:`nbroken"
    }
}
catch { "caught `$(`$_.Exception.GetType().Name)" }
"@
        $result.Log | Should -Contain 'caught InvalidDataException'
        Assert-Group $result
        $annotation = $result.Commands | Where-Object Name -EQ $Error
        $annotation.Data | Should -Be "Stage 'load' failed: 50% of the rows; [a]:`nbroken"
        $annotation.Properties[$File] | Should -Be 'jobs/night, 1.ps1'
        # The first line is the runner's.
        $annotation.Properties[$Line] | Should -Be 6
        $annotation.Properties[$Column] | Should -Be 9
        $result.Outputs['checkpoint-load'] | Should -Be 'failed'
        $result.Summary | Should -Match '^- \*\*load\*\* failed in .*: 50% of the rows; '
    }

    It 'show the place of the call where a failure is in no script of the workspace, and in words where neither is' {
        Set-Content "$($job.Folder)/tool.psm1" 'function Invoke-Tool { throw "broken" }'
        $script = "$import`nImport-Module '$($job.Folder)/tool.psm1'`ntry { Invoke-CheckpointStage load { Invoke-Tool } } catch { }"
        $annotation = (Invoke-JobStep $job $script -Path "$($job.Workspace)/a.ps1").Commands | Where-Object Name -EQ $Error
        $annotation.Properties[$File], $annotation.Properties[$Line] | Should -Be 'a.ps1', '4'
        $annotation = (Invoke-JobStep $job $script).Commands | Where-Object Name -EQ $Error
        $annotation.Properties[$File] | Should -BeNullOrEmpty
        $annotation.Data | Should -BeLike "Stage 'load' failed: broken (*tool.psm1:1)"
    }

    It 'of a pipeline have a group each, and the report of the run is in the summary' {
        $script = @"
$import
Invoke-CheckpointPipeline nightly -ErrorAction Continue {
    stage list { Write-Host 'in list' }
    stage load { if (-not (Test-Path mended)) { throw 'no connection' } } -DependsOn list
    stage report { 'done' } -DependsOn load
} | Out-Null
"@
        $first = Invoke-JobStep $job $script -Path "$($job.Workspace)/night.ps1" -File
        Assert-Group $first
        @($first.Commands | Where-Object Name -EQ group).Data | Should -Be "Stage 'list' (1 of 3)", "Stage 'load' (2 of 3)"
        $annotation = $first.Commands | Where-Object Name -EQ $Error
        $annotation.Data | Should -Be "Stage 'load' failed: no connection"
        $annotation.Properties[$File], $annotation.Properties[$Line] | Should -Be 'night.ps1', '4'
        $first.Outputs['checkpoint-list'], $first.Outputs['checkpoint-load'], $first.Outputs['checkpoint-report'] | Should -Be 'completed', 'failed', $null
        $first.Summary | Should -Match "## nightly, run $($job.Run)"
        $first.Summary | Should -Match '\*\*failed\*\*, 1/3 stages done'

        $null = New-Item "$($job.Workspace)/mended"
        $second = Invoke-JobStep $job $script
        Assert-Group $second
        $second.Outputs['checkpoint-list'], $second.Outputs['checkpoint-load'], $second.Outputs['checkpoint-report'] | Should -Be 'skipped', 'completed', 'completed'
        $second.Commands | Where-Object Name -EQ $Error | Should -BeNullOrEmpty
        $second.Summary | Should -Match '\*\*completed\*\*, 3/3 stages done'
        $second.Summary | Should -Match '\| report \|[^|]+\| 1 \| \d+ B \|'
    }

    It 'in one another, and in a script that a stage starts, do not break the groups' {
        $result = Invoke-JobStep $job @"
$import
Invoke-CheckpointPipeline nightly {
    stage outer {
        Invoke-CheckpointStage inner { Write-Host 'in inner' }
        & $(@(Get-PwshCommand) -replace '.+', "'`$0'") -NoProfile -Command "Import-Module '$ModulePath'; Invoke-CheckpointStage child -Store ../other { Write-Host 'in child' }" | Out-Host
        try { Invoke-CheckpointStage broken { throw 'broken' } } catch { }
    }
    stage next { }
} | Out-Null
"@
        Assert-Group $result
        @($result.Commands | Where-Object Name -EQ group).Data | Should -Be "Stage 'outer' (1 of 2)", "Stage 'next' (2 of 2)" -Because ($result.Log -join "`n")
        $result.Outputs['checkpoint-inner'], $result.Outputs['checkpoint-outer'] | Should -Be 'completed', 'completed'
        $result.Log | Should -Contain 'in child'
    }

    It 'side by side in the runspaces of ForEach-Object -Parallel come to the log, too' {
        $result = Invoke-JobStep $job @"
$import
`$ErrorActionPreference = 'Continue'
Invoke-CheckpointStage before { }
1..4 | ForEach-Object -Parallel {
    Import-Module '$ModulePath'
    `$name = "part `$_"; Invoke-CheckpointStage `$name -Store ../store { Write-Host "in `$name"; if (`$name -eq 'part 3') { throw 'broken' } }
}
"@
        Assert-Group $result
        1..4 | ForEach-Object { $result.Log | Should -Contain "in part $_" }
        1..4 | ForEach-Object { $result.Outputs["checkpoint-part.20$_"] } | Should -Be 'completed', 'completed', 'failed', 'completed'
        ($result.Commands | Where-Object Name -EQ $Error).Data | Should -BeLike "Stage 'part 3' failed: broken*"
        $result.Summary -split '\n' -match '^- \*\*' | Should -HaveCount 5
    }

    It 'close their group when Ctrl+C ends them: <Name>' -Skip:$IsWindows -ForEach @(
        @{ Name = 'a stage'; Script = "Invoke-CheckpointStage long { `$null = New-Item started; Start-Sleep 600 }" }
        @{ Name = 'a pipeline'; Script = "Invoke-CheckpointPipeline p { stage long { `$null = New-Item started; Start-Sleep 600 } }" }
    ) {
        $step = Start-JobStep $job "$import`n$Script"
        Wait-Until { (Test-Path "$($job.Workspace)/started") -or $step.Process.HasExited }
        sh -c "kill -INT $($step.Process.Id)"
        $result = Complete-JobStep $step
        Assert-Group $result
        $result.Commands.Name | Should -Contain endgroup
        $result.Commands.Name | Should -Not -Contain $Error
        if ($Name -eq 'a pipeline') {
            $result.Summary | Should -Match '\*\*interrupted\*\*'
        }
    }

    It 'say nothing of it with <How>' -ForEach @(
        @{ How = '-NoCI'; NoCI = '-NoCI'; Set = @{} }
        @{ How = 'CHECKPOINT_CI=none'; NoCI = ''; Set = @{ CHECKPOINT_CI = 'None' } }
    ) {
        $result = Invoke-JobStep $job -Environment $Set @"
$import
Invoke-CheckpointStage build { 1 } $NoCI
try { Invoke-CheckpointStage load { throw 'broken' } $NoCI } catch { }
Invoke-CheckpointPipeline nightly { stage a { } } $NoCI | Out-Null
"@
        $result.Log | Where-Object { $_ } | Should -Be '1'
        $result.Outputs.Count | Should -Be 0
        $result.Summary | Should -BeNullOrEmpty
        Get-ChildItem $job.Temp -Filter *.md | Should -BeNullOrEmpty
    }

    It 'say nothing of it with -WhatIf' {
        $result = Invoke-JobStep $job "$import`nInvoke-CheckpointStage build { 1 } -WhatIf; Invoke-CheckpointPipeline nightly { stage a { } } -WhatIf"
        $result.Commands | Should -BeNullOrEmpty
        $result.Outputs.Count | Should -Be 0
    }

    It 'show what a pipeline fails with that is no stage''s failure: <Why>' -ForEach @(
        @{ Why = 'a stage that is not there'; Call = 'Invoke-CheckpointPipeline nightly { stage a { } -DependsOn b }' }
        @{ Why = 'parameters that do not go together'; Call = 'Invoke-CheckpointPipeline nightly { stage a { } } -Restart -Resume' }
        @{ Why = 'a hook of no event'; Call = 'Invoke-CheckpointPipeline nightly { stage a { } } -Hook @{ Nonsense = { } }' }
        @{ Why = 'a configuration that cannot be hashed'; Call = '$c = @{ }; $c.c = $c; Invoke-CheckpointPipeline nightly { stage a { } } -Config $c' }
        @{ Why = 'a block that gives no stage'; Call = 'Invoke-CheckpointPipeline nightly { 1 }' }
        @{ Why = 'a stage that cannot be made'; Call = 'Invoke-CheckpointPipeline nightly { stage a { } -Retry -1 }' }
        @{ Why = 'an error of the block'; Call = 'Invoke-CheckpointPipeline nightly { throw "no list of stages" }' }
    ) {
        $result = Invoke-JobStep $job -Path "$($job.Workspace)/a.ps1" "$import`ntry { $Call } catch { 'caught' }"
        $result.Log | Should -Contain 'caught'
        $annotation = $result.Commands | Where-Object Name -EQ $Error
        @($annotation).Count | Should -Be 1
        $annotation.Data | Should -BeLike "Pipeline 'nightly' failed: *"
        $annotation.Properties[$File], $annotation.Properties[$Line] | Should -Be 'a.ps1', '3'
    }

    It 'show what a stage fails with that cannot even begin: <Why>' -ForEach @(
        @{ Why = 'a file of its fingerprint that cannot be read'; Call = 'Invoke-CheckpointStage load { "ran" } -Fingerprint ([IO.FileInfo] "gone.csv")' }
        @{ Why = 'a fingerprint that cannot be taken'; Call = '$c = @{ }; $c.c = $c; Invoke-CheckpointStage load { "ran" } -Fingerprint $c' }
        @{ Why = 'a name that cannot be one'; Call = 'Invoke-CheckpointStage "load`t" { "ran" }' }
    ) {
        $result = Invoke-JobStep $job -Path "$($job.Workspace)/a.ps1" "$import`ntry { $Call } catch { 'caught' }"
        $result.Log | Should -Contain 'caught'
        $result.Log | Should -Not -Contain 'ran'
        $annotation = $result.Commands | Where-Object Name -EQ $Error
        @($annotation).Count | Should -Be 1
        $annotation.Data | Should -BeLike "Stage 'load*' failed: *"
        $annotation.Properties[$File], $annotation.Properties[$Line] | Should -Be 'a.ps1', '3'
        $result.Outputs.Values | Should -Be 'failed'
        $result.Summary | Should -Match '^- \*\*load.*\*\* failed: '
        (Invoke-JobStep $job "$import`ntry { $($Call -replace 'CheckpointStage', '$0 -NoCI') } catch { 'caught' }").Commands | Should -BeNullOrEmpty
    }

    It 'show a failed stage once, also where its error ends the script' {
        $result = Invoke-JobStep $job -Path "$($job.Workspace)/a.ps1" "$import`nInvoke-CheckpointPipeline nightly { stage a { throw 'broken' } } -ErrorAction Stop"
        $result.ExitCode | Should -Not -Be 0
        ($result.Commands | Where-Object Name -EQ $Error).Data | Should -Be "Stage 'a' failed: broken"
    }

    It 'show nothing of a pipeline that is left by break' {
        $result = Invoke-JobStep $job "$import`nforeach (`$i in 1) { Invoke-CheckpointPipeline nightly { break } }; 'left'"
        $result.Commands | Where-Object Name -EQ $Error | Should -BeNullOrEmpty
    }

    It 'inject nothing by names and messages, on no stream' {
        # What the runner would do for these, if it found them in the log.
        $evil = 'x%0A::set-env name=EVIL::1', '::add-path::/evil', 'a ##vso[task.setvariable variable=EVIL]1', 'b ##[set-env name=EVIL]1', 'c <script>|`d`'
        Set-Content "$($job.Workspace)/evil.txt" $evil
        $result = Invoke-JobStep $job @"
$import
`$InformationPreference = `$VerbosePreference = 'Continue'
`$ErrorActionPreference = 'Continue'
foreach (`$name in Get-Content evil.txt) {
    `$message = "oh`n`$name`n  `$name"
    Invoke-CheckpointStage `$name { 1 }
    Invoke-CheckpointStage `$name { 1 }
    try { Invoke-CheckpointStage "`$name!" -Retry 1 -RetryDelay 0s { throw `$message } } catch { }
    Invoke-CheckpointPipeline "p `$name" -Hook @{ AfterStage = { throw `$message } } -ContinueOnError {
        stage `$name { 1 }
        stage "`$name failing" -Retry 1 -RetryDelay 0s { throw `$message }
        stage "`$name left out" { } -DependsOn "`$name failing"
    } | Out-Host
    Invoke-CheckpointPipeline "q `$name" { stage a { } -DependsOn `$name }
    Invoke-CheckpointStage "y`n`$name" { 1 }
    Invoke-CheckpointPipeline "y`n`$name" { stage a { } }
    Save-Checkpoint `$name -Metadata @{ `$name = `$name } -Fingerprint @{ `$name = 1 }
    foreach (`$shown in @(
        { Get-Checkpoint `$name }
        { Test-Checkpoint `$name -Fingerprint @{ `$name = 2 } -Detailed }
        { (Test-Checkpoint `$name -Fingerprint @{ `$name = 2 } -Detailed).Changed }
        { Get-CheckpointRun -Pipeline "p `$name" }
        { (Get-CheckpointRun -Pipeline "p `$name").Stages }
        { Get-CheckpointHistory -Pipeline "p `$name" }
        { Get-CheckpointContext -Pipeline `$name -Run `$name }
        { New-CheckpointStage `$name { } -DependsOn `$name }
    )) {
        & `$shown | Out-Host
    }
    foreach (`$shown in { Get-Checkpoint `$name }, { Get-CheckpointRun -Pipeline "p `$name" }, { Get-CheckpointHistory -Pipeline "p `$name" }) {
        & `$shown | Format-List | Out-Host
    }
    Restore-Checkpoint "`$name?"
}
"@
        $result.Log -join "`n" | Should -Match 'What was completed is kept'
        $result.Commands.Name | Sort-Object -Unique | Should -BeIn 'group', 'endgroup', $Error, 'task.setvariable', 'task.uploadsummary'
        $result.Commands | Where-Object { $_.Properties.Keys -contains 'name' -or "$($_.Properties['variable'])" -notmatch '^(checkpoint-.*)?$' } | Should -BeNullOrEmpty
        Assert-Group $result
        $result.Variables.Count | Should -Be 0
        # Five names, each of a stage that is done, of one that failed, and of two in a pipeline, of which the first has the name again; and of one whose name none can have.
        $result.Outputs.Count | Should -Be 20
        $result.Outputs.Keys | Should -Match '^checkpoint-[\w.-]+$'
        $result.Summary | Should -Not -Match '<script|`d'
    }

    It 'do their work where none of it can be written' {
        $blocked = "$($job.Temp)/blocked"
        Set-Content $blocked 'a file where a folder should be'
        $result = Invoke-JobStep $job "$import`nInvoke-CheckpointStage build { 'built' }; Invoke-CheckpointStage more { 'more' }" -Environment @{
            GITHUB_OUTPUT = "$blocked/output"; GITHUB_STEP_SUMMARY = "$blocked/summary"; AGENT_TEMPDIRECTORY = "$blocked/temp"
        }
        $result.ExitCode | Should -Be 0
        $result.Log | Should -Contain built
        $result.Log | Should -Contain more
        $result.Log -match '^WARNING: The summary of the job cannot be written' | Should -Not -BeNullOrEmpty
    }
}

Describe 'Stages in no job' -Tag AnyStore {
    It 'write no commands and nothing else of it' {
        $job = New-Job github
        $result = Invoke-JobStep $job "$import`nInvoke-CheckpointStage 'a ##[b]' { 1 }; Invoke-CheckpointPipeline nightly { stage a { } } | Out-Null" -Environment @{ GITHUB_ACTIONS = $null; CI = 'true' }
        $result.Log | Where-Object { $_ } | Should -Be '1'
        $result.Outputs.Count | Should -Be 0
    }

    It 'tell names and messages as they are' {
        $result = Invoke-Pwsh 'Invoke-CheckpointStage "a ##[b]" { 1 } 6>&1 | Out-Null; Restore-Checkpoint "c ##[d]"' -WorkingDirectory (New-TestFolder)
        $result.ErrorOutput | Should -Match 'c ##\[d\]'
    }
}

Describe 'Get-Help about_Checkpoint_CI' -Tag AnyStore {
    It 'is found, and fits into a terminal of 80 columns' {
        (Get-Help about_Checkpoint_CI).Synopsis | Should -Match 'GitHub Actions'
        $file = Get-ChildItem (Split-Path $ModulePath) -Recurse -Filter about_Checkpoint_CI.help.txt | Select-Object -First 1
        Get-Content $file | Where-Object { $_ -notmatch '^ {8}' -and $_.Length -gt 80 } | Should -BeNullOrEmpty
    }

    It 'shows what its examples give' {
        $page = Get-Content "$RepositoryRoot/docs/en-US/about_Checkpoint_CI.md" -Raw
        $blocks = { param($language) [regex]::Matches($page, "(?ms)^``````$language\r?\n(.*?)^``````") | ForEach-Object { $_.Groups[1].Value } }
        $result = Invoke-Pwsh ((& $blocks powershell) -join "`n") -WorkingDirectory (New-TestFolder) -Environment @{ GITHUB_WORKSPACE = $null }
        $result.ErrorOutput | Should -BeNullOrEmpty
        $essence = { $args[0] -replace '\d+\.\d\ds', '<time>' }
        $shown = @('GITHUB_RUN_ID') + @((& $blocks Output).Trim() -split '\r?\n') + 'done', 'done'
        $result.Output | ForEach-Object { & $essence $_ } | Should -Be ($shown | ForEach-Object { & $essence $_ })
    }
}
