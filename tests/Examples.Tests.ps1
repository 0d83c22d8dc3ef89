BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'docs/examples/duplicates.ps1' -Tag AnyStore {
    BeforeAll {
        $script = {
            param($Example, $Folder, $Reports, $Store)
            & $Example -Path $Folder -ReportFolder $Reports -Store $Store | ForEach-Object { $_.Status; $_.Stages | ForEach-Object { "$_" } }
        }
        $example = "$RepositoryRoot/docs/examples/duplicates.ps1"
    }

    It 'fails over the modules of PowerShell and a backup of some, is repaired, and resumes with what is left' {
        $place = New-TestStore
        Copy-Item "$PSHOME/Modules" "$place/files/modules" -Recurse
        Copy-Item "$PSHOME/Modules/Microsoft.PowerShell.*" (New-Item -ItemType Directory "$place/files/backup") -Recurse
        $arguments = $example, "$place/files", "$place/reports", "$place/store"
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
        $real = Get-ChildItem "$place/files" -File -Recurse | Where-Object Length -GT 0 | Get-FileHash | Group-Object Hash | Where-Object Count -GT 1
        $real | Should -Not -BeNullOrEmpty
        ($found.Hash | Sort-Object) | Should -Be ($real.Name | Sort-Object)
    }

    It 'brings the module of its checkout where none is loaded' {
        $place = New-TestStore
        $folder, $reports = "$place/files", "$place/reports" | ForEach-Object { New-Item -ItemType Directory $_ }
        $result = Invoke-Pwsh $script ($example, $folder, $reports, "$place/store") -NoModule
        $result.ErrorOutput | Should -BeNullOrEmpty
        $result.Output[0] | Should -Be 'Completed'
    }

    It 'finds nothing, and says so, in a folder where no two files are the same, and whatever their names are' {
        $place = New-TestStore
        $folder, $reports = "$place/files", "$place/reports" | ForEach-Object { New-Item -ItemType Directory $_ }
        $arguments = $example, $folder, $reports
        $strict = [scriptblock]::Create("$script".Replace('& $Example', 'Set-StrictMode -Version Latest; & $Example'))
        foreach ($store in 'empty', 'different') {
            $result = Invoke-Pwsh $strict ($arguments + "$place/$store")
            $result.ErrorOutput | Should -BeNullOrEmpty
            $result.Output[0] | Should -Be 'Completed'
            Import-Csv "$reports/duplicates.csv" | Should -BeNullOrEmpty
            Set-Content -LiteralPath "$folder/[a] `$b.txt" 'one'
            Set-Content -LiteralPath "$folder/c" 'others'
        }
        Set-Content -LiteralPath "$folder/d" 'one'
        (Invoke-Pwsh $strict ($arguments + "$place/same")).ErrorOutput | Should -BeNullOrEmpty
        (Import-Csv "$reports/duplicates.csv").Files | Should -BeLike '*; *'
    }
}
