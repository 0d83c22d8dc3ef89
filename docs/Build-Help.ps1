#Requires -Version 7.4
<#
.SYNOPSIS
Makes what Get-Help reads, MAML and the text of the about topics, from the pages. `build.ps1 -Task Build` runs it.

.PARAMETER Path
The folder of the pages: one per cmdlet, and about_*.md.

.PARAMETER OutputPath
The folder to write to; what is in it goes.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Path,
    [Parameter(Mandatory)] [string] $OutputPath
)

$ErrorActionPreference = 'Stop'

# Breaks one paragraph or list item into lines of at most 80 columns, indented by four as in every about topic.
function Format-Paragraph([string] $Text) {
    $text = $Text -replace '\[([^\]]+)\]\((https?:[^)]+)\)', '$1 ($2)' -replace '\[([^\]]+)\]\([^)]+\)', '$1' -replace '\*\*|`', ''
    $marker = [regex]::Match($text, '^(-|\*|\d+\.) +').Value
    $line = '    '
    foreach ($word in $text -split ' +') {
        if ($line.Trim() -and ($line.Length + 1 + $word.Length) -gt 80) {
            $line
            $line = ' ' * (4 + $marker.Length)
        }
        $line += ($line.Trim() ? ' ' : '') + $word
    }
    $line
}

# Get-Help takes the fifth line for the synopsis, so a heading is followed by its text at once.
function ConvertTo-AboutText([string[]] $Markdown) {
    $paragraph = ''
    $code = $false
    foreach ($line in @($Markdown) + '') {
        if ($paragraph -and ($code -or $line -match '^$|^#|^```|^\||^\s*([-*]|\d+\.) ')) {
            Format-Paragraph $paragraph
            $paragraph = ''
        }
        switch -Regex ($line) {
            '^```' { $code = -not $code; break }
            { $code } { "        $line".TrimEnd(); break }
            '^# +(.*)' { 'TOPIC'; "    $($Matches[1])"; break }
            '^##+ +(.*)' { $Matches[1].ToUpperInvariant(); break }
            '^\|[-:| ]+$' { break }
            '^\|' { '    ' + ($line.Trim('|', ' ') -replace '\*\*|`', ''); break }
            '^$' { ''; break }
            default { $paragraph = "$paragraph $line".Trim() }
        }
    }
}

Import-Module Microsoft.PowerShell.PlatyPS -MinimumVersion 1.0 -MaximumVersion 1.999
Remove-Item -LiteralPath $OutputPath -Recurse -Force -ErrorAction Ignore
$null = New-Item -ItemType Directory -Path $OutputPath

$about, $commands = (Get-ChildItem -LiteralPath $Path -Filter *.md).Where({ $_.Name -like 'about_*' }, 'Split')
foreach ($page in $about) {
    $text = (ConvertTo-AboutText (Get-Content -LiteralPath $page) | Out-String) -replace '\r\n', "`n" -replace '\n{3,}', "`n`n" -replace '(?m)^(\S.*)\n\n', "`$1`n"
    Set-Content -LiteralPath "$OutputPath/$($page.BaseName).help.txt" -Value $text.Trim()
}
if ($commands) {
    $null = Import-MarkdownCommandHelp -LiteralPath $commands.FullName | Export-MamlCommandHelp -OutputFolder "$OutputPath/maml" -Force
    Move-Item "$OutputPath/maml/*/*.xml" -Destination $OutputPath
    Remove-Item "$OutputPath/maml" -Recurse
}
