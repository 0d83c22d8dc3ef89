# Stores that are no folders: found by the scheme of their URI, loaded apart, and as good as a folder to every cmdlet.

BeforeAll {
    . $PSScriptRoot/Common.ps1

    $sample = Join-Path $RepositoryRoot 'out/bin/Checkpoint.Stores.Sample/release/Checkpoint.Stores.Sample.dll'
    function New-SampleStore { "sqlite://$TestDrive/$([guid]::NewGuid().ToString('N')).db" }
    # What the process has loaded, and where.
    $loaded = { [AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -match '^Microsoft\.Data\.Sqlite|^Npgsql|^Checkpoint\.Stores' } | ForEach-Object { "$($_.GetName().Name) in $([Runtime.Loader.AssemblyLoadContext]::GetLoadContext($_).Name)" } }
}

Describe 'A driver' -Tag AnyStore {
    It 'is loaded when a store of its kind is first used, with its libraries, native ones too, in a context of its own' {
        $left = Invoke-Pwsh "
            param(`$sample, `$store)
            [Checkpoint.StoreDrivers]::Register('sqlite', `$sample)
            `$loaded = {$loaded}
            'before: ' + ((& `$loaded) -join ', ')
            Save-Checkpoint a -State @{ n = 1 } -Store `$store
            (Restore-Checkpoint a -Store `$store).n
            & `$loaded | Sort-Object
        " $sample, (New-SampleStore)
        $left.ErrorOutput | Should -BeNullOrEmpty
        $left.Output | Should -Be 'before: ', 1, 'Checkpoint.Stores.Sample in Checkpoint driver Checkpoint.Stores.Sample', 'Microsoft.Data.Sqlite in Checkpoint driver Checkpoint.Stores.Sample'
    }

    It 'serves every cmdlet' {
        [Checkpoint.StoreDrivers]::Register('SQLITE', $sample)
        $store = New-SampleStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        Test-Checkpoint a @at | Should -BeFalse
        $saved = Save-Checkpoint a -State ([byte[]] (1..200)) -Metadata @{ loss = 1 } -PassThru @at
        $saved.Store | Should -Be $store
        Save-Checkpoint a ('x' * 3MB) -Keep 1 @at
        (Get-Checkpoint a -AllSteps @at).Step | Should -Be 2
        (Restore-Checkpoint a @at).Length | Should -Be 3MB
        Get-Checkpoint a @at | Clear-Checkpoint
        Test-Checkpoint a @at | Should -BeFalse
        { Restore-Checkpoint a @at } | Should -Throw -ErrorId 'CheckpointNotFound,*'
        $ran = [Collections.Generic.List[int]]::new()
        foreach ($time in 1, 2) { Invoke-CheckpointStage s { $ran.Add(1); 1, 2 } @at 6>$null | Should -Be 1, 2 }
        $ran.Count | Should -Be 1
        1..4 | Invoke-CheckpointItem i { 10 * $_ } -SaveOutput @at 6>$null | Should -Be 10, 20, 30, 40
        1..5 | Invoke-CheckpointItem i { 11 * $_ } -SaveOutput @at 6>$null | Should -Be 10, 20, 30, 40, 55
        (Invoke-CheckpointPipeline nightly -Store $store { stage one { 1 }; stage two { 2 } -DependsOn one }).Status | Should -Be Completed
        (Get-CheckpointRun -Pipeline nightly -Store $store).Stages.Count | Should -Be 2
        (Get-CheckpointHistory -Store $store -Pipeline default).Event | Should -Contain StageCompleted
        Save-Checkpoint behind 7 -Async @at
        Restore-Checkpoint behind @at | Should -Be 7
        $key = [byte[]]::new(32)
        Save-Checkpoint secret 'launch' -Key $key @at
        Update-CheckpointKey secret -Key $key -NewKey ([byte[]] (1..32)) @at
        Restore-Checkpoint secret -Key ([byte[]] (1..32)) @at | Should -Be launch
        Test-CheckpointStore -Store $store | Should -BeNullOrEmpty
        Clear-Checkpoint @at
        Get-Checkpoint @at | Should -BeNullOrEmpty
    }

    It 'is named in the error where it cannot be had: <Why>' -ForEach @(
        @{ Why = 'it is not there'; Path = { "$TestDrive/none.dll" }; Message = '*is not there*' }
        @{ Why = 'it is no assembly'; Path = { Set-Content "$TestDrive/text.dll" 'text'; "$TestDrive/text.dll" }; Message = '*cannot be loaded*' }
        @{ Why = 'it has no driver'; Path = { Join-Path $RepositoryRoot 'bin/Checkpoint.dll' }; Message = '*public class*' }
    ) {
        [Checkpoint.StoreDrivers]::Register('broken', (& $Path))
        $fault = { Test-Checkpoint a -Store 'broken://x' } | Should -Throw -ErrorId 'StoreUnavailable,*' -PassThru
        $fault.Exception.Message | Should -BeLike $Message
    }

    It 'can be registered for any scheme but that of files' {
        { [Checkpoint.StoreDrivers]::Register('file', $sample) } | Should -Throw
        { [Checkpoint.StoreDrivers]::Register('no scheme', $sample) } | Should -Throw
        { [Checkpoint.StoreDrivers]::Register('mine', 'relative.dll') } | Should -Throw
    }
}

Describe 'A password in the address of a store' -Tag AnyStore {
    It 'is shown nowhere' {
        $store = 'postgresql://ops:launch-1234@127.0.0.1:1/ci?connect_timeout=1'
        $left = Invoke-Pwsh {
            param($store)
            $ErrorActionPreference = 'Continue'
            Set-CheckpointContext -Store $store -PassThru -Verbose *>&1 | Out-String -Width 500
            Get-CheckpointContext | ConvertTo-Json -Depth 5
            Get-CheckpointContext | Format-List -Force | Out-String -Width 500
            Test-Checkpoint a -Verbose *>&1 | Out-String -Width 500
            $Error | ForEach-Object { $_ | Format-List * -Force | Out-String -Width 2000; $_.Exception.ToString() }
            (TabExpansion2 'Get-Checkpoint ').CompletionMatches | ForEach-Object { $_.ToolTip }
            "store $((Get-CheckpointContext).Store)"
        } $store -TimeoutSeconds 300
        $left.Output -join "`n" | Should -BeLike '*StoreUnavailable*'
        $left.Output | Should -Contain 'store postgresql://ops@127.0.0.1:1/ci?connect_timeout=1'
        $left.Output + $left.ErrorOutput | Should -Not -BeLike '*launch-1234*'
    }

    It 'is not needed again where an object of that store is piped' {
        [Checkpoint.StoreDrivers]::Register('sqlite', $sample)
        Save-Checkpoint a -Store ($store = New-SampleStore) -Pipeline default -Run ''
        Get-Checkpoint a -Store $store -Pipeline default -Run '' | Clear-Checkpoint
        Test-Checkpoint a -Store $store -Pipeline default -Run '' | Should -BeFalse
    }
}
