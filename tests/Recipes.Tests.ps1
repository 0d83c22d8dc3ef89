# The recipes of docs/ci.md, executed as the runner would: a first attempt that fails, its re-run, and another run.

BeforeDiscovery {
    # Their headings are found by the shape of the page; that they are the six that there should be says a test.
    $page = Get-Content "$PSScriptRoot/../docs/ci.md" -Raw
    $recipes = foreach ($system in [regex]::Matches($page, '(?ms)^## (GitHub Actions|Azure DevOps)\r?\n(.*?)(?=^## |\z)')) {
        foreach ($recipe in [regex]::Matches($system.Groups[2].Value, '(?ms)^### (.*?)\r?\n.*?^```yaml\r?\n(.*?)^```')) {
            @{ System = $system.Groups[1].Value; Title = $recipe.Groups[1].Value.Trim(); Yaml = $recipe.Groups[2].Value }
        }
    }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Job.ps1
    . $PSScriptRoot/Postgres.ps1
    $yaml = "$RepositoryRoot/out/bin/Checkpoint.Core.Tests/release/YamlDotNet.dll"
    if (-not (Test-Path $yaml)) {
        throw "The tests of recipes read YAML by what the xunit tests bring: dotnet build tests/Checkpoint.Core.Tests -c Release"
    }
    # Apart from that of PlatyPS, which other tests of the same process load.
    $builder = [Runtime.Loader.AssemblyLoadContext]::new('recipes').LoadFromAssemblyPath($yaml).GetType('YamlDotNet.Serialization.DeserializerBuilder')
    $page = Get-Content "$RepositoryRoot/docs/ci.md" -Raw

    function ConvertFrom-RecipeYaml([string] $Text) {
        # Only text, lists and tables, as the runners read it too.
        [Activator]::CreateInstance($builder).Build().Deserialize([IO.StringReader]::new($Text))
    }

    # What the attempts of one recipe share: what the cache and the artifacts keep, the secrets, the folder on the network.
    function New-World([string] $Recipe) {
        $folder = New-TestFolder
        $world = @{ Folder = $folder; Cache = [ordered]@{}; Artifacts = @{}; Values = @{}; Recipe = $Recipe; Package = $package }
        $world.Script = [regex]::Match($page, '(?ms)^```powershell\r?\n(.*?)^```').Groups[1].Value
        if ($Recipe -match 'secrets\.CHECKPOINT_STORE|\$\(CheckpointStore\)') {
            $world.Values['secrets.CHECKPOINT_STORE'] = $world.Values['CheckpointStore'] = New-PostgresStore
        }
        $world
    }

    function Copy-Tree([string] $From, [string] $To) {
        Remove-Item -LiteralPath $To -Recurse -Force -ErrorAction Ignore
        $null = New-Item -ItemType Directory -Force (Split-Path $To)
        Copy-Item -LiteralPath $From -Destination $To -Recurse -Force
    }

    # A value of the recipe with what the system puts in. What is unknown is a mistake of the recipe.
    function Expand-Value([hashtable] $World, [hashtable] $Values, [string] $Text) {
        $Text = [regex]::Replace($Text, '\$\{\{\s*(.*?)\s*\}\}', {
                $name = $args[0].Groups[1].Value
                $Values.ContainsKey($name) ? $Values[$name] : $(throw "Nothing is known of the expression '$name'")
            })
        $Text = [regex]::Replace($Text, '\$\(([\w.]+)\)', { $Values.ContainsKey($args[0].Groups[1].Value) ? $Values[$args[0].Groups[1].Value] : $args[0].Value })
        $Text.Replace('/mnt/ci', "$($World.Folder)/mnt")
    }

    function New-Attempt([hashtable] $World, [string] $System, [string] $Run, [int] $Attempt, [switch] $Mended) {
        $job = New-Job $System -Run $Run -Attempt $Attempt
        # A machine of the cloud is new each time, so nothing is found in a home either.
        $job.Environment.HOME = (New-Item -ItemType Directory "$($job.Folder)/home").FullName
        'XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'PSModulePath' | ForEach-Object { $job.Environment[$_] = $null }
        @{
            World = $World; Job = $job; Mended = $Mended; Failed = $false; Steps = @{}; Results = @{}; Ran = [Collections.Generic.List[string]]::new()
            Values = $World.Values + @{
                'github.run_id' = $Run; 'github.run_attempt' = "$Attempt"
                'System.JobAttempt' = "$Attempt"; 'Pipeline.Workspace' = $job.Folder; 'CheckpointFeed' = $World.Package
            }
        }
    }

    function Invoke-Checkout([hashtable] $At) {
        Set-Content "$($At.Job.Workspace)/nightly.ps1" $At.World.Script
        if ($At.Mended) {
            $null = New-Item -ItemType Directory "$($At.Job.Workspace)/reports"
        }
    }

    # Runs a script of a step, and has the steps behind it see what it set.
    function Invoke-Script([hashtable] $At, [string] $Script, [string] $Name, [object] $Environment, [hashtable] $More = @{}) {
        $variables = @{} + $More
        foreach ($key in $Environment ? $Environment.Keys : @()) {
            $variables[$key] = Expand-Value $At.World $At.Values $Environment[$key]
        }
        $result = Invoke-JobStep $At.Job (Expand-Value $At.World $At.Values $Script) -Environment $variables
        foreach ($key in $result.Variables.Keys) {
            $At.Values[$key] = $result.Variables[$key]
            $At.Job.Environment[$key] = $result.Variables[$key]
        }
        foreach ($key in $result.Outputs.Keys) {
            "$Name.$key", "steps.$Name.outputs.$key" | ForEach-Object { $At.Values[$_] = $result.Outputs[$key] }
        }
        if ($Name) {
            $At.Results[$Name] = $result
        }
        $At.Failed = $At.Failed -or $result.ExitCode -ne 0
        $result
    }

    # Whether a step runs, by its if or condition.
    function Test-Condition([hashtable] $At, [string] $Text) {
        $function, $left, $right = switch -Regex ($Text) {
            '^$' { 'succeeded' }
            '^always\(\)$' { 'always' }
            "^(steps\.[\w.-]+) == '(.*)'$" { 'and', $Matches[1], $Matches[2]; break }
            "^eq\(variables\['(.*)'\], '(.*)'\)$" { 'eq', $Matches[1], $Matches[2]; break }
            "^and\(succeeded\(\), ne\(variables\['(.*)'\], '(.*)'\)\)$" { 'and-ne', $Matches[1], $Matches[2]; break }
            default { throw "Nothing is known of the condition '$Text'" }
        }
        switch ($function) {
            'succeeded' { -not $At.Failed }
            'always' { $true }
            'eq' { $At.Values[$left] -eq $right }
            'and' { -not $At.Failed -and $At.Values[$left] -eq $right }
            'and-ne' { -not $At.Failed -and $At.Values[$left] -ne $right }
        }
    }

    function Invoke-GitHubStep([hashtable] $At, [object] $Step) {
        $uses = "$($Step['uses'])"
        $with = @{}
        foreach ($key in $Step['with'] ? $Step['with'].Keys : @()) {
            $with[$key] = Expand-Value $At.World $At.Values $Step['with'][$key]
        }
        $path = $with.path ? (Join-Path $At.Job.Workspace $with.path) : $null
        switch -Regex ($uses) {
            '^$' { $null = Invoke-Script $At $Step['run'] $Step['id'] $Step['env']; $Step['shell'] | Should -Be pwsh }
            '^actions/checkout@v4$' { Invoke-Checkout $At }
            '^actions/setup-dotnet@v4$' { }
            '^actions/cache/restore@v4$' {
                $key = @($At.World.Cache.Keys | Where-Object { $_ -eq $with.key }) + @($At.World.Cache.Keys | Where-Object { $with.'restore-keys' -and $_.StartsWith($with.'restore-keys', 'Ordinal') } | Select-Object -Last 1) | Select-Object -First 1
                if ($key) { Copy-Tree $At.World.Cache[$key] $path }
            }
            '^actions/cache/save@v4$' {
                $At.World.Cache.Keys | Should -Not -Contain $with.key -Because 'a key is saved once'
                $copy = "$($At.World.Folder)/cache/$($At.World.Cache.Count)"
                Copy-Tree $path $copy
                $At.World.Cache[$with.key] = $copy
            }
            '^your-org/checkpoint/\.github/actions/setup@v' { Invoke-SetupAction $At $with }
            default { throw "Nothing is known of the action '$uses'" }
        }
    }

    function Invoke-SetupAction([hashtable] $At, [hashtable] $With) {
        $folder = "$RepositoryRoot/.github/actions/setup"
        $action = ConvertFrom-RecipeYaml (Get-Content "$folder/action.yml" -Raw)
        $With.Keys | ForEach-Object { $action['inputs'].Keys | Should -Contain $_ }
        $values = @{}
        foreach ($name in $action['inputs'].Keys) {
            $values["inputs.$name"] = $With[$name] ?? $action['inputs'][$name]['default']
        }
        $inner = $At + @{}
        $inner.Values = $values
        foreach ($step in $action['runs']['steps']) {
            $null = Invoke-Script $inner $step['run'] $step['id'] $step['env'] @{ GITHUB_ACTION_PATH = $folder }
        }
        $At.Failed = $inner.Failed
        foreach ($name in $At.Failed ? @() : $action['outputs'].Keys) {
            $At.Setup = @{ $name = Expand-Value $At.World $values $action['outputs'][$name]['value'] }
        }
    }

    function Invoke-AzureStep([hashtable] $At, [object] $Step) {
        $inputs = @{}
        foreach ($key in $Step['inputs'] ? $Step['inputs'].Keys : @()) {
            $inputs[$key] = Expand-Value $At.World $At.Values $Step['inputs'][$key]
        }
        if ($Step['checkout'] -eq 'self') {
            Invoke-Checkout $At
        }
        elseif ($Step['pwsh']) {
            $null = Invoke-Script $At $Step['pwsh'] $Step['name'] $Step['env']
        }
        elseif ($Step['task'] -eq 'DownloadPipelineArtifact@2') {
            if ($At.World.Artifacts[$inputs.artifact]) { Copy-Tree $At.World.Artifacts[$inputs.artifact] $inputs.path }
            elseif ($Step['continueOnError'] -ne 'true') { $At.Failed = $true }
        }
        elseif ($Step['task'] -eq 'PublishPipelineArtifact@1') {
            $At.World.Artifacts.Keys | Should -Not -Contain $inputs.artifact -Because 'the name of an artifact is taken once'
            $copy = "$($At.World.Folder)/artifacts/$($inputs.artifact)"
            Copy-Tree $inputs.targetPath $copy
            $At.World.Artifacts[$inputs.artifact] = $copy
        }
        else {
            throw "Nothing is known of the step '$($Step.Keys)'"
        }
    }

    function Invoke-Attempt([hashtable] $World, [object] $Recipe, [string] $Run, [int] $Attempt, [switch] $Mended) {
        $isGitHub = $Recipe.ContainsKey('jobs')
        $at = New-Attempt $World ($isGitHub ? 'github' : 'azure') $Run $Attempt -Mended:$Mended
        $job = $isGitHub ? $Recipe['jobs']['nightly'] : $Recipe
        $variables = $isGitHub ? $job['env'] : $job['variables']
        foreach ($name in $variables ? $variables.Keys : @()) {
            $at.Values[$name] = $at.Job.Environment[$name] = Expand-Value $World $at.Values $variables[$name]
        }
        foreach ($step in $job['steps']) {
            if (Test-Condition $at "$($step['if'])$($step['condition'])") {
                $at.Ran.Add("$($step['uses'])$($step['task'])$($step['run'])$($step['pwsh'])")
                & ($isGitHub ? 'Invoke-GitHubStep' : 'Invoke-AzureStep') $at $step
            }
        }
        $at
    }

    function Get-Outcome([hashtable] $At) {
        'list', 'hash', 'publish' | ForEach-Object { $At.Results['work'].Outputs["checkpoint-$_"] }
    }

    # The package that feeds of Azure DevOps and the input repository of the action have.
    $package = New-TestFolder
    $content = (New-Item -ItemType Directory "$package/content/Checkpoint").FullName
    'Checkpoint.psd1', 'bin', 'en-US' | ForEach-Object { Join-Path (Split-Path $ModulePath) $_ } | Where-Object { Test-Path $_ } | Copy-Item -Destination $content -Recurse
    Compress-PSResource -Path $content -DestinationPath $package
    Remove-Item "$package/content" -Recurse
    $missing = Start-PostgreSql
}

AfterAll {
    Clear-PostgreSql
}

Describe 'The recipes of docs/ci.md' -Tag AnyStore {
    It 'are three for each system' -ForEach @{ Found = $recipes } {
        $Found | ForEach-Object { "$($_.System): $($_.Title)" } | Should -Be @(
            'GitHub Actions: With a cache', 'GitHub Actions: With PostgreSQL', 'GitHub Actions: With a shared folder'
            'Azure DevOps: With artifacts', 'Azure DevOps: With PostgreSQL', 'Azure DevOps: With a shared folder'
        )
    }

    # On Windows the home of a user, where modules go, cannot be moved by the environment.
    It 'skip on a re-run what the first attempt finished, and start afresh with a new run: <System>, <Title>' -ForEach $recipes -Skip:$IsWindows {
        if ($missing -and $Title -like '*PostgreSQL') {
            Set-ItResult -Skipped -Because $missing
            return
        }
        $recipe = ConvertFrom-RecipeYaml $Yaml
        $world = New-World $Yaml
        $first = Invoke-Attempt $world $recipe -Run 100 -Attempt 1
        $log = $first.Results['work'].Log -join "`n"
        $first.Failed | Should -BeTrue -Because $log
        Get-Outcome $first | Should -Be 'completed', 'completed', 'failed' -Because $log
        $first.Results['work'].Summary | Should -Match '\*\*failed\*\*, 2/3 stages done'
        $shown = $first.Results['work'].Commands | Where-Object Name -In 'error', 'task.logissue'
        $shown.Data | Should -BeLike "Stage 'publish' failed: Could not find a part of the path*"
        $shown.Properties['file'] ?? $shown.Properties['sourcepath'] | Should -Be 'nightly.ps1'

        $second = Invoke-Attempt $world $recipe -Run 100 -Attempt 2 -Mended
        $log = $second.Results['work'].Log -join "`n"
        $second.Failed | Should -BeFalse -Because $log
        Get-Outcome $second | Should -Be 'skipped', 'skipped', 'completed' -Because $log
        $second.Results['work'].Summary | Should -Match '\*\*completed\*\*, 3/3 stages done'
        (Import-Csv "$($second.Job.Workspace)/reports/hashes.csv").Path | Should -HaveCount @(Get-ChildItem $PSHOME -Filter *.dll).Count
        if ($Yaml -match 'The report is new') {
            $first.Ran -match 'The report is new' | Should -BeNullOrEmpty
            $second.Ran -match 'The report is new' | Should -HaveCount 1
        }

        # Artifacts belong to their run.
        $world.Artifacts = @{}
        $other = Invoke-Attempt $world $recipe -Run 101 -Attempt 1 -Mended
        Get-Outcome $other | Should -Be 'completed', 'completed', 'completed'
    }

    It 'are what the README shows of them' {
        $shown = [regex]::Match((Get-Content "$RepositoryRoot/README.md" -Raw), '(?ms)^```yaml\r?\n(.*?)^```').Groups[1].Value
        $steps = ConvertFrom-RecipeYaml $shown
        $recipe = ConvertFrom-RecipeYaml ([regex]::Match($page, '(?ms)^```yaml\r?\n(.*?)^```').Groups[1].Value)
        $essence = { $args[0] | ConvertTo-Json -Compress }
        $all = $recipe['jobs']['nightly']['steps'] | ForEach-Object { & $essence $_ }
        foreach ($step in $steps) {
            & $essence $step | Should -BeIn $all
        }
        $steps | Should -HaveCount 3
    }
}

Describe '.github/actions/setup' -Tag AnyStore -Skip:$IsWindows {
    BeforeEach {
        $at = New-Attempt (New-World '') github -Run 1 -Attempt 1
        $probe = 'Get-CheckpointContext | Select-Object Store, Pipeline, Run, Keep | ConvertTo-Json -Compress; (Get-Module Checkpoint).ModuleBase; $env:EVIL'
    }

    It 'installs a package and sets the context of the steps that follow, wherever they are' {
        Invoke-SetupAction $at @{ repository = $package; store = 'state/check points'; pipeline = "a<<b`nEVIL=1"; run = 'r=1'; keep = '3' }
        $at.Failed | Should -BeFalse
        $at.Setup.version | Should -Be (Get-Module Checkpoint).Version
        $seen = Invoke-JobStep $at.Job "Set-Location /; $probe"
        $context = $seen.Log[0] | ConvertFrom-Json
        $context.Store | Should -Be "$($at.Job.Workspace)/state/check points"
        # No name, and said as it was given: what it holds sets nothing else.
        $context.Pipeline, $context.Run, $context.Keep | Should -Be "a<<b`nEVIL=1", 'r=1', 3
        $seen.Log[1] | Should -BeLike "$($at.Job.Temp)/*"
        $seen.Log[2] | Should -BeNullOrEmpty
    }

    It 'installs the module of its own checkout and leaves the context as it is where nothing is said' {
        Invoke-SetupAction $at @{}
        $at.Failed | Should -BeFalse
        $seen = Invoke-JobStep $at.Job $probe
        $context = $seen.Log[0] | ConvertFrom-Json
        $context.Store, $context.Pipeline, $context.Run, $context.Keep | Should -Be "$($at.Job.Workspace)/.checkpoints", 'Nightly work', '1', $null
        $seen.Log[1] | Should -BeLike "$($at.Job.Temp)/*"
    }

    It 'leaves the address of a store as it is' {
        Invoke-SetupAction $at @{ store = 'postgresql://user@host/database' }
        $at.Job.Environment.CHECKPOINT_STORE | Should -Be 'postgresql://user@host/database'
    }

    It 'fails where the version is not to be had' {
        Invoke-SetupAction $at @{ repository = $package; version = '99.0' }
        $at.Failed | Should -BeTrue
    }
}
