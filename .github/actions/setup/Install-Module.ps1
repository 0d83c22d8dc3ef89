#Requires -Version 7.4
<#
.SYNOPSIS
The work of action.yml: makes the module Checkpoint available to the steps of the job that follow, and sets their context.

.DESCRIPTION
The module goes into a folder of this job's own, which is put on PSModulePath: no module that the machine keeps is touched. Reads the inputs from INPUT_*, and writes GITHUB_ENV
and GITHUB_OUTPUT.
#>
[CmdletBinding()]
param()

$ErrorActionPreference = 'Stop'
$folder = Join-Path $env:RUNNER_TEMP 'checkpoint-modules'
Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction Ignore
$null = New-Item -ItemType Directory $folder

if ($env:INPUT_REPOSITORY) {
    $wanted = @{ Name = 'Checkpoint' }
    if ($env:INPUT_VERSION) {
        $wanted.Version = $env:INPUT_VERSION
    }
    $repository = "checkpoint-$([guid]::NewGuid().ToString('N'))"
    Register-PSResourceRepository -Name $repository -Uri $env:INPUT_REPOSITORY -Trusted
    try {
        Save-PSResource @wanted -Repository $repository -Path $folder
    }
    finally {
        Unregister-PSResourceRepository -Name $repository
    }
}
else {
    if ($env:INPUT_VERSION) {
        throw 'A version is that of a package: say by the input repository where packages are, or name the version of the action (uses: …@v1.2.3) to have the module of that.'
    }
    $root = [IO.Path]::GetFullPath("$PSScriptRoot/../../..")
    if (-not (Test-Path "$root/bin/Checkpoint.dll")) {
        & "$root/build.ps1" -Task Build | Out-Host
    }
    $version = (Import-PowerShellDataFile -LiteralPath "$root/Checkpoint.psd1").ModuleVersion
    $module = New-Item -ItemType Directory "$folder/Checkpoint/$version"
    # Help is built where PlatyPS could be had.
    "$root/Checkpoint.psd1", "$root/bin", "$root/en-US" | Where-Object { Test-Path -LiteralPath $_ } | Copy-Item -Destination $module -Recurse
}

$manifest = Get-Item "$folder/Checkpoint/*/Checkpoint.psd1"
Import-Module $manifest.FullName
$version = (Import-PowerShellDataFile -LiteralPath $manifest.FullName).ModuleVersion

# What PowerShell 7 adds to the variable by itself would keep Windows PowerShell from its own modules.
$others = $IsWindows ? [Environment]::GetEnvironmentVariable('PSModulePath', 'Machine') : $env:PSModulePath
$variables = [ordered]@{ PSModulePath = $folder + [IO.Path]::PathSeparator + $others }
if ($env:INPUT_STORE) {
    $isLocation = $env:INPUT_STORE -match '^\w{2,}://' -or [IO.Path]::IsPathRooted($env:INPUT_STORE)
    $variables.CHECKPOINT_STORE = $isLocation ? $env:INPUT_STORE : (Join-Path $env:GITHUB_WORKSPACE $env:INPUT_STORE)
}
foreach ($name in 'PIPELINE', 'RUN', 'KEEP') {
    $value = [Environment]::GetEnvironmentVariable("INPUT_$name")
    if ($value) {
        $variables["CHECKPOINT_$name"] = $value
    }
}

# A delimiter that nobody knows before: whatever is in a value, it ends with the line that it should.
$delimiter = [guid]::NewGuid().ToString('N')
foreach ($name in $variables.Keys) {
    Add-Content -LiteralPath $env:GITHUB_ENV "$name<<$delimiter`n$($variables[$name])`n$delimiter"
}
Add-Content -LiteralPath $env:GITHUB_OUTPUT "version=$version"
"Checkpoint $version is installed."
