BeforeDiscovery {
    $root = [IO.Path]::GetFullPath("$PSScriptRoot/..")
    $pages = @(Get-Item "$root/README.md") + @(Get-ChildItem "$root/docs" -Recurse -File -Filter *.md) |
        ForEach-Object { @{ Name = [IO.Path]::GetRelativePath($root, $_) -replace '\\', '/'; Path = $_.FullName } }
    $cmdlets = (Import-PowerShellDataFile "$root/Checkpoint.psd1").CmdletsToExport
}

BeforeAll {
    . $PSScriptRoot/Common.ps1

    $manifest = Import-PowerShellDataFile $ModulePath
    $module = Get-Module Checkpoint
    $null = Get-CheckpointContext # loads the core
    $shell = (Get-Command Get-CheckpointContext).ImplementingType.Assembly
    $core = [AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq 'Checkpoint.Core' }
    $assemblies = $shell, $core

    function Get-CodeBlock([string] $Path, [string] $Language = 'powershell') {
        [regex]::Matches((Get-Content -LiteralPath $Path -Raw), "(?ms)^``````$Language\r?\n(.*?)^``````") | ForEach-Object { $_.Groups[1].Value }
    }
}

Describe 'The module' -Tag AnyStore {
    It 'has a valid manifest' {
        Test-ModuleManifest $ModulePath | Should -Not -BeNullOrEmpty
    }

    It 'exports the cmdlets that the manifest lists, and nothing else' {
        $module.ExportedCommands.Keys | Sort-Object | Should -Be ($manifest.CmdletsToExport | Sort-Object)
    }

    It 'has the version of the manifest in every assembly' {
        foreach ($assembly in $assemblies) {
            $assembly.GetName().Version | Should -Be ([version] "$($manifest.ModuleVersion).0")
        }
    }

    It 'has the version of the manifest at the top of the changelog' {
        Get-Content "$RepositoryRoot/docs/changelog.md" | Where-Object { $_ -match '^## ' } | Select-Object -First 1 |
            Should -Match "^## $([regex]::Escape($manifest.ModuleVersion))\b"
    }

    It 'ships no assembly but its own' {
        (Get-ChildItem (Split-Path $ModulePath) -Recurse -Filter *.dll -Depth 1).Name | Sort-Object | Should -Be 'Checkpoint.Core.dll', 'Checkpoint.dll'
    }

    It 'ships a store driver with all that it needs and the licences of that, in a folder of its own' {
        $folder = Join-Path (Split-Path $core.Location) stores/postgresql
        (Get-ChildItem $folder -Exclude *.pdb).Name | Sort-Object | Should -Be @(
            'Checkpoint.Stores.PostgreSql.deps.json', 'Checkpoint.Stores.PostgreSql.dll', 'Microsoft.Extensions.DependencyInjection.Abstractions.dll'
            'Microsoft.Extensions.Logging.Abstractions.dll', 'Npgsql.dll', 'THIRD-PARTY-NOTICES.txt'
        )
        $loaded = (Invoke-Pwsh { param($store) Save-Checkpoint a -Store $store; [AppDomain]::CurrentDomain.GetAssemblies().GetName().Name } (New-TestStore)).Output
        $loaded | Should -Contain Checkpoint.Core
        $loaded | Should -Not -Contain Npgsql
    }

    It 'loads its core from beside it' {
        Split-Path $core.Location | Should -Be (Split-Path $shell.Location)
    }

    It 'has help for <_>' -ForEach $cmdlets {
        $help = Get-Help $_ -Full
        $help.Synopsis | Should -Not -Match ([regex]::Escape("`n$_ ["))
        $help.examples.example.Count | Should -BeGreaterOrEqual 2
        foreach ($parameter in $help.parameters.parameter) {
            $parameter.description.Text | Should -Not -BeNullOrEmpty -Because $parameter.name
        }
    }

    It 'has the about topic, found by its synopsis' {
        (Get-Help about_Checkpoint).Synopsis | Should -Not -BeNullOrEmpty
    }
}

Describe 'The code' -Tag AnyStore {
    It 'has only sealed, static or abstract public classes' {
        $assemblies.GetExportedTypes() | Where-Object { $_.IsClass -and -not $_.IsSealed -and -not $_.IsAbstract } | Should -BeNullOrEmpty
    }

    It 'has one sealed class per cmdlet, in the file of its name' {
        $files = Get-ChildItem "$RepositoryRoot/src/Checkpoint/Commands" -Filter *.cs
        $files.BaseName | Sort-Object | Should -Be ($manifest.CmdletsToExport -replace '(\w+)-(\w+)', '$1$2Command' | Sort-Object)
        foreach ($file in $files) {
            [regex]::Matches((Get-Content $file -Raw), '(?m)^(?:\w+ )*(?:class|record|struct|enum|interface) .*').Value.TrimEnd() |
                Should -Match "^public sealed (partial )?class $($file.BaseName)\b"
        }
    }

    It 'has namespaces that begin as their project says' {
        foreach ($assembly in $assemblies) {
            $assembly.GetExportedTypes().Namespace | Select-Object -Unique | Should -Match '^Checkpoint(\.|$)'
        }
    }

    It 'writes nothing to the console' {
        # The tool has standard streams, in one file.
        Get-ChildItem "$RepositoryRoot/src" -Recurse -Filter *.cs | Where-Object FullName -NotMatch 'Checkpoint\.Cli.Terminal\.cs$' | Select-String '\bConsole\.(?!IsOutputRedirected\b)' | Should -BeNullOrEmpty
    }
}

Describe 'The pages' -Tag AnyStore {
    It 'show PowerShell that parses, in <Name>' -ForEach $pages {
        foreach ($block in Get-CodeBlock $Path) {
            $errors = $null
            $null = [Management.Automation.Language.Parser]::ParseInput($block, [ref] $null, [ref] $errors)
            $errors | ForEach-Object { "$_ in: $block" } | Should -BeNullOrEmpty
        }
    }

    It 'link to files that are there, in <Name>' -ForEach $pages {
        $text = (Get-Content -LiteralPath $Path -Raw) -replace '(?ms)^```.*?^```'
        [regex]::Matches($text, '\]\((?!\w+:|#)([^)#\s]+)[^)]*\)') | ForEach-Object { $_.Groups[1].Value } |
            Where-Object { -not (Test-Path (Join-Path (Split-Path $Path) $_)) } | Should -BeNullOrEmpty
    }

    It 'have no blanks left to fill, in <Name>' -ForEach $pages {
        Get-Content -LiteralPath $Path | Select-String -SimpleMatch '{{ Fill', '{{ Add', '{{Insert' | Should -BeNullOrEmpty
    }

    It 'are one per cmdlet' {
        (Get-ChildItem "$RepositoryRoot/docs/en-US" -Filter *-*.md).BaseName | Sort-Object | Should -Be ($manifest.CmdletsToExport | Sort-Object)
    }
}

Describe 'The README' -Tag AnyStore {
    It 'begins with an example of five lines' {
        @(Get-CodeBlock "$RepositoryRoot/README.md")[0].Trim() -split '\n' | Should -HaveCount 5
    }

    It 'shows code that runs, and that does its work once' {
        $place = New-TestStore
        $script = (Get-CodeBlock "$RepositoryRoot/README.md") -join "`n"
        $first = Invoke-Pwsh $script -WorkingDirectory $place
        $first.ErrorOutput | Should -BeNullOrEmpty
        $first.ExitCode | Should -Be 0

        $saved = (Get-Item "$place/hashes.csv").LastWriteTimeUtc
        (Invoke-Pwsh $script -WorkingDirectory $place).ExitCode | Should -Be 0
        (Get-Item "$place/hashes.csv").LastWriteTimeUtc | Should -Be $saved
    }

    It 'names in its first screen the commands that CI runs' {
        $commands = @(Get-CodeBlock "$RepositoryRoot/README.md" sh)[0, 1].Trim()
        $commands | Should -Be 'pwsh ./build.ps1 -Task Demo', 'pwsh ./build.ps1 -Task Test'
        $workflow = Get-Content "$RepositoryRoot/.github/workflows/ci.yml"
        foreach ($command in $commands) {
            @($workflow | Where-Object { $_.Trim() -eq "run: $command" }) | Should -HaveCount 1
        }
    }
}

Describe 'The checkout' -Tag AnyStore {
    It 'has only what belongs at its top level' {
        $belongs = 'src', 'tests', 'docs', 'build.ps1', 'Checkpoint.psd1', 'Checkpoint.sln', 'README.md', 'SECURITY.md'
        $made = 'bin', 'en-US', 'out'
        (Get-ChildItem $RepositoryRoot -Name | Where-Object { $_ -notlike '.*' -and $_ -notin $made }) | Sort-Object | Should -Be ($belongs | Sort-Object)
    }

    It 'has nothing that a build made below src or tests' {
        Get-ChildItem "$RepositoryRoot/src", "$RepositoryRoot/tests" -Recurse -Directory | Where-Object Name -In 'bin', 'obj' | Should -BeNullOrEmpty
    }

    It 'has a .ci/run that can be run' {
        if ($IsWindows) {
            "$(git -C $RepositoryRoot ls-files --stage .ci/run)" | Should -Match '^100755 '
        }
        else {
            (Get-Item "$RepositoryRoot/.ci/run").UnixFileMode.HasFlag([IO.UnixFileMode]::UserExecute) | Should -BeTrue
        }
    }

    It 'says what every task does' {
        $told = & "$RepositoryRoot/build.ps1" -Task '?'
        ($told -split '\s+', 2)[0] | Should -Be 'Build'
        $told | Should -HaveCount 7
        $told | Should -Match '^\w+ +\S.*\.$'
    }

    It 'refuses a task that there is not' {
        { & "$RepositoryRoot/build.ps1" -Task Built } | Should -Throw 'No such task: Built.*'
    }
}

Describe 'The figures of the campaigns' -Tag AnyStore {
    BeforeEach {
        $page = "$(New-TestFolder)/page.md"
        Set-Content $page "before`n<!-- figures -->`nold`n<!-- end of figures -->`nafter"
    }

    It 'are written between the markers of the page, one row a campaign' {
        $lines = 'campaign Kill: 3 tries, seed 1, 1 findings', 'campaign Load: 1200 tries, seed -7, 0 findings, 5 saves, 6 reads', 'campaign Kill: 1000 tries, seed 42, 0 findings, 17 cut off'
        & "$RepositoryRoot/docs/Update-Reliability.ps1" -Path $page -Line $lines
        $text = Get-Content $page
        $text[0, 1, -2, -1] | Should -Be 'before', '<!-- figures -->', '<!-- end of figures -->', 'after'
        $text[2] | Should -Match "^Measured on \d{4}-\d\d-\d\d, .+, $([Environment]::ProcessorCount) cores, "
        $text -match '^\|' | Select-Object -Skip 2 | Should -Be '| Kill | 1,000 | 42 | 0 | 17 cut off |', '| Load | 1,200 | -7 | 0 | 5 saves, 6 reads |'
    }

    It 'are never written from what is no line of a campaign' {
        { & "$RepositoryRoot/docs/Update-Reliability.ps1" -Path $page -Line 'campaign Kill: seed 3' } | Should -Throw 'No line of a campaign: *'
        Get-Content $page | Should -Contain 'old'
    }

    It 'have a page with their markers' {
        $copy = (Copy-Item "$RepositoryRoot/docs/reliability.md" $page -PassThru -Force).FullName
        & "$RepositoryRoot/docs/Update-Reliability.ps1" -Path $copy -Line 'campaign Kill: 3 tries, seed 1, 0 findings'
        Get-Content $copy | Should -Contain '| Kill | 3 | 1 | 0 |  |'
    }
}

Describe '.ci/run' -Tag AnyStore -Skip:$IsWindows {
    BeforeEach {
        # A machine with an SDK that can be had nothing for: a stand-in for dotnet, and what the script itself calls.
        $machine = New-TestStore
        $null = New-Item -ItemType Directory "$machine/.ci", "$machine/path"
        Copy-Item "$RepositoryRoot/.ci/run" "$machine/.ci"
        foreach ($program in 'bash', 'cat', 'dirname', 'grep', 'id', 'mkdir', 'rm', 'sed', 'tail', 'tee') {
            $null = New-Item -ItemType SymbolicLink "$machine/path/$program" -Target (Get-Command $program -CommandType Application)[0].Source
        }

        function Install-StandIn([string] $Result, [int] $ExitCode) {
            Set-Content "$machine/path/dotnet" @"
#!$machine/path/bash
[[ `$1 == test ]] || { echo 'no such package'; exit 1; }
mkdir -p out/results
[[ `$2 == *Core* ]] || exit 0
cat >out/results/xunit-Core.trx <<'TRX'
<Results>$Result</Results>
TRX
exit $ExitCode
"@
            chmod +x "$machine/path/dotnet"
        }

        function Invoke-Run {
            $output = env "PATH=$machine/path" bash "$machine/.ci/run" 2>&1 | ForEach-Object { "$_" }
            @{ ExitCode = $LASTEXITCODE; Text = $output -join "`n"; Last = @($output)[-1] }
        }

        $passed = '<UnitTestResult testName="A.b" outcome="Passed" />'
        $failed = '<UnitTestResult testName="A.c" outcome="Failed" />'
        $skipped = '<UnitTestResult testName="A.d" outcome="NotExecuted" />'
    }

    It 'runs the xunit tests alone without a PowerShell, those of the command line too, and says so' {
        Install-StandIn "$passed$passed$skipped" 0
        $run = Invoke-Run
        $run.Last | Should -Be '2 passed, 0 failed, 1 skipped'
        $run.Text | Should -BeLike '*THE PESTER TESTS DID NOT RUN*no such package*Skipped: A.d*'
        $run.ExitCode | Should -Be 0
    }

    It 'ends with the counts and the exit code of the whole test run, also where it broke off: <Says>' -ForEach @(
        @{ Says = '7 passed, 0 failed, 1 skipped'; Code = 0; Last = '7 passed, 0 failed, 1 skipped'; ExitCode = 0 }
        @{ Says = '7 passed, 2 failed, 0 skipped'; Code = 1; Last = '7 passed, 2 failed, 0 skipped'; ExitCode = 1 }
        @{ Says = 'error CS1002: ; expected'; Code = 3; Last = '0 passed, 1 failed, 0 skipped'; ExitCode = 3 }
        @{ Says = ''; Code = 0; Last = '0 passed, 1 failed, 0 skipped'; ExitCode = 1 }
    ) {
        Set-Content "$machine/path/pwsh" "#!$machine/path/bash`necho 'the build'`necho '$Says' >&2`nexit $Code"
        chmod +x "$machine/path/pwsh"
        $run = Invoke-Run
        $run.Text | Should -BeLike "the build*$Says*"
        $run.Last | Should -Be $Last
        $run.ExitCode | Should -Be $ExitCode
    }

    It 'fails when a test fails' {
        Install-StandIn "$passed$failed" 1
        $run = Invoke-Run
        $run.Last | Should -Be '1 passed, 1 failed, 0 skipped'
        $run.ExitCode | Should -Be 1
    }

    It 'fails when the tests broke off' {
        Install-StandIn $passed 134
        $run = Invoke-Run
        $run.Last | Should -Be '1 passed, 1 failed, 0 skipped'
        $run.ExitCode | Should -Be 1
    }

    It 'fails when no test ran' {
        Install-StandIn '' 0
        $run = Invoke-Run
        $run.Last | Should -Be '0 passed, 1 failed, 0 skipped'
        $run.ExitCode | Should -Be 1
    }

    It 'says what is missing where there is no SDK either' {
        $run = Invoke-Run
        $run.Text | Should -BeLike '*Install the .NET 10 SDK; NOTHING WAS TESTED.*'
        $run.ExitCode | Should -Be 1
    }
}
