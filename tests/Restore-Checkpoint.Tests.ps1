BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    # How many objects a restore emits.
    function Measure-Restored([string] $Name) {
        $count = 0
        Restore-Checkpoint $Name @at | ForEach-Object { $count++ }
        $count
    }

    function Set-InlineState([string] $Path, [string] $Json) {
        Edit-Record $Path { [regex]::Replace($_, '(?s)"value": .*(?=\n  \}\z)', { '"value": ' + $Json }) }
    }

    # An object with methods that remember what was done to them. GetIdentity is there only where an identity is given.
    function New-Recorder([object] $Identity = $null) {
        $recorder = [pscustomobject]@{ Given = [System.Collections.Generic.List[object]]::new(); Identity = $Identity }
        $recorder | Add-Member -MemberType ScriptMethod -Name GetState -Value { @{ position = 7 } }
        $recorder | Add-Member -MemberType ScriptMethod -Name SetState -Value { param($state) $this.Given.Add($state) }
        if ($null -ne $Identity) {
            $recorder | Add-Member -MemberType ScriptMethod -Name GetIdentity -Value { , $this.Identity }
        }
        $recorder
    }

    class Model {
        [int] $Epoch
        [string] $Kind = 'small'
        [object] GetState() { return @{ epoch = $this.Epoch } }
        [void] SetState([object] $state) { $this.Epoch = $state.epoch }
        [hashtable] GetIdentity() { return @{ kind = $this.Kind } }
    }

    function New-Model([int] $Epoch, [string] $Kind = 'small') {
        [Model] @{ Epoch = $Epoch; Kind = $Kind }
    }
}

BeforeDiscovery {
    $damage = @(
        @{ Name = 'an empty record'; Break = { Set-Record $record '' } }
        @{ Name = 'half a record'; Break = { Set-Record $record ((Get-RecordByte $record)[0..199]) } }
        @{ Name = 'a record without its last byte'; Break = { Set-Record $record ((Get-RecordByte $record)[0..((Get-RecordByte $record).Length - 2)]) } }
        @{ Name = 'a record with something behind it'; Break = { Set-Record $record ((Get-Record $record) + ' ') } }
        @{ Name = 'a record of zeros'; Break = { Set-Record $record ([byte[]]::new((Get-RecordByte $record).Length)) } }
        @{ Name = 'a record that somebody edited'; Break = { Set-Record $record ((Get-Record $record).Replace('"step": 2', '"step": 2 ')) } }
        @{ Name = 'a record with another checksum'; Break = { Set-Record $record ((Get-Record $record) -replace '"checksum": "[0-9a-f]{4}', '"checksum": "zzzz') } }
        @{ Name = 'a record without a checksum'; Break = { Set-Record $record ((Get-Record $record) -replace ',\s+"checksum".*') } }
        @{ Name = 'a record that is no JSON'; Break = { Write-Record $record 'no JSON' } }
        @{ Name = 'a record without a step'; Break = { Edit-Record $record { $_ -replace '\n  "step": 2,' } } }
        @{ Name = 'a record of another step, renamed'; Break = { Set-Record $record (Get-RecordByte (Get-RecordPath $store s -Step 1)) } }
        @{ Name = 'a record of another stage, copied'; Break = { Save-Checkpoint other -Step 2 @at; Set-Record $record (Get-RecordByte (Get-RecordPath $store other -Step 2)) } }
        @{ Name = 'a record with an unknown status'; Break = { Edit-Record $record { $_ -replace '"completed"', '"abandoned"' } } }
        @{ Name = 'a record in a format before the first'; Break = { Edit-Record $record { $_ -replace '"format": 1', '"format": 0' } } }
        @{ Name = 'a record that refers to a payload outside its folder'; Break = { Edit-Record $record { $_ -replace '"file": "[^"]+"', '"file": "../s/x.state"' } } }
        @{ Name = 'a record longer than any'; Files = $true; Break = { $stream = [IO.File]::OpenWrite($record); $stream.SetLength(1GB); $stream.Dispose() } }
        @{ Name = 'a record that says a huge length'; Break = { Edit-Record $record { $_ -replace '"length": \d+', '"length": 9223372036854775807' } } }
        @{ Name = 'a record that says a negative length'; Break = { Edit-Record $record { $_ -replace '"length": \d+', '"length": -1' } } }
        @{ Name = 'a record with another hash of the payload'; Break = { Edit-Record $record { $_ -replace '"sha256": "[0-9a-f]{4}', '"sha256": "0000' } } }
        @{ Name = 'a record whose document is longer than the payload'; Break = { Edit-Record $record { $_ -replace '"documentLength": \d+', '"documentLength": 9223372036854775807' } } }
        @{ Name = 'a missing payload'; Files = $true; Break = { Remove-Item -LiteralPath $payload } }
        @{ Name = 'an empty payload'; Files = $true; Break = { Clear-Content -LiteralPath $payload } }
        @{ Name = 'half a payload'; Files = $true; Break = { [IO.File]::WriteAllBytes($payload, [IO.File]::ReadAllBytes($payload)[0..9999]) } }
        @{ Name = 'a payload with something behind it'; Files = $true; Break = { [IO.File]::AppendAllText($payload, 'x') } }
        @{ Name = 'a payload of zeros'; Files = $true; Break = { [IO.File]::WriteAllBytes($payload, [byte[]]::new((Get-Item $payload).Length)) } }
        @{ Name = 'the payload of another step'; Files = $true; Break = { Copy-Item -LiteralPath (Get-Item "$store/default/stages/s/0000000001.*.state") $payload } }
        @{ Name = 'a payload with one bit changed at its end'; Files = $true; Break = { $b = [IO.File]::ReadAllBytes($payload); $b[-1] = $b[-1] -bxor 1; [IO.File]::WriteAllBytes($payload, $b) } }
        @{ Name = 'a payload with one bit changed at its start'; Files = $true; Break = { $b = [IO.File]::ReadAllBytes($payload); $b[0] = $b[0] -bxor 1; [IO.File]::WriteAllBytes($payload, $b) } }
    ).Where{ $env:CHECKPOINT_TEST_STORE_KIND -in $null, '', 'folder' -or -not $_.Files }

    # Each has a checksum that fits, so only sense is missing.
    $senseless = @(
        '12345678901', '{"a":1,"A":2}', '{"":1}', '{"$":1}', '{"$int64":5}', '{"$int64":[1]}', '{"$int64":"x"}', '{"$int64":null}', '{"$int32":"5","x":1}', '{"$bool":"maybe"}', '{"$char":"65536"}'
        '{"$decimal":"1e5"}', '{"$guid":"0"}', '{"$version":"1"}', '{"$datetime":"x"}', '{"$uri":"http://["}', '{"$nint":"99999999999999999999"}', '{"$utf16":"!"}', '{"$byte[]":"!!!"}', '{"$byte[]":[300]}'
        '{"$int32[]":[1.5]}', '{"$list<int32>":[1.5]}', '{"$list<int32>":[null]}', '{"$dictionary<string,int32>":{"a":"x"}}', '{"$dictionary<string,int32>":{"a":null}}'
        '{"$System.Diagnostics.Process":"1"}', '{"$list<System.Diagnostics.Process>":[]}', '{"$list<":[]}', '{"$list<int32":[]}', '{"$list<int32,int32>":[]}', '{"$object[,,,,,,,,,,,]":[]}', "{`"`$$('list<' * 40)int32$('>' * 40)`":[]}"
        '{"$int32[,]":[1]}', '{"$int32[,]":[1],"lengths":[-1,-1]}', '{"$int32[,]":[],"lengths":[-1,0]}', '{"$int32[,,,]":[],"lengths":[65536,65536,65536,65536]}', '{"$int32[,]":[1],"lengths":[2147483647,2147483647]}'
        '{"$byte[]":{"blob":[0,100]}}', '{"$byte[]":{"blob":[-1,0]}}', '{"$byte[]":{"blob":[0,9223372036854775807]}}', '{"$byte[]":{"blob":[0]}}', '{"$byte[]":{"blob":["x"]}}', '{"$string":{"blob":[0,2]}}', '{"$string":["a"]}'
        '{"$list<object>":{"blob":[0,0]}}', '{"$hashset<object>":[{"$byte[]":{"blob":[0,0]}}]}', '{"$hashtable":5}', '{"$hashtable":[[null,1]]}', '{"$hashtable":[[1]]}', '{"$hashtable":[[1,2,3]]}', '{"$hashtable":{"a":1,"A":2}}'
        '{"$hashtable":{"a":1},"comparer":"nonsense"}', '{"$ordered":{"a":1,"A":2}}', '{"$arraylist":{"a":1}}', '{"$pscustomobject":[1]}', '{"$object":[1]}', '{"$object":{},"types":[1]}', '{"$deserialized":{"":1},"types":["Deserialized.X"],"text":"x"}'
        '{"$dictionary<int32,object>":[],"comparer":"ignoreCase"}', '{"$hashset<int32>":[1],"comparer":"ignoreCase"}', '{"$queue<int32>":[1],"comparer":"ignoreCase"}'
        '{"$xml":"<a>"}', '{"$xml":"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"}', ('[' * 150 + ']' * 150)
    ) | ForEach-Object { @{ Json = $_; Shown = $_.Length -gt 80 ? $_.Substring(0, 80) + '…' : $_ } }
}

Describe 'Restore-Checkpoint' {
    BeforeEach {
        $store = New-TestStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
    }

    Context 'gives back' {
        It 'what says of its keys what goes without saying: <Json>' -ForEach @(
            @{ Json = '{"$dictionary<string,int32>":{"a":1,"A":2},"comparer":"exact"}'; Type = [Collections.Generic.Dictionary[string, int]] }
            @{ Json = '{"$hashset<string>":["a","A"],"comparer":"exact"}'; Type = [Collections.Generic.HashSet[string]] }
            @{ Json = '{"$hashset<int32>":[1,2],"comparer":"exact"}'; Type = [Collections.Generic.HashSet[int]] }
            @{ Json = '{"$dictionary<int32,string>":[[1,"a"],[2,"b"]],"comparer":"exact"}'; Type = [Collections.Generic.Dictionary[int, string]] }
            @{ Json = '{"$hashtable":{"a":1,"b":2},"comparer":"ignoreCase"}'; Type = [hashtable] }
        ) {
            Save-Checkpoint s -State 'VALUE' @at
            Set-InlineState (Get-RecordPath $store s) $Json
            $copy = Restore-Checkpoint s @at
            , $copy | Should -BeOfType $Type
            $copy.Count | Should -Be 2
        }

        It 'a value saved by -State as that one value: <Name>' -ForEach @(
            @{ Name = 'a number'; Value = 5 }
            @{ Name = '$null'; Value = $null }
            @{ Name = 'an empty list'; Value = @() }
            @{ Name = 'a list of one'; Value = @(, 1) }
            @{ Name = 'a list of one $null'; Value = @(, $null) }
            @{ Name = 'a list of one list of one'; Value = @(, @(, 1)) }
            @{ Name = 'a List[int]'; Value = [System.Collections.Generic.List[int]]::new([int[]] (1, 2)) }
            @{ Name = 'a byte[]'; Value = [byte[]] (1, 2, 3) }
            @{ Name = 'an empty byte[]'; Value = [byte[]]::new(0) }
            @{ Name = 'a byte[] of 100 KB'; Value = [byte[]]::new(100000) }
            @{ Name = 'a hashtable'; Value = @{ a = 1; b = 2 } }
        ) {
            Save-Checkpoint s -State $Value @at
            Measure-Restored s | Should -Be 1
            $x = Restore-Checkpoint s @at
            if ($null -eq $Value) {
                $null -eq $x | Should -BeTrue
                return
            }
            $x.GetType() | Should -Be $Value.GetType()
            @($x).Count | Should -Be @($Value).Count
            if ($x -is [array]) {
                $x.Length | Should -Be $Value.Length
            }
        }

        It 'nothing where no state was saved, which is not $null' {
            Save-Checkpoint none @at
            Measure-Restored none | Should -Be 0
            Save-Checkpoint null -State $null @at
            Measure-Restored null | Should -Be 1
        }

        It 'a piped sequence element by element: <Name>' -ForEach @(
            @{ Name = 'three'; Make = { 1..3 }; Count = 3 }
            @{ Name = 'one'; Make = { 1 }; Count = 1 }
            @{ Name = 'one that is a list'; Make = { , @(1, 2, 3) }; Count = 1 }
            @{ Name = 'lists'; Make = { , @(1, 2); , @(3) }; Count = 2 }
            @{ Name = 'one $null'; Make = { $null }; Count = 1 }
            @{ Name = 'none'; Make = { }; Count = 0 }
        ) {
            & $Make | Save-Checkpoint s @at
            Measure-Restored s | Should -Be $Count
        }

        It 'the latest step, or the one that is named' {
            1..3 | ForEach-Object { Save-Checkpoint s -State "step $_" @at }
            Restore-Checkpoint s @at | Should -Be 'step 3'
            Restore-Checkpoint s -Step 1 @at | Should -Be 'step 1'
            Save-Checkpoint s -State 'step 0' -Step 0 @at
            Restore-Checkpoint s -Step 0 @at | Should -Be 'step 0'
            Restore-Checkpoint s @at | Should -Be 'step 3'
        }

        It 'the latest by number, not by time' {
            Save-Checkpoint s -State 'ten' -Step 10 @at
            Save-Checkpoint s -State 'nine' -Step 9 @at
            Save-Checkpoint s -State 'long number' -Step 10000000000 @at
            Save-Checkpoint s -State 'eleven' -Step 11 @at
            Restore-Checkpoint s @at | Should -Be 'long number'
        }

        It 'what Get-Checkpoint found, each from its own store, pipeline and run' {
            $other = New-TestStore
            Save-Checkpoint 'a[1]' -State 1 @at
            Save-Checkpoint 'a[1]' -State 2 @at
            Save-Checkpoint '*' -State 3 -Store $other -Pipeline 'p?' -Run 'r[1]'
            $found = @(Get-Checkpoint -AllSteps @at) + @(Get-Checkpoint -Store $other -Pipeline 'p`?' -Run 'r`[1`]')
            $found | Restore-Checkpoint | Should -Be 2, 1, 3
        }

        It 'nothing else: neither metadata nor the store are part of it' {
            Save-Checkpoint s -State @{ a = 1 } -Metadata @{ b = 2 } -Fingerprint 'f' @at
            (Restore-Checkpoint s @at).Keys | Should -Be 'a'
        }

        It 'from a copy of the store, made by any means' -Tag Files {
            Save-Checkpoint s -State ([byte[]] (1..20000 | ForEach-Object { $_ % 256 })) @at
            $copy = "$(New-TestFolder)/copy"
            Copy-Item $store $copy -Recurse
            (Restore-Checkpoint s -Store $copy -Pipeline default -Run '').Length | Should -Be 20000
        }

        It 'and changes nothing in the store but its history' -Tag Files {
            Save-Checkpoint s -State ([byte[]]::new(50000)) @at
            $before = Get-ChildItem $store -Recurse -Force -Exclude history.* | ForEach-Object { "$_ $($_.LastWriteTimeUtc.Ticks)" }
            $null = Restore-Checkpoint s @at
            Get-ChildItem $store -Recurse -Force -Exclude history.* | ForEach-Object { "$_ $($_.LastWriteTimeUtc.Ticks)" } | Should -Be $before
        }
    }

    Context 'never gives another checkpoint for one that is missing:' {
        BeforeEach {
            Save-Checkpoint train -State 'a' -Step 3 @at
            Save-Checkpoint train -State 'b' -Step 5 @at
        }

        It '<Name>' -ForEach @(
            @{ Name = 'a stage'; Call = @{ Name = 'trai' } }
            @{ Name = 'a stage by a wildcard'; Call = @{ Name = 'tra*' } }
            @{ Name = 'a step between others'; Call = @{ Name = 'train'; Step = 4 } }
            @{ Name = 'a step above all'; Call = @{ Name = 'train'; Step = 6 } }
            @{ Name = 'step 0'; Call = @{ Name = 'train'; Step = 0 } }
            @{ Name = 'a stage of another pipeline'; Call = @{ Name = 'train'; Pipeline = 'other' } }
            @{ Name = 'a stage of a run'; Call = @{ Name = 'train'; Run = '7' } }
        ) {
            $with = @{ Store = $store; Pipeline = 'default'; Run = '' } + @{}
            foreach ($key in $Call.Keys) {
                $with[$key] = $Call[$key]
            }
            foreach ($action in 'Continue', 'SilentlyContinue') {
                $failure = { Restore-Checkpoint @with -ErrorAction $action } | Should -Throw -ErrorId 'CheckpointNotFound,Checkpoint.Commands.RestoreCheckpointCommand' -PassThru
                $failure.CategoryInfo.Category | Should -Be 'ObjectNotFound'
                $failure.TargetObject | Should -Be $Call.Name
                $failure.Exception.Message | Should -BeLike "*'$([WildcardPattern]::Escape($Call.Name))'*$([WildcardPattern]::Escape($store))*"
            }
        }

        It 'it says which steps there are' {
            { Restore-Checkpoint train -Step 4 @at } | Should -Throw '*step 4*5, 3*'
        }

        It 'a store that is not there, which it does not make' {
            $missing = New-TestStore -Missing
            { Restore-Checkpoint train -Store $missing -Pipeline p -Run '' } | Should -Throw -ErrorId 'CheckpointNotFound,Checkpoint.Commands.RestoreCheckpointCommand'
            $missing | Should -Not -Exist
        }

        It 'one that was cleared' {
            Clear-Checkpoint train -Step 5 @at
            { Restore-Checkpoint train -Step 5 @at } | Should -Throw -ErrorId 'CheckpointNotFound,*'
            Restore-Checkpoint train @at | Should -Be 'a'
        }

        It 'one that is only half written, or lies beside: <_>' -Tag Files -ForEach '~0123456789abcdef0123456789abcdef.tmp', '0000000009.json.bak', '9.json', '00000000009.json', '0000000009.0123456789abcdef0123456789abcdef.state', '0000000009.json~', 'x0000000009.json', '~lock' {
            $folder = "$store/default/stages/train"
            Save-Checkpoint train -State 'nine' -Step 9 @at
            Move-Item "$folder/0000000009.json" "$folder/$_"
            Restore-Checkpoint train @at | Should -Be 'b'
            { Restore-Checkpoint train -Step 9 @at } | Should -Throw -ErrorId 'CheckpointNotFound,*'
            # A stage of nothing else does not exist.
            Remove-Item "$folder/*.json" -Exclude $_
            { Restore-Checkpoint train @at } | Should -Throw -ErrorId 'CheckpointNotFound,*'
            Get-Checkpoint @at | Should -BeNullOrEmpty
        }
    }

    Context 'finds <Name>' -ForEach $damage {
        BeforeEach {
            Save-Checkpoint s -State ([byte[]] (1..100 * 200)) -Step 1 @at
            Save-Checkpoint s -State ([byte[]] (2..101 * 200)) -Step 2 @at
            $record = Get-RecordPath $store s -Step 2
            $payload = $StoreKind -eq 'folder' ? (Get-Item "$store/default/stages/s/0000000002.*.state").FullName : $null
            . $Break
        }

        It 'and fails with -Step, saying where' {
            $failure = { Restore-Checkpoint s -Step 2 @at } | Should -Throw -ErrorId 'CheckpointDamaged,Checkpoint.Commands.RestoreCheckpointCommand' -PassThru
            $failure.CategoryInfo.Category | Should -Be 'InvalidData'
            $failure.TargetObject | Should -Be 's'
            $where = $StoreKind -eq 'folder' ? (Split-Path $record) : $record
            $failure.Exception.Message | Should -BeLike "*2*'s'*$([WildcardPattern]::Escape($where))*"
        }

        It 'and gives the newest intact one without -Step, with a warning' {
            $state = Restore-Checkpoint s @at -WarningVariable warning -WarningAction SilentlyContinue
            $state[0] | Should -Be 1
            $state.Length | Should -Be 20000
            $warning | Should -HaveCount 1
            $warning | Should -BeLike "*2*'s'*damaged*Step 1*"
        }

        It 'and fails without -Step where no step is intact' {
            Clear-Checkpoint s -Step 1 @at
            { Restore-Checkpoint s @at } | Should -Throw -ErrorId 'CheckpointDamaged,Checkpoint.Commands.RestoreCheckpointCommand'
        }
    }

    Context 'notices' {
        It 'any byte of a record or payload that changed, and any that is missing' -Tag Files {
            $seed = Get-Random
            Write-Information "seed $seed" -InformationAction Continue
            $random = [random]::new($seed)
            Save-Checkpoint s -State @{ bytes = [byte[]]::new(20000); n = 7 } -Metadata @{ m = 'text' } @at
            foreach ($file in Get-ChildItem "$store/default/stages/s") {
                $whole = [IO.File]::ReadAllBytes($file)
                foreach ($i in 1..60) {
                    $bytes = [byte[]] $whole.Clone()
                    $position = $random.Next($bytes.Length)
                    $bytes[$position] = $bytes[$position] -bxor (1 -shl $random.Next(8))
                    [IO.File]::WriteAllBytes($file, $i % 2 ? $bytes : [byte[]] $whole[0..$position][0..($position - 1)])
                    { Restore-Checkpoint s -Step 1 @at } | Should -Throw -ErrorId 'CheckpointDamaged,Checkpoint.Commands.RestoreCheckpointCommand' -Because "byte $position of $($file.Name) was $($i % 2 ? 'changed' : 'the first that is missing')"
                }
                [IO.File]::WriteAllBytes($file, $whole)
            }
            (Restore-Checkpoint s -Step 1 @at).n | Should -Be 7
        }

        It 'a state that makes no sense, whatever it is, and gives no older one in its place: <Shown>' -ForEach $senseless {
            Save-Checkpoint s -State 'before' -Step 1 @at
            Save-Checkpoint s -State 'VALUE' -Step 2 @at
            Set-InlineState (Get-RecordPath $store s -Step 2) $Json
            foreach ($with in @{ Step = 2 }, @{}) {
                { Restore-Checkpoint s @with @at } | Should -Throw '*byte for byte, what was saved*Update the Checkpoint module*' -ErrorId 'CheckpointDamaged,Checkpoint.Commands.RestoreCheckpointCommand'
            }
            Restore-Checkpoint s -Step 1 @at | Should -Be 'before'
        }

        It 'a state that is no JSON at all as damage of the record: <Shown>' -ForEach @(
            @{ Shown = '['; Json = '[' }, @{ Shown = '[[['; Json = '[[[' }, @{ Shown = '5,000 levels'; Json = '[' * 5000 + ']' * 5000 }
        ) {
            Save-Checkpoint s -State 'before' -Step 1 @at
            Save-Checkpoint s -State 'VALUE' -Step 2 @at
            Set-InlineState (Get-RecordPath $store s -Step 2) $Json
            { Restore-Checkpoint s -Step 2 @at } | Should -Throw -ErrorId 'CheckpointDamaged,Checkpoint.Commands.RestoreCheckpointCommand'
            Restore-Checkpoint s -WarningAction SilentlyContinue @at | Should -Be 'before'
        }

        It 'a record that says another length of the document, and gives no older one in its place: <_>' -ForEach '5', '20000' {
            1..2 | ForEach-Object { Save-Checkpoint s -State ([byte[]] ($_..($_ + 99) * 200)) @at }
            $length = $_
            Edit-Record (Get-RecordPath $store s -Step 2) { $_ -replace '"documentLength": \d+', "`"documentLength`": $length" }
            foreach ($with in @{ Step = 2 }, @{}) {
                { Restore-Checkpoint s @with @at } | Should -Throw '*byte for byte, what was saved*' -ErrorId 'CheckpointDamaged,Checkpoint.Commands.RestoreCheckpointCommand'
            }
        }

        It 'nonsense of any kind with no other error than that' {
            $seed = Get-Random
            Write-Information "seed $seed" -InformationAction Continue
            $random = [random]::new($seed)
            $set = [System.Collections.Generic.HashSet[string]]::new([string[]] ('a', 'b'), [StringComparer]::OrdinalIgnoreCase)
            Save-Checkpoint s -State ([ordered]@{ n = 1; long = [long] 5; list = [System.Collections.Generic.List[double]]::new([double[]] (1, 2)); grid = [int[, ]]::new(2, 2); table = @{ 1 = 'x'; 2 = @() }; set = $set; live = [DayOfWeek]::Friday; bag = [pscustomobject]@{ '$x' = 1; t = [timespan]::Zero }; bytes = [byte[]] (1, 2) }) @at
            $path = Get-RecordPath $store s
            $json = [regex]::Match((Get-Record $path), '(?s)"value": (.*)\n  \},\n  "checksum"').Groups[1].Value
            $tokens = [regex]::Matches($json, '"[^"]*"|[-0-9.]+|[\[\]{}:,]').Value
            foreach ($i in 1..150) {
                $changed = [System.Collections.Generic.List[string]]::new([string[]] $tokens)
                foreach ($j in 1..$random.Next(1, 4)) {
                    $at1, $at2 = $random.Next($changed.Count), $random.Next($changed.Count)
                    switch ($random.Next(4)) {
                        0 { $changed[$at1] = $changed[$at2] }
                        1 { $changed[$at1], $changed[$at2] = $changed[$at2], $changed[$at1] }
                        2 { $changed.RemoveAt($at1) }
                        3 { $changed.Insert($at1, ('null', '-1', '[]', '{}', '"$int32[]"', '1e999', 'true', '"comparer"')[$random.Next(8)]) }
                    }
                }
                Set-InlineState $path (-join $changed)
                try {
                    $null = Restore-Checkpoint s -Step 1 @at
                }
                catch {
                    $_.FullyQualifiedErrorId | Should -Be 'CheckpointDamaged,Checkpoint.Commands.RestoreCheckpointCommand' -Because "seed $seed, $i, of $(-join $changed): $_"
                }
            }
        }

        It 'a record of a newer format, clearly: it is neither damaged nor passed over' {
            1..2 | ForEach-Object { Save-Checkpoint s -State $_ @at }
            $path = Get-RecordPath $store s -Step 2
            Edit-Record $path { $_ -replace '"format": 1', '"format": 2' -replace '"state": \{', '"stateOfTheArt": {' }
            foreach ($with in @{ Step = 2 }, @{}) {
                $failure = { Restore-Checkpoint s @with @at } | Should -Throw -ErrorId 'FormatTooNew,Checkpoint.Commands.RestoreCheckpointCommand' -PassThru
                $failure.CategoryInfo.Category | Should -Be 'InvalidData'
                $failure.TargetObject | Should -Be 's'
                $failure.Exception.Message | Should -BeLike '*format 2*Update*'
            }
            Restore-Checkpoint s -Step 1 @at | Should -Be 1
        }

        It 'a record of a newer format that is damaged as damaged' {
            Save-Checkpoint s -State 1 @at
            $path = Get-RecordPath $store s
            Set-Record $path (Get-Record $path).Replace('"format": 1', '"format": 2')
            { Restore-Checkpoint s @at } | Should -Throw -ErrorId 'CheckpointDamaged,*'
        }

        It 'no fault in fields that it does not know' {
            Save-Checkpoint s -State @{ a = 1 } -Metadata @{ m = 1 } @at
            Edit-Record (Get-RecordPath $store s) { $_ -replace '"step": 1,', '"step": 1, "future": { "a": [1, { "b": null }] },' -replace '"sequence": false,', '"sequence": false, "hint": [1],' }
            (Restore-Checkpoint s @at).a | Should -Be 1
            (Get-Checkpoint s @at).Metadata['m'] | Should -Be 1
        }
    }

    Context 'puts the state into an object' {
        It 'by its SetState, of a class of PowerShell, and emits nothing' {
            Save-Checkpoint s -InputObject (New-Model 7) @at
            $model = New-Model 0
            Restore-Checkpoint s -InputObject $model @at | Should -BeNullOrEmpty
            $model.Epoch | Should -Be 7
        }

        It 'by its SetState, of a pscustomobject with script methods' {
            Save-Checkpoint s -InputObject (New-Recorder) @at
            $recorder = New-Recorder
            Restore-Checkpoint s -InputObject $recorder @at
            $recorder.Given | Should -HaveCount 1
            $recorder.Given[0].position | Should -Be 7
        }

        It 'from a given step' {
            1..3 | ForEach-Object { Save-Checkpoint s -InputObject (New-Model $_) @at }
            $model = New-Model 0
            Restore-Checkpoint s -Step 2 -InputObject $model @at
            $model.Epoch | Should -Be 2
        }

        It 'that was saved by -State, be it $null or a list' {
            foreach ($state in $null, @(), @(, 1)) {
                Save-Checkpoint s -State $state @at
                $recorder = New-Recorder
                Restore-Checkpoint s -InputObject $recorder @at
                $recorder.Given | Should -HaveCount 1
                $null -eq $recorder.Given[0] | Should -Be ($null -eq $state)
                @($recorder.Given[0]).Count | Should -Be @($state).Count
            }
        }

        It 'or fails where it has no SetState, before anything is read' {
            Save-Checkpoint s -State 1 @at
            $failure = { Restore-Checkpoint s -InputObject ([pscustomobject]@{ a = 1 }) @at } | Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.RestoreCheckpointCommand' -PassThru
            $failure.Exception.Message | Should -BeLike '*SetState*'
        }

        It 'or fails where there is no state: nothing is not $null' {
            Save-Checkpoint s @at
            $recorder = New-Recorder
            { Restore-Checkpoint s -InputObject $recorder @at } | Should -Throw -ErrorId 'CheckpointNotFound,Checkpoint.Commands.RestoreCheckpointCommand'
            $recorder.Given | Should -HaveCount 0
        }

        It 'or fails where the object is $null' {
            Save-Checkpoint s -State 1 @at
            { Restore-Checkpoint s -InputObject $null @at } | Should -Throw -ErrorId 'ParameterArgumentValidationError*,Checkpoint.Commands.RestoreCheckpointCommand'
        }

        It 'or fails as its SetState does, and does not say that it is done' {
            Save-Checkpoint s -State 1 @at
            $recorder = [pscustomobject]@{} | Add-Member -MemberType ScriptMethod -Name SetState -Value { throw 'does not fit' } -PassThru
            { Restore-Checkpoint s -InputObject $recorder -InformationVariable said @at } | Should -Throw '*does not fit*'
            $said | Should -BeNullOrEmpty
        }

        It 'of the same identity: <Name>' -ForEach @(
            @{ Name = 'a table'; Saved = @{ a = 1; b = 'x'; c = @(1, 2) }; Current = [ordered]@{ c = @(1, 2); B = 'x'; a = 1 } }
            @{ Name = 'an object'; Saved = [pscustomobject]@{ a = 1; b = $null }; Current = [pscustomobject]@{ b = $null; a = 1 } }
            @{ Name = 'a text'; Saved = 'model v1'; Current = 'model v1' }
            @{ Name = 'numbers of every type'; Saved = @{ l = [long] 5; d = 0.1; m = 1.10d; g = [guid]::Empty; t = [datetime]::UnixEpoch }; Current = @{ l = [long] 5; d = 0.1; m = 1.10d; g = [guid]::Empty; t = [datetime]::UnixEpoch } }
            @{ Name = 'a typed list'; Saved = @{ shape = [int[]] (2, 3) }; Current = @{ shape = [System.Collections.Generic.List[int]]::new([int[]] (2, 3)) } }
            @{ Name = 'an enumeration value'; Saved = @{ day = [DayOfWeek]::Friday }; Current = @{ day = [DayOfWeek]::Friday } }
        ) {
            Save-Checkpoint s -InputObject (New-Recorder $Saved) @at
            $recorder = New-Recorder $Current
            Restore-Checkpoint s -InputObject $recorder @at
            $recorder.Given | Should -HaveCount 1
        }

        It 'not of another identity, naming the field and both values, before SetState is called: <Name>' -ForEach @(
            @{ Name = 'a changed value'; Saved = @{ model = 'small'; layers = 3 }; Current = @{ model = 'large'; layers = 3 }; Told = "*'model'*'small'*'large'*" }
            @{ Name = 'another case'; Saved = @{ model = 'small' }; Current = @{ model = 'SMALL' }; Told = "*'model'*'small'*'SMALL'*" }
            @{ Name = 'another list'; Saved = @{ shape = @(2, 3) }; Current = @{ shape = @(2, 4) }; Told = "*'shape'*2*3*2*4*" }
            @{ Name = 'a field that is gone'; Saved = @{ model = 'small'; seed = 7 }; Current = @{ model = 'small' }; Told = "*'seed'*7*missing*" }
            @{ Name = 'a field that is new'; Saved = @{ model = 'small' }; Current = @{ model = 'small'; seed = 7 }; Told = "*'seed'*missing*7*" }
            @{ Name = '$null'; Saved = @{ seed = $null }; Current = @{ seed = 7 }; Told = "*'seed'*null*7*" }
            @{ Name = 'one text'; Saved = 'model v1'; Current = 'model v2'; Told = "*'identity'*'model v1'*'model v2'*" }
        ) {
            Save-Checkpoint s -InputObject (New-Recorder $Saved) @at
            $recorder = New-Recorder $Current
            $failure = { Restore-Checkpoint s -InputObject $recorder -InformationVariable said @at } | Should -Throw -ErrorId 'IdentityMismatch,Checkpoint.Commands.RestoreCheckpointCommand' -PassThru
            $failure.CategoryInfo.Category | Should -Be 'InvalidData'
            $failure.TargetObject | Should -Be 's'
            $failure.Exception.Message | Should -BeLike $Told
            $recorder.Given | Should -HaveCount 0
            $said | Should -BeNullOrEmpty
        }

        It 'of a class of PowerShell only where it is the same' {
            Save-Checkpoint s -InputObject (New-Model 7 'small') @at
            $model = New-Model 0 'large'
            { Restore-Checkpoint s -InputObject $model @at } | Should -Throw "*'kind'*'small'*'large'*" -ErrorId 'IdentityMismatch,*'
            $model.Epoch | Should -Be 0
        }

        It 'where one side alone has an identity, without asking' {
            Save-Checkpoint s -InputObject (New-Recorder @{ a = 1 }) @at
            $recorder = New-Recorder
            Restore-Checkpoint s -InputObject $recorder @at
            $recorder.Given | Should -HaveCount 1
            Save-Checkpoint t -InputObject (New-Recorder) @at
            $recorder = New-Recorder @{ a = 1 }
            Restore-Checkpoint t -InputObject $recorder @at
            $recorder.Given | Should -HaveCount 1
        }
    }

    Context 'fails' {
        It 'as StoreUnavailable for a scheme that nobody knows' {
            $failure = { Restore-Checkpoint s -Store 'gopher://host/x' -Pipeline p -Run '' } | Should -Throw -ErrorId 'StoreUnavailable,Checkpoint.Commands.RestoreCheckpointCommand' -PassThru
            $failure.CategoryInfo.Category | Should -Be 'ResourceUnavailable'
        }

        It 'as StoreAccessDenied where this user may not read' -Tag Files {
            $setpriv = Get-Command setpriv -CommandType Application -ErrorAction Ignore | Select-Object -First 1
            if ($IsWindows -or ([Environment]::UserName -eq 'root' -and -not $setpriv)) {
                Set-ItResult -Skipped -Because 'nothing here takes rights away from this user'
                return
            }
            Save-Checkpoint s -State 1 @at
            [IO.File]::SetUnixFileMode((Get-RecordPath $store s), 'None')
            try {
                if ([Environment]::UserName -ne 'root') {
                    $failure = { Restore-Checkpoint s @at } | Should -Throw -ErrorId 'StoreAccessDenied,Checkpoint.Commands.RestoreCheckpointCommand' -PassThru
                    $failure.CategoryInfo.Category | Should -Be 'PermissionDenied'
                    return
                }
                # Root may read everything; so the same as nobody.
                $script = "Import-Module '$ModulePath'; try { Restore-Checkpoint s -Store '$store' -Pipeline default -Run '' } catch { `$_.FullyQualifiedErrorId; `$_.CategoryInfo.Category; `$_.TargetObject }"
                $home1 = New-TestStore
                $folders = @($home1, $store) + @(Get-ChildItem $store -Recurse -Directory).FullName
                for ($folder = $TestDrive; $folder -and $folder -ne [IO.Path]::GetTempPath().TrimEnd('/'); $folder = Split-Path $folder) {
                    $folders += $folder
                }
                $folders | ForEach-Object { [IO.File]::SetUnixFileMode($_, 511) }
                $output = & $setpriv.Source --reuid=65534 --clear-groups env "HOME=$home1" (Get-PwshCommand) -NoProfile -NonInteractive -Command $script
                $output | Should -Be 'StoreAccessDenied,Checkpoint.Commands.RestoreCheckpointCommand', 'PermissionDenied', 's'
            }
            finally {
                [IO.File]::SetUnixFileMode((Get-RecordPath $store s), 'UserRead, UserWrite')
            }
        }

        It 'for a step below 0' {
            { Restore-Checkpoint s -Step -1 @at } | Should -Throw -ErrorId 'ParameterArgumentValidationError,Checkpoint.Commands.RestoreCheckpointCommand'
        }
    }

    Context 'speaks' {
        It 'one line on the information stream with the tag Checkpoint, path and time on the verbose one, and nothing to the console' {
            Save-Checkpoint ingest -State 'the state' @at
            $said = Restore-Checkpoint ingest -Verbose -InformationVariable done @at 4>&1
            $said | Should -HaveCount 2
            $said.Where({ $_ -is [System.Management.Automation.VerboseRecord] }).Message | Should -BeLike "*$([WildcardPattern]::Escape((Get-RecordPath $store ingest)))* ms*"
            $done | Should -HaveCount 1
            $done.MessageData | Should -BeExactly 'Checkpoint restored: ingest'
            $done.Tags | Should -Contain 'Checkpoint'
            $result = Invoke-Pwsh { param($store) $x = Restore-Checkpoint ingest -Store $store -Pipeline default -Run ''; $x.Length } $store
            $result.Output | Should -Be '9'
            $result.ErrorOutput | Should -BeNullOrEmpty
        }

        It 'of its progress with a large state, in per cent, and then that it is done' {
            Save-Checkpoint big -State ([byte[]]::new(64MB)) @at
            $shell = [powershell]::Create()
            $null = $shell.AddScript('param($module, $at) Import-Module $module; $x = Restore-Checkpoint big @at; $x.Length').AddArgument($ModulePath).AddArgument($at)
            $shell.Invoke() | Should -Be 64MB
            $shell.Streams.Progress.Count | Should -BeGreaterOrEqual 2
            $shell.Streams.Progress[0].Activity | Should -BeLike '*big*'
            $shell.Streams.Progress[0].PercentComplete | Should -BeIn (0..100)
            $shell.Streams.Progress[-1].RecordType | Should -Be 'Completed'
            $shell.Dispose()
        }
    }

    Context 'is stopped' {
        It 'within a second in the middle of a large state' {
            Save-Checkpoint big -State (, [byte[]]::new(64MB) * ($StoreKind -eq 'folder' ? 8 : 3)) @at
            $shell = [powershell]::Create()
            $null = $shell.AddScript('param($module, $at) Import-Module $module; Restore-Checkpoint big @at').AddArgument($ModulePath).AddArgument($at)
            $null = $shell.BeginInvoke()
            try {
                Wait-Until { $shell.Streams.Progress.Count }
                $clock = [Diagnostics.Stopwatch]::StartNew()
                $shell.Stop()
                $clock.Elapsed.TotalSeconds | Should -BeLessThan 1
                $shell.InvocationStateInfo.State | Should -Be 'Stopped'
                $shell.Streams.Error | Should -BeNullOrEmpty
            }
            finally {
                $shell.Dispose()
            }
        }
    }
}
