<#
.SYNOPSIS
For tests that look at, or change, what a store keeps: the records of checkpoints on every kind of store, the files of a folder.
#>

function Get-RecordPath {
    <#
    .SYNOPSIS
    Where one step of a stage of the pipeline 'default' without a run lies; its name must be one that stands for itself.

    .EXAMPLE
    Get-RecordPath $store train -Step 3
    #>
    [OutputType([string])]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Store,
        [Parameter(Mandatory, Position = 1)] [string] $Name,
        [long] $Step = 1
    )

    $Store.Contains('://') ? "$Store#checkpoint/default/$Name/$Step" : [IO.Path]::Combine($Store, 'default', 'stages', $Name, $Step.ToString('D10') + '.json')
}

# Does something with an entry of a store that is no folder: runs a block with its driver and the entry.
function Use-Entry([string] $Location, [scriptblock] $Block) {
    $store, $place = $Location -split '#', 2
    $kind, $pipeline, $more = $place -split '/' | ForEach-Object { [uri]::UnescapeDataString($_) }
    $more = @($more)
    $names = @($more | Select-Object -SkipLast 1)
    $run, $name = $kind -eq 'run' ? $names[0], [NullString]::Value : $names.Count -eq 2 ? $names : [NullString]::Value, ($names ? $names[0] : [NullString]::Value)
    $key = [Checkpoint.StoreKey]::new($kind, $pipeline, $run, $name)
    $driver = Open-StoreDriver $store
    try {
        $entry = $driver.ReadAsync($key, [long] $more[-1], [Threading.CancellationToken]::None).AsTask().GetAwaiter().GetResult()
        & $Block $driver ($entry ?? $(throw "There is nothing at '$Location'."))
    }
    finally {
        $null = $driver.DisposeAsync().AsTask().GetAwaiter().GetResult()
    }
}

function Get-RecordByte {
    <#
    .SYNOPSIS
    The bytes of a record.

    .PARAMETER Location
    Where it lies: the Location of a checkpoint.
    #>
    [OutputType([byte[]])]
    param([Parameter(Mandatory, Position = 0)] [string] $Location)

    if ($Location.Contains('://')) {
        return Use-Entry $Location { , $args[1].Record.ToArray() }
    }
    , [IO.File]::ReadAllBytes($Location)
}

function Get-Record {
    <#
    .SYNOPSIS
    The text of a record.
    #>
    [OutputType([string])]
    param([Parameter(Mandatory, Position = 0)] [string] $Location)

    [Text.Encoding]::UTF8.GetString((Get-RecordByte $Location))
}

function Set-Record {
    <#
    .SYNOPSIS
    Puts something else in the place of a record, as somebody does who can write the store, or a disk that fails.

    .PARAMETER Location
    Where it lies: the Location of a checkpoint.

    .PARAMETER Content
    Bytes, or a text.

    .EXAMPLE
    Set-Record $info.Location ''
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Location,
        [Parameter(Mandatory, Position = 1)] [AllowEmptyString()] [AllowEmptyCollection()] [object] $Content
    )

    [byte[]] $bytes = $Content -is [string] ? [Text.Encoding]::UTF8.GetBytes($Content) : $Content
    if (-not $Location.Contains('://')) {
        [IO.File]::WriteAllBytes($Location, $bytes)
        return
    }
    Use-Entry $Location {
        param($Driver, $Entry)
        # A record that is whole again has its checksum as its revision.
        $revision = [Text.Encoding]::UTF8.GetString($bytes) -match '"checksum": "([0-9a-f]{64})"\n\}\n\z' ? $Matches[1] : $Entry.Revision
        $null = $Driver.ReplaceRecordAsync($Entry, [ReadOnlyMemory[byte]]::new($bytes), $revision, [Threading.CancellationToken]::None).AsTask().GetAwaiter().GetResult()
    }
}

function Write-Record {
    <#
    .SYNOPSIS
    Writes a record with the checksum that fits its content.

    .PARAMETER Location
    Where it lies: the Location of a checkpoint.

    .PARAMETER Body
    The record's text up to its last member, without the checksum and the closing brace.

    .EXAMPLE
    Write-Record $info.Location $body
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Location,
        [Parameter(Mandatory, Position = 1)] [string] $Body
    )

    $hash = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($Body))).ToLowerInvariant()
    Set-Record $Location "$Body,`n  `"checksum`": `"$hash`"`n}`n"
}

function Edit-Record {
    <#
    .SYNOPSIS
    Changes the text of a record and gives it the checksum that fits.

    .PARAMETER Edit
    Gets the record's text without its checksum as $_ and emits the new one.

    .EXAMPLE
    Edit-Record $info.Location { $_ -replace '"format": 1', '"format": 2' }
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Location,
        [Parameter(Mandatory, Position = 1)] [scriptblock] $Edit
    )

    $text = Get-Record $Location
    $body = $text -replace ',\n  "checksum": "[0-9a-f]{64}"\n\}\n\z'
    if ($body.Length -eq $text.Length) {
        throw "'$Location' does not end like a record: $text"
    }
    Write-Record $Location ($body | ForEach-Object $Edit)
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

function Get-StoreEntry {
    <#
    .SYNOPSIS
    The entries of some kinds in a store that is no folder: Key, Step, Record (bytes) and Payload (bytes, or nothing).
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Store,
        [string[]] $Kind = 'checkpoint'
    )

    $none, $any = [Threading.CancellationToken]::None, [NullString]::Value
    $driver = Open-StoreDriver $Store
    try {
        foreach ($each in $Kind) {
            foreach ($inRuns in $false, $true) {
                $found = $driver.ListAsync([Checkpoint.StoreQuery]::new($each, $any, $any, $inRuns, $any), $none).GetAsyncEnumerator($none)
                while ($found.MoveNextAsync().AsTask().GetAwaiter().GetResult()) {
                    $key = $found.Current.Key
                    foreach ($step in $driver.ListStepsAsync($key, $none).AsTask().GetAwaiter().GetResult() | Sort-Object) {
                        $payload = [IO.MemoryStream]::new()
                        $stream = $driver.OpenPayloadAsync($key, $step, $any, $none).AsTask().GetAwaiter().GetResult()
                        if ($stream) {
                            $stream.CopyTo($payload)
                            $stream.Dispose()
                        }
                        $entry = $driver.ReadAsync($key, $step, $none).AsTask().GetAwaiter().GetResult()
                        [pscustomobject]@{ Key = $key; Step = $step; Record = $entry.Record.ToArray(); Payload = $stream ? $payload.ToArray() : $null }
                    }
                }
            }
        }
    }
    finally {
        $null = $driver.DisposeAsync().AsTask().GetAwaiter().GetResult()
    }
}

function Get-JournalLine {
    <#
    .SYNOPSIS
    The lines of the journal of a stage's items, in the pipeline 'default' without a run.
    #>
    [OutputType([string])]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Store,
        [Parameter(Mandatory, Position = 1)] [string] $Name
    )

    $file = "$Store/default/stages/$Name/items.jsonl"
    if ($Store.Contains('://')) {
        Get-StoreEntry $Store -Kind items | Where-Object { $_.Key.Name -eq $Name } | ForEach-Object { [Text.Encoding]::UTF8.GetString($_.Record).TrimEnd("`n") -split "`n" }
    }
    elseif (Test-Path $file) {
        [IO.File]::ReadAllLines($file)
    }
}

function Get-StoreFile {
    <#
    .SYNOPSIS
    The files of a store, relative to it, but its histories: those grow with everything that is done. Of a store that is no folder, its checkpoints and their payloads much as they would be named in one.
    #>
    param([Parameter(Mandatory, Position = 0)] [string] $Store)

    if (-not $Store.Contains('://')) {
        return Get-ChildItem -LiteralPath $Store -Recurse -File -Force | Where-Object Name -NotLike 'history.*' |
            ForEach-Object { [IO.Path]::GetRelativePath($Store, $_.FullName) -replace '\\', '/' }
    }
    foreach ($entry in Get-StoreEntry $Store) {
        $path = '{0}/{1}stages/{2}/{3:d10}' -f $entry.Key.Pipeline, ($entry.Key.Run ? "runs/$($entry.Key.Run)/" : ''), $entry.Key.Name, $entry.Step
        "$path.json"
        if ($null -ne $entry.Payload) { "$path.state" }
    }
}
