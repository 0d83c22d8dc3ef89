#Requires -Version 7.4
<#
.SYNOPSIS
Measures Checkpoint on PostgreSQL against a bare question and against pgbench.

.DESCRIPTION
Test-Checkpoint on a warm connection against a cmdlet that asks SELECT 1 through the same Npgsql; and saves per second of several runspaces against pgbench that runs the same statement with as many clients
on the same server. The two take turns. Build the module first. A server is started in a temporary folder; as root it runs as the user postgres.

.PARAMETER Clients
How many save at once.

.PARAMETER Seconds
How long each saves.

.PARAMETER Rounds
How many rounds of each.

.PARAMETER WarmSeconds
How long is tested, and how long saved, before it counts.

.PARAMETER Apart
The server has one half of the processors, and the clients, ours and those of pgbench, the other: as if they were two machines. Needs taskset and two processors.
#>
[CmdletBinding()]
param(
    [ValidateRange(1, 100)]
    [int] $Clients = 8,

    [ValidateRange(1, 600)]
    [int] $Seconds = 5,

    [ValidateRange(1, 100)]
    [int] $Rounds = 5,

    [ValidateRange(0, 600)]
    [int] $WarmSeconds = 20,

    [switch] $Apart
)

$ErrorActionPreference = 'Stop'
$repository = [IO.Path]::GetFullPath("$PSScriptRoot/../..")
$driver = "$repository/bin/stores/postgresql"
$folder = "/tmp/checkpoint-measure-$PID"
$port = 40000 + $PID % 20000

function Find-Program([string] $Name) {
    $command = Get-Command $Name -ErrorAction Ignore -CommandType Application | Select-Object -First 1
    $command ? $command.Source : (Get-Item "/usr/lib/postgresql/*/bin/$Name" | Select-Object -Last 1).FullName
}

$half = [Math]::Max(1, [Environment]::ProcessorCount / 2)
$serverPlace, $clientPlace = $Apart ? @(('taskset', '-c', "0-$($half - 1)"), ('taskset', '-c', "$half-$([Environment]::ProcessorCount - 1)")) : @(@(), @())

function Invoke-Server([string] $Name, [string[]] $Argument) {
    $command = $serverPlace + @((Find-Program $Name)) + $Argument
    if ([Environment]::UserName -eq 'root') {
        $command = @('runuser', '-u', 'postgres', '--') + $command
    }
    $output = & $command[0] $command[1..$command.Count] 2>&1
    if ($LASTEXITCODE) { throw "$Name failed: $output" }
}

function Measure-Block([scriptblock] $Block, [int] $Count) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    for ($i = 0; $i -lt $Count; $i++) { $null = & $Block }
    $watch.Elapsed.TotalMicroseconds / $Count
}

function Get-Median([double[]] $Value) {
    @($Value | Sort-Object)[[int] [Math]::Floor($Value.Count / 2)]
}

Push-Location /
$null = New-Item -ItemType Directory $folder
try {
    if ([Environment]::UserName -eq 'root') { chown postgres $folder }
    Invoke-Server initdb '-D', "$folder/data", '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C'
    Invoke-Server pg_ctl '-D', "$folder/data", '-w', '-l', "$folder/log", '-o', "-c port=$port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder", 'start'

    $peer = "$folder/Peer.dll"
    Add-Type -Path "$PSScriptRoot/PostgresPeer.cs" -OutputAssembly $peer -OutputType Library -CompilerOptions '/optimize+' -IgnoreWarnings -WarningAction Ignore -ReferencedAssemblies @(
        "$driver/Npgsql.dll", 'System.Management.Automation', 'netstandard', 'System.Data.Common', 'System.ComponentModel.Primitives')
    Get-ChildItem "$driver/Microsoft.*.dll", "$driver/Npgsql.dll" | ForEach-Object { $null = [Reflection.Assembly]::LoadFrom($_) }
    Import-Module $peer, "$repository/Checkpoint.psd1"
    $store = "postgresql://postgres@127.0.0.1:$port/postgres"
    $connection = "Host=127.0.0.1;Port=$port;Username=postgres;Database=postgres"

    if ($Apart) { $null = taskset -acp "$half-$([Environment]::ProcessorCount - 1)" $PID }
    Save-Checkpoint ingest -Store $store 6> $null
    # The runtime goes on compiling either for some seconds; and what else the machine does meets both, as they take turns of some milliseconds.
    $ratios = foreach ($round in 0..$Rounds) {
        $ours = $theirs = 0
        for ($turn, $watch = 0, [Diagnostics.Stopwatch]::StartNew(); $turn -lt 50 -or (-not $round -and $watch.Elapsed.TotalSeconds -lt $WarmSeconds); $turn++) {
            $ours += Measure-Block { Test-Checkpoint ingest -Store $store } 100
            $theirs += Measure-Block { Test-Select1 $connection } 100
        }
        if ($round) { $ours / $theirs }
    }
    'Test-Checkpoint, warm: {0:0.00} x SELECT 1 through Npgsql (rounds {1:0.00} to {2:0.00}); target: at most 1.5' -f (Get-Median $ratios), ($ratios | Measure-Object -Minimum).Minimum, ($ratios | Measure-Object -Maximum).Maximum

    # The very statement of a save, with values of its size in place of the parameters: the entry as the next step, its line of the history behind the one before, and one durable commit.
    $statements = [Activator]::CreateInstance([Reflection.Assembly]::LoadFrom("$driver/Checkpoint.Stores.PostgreSql.dll").GetType('Checkpoint.Stores.PostgreSql.Statements'), @('checkpoint'))
    $same = $statements.All() | Where-Object Item1 -Match 'Save .*Step = Next, IsFenced = False, HasChunks = False, Follows = False, HasNote = True, IsDurable = True'
    $key = "'pgbench ' || :round, '', 'client ' || :client_id" -split ', '
    $before = "(CASE WHEN :step::bigint = 1 THEN '' ELSE md5((:step::bigint - 1)::text) END)"
    $entry = @("'checkpoint'") + $key + ':step::bigint', "decode(repeat('ab', 300), 'hex')", 'md5(:step::text)', 'NULL::uuid', 'NULL::bigint', 'gen_random_uuid()', ':client_id::bigint'
    $values = $entry + "'history'" + $key + ':step::bigint', "decode(repeat('ab', 150), 'hex')", 'md5(:step::text)', 'gen_random_uuid()', $before
    $sql = [regex]::Replace($same.Item2, '\$(\d+)', { "($($values[[int] $args[0].Groups[1].Value - 1]))" }) -replace '\s+', ' '
    Set-Content "$folder/same.sql" "\set step :step + 1`n$sql;"
    # And the least that could be called one: the entry alone, as a step of which nobody asks whether it is the next.
    Set-Content "$folder/entry.sql" @'
\set step random(1, 1000000000000)
INSERT INTO checkpoint.entry(kind, pipeline, run, name, step, record, revision, save) VALUES ('checkpoint', 'pgbench', '', 'client ' || :client_id, :step, decode(repeat('ab', 300), 'hex'), md5(:step::text), gen_random_uuid()) ON CONFLICT DO NOTHING;
'@
    function Get-Rate([string] $Script, [int] $Round) {
        $command = $clientPlace + @((Find-Program pgbench))
        $told = & $command[0] $command[1..$command.Count] -h 127.0.0.1 -p $port -U postgres -n -M prepared -c $Clients -j ([Math]::Min($Clients, [Environment]::ProcessorCount)) -T $Seconds -D step=0 -D "round=$Round" -f "$folder/$Script.sql" postgres 2> $null
        [double] [regex]::Match("$told", 'tps = ([\d.]+)').Groups[1].Value
    }

    # Each in a runspace of its own, with a connection of its own, to a stage and a pipeline of its own. They stay from round to round, as the sessions of pgbench's clients are all alike from the first statement on.
    $sessions = foreach ($client in 1..$Clients) {
        [powershell]::Create().AddScript({
                param($module, $store, $client, $seconds)
                Import-Module $module
                $count = 0
                for ($watch = [Diagnostics.Stopwatch]::StartNew(); $watch.Elapsed.TotalSeconds -lt $seconds; $count++) { Save-Checkpoint stage -Pipeline "p$client" -Store $store 6> $null }
                $count
            }).AddParameters(@{ module = "$repository/Checkpoint.psd1"; store = $store; client = $client; seconds = $Seconds })
    }
    function Get-SaveRate {
        $running = $sessions | ForEach-Object { @{ Session = $_; Result = $_.BeginInvoke() } }
        ($running | ForEach-Object { $_.Session.EndInvoke($_.Result) } | Measure-Object -Sum).Sum / $Seconds
    }
    # The runtime goes on compiling for some seconds.
    $warm = [Diagnostics.Stopwatch]::StartNew()
    while ($warm.Elapsed.TotalSeconds -lt $WarmSeconds) { $null = Get-SaveRate }
    $measured = foreach ($round in 1..$Rounds) {
        $asked, $ours, $least = (Get-Rate same $round), (Get-SaveRate), (Get-Rate entry $round)
        Write-Verbose "$ours saves against $asked and $least of pgbench a second" -Verbose
        [pscustomobject]@{ Same = $ours / $asked; Least = $ours / $least }
    }
    'Save-Checkpoint, {0} at once: {1:0.00} x pgbench with the same statement (rounds {2:0.00} to {3:0.00}); target: at least 0.8' -f $Clients, (Get-Median $measured.Same), ($measured.Same | Measure-Object -Minimum).Minimum, ($measured.Same | Measure-Object -Maximum).Maximum
    '    and {0:0.00} x pgbench with the entry alone, without its step and its line of the history (rounds {1:0.00} to {2:0.00})' -f (Get-Median $measured.Least), ($measured.Least | Measure-Object -Minimum).Minimum, ($measured.Least | Measure-Object -Maximum).Maximum
}
finally {
    Invoke-Server pg_ctl '-D', "$folder/data", '-w', '-m', 'immediate', 'stop'
    Remove-Item $folder -Recurse -Force
    Pop-Location
}
