<#
.SYNOPSIS
What every campaign needs: its seed, its size and its line. docs/reliability.md says what campaigns are.

.DESCRIPTION
Dot-source it behind Common.ps1. Start-Campaign comes first, Complete-Campaign last.
#>

function Start-Campaign {
    <#
    .SYNOPSIS
    Begins a campaign and emits it: Name, Seed, Random (from that seed), IsLong, and what it counts: Tries, Findings.

    .DESCRIPTION
    The seed is $env:CHECKPOINT_SEED, or drawn. $env:CHECKPOINT_CAMPAIGN = 'long' asks for the long form.
    #>
    param([Parameter(Mandatory, Position = 0)] [string] $Name)

    $seed = $env:CHECKPOINT_SEED ? [int] $env:CHECKPOINT_SEED : (Get-Random)
    # Told at once, so that it is known also where the campaign breaks off.
    Write-Information "campaign ${Name}: seed $seed" -InformationAction Continue
    [pscustomobject]@{
        Name = $Name
        Seed = $seed
        Random = [random]::new($seed)
        IsLong = $env:CHECKPOINT_CAMPAIGN -eq 'long'
        Tries = 0
        Findings = [Collections.Generic.List[string]]::new()
    }
}

function Complete-Campaign {
    <#
    .SYNOPSIS
    Prints the one line of a campaign, and fails where it has findings.

    .PARAMETER More
    What else was counted, in words.
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [object] $Campaign,
        [Parameter(Position = 1)] [string] $More
    )

    $line = 'campaign {0}: {1} tries, seed {2}, {3} findings' -f $Campaign.Name, $Campaign.Tries, $Campaign.Seed, $Campaign.Findings.Count
    Write-Information ($More ? "$line, $More" : $line) -InformationAction Continue
    $Campaign.Tries | Should -BeGreaterThan 0
    $Campaign.Findings | Select-Object -First 20 | Should -BeNullOrEmpty -Because "seed $($Campaign.Seed)"
}
