@{
    IncludeDefaultRules = $true
    Severity = @('Error', 'Warning')
    ExcludeRules = @(
        # Test helpers and build tasks are not commands of a module; nobody asks them -WhatIf.
        'PSUseShouldProcessForStateChangingFunctions'
        # Pester's blocks share variables in a way the rule cannot follow: BeforeAll assigns, It reads.
        'PSUseDeclaredVarsMoreThanAssignments'
        # It does not follow a script's parameter into the functions and blocks of the script.
        'PSReviewUnusedParameter'
        # Windows PowerShell would need the mark; PowerShell 7 reads UTF-8 without.
        'PSUseBOMForUnicodeEncodedFile'
    )
    Rules = @{
        PSUseCompatibleSyntax = @{
            Enable = $true
            TargetVersions = @('7.4')
        }
        PSAvoidSemicolonsAsLineTerminators = @{ Enable = $true }
        PSPlaceOpenBrace = @{
            Enable = $true
            OnSameLine = $true
            NewLineAfter = $true
            IgnoreOneLineBlock = $true
        }
        PSUseConsistentIndentation = @{
            Enable = $true
            Kind = 'space'
            IndentationSize = 4
            PipelineIndentation = 'IncreaseIndentationForFirstPipeline'
        }
    }
}
