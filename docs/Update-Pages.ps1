#Requires -Version 7.4
<#
.SYNOPSIS
Writes what the help pages would be if they agreed with the cmdlets. `build.ps1 -Task Docs` runs it and compares.

.DESCRIPTION
Syntax, parameters and their attributes come from the module, all prose from the pages there are. A cmdlet without a page gets
one with blanks to fill.

.PARAMETER Module
The manifest of the built module.

.PARAMETER Path
The folder of the pages there are.

.PARAMETER OutputPath
The folder to write to; what is in it goes.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Module,
    [Parameter(Mandatory)] [string] $Path,
    [Parameter(Mandatory)] [string] $OutputPath
)

$ErrorActionPreference = 'Stop'
Import-Module Microsoft.PowerShell.PlatyPS -MinimumVersion 1.0 -MaximumVersion 1.999
# From a copy without help: PlatyPS would add the module's own help to what the pages say.
$bare = Join-Path ([IO.Path]::GetTempPath()) "checkpoint-$([guid]::NewGuid().ToString('N'))/Checkpoint"
$null = New-Item -ItemType Directory -Path $bare
Copy-Item -Path $Module, (Join-Path (Split-Path $Module) 'bin') -Destination $bare -Recurse
$commands = (Import-Module (Join-Path $bare (Split-Path $Module -Leaf)) -PassThru).ExportedCmdlets.Values

Remove-Item -LiteralPath $OutputPath -Recurse -Force -ErrorAction Ignore
$null = New-Item -ItemType Directory -Path $OutputPath
foreach ($command in $commands) {
    $page = Join-Path $OutputPath "$($command.Name).md"
    $old = Join-Path $Path "$($command.Name).md"
    if (Test-Path -LiteralPath $old) {
        Copy-Item -LiteralPath $old -Destination $page
    }
    else {
        New-MarkdownCommandHelp -CommandInfo $command -OutputFolder $OutputPath | Move-Item -Destination $page
    }

    # Twice: where PlatyPS 1.0 changes a syntax it forgets [<CommonParameters>], and adds it the next time.
    1..2 | ForEach-Object { $null = Update-MarkdownCommandHelp -LiteralPath $page -NoBackup }
    $text = (Get-Content -LiteralPath $page -Raw) -replace '\r\n', "`n" -replace '[ \t]+\n', "`n"

    # A new date alone is no change.
    if (Test-Path -LiteralPath $old) {
        $before = Get-Content -LiteralPath $old -Raw
        $date = [regex]::new('(?m)^ms\.date:.*$')
        if ($date.Replace($before, '').Trim() -eq $date.Replace($text, '').Trim()) {
            $text = $before
        }
    }
    Set-Content -LiteralPath $page -Value ($text.TrimEnd() + "`n") -NoNewline

    # Not by -LiteralPath, for which PlatyPS 1.0 answers nothing.
    if (-not (Test-MarkdownCommandHelp -Path $page)) {
        throw "Not a valid help page: $page"
    }
}
Remove-Item -LiteralPath "$OutputPath/Checkpoint" -Recurse -ErrorAction Ignore
# On Windows the assemblies stay in use until this process ends.
Remove-Item -LiteralPath (Split-Path $bare) -Recurse -Force -ErrorAction Ignore
