<#
.SYNOPSIS
For tests that need a PostgreSQL server: one of their own, or the one that CHECKPOINT_TEST_POSTGRES names.
#>
# Every test file dot-sources this; there is one server for all of them.
[Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidGlobalVars', '')]
param()

function Start-PostgresServer {
    <#
    .SYNOPSIS
    Starts a server in a temporary folder; emits its address and its process, or the reason why there is none.

    .EXAMPLE
    $server = Start-PostgresServer
    if (-not $server.Uri) { Write-Warning $server.Reason }
    #>
    [OutputType([pscustomobject])]
    param()

    if ($IsWindows) {
        return [pscustomobject] @{ Uri = $null; Process = $null; Reason = 'The tests start no PostgreSQL on Windows, and CHECKPOINT_TEST_POSTGRES names none.' }
    }
    $start = [Diagnostics.ProcessStartInfo]::new('sh')
    $start.ArgumentList.Add("$PSScriptRoot/Start-Postgres.sh")
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $true
    # It runs until its standard input is closed, for which the object is kept.
    $process = [Diagnostics.Process]::Start($start)
    $kind, $text = $process.StandardOutput.ReadLine() -split ' ', 2
    if ($kind -eq 'failed') {
        throw $text
    }
    [pscustomobject] @{ Uri = $kind -eq 'uri' ? $text : $null; Process = $process; Reason = $kind -eq 'uri' ? $null : $text ? $text : 'PostgreSQL did not start.' }
}

function Start-PostgreSql {
    <#
    .SYNOPSIS
    Sees to it that CHECKPOINT_TEST_POSTGRES names a server, which ends with this process; emits why there is none, or nothing.

    .EXAMPLE
    if ($reason = Start-PostgreSql) { Write-Warning $reason }
    #>
    [OutputType([string])]
    param()

    # What a test compares with the name of a store has no password in it.
    if ($env:CHECKPOINT_TEST_POSTGRES -match '^(\w+://[^:@/?]*):([^@/?]*)(@.*)') {
        $env:PGPASSWORD = [uri]::UnescapeDataString($Matches[2])
        $env:CHECKPOINT_TEST_POSTGRES = $Matches[1] + $Matches[3]
    }
    if ($env:CHECKPOINT_TEST_POSTGRES) {
        return
    }
    $server = Start-PostgresServer
    if (-not $server.Uri) {
        return $server.Reason
    }
    $global:CheckpointTestServer = $server.Process
    $env:CHECKPOINT_TEST_POSTGRES = $server.Uri
}

function New-PostgresStore {
    <#
    .SYNOPSIS
    The address of a store that is not there yet: a schema of its own.
    #>
    [OutputType([string])]
    param()

    if ($reason = Start-PostgreSql) {
        throw $reason
    }
    $global:CheckpointTestSchemas ??= "test_$([guid]::NewGuid().ToString('N').Substring(0, 10))"
    $separator = $env:CHECKPOINT_TEST_POSTGRES.Contains('?') ? '&' : '?'
    Close-OldStore
    [string] (Open-StoreDriver "$env:CHECKPOINT_TEST_POSTGRES${separator}schema=${CheckpointTestSchemas}_$([guid]::NewGuid().ToString('N'))").Location
}

function Close-OldStore {
    <#
    .SYNOPSIS
    Closes the connections of stores that were used some tests ago. A process keeps them for as long as it lives, which of a thousand stores are too many.
    #>
    param()

    $stores = [Checkpoint.StoreDrivers].Assembly.GetType('Checkpoint.StoreRegistry').GetField('Drivers', [Reflection.BindingFlags] 'NonPublic, Static').GetValue($null)
    $global:CheckpointTestStores ??= [Collections.Generic.Queue[string]]::new()
    $stores.Keys | Where-Object { $_ -notin $CheckpointTestStores } | ForEach-Object { $CheckpointTestStores.Enqueue($_) }
    $store = $null
    while ($CheckpointTestStores.Count -gt 20) {
        if ($stores.TryRemove($CheckpointTestStores.Dequeue(), [ref] $store)) {
            $driver = $store.GetType().GetFields([Reflection.BindingFlags] 'NonPublic, Instance') | Where-Object FieldType -EQ ([Checkpoint.StoreDriver])
            $null = $driver.GetValue($store).DisposeAsync().AsTask().Wait(10000)
        }
    }
}

function Clear-PostgreSql {
    <#
    .SYNOPSIS
    Removes what the tests of this process made in a server that is not their own.
    #>
    param()

    if (-not $global:CheckpointTestServer -and $global:CheckpointTestSchemas) {
        "SET client_min_messages = warning; SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace WHERE starts_with(nspname, '$CheckpointTestSchemas') \gexec" | psql -X -q -v ON_ERROR_STOP=1 -d $env:CHECKPOINT_TEST_POSTGRES
    }
}
