#Requires -Version 7.4
<#
.SYNOPSIS
Makes an inventory of a folder: every file with its size and hash, and the files that are there twice.

.DESCRIPTION
Works in four stages, each of which is kept as a checkpoint when it is complete:

  list        the files, with size and time of change
  hash        the hash of each file; the long one, which also keeps its progress
  duplicates  the files with the same content
  report      inventory.csv and inventory.md

Stop the script at any moment, even hard, and start it again with the same parameters: what is complete is skipped, and
hashing goes on where it was. When it is complete, starting it again does nothing but look whether anything has changed. A
stage runs again when what it depends on is another: the files of the folder, a parameter, or for the report its two files.

The same folder gives the same report, byte for byte, however often the work was stopped.

.PARAMETER Path
The folder to look at, with all that is below it. PowerShell's own installation if not given.

.PARAMETER OutputFolder
Where inventory.csv and inventory.md go. It is made if it is not there.

.PARAMETER Store
Where the checkpoints are kept; see about_Checkpoint for what holds if it is not given. One store remembers the inventory of one
folder at a time: for two folders in turn give each a store of its own.

.PARAMETER Algorithm
How files are hashed.

.PARAMETER MinimumSize
Files with fewer bytes are not looked at for duplicates.

.PARAMETER SaveEvery
The progress of hashing is saved each time so many files are done. A low number loses less when the script is stopped, a high
one costs less time.

.EXAMPLE
./inventory.ps1 -InformationAction Continue

The inventory of PowerShell's own folder, saying which stages run and which are skipped.

.EXAMPLE
./inventory.ps1 -Path ~/photos -OutputFolder ~/inventory -Store ~/inventory/checkpoints -MinimumSize 1MB

.OUTPUTS
System.IO.FileInfo: the two files of the report.
#>
[CmdletBinding()]
[OutputType([IO.FileInfo])]
param(
    [Parameter(Position = 0)]
    [string] $Path = $PSHOME,

    [string] $OutputFolder = 'inventory',

    [string] $Store,

    [ValidateSet('SHA256', 'SHA384', 'SHA512')]
    [string] $Algorithm = 'SHA256',

    [ValidateRange(0, [long]::MaxValue)]
    [long] $MinimumSize = 1,

    [ValidateRange(1, [int]::MaxValue)]
    [int] $SaveEvery = 100
)

$ErrorActionPreference = 'Stop'

# An installed module loads by itself; in a checkout it is the one that was built there.
if (-not (Get-Command Save-Checkpoint -ErrorAction Ignore)) {
    Import-Module "$PSScriptRoot/../../Checkpoint.psd1"
}

# What every call below has in common. It holds for this script alone.
$PSDefaultParameterValues = @{ '*-Checkpoint:Pipeline' = 'inventory'; '*-Checkpoint:InformationAction' = 'SilentlyContinue' }
if ($Store) {
    $PSDefaultParameterValues['*-Checkpoint:Store'] = $Store
}

function Write-Stage([string] $Stage, [string] $Text) {
    Write-Information ('{0,-10}  {1}' -f $Stage, $Text)
}

# The order in the report must not depend on the language of the machine, as that of Sort-Object does.
function Get-OrdinalOrder([object[]] $Item, [scriptblock] $Key) {
    $sorted = [Collections.Generic.SortedDictionary[string, object]]::new([StringComparer]::Ordinal)
    $Item | ForEach-Object { $sorted.Add((& $Key), $_) }
    , @($sorted.Values)
}

function Get-FileList([string] $Root, [string[]] $Except) {
    $prefix = $Except | ForEach-Object { [IO.Path]::TrimEndingDirectorySeparator($_) + [IO.Path]::DirectorySeparatorChar }
    $files = Get-ChildItem -LiteralPath $Root -Recurse -File -Force |
        Where-Object { $file = $_.FullName; -not ($prefix | Where-Object { $file.StartsWith($_) }) } |
        ForEach-Object {
            [pscustomobject]@{
                Path = [IO.Path]::GetRelativePath($Root, $_.FullName).Replace('\', '/')
                Length = $_.Length
                ModifiedUtc = $_.LastWriteTimeUtc
            }
        }
    Get-OrdinalOrder @($files) { $_.Path }
}

function Get-Hash([string] $File) {
    try {
        (Get-FileHash -LiteralPath $File -Algorithm $Algorithm).Hash
    }
    catch {
        Write-Warning "Not hashed: $_"
    }
}

function Write-TextFile([string] $File, [string[]] $Line) {
    [IO.File]::WriteAllText($File, ($Line -join "`n") + "`n")
}

$Path = (Get-Item -LiteralPath $Path).FullName
$OutputFolder = (New-Item -ItemType Directory -Path $OutputFolder -Force).FullName
$storeFolder = $Store ? $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Store) : (Get-CheckpointContext).Store

# list. A look at names, sizes and times is quick, and is taken each time: what it shows decides whether the rest is still true.
$files = Get-FileList $Path -Except $OutputFolder, $storeFolder
$from = @{ Folder = $Path; Files = @($files | ForEach-Object { "$($_.Path) $($_.Length) $($_.ModifiedUtc.Ticks)" }) }
if (-not (Test-Checkpoint list -Fingerprint $from)) {
    Save-Checkpoint list -State $files -Fingerprint $from -Metadata @{ Files = $files.Count }
    Write-Stage list "$($files.Count) files"
}
else {
    $files = Restore-Checkpoint list
    Write-Stage list 'skipped'
}

# hash. What was hashed so far is kept as a checkpoint of its own, of which the last two are enough: should the last be damaged, the
# one before it counts, and its successor is written once more.
$from.Algorithm = $Algorithm
if (-not (Test-Checkpoint hash -Fingerprint $from)) {
    $hashed = [Collections.Generic.List[object]]::new()
    if (Test-Checkpoint hash-progress -Fingerprint $from) {
        $hashed = Restore-Checkpoint hash-progress
    }
    else {
        # Whatever progress there is belongs to other files.
        Clear-Checkpoint hash-progress
    }
    $resumedAt = $hashed.Count

    while ($hashed.Count -lt $files.Count) {
        $file = $files[$hashed.Count]
        $hash = Get-Hash (Join-Path $Path $file.Path)
        $hashed.Add([pscustomobject]@{ Path = $file.Path; Length = $file.Length; ModifiedUtc = $file.ModifiedUtc; Hash = $hash })
        Save-Checkpoint hash-progress -State $hashed -Step $hashed.Count -Interval $SaveEvery -Keep 2 -Overwrite -Fingerprint $from
        Write-Progress -Activity "Hashing $Path" -Status $file.Path -PercentComplete (100 * $hashed.Count / $files.Count)
    }
    Write-Progress -Activity "Hashing $Path" -Completed

    Save-Checkpoint hash -State $hashed -Fingerprint $from -Metadata @{ Files = $hashed.Count; ResumedAt = $resumedAt }
    Clear-Checkpoint hash-progress
    Write-Stage hash ($resumedAt ? "$($hashed.Count) files, of which $resumedAt had been done before" : "$($hashed.Count) files")
}
else {
    $hashed = Restore-Checkpoint hash
    Write-Stage hash 'skipped'
}

# duplicates
$from.MinimumSize = $MinimumSize
if (-not (Test-Checkpoint duplicates -Fingerprint $from)) {
    $duplicates = $hashed | Where-Object { $_.Hash -and $_.Length -ge $MinimumSize } | Group-Object Hash | Where-Object Count -GT 1 |
        ForEach-Object { [pscustomobject]@{ Hash = $_.Name; Length = $_.Group[0].Length; Path = [string[]] $_.Group.Path } }
    $duplicates = Get-OrdinalOrder @($duplicates) { $_.Path[0] }
    Save-Checkpoint duplicates -State $duplicates -Fingerprint $from
    Write-Stage duplicates "sets of files with the same content: $($duplicates.Count)"
}
else {
    $duplicates = Restore-Checkpoint duplicates
    Write-Stage duplicates 'skipped'
}

# report. It has no state: its result is the two files, and it is complete for as long as they are as it left them.
$from.OutputFolder = $OutputFolder
$csv = Join-Path $OutputFolder 'inventory.csv'
$markdown = Join-Path $OutputFolder 'inventory.md'
if (-not (Test-Checkpoint report -Fingerprint $from)) {
    Write-TextFile $csv ($hashed | Select-Object Path, Length, @{ Name = 'ModifiedUtc'; Expression = { $_.ModifiedUtc.ToString('O') } }, Hash | ConvertTo-Csv)

    $bytes = ($hashed | Measure-Object Length -Sum).Sum ?? 0
    $wasted = ($duplicates | ForEach-Object { $_.Length * ($_.Path.Count - 1) } | Measure-Object -Sum).Sum ?? 0
    $lines = @(
        '# Inventory'
        ''
        "- folder: ``$Path``"
        "- files: $($hashed.Count), with $bytes bytes"
        "- not readable: $(@($hashed | Where-Object { -not $_.Hash }).Count)"
        "- hash: $Algorithm"
        "- sets of files with the same content: $($duplicates.Count), with $wasted bytes more than needed"
        foreach ($duplicate in $duplicates) {
            ''
            "## $($duplicate.Path.Count) files of $($duplicate.Length) bytes"
            ''
            "$Algorithm ``$($duplicate.Hash)``"
            ''
            $duplicate.Path | ForEach-Object { "- ``$_``" }
        }
    )
    Write-TextFile $markdown $lines

    Save-Checkpoint report -OutputFile $csv, $markdown -Fingerprint $from
    Write-Stage report "written to $OutputFolder"
}
else {
    Write-Stage report 'skipped'
}

Get-Item -LiteralPath $csv, $markdown
