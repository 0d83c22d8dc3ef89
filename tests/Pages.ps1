<#
.SYNOPSIS
What the tests of the pages need: the blocks of a page, their execution as a reader would do it, and the comparison of what they give with what the page shows.
#>

function Get-PageBlock {
    <#
    .SYNOPSIS
    The fenced blocks of a page, or of a part of one, in their order: Language, Text, File.

    .DESCRIPTION
    A block is the content of a file where the line before it says: Save this as `name`:

    .EXAMPLE
    Get-PageBlock (Get-Content docs/getting-started.md -Raw) | Where-Object Language -EQ powershell
    #>
    param([Parameter(Mandatory, Position = 0)] [AllowEmptyString()] [string] $Markdown)

    foreach ($match in [regex]::Matches($Markdown, '(?ms)(?:Save this as `(?<file>[^`]+)`:\s+)?^```(?<language>\w*)\r?\n(?<text>.*?)^```')) {
        [pscustomobject]@{ Language = $match.Groups['language'].Value; Text = $match.Groups['text'].Value; File = $match.Groups['file'].Value }
    }
}

function Get-Essence {
    <#
    .SYNOPSIS
    A text without what changes from one run to the next, and with the width of the terminal.

    .PARAMETER Folder
    Where it was made. Pages show it as a folder of somebody called ada.
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [AllowEmptyString()] [string] $Text,
        [Parameter(Position = 1)] [string] $Folder
    )

    # What is announced by -WhatIf goes to the host, which a shell in a test does not have.
    $essence = $Text -replace '\r' -replace '(?m)^What if: .*'
    if ($Folder) {
        $essence = $essence.Replace($Folder, '<folder>').Replace(($Folder -replace '\\', '/'), '<folder>')
    }
    $essence = $essence -replace '/home/ada', '<folder>' -replace '\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?', '<time>' -replace '(?<=<time> +)\d+[smhd]\b', '<age>'
    $essence = $essence -replace '\b\d{8}-\d{6}-[0-9a-f]{6}\b', '<run>' -replace '\b\d+(\.\d+)?s(?=\s|$)', '<duration>' -replace '\b\d+(\.\d+)? ([KMG]iB|B)\b', '<size>'
    $essence = $essence -replace '\b[0-9a-f]{12,64}\b', '<hash>' -replace '-{3,}', '---' -replace '[ \t]+', ' '
    ($essence -split '\n' | ForEach-Object Trim | Where-Object { $_ }) -join "`n"
}

function Invoke-Page {
    <#
    .SYNOPSIS
    Runs the PowerShell of a page from its beginning to its end in one shell, which begins in an empty folder, and emits for each block Code, Shown, Output, Errors, Failure.

    .DESCRIPTION
    Shown is what the page shows as the output, by a block of the language Output behind it; nothing where it shows none. Errors are what was
    written to the error stream and is in the output too, Failure what ended the block. The module is not imported: it lies where PowerShell finds it, as an installed one does, and so do programs that the
    page starts.

    .EXAMPLE
    Invoke-Page docs/getting-started.md | Where-Object Shown
    #>
    param([Parameter(Mandatory, Position = 0)] [string] $Path)

    $place = New-TestFolder
    $installed = (New-Item -ItemType Directory "$place/modules/Checkpoint").FullName
    Copy-Item $ModulePath, (Join-Path (Split-Path $ModulePath) bin) -Destination $installed -Recurse
    $blocks = @(Get-PageBlock (Get-Content -LiteralPath $Path -Raw))
    ConvertTo-Json $blocks | Set-Content "$place/blocks.json"
    $environment = @{ PSModulePath = "$place/modules$([IO.Path]::PathSeparator)$env:PSModulePath"; NO_COLOR = '1' }
    Get-ChildItem Env: | Where-Object Name -Match '^(CHECKPOINT|GITHUB|BUILD)_' | ForEach-Object { $environment[$_.Name] = $null }
    $child = Invoke-Pwsh -NoModule -WorkingDirectory $place -Environment $environment -ArgumentList $place -TimeoutSeconds 300 {
        param($Place)
        $PSStyle.OutputRendering = 'PlainText'
        $null = New-Item -ItemType Directory "$Place/home"
        $env:HOME = $env:USERPROFILE = "$Place/home"
        # The PowerShell that runs, and it may be none that is on the path.
        $program = Join-Path $PSHOME ($IsWindows ? 'pwsh.exe' : 'pwsh')
        $words = (Test-Path -LiteralPath $program) ? @($program) : @('dotnet', "$PSHOME/pwsh.dll")
        $shell = [powershell]::Create()
        $null = $shell.AddScript({
                param($Folder, $Words)
                (Get-PSProvider FileSystem).Home = $Folder
                Set-Location $Folder
                $function:global:pwsh = { $first, $rest = $Words + $args; $rest = @($rest); & $first @rest }.GetNewClosure()
            }).AddArgument("$Place/home").AddArgument($words).Invoke()
        $results = foreach ($block in Get-Content "$Place/blocks.json" -Raw | ConvertFrom-Json) {
            if ($block.File) {
                Set-Content -LiteralPath (Join-Path $shell.Runspace.SessionStateProxy.Path.CurrentFileSystemLocation $block.File) $block.Text -NoNewline
            }
            elseif ($block.Language -eq 'powershell') {
                $shell.Commands.Clear()
                $shell.Streams.ClearStreams()
                # In the scope of the shell, so that a later block has the variables of this one; on the first line, for errors tell their line only where it is another, as at a prompt.
                $failure, $output = $null, ''
                try {
                    $output = $shell.AddScript(". {$($block.Text)} 2>&1 | Tee-Object -Variable shown | Out-String -Width 120").Invoke() -join ''
                }
                catch { $failure = "$($_.Exception.InnerException ?? $_)" }
                $written = $shell.Runspace.SessionStateProxy.GetVariable('shown') | Where-Object { $_ -is [Management.Automation.ErrorRecord] } | ForEach-Object { "$_" }
                @{ Code = $block.Text; Output = $output; Failure = $failure; Errors = @($written) }
            }
        }
        ConvertTo-Json @($results) -Depth 4 | Set-Content "$Place/results.json"
    }
    $child.ErrorOutput | Should -BeNullOrEmpty
    $results = @(Get-Content "$place/results.json" -Raw | ConvertFrom-Json)
    $index = 0
    for ($at = 0; $at -lt $blocks.Count; $at++) {
        if ($blocks[$at].Language -eq 'powershell' -and -not $blocks[$at].File) {
            $shown = $at + 1 -lt $blocks.Count -and $blocks[$at + 1].Language -eq 'Output' ? $blocks[$at + 1].Text : $null
            $results[$index++] | Select-Object Code, @{ n = 'Shown'; e = { $shown } }, Output, Errors, Failure, @{ n = 'Folder'; e = { "$place/home" } }
        }
    }
}
