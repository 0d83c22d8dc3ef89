<#
.SYNOPSIS
What every Pester file needs: the module under test, fresh stores, and child processes.

.DESCRIPTION
Dot-source it first thing in BeforeAll:

    BeforeAll { . $PSScriptRoot/Common.ps1 }

It imports the module whose manifest is named by CHECKPOINT_TEST_MODULE (the checkout's own where
that is not set, so one file can be run by `Invoke-Pester tests/Save-Checkpoint.Tests.ps1`), and
defines the functions below. Get-Help on any of them shows an example.
#>

$script:ModulePath = if ($env:CHECKPOINT_TEST_MODULE) {
    (Resolve-Path -LiteralPath $env:CHECKPOINT_TEST_MODULE).ProviderPath
}
else {
    [IO.Path]::GetFullPath("$PSScriptRoot/../Checkpoint.psd1")
}
$script:RepositoryRoot = [IO.Path]::GetFullPath("$PSScriptRoot/..")

# The kind of store that the tests run on: a folder, where it is not set; sqlite, the sample of a driver; or postgresql.
$script:StoreKind = $env:CHECKPOINT_TEST_STORE_KIND ? $env:CHECKPOINT_TEST_STORE_KIND : 'folder'
if ($StoreKind -eq 'sqlite') {
    # As somebody's own module does it, so that child processes have it too.
    $module = Join-Path ([IO.Path]::GetTempPath()) "checkpoint-sample-$PID.psm1"
    Set-Content -LiteralPath $module @"
Import-Module '$ModulePath' -Global
[Checkpoint.StoreDrivers]::Register('sqlite', '$RepositoryRoot/out/bin/Checkpoint.Stores.Sample/release/Checkpoint.Stores.Sample.dll')
"@
    $script:ModulePath = $module
}
if ($StoreKind -eq 'postgresql') {
    . $PSScriptRoot/Postgres.ps1
}

Import-Module $script:ModulePath -Global -ErrorAction Stop

# Where the folders and stores of tests lie. Pester removes a TestDrive file by file, which took more time than all tests together; Invoke-Tests.ps1 names a place that is emptied here, for the next file.
$script:TestPlace = Get-Variable CheckpointTestPlace -Scope Global -ValueOnly -ErrorAction Ignore
if ($TestPlace) {
    [IO.Directory]::Delete($TestPlace, $true)
    $null = [IO.Directory]::CreateDirectory($TestPlace)
}
else {
    $script:TestPlace = $TestDrive
}

function New-TestFolder {
    <#
    .SYNOPSIS
    Makes a fresh, empty folder for one test and emits its path. It is removed after the tests of the file.

    .EXAMPLE
    $signal = "$(New-TestFolder)/started"
    #>
    [OutputType([string])]
    param()

    (New-Item -ItemType Directory -Path (Join-Path $TestPlace "folder-$([guid]::NewGuid().ToString('N'))")).FullName
}

function New-TestStore {
    <#
    .SYNOPSIS
    Makes a fresh, empty store for one test's checkpoints and emits its name: the path of a folder or, as CHECKPOINT_TEST_STORE_KIND says, the URI of a store of another kind.

    .DESCRIPTION
    Call it in BeforeEach or in It, so that no test sees what another one saved. Not every store is a folder: what else a
    test needs, such as files that tell it how far a child process is, lies in $env:TEST_PLACE, a fresh folder for each
    store, which children know too. A test that looks into the files of a store has the tag Files, one whose result
    cannot depend on where checkpoints are kept the tag AnyStore.

    .PARAMETER Missing
    Only the name: the folder is left for the code under test to make. Other stores are so always.

    .EXAMPLE
    BeforeEach { $store = New-TestStore }
    #>
    [OutputType([string])]
    param([switch] $Missing)

    $env:TEST_PLACE = New-TestFolder
    if ($StoreKind -eq 'postgresql') {
        return New-PostgresStore
    }
    $path = Join-Path $TestPlace "store-$([guid]::NewGuid().ToString('N'))"
    if ($StoreKind -eq 'sqlite') {
        return "sqlite://$path.db"
    }
    if (-not $Missing) {
        $null = New-Item -ItemType Directory -Path $path
    }
    $path
}

function Complete-Lease {
    <#
    .SYNOPSIS
    Lets the time pass after which the lease of a process that was killed is over.

    .DESCRIPTION
    In a folder it is over at once, for the system knows that the process is dead. In other stores it is when nobody has renewed it for half a minute; a test need not wait for that.

    .EXAMPLE
    $null = Stop-Pwsh $child
    Complete-Lease $store -Name a
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Store,
        [string] $Kind = 'lease',
        [string] $Pipeline = 'default',
        [object] $Run = [NullString]::Value,
        [object] $Name = [NullString]::Value
    )

    if ($Store.Contains('://')) {
        $driver, $none = (Open-StoreDriver $Store), [Threading.CancellationToken]::None
        $key = [Checkpoint.StoreKey]::new($Kind, $Pipeline, $Run, $Name)
        $lease = $driver.FindLeaseAsync($key, $none).AsTask().GetAwaiter().GetResult()
        if ($lease) {
            $null = $driver.ReleaseLeaseAsync([Checkpoint.StoreFence]::new($key, $lease.Token), $none).AsTask().GetAwaiter().GetResult()
        }
        $null = $driver.DisposeAsync().AsTask().GetAwaiter().GetResult()
    }
}

function Open-StoreDriver {
    <#
    .SYNOPSIS
    The driver of a store that is no folder.
    #>
    [OutputType([Checkpoint.StoreDriver])]
    param([Parameter(Mandatory, Position = 0)] [string] $Store)

    [Checkpoint.StoreDrivers].GetMethod('Open', [Reflection.BindingFlags] 'NonPublic, Static').Invoke($null, @(($Store -split ':')[0], $Store))
}

function Get-PwshCommand {
    <#
    .SYNOPSIS
    The words of the command line that starts the PowerShell running now.

    .DESCRIPTION
    An installed PowerShell is a program; one that came as a .NET tool is a dll to be handed to dotnet.

    .EXAMPLE
    $program, $arguments = @(Get-PwshCommand) + '-NoProfile', '-Command', 'exit'
    & $program @arguments
    #>
    [OutputType([string[]])]
    param()

    $program = Join-Path $PSHOME ($IsWindows ? 'pwsh.exe' : 'pwsh')
    if (Test-Path -LiteralPath $program) {
        return $program
    }
    'dotnet', (Join-Path $PSHOME 'pwsh.dll')
}

# What a shell runs in the background (`nohup … &`) has SIGINT ignored, and so have all its children, but for those that are started with its default.
$script:Launcher = @()
if (-not $IsWindows) {
    $null = env --default-signal true 2>&1
    if ($LASTEXITCODE -eq 0) {
        $script:Launcher = 'env', '--default-signal'
    }
}

function Start-Pwsh {
    <#
    .SYNOPSIS
    Starts a script in a child PowerShell with the module imported, and does not wait for it.

    .DESCRIPTION
    Emits an object to hand to Wait-Pwsh or Stop-Pwsh; its Process property is the System.Diagnostics.Process.
    The child has no profile, an empty standard input, and errors that end it with exit code 1 unless the
    script says otherwise. Let the script create a file where the test must know how far it is, and
    wait for that by Wait-Until.

    .PARAMETER Script
    The script's text, or a script block whose text is taken. The child sees none of the caller's variables; hand
    values in by -ArgumentList and a param block.

    .PARAMETER ArgumentList
    Values for the script's param block, in order. Each arrives as a string.

    .PARAMETER Environment
    Environment variables to set for the child; $null removes one.

    .PARAMETER WorkingDirectory
    Where the child starts. Pester's TestDrive if not given.

    .PARAMETER NoModule
    Do not import the module first.

    .EXAMPLE
    $child = Start-Pwsh { param($store) Save-Checkpoint a -Store $store; $null = New-Item "$store.saved"; Start-Sleep 600 } $store
    Wait-Until { Test-Path "$store.saved" }
    Stop-Pwsh $child
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [object] $Script,
        [Parameter(Position = 1)] [string[]] $ArgumentList = @(),
        [hashtable] $Environment = @{},
        [string] $WorkingDirectory = $TestDrive,
        [switch] $NoModule
    )

    $import = $NoModule ? '' : "Import-Module '$($script:ModulePath -replace "'", "''")'"
    $file = Join-Path $TestDrive "child-$([guid]::NewGuid().ToString('N')).ps1"
    Set-Content -LiteralPath $file -Value @"
`$ErrorActionPreference = 'Stop'
[Console]::OutputEncoding = [Text.UTF8Encoding]::new(`$false)
$import
& {
$Script
} @args
"@

    $program, $arguments = $script:Launcher + @(Get-PwshCommand) + '-NoProfile', '-NonInteractive', '-File', $file + $ArgumentList
    $start = [Diagnostics.ProcessStartInfo]::new($program)
    $arguments | ForEach-Object { $start.ArgumentList.Add($_) }
    $start.WorkingDirectory = $WorkingDirectory
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = $start.StandardErrorEncoding = [Text.UTF8Encoding]::new($false)
    foreach ($name in $Environment.Keys) {
        if ($null -eq $Environment[$name]) {
            $null = $start.Environment.Remove($name)
        }
        else {
            $start.Environment[$name] = $Environment[$name]
        }
    }

    $process = [Diagnostics.Process]::Start($start)
    $process.StandardInput.Close()
    [pscustomobject]@{
        Process = $process
        OutputTask = $process.StandardOutput.ReadToEndAsync()
        ErrorTask = $process.StandardError.ReadToEndAsync()
    }
}

function Wait-Pwsh {
    <#
    .SYNOPSIS
    Waits for a child of Start-Pwsh to end and emits what it left: ExitCode, Output (lines), ErrorOutput (text).

    .DESCRIPTION
    Output is as the child wrote it, ErrorOutput without colours, for on Linux PowerShell colours errors
    even when they are redirected. A child that is still there after -TimeoutSeconds is killed, and that is an error that shows its output.

    .EXAMPLE
    $results = 1..16 | ForEach-Object { Start-Pwsh $writer $store } | ForEach-Object { Wait-Pwsh $_ }
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [object] $Child,
        [int] $TimeoutSeconds = 120
    )

    $inTime = $Child.Process.WaitForExit([timespan]::FromSeconds($TimeoutSeconds))
    if (-not $inTime) {
        $Child.Process.Kill($true)
        $Child.Process.WaitForExit()
    }
    $output = $Child.OutputTask.GetAwaiter().GetResult()
    $errorOutput = $Child.ErrorTask.GetAwaiter().GetResult()
    if (-not $inTime) {
        throw "The child process had not ended after $TimeoutSeconds s. Output: $output Errors: $errorOutput"
    }

    $text = $output.TrimEnd("`r", "`n")
    [pscustomobject]@{
        ExitCode = $Child.Process.ExitCode
        Output = [string[]] @($text ? $text -split '\r?\n' : @())
        ErrorOutput = $errorOutput -replace '\e\[[\d;]*m'
    }
}

function Stop-Pwsh {
    <#
    .SYNOPSIS
    Kills a child of Start-Pwsh hard, as a power cut or the OOM killer would, and emits what it left as Wait-Pwsh does.

    .EXAMPLE
    $left = Stop-Pwsh $child
    #>
    param([Parameter(Mandatory, Position = 0)] [object] $Child)

    $Child.Process.Kill($true)
    Wait-Pwsh $Child
}

function Invoke-Pwsh {
    <#
    .SYNOPSIS
    Runs a script in a child PowerShell with the module imported; emits ExitCode, Output (lines) and ErrorOutput (text).

    .DESCRIPTION
    Start-Pwsh and Wait-Pwsh in one; the parameters are theirs.

    .EXAMPLE
    $result = Invoke-Pwsh { param($store) Test-Checkpoint a -Store $store } $store
    $result.Output | Should -Be 'False'
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [object] $Script,
        [Parameter(Position = 1)] [string[]] $ArgumentList = @(),
        [hashtable] $Environment = @{},
        [string] $WorkingDirectory = $TestDrive,
        [switch] $NoModule,
        [int] $TimeoutSeconds = 120
    )

    $null = $PSBoundParameters.Remove('TimeoutSeconds')
    Wait-Pwsh (Start-Pwsh @PSBoundParameters) -TimeoutSeconds $TimeoutSeconds
}

function Wait-Until {
    <#
    .SYNOPSIS
    Waits until a condition is true, and fails when it has not become so in time.

    .EXAMPLE
    Wait-Until { Test-Path $signal }
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [scriptblock] $Condition,
        [int] $TimeoutSeconds = 60
    )

    $clock = [Diagnostics.Stopwatch]::StartNew()
    while (-not (& $Condition)) {
        if ($clock.Elapsed.TotalSeconds -gt $TimeoutSeconds) {
            throw "Not so after $TimeoutSeconds s: $Condition"
        }
        Start-Sleep -Milliseconds 20
    }
}
