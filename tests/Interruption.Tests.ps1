# Ctrl+C while a database does not answer: the server's processes are stopped, as those of a machine that hangs.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Postgres.ps1

    $server = Start-PostgresServer
    $folder = $server.Uri ? [uri]::UnescapeDataString([regex]::Match($server.Uri, '@([^/]+)/').Groups[1].Value) : ''
    $postmaster = $folder ? [int] (Get-Content "$folder/data/postmaster.pid" -TotalCount 1) : 0

    # Stops or continues the server with all of its sessions.
    $signal = {
        param($postmaster, $name)
        sh -c "kill -$name $postmaster $((Get-Process -Name postgres* | Where-Object { $_.Parent.Id -eq $postmaster }).Id)"
    }

    # Begins a script in a runspace of its own, in which Stop-Server has the server answer no more.
    function Start-Shell([scriptblock] $Script) {
        $store = "$($server.Uri)?schema=s$([guid]::NewGuid().ToString('N'))"
        $silent = Join-Path $TestDrive ([guid]::NewGuid())
        $shell = [powershell]::Create().AddScript({
                param($module, $store, $silent, $signal, $postmaster, $script)
                Import-Module $module
                Set-CheckpointContext -Store $store -Pipeline default -Run ''
                Save-Checkpoint first
                $signal = [scriptblock]::Create($signal)
                $stop = { & $signal $postmaster STOP; $null = New-Item $silent }.GetNewClosure()
                & ([scriptblock]::Create("param(`$Stop) $script")) $stop
            }).AddParameters(@{ module = $ModulePath; store = $store; silent = $silent; signal = "$signal"; postmaster = $postmaster; script = "$Script" })
        [pscustomobject] @{ Shell = $shell; Silent = $silent; Running = $shell.BeginInvoke() }
    }
}

AfterAll {
    if ($postmaster) { & $signal $postmaster CONT }
    if ($server.Process) { $server.Process.StandardInput.Close() }
}

Describe 'Ctrl+C while the server does not answer' -Tag AnyStore {
    BeforeEach {
        if (-not $server.Uri) { Set-ItResult -Skipped -Because $server.Reason }
    }

    It 'has its effect within a second: <Name>' -ForEach @(
        @{ Name = 'a save'; Script = { & $Stop; Save-Checkpoint s } }
        @{ Name = 'a large save'; Script = { & $Stop; Save-Checkpoint s -State ([byte[]]::new(40MB)) } }
        @{ Name = 'a test'; Script = { & $Stop; Test-Checkpoint s } }
        @{ Name = 'a clearing'; Script = { & $Stop; Clear-Checkpoint first } }
        @{ Name = 'a lease that is taken'; Script = { & $Stop; Lock-Checkpoint s -For 1m } }
        @{ Name = 'a lease that is given back'; Script = { $null = Lock-Checkpoint s -For 1m; & $Stop; Unlock-Checkpoint s } }
        @{ Name = 'who waits for a stage'; Script = { & $Stop; Wait-Checkpoint s -Timeout 1h } }
        @{ Name = 'a stage'; Script = { Invoke-CheckpointStage s { & $Stop; 1 } } }
        @{ Name = 'a stage that fails'; Script = { Invoke-CheckpointStage s { & $Stop; throw 'broke' } } }
        @{ Name = 'a pipeline'; Script = { Invoke-CheckpointPipeline p { New-CheckpointStage a { & $Stop; 1 }; New-CheckpointStage b { 2 } } -Run 1 } }
        @{ Name = 'a pipeline that fails'; Script = { Invoke-CheckpointPipeline p { New-CheckpointStage a { & $Stop; throw 'broke' } } -Run 1 } }
        @{ Name = 'items'; Script = { 1..9 | Invoke-CheckpointItem s { if ($_ -eq 3) { & $Stop }; $_ } } }
        @{ Name = 'items that go on'; Script = { 1..9 | Invoke-CheckpointItem s { if ($_ -eq 3) { & $Stop; Start-Sleep 60 }; $_ } } }
        @{ Name = 'an item that fails'; Script = { 1..9 | Invoke-CheckpointItem s { if ($_ -eq 3) { & $Stop; throw 'broke' }; $_ } } }
        @{ Name = 'shared items'; Script = { 1..9 | Invoke-CheckpointItem s { if ($_ -eq 3) { & $Stop }; $_ } -Shared } }
        @{ Name = 'a list of all there is'; Script = { & $Stop; Get-Checkpoint -Pipeline * } }
    ) {
        $shell = Start-Shell $Script
        try {
            Wait-Until { (Test-Path $shell.Silent) -or $shell.Running.IsCompleted }
            # What takes so long waits for the server.
            $shell.Running.AsyncWaitHandle.WaitOne(400) | Should -BeFalse
            $clock = [Diagnostics.Stopwatch]::StartNew()
            $shell.Shell.Stop()
            # Half a second is for a machine that has much else to do.
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 1.5
        }
        finally {
            & $signal $postmaster CONT
            $shell.Shell.Dispose()
        }
    }
}
