BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Get-Checkpoint' {
    BeforeEach {
        $store = New-TestStore
        Set-CheckpointContext -Reset -Store $store -Pipeline '' -Run '' -Keep $null
    }

    Context 'What it lists' {
        It 'lists nothing, without an error, in an empty store' {
            Get-Checkpoint -ErrorAction Stop | Should -BeNullOrEmpty
            Get-Checkpoint -AllSteps -ErrorAction Stop | Should -BeNullOrEmpty
        }

        It 'lists nothing, without an error, where there is no store, and makes none' {
            $missing = New-TestStore -Missing
            Get-Checkpoint -Store $missing -ErrorAction Stop | Should -BeNullOrEmpty
            Get-Checkpoint 'x*' -Store $missing -ErrorAction Stop | Should -BeNullOrEmpty
            $missing | Should -Not -Exist
        }

        It 'lists the latest step of each stage' {
            1..3 | ForEach-Object { Save-Checkpoint ingest }
            Save-Checkpoint train -Step 7
            Save-Checkpoint train -Step 5
            Get-Checkpoint | ForEach-Object { "$_" } | Should -Be 'ingest step 3', 'train step 7'
        }

        It 'lists every step with -AllSteps, newest first' {
            0, 11, 2, 9999999999, 12345678901 | ForEach-Object { Save-Checkpoint ingest -Step $_ }
            (Get-Checkpoint -AllSteps).Step | Should -Be 12345678901, 9999999999, 11, 2, 0
        }

        It 'lists the steps that -Step names, of every stage that has them' {
            1..4 | ForEach-Object { Save-Checkpoint ingest }
            1..2 | ForEach-Object { Save-Checkpoint train }
            Get-Checkpoint ingest -Step 1, 3 | ForEach-Object { "$_" } | Should -Be 'ingest step 3', 'ingest step 1'
            Get-Checkpoint -Step 2, 4 -ErrorAction Stop | ForEach-Object { "$_" } | Should -Be 'ingest step 4', 'ingest step 2', 'train step 2'
        }

        It 'lists stages in the order of their names' {
            $names = 'a', 'a+', 'a-', 'a0', 'a:', 'ab', 'a~', 'B', 'c', 'ä', '日'
            $names | Sort-Object { Get-Random } | ForEach-Object { Save-Checkpoint $_ }
            (Get-Checkpoint).Name | Should -BeExactly $names
        }

        It 'lists those of the current pipeline and run only' {
            Save-Checkpoint a
            Save-Checkpoint b -Pipeline nightly
            Save-Checkpoint c -Run 7
            Save-Checkpoint d -Pipeline nightly -Run 7
            (Get-Checkpoint).Name | Should -Be 'a'
            (Get-Checkpoint -Pipeline nightly).Name | Should -Be 'b'
            (Get-Checkpoint -Run 7).Name | Should -Be 'c'
            (Get-Checkpoint -Pipeline nightly -Run 7).Name | Should -Be 'd'
            Get-Checkpoint -Run 8 | Should -BeNullOrEmpty
            Set-CheckpointContext -Store $store -Pipeline nightly -Run 7
            (Get-Checkpoint).Name | Should -Be 'd'
            (Get-Checkpoint -Run '').Name | Should -Be 'b'
        }

        It 'writes to no other stream' {
            Save-Checkpoint a -InformationAction Ignore
            $all = @(Get-Checkpoint *>&1)
            $all | Should -HaveCount 1
            $all[0] | Should -BeOfType [Checkpoint.CheckpointInfo]
        }

        It 'flows into Sort-Object and Where-Object' {
            'b', 'a', 'c' | ForEach-Object { Save-Checkpoint $_ -Metadata @{ rows = [int] [char] $_ } }
            (Get-Checkpoint | Sort-Object SavedAt).Name | Should -Be 'b', 'a', 'c'
            (Get-Checkpoint | Where-Object { $_.Metadata.rows -gt 97 }).Name | Should -Be 'b', 'c'
        }

        It 'changes nothing in the store' -Tag Files {
            Save-Checkpoint a ([byte[]]::new(100kb)) -Run 7
            $before = Get-ChildItem $store -Recurse | ForEach-Object { "$($_.FullName) $($_.LastWriteTimeUtc.Ticks) $($_.Length)" }
            $null = Get-Checkpoint -Run * -AllSteps
            Get-ChildItem $store -Recurse | ForEach-Object { "$($_.FullName) $($_.LastWriteTimeUtc.Ticks) $($_.Length)" } | Should -Be $before
        }

        It 'is not disturbed by foreign files and folders in the store' -Tag Files {
            Save-Checkpoint ingest
            Save-Checkpoint train -Run 7
            $null = New-Item -ItemType Directory "$store/lost+found", "$store/.git/objects", "$store/default/stages/notes", "$store/default/other", "$store/default/runs/x y z"
            $null = New-Item -ItemType Directory "$store/default/stages/$('n' * 230)"
            Set-Content "$store/README.txt", "$store/default/x", "$store/default/stages/x.json", "$store/default/stages/notes/todo.json" 'mine'
            Set-Content "$store/default/stages/ingest/thumbs.db", "$store/default/stages/ingest/1.json", "$store/default/stages/ingest/00000000001.json" 'mine'
            Set-Content "$store/default/stages/ingest/~$('0' * 32).tmp", "$store/default/stages/ingest/0000000001.json.bak" 'mine'
            if (-not $IsWindows) {
                $null = New-Item -ItemType Directory "$store/default/stages/a`nb", "$store/default/runs/a`nb/stages/c", "$store/a`nb/stages/c"
            }
            $all = @(Get-Checkpoint -AllSteps -WarningVariable warning -ErrorAction Stop)
            $all += @(Get-Checkpoint -Run * -WarningVariable +warning -ErrorAction Stop)
            $all += @(Get-Checkpoint -Pipeline * -WarningVariable +warning -ErrorAction Stop)
            $all.Name | Should -Be 'ingest', 'train', 'ingest'
            $warning | Should -BeNullOrEmpty
        }
    }

    Context 'Names' {
        BeforeEach { 'ingest', 'index', 'train' | ForEach-Object { Save-Checkpoint $_ } }

        It 'finds several' {
            (Get-Checkpoint train, ingest).Name | Should -Be 'train', 'ingest'
        }

        It 'says for a literal name that is not there which one, where, and what to do; it goes on with the others' {
            $found = Get-Checkpoint ingest, nothing, train -ErrorVariable failure -ErrorAction SilentlyContinue
            $found.Name | Should -Be 'ingest', 'train'
            $failure | Should -HaveCount 1
            $failure[0].FullyQualifiedErrorId | Should -BeExactly 'CheckpointNotFound,Checkpoint.Commands.GetCheckpointCommand'
            $failure[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
            $failure[0].TargetObject | Should -Be 'nothing'
            $failure[0].Exception | Should -BeOfType [Checkpoint.CheckpointException]
            $failure[0].Exception.Kind | Should -Be 'CheckpointNotFound'
            $failure[0].Exception.Message | Should -BeLike "*'nothing' (pipeline 'default')*'$store'*Save-Checkpoint*"
        }

        It 'says so for a store that is not there too' {
            { Get-Checkpoint nothing -Store (New-TestStore -Missing) -ErrorAction Stop } | Should -Throw -ErrorId 'CheckpointNotFound,Checkpoint.Commands.GetCheckpointCommand'
        }

        It 'says which steps there are for a step that is not there' {
            Save-Checkpoint ingest -Step 3
            $found = Get-Checkpoint ingest -Step 1, 2, 3 -ErrorVariable failure -ErrorAction SilentlyContinue
            $found.Step | Should -Be 3, 1
            $failure | Should -HaveCount 1
            $failure[0].FullyQualifiedErrorId | Should -BeExactly 'CheckpointNotFound,Checkpoint.Commands.GetCheckpointCommand'
            $failure[0].Exception.Message | Should -BeLike "*no step 2 *3, 1*"
        }

        It 'finds <Found> for <Pattern>' -ForEach @(
            @{ Pattern = '*'; Found = 'index', 'ingest', 'train' }
            @{ Pattern = 'in*'; Found = 'index', 'ingest' }
            @{ Pattern = 'IN*T'; Found = 'ingest' }
            @{ Pattern = 't?ain'; Found = 'train' }
            @{ Pattern = '[h-i]*'; Found = 'index', 'ingest' }
            @{ Pattern = '*x', 'tr*'; Found = 'index', 'train' }
            @{ Pattern = 'x*'; Found = $null }
            @{ Pattern = 'ingest?'; Found = $null }
            @{ Pattern = 'nothing*', 'train'; Found = 'train' }
        ) {
            (Get-Checkpoint $Pattern -ErrorAction Stop).Name | Should -Be $Found
        }

        It 'is no error where a wildcard does not have the step' {
            Get-Checkpoint 'in*' -Step 9 -ErrorAction Stop | Should -BeNullOrEmpty
        }

        It 'finds a name that has wildcard characters by itself, before it is a wildcard' {
            '*', 'in*', '[x]', 'x' | ForEach-Object { Save-Checkpoint $_ }
            (Get-Checkpoint 'in*').Name | Should -Be 'in*'
            (Get-Checkpoint '[x]').Name | Should -Be '[x]'
            (Get-Checkpoint 'i*').Name | Should -Be 'in*', 'index', 'ingest'
        }

        It 'takes * for all even where a stage has that name, which `* finds' {
            Save-Checkpoint '*'
            (Get-Checkpoint '*').Name | Should -Be '*', 'index', 'ingest', 'train'
            (Get-Checkpoint '`*').Name | Should -Be '*'
        }

        It 'compares what stands between wildcards as names are compared: <Pattern>' -ForEach @(
            @{ Pattern = '*ος' }, @{ Pattern = '*ΟΣ' }, @{ Pattern = 'λ?γοσ' }, @{ Pattern = '[κ-μ]όγος' }
        ) {
            Save-Checkpoint 'λόγος'
            (Get-Checkpoint $Pattern).Name | Should -Be 'λόγος'
        }

        It 'takes a backtick as the escape of a wildcard' {
            'a*b', 'axb', 'a[b', 'a`b' | ForEach-Object { Save-Checkpoint $_ }
            (Get-Checkpoint 'a`*b').Name | Should -Be 'a*b'
            (Get-Checkpoint 'a`[b').Name | Should -Be 'a[b'
            (Get-Checkpoint 'a`*?').Name | Should -Be 'a*b'
            (Get-Checkpoint 'a`b').Name | Should -Be 'a`b'
            (Get-Checkpoint ([WildcardPattern]::Escape('a[b'))).Name | Should -Be 'a[b'
        }

        It 'takes a text that is no valid wildcard literally: <Text>' -ForEach @(@{ Text = '[abc' }, @{ Text = 'a[' }, @{ Text = '[' }) {
            { Get-Checkpoint $Text -ErrorAction Stop } | Should -Throw -ErrorId 'CheckpointNotFound,Checkpoint.Commands.GetCheckpointCommand'
            Save-Checkpoint $Text
            (Get-Checkpoint $Text).Name | Should -BeExactly $Text
        }

        It 'takes runs and pipelines by wildcard, and tells them apart' {
            foreach ($pipeline in 'p1', 'p2', 'other') {
                Save-Checkpoint a -Pipeline $pipeline
                8, 9, 10 | ForEach-Object { Save-Checkpoint a -Pipeline $pipeline -Run "r$_" }
            }
            (Get-Checkpoint -Pipeline 'p*').Pipeline | Should -Be 'p1', 'p2'
            Get-Checkpoint -Pipeline 'p?' -Run 'r?' | ForEach-Object { "$($_.Pipeline) $($_.Run)" } | Should -Be 'p1 r8', 'p1 r9', 'p2 r8', 'p2 r9'
            (Get-Checkpoint -Pipeline other -Run *).Run | Should -Be 'r10', 'r8', 'r9'
            Get-Checkpoint a -Pipeline 'x*' -ErrorAction Stop | Should -BeNullOrEmpty
            Get-Checkpoint a -Run 'x*' -ErrorAction Stop | Should -BeNullOrEmpty
            Get-Checkpoint -Run 'R8' -Pipeline 'P1' | Should -HaveCount 1
        }

        It 'finds a run whose name has wildcard characters by an escaped one' {
            'r*', 'r1' | ForEach-Object { Save-Checkpoint a -Run $_ }
            (Get-Checkpoint -Run 'r`*').Run | Should -Be 'r*'
        }

        It 'finds a pipeline and a run that have wildcard characters in their names by themselves' {
            'p[1]', 'p1' | ForEach-Object { Save-Checkpoint a -Pipeline $_ }
            'r*', 'r1' | ForEach-Object { Save-Checkpoint a -Run $_; Save-Checkpoint a -Pipeline 'p[1]' -Run $_ }
            (Get-Checkpoint -Pipeline 'p[1]').Pipeline | Should -Be 'p[1]'
            (Get-Checkpoint -Run 'r*').Run | Should -Be 'r*'
            (Get-Checkpoint -Pipeline 'p[1]' -Run 'r*').Run | Should -Be 'r*'
            (Get-Checkpoint a -Pipeline 'p[1]' -Run 'r?').Run | Should -Be 'r*', 'r1'
            { Get-Checkpoint nothing -Pipeline 'p[1]' -ErrorAction Stop } | Should -Throw -ErrorId 'CheckpointNotFound,Checkpoint.Commands.GetCheckpointCommand'
        }

        It 'matches the whole of a long name, in a name, a pipeline and a run' {
            $long = 'x' * 150
            Save-Checkpoint "${long}1"
            Save-Checkpoint "${long}2"
            Save-Checkpoint a -Pipeline $long
            Save-Checkpoint a -Run $long
            Save-Checkpoint a -Pipeline $long -Run $long
            (Get-Checkpoint 'x*').Name | Sort-Object | Should -Be "${long}1", "${long}2"
            (Get-Checkpoint 'x*2').Name | Should -Be "${long}2"
            Get-Checkpoint 'y*' | Should -BeNullOrEmpty
            (Get-Checkpoint 'x*x2', 'y*').Name | Should -Be "${long}2"
            (Get-Checkpoint -Pipeline 'x*x').Pipeline | Should -Be $long
            Get-Checkpoint -Pipeline 'a*' | Should -BeNullOrEmpty
            (Get-Checkpoint -Run 'x*x').Run | Should -Be $long
            Get-Checkpoint -Run 'a*' | Should -BeNullOrEmpty
            Get-Checkpoint -Pipeline 'a*' -Run 'x*' | Should -BeNullOrEmpty
            (Get-Checkpoint a -Pipeline $long -Run $long).Run | Should -Be $long
        }

        It 'refuses $null, which a variable that was never set would be' {
            { Get-Checkpoint $null } | Should -Throw -ErrorId 'ParameterArgumentValidationError,Checkpoint.Commands.GetCheckpointCommand'
            { Get-Checkpoint ingest, $null } | Should -Throw
            { Get-Checkpoint ingest -Step $null } | Should -Throw -ErrorId 'ParameterArgumentValidationError,Checkpoint.Commands.GetCheckpointCommand'
        }

        It 'lists nothing for an empty list of names, which a filter may leave' {
            Get-Checkpoint -Name @() | Should -BeNullOrEmpty
        }
    }

    Context 'What it tells' {
        It 'tells everything about a checkpoint, each property with its type' {
            $file = "$(New-TestFolder)/out.csv"
            Set-Content $file 'a'
            $before = [DateTimeOffset]::UtcNow
            Save-Checkpoint Ingest @{ a = 1 } -Pipeline nightly -Run 7 -Step 3 -Metadata @{ rows = 5 } -Fingerprint @{ size = 1 } -OutputFile $file
            $info = Get-Checkpoint ingest -Pipeline NIGHTLY -Run 7

            $types = [ordered]@{}
            $info.PSObject.Properties | ForEach-Object { $types[$_.Name] = ($_.TypeNameOfValue -replace '\[\[.*' -replace ', .*' -split '\.')[-1] }
            $types | ConvertTo-Json | Should -Be ([ordered]@{
                    Store = 'String'
                    Pipeline = 'String'
                    Run = 'String'
                    Name = 'String'
                    Step = 'Int64'
                    Status = 'CheckpointStatus'
                    SavedAt = 'DateTimeOffset'
                    Fingerprint = 'CheckpointFingerprint'
                    Metadata = 'ReadOnlyDictionary`2'
                    StateSize = 'Nullable`1'
                    Encrypted = 'Boolean'
                    OutputFiles = 'ReadOnlyCollection`1'
                    Host = 'String'
                    User = 'String'
                    ProcessId = 'Int32'
                    Revision = 'String'
                    Location = 'String'
                } | ConvertTo-Json)

            $info.Store | Should -BeExactly $store
            $info.Pipeline | Should -BeExactly 'nightly'
            $info.Run | Should -BeExactly '7'
            $info.Name | Should -BeExactly 'Ingest'
            $info.Step | Should -Be 3
            $info.Status | Should -Be 'Completed'
            $info.SavedAt | Should -BeGreaterOrEqual $before
            $info.SavedAt | Should -BeLessOrEqual ([DateTimeOffset]::UtcNow)
            $info.SavedAt.Offset | Should -Be ([timespan]::Zero)
            $info.Fingerprint.Value | Should -Be (Get-CheckpointFingerprint @{ size = 1 }).Value
            $info.Fingerprint.Parts.Keys | Should -Be 'size'
            $info.Metadata['ROWS'] | Should -Be 5
            $info.StateSize | Should -BeGreaterThan 0
            $info.Encrypted | Should -BeFalse
            $info.OutputFiles.Path | Should -Be (Get-Item $file).FullName
            $info.OutputFiles.Size | Should -Be (Get-Item $file).Length
            $info.OutputFiles.ModifiedAt.UtcDateTime | Should -Be (Get-Item $file).LastWriteTimeUtc
            $info.OutputFiles.Sha256 | Should -Be (Get-FileHash $file).Hash
            $info.Host | Should -Be ([Environment]::MachineName)
            $info.User | Should -Be ([Environment]::UserName)
            $info.ProcessId | Should -Be $PID
            if ($StoreKind -eq 'folder') { $info.Location | Should -Exist }
            $info.Location | Should -BeLike "$store*"
        }

        It 'tells of nothing where nothing was given' {
            Save-Checkpoint bare
            $info = Get-Checkpoint bare
            $info.Run | Should -BeExactly $null
            $info.Fingerprint | Should -BeExactly $null
            $info.StateSize | Should -BeExactly $null
            $info.Metadata.Count | Should -Be 0
            $info.OutputFiles.Count | Should -Be 0
        }

        It 'tells the state $null, of some bytes, from no state' {
            Save-Checkpoint a $null
            (Get-Checkpoint a).StateSize | Should -BeGreaterThan 0
        }

        It 'tells the size of a large state' {
            Save-Checkpoint a ([byte[]]::new(1mb))
            (Get-Checkpoint a).StateSize | Should -BeGreaterOrEqual 1mb
            (Get-Checkpoint a).StateSize | Should -BeLessThan 1.01mb
        }

        It 'tells the same as -PassThru did' {
            $saved = Save-Checkpoint a 1 -Metadata @{ k = 1, 2; t = [timespan]::FromHours(1) } -Fingerprint 1 -PassThru
            $found = Get-Checkpoint a
            foreach ($property in $saved.PSObject.Properties) {
                ($found.($property.Name) | ConvertTo-Json -Depth 3) | Should -Be ($property.Value | ConvertTo-Json -Depth 3) -Because $property.Name
            }
        }

        It 'keeps the metadata apart from the state' {
            Save-Checkpoint a @{ rows = 1 } -Metadata @{ rows = 2 }
            (Get-Checkpoint a).Metadata.rows | Should -Be 2
            (Restore-Checkpoint a).Keys | Should -Be 'rows'
            (Restore-Checkpoint a).rows | Should -Be 1
        }

        It 'cannot be changed: <_>' -ForEach 'Store', 'Pipeline', 'Run', 'Name', 'Step', 'Status', 'SavedAt', 'Fingerprint', 'Metadata', 'StateSize', 'Encrypted', 'OutputFiles', 'Host', 'User', 'ProcessId', 'Location' {
            $info = Save-Checkpoint a -PassThru
            { $info.$_ = $info.$_ } | Should -Throw
        }

        It 'cannot be changed through what it holds' {
            $file = "$(New-TestFolder)/out.csv"
            Set-Content $file 'a'
            $info = Save-Checkpoint a -Metadata @{ k = 'x', 'y' } -Fingerprint @{ f = 1 } -OutputFile $file -PassThru
            { $info.Metadata['k'] = 1 } | Should -Throw
            { ([Collections.IDictionary] $info.Metadata).Add('l', 1) } | Should -Throw
            { ([Collections.IDictionary] $info.Fingerprint.Parts).Clear() } | Should -Throw
            { ([Collections.IList] $info.OutputFiles).Clear() } | Should -Throw
            foreach ($property in 'Path', 'Size', 'ModifiedAt', 'Sha256') {
                { $info.OutputFiles[0].$property = $info.OutputFiles[0].$property } | Should -Throw
            }
            foreach ($property in 'Value', 'Parts') {
                { $info.Fingerprint.$property = $info.Fingerprint.$property } | Should -Throw
            }
        }

        It 'becomes its name and step as text' {
            "$(Save-Checkpoint ingest -Step 4 -PassThru)" | Should -Be 'ingest step 4'
        }
    }

    Context 'Damage' {
        BeforeEach {
            1..3 | ForEach-Object { Save-Checkpoint ingest }
            Save-Checkpoint train
            Set-Record (Get-RecordPath $store ingest -Step 3) ''
        }

        It 'warns of a damaged checkpoint and gives the newest intact one' {
            $found = Get-Checkpoint -WarningVariable warning -WarningAction SilentlyContinue -ErrorAction Stop
            $found | ForEach-Object { "$_" } | Should -Be 'ingest step 2', 'train step 1'
            $warning | Should -HaveCount 1
            $warning[0].Message | Should -BeLike "Step 3 of checkpoint 'ingest'*damaged*"
        }

        It 'warns with -AllSteps and gives the intact ones' {
            (Get-Checkpoint ingest -AllSteps -WarningVariable warning -WarningAction SilentlyContinue).Step | Should -Be 2, 1
            $warning | Should -HaveCount 1
        }

        It 'is silent about damage that is older than what it gives' {
            Save-Checkpoint ingest
            (Get-Checkpoint ingest -WarningVariable warning).Step | Should -Be 4
            $warning | Should -BeNullOrEmpty
        }

        It 'is an error for the step that was asked for, and goes on' {
            $found = Get-Checkpoint ingest -Step 1, 3 -ErrorVariable failure -ErrorAction SilentlyContinue
            $found.Step | Should -Be 1
            $failure | Should -HaveCount 1
            $failure[0].FullyQualifiedErrorId | Should -BeExactly 'CheckpointDamaged,Checkpoint.Commands.GetCheckpointCommand'
            $failure[0].CategoryInfo.Category | Should -Be 'InvalidData'
            $failure[0].TargetObject | Should -Be 'ingest'
            $failure[0].Exception.Message | Should -BeLike "Step 3*damaged*'$(Get-RecordPath $store ingest -Step 3)'*Clear-Checkpoint*"
        }

        It 'is an error where the stage that was named has no intact checkpoint left' {
            Set-Record (Get-RecordPath $store train) ''
            { Get-Checkpoint train -ErrorAction Stop -WarningAction Ignore } | Should -Throw -ErrorId 'CheckpointDamaged,Checkpoint.Commands.GetCheckpointCommand'
        }

        It 'is seen in a stage, pipeline and run with a long name' {
            $long = 'x' * 150
            Save-Checkpoint $long -Pipeline $long -Run $long
            $info = Save-Checkpoint $long -Pipeline $long -Run $long -PassThru
            Set-Record $info.Location ''
            $found = Get-Checkpoint $long -Pipeline $long -Run $long -WarningVariable warning -WarningAction SilentlyContinue -ErrorAction Stop
            $found.Step | Should -Be 1
            $warning | Should -HaveCount 1
            $found = Get-Checkpoint 'x*' -Pipeline 'x*x' -Run 'x*x' -WarningVariable warning -WarningAction SilentlyContinue -ErrorAction Stop
            $found.Name | Should -Be $long
            $warning | Should -HaveCount 1
        }

        It 'lists no leftover of a crash' -Tag Files {
            $folder = Split-Path (Get-RecordPath $store train)
            Copy-Item -LiteralPath "$folder/0000000001.json" "$folder/~$([guid]::NewGuid().ToString('N')).tmp"
            [IO.File]::WriteAllBytes("$folder/0000000002.$([guid]::NewGuid().ToString('N')).state", [byte[]]::new(100))
            (Get-Checkpoint train -AllSteps -WarningVariable warning).Step | Should -Be 1
            $warning | Should -BeNullOrEmpty
        }

        It 'says FormatTooNew for a record of a later version, and goes on' {
            Edit-Record (Get-RecordPath $store train) { $_ -replace '"format": 1', '"format": 99' }
            $found = Get-Checkpoint -ErrorVariable failure -ErrorAction SilentlyContinue -WarningAction Ignore
            $found.Name | Should -Be 'ingest'
            $failure | Should -HaveCount 1
            $failure[0].FullyQualifiedErrorId | Should -BeExactly 'FormatTooNew,Checkpoint.Commands.GetCheckpointCommand'
            $failure[0].CategoryInfo.Category | Should -Be 'InvalidData'
        }
    }
}

Describe 'Names of checkpoints' {
    BeforeEach {
        # A store with a neighbour, to see that nothing gets out of it.
        $place = New-TestFolder
        $store = $StoreKind -eq 'folder' ? "$place/outer/store" : (New-TestStore)
        Set-Content "$place/neighbour.txt" 'mine'
        Set-CheckpointContext -Reset -Store $store -Pipeline '' -Run '' -Keep $null
    }

    It 'may be <What>: as a stage, a pipeline and a run it stays in the store, and is kept as it is' -ForEach @(
        @{ What = '../../x'; Name = '../../x' }
        @{ What = '..\..\x'; Name = '..\..\x' }
        @{ What = '..'; Name = '..' }
        @{ What = '.'; Name = '.' }
        @{ What = '/etc/passwd'; Name = '/etc/passwd' }
        @{ What = 'C:\Windows'; Name = 'C:\Windows' }
        @{ What = 'a/b'; Name = 'a/b' }
        @{ What = 'CON'; Name = 'CON' }
        @{ What = 'nul.txt'; Name = 'nul.txt' }
        @{ What = 'COM1'; Name = 'COM1' }
        @{ What = 'LPT²'; Name = 'LPT²' }
        @{ What = 'a.'; Name = 'a.' }
        @{ What = 'one blank'; Name = ' ' }
        @{ What = 'with blanks around'; Name = ' a ' }
        @{ What = '*?[x]'; Name = '*?[x]' }
        @{ What = '<>:"|'; Name = '<>:"|' }
        @{ What = '%41%2F'; Name = '%41%2F' }
        @{ What = '~x'; Name = '~x' }
        @{ What = 'stages'; Name = 'stages' }
        @{ What = '0000000001.json'; Name = '0000000001.json' }
        @{ What = '-Name'; Name = '-Name' }
        @{ What = '$(exit)'; Name = '$(exit)' }
        @{ What = 'of letters of many scripts'; Name = 'Ünïcödé Ωmega Дата データ 데이터 نص' }
        @{ What = 'with an unassigned and a private code point'; Name = "a`u{0378}`u{E000}`u{FFFF}" }
        @{ What = 'with a joiner and a mark that turns the text'; Name = "a`u{200D}`u{202E}b" }
        @{ What = '200 letters'; Name = 'Q' * 200 }
        @{ What = '200 emoji'; Name = "`u{1F600}" * 200 }
        @{ What = '200 letters that are 400 code points until composed'; Name = "e`u{301}" * 200; Kept = "`u{E9}" * 200 }
    ) {
        $kept = $Kept ?? $Name
        Save-Checkpoint -Name $Name 'a state'
        Save-Checkpoint -Name $Name 'another' -Pipeline $Name -Run $Name
        Test-Checkpoint -Name $Name | Should -BeTrue
        Test-Checkpoint -Name $Name -Pipeline $Name -Run $Name | Should -BeTrue
        Test-Checkpoint -Name 'x' -Pipeline $Name | Should -BeFalse

        $info = @(Get-Checkpoint) + @(Get-Checkpoint -Pipeline ([WildcardPattern]::Escape($Name)) -Run '*')
        $info | Should -HaveCount 2
        $info.Name | Should -BeExactly $kept, $kept
        $info[1].Pipeline | Should -BeExactly $kept
        $info[1].Run | Should -BeExactly $kept
        (Get-Checkpoint -Name $Name).Location | Should -Be $info[0].Location
        Restore-Checkpoint -Name $Name | Should -Be 'a state'
        Restore-Checkpoint -Name $Name -Pipeline $Name -Run $Name | Should -Be 'another'

        Get-StoreFile $place | Where-Object { $_ -notlike 'outer/store/*' } | Should -Be 'neighbour.txt'
        Get-StoreFile $store | Should -HaveCount 2
        foreach ($part in $StoreKind -eq 'folder' ? (Get-StoreFile $store) -split '/' : @()) {
            $part | Should -Not -Match '[<>:"\\|?*\x00-\x1f]|[. ]$|^ |^(?i:con|prn|aux|nul|com\d|lpt\d)(\.|$)'
            [Text.Encoding]::UTF8.GetByteCount($part) | Should -BeLessOrEqual 143 # eCryptfs, the least of all
        }

        Clear-Checkpoint -Name ([WildcardPattern]::Escape($Name))
        Test-Checkpoint -Name $Name | Should -BeFalse
        Test-Checkpoint -Name $Name -Pipeline $Name -Run $Name | Should -BeTrue
        Clear-Checkpoint -Pipeline ([WildcardPattern]::Escape($Name)) -Run ([WildcardPattern]::Escape($Name))
        Get-StoreFile $place | Should -Be 'neighbour.txt'
    }

    It 'may not be <What>' -ForEach @(
        @{ What = 'empty'; Name = ''; StageOnly = $true }
        @{ What = '201 letters'; Name = 'x' * 201 }
        @{ What = '201 emoji'; Name = "`u{1F600}" * 201 }
        @{ What = 'with a line break'; Name = "a`nb" }
        @{ What = 'with a zero'; Name = "a`0b" }
        @{ What = 'with an escape'; Name = "a`e[31mb" }
        @{ What = 'with a delete'; Name = "a`u{7F}" }
        @{ What = 'with a control character above ASCII'; Name = "ä`u{85}" }
        @{ What = 'with the first half of a surrogate pair'; Name = "a$([char] 0xD83D)b" }
        @{ What = 'with the second half of a surrogate pair'; Name = "a$([char] 0xDE00)" }
    ) {
        foreach ($command in 'Save', 'Test', 'Get', 'Restore', 'Clear') {
            $type = "Checkpoint.Commands.${command}CheckpointCommand"
            $given = @(@{ Name = $Name })
            if (-not $StageOnly) {
                $given += @{ Name = 'a'; Pipeline = $Name }, @{ Name = 'a'; Run = $Name }
            }
            foreach ($parameters in $given) {
                $failure = { & "$command-Checkpoint" @parameters -ErrorAction Stop } | Should -Throw -PassThru -ErrorId "InvalidName,$type"
                $failure.CategoryInfo.Category | Should -Be 'InvalidArgument'
                $failure.TargetObject | Should -BeExactly $Name
                $failure.Exception.Message | Should -Not -Match '[\x00-\x1f\x7f\x85]'
            }
        }
        $store | Should -Not -Exist
    }

    It 'are the same whatever the case: <First> and <Second>' -ForEach @(
        @{ First = 'Ingest'; Second = 'INGEST' }
        @{ First = 'ÄÖÜ'; Second = 'äöü' }
        @{ First = 'ΛΌΓΟΣ'; Second = 'λόγος' }
        @{ First = 'Дата'; Second = 'дАТА' }
        @{ First = 'µ'; Second = 'Μ' } # the micro sign and the Greek letter
        @{ First = 'ǅ'; Second = 'ǆ' }
    ) {
        Save-Checkpoint $First 1 -Pipeline $First -Run $First
        Test-Checkpoint $Second -Pipeline $Second -Run $Second | Should -BeTrue
        Restore-Checkpoint $Second -Pipeline $Second -Run $Second | Should -Be 1
        (Get-Checkpoint $Second -Pipeline $Second -Run $Second).Name | Should -BeExactly $First
        Save-Checkpoint $Second 2 -Pipeline $Second -Run $Second
        (Get-Checkpoint -Pipeline $First -Run $First).Name | Should -BeExactly $Second
        (Get-Checkpoint $First -Pipeline $First -Run $First -AllSteps).Name | Should -BeExactly $Second, $First
        (Get-Checkpoint "$Second*" -Pipeline "$Second*" -Run "$Second*").Step | Should -Be 2
        Clear-Checkpoint $First -Pipeline $First -Run $First
        Get-StoreFile $place | Should -Be 'neighbour.txt'
    }

    It 'are the same composed and decomposed' {
        $composed, $decomposed = "caf`u{E9}", "cafe`u{301}"
        Save-Checkpoint $decomposed -Pipeline $decomposed -Run $decomposed
        Test-Checkpoint $composed -Pipeline $composed -Run $composed | Should -BeTrue
        (Get-Checkpoint $decomposed -Pipeline $composed -Run $decomposed).Name | Should -BeExactly $composed
        (Get-Checkpoint "c?f`u{E9}*" -Pipeline $composed -Run $decomposed).Name | Should -BeExactly $composed
        (Get-Checkpoint "*e`u{301}" -Pipeline "*e`u{301}" -Run "*e`u{301}").Name | Should -BeExactly $composed
    }

    It 'are not the same: <First> and <Second>' -ForEach @(
        @{ First = 'a'; Second = 'a ' }
        @{ First = 'a'; Second = 'a.' }
        @{ First = 'straße'; Second = 'strasse' }
        @{ First = 'a'; Second = 'à' }
        @{ First = 'a/b'; Second = 'a%2Fb' }
        @{ First = 'I'; Second = 'ı' }
        @{ First = 'K'; Second = 'к' } # Latin and Cyrillic
        @{ First = ('x' * 199 + 'a'); Second = ('x' * 199 + 'b') }
    ) {
        Save-Checkpoint $First 1
        Test-Checkpoint $Second | Should -BeFalse
        Save-Checkpoint $Second 2
        Restore-Checkpoint $First | Should -Be 1
        Get-Checkpoint -AllSteps | Should -HaveCount 2
    }
}
