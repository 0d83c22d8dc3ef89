# Plays the runner of GitHub Actions and the agent of Azure DevOps, as far as steps of scripts need them: the variables, the environment files and the way in which scripts are
# started, and the log with the commands that are read from it. Common.ps1 comes first.

function New-Job {
    <#
    .SYNOPSIS
    Makes the folders of a job and emits it: System, Folder, Workspace, Temp, and the Environment that its steps have.

    .EXAMPLE
    $job = New-Job github
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [ValidateSet('github', 'azure')] [string] $System,
        [string] $Run = '4711',
        [int] $Attempt = 1
    )

    $folder = New-TestFolder
    $workspace, $temp = 'work', 'temp' | ForEach-Object { (New-Item -ItemType Directory "$folder/$_").FullName }
    # What this process itself runs under is not the job's.
    $environment = @{}
    Get-ChildItem Env: | Where-Object Name -Match '^(CHECKPOINT|GITHUB|RUNNER|BUILD|SYSTEM|AGENT)_|^(CI|TF_BUILD)$' | ForEach-Object { $environment[$_.Name] = $null }
    $own = $System -eq 'github' ? @{
        CI = 'true'; GITHUB_ACTIONS = 'true'; GITHUB_WORKSPACE = $workspace; GITHUB_WORKFLOW = 'Nightly work'; GITHUB_RUN_ID = $Run; GITHUB_RUN_ATTEMPT = "$Attempt"
        RUNNER_TEMP = $temp; RUNNER_OS = 'Linux'
    } : @{
        TF_BUILD = 'True'; BUILD_SOURCESDIRECTORY = $workspace; BUILD_DEFINITIONNAME = 'Nightly work'; BUILD_BUILDID = $Run; SYSTEM_JOBATTEMPT = "$Attempt"
        AGENT_TEMPDIRECTORY = $temp; PIPELINE_WORKSPACE = $folder
    }
    # Our own CI has some of them too.
    $own.Keys | ForEach-Object { $environment[$_] = $own[$_] }
    [pscustomobject]@{ System = $System; Folder = $folder; Workspace = $workspace; Temp = $temp; Run = $Run; Attempt = $Attempt; Environment = $environment }
}

function Start-JobStep {
    <#
    .SYNOPSIS
    Starts a script as a step of a job, and does not wait for it: Complete-JobStep does.

    .DESCRIPTION
    The script is written to a file and started as the runner does it: `pwsh -command ". 'file'"`, with errors that end it.

    .PARAMETER File
    Start it by -File, without the runner's own lines around it.

    .EXAMPLE
    $step = Start-JobStep $job { Invoke-CheckpointStage a { 1 } }
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [object] $Job,
        [Parameter(Mandatory, Position = 1)] [object] $Script,
        [hashtable] $Environment = @{},
        [string] $Path,
        [switch] $File
    )

    $id = [guid]::NewGuid().ToString('N')
    $files = @{}
    if ($Job.System -eq 'github') {
        foreach ($name in 'GITHUB_OUTPUT', 'GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_STEP_SUMMARY') {
            $files[$name] = (New-Item -ItemType File "$($Job.Temp)/$($name.ToLowerInvariant())_$id").FullName
        }
    }
    $Path = $Path ? $Path : "$($Job.Temp)/$id.ps1"
    Set-Content -LiteralPath $Path ($File ? "$Script" : "`$ErrorActionPreference = 'stop'`n$Script`nif ((Test-Path -LiteralPath variable:\LASTEXITCODE)) { exit `$LASTEXITCODE }")
    $program, $arguments = $script:Launcher + @(Get-PwshCommand) + '-NoProfile', '-NonInteractive' + ($File ? @('-File', $Path) : @('-Command', ". '$Path'"))
    $start = [Diagnostics.ProcessStartInfo]::new($program)
    $arguments | ForEach-Object { $start.ArgumentList.Add($_) }
    $start.WorkingDirectory = $Job.Workspace
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = $start.StandardErrorEncoding = [Text.UTF8Encoding]::new($false)
    foreach ($set in $Job.Environment, $files, @{ NO_COLOR = '1' }, $Environment) {
        foreach ($name in $set.Keys) {
            if ($null -eq $set[$name]) {
                $null = $start.Environment.Remove($name)
            }
            else {
                $start.Environment[$name] = $set[$name]
            }
        }
    }
    $process = [Diagnostics.Process]::Start($start)
    $process.StandardInput.Close()
    [pscustomobject]@{
        Job = $Job; Files = $files; Process = $process
        OutputTask = $process.StandardOutput.ReadToEndAsync(); ErrorTask = $process.StandardError.ReadToEndAsync()
    }
}

function Complete-JobStep {
    <#
    .SYNOPSIS
    Waits for a step and emits what the runner has of it: ExitCode, Log (lines), Commands (as found in the log), Outputs, Variables and Summary.

    .EXAMPLE
    $result = Complete-JobStep (Start-JobStep $job { Invoke-CheckpointStage a { 1 } })
    $result.Outputs['checkpoint-a'] | Should -Be 'completed'
    #>
    param([Parameter(Mandatory, Position = 0)] [object] $Step)

    $left = Wait-Pwsh $Step
    $log = @($left.Output) + @($left.ErrorOutput -split '\r?\n')
    $result = [pscustomobject]@{ ExitCode = $left.ExitCode; Log = $log; Commands = @(Find-JobCommand $Step.Job.System $log); Outputs = @{}; Variables = @{}; Summary = '' }
    if ($Step.Job.System -eq 'github') {
        $result.Outputs = Read-EnvironmentFile $Step.Files.GITHUB_OUTPUT
        $result.Variables = Read-EnvironmentFile $Step.Files.GITHUB_ENV
        $result.Summary = [IO.File]::ReadAllText($Step.Files.GITHUB_STEP_SUMMARY)
    }
    foreach ($command in $result.Commands) {
        if ($command.Name -eq 'task.setvariable') {
            $set = $command.Properties['isOutput'] -eq 'true' ? $result.Outputs : $result.Variables
            $set[$command.Properties['variable']] = $command.Data
        }
        elseif ($command.Name -eq 'task.uploadsummary') {
            $result.Summary += [IO.File]::ReadAllText($command.Data)
        }
    }
    $result
}

function Invoke-JobStep {
    <#
    .SYNOPSIS
    Start-JobStep and Complete-JobStep in one; the parameters are those of the former.
    #>
    param(
        [Parameter(Mandatory, Position = 0)] [object] $Job,
        [Parameter(Mandatory, Position = 1)] [object] $Script,
        [hashtable] $Environment = @{},
        [string] $Path,
        [switch] $File
    )

    Complete-JobStep (Start-JobStep @PSBoundParameters)
}

function Find-JobCommand {
    <#
    .SYNOPSIS
    The commands that the runner finds in a log: Name, Properties, Data, decoded as it does.

    .DESCRIPTION
    As ActionCommand.cs of actions/runner and Command.cs of azure-pipelines-agent look for them, with any name for one that the runner knows.
    #>
    param([string] $System, [string[]] $Log)

    $decode = { param($text, $pairs) foreach ($pair in $pairs) { $text = $text.Replace($pair[0], $pair[1]) } $text }
    $data = @(, ('%0D', "`r")) + @(, ('%0A', "`n"))
    foreach ($line in $Log) {
        if ($System -eq 'github') {
            $match = [regex]::Match($line, '^\s*::(?<name>[^\s:]+)(?: (?<properties>.*?))?::(?<data>.*)$')
            $separator, $inProperties, $inData = ',', ($data + @(, ('%3A', ':')) + @(, ('%2C', ',')) + @(, ('%25', '%'))), ($data + @(, ('%25', '%')))
            if (-not $match.Success) {
                $match = [regex]::Match($line, '##\[(?<name>[^\s\]]+)(?: (?<properties>[^\]]*))?\](?<data>.*)$')
            }
        }
        else {
            $match = [regex]::Match($line, '##vso\[(?<name>[^\s\]]+)(?: (?<properties>[^\]]*))?\](?<data>.*)$', 'IgnoreCase')
            $separator, $inData = ';', ($data + @(, ('%3B', ';')) + @(, ('%5D', ']')) + @(, ('%AZP25', '%')))
            $inProperties = $inData
            if (-not $match.Success) {
                # Formats of the log, which stand at the beginning of a line and hold nothing encoded.
                $match = [regex]::Match($line, '^##\[(?<name>group|endgroup|error|warning|section|command|debug)\](?<data>.*)$')
                $inData = @()
            }
        }
        if ($match.Success) {
            $properties = @{}
            foreach ($property in $match.Groups['properties'].Value -split $separator -ne '') {
                $name, $value = $property -split '=', 2
                $properties[$name] = & $decode "$value" $inProperties
            }
            [pscustomobject]@{ Name = $match.Groups['name'].Value; Properties = $properties; Data = & $decode $match.Groups['data'].Value $inData; Line = $line }
        }
    }
}

function Read-EnvironmentFile {
    <#
    .SYNOPSIS
    What GITHUB_OUTPUT or GITHUB_ENV sets, read as the runner does: name=value, or name<<delimiter, lines, delimiter.
    #>
    param([string] $Path)

    $set = @{}
    $lines = [Collections.Generic.Queue[string]] [string[]] @([IO.File]::ReadAllText($Path) -split '\n')
    while ($lines.Count) {
        $line = $lines.Dequeue()
        if (-not $line) {
            continue
        }
        $equals, $heredoc = $line.IndexOf('='), $line.IndexOf('<<')
        if ($equals -ge 0 -and ($heredoc -lt 0 -or $equals -lt $heredoc)) {
            $set[$line.Substring(0, $equals)] = $line.Substring($equals + 1)
        }
        elseif ($heredoc -gt 0) {
            $name, $delimiter = $line.Substring(0, $heredoc), $line.Substring($heredoc + 2)
            $value = while (($line = $lines.Dequeue()) -cne $delimiter) { $line }
            $set[$name] = $value -join "`n"
        }
        else {
            throw "Invalid format '$line'"
        }
    }
    $set
}
