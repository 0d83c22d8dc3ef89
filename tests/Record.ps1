<#
.SYNOPSIS
For tests that look at, or write, the files of a folder store themselves.
#>

function Get-RecordPath {
    <#
    .SYNOPSIS
    The file of one step of a stage of the pipeline 'default' without a run; its name must be one that stands for itself.

    .EXAMPLE
    Get-RecordPath $store train -Step 3
    #>
    [OutputType([string])]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Store,
        [Parameter(Mandatory, Position = 1)] [string] $Name,
        [long] $Step = 1
    )

    [IO.Path]::Combine($Store, 'default', 'stages', $Name, $Step.ToString('D10') + '.json')
}

function Write-Record {
    <#
    .SYNOPSIS
    Writes a record with the checksum that fits its content.

    .PARAMETER Body
    The record's text up to its last member, without the checksum and the closing brace.

    .EXAMPLE
    Write-Record $path $body
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Path,
        [Parameter(Mandatory, Position = 1)] [string] $Body
    )

    $hash = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($Body))).ToLowerInvariant()
    [IO.File]::WriteAllText($Path, "$Body,`n  `"checksum`": `"$hash`"`n}`n")
}

function Edit-Record {
    <#
    .SYNOPSIS
    Changes the text of a record and gives it the checksum that fits.

    .PARAMETER Edit
    Gets the record's text without its checksum as $_ and emits the new one.

    .EXAMPLE
    Edit-Record $path { $_ -replace '"format": 1', '"format": 2' }
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Path,
        [Parameter(Mandatory, Position = 1)] [scriptblock] $Edit
    )

    $text = [IO.File]::ReadAllText($Path)
    $body = $text -replace ',\n  "checksum": "[0-9a-f]{64}"\n\}\n\z'
    if ($body.Length -eq $text.Length) {
        throw "'$Path' does not end like a record: $text"
    }
    Write-Record $Path ($body | ForEach-Object $Edit)
}

function Set-RecordAge {
    <#
    .SYNOPSIS
    Makes a checkpoint as old as a test needs it.

    .EXAMPLE
    Set-RecordAge (Save-Checkpoint a -PassThru) 08:00:00
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [Checkpoint.CheckpointInfo] $Checkpoint,
        [Parameter(Mandatory, Position = 1)] [timespan] $Age
    )

    $time = ([DateTimeOffset]::UtcNow - $Age).ToString('O')
    Edit-Record $Checkpoint.Location { $_ -replace '"savedAt": "[^"]*"', "`"savedAt`": `"$time`"" }
}

function Get-PayloadPath {
    <#
    .SYNOPSIS
    The file beside a record that holds its state.
    #>
    param([Parameter(Mandatory, Position = 0)] [Checkpoint.CheckpointInfo] $Checkpoint)

    (Get-ChildItem -Path (Split-Path -LiteralPath $Checkpoint.Location) -Filter ('{0:d10}.*.state' -f $Checkpoint.Step)).FullName
}

function Get-StoreFile {
    <#
    .SYNOPSIS
    The files of a store, relative to it, but its histories: those grow with everything that is done.
    #>
    param([Parameter(Mandatory, Position = 0)] [string] $Store)

    Get-ChildItem -LiteralPath $Store -Recurse -File -Force | Where-Object Name -NotLike 'history.*' |
        ForEach-Object { [IO.Path]::GetRelativePath($Store, $_.FullName) -replace '\\', '/' }
}
