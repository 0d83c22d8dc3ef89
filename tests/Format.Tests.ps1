# Reads a store with a reader that knows docs/format.md and nothing else, and compares what it finds with what the module gives.

BeforeDiscovery {
    $format = Get-Content -LiteralPath "$PSScriptRoot/../docs/format.md" -Raw
    $exampleNames = [regex]::Matches($format, '(?m)^\| (?:`([^`]+)`|(\d+) times `(.)`) \| `([^`]+)` \|$') | ForEach-Object {
        @{ Name = $_.Groups[1].Value ? $_.Groups[1].Value : $_.Groups[3].Value * [int] $_.Groups[2].Value; Folder = $_.Groups[4].Value }
    }

    $hostileNames = @(
        '../../x', 'a/b', 'a\b', 'C:\x', '.', '..', '...', '.a', 'a.', ' a', 'a ', ' ', '%', '%41', 'a~b', '~', '~lock', 'x.json', 'stages', 'runs', '*', '[a]', '$x', '"', '|', '<>', '-'
        'con', 'PRN', 'aux.log', 'nul ', 'com0', 'COM9.txt', 'lpt²', 'conin$', 'com10', 'lptx', 'default'
        'Größe', 'ÜNÏ', 'ǅ', 'ς', 'Σ', 'µ', 'ı', 'İ', 'ſ', 'ẞ', 'ĸ', 'ŉ', 'Ÿ', "e`u{301}", "a`u{323}`u{307}", 'א', 'ع', 'ひ', 'カ', '漢', '한', 'Ж', '😀', '𐐀', 'Ⅷ', 'ª'
        ('x' * 100), ('x' * 101), ('X' * 200), ('/' * 33), ('/' * 34), ('😀' * 200), ('é' * 50), ('é' * 51), ('漢' * 33 + 'a'), ('漢' * 33 + 'ab'), ('a' * 66 + '/' + 'b' * 60)
    ) | ForEach-Object { @{ Name = $_ } }

    $scalars = @(
        $null, $true, $false, 0, -1, [int]::MaxValue, [int]::MinValue
        [byte] 255, [sbyte] -128, [short] -32768, [ushort] 65535, [uint] 4294967295, 5L, [long]::MinValue, [ulong]::MaxValue
        [Int128]::MinValue, [UInt128]::MaxValue, [IntPtr] -5, [UIntPtr] 5, [bigint]::Parse('-123456789012345678901234567890')
        0.0, -0.0, 1.0, 0.1, 1e300, 5e-324, 1e16, 123456789.125, [double]::NaN, [double]::PositiveInfinity, [double]::NegativeInfinity
        [float] 0.1, [float]::NaN, [float] -0.0, [float]::MaxValue, [Half] 1.5, [Half]::NegativeInfinity
        1.10d, 0.00d, [decimal]::new(0, 0, 0, $true, 2), [decimal]::MinValue
        '', 'text', "line`nfeed `"quotes`" \ / `u{0} `u{7f} `u{2028} é 漢 😀", "half $([char] 0xD800) a pair", [string] [char] 0xDFFF, '$tag', ('x' * 8191), ('x' * 8192), ('é' * 9000 + [char] 0xD800)
        [char] 'A', [char] 0, [char] 0xD800, [char] 0xFFFF
        [datetime]::new(2026, 3, 1, 4, 5, 6, [DateTimeKind]::Utc).AddTicks(1234567), [datetime]::new(2026, 3, 1, 4, 5, 6, [DateTimeKind]::Local), [datetime]::new(2026, 3, 1), [datetime]::MinValue, [datetime]::MaxValue
        [DateTimeOffset]::new(2026, 3, 1, 4, 5, 6, [timespan]::FromHours(-9.5)), [timespan]::FromTicks(-1), [timespan]::MaxValue, [timespan]::Zero
        [DateOnly]::new(2026, 3, 1), [TimeOnly]::new(23, 59, 59, 999), [guid]::NewGuid(), [uri] 'https://example.com/a b?c=%20#d', [uri]::new('a/b', [UriKind]::Relative), [version] '1.2', [version] '1.2.3.4'
    ) | ForEach-Object { $number = 0 } { @{ Number = ++$number; Kind = $null -eq $_ ? 'null' : $_.GetType().Name; Value = $_ } }
}

BeforeAll {
    . $PSScriptRoot/Common.ps1

    # The reader. Each method names the section of docs/format.md that it follows.
    class StoreReader {
        [string] $Store

        StoreReader([string] $store) {
            $this.Store = $store
        }

        # Names
        static [string] Key([string] $name) {
            $ascii = $true
            foreach ($rune in $name.EnumerateRunes()) {
                $ascii = $ascii -and $rune.IsAscii
            }
            if ($ascii) {
                return $name.ToLowerInvariant()
            }
            $folded = [Text.StringBuilder]::new()
            foreach ($rune in $name.Normalize().EnumerateRunes()) {
                $lower = $rune.Value -in 0x130, 0x131, 0x17F, 0x1E9E ? $rune : [Text.Rune]::ToLowerInvariant([Text.Rune]::ToUpperInvariant($rune))
                $null = $folded.Append($lower.ToString())
            }
            return $folded.ToString().Normalize()
        }

        static [bool] IsLiteral([Text.Rune] $rune, [bool] $isEdge) {
            $ranges = @((0x5D0, 0x5EA), (0x621, 0x63A), (0x641, 0x64A), (0x3041, 0x3094), (0x30A1, 0x30FA), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3))
            $cased = @((0x80, 0x17E), (0x391, 0x3C9), (0x400, 0x45F))
            $value = $rune.Value
            if ($rune.IsAscii) {
                return 'abcdefghijklmnopqrstuvwxyz0123456789-_'.Contains([char] $value) -or (-not $isEdge -and ' .'.Contains([char] $value))
            }
            if (-not [Text.Rune]::IsLetter($rune)) {
                return $false
            }
            if ($ranges.Where({ $value -ge $_[0] -and $value -le $_[1] })) {
                return $true
            }
            return $cased.Where({ $value -ge $_[0] -and $value -le $_[1] }) -and $value -notin 0x130, 0x131, 0x3A2, 0x3C2 -and [Text.Rune]::ToUpperInvariant($rune) -ne $rune
        }

        static [string] Folder([string] $name) {
            $key = [StoreReader]::Key($name)
            $stem = $key.Split([char[]] '. ')[0]
            $isDevice = $stem -cin 'con', 'prn', 'aux', 'nul', 'conin$', 'conout$' -or $stem -cmatch '^(com|lpt)[0123456789¹²³]$'
            $runes = @($key.EnumerateRunes())
            $pieces = for ($i = 0; $i -lt $runes.Count; $i++) {
                if ([StoreReader]::IsLiteral($runes[$i], ($i -eq 0 -or $i -eq $runes.Count - 1)) -and -not ($isDevice -and $i -eq 0)) {
                    $runes[$i].ToString()
                }
                else {
                    -join ([Text.Encoding]::UTF8.GetBytes($runes[$i].ToString()) | ForEach-Object { '%{0:X2}' -f $_ })
                }
            }
            if ([Text.Encoding]::UTF8.GetByteCount(-join $pieces) -le 100) {
                return -join $pieces
            }
            $cut = ''
            foreach ($piece in $pieces) {
                if ([Text.Encoding]::UTF8.GetByteCount($cut + $piece) -gt 67) {
                    break
                }
                $cut += $piece
            }
            return $cut + '~' + [StoreReader]::Sha256([Text.Encoding]::UTF8.GetBytes($key)).Substring(0, 32)
        }

        static [string] Sha256([byte[]] $bytes) {
            return [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($bytes)).ToLowerInvariant()
        }

        # Folders
        [string] StageFolder([string] $pipeline, [object] $run, [string] $name) {
            $parts = @($this.Store, [StoreReader]::Folder($pipeline)) + ($null -eq $run ? @() : 'runs', [StoreReader]::Folder($run)) + 'stages', [StoreReader]::Folder($name)
            return [IO.Path]::Join([string[]] $parts)
        }

        # What a reader checks
        [Text.Json.JsonElement] Record([string] $pipeline, [object] $run, [string] $name, [long] $step) {
            $folder = $this.StageFolder($pipeline, $run, $name)
            $record = [StoreReader]::RecordFile((Join-Path $folder ('{0:D10}.json' -f $step)))
            $told = $record.GetProperty('pipeline').GetString(), $null, $record.GetProperty('name').GetString()
            $member = [Text.Json.JsonElement]::new()
            if ($record.TryGetProperty('run', [ref] $member)) {
                $told[1] = $member.GetString()
            }
            if ($this.StageFolder($told[0], $told[1], $told[2]) -cne $folder -or $record.GetProperty('step').GetInt64() -ne $step) {
                throw 'The record does not lie in its place.'
            }
            return $record
        }

        static [Text.Json.JsonElement] RecordFile([string] $path) {
            $bytes = [IO.File]::ReadAllBytes($path)
            $tail = [Text.Encoding]::UTF8.GetString($bytes, $bytes.Length - 85, 85)
            if ($bytes.Length -gt 16MB -or $tail -cnotmatch '\A,\n  "checksum": "([0-9a-f]{64})"\n\}\n\z') {
                throw 'The record has no checksum at its end.'
            }
            if ($Matches[1] -cne [StoreReader]::Sha256($bytes[0..($bytes.Length - 86)])) {
                throw 'The checksum is another.'
            }
            $record = [StoreReader]::Json($bytes)
            $members = @($record.EnumerateObject().Name)
            if ($members[0] -cne 'format' -or $record.GetProperty('format').GetInt64() -ne 1) {
                throw 'The format is another.'
            }
            if ($members[-1] -cne 'checksum' -or $record.GetProperty('status').GetString() -cne 'completed') {
                throw 'This is no record of a completed stage.'
            }
            return $record
        }

        static [Text.Json.JsonElement] Json([byte[]] $bytes) {
            $options = [Text.Json.JsonDocumentOptions]::new()
            $options.MaxDepth = 320
            return [Text.Json.JsonDocument]::Parse([ReadOnlyMemory[byte]]::new($bytes), $options).RootElement
        }

        # State, Payload
        [object] State([string] $pipeline, [object] $run, [string] $name, [long] $step) {
            $state = $this.Record($pipeline, $run, $name, $step).GetProperty('state')
            $null = $state.GetProperty('sequence').GetBoolean()
            $value = [Text.Json.JsonElement]::new()
            if ($state.TryGetProperty('value', [ref] $value)) {
                return [StateReader]::new().Read($value)
            }
            $payload = $state.GetProperty('payload')
            $file = $payload.GetProperty('file').GetString()
            if ($file -cnotmatch ('^{0:D10}\.[0-9a-f]{{32}}\.state$' -f $step)) {
                throw 'The payload has no name of a payload.'
            }
            $bytes = [IO.File]::ReadAllBytes((Join-Path $this.StageFolder($pipeline, $run, $name) $file))
            if ($bytes.Length -ne $payload.GetProperty('length').GetInt64() -or [StoreReader]::Sha256($bytes) -cne $payload.GetProperty('sha256').GetString()) {
                throw 'The payload is not what was saved.'
            }
            $documentLength = $payload.GetProperty('documentLength').GetInt32()
            $reader = [StateReader]::new()
            $reader.Blobs = [ArraySegment[byte]]::new($bytes, $documentLength, $bytes.Length - $documentLength)
            $found = $reader.Read([StoreReader]::Json([ArraySegment[byte]]::new($bytes, 0, $documentLength).ToArray()))
            if ($reader.BlobsRead -ne $reader.Blobs.Count) {
                throw 'The payload is longer than what its document refers to.'
            }
            return $found
        }
    }

    # The dialect
    class StateReader {
        static [cultureinfo] $Invariant = [cultureinfo]::InvariantCulture
        static [hashtable] $ScalarTypes = @{
            bool = [bool]; byte = [byte]; sbyte = [sbyte]; int16 = [short]; uint16 = [ushort]; int32 = [int]; uint32 = [uint]; int64 = [long]; uint64 = [ulong]; int128 = [Int128]; uint128 = [UInt128]
            nint = [IntPtr]; nuint = [UIntPtr]; bigint = [bigint]; half = [Half]; single = [float]; double = [double]; decimal = [decimal]; char = [char]; datetime = [datetime]
            datetimeoffset = [DateTimeOffset]; timespan = [timespan]; date = [DateOnly]; time = [TimeOnly]; guid = [guid]; uri = [uri]; version = [version]; string = [string]
        }
        static [hashtable] $PlainTypes = @{
            object = [object]; pscustomobject = [psobject]; hashtable = [hashtable]; ordered = [Collections.Specialized.OrderedDictionary]; arraylist = [Collections.ArrayList]
        }
        static [hashtable] $GenericTypes = @{
            list = [Collections.Generic.List`1]; hashset = [Collections.Generic.HashSet`1]; queue = [Collections.Generic.Queue`1]; stack = [Collections.Generic.Stack`1]; dictionary = [Collections.Generic.Dictionary`2]
        }

        [ArraySegment[byte]] $Blobs = [ArraySegment[byte]]::new([byte[]]::new(0))
        [long] $BlobsRead

        [object] Read([Text.Json.JsonElement] $json) {
            switch ($json.ValueKind) {
                'Null' { return $null }
                'True' { return $true }
                'False' { return $false }
                'String' { return $json.GetString() }
                'Number' {
                    if ($json.GetRawText() -match '[.eE]') {
                        return $json.GetDouble()
                    }
                    return $json.GetInt32()
                }
                'Array' { return $this.Items($json, $null).ToArray() }
            }
            $members = @($json.EnumerateObject())
            if ($members -and $members[0].Name.StartsWith('$')) {
                return $this.Tagged($members[0].Name.Substring(1), $members[0].Value, $json)
            }
            return $this.Properties($json)
        }

        [object] Tagged([string] $tag, [Text.Json.JsonElement] $value, [Text.Json.JsonElement] $json) {
            $member = [Text.Json.JsonElement]::new()
            switch -CaseSensitive ($tag) {
                'utf16' { return [StateReader]::Utf16($value.GetBytesFromBase64()) }
                'object' {
                    $bag = $this.Properties($value)
                    if ($json.TryGetProperty('types', [ref] $member)) {
                        $bag.PSTypeNames.Clear()
                        @($member.EnumerateArray() | ForEach-Object { $_.GetString() }) + 'System.Management.Automation.PSCustomObject', 'System.Object' | ForEach-Object { $bag.PSTypeNames.Add($_) }
                    }
                    return $bag
                }
                'deserialized' {
                    $live = @{
                        Properties = $this.Properties($value)
                        Types = @($json.GetProperty('types').EnumerateArray() | ForEach-Object { $_.GetString() })
                        Text = $this.Read($json.GetProperty('text'))
                    }
                    if ($json.TryGetProperty('value', [ref] $member)) {
                        $live.Value = $this.Read($member)
                    }
                    return [Tuple[string, hashtable]]::new('live', $live)
                }
                'xml' {
                    $document = [xml]::new()
                    $document.PreserveWhitespace = $true
                    $document.LoadXml($value.GetString())
                    return $document
                }
            }
            if ($value.ValueKind -eq 'String' -and [StateReader]::ScalarTypes.ContainsKey($tag)) {
                return [StateReader]::Scalar($tag, $value.GetString())
            }
            $type, $element, $arguments = [StateReader]::FindType($tag)
            if ($tag -ceq 'byte[]' -and $value.ValueKind -eq 'String') {
                return $value.GetBytesFromBase64()
            }
            if ($value.ValueKind -eq 'Object' -and ($tag -ceq 'string' -or $type.IsArray)) {
                return $this.Blob($tag, $element, $value.GetProperty('blob'))
            }
            $comparer = $json.TryGetProperty('comparer', [ref] $member) ? $member.GetString() : ''
            if ($type -eq [hashtable] -or $type -eq [Collections.Specialized.OrderedDictionary] -or $tag.StartsWith('dictionary<')) {
                return $this.Table($type, $arguments, $value, $comparer)
            }
            $lengths = $json.TryGetProperty('lengths', [ref] $member) ? @($member.EnumerateArray() | ForEach-Object { $_.GetInt32() }) : @()
            return $this.List($type, $element, $value, $lengths, $comparer)
        }

        [object] Properties([Text.Json.JsonElement] $json) {
            $bag = [pscustomobject]@{}
            foreach ($member in $json.EnumerateObject()) {
                $bag.PSObject.Properties.Add([psnoteproperty]::new($member.Name, $this.Read($member.Value)))
            }
            return $bag
        }

        [Collections.Generic.List[object]] Items([Text.Json.JsonElement] $json, [string] $element) {
            $items = [Collections.Generic.List[object]]::new()
            foreach ($item in $json.EnumerateArray()) {
                $items.Add($this.Item($item, $element))
            }
            return $items
        }

        [object] Item([Text.Json.JsonElement] $json, [string] $element) {
            if ($json.ValueKind -eq 'String' -and $element -and $element -cne 'string' -and [StateReader]::ScalarTypes.ContainsKey($element)) {
                return [StateReader]::Scalar($element, $json.GetString())
            }
            return $this.Read($json)
        }

        [object] List([type] $type, [string] $element, [Text.Json.JsonElement] $value, [int[]] $lengths, [string] $comparer) {
            $items = $this.Items($value, $element)
            if ($type -eq [Collections.ArrayList]) {
                return [Collections.ArrayList]::new($items)
            }
            $itemType = $type.IsArray ? $type.GetElementType() : $type.GetGenericArguments()[0]
            if (-not $lengths) {
                $lengths = @($items.Count)
            }
            if ($type.Name -eq 'Stack`1') {
                $items.Reverse()
            }
            $array = [array]::CreateInstance($itemType, $lengths)
            $index = [int[]]::new($lengths.Count)
            foreach ($item in $items) {
                $array.SetValue($item, $index)
                for ($d = $index.Count - 1; $d -ge 0 -and ++$index[$d] -eq $lengths[$d]; $d--) {
                    $index[$d] = 0
                }
            }
            if ($type.IsArray) {
                return $array
            }
            if ($comparer) {
                return [Activator]::CreateInstance($type, [object[]] ($array, [StringComparer]::OrdinalIgnoreCase))
            }
            return [Activator]::CreateInstance($type, [object[]] (, $array))
        }

        [object] Table([type] $type, [string[]] $arguments, [Text.Json.JsonElement] $value, [string] $comparer) {
            $compare = $comparer -ceq 'ignoreCase' -or (-not $comparer -and -not $arguments) ? [StringComparer]::OrdinalIgnoreCase : $null
            $table = $compare ? [Activator]::CreateInstance($type, [object[]] (, $compare)) : [Activator]::CreateInstance($type)
            $valueType = $arguments ? $arguments[1] : ''
            if ($value.ValueKind -eq 'Object') {
                foreach ($member in $value.EnumerateObject()) {
                    ([Collections.IDictionary] $table).Add($member.Name, $this.Item($member.Value, $valueType))
                }
            }
            else {
                foreach ($pair in $value.EnumerateArray()) {
                    ([Collections.IDictionary] $table).Add($this.Read($pair[0]), $this.Item($pair[1], $valueType))
                }
            }
            return $table
        }

        [object] Blob([string] $tag, [string] $element, [Text.Json.JsonElement] $place) {
            $offset, $length = $place[0].GetInt64(), $place[1].GetInt64()
            if ($offset -ne $this.BlobsRead -or $length -lt 0 -or $offset + $length -gt $this.Blobs.Count) {
                throw 'The blob lies outside of the payload.'
            }
            $this.BlobsRead += $length
            $bytes = $this.Blobs.Slice([int] $offset, [int] $length).ToArray()
            if ($tag -ceq 'string') {
                return [StateReader]::Utf16($bytes)
            }
            $size = @{ bool = 1; byte = 1; sbyte = 1; int16 = 2; uint16 = 2; char = 2; half = 2; int32 = 4; uint32 = 4; single = 4; int64 = 8; uint64 = 8; double = 8 }[$element]
            $array = [array]::CreateInstance([StateReader]::ScalarTypes[$element], [int] ($length / $size))
            if ($element -ceq 'half') {
                for ($i = 0; $i -lt $array.Length; $i++) {
                    $array[$i] = [BitConverter]::ToHalf($bytes, 2 * $i)
                }
            }
            else {
                [Buffer]::BlockCopy($bytes, 0, $array, 0, $bytes.Length)
            }
            return $array
        }

        static [string] Utf16([byte[]] $bytes) {
            $chars = [char[]]::new($bytes.Length / 2)
            [Buffer]::BlockCopy($bytes, 0, $chars, 0, $bytes.Length)
            return [string]::new($chars)
        }

        static [object] Scalar([string] $name, [string] $text) {
            $i = [StateReader]::Invariant
            switch -CaseSensitive ($name) {
                'string' { return $text }
                'bool' { return $text -ceq 'true' }
                'char' { return [char] [int] $text }
                'guid' { return [guid]::ParseExact($text, 'D') }
                'uri' {
                    $kind, $rest = $text -split ':', 2
                    return [uri]::new($rest, $kind -ceq 'absolute' ? [UriKind]::Absolute : [UriKind]::Relative)
                }
                'version' { return [version] $text }
                'datetime' { return [datetime]::ParseExact($text, 'O', $i, 'RoundtripKind') }
                'datetimeoffset' { return [DateTimeOffset]::ParseExact($text, 'O', $i) }
                'timespan' { return [timespan]::ParseExact($text, 'c', $i) }
                'date' { return [DateOnly]::ParseExact($text, 'O', $i) }
                'time' { return [TimeOnly]::ParseExact($text, 'O', $i) }
            }
            return [StateReader]::ScalarTypes[$name]::Parse($text, $i)
        }

        # Types. Gives the type, the name of an array's or list's items, and the arguments of a dictionary.
        static [object[]] FindType([string] $name) {
            if ($name -cmatch '^(.*)\[(,*)\]$') {
                $inner, $commas = $Matches[1], $Matches[2]
                $item = [StateReader]::FindType($inner)[0]
                $array = $commas ? $item.MakeArrayType($commas.Length + 1) : $item.MakeArrayType()
                return $array, $inner, $null
            }
            if ($name -cmatch '^(\w+)<(.*)>$' -and [StateReader]::GenericTypes.ContainsKey($Matches[1])) {
                $definition = [StateReader]::GenericTypes[$Matches[1]]
                $arguments = [StateReader]::Split($Matches[2])
                return $definition.MakeGenericType([type[]] @($arguments | ForEach-Object { [StateReader]::FindType($_)[0] })), $arguments[0], $arguments
            }
            $plain = [StateReader]::ScalarTypes[$name] ?? [StateReader]::PlainTypes[$name]
            if (-not $plain) {
                throw "'$name' is no type of the format."
            }
            return $plain, 'object', $null
        }

        # At the commas that are not inside of angle or square brackets.
        static [string[]] Split([string] $text) {
            $depth = 0
            $parts = @('')
            foreach ($c in $text.ToCharArray()) {
                $depth += ('<['.Contains($c) ? 1 : 0) - ('>]'.Contains($c) ? 1 : 0)
                if ($c -eq ',' -and $depth -eq 0) {
                    $parts += ''
                }
                else {
                    $parts[-1] += $c
                }
            }
            return $parts
        }
    }

    # Lists where two values are not the same, with types, order and comparers.
    function Get-Difference([object] $Read, [object] $Restored, [string] $At = '$state') {
        if ($Read -is [Tuple[string, hashtable]]) {
            $live = $Read.Item2
            if (($Restored.PSTypeNames -join '|') -cne ($live.Types -join '|')) { "$At has the types $($Restored.PSTypeNames)" }
            if ($Restored.ToString() -cne $live.Text) { "$At has the text $Restored" }
            foreach ($property in $live.Properties.PSObject.Properties) {
                Get-Difference $property.Value $Restored.PSObject.Properties[$property.Name].Value "$At.$($property.Name)"
            }
            if ($live.ContainsKey('Value')) {
                Get-Difference $live.Value $Restored.PSObject.BaseObject "$At (value)"
            }
            return
        }
        if ($null -eq $Read -or $null -eq $Restored) {
            if ($null -ne $Read -or $null -ne $Restored) { "$At is null on one side" }
            return
        }
        $Read, $Restored = $Read, $Restored | ForEach-Object { $_ -is [psobject] -and $_.PSObject.BaseObject -isnot [Management.Automation.PSCustomObject] ? , $_.PSObject.BaseObject : , $_ }
        if ($Read.GetType() -ne $Restored.GetType()) {
            return "$At is a $($Read.GetType()) and a $($Restored.GetType())"
        }
        if ($Read -is [Management.Automation.PSCustomObject]) {
            $names = $Read, $Restored | ForEach-Object { (@($_.PSTypeNames) + @($_.PSObject.Properties.Name)) -join '|' }
            if ($names[0] -cne $names[1]) { return "$At has the types and properties $($names[0]) and $($names[1])" }
            foreach ($property in $Read.PSObject.Properties) {
                Get-Difference $property.Value $Restored.PSObject.Properties[$property.Name].Value "$At.$($property.Name)"
            }
            return
        }
        if ($Read -is [Collections.IDictionary]) {
            if ($Read.Count -ne $Restored.Count) { return "$At has $($Read.Count) and $($Restored.Count) entries" }
            if ($Read -is [Collections.Specialized.OrderedDictionary] -and ($Read.Keys -join '|') -cne ($Restored.Keys -join '|')) { "$At has another order" }
            foreach ($key in $Read.Keys) {
                if (-not ([Collections.IDictionary] $Restored).Contains($key)) { "$At has no $key"; continue }
                $other = $key -is [string] ? $key.ToUpperInvariant() : $key
                if (([Collections.IDictionary] $Read).Contains($other) -ne ([Collections.IDictionary] $Restored).Contains($other)) { "$At compares its keys in another way" }
                Get-Difference $Read[$key] $Restored[$key] "$At.$key"
            }
            return
        }
        if ($Read -is [Collections.IEnumerable] -and $Read -isnot [string] -and $Read -isnot [xml]) {
            if ($Read -is [array] -and (0..($Read.Rank - 1) | Where-Object { $Read.GetLength($_) -ne $Restored.GetLength($_) })) { return "$At has other lengths" }
            if ($Read.GetType().Name -eq 'HashSet`1' -and $Read.Comparer.GetType() -ne $Restored.Comparer.GetType()) { "$At compares its items in another way" }
            if ($Read -is [byte[]] -or $Read -is [bool[]] -or $Read -is [char[]]) { return [Linq.Enumerable]::SequenceEqual($Read, $Restored) ? @() : "$At has other items" }
            $left, $right = @($Read.GetEnumerator()), @($Restored.GetEnumerator())
            if ($left.Count -ne $right.Count) { return "$At has $($left.Count) and $($right.Count) items" }
            for ($i = 0; $i -lt $left.Count; $i++) {
                Get-Difference $left[$i] $right[$i] "$At[$i]"
            }
            return
        }
        $same = switch ($Read) {
            { $_ -is [double] } { [BitConverter]::DoubleToInt64Bits($Read) -eq [BitConverter]::DoubleToInt64Bits($Restored); break }
            { $_ -is [float] } { [BitConverter]::SingleToInt32Bits($Read) -eq [BitConverter]::SingleToInt32Bits($Restored); break }
            { $_ -is [decimal] } { ([decimal]::GetBits($Read) -join '|') -eq ([decimal]::GetBits($Restored) -join '|'); break }
            { $_ -is [datetime] } { $Read.Ticks -eq $Restored.Ticks -and $Read.Kind -eq $Restored.Kind; break }
            { $_ -is [DateTimeOffset] } { $Read.EqualsExact($Restored); break }
            { $_ -is [string] } { [string]::Equals($Read, $Restored, 'Ordinal'); break }
            { $_ -is [uri] } { $Read.OriginalString -ceq $Restored.OriginalString -and $Read.IsAbsoluteUri -eq $Restored.IsAbsoluteUri; break }
            { $_ -is [xml] } { $Read.OuterXml -ceq $Restored.OuterXml; break }
            default { $Read.Equals($Restored) }
        }
        if (-not $same) { "$At is '$Read' and '$Restored'" }
    }

    function Get-TagName([Text.Json.JsonElement] $Json) {
        if ($Json.ValueKind -eq 'Object') {
            foreach ($member in $Json.EnumerateObject()) {
                if ($member.Name.StartsWith('$')) { $member.Name }
                Get-TagName $member.Value
            }
        }
        elseif ($Json.ValueKind -eq 'Array') {
            foreach ($item in $Json.EnumerateArray()) { Get-TagName $item }
        }
    }

    $format = Get-Content -LiteralPath "$RepositoryRoot/docs/format.md" -Raw
}

Describe 'docs/format.md' -Tag Files {
    BeforeEach {
        $store = New-TestStore
        $reader = [StoreReader]::new($store)
        Set-CheckpointContext -Reset -Store $store -Pipeline default -Run ''
    }

    AfterAll {
        Set-CheckpointContext -Reset
    }

    Context 'Names' {
        It 'has a table of examples' {
            $format | Should -Match '(?m)^\| `a/b` \| `a%2Fb` \|$'
        }

        It 'is right about the example <Folder>' -ForEach $exampleNames {
            $reader::Folder($Name) | Should -BeExactly $Folder
            Save-Checkpoint $Name
            "$store/default/stages/$Folder/0000000001.json" | Should -Exist
        }

        It 'says where a stage, a run and a pipeline named <Name> lie' -ForEach $hostileNames {
            Save-Checkpoint $Name -State 1
            Save-Checkpoint $Name -State 2 -Run $Name
            Save-Checkpoint $Name -State 3 -Pipeline $Name
            Save-Checkpoint $Name -State 4 -Pipeline $Name -Run $Name
            $reader.State('default', $null, $Name, 1) | Should -Be 1
            $reader.State('default', $Name, $Name, 1) | Should -Be 2
            $reader.State($Name, $null, $Name, $Name -eq 'default' ? 2 : 1) | Should -Be 3
            $reader.State($Name, $Name, $Name, $Name -eq 'default' ? 2 : 1) | Should -Be 4
            $reader.Record('default', $Name, $Name, 1).GetProperty('name').GetString() | Should -BeExactly $Name.Normalize()
            $reader.Record('default', $Name, $Name, 1).GetProperty('run').GetString() | Should -BeExactly $Name.Normalize()
        }

        It 'gives every letter of the ranges, and its neighbours, the key and the folder that the module gives it' {
            $starts = 0x20, 0x7E, 0x80, 0x390, 0x3FE, 0x41F, 0x43F, 0x5CF, 0x620, 0x3040, 0x30A0, 0x4DFE, 0x9FA4, 0xABFF, 0xD7A2, 0x1E9A, 0x212A, 0xFF20, 0x10400
            foreach ($start in $starts) {
                $name = -join ($start..($start + 0x22) | Where-Object { $_ -notin 0x7F..0x9F -and $_ -notin 0xD800..0xDFFF } | ForEach-Object { [char]::ConvertFromUtf32($_) })
                foreach ($part in 0..6) {
                    $piece = [string]::new([char[]] @($name.EnumerateRunes() | Select-Object -Skip (5 * $part) -First 5 | ForEach-Object { $_.ToString().ToCharArray() }))
                    if (-not $piece) { continue }
                    Save-Checkpoint $piece -Overwrite -Step 1
                    $reader.StageFolder('default', $null, $piece) | Should -Exist -Because ($piece.EnumerateRunes() | ForEach-Object { 'U+{0:X4}' -f $_.Value })
                }
            }
        }
    }

    Context 'Record' {
        BeforeEach {
            class Thing {
                [object] GetState() { return 5 }
                [object] GetIdentity() { return @{ Kind = 'thing'; Size = 3L } }
            }
            Set-Content "$store.txt" 'output'
            $metadata = @{ Rows = 5; Took = [timespan]::FromSeconds(1.5); Names = 'a', 'b'; None = $null }
            $saved = Save-Checkpoint all -Run r -Step 7 -InputObject ([Thing]::new()) -Metadata $metadata -Fingerprint @{ a = 1; 'b c' = 2 } -OutputFile "$store.txt" -PassThru
            $record = $reader.Record('default', 'r', 'all', 7)
        }

        It 'names all members of a record, and no other' {
            $table = [regex]::Match($format, '(?s)\n\| member \| value \| there \|\n.*?\n\n').Value
            $told = [regex]::Matches($table, '(?m)^\| (`\w+`(?: `\w+`)*) \|') | ForEach-Object { $_.Groups[1].Value -split ' ' -replace '`' }
            @($record.EnumerateObject().Name) | Should -BeExactly @($told -ne 'encryption')
            $null = Save-Checkpoint all -Run r -Step 8 -InputObject ([Thing]::new()) -Metadata $metadata -Fingerprint 1 -OutputFile "$store.txt" -Key ([byte[]]::new(32))
            @($reader.Record('default', 'r', 'all', 8).EnumerateObject().Name) | Should -BeExactly @($told | Where-Object { $_ -notin 'metadata', 'identity' })
        }

        It 'says what the members hold' {
            $record.GetProperty('pipeline').GetString() | Should -BeExactly $saved.Pipeline
            $record.GetProperty('run').GetString() | Should -BeExactly $saved.Run
            $record.GetProperty('name').GetString() | Should -BeExactly $saved.Name
            $record.GetProperty('step').GetInt64() | Should -Be 7
            $record.GetProperty('savedAt').GetDateTimeOffset() | Should -Be $saved.SavedAt
            $record.GetProperty('host').GetString() | Should -BeExactly $saved.Host
            $record.GetProperty('user').GetString() | Should -BeExactly $saved.User
            $record.GetProperty('processId').GetInt32() | Should -Be $PID
        }

        It 'says what a fingerprint holds' {
            $fingerprint = $record.GetProperty('fingerprint')
            $fingerprint.GetProperty('value').GetString() | Should -BeExactly $saved.Fingerprint.Value
            $parts = @{}
            $fingerprint.GetProperty('parts').EnumerateObject() | ForEach-Object { $parts[$_.Name] = $_.Value.GetString() }
            $parts.Keys | Sort-Object | Should -BeExactly 'a', 'b c'
            $parts.Keys | ForEach-Object { $parts[$_] | Should -BeExactly $saved.Fingerprint.Parts[$_] }
        }

        It 'says what facts hold' {
            foreach ($member in $record.GetProperty('metadata').EnumerateObject()) {
                Get-Difference ([StateReader]::new().Read($member.Value)) ($metadata[$member.Name]) $member.Name | Should -BeNullOrEmpty
            }
            @($record.GetProperty('metadata').EnumerateObject()) | Should -HaveCount $metadata.Count
            $identity = [StateReader]::new().Read($record.GetProperty('identity'))
            Get-Difference $identity ([pscustomobject]@{ Kind = 'thing'; Size = 3L }) | Should -BeNullOrEmpty
        }

        It 'says what output files hold' {
            $file = $record.GetProperty('outputFiles')[0]
            [IO.Path]::GetFullPath($file.GetProperty('path').GetString(), (Split-Path $store)) | Should -BeExactly ([IO.Path]::GetFullPath("$store.txt"))
            $file.GetProperty('path').GetString() | Should -BeExactly (Split-Path "$store.txt" -Leaf)
            $file.GetProperty('size').GetInt64() | Should -Be (Get-Item "$store.txt").Length
            $file.GetProperty('modifiedAt').GetDateTimeOffset().UtcDateTime | Should -Be (Get-Item "$store.txt").LastWriteTimeUtc
            $file.GetProperty('sha256').GetString() | Should -Be (Get-FileHash "$store.txt").Hash
        }

        It 'has as its example a record of this form' {
            $example = [regex]::Match($format, '(?s)```json\n(.*?)```').Groups[1].Value | ConvertFrom-Json -AsHashtable
            $example.Keys | Where-Object { $_ -cnotin $record.EnumerateObject().Name } | Should -BeNullOrEmpty
            $example.state.value['$hashtable'].Next | Should -Be 1201
        }

        It 'lets a reader notice every changed byte' {
            Save-Checkpoint small -State 1
            $path = "$store/default/stages/small/0000000001.json"
            $bytes = [IO.File]::ReadAllBytes($path)
            for ($i = 0; $i -lt $bytes.Length; $i += 7) {
                $changed = $bytes.Clone()
                $changed[$i] = $changed[$i] -bxor 1
                [IO.File]::WriteAllBytes($path, $changed)
                { $reader.Record('default', $null, 'small', 1) } | Should -Throw
            }
        }

        It 'lets a reader notice a record that was copied elsewhere' {
            Save-Checkpoint one
            Save-Checkpoint two
            Copy-Item "$store/default/stages/one/0000000001.json" "$store/default/stages/two/0000000002.json"
            { $reader.Record('default', $null, 'two', 2) } | Should -Throw 'The record does not lie in its place.'
        }

        It 'has members that a reader passes over' {
            Save-Checkpoint later -State 5
            $path = "$store/default/stages/later/0000000001.json"
            $body = (Get-Content $path -Raw) -replace '(?s)\A\{(.*),\n  "checksum".*', '{$1,"later":{"a":[1]}' -replace '"state": \{', '"state": { "also": 1,'
            $checksum = $reader::Sha256([Text.Encoding]::UTF8.GetBytes($body))
            [IO.File]::WriteAllText($path, "$body,`n  `"checksum`": `"$checksum`"`n}`n")
            $reader.State('default', $null, 'later', 1) | Should -Be 5
            Restore-Checkpoint later | Should -Be 5
        }
    }

    Context 'The dialect' {
        It 'tells a scalar as the module does: <Number>, a <Kind>' -ForEach $scalars {
            Save-Checkpoint scalar -State $Value
            $read = $reader.State('default', $null, 'scalar', 1)
            Get-Difference $read (Restore-Checkpoint scalar) | Should -BeNullOrEmpty
            Get-Difference $read $Value | Should -BeNullOrEmpty
        }

        It 'tells what lies in what' {
            $sorted = [Collections.Generic.SortedDictionary[string, int]]::new()
            $sorted.a = 1
            $stack = [Collections.Generic.Stack[object]]::new([object[]] (1, 'two', $null))
            $set = [Collections.Generic.HashSet[string]]::new([string[]] ('a', 'b'), [StringComparer]::OrdinalIgnoreCase)
            $dictionary = [Collections.Generic.Dictionary[string, long]]::new([StringComparer]::OrdinalIgnoreCase)
            $dictionary.one = 1
            $byNumber = [Collections.Generic.Dictionary[int, Collections.Generic.List[string]]]::new()
            $byNumber[5] = [string[]] ('five', $null, "$([char] 0xD800)")
            $exact = [Activator]::CreateInstance([hashtable])
            $exact.a = 1
            $exact.A = 2
            $matrix = [int[,]]::new(2, 3)
            $matrix[1, 2] = 6
            $document = [xml] '<a b="1"> <c/> </a>'
            $state = [ordered]@{
                Empty = @(), @{}, [ordered]@{}, [pscustomobject]@{}, [Collections.ArrayList]::new(), [byte[]]::new(0), [string[]]::new(0)
                Nested = @(@(@(1), @()), @(, @($null)))
                Bytes = [byte[]] (0, 255)
                Arrays = [int[]] (1, 2), [long[]] (1, 2), [double[]] (1, [double]::NaN, -0.0), [bool[]] ($true, $false), [char[]] 'ab', [string[]] ('a', $null), [decimal[]] 1.10d, [datetime[]] (Get-Date), [guid[]] [guid]::NewGuid()
                Jagged = [int[][]] ([int[]] (1, 2), [int[]] 3)
                Matrix = $matrix
                Cube = [string[, , ]]::new(2, 1, 2)
                Lists = [Collections.Generic.List[double]] (1.5, [double]::NegativeInfinity), [Collections.Generic.List[object]] (1, 'a', $null), [Collections.Generic.List[Collections.Generic.List[uint]]] ([Collections.Generic.List[uint]] (1, 2))
                Queue = [Collections.Generic.Queue[timespan]]::new([timespan[]] ('1:00', '2:00'))
                Stack = $stack
                Set = $set
                Dictionary = $dictionary
                ByNumber = $byNumber
                Table = @{ 1 = 'number'; 'text' = 2L; '$tag' = @{ '$int64' = '5' } }
                Exact = $exact
                Object = [pscustomobject]@{ PSTypeName = 'My.Type'; B = 1; A = [pscustomobject]@{ '$x' = 1; Plain = 2 } }
                Dollar = [pscustomobject]@{ '$int64' = '5' }
                Xml = $document
                Enum = [DayOfWeek]::Friday
                Live = Get-Item $store
                Sorted = $sorted
                Error = [InvalidOperationException]::new('no')
            }
            Save-Checkpoint nested -State $state
            $restored = Restore-Checkpoint nested
            Get-Difference $reader.State('default', $null, 'nested', 1) $restored | Should -BeNullOrEmpty

            $documented = [regex]::Matches($format, '`\{?"?\$(\w+)') | ForEach-Object { $_.Groups[1].Value } | Select-Object -Unique
            $types = [regex]::Matches($format, '"(\w+)"') | ForEach-Object { $_.Groups[1].Value }
            $used = Get-TagName $reader.Record('default', $null, 'nested', 1).GetProperty('state').GetProperty('value').GetProperty('$ordered') |
                Where-Object { $_ -notin '$tag', '$x' } | ForEach-Object { $_ -split '\W+' } | Where-Object { $_ } | Select-Object -Unique
            $used | Where-Object { $_ -cnotin $documented -and $_ -cnotin $types } | Should -BeNullOrEmpty
        }

        It 'tells 50 random states as the module does' {
            $random = [Random]::new(20260301)
            $leaf = {
                switch ($random.Next(9)) {
                    0 { $random.Next() }
                    1 { $random.NextInt64() }
                    2 { [BitConverter]::Int64BitsToDouble($random.NextInt64()) }
                    3 { [string]::new([char[]] @(1..$random.Next(1, 20) | ForEach-Object { [char] $random.Next(0x10000) })) }
                    4 { [decimal]::new($random.Next(), $random.Next(), $random.Next(), $random.Next(2), $random.Next(29)) }
                    5 { [datetime]::new($random.NextInt64([datetime]::MaxValue.Ticks), [DateTimeKind]::Utc) }
                    6 { [timespan]::FromTicks($random.NextInt64()) }
                    7 { $null }
                    8 { $bytes = [byte[]]::new($random.Next(40)); $random.NextBytes($bytes); , $bytes }
                }
            }
            $make = {
                param($depth)
                switch ($depth -gt 4 ? 9 : $random.Next(9)) {
                    { $_ -in 0, 1 } { , @(1..$random.Next(1, 5) | ForEach-Object { , (& $make ($depth + 1)) }) }
                    { $_ -in 2, 3 } { $table = [ordered]@{}; 1..$random.Next(1, 5) | ForEach-Object { $table["k$($_)"] = & $make ($depth + 1) }; $table }
                    4 { $bag = [pscustomobject]@{}; 1..$random.Next(1, 5) | ForEach-Object { $bag | Add-Member "p$($_)" (& $make ($depth + 1)) }; $bag }
                    default { & $leaf }
                }
            }
            foreach ($i in 1..50) {
                Save-Checkpoint random -State (& $make 0) -Step $i
                Get-Difference $reader.State('default', $null, 'random', $i) (Restore-Checkpoint random -Step $i) | Should -BeNullOrEmpty
            }
        }

        It 'tells a sequence from a value, and no state from null' {
            1, 'two' | Save-Checkpoint sequence
            Save-Checkpoint value -State (1, 'two')
            Save-Checkpoint nothing
            Save-Checkpoint null -State $null
            $reader.Record('default', $null, 'sequence', 1).GetProperty('state').GetProperty('sequence').GetBoolean() | Should -BeTrue
            $reader.Record('default', $null, 'value', 1).GetProperty('state').GetProperty('sequence').GetBoolean() | Should -BeFalse
            $reader.Record('default', $null, 'nothing', 1).EnumerateObject().Name | Should -Not -Contain 'state'
            $reader.Record('default', $null, 'null', 1).GetProperty('state').GetProperty('value').ValueKind | Should -Be 'Null'
            Get-Difference $reader.State('default', $null, 'sequence', 1) @(Restore-Checkpoint sequence) | Should -BeNullOrEmpty
        }
    }

    Context 'Payload' {
        BeforeEach {
            $random = [Random]::new(1)
            $bytes = [byte[]]::new(3MB)
            $random.NextBytes($bytes)
            $large = [ordered]@{
                Bytes = $bytes
                Numbers = [double[]] @(1..5000 | ForEach-Object { $random.NextDouble() })
                Halves = [Half[]] @(1..9000)
                Flags = [bool[]] @(1..20000 | ForEach-Object { $_ % 3 -eq 0 })
                Chars = ('ab' + [char] 0xD800) * 4000 -as [char[]]
                Text = 'é漢' * 9000
                Small = 1..3
                Lines = [string[]] @(1..3000 | ForEach-Object { "line $_" })
                Same = , $bytes * 2
                Set = [Collections.Generic.HashSet[string]]::new([string[]] ('x' * 9000))
            }
        }

        It 'says where the document and the blobs lie' {
            Save-Checkpoint large -State $large
            $read = $reader.State('default', $null, 'large', 1)
            Get-Difference $read (Restore-Checkpoint large) | Should -BeNullOrEmpty
            [Linq.Enumerable]::SequenceEqual($read.Bytes, $bytes) | Should -BeTrue
            $payload = $reader.Record('default', $null, 'large', 1).GetProperty('state').GetProperty('payload')
            $payload.GetProperty('documentLength').GetInt64() | Should -BeLessThan 200KB
        }

        It 'also says so of a long document without blobs' {
            Save-Checkpoint long -State @(1..20000)
            Get-Difference $reader.State('default', $null, 'long', 1) (Restore-Checkpoint long) | Should -BeNullOrEmpty
            Get-ChildItem "$store/default/stages/long" -Filter *.state | Should -HaveCount 1
        }

        It 'lets a reader notice a changed payload' {
            Save-Checkpoint large -State $large
            $path = (Get-ChildItem "$store/default/stages/large" -Filter *.state).FullName
            $content = [IO.File]::ReadAllBytes($path)
            $content[-1] = $content[-1] -bxor 1
            [IO.File]::WriteAllBytes($path, $content)
            { $reader.State('default', $null, 'large', 1) } | Should -Throw 'The payload is not what was saved.'
        }

        It 'gets another name when its step is overwritten, and the old one goes' {
            Save-Checkpoint large -State $large -Step 1
            $old = (Get-ChildItem "$store/default/stages/large" -Filter *.state).Name
            Save-Checkpoint large -State $large -Step 1 -Overwrite
            $new = @((Get-ChildItem "$store/default/stages/large" -Filter *.state).Name)
            $new | Should -HaveCount 1
            $new | Should -Not -Be $old
            $reader.Record('default', $null, 'large', 1).GetProperty('state').GetProperty('payload').GetProperty('file').GetString() | Should -BeExactly $new
        }
    }

    Context 'Folders' {
        It 'names every file and folder that a store has' {
            1..3 | ForEach-Object { Save-Checkpoint small -State $_ }
            Save-Checkpoint large -State ([byte[]]::new(1MB)) -Run r
            Save-Checkpoint small -Step 12345678901
            $files = Get-ChildItem $store -Recurse -File -Force | ForEach-Object { [IO.Path]::GetRelativePath($store, $_.FullName) -replace '\\', '/' }
            $files | Should -HaveCount 8
            $files | Should -Match '^default/history\.(jsonl|head)$|^default/(runs/r/)?stages/(small|large)/(\d{10}|[1-9]\d{10,18})(\.json|\.[0-9a-f]{32}\.state)$'
            $reader.Record('default', $null, 'small', 12345678901).GetProperty('step').GetInt64() | Should -Be 12345678901
        }

        It 'is right about their modes' -Skip:$IsWindows {
            Save-Checkpoint large -State ([byte[]]::new(1MB))
            $entries = Get-ChildItem $store -Recurse -Force
            $entries | Where-Object PSIsContainer | ForEach-Object { $_.UnixFileMode | Should -Be ([IO.UnixFileMode] 'UserRead, UserWrite, UserExecute') }
            $entries | Where-Object { -not $_.PSIsContainer } | ForEach-Object { $_.UnixFileMode | Should -Be ([IO.UnixFileMode] 'UserRead, UserWrite') }
        }

        It 'keeps foreign files out of it' {
            Save-Checkpoint stage
            $foreign = 'notes.txt', '1.json', '0000000002.JSON', '00000000003.json', '0000000004.json.bak', '~x.tmp'
            $foreign | ForEach-Object { Set-Content "$store/default/stages/stage/$_" 'mine' }
            (Get-Checkpoint stage -AllSteps).Step | Should -Be 1
            Clear-Checkpoint
            (Get-ChildItem "$store/default/stages/stage").Name | Sort-Object | Should -Be ($foreign | Sort-Object)
        }
    }
}
