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

# PlatyPS 1.0 leaves Markdown in what it exports: fences, backticks, broken lines, links to pages, and U+0080 for an empty line.
function Repair-Maml([string] $Path) {
    $maml = [xml]::new()
    $maml.Load($Path)
    $names = [Xml.XmlNamespaceManager]::new($maml.NameTable)
    $names.AddNamespace('maml', 'http://schemas.microsoft.com/maml/2004/10')
    $names.AddNamespace('command', 'http://schemas.microsoft.com/maml/dev/command/2004/10')
    $names.AddNamespace('dev', 'http://schemas.microsoft.com/maml/dev/2004/10')
    $prose = { $args[0] -replace '(?<!\n)\n(?!\n|- |\d+\. )', ' ' -replace '`([^`\n]+)`', '$1' }

    foreach ($para in $maml.SelectNodes('//maml:para[not(ancestor::command:example)]', $names)) {
        $para.InnerText = & $prose $para.InnerText
    }
    $fence = [regex] '(?ms)^```(\w*)\n(.*?)\n?^```$'
    foreach ($example in $maml.SelectNodes('//command:example', $names)) {
        $introduction = $example.SelectSingleNode('maml:introduction', $names)
        $text = @($introduction.ChildNodes.InnerText) -join "`n" -replace [char] 0x80, ''
        $introduction.RemoveAll()
        $code, $output = $fence.Matches($text).Where({ $_.Groups[1].Value -eq 'powershell' }, 'Split')
        $example.SelectSingleNode('dev:code', $names).InnerText = $code[0].Groups[2].Value
        foreach ($remark in @($output | ForEach-Object { $_.Groups[2].Value }) + (& $prose $fence.Replace($text, '').Trim()) + '') {
            $para = $maml.CreateElement('maml', 'para', $names.LookupNamespace('maml'))
            $para.InnerText = $remark
            $null = $example.SelectSingleNode('dev:remarks', $names).AppendChild($para)
        }
    }
    foreach ($uri in $maml.SelectNodes('//maml:navigationLink/maml:uri', $names)) {
        if (-not $uri.InnerText) {
            $null = $uri.ParentNode.ParentNode.RemoveChild($uri.ParentNode)
        }
        elseif ($uri.InnerText -notmatch '^\w+:') {
            $uri.InnerText = ''
        }
    }
    $maml.Save($Path)
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
    Get-ChildItem -LiteralPath $OutputPath -Filter *.xml | ForEach-Object { Repair-Maml $_.FullName }
}
