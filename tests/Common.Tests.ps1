BeforeDiscovery {
    $hasPostgres = -not $IsWindows -and ((Get-Command initdb -CommandType Application -ErrorAction Ignore) -or (Get-Item /usr/lib/postgresql/*/bin/initdb -ErrorAction Ignore))
}

BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'The helpers of the test suite' -Tag AnyStore {
    It 'run a script in a child with the module, its arguments and its environment' {
        $result = Invoke-Pwsh {
            param($First, $Second)
            (Get-Module Checkpoint).Name
            "$First|$Second|$env:CHECKPOINT_KEEP"
            Write-Error 'an error' -ErrorAction Continue
        } 'ä b', "it's" -Environment @{ CHECKPOINT_KEEP = '3' }
        $result.Output | Should -Be 'Checkpoint', "ä b|it's|3"
        $result.ErrorOutput | Should -BeLike '*an error*'
        $result.ExitCode | Should -Be 0
    }

    It 'pass on the exit code of a child, and 1 for an error that ends it' {
        (Invoke-Pwsh { exit 7 } -NoModule).ExitCode | Should -Be 7
        (Invoke-Pwsh { throw 'no' } -NoModule).ExitCode | Should -Be 1
        (Invoke-Pwsh { Get-Item /not/there } -NoModule).ExitCode | Should -Be 1
    }

    It 'kill a child in the middle of its work' {
        $signal = "$(New-TestFolder)/started"
        $child = Start-Pwsh { param($Signal) 'before'; $null = New-Item $Signal; Start-Sleep 600; 'after' } $signal -NoModule
        Wait-Until { Test-Path $signal }
        $left = Stop-Pwsh $child
        $left.ExitCode | Should -Not -Be 0
        $left.Output | Should -Be 'before'
    }

    It 'start a child that can be interrupted, also where the tests run in the background' -Skip:(-not $IsLinux) {
        $script = "Set-Item Variable:TestDrive '$TestDrive'; . '$PSScriptRoot/Common.ps1'; (Invoke-Pwsh { Get-Content /proc/self/status | Select-String SigIgn } -NoModule).Output"
        $mask = sh -c 'trap "" INT HUP; exec "$0" "$@"' @(Get-PwshCommand) -NoProfile -NonInteractive -Command $script
        # The first two bits are SIGHUP and SIGINT.
        [convert]::ToUInt64(($mask -split '\s')[-1], 16) -band 3 | Should -Be 0
    }

    It 'do not wait for ever' {
        { Invoke-Pwsh { Start-Sleep 600 } -NoModule -TimeoutSeconds 1 } | Should -Throw '*had not ended after 1 s*'
        { Wait-Until { $false } -TimeoutSeconds 0 } | Should -Throw 'Not so after 0 s*'
    }

    It 'give every test a folder of its own' {
        New-TestStore | Should -Not -Be (New-TestStore)
        New-TestStore | Should -Exist
        New-TestStore -Missing | Should -Not -Exist
    }

    It 'start a PostgreSQL that ends with the process that started it, also when that is killed with all of its children' -Skip:(-not $hasPostgres) {
        $file = "$(New-TestFolder)/uri"
        $child = Start-Pwsh -NoModule {
            param($Tests, $File)
            . $Tests/Postgres.ps1
            Start-PostgreSql
            Set-Content "$File.new" $env:CHECKPOINT_TEST_POSTGRES
            Move-Item "$File.new" $File
            Start-Sleep 600
        } $PSScriptRoot, $file -Environment @{ CHECKPOINT_TEST_POSTGRES = $null }
        Wait-Until { (Test-Path $file) -or $child.Process.HasExited }
        $folder = [uri]::UnescapeDataString(((Get-Content $file) -split '[@/]')[3])
        $server = (Get-Content "$folder/data/postmaster.pid")[0]
        Get-Process -Id $server | Should -HaveCount 1
        $null = Stop-Pwsh $child
        Wait-Until { -not (Test-Path $folder) -and -not (Get-Process -Id $server -ErrorAction Ignore) }
    }

    It 'fail where there is a PostgreSQL and it does not start: <Name>' -Skip:$IsWindows -ForEach @(
        @{ Name = 'its cluster cannot be made'; Fails = 'initdb' }
        @{ Name = 'it ends at once'; Fails = 'pg_ctl' }
    ) {
        $programs = New-TestFolder
        $stands = @{
            # It runs what it is told to, as this user.
            runuser = 'shift 3; exec "$@"'
            initdb = '[ "$1" != --version ] || { echo "initdb (PostgreSQL) 16.1"; exit 0; }; mkdir -p "$2"'
            pg_ctl = ':'
        }
        $stands[$Fails] += "; echo '$Fails is broken' >&2; exit 1"
        foreach ($program in $stands.Keys) {
            Set-Content "$programs/$program" "#!/bin/sh`n$($stands[$program])"
            chmod +x "$programs/$program"
        }
        $child = Invoke-Pwsh -NoModule {
            param($Tests)
            . $Tests/Postgres.ps1
            Start-PostgreSql
        } $PSScriptRoot -Environment @{ CHECKPOINT_TEST_POSTGRES = $null; PATH = "${programs}:$env:PATH" }
        $child.ExitCode | Should -Not -Be 0
        $child.ErrorOutput | Should -BeLike "*PostgreSQL did not start:*$Fails is broken*"
    }

    It 'say so where PostgreSQL is too old' -Skip:$IsWindows {
        $programs = New-TestFolder
        Set-Content "$programs/initdb" "#!/bin/sh`necho 'initdb (PostgreSQL) 14.9'"
        chmod +x "$programs/initdb"
        (Invoke-Pwsh -NoModule {
            param($Tests)
            . $Tests/Postgres.ps1
            Start-PostgreSql
        } $PSScriptRoot -Environment @{ CHECKPOINT_TEST_POSTGRES = $null; PATH = "${programs}:$env:PATH" }).Output | Should -BeLike 'PostgreSQL 14 is older than 15*'
    }
}
