@{
    RootModule = 'bin/Checkpoint.dll'
    ModuleVersion = '0.1.0'
    CompatiblePSEditions = @('Core')
    PowerShellVersion = '7.4'
    GUID = '43557958-0f36-41d2-b0d1-adbc1abb6b0b'
    Author = 'Checkpoint contributors'
    CompanyName = 'Checkpoint contributors'
    Copyright = 'Copyright (c) Checkpoint contributors'
    Description = 'Makes any script restartable. Marks stages complete, saves and restores their state exactly, and resumes a failed script where it stopped, at a terminal or in a CI job.'
    FormatsToProcess = @('bin/Checkpoint.Format.ps1xml')
    CmdletsToExport = @(
        'Clear-Checkpoint'
        'Copy-Checkpoint'
        'Export-CheckpointReport'
        'Get-Checkpoint'
        'Get-CheckpointContext'
        'Get-CheckpointFingerprint'
        'Get-CheckpointHistory'
        'Get-CheckpointRun'
        'Invoke-CheckpointItem'
        'Invoke-CheckpointPipeline'
        'Invoke-CheckpointStage'
        'Lock-Checkpoint'
        'New-CheckpointCircuitBreaker'
        'New-CheckpointHook'
        'New-CheckpointIterator'
        'New-CheckpointStage'
        'Repair-CheckpointStore'
        'Restore-Checkpoint'
        'Save-Checkpoint'
        'Set-CheckpointContext'
        'Show-CheckpointDashboard'
        'Test-Checkpoint'
        'Test-CheckpointStore'
        'Unlock-Checkpoint'
        'Update-CheckpointKey'
        'Wait-Checkpoint'
        'Watch-Checkpoint'
    )
    FunctionsToExport = @()
    AliasesToExport = @()
    VariablesToExport = @()
    PrivateData = @{
        PSData = @{
            Tags = @('checkpoint', 'resume', 'restart', 'idempotent', 'pipeline', 'state', 'CI', 'Windows', 'Linux', 'MacOS')
            ReleaseNotes = 'First release: stages, exact state, fingerprints and retention on a folder store. See docs/changelog.md.'
        }
    }
}
