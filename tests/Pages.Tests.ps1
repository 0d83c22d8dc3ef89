BeforeDiscovery {
    $root = [IO.Path]::GetFullPath("$PSScriptRoot/..")
    $pages = @(Get-ChildItem "$root/docs/en-US" -Filter about_*.md) + @('getting-started', 'coming-from' | ForEach-Object { Get-Item "$root/docs/$_.md" }) |
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
