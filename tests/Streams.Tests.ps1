# What is said where: results on output, paths and timings on the verbose stream, long work with a progress bar.

BeforeAll {
    . $PSScriptRoot/Common.ps1

    function Invoke-Shell([string] $Script) {
        # In-process, so that the streams can be looked at one by one.
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript("Import-Module '$ModulePath'; Set-CheckpointContext -Store '$store' -Pipeline default -Run ''; $Script").Invoke()
            $shell.Streams.Error | Should -BeNullOrEmpty
            @{ Progress = @($shell.Streams.Progress); Verbose = @($shell.Streams.Verbose.Message) }
        }
        finally {
            $shell.Dispose()
        }
    }
}

Describe 'Streams' {
    BeforeEach {
        $store = New-TestStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
    }

    It 'say on the verbose stream what was decided, where, and how long it took: <_>' -ForEach @(
        'Test-Checkpoint ingest', 'Get-Checkpoint ingest', 'Get-Checkpoint', 'Clear-Checkpoint ingest', 'Restore-Checkpoint ingest', 'Save-Checkpoint ingest'
    ) {
        Save-Checkpoint ingest -State 1 @at
        $said = (Invoke-Shell "$_ -Verbose").Verbose
        $said -join "`n" | Should -BeLike "*$store*"
        $said -join "`n" | Should -Match '\d\.\d ms'
        (Invoke-Shell "`$VerbosePreference = 'Continue'; $_").Verbose -join "`n" | Should -Match '\d\.\d ms'
    }

    It 'say nothing there to somebody who did not ask' {
        Save-Checkpoint ingest @at
        (Invoke-Shell 'Test-Checkpoint ingest; Get-Checkpoint; Get-CheckpointFingerprint 1; Clear-Checkpoint').Verbose | Should -BeNullOrEmpty
    }

    It 'name the decision and its reason' {
        Save-Checkpoint ingest @at
        (Invoke-Shell 'Test-Checkpoint ingest -Verbose').Verbose | Should -BeLike "Checkpoint 'ingest'*: Skip, it completed at *"
        (Invoke-Shell 'Test-Checkpoint other -Verbose').Verbose | Should -BeLike "Checkpoint 'other'*: Run, there is no checkpoint.*"
    }

    It 'tell how long a fingerprint took' {
        (Invoke-Shell 'Get-CheckpointFingerprint a b -Verbose').Verbose | Should -BeLike 'Fingerprint of 2 objects and 0 files.* ms.'
    }

    It 'show how much of large files was read: <Name>' -ForEach @(
        @{ Name = 'for a fingerprint'; Script = 'Get-CheckpointFingerprint -Path $file' }
        @{ Name = 'for a fingerprint of file objects'; Script = 'Get-CheckpointFingerprint @{ file = Get-Item $file }' }
        @{ Name = 'for a declared output'; Script = 'Save-Checkpoint other -OutputFile $file' }
        @{ Name = 'for an output that was touched'; Script = '(Get-Item $file).LastWriteTime = Get-Date; Test-Checkpoint made' }
    ) {
        $file = "$env:TEST_PLACE/large.bin"
        [IO.File]::WriteAllBytes($file, [byte[]]::new(40MB))
        (Get-Item $file).LastWriteTime = '2026-01-01'
        Save-Checkpoint made -OutputFile $file @at
        $progress = (Invoke-Shell "`$file = '$file'; $Script").Progress
        $progress.Count | Should -BeGreaterOrEqual 2
        $progress[0].Activity | Should -Be 'Reading files'
        $progress[0].StatusDescription | Should -BeLike '* MiB'
        $progress[-1].RecordType | Should -Be 'Completed'
    }

    It 'show no progress of small work' {
        Set-Content "$env:TEST_PLACE/small.txt" 'x'
        (Invoke-Shell "Save-Checkpoint a -OutputFile '$env:TEST_PLACE/small.txt'; Get-Checkpoint; Get-CheckpointFingerprint -Path '$env:TEST_PLACE/small.txt'; Clear-Checkpoint").Progress | Should -BeNullOrEmpty
    }

    It 'show how far a listing that takes long has come' {
        1..20 | ForEach-Object { Save-Checkpoint "s$_" @at }
        # Who reads along takes his time with the first, so that it becomes long work.
        $seen = Invoke-Shell "Get-Checkpoint | ForEach-Object { if (`$_.Name -eq 's1') { [Threading.Thread]::Sleep(1100) } }"
        $seen.Progress[0].Activity | Should -Be 'Reading checkpoints'
        $seen.Progress[-1].RecordType | Should -Be 'Completed'
    }
}
