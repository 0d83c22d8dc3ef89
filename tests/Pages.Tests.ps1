BeforeDiscovery {
    $root = [IO.Path]::GetFullPath("$PSScriptRoot/..")
    # What about_Checkpoint_CI shows is written to the host, which a shell in a test does not have: CI.Tests.ps1 plays the job for it.
    $pages = @(Get-ChildItem "$root/docs/en-US" -Filter about_*.md | Where-Object BaseName -NE 'about_Checkpoint_CI') + @('getting-started', 'coming-from' | ForEach-Object { Get-Item "$root/docs/$_.md" }) |
        ForEach-Object { @{ Name = [IO.Path]::GetRelativePath($root, $_) -replace '\\', '/'; Path = $_.FullName } }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Pages.ps1
}

Describe 'The page <Name>' -Tag AnyStore -ForEach $pages {
    BeforeAll { $blocks = @(Invoke-Page $Path) }

    It 'has examples that run from the first to the last as they stand, with no error but those it shows' {
        $blocks | Should -Not -BeNullOrEmpty
        foreach ($block in $blocks) {
            $block.Failure | Should -BeNullOrEmpty -Because $block.Code
            if ($null -eq $block.Shown) {
                $block.Errors | Should -BeNullOrEmpty -Because $block.Code
            }
        }
    }

    It 'shows what they give' {
        foreach ($block in $blocks | Where-Object { $null -ne $_.Shown }) {
            Get-Essence $block.Output $block.Folder | Should -BeExactly (Get-Essence $block.Shown) -Because $block.Code
        }
    }
}

Describe 'Getting started' -Tag AnyStore {
    BeforeAll {
        $install = @(Get-PageBlock (Get-Content "$RepositoryRoot/docs/getting-started.md" -Raw) | Where-Object Language -EQ sh)[0].Text
    }

    It 'installs as the README does' {
        (Get-PageBlock (Get-Content "$RepositoryRoot/README.md" -Raw)).Text | Should -Contain $install
    }

    # On Windows modules go to the documents of the user, wherever the variables say that home is.
    It 'installs a module that PowerShell finds by itself, with its help' -Skip:$IsWindows {
        $place = New-TestFolder
        $checkout, $path, $own = 'checkout', 'path', 'home' | ForEach-Object { (New-Item -ItemType Directory "$place/$_").FullName }
        Get-ChildItem $RepositoryRoot -Force | Where-Object Name -NotIn '.git', 'bin', 'en-US', 'out' | Copy-Item -Destination $checkout -Recurse
        $words = @(Get-PwshCommand) | ForEach-Object { "'$_'" }
        Set-Content "$path/pwsh" "#!/bin/sh`nexec $words `"`$@`""
        chmod +x "$path/pwsh"

        $pack, $register = $install.Trim() -split '\n'
        $run = { param($Folder, $Line) Set-Location $Folder; sh -c $Line 2>&1 | ForEach-Object { "$_" }; exit $LASTEXITCODE }
        $environment = @{ PATH = "${path}:$env:PATH" }
        $packed = Invoke-Pwsh $run $checkout, $pack -Environment $environment -NoModule -TimeoutSeconds 900
        $packed.ExitCode | Should -Be 0 -Because ($packed.Output -join "`n")

        $environment += @{ HOME = $own; XDG_DATA_HOME = $null; XDG_CONFIG_HOME = $null; XDG_CACHE_HOME = $null }
        $registered = Invoke-Pwsh $run $checkout, $register -Environment $environment -NoModule
        $registered.ExitCode | Should -Be 0 -Because ($registered.Output -join "`n")

        $found = Invoke-Pwsh { (Get-Command Save-Checkpoint).Module.ModuleBase; (Get-Help about_Checkpoint_State).Synopsis; (Get-Help Save-Checkpoint).Synopsis } -Environment $environment -NoModule
        $found.Output[0] | Should -BeLike "$own/*"
        $found.Output[1..2] | Should -Be (Get-Help about_Checkpoint_State).Synopsis, (Get-Help Save-Checkpoint).Synopsis
    }
}
