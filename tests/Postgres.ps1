<#
.SYNOPSIS
A PostgreSQL server for a test that starts real processes. Dot-source it behind Common.ps1.
#>

function Find-PostgresProgram {
    <#
    .SYNOPSIS
    The path of one of its programs, which Debian keeps off the path; nothing where it is not installed.
    #>
    param([Parameter(Mandatory, Position = 0)] [string] $Name)

    $command = Get-Command $Name -CommandType Application -ErrorAction Ignore | Select-Object -First 1
    $command ? $command.Source : (Get-Item "/usr/lib/postgresql/*/bin/$Name" -ErrorAction Ignore | Sort-Object { [int] $_.Directory.Parent.Name } | Select-Object -Last 1).FullName
}

function Invoke-PostgresProgram([string] $Name, [string[]] $Argument) {
    $command = @(Find-PostgresProgram $Name) + $Argument
    # It refuses to be run by root.
    if ([Environment]::UserName -eq 'root') {
        $command = @('runuser', '-u', 'postgres', '--') + $command
    }
    Push-Location /
    try {
        $output = & $command[0] $command[1..$command.Count] 2>&1
        if ($LASTEXITCODE) { throw "$Name failed: $output" }
    }
    finally {
        Pop-Location
    }
}

function Start-PostgresServer {
    <#
    .SYNOPSIS
    Starts a server in a folder of its own, or takes the one that CHECKPOINT_TEST_POSTGRES names. Emits an object with the Uri; hand it to Stop-PostgresServer.
    #>
    if ($env:CHECKPOINT_TEST_POSTGRES) {
        return [pscustomobject]@{ Uri = $env:CHECKPOINT_TEST_POSTGRES; Folder = $null }
    }
    # A socket's path must be short.
    $folder = "/tmp/checkpoint-pg-$PID-$(Get-Random -Maximum 10000)"
    $null = New-Item -ItemType Directory $folder
    if ([Environment]::UserName -eq 'root') { chown postgres $folder }
    Invoke-PostgresProgram initdb '-D', "$folder/data", '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'
    Invoke-PostgresProgram pg_ctl '-D', "$folder/data", '-w', '-t', '300', '-l', "$folder/log", '-o', "-c listen_addresses= -c unix_socket_directories=$folder", 'start'
    [pscustomobject]@{ Uri = "postgresql://postgres@$([uri]::EscapeDataString($folder))/postgres"; Folder = $folder }
}

function Stop-PostgresServer([object] $Server) {
    if ($Server.Folder) {
        Invoke-PostgresProgram pg_ctl '-D', "$($Server.Folder)/data", '-w', '-m', 'immediate', 'stop'
        Remove-Item -Recurse -Force $Server.Folder
    }
}
