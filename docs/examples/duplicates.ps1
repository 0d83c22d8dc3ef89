#Requires -Version 7.4
<#
.SYNOPSIS
Finds the duplicate files of a folder in five stages, and resumes where it failed.

.DESCRIPTION
The stages list the files, hash them, group them, write a CSV and a report. The report goes to a folder that must be there:
where it is missing, the run fails at its last stages. Make the folder and start the script again: nothing is hashed twice.

.PARAMETER Path
The folder to look at.

.PARAMETER ReportFolder
Where the report goes.

.PARAMETER Store
Where the checkpoints are kept.

.EXAMPLE
./duplicates.ps1 -Path $PSHOME -ReportFolder ./reports -Store ./.checkpoints
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Path,
    [Parameter(Mandatory)] [string] $ReportFolder,
    [string] $Store = '.checkpoints'
)

$ErrorActionPreference = 'Stop'

# An installed module loads by itself; in a checkout it is the one that was built there.
if (-not (Get-Command Invoke-CheckpointPipeline -ErrorAction Ignore)) {
    Import-Module "$PSScriptRoot/../../Checkpoint.psd1"
}
$config = @{ Path = (Resolve-Path -LiteralPath $Path).ProviderPath; Report = $ReportFolder }

Invoke-CheckpointPipeline duplicates -Store $Store -Config $config {
    stage list {
        Get-ChildItem -LiteralPath $_.Config.Path -File -Recurse | Where-Object Length -GT 0 | Select-Object FullName, Length
    }

    # Only files of the same length can be the same.
    stage candidates -DependsOn list {
        $_.Output['list'] | Group-Object Length | Where-Object Count -GT 1 | ForEach-Object Group
    }

    stage hash -DependsOn candidates -Retry 2 -RetryDelay 1s -RetryOn IOException {
        $files = @($_.Output['candidates'] | Where-Object { $_ })
        for ($i = 0; $i -lt $files.Count; $i++) {
            $_.Progress(100 * $i / $files.Count, $files[$i].FullName)
            $files[$i] | Select-Object FullName, Length, @{ Name = 'Hash'; Expression = { (Get-FileHash -LiteralPath $_.FullName).Hash } }
        }
    }

    stage group -DependsOn hash {
        $_.Output['hash'] | Group-Object Hash | Where-Object Count -GT 1 | ForEach-Object {
            [pscustomobject]@{ Hash = $_.Name; Copies = $_.Count; Wasted = ($_.Count - 1) * $_.Group[0].Length; Files = $_.Group.FullName -join '; ' }
        }
    }

    stage report -DependsOn group {
        $file = Join-Path $_.Config.Report 'duplicates.csv'
        $_.Output['group'] | Sort-Object Wasted -Descending | Export-Csv -LiteralPath $file
        $file
    }
}
