#Requires -Version 7.4
<#
.SYNOPSIS
Writes the checksums of all files of a folder, as sha256sum does; stopped at any moment and started again, it hashes no file twice.

.DESCRIPTION
A bulk job over a real list of files. Each file is an item of Invoke-CheckpointItem: it is known by its path, size and time, so a file that has changed since is
another item and is hashed anew. Several files are hashed at once. The result is the same, byte for byte, however often the job was stopped.

`sha256sum --check` reads what it writes.

.PARAMETER Path
The folder whose files are hashed, with all that is below it. PowerShell's own installation if not given.

.PARAMETER OutputFile
Where the checksums go.

.PARAMETER Store
Where the progress is kept; see about_Checkpoint for what holds if it is not given.

.PARAMETER ThrottleLimit
How many files are hashed at once.

.EXAMPLE
./checksums.ps1 -InformationAction Continue

.EXAMPLE
./checksums.ps1 -Path ~/photos -OutputFile ~/photos.sha256 -Store ~/photos.checkpoints -ThrottleLimit 2

.OUTPUTS
System.IO.FileInfo: the file with the checksums.
#>
[CmdletBinding()]
[OutputType([IO.FileInfo])]
param(
    [Parameter(Position = 0)]
    [string] $Path = $PSHOME,

    [string] $OutputFile = 'checksums.sha256',

    [string] $Store,

    [ValidateRange(1, 1000)]
    [int] $ThrottleLimit = 4
)

$ErrorActionPreference = 'Stop'

# An installed module loads by itself; in a checkout it is the one that was built there.
if (-not (Get-Command Invoke-CheckpointItem -ErrorAction Ignore)) {
    Import-Module "$PSScriptRoot/../../Checkpoint.psd1"
}
$at = @{ Pipeline = 'checksums' }
if ($Store) {
    $at.Store = $Store
}

$Path = (Get-Item -LiteralPath $Path).FullName
$OutputFile = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($OutputFile)
$files = Get-ChildItem -LiteralPath $Path -Recurse -File | Where-Object FullName -NE $OutputFile

# As a parameter and not piped in: so the progress bar knows how many there are. A file that cannot be read is told of, and the rest is done.
$hash = @{
    InputObject = $files
    Key = { '{0} {1} {2}' -f $_.FullName, $_.Length, $_.LastWriteTimeUtc.Ticks }
    ThrottleLimit = $ThrottleLimit
    Retry = 2
    ContinueOnError = $true
    RetryFailed = $true
    SaveOutput = $true
}
$lines = Invoke-CheckpointItem hash @hash @at -InformationAction $InformationPreference {
    $name = [IO.Path]::GetRelativePath($using:Path, $_.FullName).Replace('\', '/')
    '{0}  {1}' -f (Get-FileHash -LiteralPath $_.FullName -Algorithm SHA256).Hash.ToLowerInvariant(), $name
}

# Files end in any order where several are hashed at once.
$sorted = [string[]] @($lines)
[Array]::Sort($sorted, [Comparison[string]] { param($a, $b) [string]::CompareOrdinal($a.Substring(66), $b.Substring(66)) })
[IO.File]::WriteAllText($OutputFile, ($sorted -join "`n") + "`n")
Get-Item -LiteralPath $OutputFile
