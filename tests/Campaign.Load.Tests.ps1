# The campaign Load, see docs/reliability.md: many processes and runspaces save at once, while others read.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Campaign.ps1

    # Writers and readers know how long a state of a number is, and of what.
    $common = {
        param($Store, $Barrier, $Number, $Count)
        $at = @{ Store = $Store; Pipeline = 'default'; Run = '' }
        function New-State([int] $N) {
            $data = [byte[]]::new((10, 20000)[$N % 2])
            [array]::Fill($data, [byte] ($N % 251))
            @{ n = $N; data = $data }
        }
        function Test-State([object] $State) {
            [Linq.Enumerable]::SequenceEqual([byte[]] $State.data, [byte[]] (New-State $State.n).data)
        }
    }
    $save = {
        foreach ($i in 1..$Count) {
            $n = 1000 * $Number + $i
            "$name $((Save-Checkpoint $name -State (New-State $n) -PassThru @at).Step) $n"
        }
    }
    $read = {
        # Until the end, and in any case once.
        do {
            $isLast = Test-Path "$Barrier/end"
            $name = "s$(Get-Random -Maximum ($Shared ? 1 : 16))"
            try {
                $WarningPreference = 'Stop'
                $checkpoint = Get-Checkpoint $name @at
                if (-not (Test-Checkpoint $name @at)) { "Test says that there is no $checkpoint" }
                $states = @(
                    Restore-Checkpoint $name @at
                    Get-Checkpoint $name -AllSteps @at | Get-Random -Count 2 | Restore-Checkpoint
                )
                foreach ($state in $states) {
                    if (-not (Test-State $state)) { "torn: $name $($state.n)" }
                    'read'
                }
            }
            catch {
                # Before the first save of the stage.
                if ($_.FullyQualifiedErrorId -notlike 'CheckpointNotFound,*' -or $seen.$name) { "$($_.FullyQualifiedErrorId): $_" }
                continue
            }
            ($seen ??= @{}).$name = $true
        } until ($isLast)
    }

    # What was told of against what is there. A line is `<stage> <step> <n>`.
    function Test-Told([object] $Campaign, [string] $Store, [string[]] $Told) {
        $at = @{ Store = $Store; Pipeline = 'default'; Run = '' }
        $steps = @{}
        foreach ($line in $Told) {
            $name, $step, $n = $line -split ' '
            if ($steps["$name $step"]) {
                $Campaign.Findings.Add("step $step of $name was given to $($steps["$name $step"]) and $n")
            }
            $steps["$name $step"] = $n
        }
        $Campaign.Tries += $Told.Count
        $there = @(Get-Checkpoint -AllSteps @at -WarningAction Stop)
        if ($there.Count -ne $steps.Count) {
            $Campaign.Findings.Add("$($steps.Count) saves were told of and $($there.Count) are there")
        }
        foreach ($checkpoint in $there) {
            $state = $checkpoint | Restore-Checkpoint -WarningAction Stop
            if ("$($state.n)" -ne $steps["$($checkpoint.Name) $($checkpoint.Step)"] -or -not (Test-State $state)) {
                $Campaign.Findings.Add("$checkpoint holds $($state.n), and was told to hold $($steps["$($checkpoint.Name) $($checkpoint.Step)"])")
            }
        }
    }

    . $common
}

Describe 'Many at once' -Tag Campaign {
    It 'lose no step, and readers see nothing torn and no error: processes on <What>, runspaces too' -ForEach @(
        @{ What = 'one stage'; Shared = $true }
        @{ What = 'a stage each'; Shared = $false }
    ) {
        $campaign = Start-Campaign "Load on $What"
        $count = $campaign.IsLong ? 500 : 20
        $store, $barrier = (New-TestStore), (New-TestStore)
        # Many short processes on few cores would spend most of their time compiling the same code for speed, each for itself.
        $environment = @{ DOTNET_TC_CallCounting = '0' }
        $lead = "$common`n`$null = New-Item `"`$Barrier/ready-`$Number`"`nwhile (-not (Test-Path `"`$Barrier/go`")) { Start-Sleep -Milliseconds 5 }`n"
        $start = { param($Work, $Number) Start-Pwsh "$lead$Work" $store, $barrier, $Number, $count -Environment $environment }
        $writers = @(1..16 | ForEach-Object { & $start "`$name = 's$($Shared ? 0 : $_ - 1)'`n$save" $_ })
        $readers = @(17..19 | ForEach-Object { & $start "`$Shared = [bool] $([int] $Shared)`n$read" $_ })
        $shells = @(20..27 | ForEach-Object {
                $name = "s$($Shared ? 0 : ($_ - 12) % 16)"
                $script = "$common`n`$ErrorActionPreference = 'Stop'; Import-Module '$ModulePath'; `$name = '$name'`n$save"
                [powershell]::Create().AddScript($script).AddArgument($store).AddArgument($barrier).AddArgument($_).AddArgument($count)
            })
        try {
            Wait-Until { (Get-ChildItem $barrier -Filter ready-*).Count -eq 19 -or ($writers + $readers).Process.HasExited -contains $true } -TimeoutSeconds 300
            $null = New-Item "$barrier/go"
            $runs = @($shells | ForEach-Object { , @($_, $_.BeginInvoke()) })
            $told = @($runs | ForEach-Object { $_[0].EndInvoke($_[1]); $_[0].Streams.Error + $_[0].Streams.Warning | ForEach-Object { $campaign.Findings.Add("a runspace: $_") } })
            $results = @($writers | ForEach-Object { Wait-Pwsh $_ -TimeoutSeconds 1200 })
        }
        finally {
            $null = New-Item "$barrier/end"
            $shells | ForEach-Object Dispose
        }
        $seen = @($readers | ForEach-Object { Wait-Pwsh $_ -TimeoutSeconds 300 })
        $results + $seen | Where-Object { $_.ErrorOutput -or $_.ExitCode } | ForEach-Object { $campaign.Findings.Add("a process: $($_.ErrorOutput)") }
        $seen.Output | Where-Object { $_ -ne 'read' } | ForEach-Object { $campaign.Findings.Add("a reader: $_") }
        $reads = @($seen.Output -eq 'read').Count
        $reads | Should -BeGreaterThan 0
        Test-Told $campaign $store @(@($told | ForEach-Object { "$_" }) + $results.Output)
        $campaign.Tries | Should -Be (24 * $count)
        Complete-Campaign $campaign "saves by 16 processes and 8 runspaces, $reads reads by 3 processes"
    }

    It 'would be found out, had a step been lost, doubled or swapped' {
        $campaign = Start-Campaign 'Load, with a lost step'
        $store = New-TestStore
        1..3 | ForEach-Object { Save-Checkpoint s0 -State (New-State $_) -Store $store -Pipeline default -Run '' }
        foreach ($told in @('s0 1 1', 's0 2 2', 's0 3 3', 's0 4 4'), @('s0 1 1', 's0 2 2', 's0 3 3', 's0 3 4'), @('s0 1 2', 's0 2 1', 's0 3 3')) {
            $campaign.Findings.Clear()
            Test-Told $campaign $store $told
            $campaign.Findings | Should -Not -BeNullOrEmpty
        }
        $campaign.Findings.Clear()
        Test-Told $campaign $store 's0 1 1', 's0 2 2', 's0 3 3'
        $campaign.Findings | Should -BeNullOrEmpty
    }
}
