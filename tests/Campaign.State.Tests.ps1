# Every type that comes back exactly, in any nesting, made and shrunk by FsCheck: saved and restored by the cmdlets, compared by type and value.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Campaign.ps1

    $out = Join-Path $TestDrive 'campaigns'
    $told = dotnet build "$PSScriptRoot/Checkpoint.Campaigns" --configuration Release --output $out --verbosity quiet 2>&1
    if ($LASTEXITCODE -ne 0) {
        throw "The generators cannot be built: $told"
    }
    # Out of the folder that goes with the test: Windows keeps a loaded file.
    $loaded = Join-Path ([IO.Path]::GetTempPath()) "checkpoint-campaigns-$PID"
    Copy-Item $out $loaded -Recurse
    Add-Type -Path "$loaded/FSharp.Core.dll", "$loaded/FsCheck.dll", "$loaded/Checkpoint.Campaigns.dll"
}

Describe 'Every state' -Tag Campaign {
    It 'comes back with the same type and value: <Name>' -ForEach @(
        @{ Name = 'State'; Key = $null }
        @{ Name = 'State with a key and secrets'; Key = [byte[]] (1..32) }
    ) {
        $campaign = Start-Campaign $Name
        $at = @{ Store = New-TestStore; Key = $Key }
        $count = @{ Tries = 0 }
        $copy = {
            param($State)
            $count.Tries++
            Save-Checkpoint state -State $State -Step 1 -Overwrite @at -InformationAction Ignore
            Restore-Checkpoint state @at
        }
        $fault = [Checkpoint.Campaigns.StateCampaign]::FindFault($copy, ($campaign.IsLong ? 10000 : 500), [bool] $Key, $campaign.Seed)
        $campaign.Tries = $count.Tries
        if ($fault) {
            $campaign.Findings.Add($fault)
        }
        Complete-Campaign $campaign 'by FsCheck'
    }

    It 'is told from one that differs' -ForEach @(
        @{ State = 1; Other = [long] 1 }
        @{ State = 0.0; Other = -0.0 }
        @{ State = @(1, 2); Other = @(2, 1) }
        @{ State = 'a'; Other = 'A' }
        @{ State = [datetime]::new(1, 'Utc'); Other = [datetime]::new(1, 'Local') }
        @{ State = 1.0d; Other = 1.00d }
        @{ State = [ordered]@{ a = 1; b = 2 }; Other = [ordered]@{ b = 2; a = 1 } }
        @{ State = [pscustomobject]@{ a = 1; b = 2 }; Other = [pscustomobject]@{ b = 2; a = 1 } }
        @{ State = @{ a = 1 }; Other = [Activator]::CreateInstance([hashtable], @{ a = 1 }, [StringComparer]::Ordinal) }
        @{ State = , $null; Other = @() }
        @{ State = [Net.NetworkCredential]::new('', 'a').SecurePassword; Other = [Net.NetworkCredential]::new('', 'b').SecurePassword }
        @{ State = [pscredential]::new('u', ([Net.NetworkCredential]::new('', 'a').SecurePassword)); Other = [pscredential]::new('u', ([Net.NetworkCredential]::new('', 'b').SecurePassword)) }
    ) {
        [Checkpoint.Campaigns.StateCampaign]::Difference($State, $Other) | Should -Not -BeNullOrEmpty
        [Checkpoint.Campaigns.StateCampaign]::Difference($State, $State) | Should -BeNullOrEmpty
    }
}
