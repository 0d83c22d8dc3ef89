#Requires -Version 7.4
<#
.SYNOPSIS
Writes the figures of the campaigns into docs/reliability.md. `build.ps1 -Task Campaign` runs it.

.PARAMETER Line
What the campaigns printed: `campaign <name>: <tries> tries, seed <n>, <findings> findings, <more>`. Each name counts once, the last time.

.PARAMETER Path
The page. The table goes between its two markers.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string[]] $Line,
    [Parameter(Mandatory)] [string] $Path
)

$ErrorActionPreference = 'Stop'
$campaigns = [ordered]@{}
foreach ($text in $Line) {
    if ($text -notmatch '^campaign (?<name>.+?): (?<tries>\d+) tries, seed (?<seed>-?\d+), (?<findings>\d+) findings(?:, (?<more>.+))?$') {
        throw "No line of a campaign: $text"
    }
    $campaigns[$Matches.name] = [string]::Format([cultureinfo]::InvariantCulture, '| {0} | {1:N0} | {2} | {3} | {4} |', $Matches.name, [long] $Matches.tries, $Matches.seed, $Matches.findings, $Matches.more)
}

$format = [IO.DriveInfo]::new([IO.Path]::GetTempPath()).DriveFormat
$system = [Runtime.InteropServices.RuntimeInformation]::OSDescription
$machine = '{0:yyyy-MM-dd}, {1}, {2} cores, temporary files on {3}, PowerShell {4}' -f [datetime]::UtcNow, $system, [Environment]::ProcessorCount, $format, $PSVersionTable.PSVersion
$table = @("Measured on $machine.", '', '| campaign | tries | seed | findings | besides |', '| --- | --- | --- | --- | --- |') + $campaigns.Values

$page = [IO.File]::ReadAllText($Path)
$begin, $end = '<!-- figures -->', '<!-- end of figures -->'
$from, $to = $page.IndexOf($begin), $page.IndexOf($end)
if ($from -lt 0 -or $to -lt $from) {
    throw "'$Path' lacks the marker $begin or $end."
}
[IO.File]::WriteAllText($Path, $page.Substring(0, $from + $begin.Length) + "`n" + ($table -join "`n") + "`n" + $page.Substring($to))
