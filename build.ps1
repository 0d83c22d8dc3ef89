#Requires -Version 7.4
<#
.SYNOPSIS
Builds, tests, documents and packs the Checkpoint module.

.DESCRIPTION
Needs PowerShell 7.4 or later and a .NET 10 SDK, and gets everything else itself: NuGet packages by restore; Pester,
PlatyPS and PSScriptAnalyzer, where they aren't installed, from the PowerShell Gallery into out/modules.

Everything it makes is ignored by git: the module in bin/ and en-US/, the rest in out/.

.PARAMETER Task
What to do, in order; several are separated by commas. `?` says what each task does.

.PARAMETER Configuration
Release or Debug.

.PARAMETER Module
The manifest of the module that the Pester tests test: the checkout's own, or that of an unpacked package.

.PARAMETER Check
Docs changes nothing, and fails where a page is not what it would make of it. On by default in CI.

.EXAMPLE
pwsh ./build.ps1 -Task Test

.EXAMPLE
pwsh ./build.ps1 -Task Package,Test -Module out/package/Checkpoint/Checkpoint.psd1

Packs the module, then tests what was packed.
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ArgumentCompletions('Build', 'Test', 'Campaign', 'Demo', 'Docs', 'Package', 'Clean', '?')]
    [string[]] $Task = @('Build', 'Test'),

    [ValidateSet('Release', 'Debug')]
    [string] $Configuration = 'Release',

    [string] $Module = "$PSScriptRoot/Checkpoint.psd1",

    [switch] $Check = [bool] $env:CI
)

$ErrorActionPreference = 'Stop'
$InformationPreference = 'Continue'
$ProgressPreference = 'SilentlyContinue'

$tasks = [ordered]@{
    Build = 'Compiles the module into bin/, its help into en-US/, and the command line into out/bin/Checkpoint.Cli.'
    Test = 'Builds, then runs the xunit tests and, in child processes, the Pester tests and the analyser, those of the cmdlets on every kind of store. -Module names another module to test.'
    Campaign = 'Builds, then runs the campaigns alone, in their long form, which takes an hour, and writes their figures into docs/reliability.md.'
    Demo = 'Builds, then shows a real script being killed and resumed: docs/examples/Invoke-Demo.ps1.'
    Docs = 'Builds, then brings docs/en-US/*.md up to date with the parameters of the cmdlets. With -Check it only fails where they are not.'
    Package = 'Builds, then packs the module as out/package/Checkpoint.<version>.nupkg, fit for Publish-PSResource.'
    Clean = 'Removes all that the other tasks make: bin/, en-US/ and out/.'
}

# Pin is what is fetched; an installed version from Minimum up to, not including, Below will do.
$modules = @{
    Pester = @{ Pin = '5.9.0'; Minimum = '5.5.0'; Below = '6.0.0' }
    PSScriptAnalyzer = @{ Pin = '1.25.0'; Minimum = '1.22.0'; Below = '2.0.0' }
    'Microsoft.PowerShell.PlatyPS' = @{ Pin = '1.0.3'; Minimum = '1.0.0'; Below = '2.0.0' }
}

$out = Join-Path $PSScriptRoot 'out'
$help = Join-Path $PSScriptRoot 'en-US'
$pages = Join-Path $PSScriptRoot 'docs/en-US'
$done = [Collections.Generic.HashSet[string]]::new([StringComparer]::OrdinalIgnoreCase)

. $PSScriptRoot/tests/Suites.ps1

function Invoke-Task([string] $Name) {
    if ($done.Add($Name)) {
        & "Invoke-${Name}Task"
    }
}

function Invoke-BuildTask {
    Assert-Sdk
    Write-Step 'Compile the module'
    Invoke-Dotnet build "$PSScriptRoot/src/Checkpoint" --configuration $Configuration | Out-Host
    Write-Step 'Compile the command line'
    Invoke-Dotnet build "$PSScriptRoot/src/Checkpoint.Cli" --configuration $Configuration | Out-Host
    Build-Help
}

function Invoke-TestTask {
    Invoke-Task Build
    Invoke-Suite
}

function Invoke-CampaignTask {
    Invoke-Task Build
    $size = $env:CHECKPOINT_CAMPAIGN
    $env:CHECKPOINT_CAMPAIGN = 'long'
    try {
        Invoke-Suite -Only Campaign
    }
    finally {
        $env:CHECKPOINT_CAMPAIGN = $size
    }
    & "$PSScriptRoot/docs/Update-Reliability.ps1" -Line (Get-Content "$out/results/campaigns.txt") -Path "$PSScriptRoot/docs/reliability.md"
}

function Invoke-DemoTask {
    Invoke-Task Build
    Write-Step 'Demo'
    Invoke-Pwsh "$PSScriptRoot/docs/examples/Invoke-Demo.ps1"
    if ($LASTEXITCODE) {
        exit $LASTEXITCODE
    }
}

function Invoke-DocsTask {
    Invoke-Task Build
    Assert-Tool Microsoft.PowerShell.PlatyPS 'The pages in docs/en-US were neither updated nor checked.'
    Write-Step 'Bring docs/en-US up to date'
    $fresh = Join-Path $out 'docs'
    Invoke-Pwsh "$PSScriptRoot/docs/Update-Pages.ps1" -Module "$PSScriptRoot/Checkpoint.psd1" -Path $pages -OutputPath $fresh
    if ($LASTEXITCODE) {
        throw 'The pages could not be made. The reason stands above.'
    }

    $changed = Get-ChildItem -LiteralPath $fresh -Filter *.md | Where-Object {
        $old = Join-Path $pages $_.Name
        -not (Test-Path -LiteralPath $old) -or (Get-FileHash $old).Hash -ne (Get-FileHash $_).Hash
    }
    if ($changed -and $Check) {
        throw "Not up to date with the cmdlets: $($changed.Name -join ', '). Run: pwsh ./build.ps1 -Task Docs"
    }
    $null = New-Item -ItemType Directory -Path $pages -Force
    foreach ($page in $changed) {
        Copy-Item -LiteralPath $page -Destination $pages
        Write-Information "Updated docs/en-US/$($page.Name)"
    }
    Build-Help
}

function Invoke-PackageTask {
    Invoke-Task Build
    Write-Step 'Pack the module'
    if (-not (Test-Path "$help/Checkpoint.dll-Help.xml")) {
        throw 'There is no built help in en-US, and no package is made without it. The build above says why it was not built.'
    }
    $manifest = Import-PowerShellDataFile -LiteralPath "$PSScriptRoot/Checkpoint.psd1"
    $package = Join-Path $out 'package'
    $stage = Join-Path $package 'Checkpoint'
    Remove-Item -LiteralPath $package -Recurse -Force -ErrorAction Ignore
    $null = New-Item -ItemType Directory -Path "$stage/bin"
    Copy-Item "$PSScriptRoot/Checkpoint.psd1", $help -Destination $stage -Recurse
    Copy-Item "$PSScriptRoot/bin/*" -Include *.dll, *.ps1xml -Destination "$stage/bin"
    Copy-Item "$PSScriptRoot/bin/stores" -Recurse -Exclude *.pdb -Destination "$stage/bin"

    $escape = { [Security.SecurityElement]::Escape($args[0]) }
    $cmdlets = $manifest.CmdletsToExport
    $tags = @(
        'PSModule', 'PSEdition_Core', 'PSIncludes_Cmdlet'
        $manifest.PrivateData.PSData.Tags
        $cmdlets -replace '^', 'PSCmdlet_'
        $cmdlets -replace '^', 'PSCommand_'
    )
    Set-Content -LiteralPath "$package/Checkpoint.nuspec" -Value @"
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2011/08/nuspec.xsd">
  <metadata>
    <id>Checkpoint</id>
    <version>$($manifest.ModuleVersion)</version>
    <authors>$(& $escape $manifest.Author)</authors>
    <owners>$(& $escape $manifest.CompanyName)</owners>
    <description>$(& $escape $manifest.Description)</description>
    <releaseNotes>$(& $escape $manifest.PrivateData.PSData.ReleaseNotes)</releaseNotes>
    <copyright>$(& $escape $manifest.Copyright)</copyright>
    <tags>$(& $escape ($tags -join ' '))</tags>
  </metadata>
  <files>
    <file src="**" />
  </files>
</package>
"@
    # NuGet's own checks are for libraries: they want every dll in lib/.
    Invoke-Dotnet pack "$PSScriptRoot/src/Checkpoint" --no-build --configuration $Configuration --output $package `
        "-p:NuspecFile=$package/Checkpoint.nuspec" "-p:NuspecBasePath=$stage" '-p:NoPackageAnalysis=true' | Out-Host
}

function Invoke-CleanTask {
    'bin', 'en-US', 'out' | ForEach-Object { Join-Path $PSScriptRoot $_ } | Where-Object { Test-Path $_ } | Remove-Item -Recurse -Force
    $done.Clear()
}

function Build-Help {
    $sources = Get-Item "$pages/*.md" -ErrorAction Ignore
    if (-not $sources) {
        Write-Warning 'docs/en-US has no pages, so there is no help to build.'
        return
    }
    # The folder's own time tells of pages that came or went.
    $newest = (@($sources) + (Get-Item $pages)).LastWriteTimeUtc | Sort-Object -Bottom 1
    $built = Get-Item "$help/*" -ErrorAction Ignore
    if ($built -and -not ($built | Where-Object LastWriteTimeUtc -LT $newest)) {
        return
    }
    Write-Step 'Build the help'
    try {
        Assert-Tool Microsoft.PowerShell.PlatyPS 'The help was NOT built: Get-Help will show syntax alone, and Package will refuse.'
    }
    catch {
        Write-Warning $_
        return
    }
    Invoke-Pwsh "$PSScriptRoot/docs/Build-Help.ps1" -Path $pages -OutputPath $help
    if ($LASTEXITCODE) {
        throw 'The help could not be built. The reason stands above.'
    }
}

function Assert-Sdk {
    if (-not (Get-Command dotnet -CommandType Application -ErrorAction Ignore)) {
        throw 'There is no dotnet on the PATH. Install the .NET 10 SDK; nothing was built.'
    }
    $version = & dotnet --version 2>&1
    if ($LASTEXITCODE -or [int] ("$version" -split '\.')[0] -lt 10) {
        throw "The .NET 10 SDK is needed, and dotnet answers: $version. Nothing was built."
    }
}

function Assert-Tool([string] $Name, [string] $Otherwise) {
    $wanted = $modules[$Name]
    $found = Get-Module -Name $Name -ListAvailable | Where-Object { $_.Version -ge $wanted.Minimum -and $_.Version -lt $wanted.Below }
    if ($found) {
        return
    }
    Write-Information "Fetch $Name $($wanted.Pin) from the PowerShell Gallery"
    $folder = Join-Path $out 'modules'
    $null = New-Item -ItemType Directory -Path $folder -Force
    try {
        Save-PSResource -Name $Name -Version $wanted.Pin -Repository PSGallery -TrustRepository -Path $folder
    }
    catch {
        throw "$Name $($wanted.Minimum) or later, before $($wanted.Below), is not installed and could not be fetched: $_ $Otherwise"
    }
}

function Invoke-Pwsh([string] $Script) {
    $program, $first = Get-PwshCommand
    & $program @first -File $Script @args
}

function Get-PwshCommand {
    # PowerShell as a .NET tool is a dll without a program of its own.
    $program = Join-Path $PSHOME ($IsWindows ? 'pwsh.exe' : 'pwsh')
    (Test-Path $program) ? $program : 'dotnet', "$PSHOME/pwsh.dll"
    '-NoProfile', '-NonInteractive'
}

function Invoke-Dotnet {
    & dotnet @args
    if ($LASTEXITCODE) {
        throw "dotnet $($args[0]) failed. The reason stands above."
    }
}

function Write-Step([string] $Text) {
    Write-Information "`n== $Text"
}

$names = $Task -split ',' | ForEach-Object Trim | Where-Object { $_ }
if ($names -contains '?') {
    return $tasks.GetEnumerator() | ForEach-Object { '{0,-8} {1}' -f $_.Key, $_.Value }
}
$unknown = $names | Where-Object { $_ -notin $tasks.Keys }
if ($unknown) {
    throw "No such task: $($unknown -join ', '). There are: $($tasks.Keys -join ', ')."
}

$modulePath = $env:PSModulePath
try {
    $env:PSModulePath = (Join-Path $out 'modules') + [IO.Path]::PathSeparator + $modulePath
    $Module = $PSCmdlet.GetUnresolvedProviderPathFromPSPath($Module)
    $names | ForEach-Object { Invoke-Task $_ }
}
finally {
    $env:PSModulePath = $modulePath
}
