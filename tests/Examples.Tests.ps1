BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'docs/examples/duplicates.ps1' {
    BeforeAll {
        $script = {
            param($Example, $Folder, $Reports, $Store)
            & $Example -Path $Folder -ReportFolder $Reports -Store $Store | ForEach-Object { $_.Status; $_.Stages | ForEach-Object { "$_" } }
        }
        $example = "$RepositoryRoot/docs/examples/duplicates.ps1"
    }

    It 'fails over the files of PowerShell itself, is repaired, and resumes with what is left' {
        $place = New-TestStore
        $arguments = $example, "$PSHOME/Modules", "$place/reports", "$place/store"
        $first = Invoke-Pwsh $script $arguments
        $first.ExitCode | Should -Be 1
        $first.ErrorOutput | Should -Match "Stage 'report' of pipeline"
        $run = Get-CheckpointRun -Store "$place/store" -Pipeline duplicates
        $run.Status | Should -Be 'Failed'
        $run.Stages | ForEach-Object { "$_" } | Should -Be 'list: Completed', 'candidates: Completed', 'hash: Completed', 'group: Completed', 'report: Failed'

        $null = New-Item -ItemType Directory "$place/reports"
        $second = Invoke-Pwsh $script $arguments
        $second.ErrorOutput | Should -BeNullOrEmpty
        $second.Output | Should -Be 'Completed', 'list: Skipped', 'candidates: Skipped', 'hash: Skipped', 'group: Skipped', 'report: Completed'
        (Get-CheckpointRun -Store "$place/store" -Pipeline duplicates).Attempts | Should -Be 2

        # What it says is so.
        $found = Import-Csv "$place/reports/duplicates.csv"
        $real = Get-ChildItem "$PSHOME/Modules" -File -Recurse | Where-Object Length -GT 0 | Get-FileHash | Group-Object Hash | Where-Object Count -GT 1
        ($found.Hash | Sort-Object) | Should -Be ($real.Name | Sort-Object)
    }
}
