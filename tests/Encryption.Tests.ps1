BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    function New-Secret([string] $Text) {
        [System.Net.NetworkCredential]::new('', $Text).SecurePassword
    }

    function New-RawKey {
        , [System.Security.Cryptography.RandomNumberGenerator]::GetBytes(32)
    }

    function New-Certificate([string] $Name) {
        $rsa = [System.Security.Cryptography.RSA]::Create(2048)
        $request = [System.Security.Cryptography.X509Certificates.CertificateRequest]::new("CN=$Name", $rsa,
            [System.Security.Cryptography.HashAlgorithmName]::SHA256, [System.Security.Cryptography.RSASignaturePadding]::Pkcs1)
        $request.CreateSelfSigned([DateTimeOffset]::new(2026, 1, 1, 0, 0, 0, 0), [DateTimeOffset]::new(2099, 1, 1, 0, 0, 0, 0))
    }

    # Everything that lies in the store, as text in which a plain text would be found, be it UTF-8 or UTF-16.
    function Get-StoreText {
        $contents = if ($StoreKind -eq 'folder') {
            Get-ChildItem $store -Recurse -File -Force | ForEach-Object { , [IO.File]::ReadAllBytes($_.FullName) }
        }
        else {
            Get-StoreEntry $store -Kind checkpoint, run, history, items, item-output, breaker | ForEach-Object { , $_.Record; if ($_.Payload) { , $_.Payload } }
        }
        foreach ($bytes in $contents) {
            [Text.Encoding]::Latin1.GetString($bytes)
            [Text.Encoding]::Unicode.GetString($bytes)
        }
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Encryption' {
    BeforeEach {
        Set-CheckpointContext -Reset
        $savedKey = $env:CHECKPOINT_KEY
        $env:CHECKPOINT_KEY = $null
        $store = New-TestStore -Missing
        Set-CheckpointContext -Store $store -Pipeline default -Run $null
    }

    AfterEach {
        $env:CHECKPOINT_KEY = $savedKey
    }

    Context 'of a checkpoint' {
        It 'keeps state and metadata from everybody without the key: <Name>' -ForEach @(
            @{ Name = 'a passphrase'; Make = { New-Secret 'correct horse' } }
            @{ Name = '32 bytes'; Make = { New-RawKey } }
            @{ Name = 'a list of 32 numbers'; Make = { , (1..32) } }
            @{ Name = 'a certificate'; Make = { New-Certificate test } }
        ) {
            $key = & $Make
            Save-Checkpoint s -State @{ code = 'launch-0000' } -Metadata @{ note = 'launch-1111' } -Key $key
            Save-Checkpoint big -State ('launch-2222' * 10000) -Key $key
            (Restore-Checkpoint s -Key $key).code | Should -Be 'launch-0000'
            Restore-Checkpoint big -Key $key | Should -BeExactly ('launch-2222' * 10000)
            (Get-Checkpoint s -Key $key).Metadata['note'] | Should -Be 'launch-1111'
            Get-StoreText | Should -Not -Match 'launch-'

            $info = Get-Checkpoint s
            $info.Encrypted, $info.Name, $info.Step | Should -Be $true, 's', 1
            $info.Metadata.Count | Should -Be 0
            Test-Checkpoint s | Should -BeTrue
            $failure = { Restore-Checkpoint s } | Should -Throw -PassThru -ErrorId 'KeyRequired,Checkpoint.Commands.RestoreCheckpointCommand'
            $failure.CategoryInfo.Category | Should -Be 'AuthenticationError'
            $failure.TargetObject | Should -Be 's'
            $failure = { Restore-Checkpoint s -Key (New-RawKey) } | Should -Throw -PassThru -ErrorId 'KeyWrong,Checkpoint.Commands.RestoreCheckpointCommand'
            $failure.CategoryInfo.Category | Should -Be 'AuthenticationError'
            { Restore-Checkpoint s -Key (New-Secret 'wrong horse') } | Should -Throw -ErrorId 'KeyWrong,Checkpoint.Commands.RestoreCheckpointCommand'
        }

        It 'emits nothing of a state whose end was changed, however long it is' -Tag Files {
            $key = New-RawKey
            1..20000 | ForEach-Object { "line $_" } | Save-Checkpoint s -Key $key
            $payload = Get-ChildItem $store -Recurse -Filter *.state
            $bytes = [IO.File]::ReadAllBytes($payload.FullName)
            $bytes[-1] = $bytes[-1] -bxor 1
            [IO.File]::WriteAllBytes($payload.FullName, $bytes)
            $got = [System.Collections.Generic.List[object]]::new()
            { Restore-Checkpoint s -Key $key | ForEach-Object { $got.Add($_) } } | Should -Throw -ErrorId 'CheckpointDamaged,Checkpoint.Commands.RestoreCheckpointCommand'
            $got | Should -HaveCount 0
        }

        It 'needs only the public part of a certificate to save' {
            $certificate = New-Certificate both
            $public = [System.Security.Cryptography.X509Certificates.X509CertificateLoader]::LoadCertificate($certificate.RawData)
            Save-Checkpoint s 5 -Key $public
            { Restore-Checkpoint s -Key $public } | Should -Throw "*$($certificate.Thumbprint)*private key*" -ErrorId 'KeyRequired,Checkpoint.Commands.RestoreCheckpointCommand'
            Restore-Checkpoint s -Key $certificate | Should -Be 5
        }

        It 'saves and restores an object with its identity' {
            class CheckpointSafe {
                [string] $Content = 'launch-0000'
                [object] GetState() { return $this.Content }
                [void] SetState([object] $state) { $this.Content = $state }
                [hashtable] GetIdentity() { return @{ model = 'launch-m' } }
            }
            $key = New-RawKey
            Save-Checkpoint s -InputObject ([CheckpointSafe]::new()) -Key $key
            $safe = [CheckpointSafe]::new()
            $safe.Content = ''
            Restore-Checkpoint s -InputObject $safe -Key $key
            $safe.Content | Should -Be 'launch-0000'
            { Restore-Checkpoint s -InputObject $safe } | Should -Throw -ErrorId 'KeyRequired,Checkpoint.Commands.RestoreCheckpointCommand'
            Get-StoreText | Should -Not -Match 'launch-'
        }

        It 'is also done behind the work' {
            $key = New-RawKey
            Save-Checkpoint s 'launch-0000' -Async -Key $key
            Wait-Checkpoint -Pending
            Restore-Checkpoint s -Key $key | Should -Be 'launch-0000'
            Get-StoreText | Should -Not -Match 'launch-'
        }
    }

    Context 'with a key in the context' {
        It 'is of everything: stages, runs and the outputs of items' {
            Set-CheckpointContext -Key (New-Secret 'correct horse')
            Save-Checkpoint s 'launch-0000'
            $block = { "launch-$(++$script:runs + 1110)" }
            $script:runs = 0
            Invoke-CheckpointStage stage $block | Should -Be 'launch-1111'
            $blocks = {
                New-CheckpointStage a { 'launch-2222'; 'launch-3333' }
                New-CheckpointStage b { $_.Output['a'].Count } -DependsOn a
            }
            $null = Invoke-CheckpointPipeline p $blocks
            1..3 | Invoke-CheckpointItem items { "launch-$_" } -SaveOutput | Should -HaveCount 3
            Get-StoreText | Should -Not -Match 'launch-'
            Get-Checkpoint | ForEach-Object Encrypted | Should -Not -Contain $false

            Invoke-CheckpointStage stage $block | Should -Be 'launch-1111'
            $script:runs | Should -Be 1
            1..3 | Invoke-CheckpointItem items { 'again' } -SaveOutput | Should -Be 'launch-1', 'launch-2', 'launch-3'
            Restore-Checkpoint s | Should -Be 'launch-0000'
            Set-CheckpointContext -Key $null
            { Invoke-CheckpointStage stage $block } | Should -Throw -ErrorId 'KeyRequired,*'
            { 1..3 | Invoke-CheckpointItem items { 'again' } -SaveOutput } | Should -Throw -ErrorId 'KeyRequired,*'
            { Restore-Checkpoint s -Key (New-Secret 'wrong horse') } | Should -Throw -ErrorId 'KeyWrong,*'
        }

        It 'is of what blocks save themselves too, where the cmdlet that runs them was given the key' {
            $key = New-Secret 'correct horse'
            Invoke-CheckpointStage s -Key $key { Save-Checkpoint inner 'launch-0000' }
            $null = Invoke-CheckpointPipeline p -Key $key { stage a { Save-Checkpoint inner 'launch-1111' } }
            Set-CheckpointContext -Key $key
            1 | Invoke-CheckpointItem i { Save-Checkpoint one 'launch-2222' }
            1 | Invoke-CheckpointItem i2 -ThrottleLimit 2 { Import-Module $using:ModulePath; Save-Checkpoint two 'launch-3333' }
            Get-StoreText | Should -Not -Match 'launch-'
            Restore-Checkpoint inner | Should -Be 'launch-0000'
            Restore-Checkpoint two | Should -Be 'launch-3333'
        }

        It 'takes the key of the parameter before that of the session, and that before the environment, and none where one says so' {
            $env:CHECKPOINT_KEY = 'correct horse'
            Save-Checkpoint a 1
            Set-CheckpointContext -Key (New-RawKey)
            (Get-CheckpointContext).Key, (Get-CheckpointContext).Source['Key'] | Should -Be 'key', 'Set-CheckpointContext'
            { Restore-Checkpoint a } | Should -Throw -ErrorId 'KeyWrong,*'
            Restore-Checkpoint a -Key (New-Secret 'correct horse') | Should -Be 1
            Save-Checkpoint b 1 -Key $null
            (Get-Checkpoint b).Encrypted | Should -BeFalse
            Set-CheckpointContext -Key $null
            { Restore-Checkpoint a } | Should -Throw -ErrorId 'KeyRequired,*'
            Set-CheckpointContext -Reset
            Set-CheckpointContext -Store $store -Pipeline default -Run $null
            Restore-Checkpoint a | Should -Be 1
            $env:CHECKPOINT_KEY = ''
            { Restore-Checkpoint a } | Should -Throw -ErrorId 'KeyRequired,*'
        }

        It 'takes 32 bytes in base64 from the environment, the form of a CI secret' {
            $bytes = New-RawKey
            $env:CHECKPOINT_KEY = 'base64:' + [Convert]::ToBase64String($bytes)
            Save-Checkpoint s 1
            $env:CHECKPOINT_KEY = $null
            Restore-Checkpoint s -Key $bytes | Should -Be 1
        }

        It 'leaves out the line break at the end of what the environment says, which files and pipes of secrets have' {
            $bytes = New-RawKey
            foreach ($break in "`n", "`r`n") {
                $env:CHECKPOINT_KEY = "correct horse$break"
                Save-Checkpoint a 1 -Overwrite -Step 1
                Restore-Checkpoint a -Key (New-Secret 'correct horse') | Should -Be 1
                $env:CHECKPOINT_KEY = 'Base64:' + [Convert]::ToBase64String($bytes) + $break
                Save-Checkpoint b 1 -Overwrite -Step 1
                Restore-Checkpoint b -Key $bytes | Should -Be 1
            }
        }
    }

    # Who can write to the store can put a plain checkpoint in the place of an encrypted one.
    Context 'and a checkpoint that is not encrypted' {
        It 'is used with a warning where a key is given, and without one where none is' {
            Save-Checkpoint s 5
            Save-Checkpoint done
            $invoke = { Invoke-CheckpointStage stage { 'plain' } -WarningVariable warned -WarningAction SilentlyContinue @args; , $warned }
            $pipeline = { stage a { 1 }; stage b { $_.Output['a'] } -DependsOn a }
            (& $invoke)[0] | Should -BeExactly 'plain'
            $null = Invoke-CheckpointPipeline p $pipeline -Run 1
            1..3 | Invoke-CheckpointItem items { "output $_" } -SaveOutput | Should -HaveCount 3
            Restore-Checkpoint s -WarningVariable warned | Should -Be 5
            $warned | Should -BeNullOrEmpty

            Set-CheckpointContext -Key (New-RawKey)
            Restore-Checkpoint s -WarningVariable warned -WarningAction SilentlyContinue | Should -Be 5
            $warned | Should -HaveCount 1
            $warned[0] | Should -BeLike "*'s'*step 1*not encrypted*"
            Test-Checkpoint done -WarningVariable warned -WarningAction SilentlyContinue | Should -BeTrue
            $warned | Should -HaveCount 1
            $output, $warned = & $invoke
            $output | Should -Be 'plain'
            $warned[0] | Should -BeLike "*'stage'*not encrypted*"
            $null = Invoke-CheckpointPipeline p $pipeline -Run 1 -From b -WarningVariable warned -WarningAction SilentlyContinue
            $warned | Should -HaveCount 1
            $warned[0] | Should -BeLike "*'a'*not encrypted*"
            1..3 | Invoke-CheckpointItem items { 'again' } -SaveOutput -WarningVariable warned -WarningAction SilentlyContinue | Should -Be 'output 1', 'output 2', 'output 3'
            $warned -match '3 items.*not encrypted' | Should -HaveCount 1
            $null, $warned = & $invoke -Fingerprint 2 -AcceptChange
            $warned[0] | Should -BeLike "*'stage'*not encrypted*"

            # What is encrypted since then is vouched for, and what is to run anyway needs no word.
            Save-Checkpoint s 6
            Restore-Checkpoint s -WarningVariable warned | Should -Be 6
            $warned | Should -BeNullOrEmpty
            Test-Checkpoint done -Fingerprint 1 -WarningVariable warned | Should -BeFalse
            $warned | Should -BeNullOrEmpty
        }
    }

    Context 'and what is no key' {
        It 'is refused without a word of it: <Name>' -ForEach @(
            @{ Name = 'text'; Key = 'hunter2' }
            @{ Name = '31 bytes'; Key = [byte[]]::new(31) }
            @{ Name = 'a number'; Key = 5 }
            @{ Name = 'a table'; Key = @{ a = 'hunter2' } }
            @{ Name = 'an empty passphrase, such as an answer that was only Enter'; Key = [securestring]::new() }
        ) {
            $failure = { Save-Checkpoint s 1 -Key $Key } | Should -Throw -PassThru -ErrorId 'InvalidArgument,Checkpoint.Commands.SaveCheckpointCommand'
            $failure | Out-String | Should -Not -Match 'hunter2'
            $store | Should -Not -Exist
        }

        It 'is refused in the environment: <Name>' -ForEach @(
            @{ Name = 'a blank'; Text = ' ' }
            @{ Name = 'a line break'; Text = "`n" }
            @{ Name = 'bytes that are not 32'; Text = 'base64:aHVudGVyMg==' }
            @{ Name = 'bytes that are no base64'; Text = 'base64:hunter2' }
        ) {
            $env:CHECKPOINT_KEY = $Text
            $failure = { Save-Checkpoint s 1 } | Should -Throw -PassThru -ErrorId 'InvalidArgument,Checkpoint.Commands.SaveCheckpointCommand'
            $failure | Should -BeLike '*CHECKPOINT_KEY*'
            $failure | Should -Not -Match 'hunter2|aHVudGVy'
            $store | Should -Not -Exist
        }

        It 'is what was disposed of' {
            $secret = New-Secret 'hunter2'
            $secret.Dispose()
            { Save-Checkpoint s 1 -Key $secret } | Should -Throw -ErrorId 'InvalidArgument,*'
            $certificate = New-Certificate gone
            Set-CheckpointContext -Key $certificate
            Save-Checkpoint s 1
            $certificate.Dispose()
            { Restore-Checkpoint s } | Should -Throw '*private key*' -ErrorId 'KeyRequired,*'
            { Set-CheckpointContext -Key $certificate } | Should -Throw '*disposed*' -ErrorId 'InvalidArgument,*'
        }

        It 'is a certificate with an elliptic curve' {
            $curve = [System.Security.Cryptography.ECDsa]::Create([System.Security.Cryptography.ECCurve]::CreateFromFriendlyName('nistP256'))
            $certificate = [System.Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=curve', $curve, [System.Security.Cryptography.HashAlgorithmName]::SHA256).CreateSelfSigned([DateTimeOffset]::Now, [DateTimeOffset]::Now.AddYears(1))
            { Save-Checkpoint s 1 -Key $certificate } | Should -Throw '*RSA*' -ErrorId 'InvalidArgument,*'
        }
    }

    Context 'of secrets in the state' {
        It 'gives SecureString and PSCredential back as themselves' {
            $key = New-Secret 'correct horse'
            $state = [ordered]@{
                password = New-Secret 'pässwörd 😀'
                empty = [securestring]::new()
                login = [pscredential]::new('DOMAIN\me', (New-Secret 'launch-0000'))
                none = [pscredential]::Empty
                list = @(1, (New-Secret 'x'))
            }
            Save-Checkpoint s -State $state -Key $key
            $back = Restore-Checkpoint s -Key $key
            $back.password | Should -BeOfType securestring
            ConvertFrom-SecureString $back.password -AsPlainText | Should -BeExactly 'pässwörd 😀'
            $back.empty.Length | Should -Be 0
            $back.login | Should -BeOfType pscredential
            $back.login.UserName, $back.login.GetNetworkCredential().Password | Should -BeExactly 'DOMAIN\me', 'launch-0000'
            [object]::ReferenceEquals($back.none, [pscredential]::Empty) | Should -BeTrue
            ConvertFrom-SecureString $back.list[1] -AsPlainText | Should -Be 'x'
            Get-StoreText | Should -Not -Match 'launch-|DOMAIN'

            New-Secret 'launch-1111' | Save-Checkpoint piped -Key $key -Async
            Wait-Checkpoint -Pending
            ConvertFrom-SecureString (Restore-Checkpoint piped -Key $key) -AsPlainText | Should -Be 'launch-1111'
        }

        It 'refuses them without a key and in metadata' {
            { Save-Checkpoint s -State (New-Secret 'launch-0000') } | Should -Throw '*CHECKPOINT_KEY*' -ErrorId 'KeyRequired,*'
            { Save-Checkpoint s -Metadata @{ p = New-Secret 'launch-0000' } -Key (New-RawKey) } | Should -Throw '*metadata.p *only in the state*' -ErrorId 'KeyRequired,*'
            Save-Checkpoint plain 1
            Get-StoreText | Should -Not -Match 'launch-'
        }
    }

    It 'tells nothing of a state that cannot be saved but where in it the fault lies, neither in the message nor in the history nor in the account of a run' {
        class CheckpointLoud { [object] $Part; CheckpointLoud() { $this | Add-Member -MemberType ScriptProperty -Name Loud -Value { throw 'launch-2222' } } }
        $cycle = @{}
        $cycle['launch-0000'] = $cycle
        $doubled = [Activator]::CreateInstance([hashtable], [StringComparer]::Ordinal)
        $doubled[[pscustomobject] @{ a = 1 }] = 'launch-1111'
        $key = New-RawKey
        foreach ($state in @{ list = 1, $cycle }, $doubled, [CheckpointLoud]::new()) {
            foreach ($async in $true, $false) {
                try { Save-Checkpoint s $state -Key $key -Async:$async } catch { $_.Exception.Message | Should -Not -Match 'launch-' }
            }
        }
        $failure = { Save-Checkpoint s @{ list = 1, $cycle } -Key $key } | Should -Throw -PassThru -ErrorId 'StateNotSerializable,*'
        $failure | Should -BeLike '*$state`[entry 1`]`[1`]`[entry 1`]*'
        { Save-Checkpoint s @{ list = 1, $cycle } } | Should -Throw "*`$state.list``[1``]``['launch-0000'``]*"
        { Invoke-CheckpointStage s { $cycle } -Key $key } | Should -Throw -ErrorId 'StateNotSerializable,*'
        { Invoke-CheckpointPipeline p { stage a { $cycle } } -Key $key } | Should -Throw -ErrorId 'StateNotSerializable,*'
        Get-StoreText | Should -Not -Match 'launch-'
    }

    It 'leaves neither key nor plain text in any stream, transcript, history or other file' {
        $child = Start-Pwsh @"
            Start-Transcript '$TestDrive/transcript.txt' | Out-Null
            `$env:CHECKPOINT_KEY = 'hunter2-key'
            `$VerbosePreference = `$InformationPreference = `$DebugPreference = 'Continue'
            Save-Checkpoint s @{ a = 'launch-' + '0000' } -Metadata @{ note = 'launch-' + '1111' } -Store '$store'
            Save-Checkpoint big (('launch-' + '2222') * 20000) -Store '$store'
            `$null = Restore-Checkpoint s -Store '$store'
            `$null = Get-CheckpointHistory -Store '$store' | Out-String
            `$env:CHECKPOINT_KEY = 'hunter2-wrong'
            try { Restore-Checkpoint s -Store '$store' } catch { `$_ | Format-List * -Force | Out-String | Write-Output }
            Get-CheckpointContext | Format-List * -Force | Out-String
            Stop-Transcript | Out-Null
"@
        $told = (Wait-Pwsh $child).Output
        $told -join "`n" | Should -Match 'KeyWrong'
        # The child's own commands spell no secret in one piece.
        $all = @($told) + (Get-Content "$TestDrive/transcript.txt" -Raw) + (Get-StoreText)
        $all -join "`n" | Should -Not -Match 'launch-\d|hunter2'
    }
}
