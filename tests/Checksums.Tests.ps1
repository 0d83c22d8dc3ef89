BeforeAll {
    . $PSScriptRoot/Common.ps1

    $script = "$RepositoryRoot/docs/examples/checksums.ps1"

    function Start-Checksum([string] $Folder) {
        Start-Pwsh { param($Script, $Folder, $Path) $null = & $Script -Path $Path -OutputFile "$Folder/sums" -Store "$Folder/store" -InformationAction Continue } $script, $Folder, $PSHOME
    }

    function Get-Done([string] $Folder) {
        @(Get-Content "$Folder/store/checksums/stages/hash/items.jsonl" -ErrorAction Ignore | Where-Object { $_ -match '"status":"done"' })
    }
}

Describe 'The example checksums.ps1, over the files of PowerShell itself' -Tag Files {
    It 'killed and started again, hashes no file twice that was in the journal, and writes what an uninterrupted run writes' {
        $killed = New-TestStore
        $child = Start-Checksum $killed
        Wait-Until { $child.Process.HasExited -or (Get-Done $killed).Count -ge 20 }
        $null = Stop-Pwsh $child
        $before = (Get-Done $killed).Count
        $before | Should -BeGreaterOrEqual 20
        Test-Path "$killed/sums" | Should -BeFalse -Because 'it was killed in the middle'

        $files = @(Get-ChildItem $PSHOME -Recurse -File)
        $resumed = Wait-Pwsh (Start-Checksum $killed)
        $resumed.ErrorOutput | Should -BeNullOrEmpty
        "$($resumed.Output)" | Should -BeLike "*Items of stage hash: $($files.Count - $before) done, $before done before, 0 failed, 0 doubled*"

        $whole = New-TestStore
        $plain = Wait-Pwsh (Start-Checksum $whole)
        $plain.ErrorOutput | Should -BeNullOrEmpty
        (Get-FileHash "$killed/sums").Hash | Should -Be (Get-FileHash "$whole/sums").Hash

        $lines = [IO.File]::ReadAllLines("$killed/sums")
        $lines | Should -HaveCount $files.Count
        $hash, $name = $lines[7] -split '  ', 2
        (Get-FileHash -LiteralPath "$PSHOME/$name").Hash | Should -Be $hash
        "$((Wait-Pwsh (Start-Checksum $killed)).Output)" | Should -Match "Items of stage hash: 0 done, $($files.Count) done before"
    }
}
