BeforeDiscovery {
    function New-Case([string] $Name, [object] $Value) {
        @{ Name = $Name; Value = $Value }
    }

    $scalar = @(
        New-Case 'true' $true
        New-Case 'false' $false
        foreach ($type in [byte], [sbyte], [int16], [uint16], [int], [uint32], [long], [uint64], [Int128], [UInt128], [IntPtr], [UIntPtr]) {
            New-Case "$type, smallest" $type::MinValue
            New-Case "$type, largest" $type::MaxValue
            New-Case "$type, 7" ([System.Management.Automation.LanguagePrimitives]::ConvertTo('7', $type))
        }
        foreach ($type in [Half], [float], [double]) {
            New-Case "$type, NaN" $type::NaN
            New-Case "$type, infinity" $type::PositiveInfinity
            New-Case "$type, -infinity" $type::NegativeInfinity
            New-Case "$type, -0.0" $type::NegativeZero
            New-Case "$type, 0.0" ([System.Management.Automation.LanguagePrimitives]::ConvertTo(0.0, $type))
            New-Case "$type, smallest step" $type::Epsilon
            New-Case "$type, smallest" $type::MinValue
            New-Case "$type, largest" $type::MaxValue
            New-Case "$type, no binary fraction" ([System.Management.Automation.LanguagePrimitives]::ConvertTo(0.1, $type))
        }
        New-Case 'double, a whole number' 5.0
        New-Case 'double, beyond 2^53' 9007199254740993.0
        New-Case 'double, 17 digits' 0.30000000000000004
        New-Case 'decimal, 0' 0d
        New-Case 'decimal, scale of zero' 0.000d
        New-Case 'decimal, scale' 1.10d
        New-Case 'decimal, another scale' 1.100d
        New-Case 'decimal, negative zero' ([decimal]::new(0, 0, 0, $true, 1))
        New-Case 'decimal, finest' ([decimal]::new(1, 0, 0, $true, 28))
        New-Case 'decimal, smallest' ([decimal]::MinValue)
        New-Case 'decimal, largest' ([decimal]::MaxValue)
        New-Case 'BigInteger, 0' ([bigint]::Zero)
        New-Case 'BigInteger, 2^2000' ([bigint]::Pow(2, 2000))
        New-Case 'BigInteger, -(2^64)' (-[bigint]::Pow(2, 64))
        New-Case 'char, a letter' ([char] 'ä')
        New-Case 'char, NUL' ([char]::MinValue)
        New-Case 'char, U+FFFF' ([char]::MaxValue)
        New-Case 'char, half a pair' ([char] 0xD83D)
        New-Case 'string, empty' ''
        New-Case 'string, blanks' "  `t `r`n "
        New-Case 'string, NUL inside' "a`0b"
        New-Case 'string, every control character' (-join [char[]] (0..31 + 127..159))
        New-Case 'string, quotes and escapes' "`"'\/`u{2028}`u{2029}<>&+"
        New-Case 'string, emoji' '👩‍👩‍👧 🇩🇪 𝄞'
        New-Case 'string, composed' "`u{e9}"
        New-Case 'string, decomposed' "e`u{301}"
        New-Case 'string, byte order mark' "`u{feff}a`u{fffe}"
        New-Case 'string, half a pair, first' "a$([char] 0xD83D)"
        New-Case 'string, half a pair, second' "$([char] 0xDE00)a"
        New-Case 'string, a pair in the wrong order' "$([char] 0xDE00)$([char] 0xD83D)"
        New-Case 'string, like a tag' '{"$int64":"5"}'
        New-Case 'string, like a date' '2026-01-02T03:04:05Z'
        New-Case 'string, 16 KiB less 2 bytes' ('ä' * 8191)
        New-Case 'string, 16 KiB' ('ä' * 8192)
        New-Case 'string, 200 KB' ('abc😀' * 20000)
        New-Case 'string, long with half a pair' (('x' * 20000) + [char] 0xD83D)
        foreach ($kind in 'Unspecified', 'Utc', 'Local') {
            New-Case "DateTime, $kind" ([datetime]::SpecifyKind([datetime] '2026-07-01T12:34:56.1234567', $kind))
            New-Case "DateTime, $kind, smallest" ([datetime]::SpecifyKind([datetime]::MinValue, $kind))
            New-Case "DateTime, $kind, largest" ([datetime]::SpecifyKind([datetime]::MaxValue, $kind))
        }
        New-Case 'DateTimeOffset' ([DateTimeOffset]::new(2026, 7, 1, 12, 34, 56, [timespan] '05:45').AddTicks(7))
        New-Case 'DateTimeOffset, smallest' ([DateTimeOffset]::MinValue)
        New-Case 'DateTimeOffset, largest' ([DateTimeOffset]::MaxValue)
        New-Case 'DateTimeOffset, first day at +14' ([DateTimeOffset]::new(1, 1, 1, 14, 0, 0, [timespan] '14:00:00'))
        New-Case 'DateTimeOffset, last day at -14' ([DateTimeOffset]::new(9999, 12, 31, 9, 59, 59, -[timespan] '14:00:00'))
        New-Case 'TimeSpan' ([timespan]::FromTicks(-123456789012345678))
        New-Case 'TimeSpan, 0' ([timespan]::Zero)
        New-Case 'TimeSpan, smallest' ([timespan]::MinValue)
        New-Case 'TimeSpan, largest' ([timespan]::MaxValue)
        New-Case 'DateOnly' ([DateOnly]::new(2024, 2, 29))
        New-Case 'DateOnly, smallest' ([DateOnly]::MinValue)
        New-Case 'DateOnly, largest' ([DateOnly]::MaxValue)
        New-Case 'TimeOnly' ([TimeOnly]::new(23, 59, 58).Add([timespan]::FromTicks(7)))
        New-Case 'TimeOnly, smallest' ([TimeOnly]::MinValue)
        New-Case 'TimeOnly, largest' ([TimeOnly]::MaxValue)
        New-Case 'Guid' ([guid] '0f8fad5b-d9cb-469f-a165-70867728950e')
        New-Case 'Guid, empty' ([guid]::Empty)
        New-Case 'Uri, absolute' ([uri]::new('https://ex.org:8443/a%20b/ü?q=1&r=ä#f', [UriKind]::Absolute))
        New-Case 'Uri, mailto' ([uri]::new('mailto:a@example.org', [UriKind]::Absolute))
        New-Case 'Uri, urn' ([uri]::new('urn:isbn:0451450523', [UriKind]::Absolute))
        New-Case 'Uri, file' ([uri]::new('file:///tmp/a b', [UriKind]::Absolute))
        New-Case 'Uri, relative' ([uri]::new('a/../b?c=ü#d', [UriKind]::Relative))
        New-Case 'Uri, relative from the root' ([uri]::new('/a/b', [UriKind]::Relative))
        New-Case 'Uri, relative with another host' ([uri]::new('//host/b', [UriKind]::Relative))
        New-Case 'Uri, relative like a share' ([uri]::new('\\host\b', [UriKind]::Relative))
        New-Case 'Uri, relative, empty' ([uri]::new('', [UriKind]::Relative))
        if (-not $IsWindows) {
            New-Case 'Uri, absolute by a path of Unix' ([uri]::new('/tmp/x', [UriKind]::Absolute))
        }
        New-Case 'Version of 2' ([version] '1.2')
        New-Case 'Version of 3' ([version] '1.2.0')
        New-Case 'Version of 4' ([version] '2147483647.0.0.2147483647')
    )

    $primitive = [bool], [byte], [sbyte], [char], [int16], [uint16], [int], [uint32], [long], [uint64], [IntPtr], [UIntPtr], [Half], [float], [double], [decimal], [Int128], [UInt128] |
        ForEach-Object { @{ Type = $_ } }

    $cube = [int[, , ]]::new(2, 3, 2)
    $cube[1, 2, 0] = 120
    $cube[0, 1, 1] = 11
    $grid = [object[, ]]::new(2, 2)
    $grid[0, 1] = 'x'
    $grid[1, 0] = @{ a = 1 }
    $caseSensitive = [Activator]::CreateInstance([hashtable], [StringComparer]::Ordinal)
    $caseSensitive['a'] = 1
    $caseSensitive['A'] = 2
    $orderedSensitive = [System.Collections.Specialized.OrderedDictionary]::new([StringComparer]::Ordinal)
    $orderedSensitive['b'] = 1
    $orderedSensitive['B'] = 2
    $dictionary = [System.Collections.Generic.Dictionary[string, long]]::new()
    $dictionary['x'] = 1
    $dictionary['X'] = [long]::MaxValue
    $dictionaryIgnore = [System.Collections.Generic.Dictionary[string, object]]::new([StringComparer]::OrdinalIgnoreCase)
    $dictionaryIgnore['x'] = [long] 1
    $byGuid = [System.Collections.Generic.Dictionary[guid, string]]::new()
    $byGuid[[guid]::Empty] = $null
    $set = [System.Collections.Generic.HashSet[string]]::new([string[]] ('b', 'a'), [StringComparer]::OrdinalIgnoreCase)
    $setOfObjects = [System.Collections.Generic.HashSet[object]]::new([object[]] (1, [long] 1, '1', [byte[]] (1, 2)))
    $queue = [System.Collections.Generic.Queue[int]]::new([int[]] (1, 2, 3))
    $stack = [System.Collections.Generic.Stack[string]]::new([string[]] ('bottom', $null, 'top'))
    $psList = [System.Collections.Generic.List[psobject]]::new()
    $psList.Add(1)
    $psList.Add('text')
    $psList.Add([pscustomobject]@{ a = 1 })
    $psDictionary = [System.Collections.Generic.Dictionary[string, psobject]]::new()
    $psDictionary['a'] = 1
    $odd = [pscustomobject]@{ '$int64' = '5'; '$object' = $null; 'with blank' = 1; 'ünï😀' = 2; '.' = 3; "a'b" = 4 }
    $doc = [xml] "<a x=`"1`"> <b>t &amp; ü</b>`n</a>"

    $collection = @(
        New-Case 'an empty array' @()
        New-Case 'an array of one' @(, 1)
        New-Case 'an array of one empty array' @(, @())
        New-Case 'an array of one $null' @(, $null)
        New-Case 'a mixed array' @(1, [long] 1, 1.0, 1d, '1', [char] '1', $true, $null, [byte] 1)
        New-Case 'an empty byte[]' ([byte[]]::new(0))
        New-Case 'a byte[]' ([byte[]] (0, 1, 254, 255))
        New-Case 'an empty string[]' ([string[]]::new(0))
        New-Case 'a string[] with $null and ""' ([string[]] ('a', $null, '', "$([char] 0xD83D)"))
        New-Case 'a DateTime[] of mixed kinds' ([datetime[]] ([datetime]::UtcNow, [datetime]::Now, [datetime]::Today.Date))
        New-Case 'a jagged array' ([int[][]] ([int[]] (1, 2), [int[]]::new(0), $null))
        New-Case 'an array of arrays' @(@(1, 2), @(3, @(4, @())))
        New-Case 'an array of three dimensions' $cube
        New-Case 'an empty array of two dimensions' ([string[, ]]::new(0, 3))
        New-Case 'an object[,]' $grid
        New-Case 'a psobject[]' ([psobject[]] (1, 'a', $null))
        New-Case 'an empty List[int]' ([System.Collections.Generic.List[int]]::new())
        New-Case 'a List[int] of one' ([System.Collections.Generic.List[int]]::new([int[]] (, 5)))
        New-Case 'a List[object]' ([System.Collections.Generic.List[object]]::new([object[]] (1, $null, 'a', @())))
        New-Case 'a List of List' ([System.Collections.Generic.List[System.Collections.Generic.List[double]]]::new([System.Collections.Generic.List[double][]] (, [System.Collections.Generic.List[double]]::new([double[]] (1, [double]::NaN, -0.0)))))
        New-Case 'a List[psobject]' $psList
        New-Case 'an empty ArrayList' ([System.Collections.ArrayList]::new())
        New-Case 'an ArrayList' ([System.Collections.ArrayList] @(1, 'a', $null))
        New-Case 'an empty hashtable' @{}
        New-Case 'a hashtable' @{ a = 1; 'b c' = $null; '' = 'empty'; '$int64' = '5'; nested = @{ x = @(1) } }
        New-Case 'a hashtable with keys that are no strings' @{ 1 = 'int'; [long] 1 = 'long'; 1.5 = 'double'; [datetime]::MinValue = 'date'; [guid]::Empty = 'guid'; $true = 'bool'; [char] 'c' = 'char' }
        New-Case 'a hashtable with a key of half a pair' @{ "$([char] 0xD83D)" = 1; a = 2 }
        New-Case 'a hashtable with a key of 100 KB' @{ ('k' * 100000) = 1 }
        New-Case 'a hashtable with an array as key' @{ [byte[]]::new(3) = 'bytes' }
        New-Case 'a case-sensitive hashtable' $caseSensitive
        New-Case 'an ordered dictionary' ([ordered]@{ z = 1; y = $null; x = [ordered]@{ c = 1; b = 2; a = 3 }; A = 4; 10 = 'ten' })
        New-Case 'an empty ordered dictionary' ([ordered]@{})
        New-Case 'a case-sensitive ordered dictionary' $orderedSensitive
        New-Case 'a Dictionary[string,long]' $dictionary
        New-Case 'a Dictionary[string,object] without case' $dictionaryIgnore
        New-Case 'a Dictionary[guid,string]' $byGuid
        New-Case 'a Dictionary[string,psobject]' $psDictionary
        New-Case 'a HashSet[string] without case' $set
        New-Case 'a HashSet[object]' $setOfObjects
        New-Case 'a Queue[int]' $queue
        New-Case 'a Stack[string]' $stack
        New-Case 'an empty pscustomobject' ([pscustomobject]@{})
        New-Case 'a pscustomobject' ([pscustomobject]@{ z = 1; a = $null; m = [pscustomobject]@{ deep = @(1) } })
        New-Case 'a pscustomobject with a type name' ([pscustomobject]@{ PSTypeName = 'My.Type'; a = 1 })
        New-Case 'a pscustomobject with odd property names' $odd
        New-Case 'a pscustomobject with a property name of 70 KB' ([pscustomobject]@{ ('p' * 70000) = 1 })
        New-Case 'an XML document' $doc
    )

    $collector = @(
        @{ Name = 'object[]'; Wrap = { param($inner) , @(, $inner) }; Step = '[0]' }
        @{ Name = 'hashtable'; Wrap = { param($inner) @{ a = $inner } }; Step = '.a' }
        @{ Name = 'hashtable without string keys'; Wrap = { param($inner) @{ 7 = $inner } }; Step = '[7]' }
        @{ Name = 'ordered dictionary'; Wrap = { param($inner) [ordered]@{ a = $inner } }; Step = '.a' }
        @{ Name = 'pscustomobject'; Wrap = { param($inner) [pscustomobject]@{ a = $inner } }; Step = '.a' }
        @{ Name = 'pscustomobject with a type name'; Wrap = { param($inner) [pscustomobject]@{ PSTypeName = 'T'; a = $inner } }; Step = '.a' }
        @{ Name = 'List[object]'; Wrap = { param($inner) , [System.Collections.Generic.List[object]]::new([object[]] (, $inner)) }; Step = '[0]' }
        @{ Name = 'ArrayList'; Wrap = { param($inner) , [System.Collections.ArrayList]::new([object[]] (, $inner)) }; Step = '[0]' }
        @{ Name = 'Dictionary[int,object]'; Wrap = { param($inner) $d = [System.Collections.Generic.Dictionary[int, object]]::new(); $d[7] = $inner; $d }; Step = '[7]' }
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Record.ps1

    # Saves a value and gives it back as it is restored. A warning would mean that it is not the one that was saved.
    function Copy-State([object] $Value) {
        Save-Checkpoint copy -State $Value -Step 1 -Overwrite @at
        $restored = Restore-Checkpoint copy -Step 1 -WarningAction Stop @at
        , $restored
    }

    # What tells two values apart: their type, their content to the last bit, or what they do. Emits a line for each difference.
    function Find-Difference([object] $Expected, [object] $Actual, [string] $Path = '$state') {
        if ($null -eq $Expected -or $null -eq $Actual) {
            if ($null -ne $Expected -or $null -ne $Actual) {
                "${Path}: $($null -eq $Expected ? 'null' : $Expected.GetType()) became $($null -eq $Actual ? 'null' : $Actual.GetType())"
            }
            return
        }
        $left = $Expected.psobject.BaseObject
        $right = $Actual.psobject.BaseObject
        if ($left.GetType() -ne $right.GetType()) {
            return "${Path}: $($left.GetType()) became $($right.GetType())"
        }

        if ($left -is [System.Management.Automation.PSCustomObject]) {
            if (($Expected.pstypenames -join '|') -cne ($Actual.pstypenames -join '|')) {
                "${Path}: types $($Expected.pstypenames) became $($Actual.pstypenames)"
            }
            $names = @($Expected.psobject.Properties | ForEach-Object Name)
            if (($names -join "`n") -cne (@($Actual.psobject.Properties | ForEach-Object Name) -join "`n")) {
                return "${Path}: properties $names became $($Actual.psobject.Properties.Name)"
            }
            foreach ($name in $names) {
                Find-Difference $Expected.psobject.Properties[$name].Value $Actual.psobject.Properties[$name].Value "$Path.$name"
            }
        }
        elseif ($left -is [System.Collections.IDictionary]) {
            if ($left.Count -ne $right.Count) {
                return "${Path}: $($left.Count) entries became $($right.Count)"
            }
            $leftKeys = @($left.get_Keys())
            $rightKeys = @($right.get_Keys())
            for ($i = 0; $i -lt $leftKeys.Count; $i++) {
                $key = $leftKeys[$i]
                $other = $rightKeys[$i]
                if ($left -is [hashtable]) {
                    # A hashtable has no order: its keys are matched by what they are.
                    $other = $rightKeys | Where-Object { -not (Find-Difference $key $_) } | Select-Object -First 1
                }
                Find-Difference $key $other "$Path key '$key'"
                if ($null -ne $other) {
                    Find-Difference $left.get_Item([object] $key) $right.get_Item([object] $other) "$Path.$key"
                }
            }
            $contains = $left -is [System.Collections.Specialized.OrderedDictionary] ? 'Contains' : 'ContainsKey'
            foreach ($key in $leftKeys | Where-Object { $_ -is [string] -and $_ -cne $_.ToUpperInvariant() }) {
                if ($left.$contains($key.ToUpperInvariant()) -ne $right.$contains($key.ToUpperInvariant())) {
                    "${Path}: case of '$key' counts in one alone"
                }
            }
        }
        elseif ($left -is [array] -and $left.Rank -eq 1 -and $left.GetType().GetElementType().IsPrimitive) {
            if ($left.Length -ne $right.Length) {
                return "${Path}: length $($left.Length) became $($right.Length)"
            }
            $bytes = foreach ($array in $left, $right) {
                $copy = [byte[]]::new([Buffer]::ByteLength($array))
                [Buffer]::BlockCopy($array, 0, $copy, 0, $copy.Length)
                , $copy
            }
            if (-not [System.Linq.Enumerable]::SequenceEqual([byte[]] $bytes[0], [byte[]] $bytes[1])) {
                "${Path}: other elements"
            }
        }
        elseif ($left -is [System.Xml.XmlNode]) {
            if ($left.OuterXml -cne $right.OuterXml) {
                "${Path}: '$($left.OuterXml)' became '$($right.OuterXml)'"
            }
        }
        elseif ($left -is [System.Collections.IEnumerable] -and $left -isnot [string]) {
            if ($left -is [array]) {
                $shape = foreach ($array in $left, $right) {
                    (0..($array.Rank - 1) | ForEach-Object { "$($array.GetLowerBound($_))..$($array.GetUpperBound($_))" }) -join ', '
                }
                if ($shape[0] -ne $shape[1]) {
                    return "${Path}: [$($shape[0])] became [$($shape[1])]"
                }
            }
            $leftItems = [object[]] @(foreach ($item in $left) { , $item })
            $rightItems = [object[]] @(foreach ($item in $right) { , $item })
            if ($leftItems.Count -ne $rightItems.Count) {
                return "${Path}: $($leftItems.Count) items became $($rightItems.Count)"
            }
            for ($i = 0; $i -lt $leftItems.Count; $i++) {
                Find-Difference $leftItems[$i] $rightItems[$i] "$Path[$i]"
            }
            if ($left.psobject.Properties['Comparer'] -and $left.psobject.TypeNames[0] -like '*HashSet*string*') {
                foreach ($item in $left) {
                    if ($left.Contains($item.ToUpperInvariant()) -ne $right.Contains($item.ToUpperInvariant())) {
                        "${Path}: case of '$item' counts in one alone"
                    }
                }
            }
        }
        else {
            $same = switch ($left) {
                { $_ -is [string] } { [string]::Equals($left, $right, 'Ordinal') }
                { $_ -is [double] } { [BitConverter]::DoubleToInt64Bits($left) -eq [BitConverter]::DoubleToInt64Bits($right) }
                { $_ -is [float] } { [BitConverter]::SingleToInt32Bits($left) -eq [BitConverter]::SingleToInt32Bits($right) }
                { $_ -is [Half] } { [BitConverter]::HalfToInt16Bits($left) -eq [BitConverter]::HalfToInt16Bits($right) }
                { $_ -is [decimal] } { "$([decimal]::GetBits($left))" -eq "$([decimal]::GetBits($right))" }
                { $_ -is [datetime] } { $left.Ticks -eq $right.Ticks -and $left.Kind -eq $right.Kind -and $left.ToUniversalTime().Ticks -eq $right.ToUniversalTime().Ticks }
                { $_ -is [DateTimeOffset] } { $left.EqualsExact($right) }
                { $_ -is [uri] } { $left.OriginalString -ceq $right.OriginalString -and $left.IsAbsoluteUri -eq $right.IsAbsoluteUri -and (-not $left.IsAbsoluteUri -or $left.AbsoluteUri -ceq $right.AbsoluteUri) }
                default { $left.Equals($right) }
            }
            if (-not $same) {
                "${Path}: '$left' became '$right'"
            }
        }
    }

    # A value in every place where one can stand, each of which writes and reads it in its own way.
    function New-Nest([object] $Value) {
        $type = $Value.GetType()
        $nest = [ordered]@{ value = $Value; mixed = @($Value, $null, $Value); custom = [pscustomobject]@{ p = $Value }; key = @{ $Value = $Value } }
        $array = [array]::CreateInstance($type, 2)
        $array.SetValue($Value, 0)
        $array.SetValue($Value, 1)
        $nest.array = $array
        foreach ($generic in [System.Collections.Generic.List`1], [System.Collections.Generic.Queue`1], [System.Collections.Generic.Stack`1], [System.Collections.Generic.HashSet`1]) {
            $nest[$generic.Name] = [Activator]::CreateInstance($generic.MakeGenericType($type), [object[]] (, $array))
        }
        foreach ($arguments in ([string], $type), ($type, [string]), ([string], [object]), ($type, $type)) {
            $dictionary = [Activator]::CreateInstance([System.Collections.Generic.Dictionary`2].MakeGenericType([type[]] $arguments))
            $dictionary.Add($arguments[0] -eq [string] -and $type -ne [string] ? 'k' : $Value, $arguments[1] -eq [string] -and $type -ne [string] ? 'v' : $Value)
            $nest["$arguments"] = $dictionary
        }
        $nest
    }

    # PowerShell's own serializer, told to keep one level: what remoting does with an object of a type that it does not know.
    function ConvertTo-Remote([object] $Value) {
        $copy = [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($Value, 1))
        , $copy
    }

    function New-Secret([string] $Text) {
        [System.Net.NetworkCredential]::new('', $Text).SecurePassword
    }

    class Engine {
        [int] $Cylinders = 4
        [string] ToString() { return "engine with $($this.Cylinders)" }
    }

    class Car {
        [string] $Name = 'Ente'
        [Engine] $Engine = [Engine]::new()
        [Engine[]] $Spare = @([Engine]::new(), [Engine]::new())
        [object] $Nothing = $null
        [System.DayOfWeek] $Day = 'Friday'
        [int[]] $Numbers = (1, 2)
        [hashtable] $Table = @{ engine = [Engine]::new(); n = [long] 1 }
        [pscustomobject] $Bag = [pscustomobject]@{ engine = [Engine]::new(); n = 1 }
        [string] ToString() { return "car $($this.Name)" }
    }

    function New-Car {
        [Car]::new()
    }

    $carType = "Deserialized.$([Car].FullName)"
}

Describe 'The comparer of these tests' -Tag AnyStore {
    It 'tells apart <Left> and <Right>' -ForEach @(
        @{ Left = 1; Right = [long] 1 }
        @{ Left = $null; Right = '' }
        @{ Left = 'a'; Right = 'A' }
        @{ Left = "`u{e9}"; Right = "e`u{301}" }
        @{ Left = 0.0; Right = -0.0 }
        @{ Left = 1.0d; Right = 1.00d }
        @{ Left = [datetime]::SpecifyKind(0, 'Utc'); Right = [datetime]::SpecifyKind(0, 'Local') }
        @{ Left = [DateTimeOffset] '2026-01-01T01:00+01:00'; Right = [DateTimeOffset] '2026-01-01T00:00Z' }
        @{ Left = @(1); Right = @(1, $null) }
        @{ Left = @(, @()); Right = @(, $null) }
        @{ Left = [int[]] (1, 2); Right = [int[]] (1, 3) }
        @{ Left = @{ a = 1 }; Right = @{ a = [long] 1 } }
        @{ Left = @{ a = 1 }; Right = @{ A = 1 } }
        @{ Left = @{ 1 = 1 }; Right = @{ [long] 1 = 1 } }
        @{ Left = @{ a = 1 }; Right = [Activator]::CreateInstance([hashtable], @{ a = 1 }, [StringComparer]::Ordinal) }
        @{ Left = [ordered]@{ a = 1; b = 1 }; Right = [ordered]@{ b = 1; a = 1 } }
        @{ Left = [pscustomobject]@{ a = 1; b = 1 }; Right = [pscustomobject]@{ b = 1; a = 1 } }
        @{ Left = [pscustomobject]@{ PSTypeName = 'a' }; Right = [pscustomobject]@{} }
        @{ Left = [int[, ]]::new(2, 3); Right = [int[, ]]::new(3, 2) }
    ) {
        Find-Difference $Left $Right | Should -Not -BeNullOrEmpty
    }

    It 'finds equal what is' {
        Find-Difference ([ordered]@{ a = @(1, [double]::NaN); b = [pscustomobject]@{ c = $null } }) ([ordered]@{ a = @(1, [double]::NaN); b = [pscustomobject]@{ c = $null } }) | Should -BeNullOrEmpty
    }
}

Describe 'State' {
    BeforeEach {
        $store = New-TestStore
        $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
    }

    Context 'comes back with the same type and value:' {
        It '<Name>' -ForEach $scalar {
            Find-Difference $Value (Copy-State $Value) | Should -BeNullOrEmpty
        }

        It '<Name>, in every kind of collection' -ForEach $scalar {
            $nest = New-Nest $Value
            Find-Difference $nest (Copy-State $nest) | Should -BeNullOrEmpty
        }

        It '<Name>' -ForEach $collection {
            Find-Difference $Value (Copy-State $Value) | Should -BeNullOrEmpty
        }

        It '<Name>, nested' -ForEach $collection {
            $nest = [ordered]@{ table = @{ v = $Value }; array = @($Value, $Value); custom = [pscustomobject]@{ v = $Value } }
            Find-Difference $nest (Copy-State $nest) | Should -BeNullOrEmpty
        }

        It '$null' {
            $null -eq (Copy-State $null) | Should -BeTrue
        }

        It 'an array of <Type>, short and so long that it lies in a payload' -ForEach $primitive {
            $seed = Get-Random
            Write-Information "seed $seed" -InformationAction Continue
            $random = [random]::new($seed)
            # 20,000 elements are above 16 KiB whatever the type.
            foreach ($length in 0, 3, 20000) {
                $bytes = [byte[]]::new(16 * $length)
                $random.NextBytes($bytes)
                $array = [array]::CreateInstance($Type, $length)
                if ($Type.IsPrimitive -and $Type -ne [bool]) {
                    # Any bits at all: also NaNs with a content of their own.
                    [Buffer]::BlockCopy($bytes, 0, $array, 0, [Buffer]::ByteLength($array))
                }
                else {
                    for ($i = 0; $i -lt $length; $i++) {
                        $array[$i] = $Type -eq [bool] ? [bool] ($bytes[$i] -band 1) : [int] [BitConverter]::ToUInt16($bytes, 2 * $i)
                    }
                }
                $copy = Copy-State $array
                $copy.GetType() | Should -Be $array.GetType()
                [System.Linq.Enumerable]::SequenceEqual($copy, $array) | Should -BeTrue
                if ($Type.IsPrimitive) {
                    Find-Difference $array $copy | Should -BeNullOrEmpty
                }
                @(@(Get-StoreFile $store) -like '*.state').Count | Should -Be ($length -gt 3 ? 1 : 0)
            }
        }

        It 'long arrays of types that are no numbers' {
            $texts = [string[]] (1..20000 | ForEach-Object { "text $_" })
            [System.Linq.Enumerable]::SequenceEqual($texts, [string[]] (Copy-State $texts)) | Should -BeTrue
            $times = [datetime[]] (1..3000 | ForEach-Object { [datetime]::UnixEpoch.AddSeconds($_) })
            [System.Linq.Enumerable]::SequenceEqual($times, [datetime[]] (Copy-State $times)) | Should -BeTrue
            @(@(Get-StoreFile $store) -like '*.state').Count | Should -Be 1
        }

        It 'many long arrays and texts between short ones, the same one twice among them' {
            $random = [random]::new(1)
            $shared = [byte[]]::new(30000)
            $random.NextBytes($shared)
            $state = [ordered]@{
                before = 'short'
                bytes = $shared
                list = @(1, [double[]] (1..5000), ('x' * 9000), @{ deep = [pscustomobject]@{ again = $shared; text = "ü$([char] 0xD800)" * 9000 } })
                between = [System.Collections.Generic.List[byte[]]]::new([byte[][]] ($shared, [byte[]] (1, 2), $shared))
                strings = [System.Collections.Generic.List[string]]::new([string[]] ('a', ('b' * 10000), $null, ('c' * 10000)))
                set = [System.Collections.Generic.HashSet[string]]::new([string[]] (('d' * 10000), 'e'))
                jagged = [int[][]] ([int[]] (1..6000), [int[]] (1, 2), [int[]] (1..6000))
                keys = @{ ('f' * 10000) = ('g' * 10000); 5 = [char[]] ('h' * 10000) }
                after = [long] 7
            }
            Find-Difference $state (Copy-State $state) | Should -BeNullOrEmpty
        }

        It 'a state of any size around the one that still lies inside the record' {
            $places = foreach ($length in @(40000..70000 | Where-Object { $_ % 3000 -eq 0 }) + @(65464..65484)) {
                $state = @(, ('x' * 997) * [math]::Floor($length / 1000)) + ('y' * ($length % 1000))
                Find-Difference $state (Copy-State $state) | Should -BeNullOrEmpty
                (Get-StoreFile $store) -like '*.state' ? 'payload' : 'record'
            }
            $places | Sort-Object -Unique | Should -Be 'payload', 'record'
        }

        It 'a table of 1,500 entries' {
            $state = [ordered]@{}
            1..1500 | ForEach-Object { $state["key $_"] = "value $_" }
            Find-Difference $state (Copy-State $state) | Should -BeNullOrEmpty
        }

        It 'any nesting of these, at random' {
            $seed = Get-Random
            Write-Information "seed $seed" -InformationAction Continue
            $random = [random]::new($seed)
            $leaves = @($scalar | ForEach-Object { , $_.Value }) + @($collection | ForEach-Object { , $_.Value }) + @(, $null)
            function New-RandomValue([int] $Depth) {
                if ($Depth -eq 0 -or $random.Next(4) -eq 0) {
                    return , $leaves[$random.Next($leaves.Count)]
                }
                $items = [object[]]::new($random.Next(4))
                for ($i = 0; $i -lt $items.Length; $i++) {
                    $items[$i] = New-RandomValue ($Depth - 1)
                }
                switch ($random.Next(6)) {
                    0 { return , $items }
                    1 { return , [System.Collections.Generic.List[object]]::new($items) }
                    2 { return , [System.Collections.ArrayList]::new($items) }
                    3 { $table = @{}; foreach ($item in $items) { $table["key $($random.Next())"] = $item }; return $table }
                    4 { $table = [ordered]@{}; foreach ($item in $items) { $table[[object] $random.NextDouble()] = $item }; return $table }
                    5 { $bag = [pscustomobject]@{}; foreach ($item in $items) { $bag.psobject.Properties.Add([psnoteproperty]::new("p$($random.Next())", $item)) }; return $bag }
                }
            }
            foreach ($i in 1..40) {
                $state = New-RandomValue 5
                Find-Difference $state (Copy-State $state) | Should -BeNullOrEmpty -Because "seed $seed, $i"
            }
        } -ForEach @{ scalar = $scalar; collection = $collection }

        It 'a piped sequence, its elements as they were' {
            $elements = @(1, @(), $null, @(, 'one'), [byte[]] (1, 2), @{ a = 1 }, [System.Collections.Generic.List[int]]::new())
            $elements | Save-Checkpoint sequence @at
            $restored = @(Restore-Checkpoint sequence @at)
            Find-Difference $elements $restored | Should -BeNullOrEmpty
        }
    }

    Context 'of a DateTime' -Tag AnyStore {
        It 'is the same in time zone <_>, also where a clock is set forward or back' -ForEach 'UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Kiritimati' {
            $result = Invoke-Pwsh {
                param($store)
                [TimeZoneInfo]::Local.Id
                $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
                # The two ends, a skipped and a doubled hour of Berlin and of New York, and a time before time zones.
                $times = [datetime]::MinValue, [datetime]::MaxValue, [datetime] '2024-03-31T02:30', [datetime] '2024-10-27T02:30', [datetime] '2024-03-10T02:30', [datetime] '2024-11-03T01:30', [datetime] '1883-01-01T12:00'
                $times = foreach ($time in $times) {
                    foreach ($kind in 'Local', 'Utc', 'Unspecified') {
                        [datetime]::SpecifyKind($time, $kind)
                    }
                }
                # Both hours of a doubled one.
                $times += '2024-10-27T00:30Z', '2024-10-27T01:30Z', '2024-11-03T05:30Z', '2024-11-03T06:30Z' | ForEach-Object { [DateTimeOffset]::Parse($_).LocalDateTime }
                $i = 0
                foreach ($time in $times) {
                    $i++
                    Save-Checkpoint "time $i" -State $time @at
                    try {
                        $copy = Restore-Checkpoint "time $i" @at -Step 1
                    }
                    catch {
                        "$($time.ToString('O')) $($time.Kind): $_"
                        continue
                    }
                    if ($copy.Ticks -ne $time.Ticks -or $copy.Kind -ne $time.Kind -or $copy.ToUniversalTime() -ne $time.ToUniversalTime()) {
                        "$($time.ToString('O')) $($time.Kind) became $($copy.ToString('O')) $($copy.Kind)"
                    }
                }
            } $store -Environment @{ TZ = $_ }
            $result.ErrorOutput | Should -BeNullOrEmpty
            $result.Output | Select-Object -Skip 1 | Should -BeNullOrEmpty
            if (-not $IsWindows) {
                $result.Output[0] | Should -Be $_
            }
        }

        It 'is the same moment when it is restored in another time zone' {
            $save = Invoke-Pwsh {
                param($store)
                $time = [datetime]::SpecifyKind([datetime] '2026-07-01T12:00', 'Local')
                Save-Checkpoint t -Store $store -Pipeline default -Run '' -State @($time, [DateTimeOffset] $time, [datetime]::SpecifyKind($time, 'Utc'), [datetime]::SpecifyKind($time, 'Unspecified'))
                $time.ToUniversalTime().ToString('O')
            } $store -Environment @{ TZ = 'Asia/Kolkata' }
            $restore = Invoke-Pwsh {
                param($store)
                $state = Restore-Checkpoint t -Store $store -Pipeline default -Run ''
                $local, $offset, $utc, $plain = $state
                $local.Kind
                $local.ToUniversalTime().ToString('O')
                $offset.UtcDateTime.ToString('O')
                $utc.ToString('O')
                $plain.ToString('O')
            } $store -Environment @{ TZ = 'America/New_York' }
            $restore.Output | Should -Be 'Local', $save.Output[0], $save.Output[0], '2026-07-01T12:00:00.0000000Z', '2026-07-01T12:00:00.0000000'
        }

        It 'near the ends of time comes back in another time zone, as near as can be' {
            $null = Invoke-Pwsh {
                param($store)
                Save-Checkpoint t -Store $store -Pipeline default -Run '' -State @([datetime]::SpecifyKind([datetime]::MinValue, 'Local'), [datetime]::SpecifyKind([datetime]::MaxValue, 'Local'))
            } $store -Environment @{ TZ = 'UTC' }
            foreach ($zone in 'America/New_York', 'Pacific/Kiritimati') {
                $result = Invoke-Pwsh {
                    param($store)
                    $state = Restore-Checkpoint t -Store $store -Pipeline default -Run ''
                    $first, $last = $state
                    "$($first.Kind) $($first.Year) $($last.Kind) $($last.Year)"
                } $store -Environment @{ TZ = $zone }
                $result.ErrorOutput | Should -BeNullOrEmpty
                $result.Output | Should -Be 'Local 1 Local 9999'
            }
        }
    }

    Context 'of a live object is what remoting keeps:' -Tag AnyStore {
        It 'a property bag of type Deserialized.<type> with the text of the object' {
            $car = Copy-State (New-Car)
            $car.pstypenames | Should -Be $carType, 'Deserialized.System.Object'
            "$car" | Should -BeExactly 'car Ente'
            $car.ToString() | Should -BeExactly 'car Ente'
            $car.Name | Should -BeExactly 'Ente'
            $car.psobject.Properties.Name | Should -Be 'Name', 'Engine', 'Spare', 'Nothing', 'Day', 'Numbers', 'Table', 'Bag'
            $car.psobject.Properties['Nothing'].Value | Should -Be $null
        }

        It 'live objects inside it as their string, at any depth' {
            $car = Copy-State (New-Car)
            $car.Engine | Should -BeOfType [string]
            $car.Engine | Should -BeExactly 'engine with 4'
            $car.Spare | Should -BeExactly 'engine with 4', 'engine with 4'
            $car.Table.engine | Should -BeExactly 'engine with 4'
            $car.Bag.engine | Should -BeExactly 'engine with 4'
        }

        It 'an enumeration value inside it as its string, too' {
            (Copy-State (New-Car)).Day | Should -BeOfType [string]
            (Copy-State (New-Car)).Day | Should -BeExactly 'Friday'
        }

        It 'exact types inside it exactly' {
            $car = Copy-State (New-Car)
            Find-Difference ([int[]] (1, 2)) $car.Numbers | Should -BeNullOrEmpty
            $car.Table.n | Should -BeOfType [long]
            $car.Table | Should -BeOfType [hashtable]
            $car.Bag.n | Should -BeOfType [int]
        }

        It 'live objects in a list or table of the user in full' {
            $state = Copy-State @{ cars = @((New-Car), (New-Car)) }
            $state.cars[1].pstypenames[0] | Should -Be $carType
            $state.cars[1].Name | Should -BeExactly 'Ente'
        }

        It 'a file' {
            $path = Join-Path $env:TEST_PLACE 'a file.txt'
            Set-Content $path 'abc' -NoNewline
            $file = Get-Item $path
            $copy = Copy-State $file
            $copy.pstypenames | Should -Be 'Deserialized.System.IO.FileInfo', 'Deserialized.System.IO.FileSystemInfo', 'Deserialized.System.MarshalByRefObject', 'Deserialized.System.Object'
            $copy.Name | Should -BeExactly 'a file.txt'
            Find-Difference ([long] 3) $copy.Length | Should -BeNullOrEmpty
            Find-Difference $file.LastWriteTime $copy.LastWriteTime | Should -BeNullOrEmpty
            Find-Difference $file.LastWriteTimeUtc $copy.LastWriteTimeUtc | Should -BeNullOrEmpty
            $copy.Directory | Should -BeOfType [string]
            $copy.Directory | Should -BeExactly $file.Directory.ToString()
            "$copy" | Should -BeExactly "$file"
        }

        It 'a process' {
            $copy = Copy-State (Get-Process -Id $PID)
            $copy.pstypenames[0] | Should -Be 'Deserialized.System.Diagnostics.Process'
            $copy.Id | Should -Be $PID
            $copy.ProcessName | Should -BeExactly (Get-Process -Id $PID).ProcessName
            $copy.MainModule | Should -BeOfType [string]
            "$copy" | Should -BeLike 'System.Diagnostics.Process (*)'
        }

        It 'an enumeration value with its number and its name' {
            $copy = Copy-State ([System.IO.FileAttributes] 'ReadOnly, Hidden')
            $copy.pstypenames[0] | Should -Be 'Deserialized.System.IO.FileAttributes'
            $copy.ToString() | Should -BeExactly 'ReadOnly, Hidden'
            $copy -eq 3 | Should -BeTrue
            [System.IO.FileAttributes] $copy | Should -Be ([System.IO.FileAttributes] 'ReadOnly, Hidden')
        }

        It 'the same types, text and readable properties as remoting gives for <Name>' -ForEach @(
            @{ Name = 'a class of PowerShell'; Make = { New-Car } }
            @{ Name = 'an enumeration value'; Make = { [System.DayOfWeek]::Friday } }
            @{ Name = 'an exception'; Make = { [InvalidOperationException]::new('outer', [Exception]::new('inner')) } }
            @{ Name = 'a regular expression'; Make = { [regex] 'a+' } }
            @{ Name = 'a semantic version'; Make = { [semver] '1.2.3-preview.1' } }
            @{ Name = 'a tuple'; Make = { [tuple]::Create(1, 'x') } }
            @{ Name = 'a pair'; Make = { [System.Collections.Generic.KeyValuePair[string, int]]::new('a', 1) } }
            @{ Name = 'a time zone'; Make = { [TimeZoneInfo]::Utc } }
            @{ Name = 'DBNull'; Make = { [DBNull]::Value } }
            @{ Name = 'a StringBuilder'; Make = { [System.Text.StringBuilder]::new('abc') } }
            @{ Name = 'a bare object'; Make = { [object]::new() } }
        ) {
            $live = & $Make
            $remote = ConvertTo-Remote $live
            $copy = Copy-State $live
            $copy.pstypenames | Should -Be $remote.pstypenames
            $copy.psobject.BaseObject.GetType() | Should -Be $remote.psobject.BaseObject.GetType()
            $copy.ToString() | Should -BeExactly $remote.ToString()
            $copy.psobject.Properties.Name | Should -Be $remote.psobject.Properties.Name
            # Remoting at one level gives a pscustomobject inside as its text; ours keeps it.
            foreach ($property in $remote.psobject.Properties | Where-Object { $_.Name -ne 'Bag' -and ($_.Value -is [string] -or $_.Value -is [valuetype]) }) {
                Find-Difference $property.Value $copy.psobject.Properties[$property.Name].Value $property.Name | Should -BeNullOrEmpty
            }
        }

        It 'a collection of a type that is not kept exactly, with its items: <Name>' -ForEach @(
            @{ Name = 'an array of an enumeration'; Make = { , [System.DayOfWeek[]] ('Monday', 'Friday') } }
            @{ Name = 'a Queue'; Make = { , [System.Collections.Queue] @(1, 'a') } }
            @{ Name = 'a LinkedList'; Make = { , [System.Collections.Generic.LinkedList[int]]::new([int[]] (1, 2)) } }
            @{ Name = 'a Collection'; Make = { , [System.Collections.ObjectModel.Collection[object]] @(1, 'a', $null) } }
            @{ Name = 'an empty Collection'; Make = { , [System.Collections.ObjectModel.Collection[object]]::new() } }
            @{ Name = 'a List of Nullable'; Make = { , [System.Collections.Generic.List[System.Nullable[int]]] @(1, $null) } }
        ) {
            $live = & $Make
            $remote = ConvertTo-Remote $live
            $copy = Copy-State $live
            $copy.pstypenames | Should -Be $remote.pstypenames
            @(foreach ($item in $copy) { "$item" }) -join '|' | Should -Be (@(foreach ($item in $remote) { "$item" }) -join '|')
        }

        It 'a dictionary of another type with its entries, also those that differ in case alone' {
            $sorted = [System.Collections.Generic.SortedDictionary[string, int]]::new([StringComparer]::Ordinal)
            $sorted['b'] = 1
            $sorted['B'] = 2
            $copy = Copy-State $sorted
            $copy.pstypenames[0] | Should -BeLike 'Deserialized.System.Collections.Generic.SortedDictionary*'
            $copy.psobject.BaseObject | Should -BeOfType [hashtable]
            $copy['b'] | Should -Be 1
            $copy['B'] | Should -Be 2
        }

        It 'and holds no code: what was computed is a value, and methods are gone' {
            $state = [pscustomobject]@{ text = '$(throw "run")' } |
                Add-Member -MemberType ScriptProperty -Name computed -Value { 6 * 7 } -PassThru |
                Add-Member -MemberType ScriptMethod -Name Run -Value { throw 'run' } -PassThru
            foreach ($copy in (Copy-State $state), (Copy-State (New-Car | Add-Member -MemberType ScriptProperty -Name computed -Value { 6 * 7 } -PassThru))) {
                $copy.psobject.Properties['computed'].MemberType | Should -Be 'NoteProperty'
                $copy.computed | Should -Be 42
                $copy.psobject.Properties.MemberType | Sort-Object -Unique | Should -Be 'NoteProperty'
                $copy.psobject.Methods.Where({ $_.MemberType -eq 'ScriptMethod' }) | Should -BeNullOrEmpty
            }
            (Copy-State $state).text | Should -BeExactly '$(throw "run")'
        }

        It 'the rows of a data table, with their columns' {
            $table = [Data.DataTable]::new('orders')
            $null = $table.Columns.Add('id', [int]), $table.Columns.Add('who', [string])
            $null = $table.Rows.Add(1, 'a'), $table.Rows.Add(2, 'b')
            foreach ($copy in (Copy-State $table), (Copy-State @{ t = $table }).t) {
                $copy.id | Should -Be (ConvertTo-Remote $table).id
                $copy[1].who | Should -Be 'b'
                $copy[1].pstypenames[0] | Should -Be 'Deserialized.System.Data.DataRow'
            }
            $before = Get-CheckpointFingerprint @{ t = $table }
            $table.Rows[1].who = 'c'
            (Get-CheckpointFingerprint @{ t = $table }).Value | Should -Not -Be $before.Value
        }

        It 'a script block as its text' {
            Copy-State { 1 + 1 } | Should -BeExactly (ConvertTo-Remote { 1 + 1 })
            (Copy-State @{ run = { 'x' } }).run | Should -BeOfType ([string])
            (Copy-State { 1 }) | Should -BeOfType ([string])
        }

        It 'an element of an XML document with its attributes and children' {
            $element = ([xml] '<c><server name="db1"><port>5</port></server></c>').c.server
            $copy, $remote = (Copy-State $element), (ConvertTo-Remote $element)
            $copy.name | Should -BeExactly $remote.name
            $copy.port | Should -BeExactly $remote.port
            $copy.port | Should -Be 5
        }

        It 'a property that cannot be read as $null' {
            $car = New-Car
            $car | Add-Member -MemberType ScriptProperty -Name Broken -Value { throw 'no' }
            (Copy-State $car).psobject.Properties['Broken'].Value | Should -Be $null
        }

        It 'the same again when what was restored is saved once more' {
            $sorted = [System.Collections.Generic.SortedDictionary[string, int]]::new()
            $sorted['a'] = 1
            foreach ($live in (New-Car), [System.DayOfWeek]::Friday, [System.Collections.Queue] @(1, 2), $sorted) {
                $once = Copy-State $live
                $twice = Copy-State $once
                $twice.pstypenames | Should -Be $once.pstypenames
                $twice.ToString() | Should -BeExactly $once.ToString()
                $twice.psobject.Properties.Name | Should -Be $once.psobject.Properties.Name
                Find-Difference $once.psobject.BaseObject $twice.psobject.BaseObject | Should -BeNullOrEmpty
            }
        }

        It 'the same for what came from remoting itself' {
            $remote = ConvertTo-Remote (New-Car)
            $copy = Copy-State $remote
            $copy.pstypenames | Should -Be $remote.pstypenames
            "$copy" | Should -BeExactly 'car Ente'
            $copy.Engine | Should -BeExactly 'engine with 4'
        }
    }

    Context 'never is cut:' -Tag AnyStore {
        It 'what can be gone through only once' {
            $queue = [Collections.Concurrent.BlockingCollection[object]]::new()
            1..5 | ForEach-Object { $queue.Add("row $_") }
            $queue.CompleteAdding()
            $copy = Copy-State $queue.GetConsumingEnumerable()
            @($copy) | Should -Be (1..5 | ForEach-Object { "row $_" })
            "$copy" | Should -Be 'row 1 row 2 row 3 row 4 row 5'
        }

        It '<Levels> levels of <Name> are kept' -ForEach ($collector | ForEach-Object { foreach ($levels in 99, 100) { $_ + @{ Levels = $levels } } }) {
            $state = 'bottom'
            for ($i = 0; $i -lt $Levels; $i++) {
                $state = & $Wrap $state
            }
            Find-Difference $state (Copy-State $state) | Should -BeNullOrEmpty
        }

        It '101 levels of <Name> are an error that names the path' -ForEach $collector {
            $state = 'bottom'
            for ($i = 0; $i -lt 101; $i++) {
                $state = & $Wrap $state
            }
            $failure = { Save-Checkpoint deep -State $state @at } | Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand' -PassThru
            $failure.Exception.Message | Should -BeLike "*$([WildcardPattern]::Escape('$state' + $Step * 100)) *100 levels*"
            Get-Checkpoint @at | Should -BeNullOrEmpty
        }

        It '100 levels of everything mixed are kept, 101 are an error' {
            $wraps = $collector.Wrap
            $state = 'bottom'
            foreach ($i in 1..100) {
                $state = & $wraps[$i % $wraps.Count] $state
            }
            Find-Difference $state (Copy-State $state) | Should -BeNullOrEmpty
            { Save-Checkpoint deep -State @{ one = $state } @at } | Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand'
        } -ForEach @{ collector = $collector }

        It 'what is saved can be restored, also live collections <Levels> deep' -ForEach (10, 49, 50, 51, 60, 99, 100, 101, 120 | ForEach-Object { @{ Levels = $_ } }) {
            $state = 'bottom'
            for ($i = 0; $i -lt $Levels; $i++) {
                $outer = [System.Collections.ObjectModel.Collection[object]]::new()
                $outer.Add($state)
                $state = $outer
            }
            try {
                Save-Checkpoint live -State $state @at
            }
            catch {
                $_.FullyQualifiedErrorId | Should -Be 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand'
                $_.Exception.Message | Should -BeLike '*100 levels*'
                $Levels | Should -BeGreaterOrEqual 50
                return
            }
            $copy = Restore-Checkpoint live -Step 1 @at
            $depth = 0
            while ($copy -isnot [string]) {
                $copy = $copy.get_Item(0)
                $depth++
            }
            $depth | Should -Be $Levels
        }

        It 'a cycle is an error that names the path: <Name>' -ForEach @(
            @{ Name = 'a hashtable in itself'; Path = '$state.me'; Make = { $h = @{}; $h.me = $h; $h } }
            @{ Name = 'an array in itself'; Path = '$state[1]'; Make = { $a = @(1, 2); $a[1] = $a; , $a } }
            @{ Name = 'a List in a table in it'; Path = '$state[0].list'; Make = { $l = [System.Collections.Generic.List[object]]::new(); $l.Add(@{ list = $l }); , $l } }
            @{ Name = 'parent and child'; Path = '$state.child.parent'; Make = { $p = [pscustomobject]@{ child = [pscustomobject]@{ parent = $null } }; $p.child.parent = $p; $p } }
            @{ Name = 'deep below'; Path = "`$state.a[1].'b c'.back".Replace("'b c'", "x['b c']").Replace('.x[', '['); Make = { $t = @{}; @{ a = @(0, @{ 'b c' = $t }) } | ForEach-Object { $t.back = $t; $_ } } }
            @{ Name = 'an ordered dictionary'; Path = '$state.me'; Make = { $o = [ordered]@{}; $o.me = $o; $o } }
        ) {
            $state = & $Make
            $failure = { Save-Checkpoint cycle -State $state @at } | Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand' -PassThru
            $failure.CategoryInfo.Category | Should -Be 'InvalidType'
            $failure.Exception.Message | Should -BeLike "*$([WildcardPattern]::Escape($Path)) *cycle*"
            Get-Checkpoint @at | Should -BeNullOrEmpty
        }

        It 'the same object in two places is no cycle' {
            $shared = @{ a = 1 }
            Find-Difference @($shared, @($shared), $shared) (Copy-State @($shared, @($shared), $shared)) | Should -BeNullOrEmpty
        }

        It 'a property that cannot be read is an error that names the path' {
            $state = [pscustomobject]@{ a = 1 } | Add-Member -MemberType ScriptProperty -Name broken -Value { throw 'not now' } -PassThru
            $failure = { Save-Checkpoint broken -State @{ list = @($state) } @at } | Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand' -PassThru
            $failure.Exception.Message | Should -BeLike '*$state.list`[0`].broken *not now*'
        }

        It 'script blocks whose texts would meet as keys or items of a set are an error: <What>' -ForEach @(
            @{ What = 'of a table, with a text'; State = { @{ x = @{ { a } = 1; ' a ' = 2 } } } }
            @{ What = 'of a table, in another case'; State = { @{ x = @{ { a } = 1; { A } = 2 } } } }
            @{ What = 'of a set'; State = { @{ x = [Collections.Generic.HashSet[object]]::new([object[]] ({ a }, ' a ')) } } }
        ) {
            { Save-Checkpoint keys -State (& $State) @at } | Should -Throw '*$state.x*the same*' -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand'
            @(Copy-State @{ { a } = 1; { b } = 2 }).Keys | Sort-Object | Should -Be ' a ', ' b '
        }

        It 'half a surrogate pair in a URI is an error that names the path' -ForEach @(
            @{ State = { @{ u = [uri] "a$([char] 0xD800)" } } }
            @{ State = { @{ u = , [uri] "a$([char] 0xD800)" } } }
            @{ State = { @{ u = [uri[]] "a$([char] 0xD800)" } } }
        ) {
            { Save-Checkpoint half -State (& $State) @at } | Should -Throw '*$state.u*surrogate*' -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand'
            { Save-Checkpoint half -Metadata (& $State) @at } | Should -Throw '*metadata.u*' -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand'
        }

        It 'half a surrogate pair in a type''s name comes back' {
            $copy = Copy-State ([pscustomobject]@{ PSTypeName = "My$([char] 0xD800)"; a = 1 })
            $copy.pstypenames[0] | Should -BeExactly "My$([char] 0xD800)"
            $live = [Diagnostics.ProcessStartInfo]::new('x')
            $live.pstypenames.Insert(0, "My$([char] 0xD800)")
            (Copy-State $live).pstypenames[0] | Should -BeExactly "Deserialized.My$([char] 0xD800)"
        }

        It 'a table or set whose keys a culture compares is an error where they may meet, or are told apart by more than their letters' {
            $culture = [cultureinfo]::CurrentCulture
            try {
                [cultureinfo]::CurrentCulture = 'tr-TR'
                $set = [Collections.Generic.HashSet[string]]::new([string[]] ('i', 'I'), [StringComparer]::CurrentCultureIgnoreCase)
                $set | Should -HaveCount 2
                { Save-Checkpoint set -State @{ s = $set } @at } | Should -Throw '*$state.s*' -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand'
            }
            finally {
                [cultureinfo]::CurrentCulture = $culture
            }
            foreach ($comparer in [StringComparer]::CurrentCulture, [StringComparer]::InvariantCulture) {
                { Save-Checkpoint table -State @{ s = [Activator]::CreateInstance([hashtable], $comparer) } @at } | Should -Throw '*$state.s*compares*'
                { Save-Checkpoint table -State @{ s = [Collections.Generic.HashSet[string]]::new($comparer) } @at } | Should -Throw '*$state.s*compares*'
            }
        }

        It 'a table whose way to compare cannot be kept is an error that names the path' {
            $turkish = [Activator]::CreateInstance([hashtable], [StringComparer]::Create([cultureinfo] 'tr-TR', $true))
            $failure = { Save-Checkpoint turkish -State @{ t = $turkish } @at } | Should -Throw -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand' -PassThru
            $failure.Exception.Message | Should -BeLike '*$state.t cannot be kept*'
        }

        It 'an array whose indices do not begin at 0 is an error that names the path, for it could not come back with them' {
            $shifted = [array]::CreateInstance([int], [int[]] (2, 2), [int[]] (1, 1))
            { Save-Checkpoint shifted -State @{ a = $shifted } @at } | Should -Throw '*$state.a *' -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand'
        }

        It 'an XML document with a document type is an error, for reading it could reach out of the file' {
            $document = [System.Xml.XmlDocument]::new()
            $document.LoadXml('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
            { Save-Checkpoint doctype -State @{ x = $document } @at } | Should -Throw '*$state.x *DOCTYPE*' -ErrorId 'StateNotSerializable,Checkpoint.Commands.SaveCheckpointCommand'
        }
    }

    Context 'with a secret' {
        It 'is refused without a key, by the path: <Name>' -ForEach @(
            @{ Name = 'a SecureString'; Path = '$state'; Make = { New-Secret 'pa55word' } }
            @{ Name = 'a SecureString in a list in a table'; Path = '$state.users[1].password'; Make = { @{ users = @(1, @{ password = New-Secret 'pa55word' }) } } }
            @{ Name = 'a PSCredential'; Path = '$state.login'; Make = { [pscustomobject]@{ login = [pscredential]::new('me', (New-Secret 'pa55word')) } } }
            @{ Name = 'a SecureString in a live object'; Path = '$state[0].SecurePassword'; Make = { , @([System.Net.NetworkCredential]::new('me', 'pa55word')) } }
            @{ Name = 'a SecureString in a typed array'; Path = '$state[0]'; Make = { , [securestring[]] @(New-Secret 'pa55word') } }
        ) {
            $state = & $Make
            $failure = { Save-Checkpoint secret -State $state @at } | Should -Throw -ErrorId 'KeyRequired,Checkpoint.Commands.SaveCheckpointCommand' -PassThru
            $failure.CategoryInfo.Category | Should -Be 'AuthenticationError'
            $failure.Exception.Message | Should -BeLike "*$([WildcardPattern]::Escape($Path)) *"
            Get-Checkpoint @at | Should -BeNullOrEmpty
            Get-StoreFile $store | Should -BeNullOrEmpty
        }

        It 'is refused in a piped sequence, in metadata and in what GetState gives, too' {
            { 1, (New-Secret 'pa55word') | Save-Checkpoint secret @at } | Should -Throw -ErrorId 'KeyRequired,Checkpoint.Commands.SaveCheckpointCommand'
            { Save-Checkpoint secret -Metadata @{ p = New-Secret 'pa55word' } @at } | Should -Throw
            $object = [pscustomobject]@{} | Add-Member -MemberType ScriptMethod -Name GetState -Value { New-Secret 'pa55word' } -PassThru
            { Save-Checkpoint secret -InputObject $object @at } | Should -Throw -ErrorId 'KeyRequired,Checkpoint.Commands.SaveCheckpointCommand'
            Get-StoreFile $store | Should -BeNullOrEmpty
        }
    }

    Context 'in the store' {
        It 'lies readable inside the record when it is small' {
            Save-Checkpoint small -State ([ordered]@{ epoch = 3; loss = 0.25; name = 'größe'; when = [DateOnly]::new(2026, 1, 2) }) @at
            Get-StoreFile $store | Should -HaveCount 1
            $text = Get-Record (Get-RecordPath $store small)
            $text | Should -BeLike '*"epoch":3*"loss":0.25*"name":"größe"*2026-01-02*'
            ($text | ConvertFrom-Json).state | Should -Not -BeNullOrEmpty
        }

        It 'lies in a payload beside it when it is large, by length and SHA-256' -Tag Files {
            Save-Checkpoint large -State ([byte[]] (1..100000 | ForEach-Object { $_ % 251 })) @at
            $record = Get-Content "$store/default/stages/large/0000000001.json" -Raw | ConvertFrom-Json
            $payload = Get-Item "$store/default/stages/large/$($record.state.payload.file)"
            $payload.Name | Should -Match '^0000000001\.[0-9a-f]{32}\.state$'
            $payload.Length | Should -Be $record.state.payload.length
            (Get-FileHash $payload -Algorithm SHA256).Hash | Should -Be $record.state.payload.sha256
            (Get-Checkpoint large @at).StateSize | Should -Be $payload.Length
        }

        It 'is never held twice in memory: <Name>' -ForEach @(
            @{ Name = 'a byte[]'; Make = '[byte[]]::new(256MB)' }
            @{ Name = 'a text'; Make = "[string]::new('a', 128MB)" }
            @{ Name = 'numbers in a table'; Make = '@{ a = [double[]]::new(16MB); b = [int[]]::new(32MB) }' }
        ) {
            # 256 MiB of state in a heap that may grow to 320 MiB; a process each, for nothing says when a heap gives memory back.
            $result = Invoke-Pwsh {
                param($store, $make)
                $at = @{ Store = $store; Pipeline = 'default'; Run = '' }
                $state = & ([scriptblock]::Create(", $make"))
                Save-Checkpoint big -State $state @at
                $state = $null
                [GC]::Collect()
                $state = Restore-Checkpoint big @at
                $state.GetType().Name
            } $store, "($Make)" -Environment @{ DOTNET_GCHeapHardLimit = '0x14000000' }
            $result.ErrorOutput | Should -BeNullOrEmpty
            $result.Output | Should -HaveCount 1
            (Get-Checkpoint big @at).StateSize | Should -BeGreaterOrEqual 256MB
        }

        It 'has a size, also when it is $null; no state has none' {
            (Save-Checkpoint null -State $null -PassThru @at).StateSize | Should -BeGreaterThan 0
            (Save-Checkpoint none -PassThru @at).StateSize | Should -Be $null
        }
    }
}
