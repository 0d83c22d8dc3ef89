BeforeAll {
    . $PSScriptRoot/Common.ps1

    # A reader of what is encrypted that knows nothing but docs/format.md.
    class EncryptedRecord {
        [string] $Path
        [Text.Json.JsonElement] $Record
        [Text.Json.JsonElement] $Encryption
        [byte[]] $DataKey

        EncryptedRecord([string] $path, [object] $key) {
            $this.Path = $path
            $this.Record = [Text.Json.JsonDocument]::Parse([IO.File]::ReadAllText($path)).RootElement
            $this.Encryption = $this.Record.GetProperty('encryption')
            if ($this.Encryption.GetProperty('cipher').GetString() -cne 'aes-256-gcm' -or $this.Encryption.GetProperty('chunk').GetInt32() -ne 65536) {
                throw 'The cipher is another.'
            }
            $wrapping = $this.Encryption.GetProperty('key')
            $root = [EncryptedRecord]::Root($wrapping, $key)
            $this.DataKey = [EncryptedRecord]::Decrypt([EncryptedRecord]::Derive($root, 'checkpoint wrap', 32),
                $wrapping.GetProperty('nonce').GetBytesFromBase64(), $wrapping.GetProperty('wrapped').GetBytesFromBase64(), $this.Identity())
        }

        static [byte[]] Root([Text.Json.JsonElement] $wrapping, [object] $key) {
            $root = switch ($wrapping.GetProperty('kind').GetString()) {
                'key' { $key }
                'passphrase' {
                    [Security.Cryptography.Rfc2898DeriveBytes]::Pbkdf2([Text.Encoding]::UTF8.GetBytes($key.Normalize()), $wrapping.GetProperty('salt').GetBytesFromBase64(),
                        $wrapping.GetProperty('iterations').GetInt32(), [Security.Cryptography.HashAlgorithmName]::SHA256, 32)
                }
                'certificate' {
                    $rsa = [Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($key)
                    $rsa.Decrypt($wrapping.GetProperty('encapsulated').GetBytesFromBase64(), [Security.Cryptography.RSAEncryptionPadding]::OaepSHA256)
                }
            }
            $id = $key -is [Security.Cryptography.X509Certificates.X509Certificate2] ? $key.Thumbprint : [Convert]::ToHexString([EncryptedRecord]::Derive($root, 'checkpoint id', 16)).ToLowerInvariant()
            if ($wrapping.GetProperty('id').GetString() -cne $id) {
                throw 'The key is another.'
            }
            return $root
        }

        static [byte[]] Derive([byte[]] $from, [string] $info, [int] $length) {
            return [Security.Cryptography.HKDF]::DeriveKey([Security.Cryptography.HashAlgorithmName]::SHA256, $from, $length, [byte[]]::new(0), [Text.Encoding]::UTF8.GetBytes($info))
        }

        static [byte[]] Decrypt([byte[]] $key, [byte[]] $nonce, [byte[]] $bytes, [byte[]] $data) {
            $aes = [Security.Cryptography.AesGcm]::new($key, 16)
            $plain = [byte[]]::new($bytes.Length - 16)
            $aes.Decrypt($nonce, [ArraySegment[byte]]::new($bytes, 0, $plain.Length).ToArray(), [ArraySegment[byte]]::new($bytes, $plain.Length, 16).ToArray(), $plain, $data)
            return $plain
        }

        static [byte[]] Number([long] $value) {
            $bytes = [BitConverter]::GetBytes($value)
            [array]::Reverse($bytes)
            return $bytes
        }

        static [byte[]] Bytes([byte[]] $value) {
            return [byte[]] ([EncryptedRecord]::Number($value.Length) + $value)
        }

        # Of what stands in the record; nothing where it does not.
        static [byte[]] Text([Text.Json.JsonElement] $object, [string] $member) {
            $value = [Text.Json.JsonElement]::new()
            return $object.TryGetProperty($member, [ref] $value) ? [EncryptedRecord]::Bytes([Text.Encoding]::UTF8.GetBytes($value.GetString())) : [EncryptedRecord]::Number(-1)
        }

        [byte[]] Identity() {
            $value = [Text.Json.JsonElement]::new()
            $bytes = [EncryptedRecord]::Bytes([Text.Encoding]::UTF8.GetBytes('checkpoint')) + [EncryptedRecord]::Number(1)
            $bytes += [EncryptedRecord]::Text($this.Record, 'pipeline') + [EncryptedRecord]::Text($this.Record, 'run') + [EncryptedRecord]::Text($this.Record, 'name')
            $bytes += [EncryptedRecord]::Number($this.Record.GetProperty('step').GetInt64())
            $bytes += $this.Record.TryGetProperty('fingerprint', [ref] $value) ? [EncryptedRecord]::Text($value, 'value') : [EncryptedRecord]::Number(-1)
            if ($this.Record.TryGetProperty('state', [ref] $value)) {
                $form = $value.GetProperty('sequence').GetBoolean() ? 'sequence' : 'value'
                $bytes += [EncryptedRecord]::Bytes([Text.Encoding]::UTF8.GetBytes($form)) + [EncryptedRecord]::Number($this.SealedState().Length)
                $bytes += [EncryptedRecord]::Number($this.Encryption.GetProperty('documentLength').GetInt64())
            }
            else {
                $bytes += [EncryptedRecord]::Number(-1)
            }
            $facts = [Text.Json.JsonElement]::new()
            $bytes += $this.Encryption.TryGetProperty('facts', [ref] $facts) ? [EncryptedRecord]::Bytes([Security.Cryptography.SHA256]::HashData($facts.GetBytesFromBase64())) : [EncryptedRecord]::Number(-1)
            $bytes += [EncryptedRecord]::Number($this.Record.GetProperty('savedAt').GetDateTimeOffset().UtcTicks)
            $files = $this.Record.TryGetProperty('outputFiles', [ref] $value) ? @($value.EnumerateArray()) : @()
            $bytes += [EncryptedRecord]::Number($files.Count)
            foreach ($file in $files) {
                $bytes += [EncryptedRecord]::Number($file.GetProperty('size').GetInt64()) + [EncryptedRecord]::Number($file.GetProperty('modifiedAt').GetDateTimeOffset().UtcTicks)
                $bytes += [EncryptedRecord]::Text($file, 'sha256')
            }
            return [byte[]] $bytes
        }

        [byte[]] SealedState() {
            $state = $this.Record.GetProperty('state')
            $value = [Text.Json.JsonElement]::new()
            if ($state.TryGetProperty('sealed', [ref] $value)) {
                return $value.GetBytesFromBase64()
            }
            $payload = $state.GetProperty('payload')
            $bytes = [IO.File]::ReadAllBytes((Join-Path (Split-Path $this.Path) $payload.GetProperty('file').GetString()))
            $hash = [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($bytes)).ToLowerInvariant()
            if ($bytes.Length -ne $payload.GetProperty('length').GetInt64() -or $bytes.Length -ne $payload.GetProperty('documentLength').GetInt64() -or $hash -cne $payload.GetProperty('sha256').GetString()) {
                throw 'The payload is another.'
            }
            return $bytes
        }

        [string] Facts() {
            $key = [EncryptedRecord]::Derive($this.DataKey, 'checkpoint facts', 32)
            return [Text.Encoding]::UTF8.GetString([EncryptedRecord]::Decrypt($key, [byte[]]::new(12), $this.Encryption.GetProperty('facts').GetBytesFromBase64(), [byte[]]::new(0)))
        }

        # The document, and the blobs behind it.
        [object[]] State() {
            $key = [EncryptedRecord]::Derive($this.DataKey, 'checkpoint state', 32)
            $bytes = $this.SealedState()
            $plain = [IO.MemoryStream]::new()
            for ($number = 0; $number * 65552 -lt $bytes.Length; $number++) {
                $length = [Math]::Min(65552, $bytes.Length - $number * 65552)
                $isLast = $number * 65552 + $length -eq $bytes.Length
                $nonce = [byte[]] (, 0 * 3 + [EncryptedRecord]::Number($number) + ($isLast ? 1 : 0))
                $chunk = [EncryptedRecord]::Decrypt($key, $nonce, [ArraySegment[byte]]::new($bytes, $number * 65552, $length).ToArray(), [byte[]]::new(0))
                $plain.Write($chunk, 0, $chunk.Length)
            }
            $all = $plain.ToArray()
            $document = $this.Encryption.GetProperty('documentLength').GetInt32()
            return @([Text.Encoding]::UTF8.GetString($all, 0, $document), [ArraySegment[byte]]::new($all, $document, $all.Length - $document).ToArray())
        }
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'docs/format.md on encryption' -Tag Files {
    BeforeEach {
        $store = New-TestStore -Missing
        Set-CheckpointContext -Reset
        Set-CheckpointContext -Store $store -Pipeline default -Run $null -Key $null
    }

    It 'is enough to read what was saved with <Name>' -ForEach @(
        @{ Name = '32 bytes'; Make = { $k = [Security.Cryptography.RandomNumberGenerator]::GetBytes(32); @{ Save = $k; Read = $k } } }
        @{ Name = 'a passphrase'; Make = { @{ Save = [System.Net.NetworkCredential]::new('', "Gro$([char] 0x308)ße 😀").SecurePassword; Read = 'Größe 😀' } } }
        @{
            Name = 'a certificate'; Make = {
                $rsa = [Security.Cryptography.RSA]::Create(2048)
                $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=format', $rsa, [Security.Cryptography.HashAlgorithmName]::SHA256, [Security.Cryptography.RSASignaturePadding]::Pkcs1)
                $certificate = $request.CreateSelfSigned([DateTimeOffset]::new(2026, 1, 1, 0, 0, 0, 0), [DateTimeOffset]::new(2099, 1, 1, 0, 0, 0, 0))
                @{ Save = $certificate; Read = $certificate }
            }
        }
    ) {
        $key = & $Make
        Save-Checkpoint small -State @{ a = 1 } -Metadata @{ rows = 5 } -Run 'r 1' -Key $key.Save
        Save-Checkpoint none -Fingerprint 1 -Key $key.Save
        $text = -join (1..30000 | ForEach-Object { [char] (33 + $_ % 90) })
        1, $text | Save-Checkpoint large -Fingerprint 1 -OutputFile $PSCommandPath, "$PSScriptRoot/Common.ps1" -Key $key.Save

        $small = [EncryptedRecord]::new("$store/default/runs/r 1/stages/small/0000000001.json", $key.Read)
        $small.State()[0] | Should -BeExactly '{"$hashtable":{"a":1}}'
        $small.Facts() | Should -BeExactly '{"metadata":{"rows":5}}'
        [EncryptedRecord]::new("$store/default/stages/none/0000000001.json", $key.Read).DataKey | Should -HaveCount 32
        $document, $blobs = [EncryptedRecord]::new("$store/default/stages/large/0000000001.json", $key.Read).State()
        $document | Should -BeExactly '[1,{"$string":{"blob":[0,60000]}}]'
        [Text.Encoding]::Unicode.GetString($blobs) | Should -BeExactly $text
    }

    It 'is enough to read a state of several chunks, and one that ends with a chunk' {
        $key = [byte[]]::new(32)
        foreach ($length in 200000, (131072 - '{"$byte[]":{"blob":[0,131042]}}'.Length)) {
            $bytes = [byte[]]::new($length)
            [Random]::new(5).NextBytes($bytes)
            Save-Checkpoint s -Step 1 -Overwrite -State $bytes -Key $key
            $document, $blobs = [EncryptedRecord]::new("$store/default/stages/s/0000000001.json", $key).State()
            $document | Should -BeExactly "{`"`$byte[]`":{`"blob`":[0,$length]}}"
            [Convert]::ToHexString($blobs) | Should -BeExactly ([Convert]::ToHexString($bytes))
        }
    }
}
