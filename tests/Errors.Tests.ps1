BeforeDiscovery {
    # The ids and categories of design.md.
    $kinds = [ordered]@{
        CheckpointNotFound = 'ObjectNotFound'
        CheckpointExists = 'ResourceExists'
        CheckpointDamaged = 'InvalidData'
        FormatTooNew = 'InvalidData'
        FingerprintMismatch = 'InvalidData'
        IdentityMismatch = 'InvalidData'
        StateNotSerializable = 'InvalidType'
        KeyRequired = 'AuthenticationError'
        KeyWrong = 'AuthenticationError'
        StoreUnavailable = 'ResourceUnavailable'
        StoreAccessDenied = 'PermissionDenied'
        StoreFull = 'WriteError'
        StoreReadOnly = 'PermissionDenied'
        LeaseHeld = 'ResourceBusy'
        LeaseLost = 'ResourceBusy'
        InvalidName = 'InvalidArgument'
        InvalidPipeline = 'InvalidArgument'
        StageFailed = 'OperationStopped'
        RunNotFound = 'ObjectNotFound'
    }
    $cases = $kinds.Keys | ForEach-Object { @{ Kind = $_; Category = $kinds[$_] } }

    # Nothing raises these yet; the issue that brings their cmdlets takes them off this list and asserts them.
    $later = @()

    # A disk that is full, and one that is read-only, need file systems of their own; on Linux a user can have some.
    $canMount = $IsLinux -and (Get-Command unshare -CommandType Application -ErrorAction Ignore) -and
    $(unshare --user --map-root-user --mount sh -c 'mount -t tmpfs tmpfs /mnt' 2>$null; $LASTEXITCODE -eq 0)

    # Root may look into everything, but can become nobody, where nobody can come as far as PowerShell and the module.
    $canBeDenied = -not $IsWindows
    if ([Environment]::UserName -eq 'root') {
        $needed = "$PSHOME/pwsh.dll", ($env:CHECKPOINT_TEST_MODULE ?? "$PSScriptRoot/../Checkpoint.psd1")
        $canBeDenied = $IsLinux -and (Get-Command setpriv -CommandType Application -ErrorAction Ignore) -and
        $(setpriv --reuid=65534 --clear-groups sh -c 'test -r "$1" && test -r "$2"' sh @needed; $LASTEXITCODE -eq 0)
    }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1
    $null = Get-CheckpointContext # loads the core
    $shell = (Get-Command Get-Checkpoint).ImplementingType.Assembly
    $mapping = $shell.GetType('Checkpoint.ErrorRecords', $true)

    # The error record that the cmdlets make of an exception.
    function ConvertTo-Record([Exception] $Exception) {
        $mapping.GetMethod('ToErrorRecord', [type[]] $Exception.GetType()).Invoke($null, @($Exception))
    }

    Add-Type -ErrorAction Ignore @'
using System.Collections;
using System.IO;
namespace CheckpointTest {
    public class ThrowingItems : IEnumerable {
        public IEnumerator GetEnumerator() { yield return 1; throw new IOException("disk gone"); }
    }
    public class TakesNothing { public void SetState() { } }
    public class TakesNumber { public void SetState(int state) { } }
    public class Throwing : Hashtable {
        public override IDictionaryEnumerator GetEnumerator() { throw new IOException("disk gone"); }
    }
}
'@

    function New-Thrower { [pscustomobject]@{ a = 1 } | Add-Member -PassThru -MemberType ScriptProperty -Name bad -Value { throw 'boom' } }

    # An object with state whose method of this name is another.
    function New-Stateful([string] $Name, [scriptblock] $Body) {
        $methods = @{ GetState = { 1 }; SetState = { }; GetIdentity = { @{ kind = 'x' } } }
        $methods[$Name] = $Body
        $object = [pscustomobject]@{}
        foreach ($method in $methods.Keys) { $object | Add-Member -MemberType ScriptMethod -Name $method -Value $methods[$method] }
        $object
    }

    function New-CheckpointException([string] $Kind, [string] $Message, [object] $Target, [Exception] $Inner) {
        [Activator]::CreateInstance([Checkpoint.CheckpointException], [Reflection.BindingFlags] 'Instance, NonPublic', $null,
            @([Checkpoint.CheckpointErrorKind] $Kind, $Message, $Target, $Inner), $null)
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Errors' {
    It 'are, for <Kind>, a record of this id and the category <Category>' -ForEach $cases {
        $inner = [IO.IOException]::new('inner')
        $record = ConvertTo-Record (New-CheckpointException $Kind 'What happened.' 'ingest' $inner)
        $record.FullyQualifiedErrorId | Should -BeExactly $Kind
        $record.CategoryInfo.Category | Should -Be $Category
        $record.TargetObject | Should -Be 'ingest'
        $record.Exception.Message | Should -Be 'What happened.'
        $record.Exception.Kind | Should -Be $Kind
        $record.Exception.InnerException | Should -Be $inner
    }

    It 'are of these kinds and no others' -ForEach @{ Kinds = @($kinds.Keys) } {
        [enum]::GetNames([Checkpoint.CheckpointErrorKind]) | Sort-Object | Should -Be ($Kinds | Sort-Object)
    }

    It 'are, beside these, mistakes in arguments and files that cannot be read' {
        $mistake = $mapping.Assembly.GetReferencedAssemblies() | Where-Object Name -EQ 'Checkpoint.Core' | ForEach-Object { [Reflection.Assembly]::Load($_).GetType('Checkpoint.InvalidArgumentException', $true) }
        $record = ConvertTo-Record ([Activator]::CreateInstance($mistake, 'No.'))
        $record.FullyQualifiedErrorId | Should -BeExactly 'InvalidArgument'
        $record.CategoryInfo.Category | Should -Be 'InvalidArgument'
        $record = $mapping.GetMethod('UnreadableFile').Invoke($null, @([IO.IOException]::new('No.'), '/a/b'))
        $record.FullyQualifiedErrorId | Should -BeExactly 'FileUnreadable'
        $record.CategoryInfo.Category | Should -Be 'ReadError'
        $record.TargetObject | Should -Be '/a/b'
    }

    It 'are <Id> for <What>' -ForEach @(
        @{ What = 'an output file that is not there'; Id = 'FileUnreadable'; Call = { Save-Checkpoint a -OutputFile "$TestDrive/nope" @at }; Says = '*nope*' }
        @{ What = 'an output file on a drive that is not there'; Id = 'FileUnreadable'; Call = { Save-Checkpoint a -OutputFile zz:/nope @at }; Says = '*zz*' }
        @{ What = 'an output file of a provider that is not there'; Id = 'FileUnreadable'; Call = { Save-Checkpoint a -OutputFile foo::nope @at }; Says = '*foo*' }
        @{ What = 'an output file that is an environment variable'; Id = 'FileUnreadable'; Call = { Save-Checkpoint a -OutputFile Env:PATH @at }; Says = '*Environment*' }
        @{ What = 'an output file whose name no file can have'; Id = 'FileUnreadable'; Call = { Save-Checkpoint a -OutputFile "a`0b" @at } }
        @{ What = 'a file to fingerprint that is not there'; Id = 'FileUnreadable'; Call = { Get-CheckpointFingerprint -Path "$TestDrive/nope" }; Says = '*nope*' }
        @{ What = 'a file to fingerprint on a drive that is not there'; Id = 'FileUnreadable'; Call = { Get-CheckpointFingerprint -LiteralPath zz:/nope }; Says = '*zz*' }
        @{ What = 'a FileInfo as a fingerprint whose file is not there'; Id = 'FileUnreadable'; Call = { Save-Checkpoint a -Fingerprint ([IO.FileInfo] "$TestDrive/nope") @at }; Says = '*nope*' }
        @{ What = 'a FileInfo in a fingerprint whose file is not there'; Id = 'FileUnreadable'; Call = { Test-Checkpoint a -Fingerprint @{ f = [IO.FileInfo] "$TestDrive/nope" } @at }; Says = '*nope*' }
        @{ What = 'a store of a provider that is not there'; Id = 'StoreUnavailable'; Call = { Test-Checkpoint a -Store foo::bar }; Says = '*foo*' }
        @{ What = 'a store on a drive that is not there'; Id = 'StoreUnavailable'; Call = { Test-Checkpoint a -Store zz:/bar }; Says = '*zz*' }
        @{ What = 'a store whose name no folder can have'; Id = 'StoreUnavailable'; Call = { Save-Checkpoint a -Store "a`0b" } }
        @{ What = 'a store whose URI no folder can have'; Id = 'StoreUnavailable'; Call = { Test-Checkpoint a -Store 'file:///a%00b' } }
        @{ What = 'an empty path'; Id = 'InvalidArgument'; Call = { Get-CheckpointFingerprint -Path '' }; Says = '*empty*' }
        @{ What = 'an empty output file'; Id = 'InvalidArgument'; Call = { Save-Checkpoint a -OutputFile '' @at }; Says = '*empty*' }
        @{ What = 'the name of no folder in a session''s context'; Id = 'StoreUnavailable'; Call = { Set-CheckpointContext -Store "a`0b" } }
        @{ What = 'a property that throws in a fingerprint'; Id = 'StateNotSerializable'; Call = { Save-Checkpoint a -Fingerprint @{ x = New-Thrower } @at }; Says = '*fingerprint.x.bad*boom*' }
        @{ What = 'a property that throws in the fingerprint'; Id = 'StateNotSerializable'; Call = { Get-CheckpointFingerprint (New-Thrower) }; Says = '*fingerprint.bad*boom*' }
        @{ What = 'a property that throws in an identity'; Id = 'StateNotSerializable'; Call = { Save-Checkpoint a -InputObject (New-Stateful GetIdentity { New-Thrower }) @at }; Says = '*identity.bad*boom*' }
        @{ What = 'a file to fingerprint whose name no file can have, though one is called as it begins'; Id = 'FileUnreadable'; Call = { Get-CheckpointFingerprint -LiteralPath "$ModulePath`0b" } }
        @{ What = 'a table of metadata that throws'; Id = 'StateNotSerializable'; Call = { Save-Checkpoint a -Metadata ([CheckpointTest.Throwing]::new()) @at }; Says = '*metadata*disk gone*' }
        @{ What = 'a collection that throws in a fingerprint'; Id = 'StateNotSerializable'; Call = { Test-Checkpoint a -Fingerprint @{ x = [CheckpointTest.ThrowingItems]::new() } @at }; Says = '*fingerprint.x`[1`]*disk gone*' }
        @{ What = 'a collection that throws in the state, which is no fault of the store'; Id = 'StateNotSerializable'; Call = { Save-Checkpoint a @{ x = [CheckpointTest.ThrowingItems]::new() } @at }; Says = '*a*$state.x`[1`]*disk gone*' }
        @{ What = 'a table that throws in the state'; Id = 'StateNotSerializable'; Call = { Save-Checkpoint a @{ y = [CheckpointTest.Throwing]::new() } @at }; Says = '*$state.y*disk gone*' }
    ) {
        $place = New-TestStore
        $at = @{ Store = $place }
        $failure = $Call | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -BeLike "$Id,Checkpoint.Commands.*Command"
        $failure.Exception.Message | Should -BeLike ($Says ?? '*')
        Get-StoreFile $place | Should -BeNullOrEmpty
    }

    It 'name the checkpoint where the method of an object takes another state: <With>' -ForEach @(
        @{ With = 'none'; Type = 'CheckpointTest.TakesNothing' }
        @{ With = 'of another type'; Type = 'CheckpointTest.TakesNumber' }
    ) {
        $at = @{ Store = New-TestStore }
        Save-Checkpoint a @{ x = 1 } @at
        { Restore-Checkpoint a -InputObject (New-Object $Type) @at } |
            Should -Throw "*checkpoint 'a'*SetState()*" -ErrorId 'StateNotSerializable,Checkpoint.Commands.RestoreCheckpointCommand'
    }

    It 'are FileUnreadable, and never wait, where <What> is a pipe or a device' -Skip:$IsWindows -ForEach @(
        @{ What = 'an output file'; Call = { Save-Checkpoint a -OutputFile $pipe -Store $place } }
        @{ What = 'an output file'; Call = { Save-Checkpoint a -OutputFile /dev/zero -Store $place } }
        @{ What = 'a file'; Call = { Get-CheckpointFingerprint -Path $pipe } }
        @{ What = 'a device'; Call = { Get-CheckpointFingerprint -LiteralPath /dev/zero } }
        @{ What = 'a file of a folder'; Call = { Get-CheckpointFingerprint -Path $files } }
        @{ What = 'a link'; Call = { Get-CheckpointFingerprint -Path (New-Item -ItemType SymbolicLink "$files/link" -Target $pipe) } }
        @{ What = 'a FileInfo'; Call = { Save-Checkpoint a -Fingerprint ([IO.FileInfo] $pipe) -Store $place } }
        @{ What = 'a file of a DirectoryInfo'; Call = { Test-Checkpoint a -Fingerprint @{ d = [IO.DirectoryInfo] $files } -Store $place } }
    ) {
        $place = New-TestStore
        $files = New-TestFolder
        $pipe = "$files/pipe"
        mkfifo $pipe
        $failure = $Call | Should -Throw '*is no file but*' -PassThru
        $failure.FullyQualifiedErrorId | Should -BeLike 'FileUnreadable,Checkpoint.Commands.*Command'
        $failure.TargetObject | Should -Match 'pipe$|zero$|link$'
    }

    It 'are none where a pipe stands in place of an output file: it changed' -Skip:$IsWindows {
        $place = New-TestStore
        $file = "$(New-TestFolder)/out.csv"
        $null = New-Item $file
        Save-Checkpoint a -OutputFile $file -Store $place
        $time = (Get-Item $file).LastWriteTimeUtc
        Remove-Item $file
        mkfifo $file
        [IO.File]::SetLastWriteTimeUtc($file, $time)
        $decision = Test-Checkpoint a -Detailed -Store $place
        "$($decision.Decision) $($decision.Cause)" | Should -Be 'Run OutputChanged'
    }

    It 'name the checkpoint and keep the error of an object that cannot <Does>' -ForEach @(
        @{ Does = 'give its state'; Method = 'GetState'; Call = { Save-Checkpoint a -InputObject $object @at } }
        @{ Does = 'give its identity'; Method = 'GetIdentity'; Call = { Save-Checkpoint a -InputObject $object @at } }
        @{ Does = 'say at a restore what it is'; Method = 'GetIdentity'; Call = { Save-Checkpoint a -InputObject (New-Stateful SetState { }) @at; Restore-Checkpoint a -InputObject $object @at } }
        @{ Does = 'take its state'; Method = 'SetState'; Call = { Save-Checkpoint a 1 @at; Restore-Checkpoint a -InputObject $object @at } }
    ) {
        $at = @{ Store = New-TestStore }
        $object = New-Stateful $Method { throw [IO.IOException]::new('boom') }
        $failure = $Call | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -BeLike 'StateNotSerializable,Checkpoint.Commands.*Command'
        $failure.Exception.Message | Should -BeLike "*checkpoint 'a'*$Method()*boom*"
        $failure.Exception.GetBaseException() | Should -BeOfType ([IO.IOException])
        $failure.TargetObject | Should -Be 'a'
    }

    It 'are InvalidArgument only for mistakes that the source says are such' {
        $sources = Get-ChildItem "$RepositoryRoot/src" -Recurse -Filter *.cs
        $sources | Select-String 'new ArgumentException\(' | Should -BeNullOrEmpty
        $mapping.GetMethod('ToErrorRecord', [type[]] [ArgumentException]) | Should -BeNullOrEmpty
    }

    It 'are each asserted with their whole id in a test of a cmdlet, or not raised yet: <Kind>' -ForEach ($cases | ForEach-Object { $_ + @{ IsLater = $_.Kind -in $later } }) {
        $raised = Get-ChildItem "$RepositoryRoot/src" -Recurse -Filter *.cs | Where-Object Name -NotIn 'ErrorRecords.cs', 'CheckpointErrorKind.cs' |
            Select-String -SimpleMatch "CheckpointErrorKind.$Kind" | Where-Object Line -NotMatch '///'
        [bool] $raised | Should -Be (-not $IsLater) -Because 'what the source raises must be asserted'
        if (-not $IsLater) {
            Get-ChildItem "$RepositoryRoot/tests" -Filter *.Tests.ps1 | Select-String "\b$Kind,Checkpoint\.Commands\.\w+Command" | Should -Not -BeNullOrEmpty
        }
    }

    It 'are made in one place each: messages in CheckpointErrors, records in ErrorRecords' {
        $sources = Get-ChildItem "$RepositoryRoot/src" -Recurse -Filter *.cs
        $sources | Where-Object Name -NE 'CheckpointErrors.cs' | Select-String 'new CheckpointException\(|new\(CheckpointErrorKind' | Should -BeNullOrEmpty
        $sources | Where-Object Name -NE 'ErrorRecords.cs' | Select-String 'new ErrorRecord\(' | Should -BeNullOrEmpty
    }

    It 'stand in $Error as the exception of Core, for a script to catch by its type' {
        try {
            Restore-Checkpoint nothing -Store (New-TestStore)
            throw 'It was found.'
        }
        catch [Checkpoint.CheckpointException] {
            $_.Exception.Kind | Should -Be 'CheckpointNotFound'
            $_.Exception.Target | Should -Be 'nothing'
            $_.FullyQualifiedErrorId | Should -BeExactly 'CheckpointNotFound,Checkpoint.Commands.RestoreCheckpointCommand'
        }
    }

    It 'end the call and not the script, unless it says -ErrorAction Stop or $ErrorActionPreference does' {
        $store = New-TestStore
        $runner = [powershell]::Create().AddScript({
                param($Module, $Store)
                Import-Module $Module
                Restore-Checkpoint nothing -Store $Store
                Get-Checkpoint nothing -Store $Store
                'after'
            }).AddArgument($ModulePath).AddArgument($store)
        $runner.Invoke() | Should -Be 'after'
        $runner.Streams.Error | Should -HaveCount 2
        $runner.Dispose()
        { & { $ErrorActionPreference = 'Stop'; Get-Checkpoint nothing -Store $store; throw 'after' } } | Should -Throw '*nothing*'
    }

    It 'stop a call within a second on Ctrl+C: a file of gigabytes that is being compared' -Tag Files {
        $place = New-TestStore
        $file = "$place/huge.bin"
        $stream = [IO.File]::Create($file)
        $stream.SetLength(64gb) # sparse: takes no room
        $stream.Dispose()
        $record = (Save-Checkpoint a -Store $place -OutputFile $PSCommandPath -PassThru).Location
        Edit-Record $record { $_ -replace '"path": "[^"]*"', "`"path`": `"huge.bin`"" -replace '"size": \d+', '"size": 68719476736' }
        Move-Item $file (Join-Path (Split-Path $place) huge.bin)

        $runner = [powershell]::Create().AddScript('param($Module, $Store) Import-Module $Module; "ready"; Test-Checkpoint a -Store $Store')
        $null = $runner.AddArgument($ModulePath).AddArgument($place)
        $output = [Management.Automation.PSDataCollection[psobject]]::new()
        $call = $runner.BeginInvoke[psobject, psobject]([Management.Automation.PSDataCollection[psobject]]::new(), $output)
        try {
            Wait-Until { $output.Count -gt 0 }
            Start-Sleep -Milliseconds 300 # it is at work
            $call.IsCompleted | Should -BeFalse
            $clock = [Diagnostics.Stopwatch]::StartNew()
            $runner.Stop()
            $clock.Elapsed.TotalSeconds | Should -BeLessThan 1
            $runner.InvocationStateInfo.State | Should -Be 'Stopped'
            $output | Should -HaveCount 1
        }
        finally {
            $runner.Dispose()
            Remove-Item (Join-Path (Split-Path $place) huge.bin)
        }
    }

    It 'are StoreAccessDenied where a user may not look, never an empty answer' -Tag Files -Skip:(-not $canBeDenied) {
        $place = New-TestStore
        foreach ($closed in 'store', 'default', 'stages', 's') {
            Save-Checkpoint s -Store "$place/$closed" -Pipeline default -Run ''
            Save-Checkpoint s -Store "$place/$closed" -Pipeline default -Run 7
        }
        Set-Content "$place/child.ps1" @'
param($Module, $Place)
Import-Module $Module
$closed = @{
    store = ''
    default = '/default'
    stages = '/default/stages', '/default/runs'
    s = '/default/stages/s', '/default/runs/7/stages/s'
}
$commands = @(
    { Test-Checkpoint s @at }
    { Test-Checkpoint s -Step 1 @at }
    { Restore-Checkpoint s @at }
    { Get-Checkpoint @at }
    { Get-Checkpoint s @at }
    { Get-Checkpoint 's*' @at }
    { Get-Checkpoint s -Step 1 @at }
    { Clear-Checkpoint @at }
    { Clear-Checkpoint s @at }
    { Clear-Checkpoint 's*' @at }
    { Save-Checkpoint s @at }
)
foreach ($name in $closed.Keys) {
    foreach ($run in '', '7') {
        $at = @{ Store = "$Place/$name"; Pipeline = 'default'; Run = $run; ErrorAction = 'Stop' }
        foreach ($command in $commands) {
            $answer = try { "said '$(& $command 6>&1)'" } catch { $_.FullyQualifiedErrorId }
            if ($answer -notlike 'StoreAccessDenied,Checkpoint.Commands.*') { "$name closed, run '$run', $command $answer" }
        }
    }
}
'@
        $modes = @{}
        $change = {
            param($Path, $Mode)
            $modes[$Path] = [IO.File]::GetUnixFileMode($Path)
            [IO.File]::SetUnixFileMode($Path, [IO.UnixFileMode] $Mode)
        }
        $isRoot = [Environment]::UserName -eq 'root'
        $all = 511 # rwxrwxrwx
        try {
            # Nobody must come as far as what is closed, and find all open behind it.
            Get-ChildItem $place -Recurse -Force | ForEach-Object { & $change $_.FullName $all }
            for ($folder = $place; $folder -and $folder -ne [IO.Path]::GetTempPath().TrimEnd('/'); $folder = Split-Path $folder) {
                & $change $folder $all
            }
            foreach ($path in 'store', 'default/default', 'stages/default/stages', 'stages/default/runs', 's/default/stages/s', 's/default/runs/7/stages/s') {
                [IO.File]::SetUnixFileMode("$place/$path", $isRoot ? [IO.UnixFileMode] 448 : [IO.UnixFileMode]::None) # rwx------
            }
            $first, $rest = @($isRoot ? @('setpriv', '--reuid=65534', '--clear-groups') : @()) + 'env' + "HOME=$place" + @(Get-PwshCommand)
            & $first @rest -NoProfile -NonInteractive -File "$place/child.ps1" $ModulePath $place | Should -BeNullOrEmpty
        }
        finally {
            foreach ($path in $modes.Keys | Sort-Object Length) {
                [IO.File]::SetUnixFileMode($path, $modes[$path])
            }
        }
    }

    It 'are StoreFull on a full disk and StoreReadOnly on one that cannot be written; what was saved stays' -Tag Files -Skip:(-not $canMount) {
        $place = New-TestStore
        $null = New-Item -ItemType Directory "$place/full", "$place/fixed"
        Set-Content "$place/child.ps1" @'
param($Module, $Place)
$ErrorActionPreference = 'Stop'
Import-Module $Module
function Get-Failure([scriptblock] $Script) {
    try { $null = & $Script; 'no error' }
    catch { "$($_.FullyQualifiedErrorId) $($_.CategoryInfo.Category) $($_.TargetObject)" }
}
$full, $fixed = "$Place/full/store", "$Place/fixed/store"
$null = Save-Checkpoint small 1 -Store $full 6>$null
Get-Failure { Save-Checkpoint small ([byte[]]::new(1mb)) -Store $full }
Get-Failure { Save-Checkpoint big ([byte[]]::new(1mb)) -Store $full }
Get-Failure { Save-Checkpoint many (1..200000) -Store $full }
Get-Failure { Save-Checkpoint small ([byte[]]::new(1mb)) -Step 1 -Overwrite -Store $full }
"left: $((Get-Checkpoint -Store $full -AllSteps) -join ', '): $(Restore-Checkpoint small -Store $full)"
"files: $(@(Get-ChildItem $full -Recurse -File | Where-Object Name -NotLike history.*).Name)"
$null = Save-Checkpoint small 1 -Store $fixed 6>$null
$null = Invoke-CheckpointStage done { 2 } -Store $fixed
$null = Save-Checkpoint bad 1 -Store $fixed 6>$null
Set-Content (Get-Checkpoint bad -Store $fixed).Location x
$before = Get-ChildItem $fixed -Recurse -Force | ForEach-Object { "$_ $($_.LastWriteTimeUtc.Ticks)" }
mount -o remount,ro "$Place/fixed"
$WarningPreference = 'SilentlyContinue'
Get-Failure { Save-Checkpoint small -Store $fixed }
Get-Failure { Save-Checkpoint other -Store $fixed }
Get-Failure { Save-Checkpoint small 2 -Step 1 -Overwrite -Store $fixed }
Get-Failure { Save-Checkpoint small -Async -Store $fixed; Wait-Checkpoint -Pending }
Get-Failure { Clear-Checkpoint small -Store $fixed }
Get-Failure { Clear-Checkpoint -Store $fixed }
Get-Failure { Invoke-CheckpointStage new { 1 } -Store $fixed }
Get-Failure { Invoke-CheckpointPipeline p { stage a { 1 } } -Store $fixed }
Get-Failure { 1..3 | Invoke-CheckpointItem many { $_ } -Key { $_ } -Store $fixed }
Get-Failure { Invoke-CheckpointStage guarded { throw 'no such host' } -CircuitBreaker (New-CheckpointCircuitBreaker) -Store $fixed }
Get-Failure { Repair-CheckpointStore -Store $fixed }
"$(Invoke-CheckpointStage done { 2 } -Store $fixed -WarningVariable warned) $warned $((Test-CheckpointStore -Store $fixed).Kind)"
"same: $(-not (Compare-Object $before (Get-ChildItem $fixed -Recurse -Force | ForEach-Object { "$_ $($_.LastWriteTimeUtc.Ticks)" })))"
"$(Test-Checkpoint small -Store $fixed) $(Restore-Checkpoint small -Store $fixed) $(Get-Checkpoint -Store $fixed)"
'@
        Set-Content "$place/child.sh" @'
set -e
mount -t tmpfs -o size=300k tmpfs "$1/full"
mount -t tmpfs -o size=300k tmpfs "$1/fixed"
shift
exec "$@"
'@
        $program = @(Get-PwshCommand)
        $output = unshare --user --map-root-user --mount sh "$place/child.sh" $place @program -NoProfile -NonInteractive -File "$place/child.ps1" $ModulePath $place
        $output | Should -Be @(
            'StoreFull,Checkpoint.Commands.SaveCheckpointCommand WriteError small'
            'StoreFull,Checkpoint.Commands.SaveCheckpointCommand WriteError big'
            'StoreFull,Checkpoint.Commands.SaveCheckpointCommand WriteError many'
            'StoreFull,Checkpoint.Commands.SaveCheckpointCommand WriteError small'
            'left: small step 1: 1'
            'files: 0000000001.json'
            'StoreReadOnly,Checkpoint.Commands.SaveCheckpointCommand PermissionDenied small'
            'StoreReadOnly,Checkpoint.Commands.SaveCheckpointCommand PermissionDenied other'
            'StoreReadOnly,Checkpoint.Commands.SaveCheckpointCommand PermissionDenied small'
            'StoreReadOnly,Checkpoint.Commands.WaitCheckpointCommand PermissionDenied small'
            'StoreReadOnly,Checkpoint.Commands.ClearCheckpointCommand PermissionDenied small'
            'StoreReadOnly,Checkpoint.Commands.ClearCheckpointCommand PermissionDenied bad'
            'StoreReadOnly,Checkpoint.Commands.InvokeCheckpointStageCommand PermissionDenied new'
            'StoreReadOnly,Checkpoint.Commands.InvokeCheckpointPipelineCommand PermissionDenied p'
            'StoreReadOnly,Checkpoint.Commands.InvokeCheckpointItemCommand PermissionDenied many'
            'StoreReadOnly,Checkpoint.Commands.InvokeCheckpointStageCommand PermissionDenied guarded'
            "StoreReadOnly,Checkpoint.Commands.RepairCheckpointStoreCommand PermissionDenied $place/fixed/store/default/stages/bad/0000000001.json"
            '2  DamagedRecord'
            'same: True'
            'True 1 done step 1 small step 1'
        )
    }
}
