BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    # What is too large to lie in a record, as its hashes.
    function Get-Payload {
        if ($StoreKind -eq 'folder') {
            return (Get-ChildItem $store -Recurse -Include *.state, items.outputs | Get-FileHash).Hash
        }
        Get-StoreEntry $store -Kind checkpoint, item-output | Where-Object Payload | ForEach-Object { [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($_.Payload)) }
    }

    function New-Secret([string] $Text) {
        [System.Net.NetworkCredential]::new('', $Text).SecurePassword
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Update-CheckpointKey' {
    BeforeEach {
        $savedKey = $env:CHECKPOINT_KEY
        $env:CHECKPOINT_KEY = $null
        $store = New-TestStore -Missing
        Set-CheckpointContext -Reset
        Set-CheckpointContext -Store $store -Pipeline default -Run $null
        $old = New-Secret 'old horse'
        $new = New-Secret 'new horse'
    }

    AfterEach { $env:CHECKPOINT_KEY = $savedKey }

    It 'has the new key open every step of every stage, and the outputs of items, and writes no state again' {
        Set-CheckpointContext -Key $old
        1..2 | ForEach-Object { Save-Checkpoint a ("launch-$_" * 10000) -Metadata @{ n = $_ } }
        Save-Checkpoint b 'small'
        1..3 | Invoke-CheckpointItem items { "output-$_" } -SaveOutput | Should -HaveCount 3
        Set-CheckpointContext -Key $null
        Save-Checkpoint plain 1
        $plain = Get-Record (Get-RecordPath $store plain)
        $payloads = Get-Payload

        Update-CheckpointKey -Key $old -NewKey $new -InformationVariable said -InformationAction SilentlyContinue | Should -BeNullOrEmpty

        "$said" | Should -BeLike '*key updated: a*key updated: b*key updated: items*'
        Restore-Checkpoint a -Step 1 -Key $new | Should -BeExactly ('launch-1' * 10000)
        Restore-Checkpoint b -Key $new | Should -Be 'small'
        (Get-Checkpoint a -Key $new).Metadata['n'] | Should -Be 2
        { Restore-Checkpoint a -Key $old } | Should -Throw -ErrorId 'KeyWrong,Checkpoint.Commands.RestoreCheckpointCommand'
        Set-CheckpointContext -Key $new
        1..3 | Invoke-CheckpointItem items { 'again' } -SaveOutput | Should -Be 'output-1', 'output-2', 'output-3'
        Get-Record (Get-RecordPath $store plain) | Should -Be $plain
        Get-Payload | Should -Be $payloads
        # Once more changes nothing, and is no error.
        $records = Get-Checkpoint -AllSteps -Key $new | ForEach-Object { Get-Record $_.Location }
        Update-CheckpointKey -Key $old -NewKey $new
        Get-Checkpoint -AllSteps -Key $new | ForEach-Object { Get-Record $_.Location } | Should -Be $records
    }

    It 'takes the old key from the context, names, steps, wildcards and what Get-Checkpoint gives' {
        $env:CHECKPOINT_KEY = 'old horse'
        'a1', 'a2', 'b' | ForEach-Object { 1..2 | Save-Checkpoint $_; Save-Checkpoint $_ 2 }
        Update-CheckpointKey a* -Step 1 -NewKey $new
        Get-Checkpoint b | Update-CheckpointKey -NewKey $new
        $env:CHECKPOINT_KEY = 'new horse'
        Restore-Checkpoint a1 -Step 1 | Should -Be 1, 2
        Restore-Checkpoint b -Step 2 | Should -Be 2
        { Restore-Checkpoint a1 -Step 2 } | Should -Throw -ErrorId 'KeyWrong,*'
        { Restore-Checkpoint b -Step 1 } | Should -Throw -ErrorId 'KeyWrong,*'
    }

    It 'goes on behind what the old key does not open, which is an error of its own' {
        Save-Checkpoint a 1 -Key (New-Secret 'another horse')
        Save-Checkpoint b 2 -Key $old
        Update-CheckpointKey -Key $old -NewKey $new -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed | Should -HaveCount 1
        $failed[0].FullyQualifiedErrorId | Should -Be 'KeyWrong,Checkpoint.Commands.UpdateCheckpointKeyCommand'
        Restore-Checkpoint b -Key $new | Should -Be 2
        Update-CheckpointKey a -NewKey $new -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed[0].FullyQualifiedErrorId | Should -Be 'KeyRequired,Checkpoint.Commands.UpdateCheckpointKeyCommand'
    }

    It 'says what is missing, and refuses what is no key' {
        Update-CheckpointKey nothing -Key $old -NewKey $new -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed[0].FullyQualifiedErrorId | Should -Be 'CheckpointNotFound,Checkpoint.Commands.UpdateCheckpointKeyCommand'
        Update-CheckpointKey no* -Key $old -NewKey $new
        { Update-CheckpointKey -Key $old -NewKey 'hunter2' } | Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.UpdateCheckpointKeyCommand'
        { Update-CheckpointKey -Key $old -NewKey ([securestring]::new()) } | Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.UpdateCheckpointKeyCommand'
    }

    It 'changes nothing with -WhatIf' {
        Save-Checkpoint a 1 -Key $old
        Update-CheckpointKey -Key $old -NewKey $new -WhatIf
        Restore-Checkpoint a -Key $old | Should -Be 1
    }
}
