# Invoke-CheckpointItem -Shared: several processes, or machines, work on one list.

BeforeAll {
    . $PSScriptRoot/Common.ps1

    # Does its part, waits at one item for a signal where it is told to, and says what came out.
    $script = {
        param($store, $files, $name, $waitAt, $with)
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        $block = {
            $null = New-Item "$using:files.did.$_.$using:name"
            if ("$_" -eq $using:waitAt) {
                while (-not (Test-Path "$using:files.go")) { [Threading.Thread]::Sleep(10) }
            }
            "$_"
        }
        $options = $with ? ($with | ConvertFrom-Json -AsHashtable) : @{}
        try {
            1..9 | Invoke-CheckpointItem s $block -Shared @options @at
        }
        catch {
            $_.FullyQualifiedErrorId
        }
    }
    function Start-Worker([string] $Name, [string] $WaitAt = '', [hashtable] $With = @{}, [hashtable] $Environment = @{}) {
        Start-Pwsh $script $store, $files, $Name, $WaitAt, ($With | ConvertTo-Json -Compress) -Environment $Environment
    }
    # item.worker
    function Get-Doing { (Get-Item "$files.did.*").Name -replace '.*\.did\.' | Sort-Object }
}

Describe 'Invoke-CheckpointItem -Shared' {
    BeforeEach {
        $store = New-TestStore -Missing
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        # Beside which the tests put theirs.
        $files = Join-Path $TestDrive ([guid]::NewGuid())
    }

    It 'has each item done by one of two processes, which both end when all are done' {
        $workers = 'a', 'b' | ForEach-Object { Start-Worker $_ }
        $left = $workers | ForEach-Object { Wait-Pwsh $_ }
        -join $left.ErrorOutput | Should -BeNullOrEmpty
        $left.Output | Sort-Object | Should -Be (1..9)
        @(Get-Doing).Count | Should -Be 9
        Test-Checkpoint s @at | Should -BeTrue
        $saved = Get-Checkpoint s -AllSteps @at
        @($saved).Count | Should -Be 1
        $saved.Metadata.Items | Should -Be 9
        $saved.Metadata.Done + $saved.Metadata.Skipped | Should -Be 9
    }

    It 'gives with -SaveOutput what all items gave, whoever did them' {
        $workers = 'a', 'b' | ForEach-Object { Start-Worker $_ -With @{ SaveOutput = $true } }
        foreach ($one in $workers) { (Wait-Pwsh $one).Output | Sort-Object | Should -Be (1..9) }
        @(Get-Doing).Count | Should -Be 9
        $later = 1..9 | Invoke-CheckpointItem s { throw 'it was done' } -SaveOutput @at
        $later | Should -Be (1..9)
    }

    It 'gives large and encrypted outputs of all to all' {
        $large = {
            param($store, $name)
            $all = 1..6 | Invoke-CheckpointItem s { , [byte[]]::new(100000 + $_) } -Shared -SaveOutput -Store $store -Pipeline default -Run ''
            ($all | ForEach-Object Length | Sort-Object) -join ' '
        }
        $environment = @{ CHECKPOINT_KEY = 'correct horse battery staple' }
        $left = 'a', 'b' | ForEach-Object { Start-Pwsh $large $store, $_ -Environment $environment } | ForEach-Object { Wait-Pwsh $_ }
        -join $left.ErrorOutput | Should -BeNullOrEmpty
        $left.Output | Should -Be (@('100001 100002 100003 100004 100005 100006') * 2)
        (Test-CheckpointStore @at | Where-Object Severity -NE Information) | Should -BeNullOrEmpty
    }

    It 'does what a process had in its hands that was killed' {
        $killed = Start-Worker a 1
        Wait-Until { Test-Path "$files.did.1.a" }
        $other = Start-Worker b
        # All but what the first has in its hands.
        Wait-Until { Test-Path "$files.did.9.b" }
        $null = Stop-Pwsh $killed
        $null = New-Item "$files.go"
        $left = Wait-Pwsh $other
        -join $left.ErrorOutput | Should -BeNullOrEmpty
        Get-Doing | Should -Contain '1.b'
        Test-Checkpoint s @at | Should -BeTrue
    }

    It 'keeps out who works alone or clears, and is kept out by who works alone' {
        $worker = Start-Worker a 1
        Wait-Until { Test-Path "$files.did.1.a" }
        { 1..9 | Invoke-CheckpointItem s { } @at } | Should -Throw -ErrorId 'LeaseHeld,*'
        { Clear-Checkpoint s @at -ErrorAction Stop } | Should -Throw -ErrorId 'LeaseHeld,*'
        { Lock-Checkpoint s @at } | Should -Throw -ErrorId 'LeaseHeld,*'
        { Invoke-CheckpointStage s { } @at } | Should -Throw -ErrorId 'LeaseHeld,*'
        $null = New-Item "$files.go"
        $null = Wait-Pwsh $worker
        $null = Lock-Checkpoint s @at
        Clear-Checkpoint s @at -ErrorAction Stop
        { 1..9 | Invoke-CheckpointItem s { } -Shared @at } | Should -Throw -ErrorId 'LeaseHeld,*'
        Unlock-Checkpoint s @at
        1..2 | Invoke-CheckpointItem s { "$_" } -Shared @at | Should -Be 1, 2
    }

    It 'leaves with -ContinueOnError what failed with one alone, and has all tell of it' {
        $failing = {
            param($store, $files, $name)
            1..9 | Invoke-CheckpointItem s { if ($_ -eq 5) { $null = New-Item "$using:files.did.$_.$using:name"; throw 'five broke' }; $_ } -Shared -ContinueOnError -Store $store -Pipeline default -Run '' -ErrorVariable errors -ErrorAction SilentlyContinue
            'told: ' + $errors[-1].FullyQualifiedErrorId
        }
        $left = 'a', 'b' | ForEach-Object { Start-Pwsh $failing $store, $files, $_ } | ForEach-Object { Wait-Pwsh $_ }
        @($left.Output -like 'told: StageFailed,*').Count | Should -Be 2
        @(Get-Doing).Count | Should -Be 1
        Test-Checkpoint s @at | Should -BeFalse
        5 | Invoke-CheckpointItem s { $_ } -Shared -RetryFailed @at | Should -Be 5
    }

    It 'stops at the first item that fails, which the next call tries again' {
        { 1..3 | Invoke-CheckpointItem s { if ($_ -eq 2) { throw 'two broke' }; $_ } -Shared @at } | Should -Throw 'two broke'
        1..3 | Invoke-CheckpointItem s { $_ } -Shared @at | Should -Be 2, 3
    }

    It 'does several at once' {
        $workers = 'a', 'b' | ForEach-Object { Start-Worker $_ -With @{ ThrottleLimit = 4 } }
        $left = $workers | ForEach-Object { Wait-Pwsh $_ }
        -join $left.ErrorOutput | Should -BeNullOrEmpty
        $left.Output | Sort-Object | Should -Be (1..9)
    }

    It 'ends at Ctrl+C also while it waits for others, and keeps nothing from them' {
        $worker = Start-Worker a 1
        Wait-Until { Test-Path "$files.did.1.a" }
        $shell = [powershell]::Create()
        $null = $shell.AddScript({
                param($module, $store, $files)
                Import-Module $module
                1..9 | Invoke-CheckpointItem s { $null = New-Item "$using:files.did.$_.b" } -Shared -Store $store -Pipeline default -Run ''
            }).AddArgument($ModulePath).AddArgument($store).AddArgument($files)
        $running = $shell.BeginInvoke()
        Wait-Until { Test-Path "$files.did.9.b" }
        # It waits for the item that the first has in its hands, for ever.
        $shell.Stop()
        $running.IsCompleted | Should -BeTrue
        $shell.Dispose()
        $null = New-Item "$files.go"
        (Wait-Pwsh $worker).ErrorOutput | Should -BeNullOrEmpty
        @(Get-Doing).Count | Should -Be 9
        Test-Checkpoint s @at | Should -BeTrue
    }

    It 'is waited for by Wait-Checkpoint' {
        $worker = Start-Worker a 9
        Wait-Until { Test-Path "$files.did.9.a" }
        $null = New-Item "$files.go"
        (Wait-Checkpoint s @at -Timeout 2m -PassThru).Metadata.Items | Should -Be 9
        $null = Wait-Pwsh $worker
    }

    It 'does nothing with -WhatIf' {
        1..3 | Invoke-CheckpointItem s { $_ } -Shared -WhatIf @at | Should -BeNullOrEmpty
        Test-Checkpoint s @at | Should -BeFalse
    }

    It 'says what it did itself and what others did' {
        $null = 1..2 | Invoke-CheckpointItem s { } @at
        1..3 | Invoke-CheckpointItem s { } -Shared @at -InformationVariable told
        $told | ForEach-Object { "$_" } | Should -Be 'Items of stage s: 1 done, 2 done before or by others, 0 failed, 0 doubled', 'Checkpoint saved: s'
    }
}
