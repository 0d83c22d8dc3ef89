# Ways in which a stage could be skipped wrongly, or a state be lost, that are easy to overlook.

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    class Endpoint {
        [string] $Host
        [int] $Port
    }

    class Configuration {
        [string] $Name = 'nightly'
        [Endpoint] $Target = [Endpoint]::new()
        [Endpoint[]] $Mirrors = @([Endpoint]::new())
    }

    class Derived : hashtable {
    }

    function Get-Value($Object) {
        (Get-CheckpointFingerprint $Object).Value
    }
}

Describe 'A fingerprint sees a change' {
    It 'of a pattern' {
        Get-Value @{ p = [regex] 'a+' } | Should -Not -Be (Get-Value @{ p = [regex] 'b+' })
    }

    It 'of a text that is being built' {
        Get-Value ([Text.StringBuilder] 'abc') | Should -Not -Be (Get-Value ([Text.StringBuilder] 'abd'))
    }

    It 'deep in an object of a class' {
        $saved = [Configuration]::new()
        $changed = [Configuration]::new()
        Get-Value $saved | Should -Be (Get-Value $changed)
        $changed.Target.Port = 5
        Get-Value $saved | Should -Not -Be (Get-Value $changed)
        $saved.Target.Port = 5
        Get-Value $saved | Should -Be (Get-Value $changed)
        $changed.Mirrors[0].Host = 'other'
        Get-Value $saved | Should -Not -Be (Get-Value $changed)
    }

    It 'of an attribute or a text in an XML element' {
        $one = Get-Value ([xml] '<c><server name="db1">x</server></c>').c
        Get-Value ([xml] '<c><server name="db2">x</server></c>').c | Should -Not -Be $one
        Get-Value ([xml] '<c><server name="db1">y</server></c>').c | Should -Not -Be $one
    }

    It 'of a file that has the name of a key' {
        Push-Location $TestDrive
        try {
            'one' | Set-Content cfg.json
            $one = (Get-CheckpointFingerprint @{ 'cfg.json' = 1 } -Path cfg.json).Value
            'two' | Set-Content cfg.json
            (Get-CheckpointFingerprint @{ 'cfg.json' = 1 } -Path cfg.json).Value | Should -Not -Be $one
        }
        finally {
            Pop-Location
        }
    }

    It 'of a key that is a time, however small' {
        Get-Value @{ [datetime] '2026-01-01T00:00:00.1' = 1 } | Should -Not -Be (Get-Value @{ [datetime] '2026-01-01T00:00:00.2' = 1 })
    }

    It 'between numbers that are not equal' {
        Get-Value @{ n = [float] 0.1 } | Should -Not -Be (Get-Value @{ n = [double] 0.1 })
        Get-Value @{ n = [float] 0.5 } | Should -Be (Get-Value @{ n = [double] 0.5 })
    }

    It 'or says that it cannot, rather than miss it' {
        $node = [pscustomobject] @{ Name = 'a'; Next = $null }
        $node.Next = $node
        { Get-CheckpointFingerprint $node } | Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.GetCheckpointFingerprintCommand'
    }
}

Describe 'What is saved can be restored' {
    BeforeEach { $store = New-TestStore }

    It 'whatever members type data adds to objects of the session' {
        $script = {
            Update-TypeData -TypeName System.Management.Automation.PSCustomObject -MemberName Foo -MemberType ScriptProperty -Value { 42 }
            Save-Checkpoint t -State ([pscustomobject] @{ a = 1; foo2 = 2 })
            (Restore-Checkpoint t).a
        }
        $result = Invoke-Pwsh "Set-CheckpointContext -Store '$store'; $script"
        $result.ExitCode | Should -Be 0
        $result.Output | Should -Be '1'
        Get-Record (Get-Checkpoint t -Store $store).Location | Should -Not -MatchExactly '"Foo"'
    }

    It 'or is refused: XML <Name>' -ForEach @(
        @{ Name = 'without a root'; Make = { [xml]::new() } }
        @{ Name = 'with a control character'; Make = { $x = [xml] '<a/>'; $null = $x.DocumentElement.AppendChild($x.CreateTextNode("`u{1}")); $x } }
        @{ Name = 'with an entity reference'; Make = { $x = [xml] '<a/>'; $null = $x.DocumentElement.AppendChild($x.CreateEntityReference('nbsp')); $x } }
        @{ Name = 'with white space'; Make = { $x = [xml]::new(); $x.PreserveWhitespace = $true; $x.LoadXml("<a> <b>`n</b> </a>"); $x } }
    ) {
        $document = & $Make
        try {
            Save-Checkpoint x -State $document -Store $store
        }
        catch {
            $_.FullyQualifiedErrorId | Should -Be 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand'
            Get-Checkpoint -Store $store | Should -BeNullOrEmpty
            return
        }
        (Restore-Checkpoint x -Store $store).OuterXml | Should -BeExactly $document.OuterXml
    }
}

Describe 'What would not come back as it is, is refused:' {
    BeforeEach { $store = New-TestStore }

    It '<Name>' -ForEach @(
        @{ Name = 'an enumeration beside its number as keys'; Make = { @{ [DayOfWeek]::Monday = 'a'; 1 = 'b' } } }
        @{ Name = 'two enumerations of one number in a set'; Make = { $s = [Collections.Generic.HashSet[object]]::new(); $null = $s.Add([DayOfWeek]::Monday); $null = $s.Add([ConsoleColor]::DarkBlue); , $s } }
        @{ Name = 'a derived item in a list of one type'; Make = { $l = [Collections.Generic.List[hashtable]]::new(); $l.Add([Derived]::new()); , $l } }
        @{ Name = 'a table that compares by structure'; Make = { [Activator]::CreateInstance([hashtable], [Collections.StructuralComparisons]::StructuralEqualityComparer) } }
        @{ Name = 'a set that compares by reference'; Make = { , [Collections.Generic.HashSet[object]]::new([Collections.Generic.ReferenceEqualityComparer]::Instance) } }
    ) {
        $state = & $Make
        { Save-Checkpoint x -State $state -Store $store } | Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand'
        Get-Checkpoint -Store $store | Should -BeNullOrEmpty
    }
}

Describe 'Clearing' {
    BeforeEach { $store = New-TestStore }

    It 'leaves a link to a folder, and what is behind it' -Tag Files -Skip:$IsWindows {
        Save-Checkpoint a -Store $store -Pipeline nightly
        Move-Item "$store/nightly" "$store-behind"
        $null = New-Item -ItemType SymbolicLink -Path "$store/nightly" -Target "$store-behind"
        { Clear-Checkpoint -Store $store -Pipeline nightly -Run '' } | Should -Throw "*nightly' is a link*" -ErrorId 'StoreUnavailable,*'
        Clear-Checkpoint a -Store $store -Pipeline * -Run ''
        "$store/nightly/stages/a/0000000001.json" | Should -Exist
    }

    It 'works in a store that is a link itself, for that is the user''s' -Tag Files -Skip:$IsWindows {
        $null = New-Item -ItemType SymbolicLink -Path "$store-link" -Target $store
        Save-Checkpoint a -State 1 -Store "$store-link"
        Restore-Checkpoint a -Store $store | Should -Be 1
        Clear-Checkpoint a -Store "$store-link"
        Test-Checkpoint a -Store $store | Should -BeFalse
    }

    It 'means no stage at all for a piped object without a name' {
        Save-Checkpoint a -Store $store
        Save-Checkpoint b -Store $store
        Get-Checkpoint a -Store $store | Select-Object Store, Pipeline, Step | Clear-Checkpoint -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem[0].FullyQualifiedErrorId | Should -Be 'InvalidArgument,Checkpoint.Commands.ClearCheckpointCommand'
        (Get-Checkpoint -Store $store).Name | Should -Be 'a', 'b'
    }
}

Describe 'A typed wildcard' {
    It 'is one beside piped names too' {
        $store = New-TestStore
        Save-Checkpoint a -Store $store -Pipeline one
        Save-Checkpoint a -Store $store -Pipeline two
        ([pscustomobject] @{ Name = 'a' } | Get-Checkpoint -Store $store -Pipeline *).Pipeline | Should -Be 'one', 'two'
    }
}

Describe 'A host whose thread has a context of its own' {
    It 'is not waited for by its own thread' {
        $store = New-TestStore
        $child = Start-Pwsh -ArgumentList $store -Script {
            param($Store)
            Add-Type 'public sealed class BusyContext : System.Threading.SynchronizationContext { public override void Post(System.Threading.SendOrPostCallback d, object s) { } }'
            [System.Threading.SynchronizationContext]::SetSynchronizationContext([BusyContext]::new())
            Save-Checkpoint large -State ([byte[]]::new(20MB)) -Store $Store -Pipeline default -Run ''
            (Restore-Checkpoint large -Store $Store -Pipeline default -Run '').Length
        }
        (Wait-Pwsh $child -TimeoutSeconds 60).Output | Should -Be '20971520'
    }
}

Describe 'What an empty pipeline gave' {
    It 'comes back as null, wherever it lies' {
        $store = New-TestStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        $nothing = Get-ChildItem "$TestDrive/nothing*"
        $none = & {}
        Save-Checkpoint s -State ([ordered]@{ found = & {}; list = @(1, (& {})); bag = [pscustomobject]@{ a = & {} } }) -Metadata @{ m = & {} } @at
        $state = Restore-Checkpoint s @at
        $null -eq $state.found | Should -BeTrue
        $null -eq $state.bag.a | Should -BeTrue
        $state.list.Count | Should -Be 2
        $null -eq (Get-Checkpoint s @at).Metadata['m'] | Should -BeTrue
        Get-Value @{ a = & {} } | Should -Be (Get-Value @{ a = $null })
        $null = $nothing, $none
    }
}

Describe 'An output file that is a link' -Skip:$IsWindows {
    BeforeEach {
        $store = New-TestStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        $target, $link = "$env:TEST_PLACE/target.csv", "$env:TEST_PLACE/link.csv"
        Set-Content $target 'one'
        $null = New-Item -ItemType SymbolicLink $link -Target $target
        Save-Checkpoint s -OutputFile $link @at
    }

    It 'is the file that it leads to' {
        (Get-Checkpoint s @at).OutputFiles[0].Size | Should -Be 4
        Test-Checkpoint s @at | Should -BeTrue
        Set-Content $target 'two'
        Test-Checkpoint s @at | Should -BeFalse
    }

    It 'is missing when that is' {
        Remove-Item $target
        (Test-Checkpoint s -Detailed @at).Reason | Should -BeLike '*is missing'
    }
}

Describe 'A store whose path is a file' {
    It 'is no store to any cmdlet: <_>' -Tag Files -ForEach 'Restore', 'Get', 'Clear', 'Save' {
        $store = "$(New-TestFolder)/file"
        Set-Content $store 'x'
        { & "$_-Checkpoint" s -Store $store -ErrorAction Stop } | Should -Throw -ErrorId 'StoreUnavailable,*'
    }
}

Describe 'A record that is a link' -Skip:$IsWindows {
    It 'is damage to its stage, hides no other, and is itself what is cleared' -Tag Files {
        $store = New-TestStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
        'a', 'b', 'c' | ForEach-Object { Save-Checkpoint $_ @at }
        Move-Item "$store/default/stages/b/0000000001.json" "$store-record"
        $null = New-Item -ItemType SymbolicLink "$store/default/stages/b/0000000001.json" -Target "$store-record"
        (Get-Checkpoint @at -WarningVariable warning -WarningAction SilentlyContinue).Name | Should -Be 'a', 'c'
        $warning | Should -BeLike "*'b'*damaged: it is a link*"
        Clear-Checkpoint @at
        "$store/default/stages" | Should -Not -Exist
        "$store-record" | Should -Exist
    }
}

Describe 'A secret in metadata' {
    It 'is refused as a secret' {
        { Save-Checkpoint s -Metadata @{ token = [securestring]::new() } -Store (New-TestStore) } | Should -Throw '*metadata.token*' -ErrorId 'KeyRequired,Checkpoint.Commands.SaveCheckpointCommand'
    }
}
