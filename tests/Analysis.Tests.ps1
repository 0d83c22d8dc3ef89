BeforeDiscovery {
    $root = [IO.Path]::GetFullPath("$PSScriptRoot/..")
    $script = Get-Item "$root/build.ps1", "$root/Checkpoint.psd1"
    $folders = 'tests', 'docs', '.github' | ForEach-Object { Join-Path $root $_ }
    $script = @($script) + @(Get-ChildItem $folders -Recurse -File -Include *.ps1, *.psd1, *.psm1) |
        ForEach-Object { @{ Name = [IO.Path]::GetRelativePath($root, $_) -replace '\\', '/'; Path = $_.FullName } }
}

BeforeAll {
    Import-Module PSScriptAnalyzer -MinimumVersion 1.22 -MaximumVersion 1.999
    $settings = (Resolve-Path "$PSScriptRoot/../.config/PSScriptAnalyzerSettings.psd1").ProviderPath

    # Its rules race each other for the parameters of a command, and now and then one throws (PSScriptAnalyzer#1708).
    # The next attempt finds them in its cache.
    function Get-Finding([string] $File) {
        foreach ($attempt in 1..3) {
            try {
                return Invoke-ScriptAnalyzer -Path $File -Settings $settings -ErrorAction Stop
            }
            catch [NullReferenceException] {
                if ($attempt -eq 3) {
                    throw
                }
            }
        }
    }
}

Describe 'PSScriptAnalyzer' -Tag AnyStore {
    It 'finds nothing in <Name>' -ForEach $script {
        Get-Finding $Path | ForEach-Object { "line $($_.Line): $($_.RuleName): $($_.Message)" } | Should -BeNullOrEmpty
    }

    It 'would find something' {
        Invoke-ScriptAnalyzer -ScriptDefinition 'gci | % { $_ }' -Settings $settings | Should -Not -BeNullOrEmpty
    }
}

Describe 'Text' -Tag AnyStore {
    # $($i++) is a statement, which counts and puts nothing in; $(($i++)) is a value.
    It 'holds no count that leaves it empty, in <Name>' -ForEach $script {
        $tree = [Management.Automation.Language.Parser]::ParseFile($Path, [ref] $null, [ref] $null)
        $isSilent = {
            param($node)
            $node -is [Management.Automation.Language.SubExpressionAst] -and $node.SubExpression.Statements.Count -eq 1 -and
            $node.SubExpression.Statements[0].PipelineElements.Expression -is [Management.Automation.Language.UnaryExpressionAst] -and
            $node.SubExpression.Statements[0].PipelineElements.Expression.TokenKind -match 'PlusPlus|MinusMinus'
        }
        $tree.FindAll($isSilent, $true) | ForEach-Object { "line $($_.Extent.StartLineNumber): $_" } | Should -BeNullOrEmpty
    }
}
