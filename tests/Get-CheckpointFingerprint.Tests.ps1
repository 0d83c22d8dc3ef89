BeforeAll {
    . $PSScriptRoot/Common.ps1

    function Get-Value {
        param([object] $Value)
        (Get-CheckpointFingerprint -InputObject $Value).Value
    }
}

AfterAll { Set-CheckpointContext -Reset }

Describe 'Get-CheckpointFingerprint' {
    Context 'What it gives' {
        It 'gives one object with a value of 64 hex digits and a hash for each part' {
            $fingerprint = @(Get-CheckpointFingerprint @{ size = 1; name = 'x' })
            $fingerprint | Should -HaveCount 1
            $fingerprint[0] | Should -BeOfType [Checkpoint.CheckpointFingerprint]
            $fingerprint[0].Value | Should -MatchExactly '^[0-9a-f]{64}$'
            $fingerprint[0].Parts.Keys | Sort-Object | Should -Be 'name', 'size'
            $fingerprint[0].Parts.Values | Should -MatchExactly '^[0-9a-f]{64}$'
            "$($fingerprint[0])" | Should -Be $fingerprint[0].Value
        }

        It 'gives an object that cannot be changed' {
            $fingerprint = Get-CheckpointFingerprint @{ a = 1 }
            { $fingerprint.Value = 'x' } | Should -Throw
            { $fingerprint.Parts = @{} } | Should -Throw
            { ([Collections.IDictionary] $fingerprint.Parts)['a'] = 'x' } | Should -Throw
        }

        It 'gives objects that are equal when their values are' {
            Get-CheckpointFingerprint @{ a = 1 } | Should -Be (Get-CheckpointFingerprint @{ a = 1 })
            (Get-CheckpointFingerprint @{ a = 1 }) -eq (Get-CheckpointFingerprint @{ a = 2 }) | Should -BeFalse
        }

        It 'writes to no other stream and needs no store' {
            Set-CheckpointContext -Store (New-TestStore -Missing)
            @(Get-CheckpointFingerprint 1 *>&1) | Should -HaveCount 1
            (Get-CheckpointContext).Store | Should -Not -Exist
            Set-CheckpointContext -Reset
        }

        It 'says that there is nothing to take a fingerprint of' {
            { Get-CheckpointFingerprint } | Should -Throw -ErrorId 'InvalidArgument,Checkpoint.Commands.GetCheckpointFingerprintCommand'
        }

        It 'is for -Fingerprint what Get-CheckpointFingerprint says of the same value: <What>' -ForEach @(
            @{ What = 'a text'; Value = 'ab' }
            @{ What = '$null'; Value = $null }
            @{ What = 'a table'; Value = @{ a = 1; b = @{ c = 2 } } }
            @{ What = 'a list'; Value = 'ab', 'c' }
            @{ What = 'a list of one'; Value = @('ab') }
            @{ What = 'an empty list'; Value = @() }
            @{ What = 'a list of tables'; Value = @{ a = 1 }, @{ a = 2 } }
            @{ What = 'bytes'; Value = [byte[]] (1, 2, 3) }
            @{ What = 'a script block'; Value = { Get-Item x } }
        ) {
            $saved = Save-Checkpoint a -Fingerprint $Value -Store (New-TestStore) -PassThru
            $saved.Fingerprint.Value | Should -Be (Get-CheckpointFingerprint $Value).Value
            $saved.Fingerprint.Parts.Keys | Should -Be @((Get-CheckpointFingerprint $Value).Parts.Keys)
        }

        It 'passes a fingerprint on as it is' {
            $first = Get-CheckpointFingerprint @{ a = 1 }
            (Get-CheckpointFingerprint $first).Value | Should -Be $first.Value
            ($first | Get-CheckpointFingerprint).Value | Should -Be $first.Value
        }
    }

    Context 'What counts' {
        It 'is the same for <What>' -ForEach @(
            @{ What = 'another order of keys'; First = [ordered]@{ a = 1; b = 2; c = 3 }; Second = [ordered]@{ c = 3; a = 1; b = 2 } }
            @{ What = 'another order of keys inside'; First = @{ x = [ordered]@{ a = 1; b = 2 } }; Second = @{ x = [ordered]@{ b = 2; a = 1 } } }
            @{ What = 'another order of properties'; First = [pscustomobject]@{ a = 1; b = 2 }; Second = [pscustomobject]@{ b = 2; a = 1 } }
            @{ What = 'a hashtable and an object'; First = @{ a = 1; b = @{ c = 2 } }; Second = [pscustomobject]@{ a = 1; b = [pscustomobject]@{ c = 2 } } }
            @{ What = 'integers of another width'; First = @{ a = [int] 5 }; Second = @{ a = [long] 5 } }
            @{ What = 'a byte and a bigint'; First = @{ a = [byte] 5 }; Second = @{ a = [bigint] 5 } }
            @{ What = 'decimals with other zeros'; First = @{ a = [decimal] '1.50' }; Second = @{ a = [decimal] '1.5' } }
            @{ What = 'an array and a list'; First = @{ a = @(1, 2) }; Second = @{ a = [Collections.Generic.List[object]] @(1, 2) } }
            @{ What = 'a moment in another zone'; First = @{ a = [DateTimeOffset] '2024-05-01T10:00:00+02:00' }; Second = @{ a = [DateTimeOffset] '2024-05-01T08:00:00+00:00' } }
            @{ What = 'a value in a PSObject'; First = @{ a = 'x' }; Second = @{ a = [psobject]::AsPSObject('x') } }
            @{ What = 'JSON that was read and the table that was written'; First = @{ a = 1, 2; b = @{ c = $true; d = $null; e = 1.5 } }; Second = ('{"b": {"e": 1.5, "d": null, "c": true}, "a": [1, 2]}' | ConvertFrom-Json) }
        ) {
            Get-Value $First | Should -Be (Get-Value $Second)
        }

        It 'differs for <What>' -ForEach @(
            @{ What = '("ab","c") and ("a","bc")'; First = 'ab', 'c'; Second = 'a', 'bc' }
            @{ What = '("ab","c") and ("abc")'; First = 'ab', 'c'; Second = @('abc') }
            @{ What = '("a,b") and ("a","b")'; First = @('a,b'); Second = 'a', 'b' }
            @{ What = 'another order of items'; First = 'a', 'b'; Second = 'b', 'a' }
            @{ What = 'lists inside lists'; First = @(@(1, 2), @(3)); Second = @(@(1), @(2, 3)) }
            @{ What = '1 and "1"'; First = 1; Second = '1' }
            @{ What = '1 and 1.0'; First = 1; Second = 1.0 }
            @{ What = '1 and $true'; First = 1; Second = $true }
            @{ What = '"True" and $true'; First = 'True'; Second = $true }
            @{ What = '$null and ""'; First = $null; Second = '' }
            @{ What = '$null and nothing'; First = @{ a = $null }; Second = @{} }
            @{ What = '$null and @()'; First = @{ a = $null }; Second = @{ a = @() } }
            @{ What = '@() and @{}'; First = @{ a = @() }; Second = @{ a = @{} } }
            @{ What = '@() and @($null)'; First = @{ a = @() }; Second = @{ a = @($null) } }
            @{ What = '@{} and a list of @{}'; First = @{}; Second = @(@{}, @{}) }
            @{ What = 'a list with and without @{}'; First = @(1, 2, @{}); Second = @(1, 2) }
            @{ What = 'lists with another number of @{}'; First = @(@{}, @{}); Second = @(@{}, @{}, @{}) }
            @{ What = 'a value and a table that has it as "value"'; First = 1; Second = @{ value = 1 } }
            @{ What = 'a list and a table with its parts'; First = @(@{ a = 1 }, @{ a = 2 }); Second = @{ '[0].a' = 1; '[1].a' = 2 } }
            @{ What = 'keys and values that run together'; First = @{ ab = 'c' }; Second = @{ a = 'bc' } }
            @{ What = 'tables that run together'; First = @{ a = @{ b = 1 } }; Second = @{ 'a.b' = 1 } }
            @{ What = 'a key that is a number and one that is its digits'; First = @{ 1 = 'x' }; Second = @{ '1' = 'x' } }
            @{ What = 'letters in another case'; First = 'Ab'; Second = 'ab' }
            @{ What = 'a blank more'; First = 'a b'; Second = 'a  b' }
            @{ What = 'half a surrogate pair'; First = "$([char] 0xD800)"; Second = "$([char] 0xD801)" }
            @{ What = 'a zero in a text'; First = "a`0b"; Second = "a`0c" }
            @{ What = 'bytes'; First = [byte[]] (1, 2); Second = [byte[]] (1, 3) }
            @{ What = 'bytes and numbers'; First = @{ a = [byte[]] (1, 2) }; Second = @{ a = 1, 2 } }
            @{ What = '0.1 as [double] and as [decimal]'; First = 0.1; Second = 0.1d }
            @{ What = '0.0 and -0.0'; First = 0.0; Second = [double]::NegativeZero }
            @{ What = 'local time and UTC of the same digits'; First = [datetime]::new(2024, 5, 1, 0, 0, 0, [DateTimeKind]::Unspecified); Second = [datetime]::new(2024, 5, 1, 0, 0, 0, [DateTimeKind]::Utc) }
            @{ What = 'another enumeration of the same number'; First = @{ a = [DayOfWeek]::Monday }; Second = @{ a = [ConsoleColor]::DarkBlue } }
            @{ What = 'an enumeration and its number'; First = @{ a = [DayOfWeek]::Monday }; Second = @{ a = 1 } }
            @{ What = 'a time span and its text'; First = [timespan]::FromHours(1); Second = '01:00:00' }
            @{ What = 'a long list, by its last item'; First = 1..2000; Second = @(1..1999) + 0 }
            @{ What = 'something deep inside'; First = @{ a = @(1, @{ b = @{ c = 1 } }) }; Second = @{ a = @(1, @{ b = @{ c = 2 } }) } }
        ) {
            Get-Value $First | Should -Not -Be (Get-Value $Second)
        }

        It 'is <Value> for <Of>, in any process, culture and time zone, for ever' -ForEach @(
            @{ Of = '$null'; Given = $null; Value = '4f3c2ab724c6104fccf614ae733dd3798aeec033aacb7291ffb6538ba8d6c547' }
            @{ Of = 'an empty text'; Given = ''; Value = 'f67563f1cea0ba3a4d78aa8ae7550add3d6940534c4a163dfc2016a6fb7f0061' }
            @{ Of = 'a text'; Given = 'Grüße 👍'; Value = 'e072bf2337824538920204dd54df25c825ab56bb53134ac26d6ca968d86143d1' }
            @{ Of = '1'; Given = 1; Value = '25806b512675118fd751c37b90ef0a2effb1fab5d1a874a6f0de90da345f7b48' }
            @{ Of = '-1.5'; Given = -1.5; Value = 'fde0fd622f0ce1631213e7334bff8b51b8838fc7e082fe6923c0dfa2a1926ae5' }
            @{ Of = '1.50d'; Given = 1.50d; Value = 'fe094820aecf544cab989205a10f09ba6d1df99df84f2afb449421d26f7d71cd' }
            @{ Of = '$true'; Given = $true; Value = 'fc23a72385067d6cf25dc1021a12e3d7cfcf19bc7ea6c6204019a96efad5cc19' }
            @{ Of = 'a moment'; Given = [datetime]::new(2024, 5, 1, 12, 30, 15, [DateTimeKind]::Utc); Value = 'd80a0e4f7e4fa1d9d94a30aa04d4acdeac511ef955adc46b34cc17cbd312c820' }
            @{ Of = 'a time span'; Given = [timespan]::FromMinutes(90); Value = '45cad074e2cbbe976ad26cab1f8953c1154608ef1f4fdf4ebe0b6fc80e442918' }
            @{ Of = 'bytes'; Given = [byte[]] (1, 2, 3); Value = '7e20df4c6d8b61af934d6e769ec9d5736d3a132eb64c20b22f088b28e025891b' }
            @{ Of = '("ab", "c")'; Given = 'ab', 'c'; Value = '349c785240327ba1b50301d2f79902fca4503410af059987095d9ecf8694a03b' }
            @{ Of = 'an empty list'; Given = @(); Value = 'a0dbe6472f5087a5747777f618a005633cec2e20696820233c9be668d0ad4b20' }
            @{ Of = 'an empty table'; Given = @{}; Value = '4081b36e105f849552dd95b3dc2efd6985917fecb6d26f78cc6498b41c481ec1' }
            @{ Of = 'a table'; Given = @{ size = 1; İi = 'x'; list = 1, 'two', @{ three = 3.25 } }; Value = '44c706425aeaa0afd9e05d45a22374e5ed9608612a22e8f77f7988eb97029a5a' }
            @{ Of = 'a script block'; Given = { Get-Item $path | Sort-Object }; Value = '69e6a6432d0914931984030130b156f04831f2abbb55bf49adbfe89d8d64b8e1' }
        ) {
            (Get-CheckpointFingerprint -InputObject $Given).Value | Should -BeExactly $Value
        }

        It 'is the same in another process with another culture, time zone and operating mode' {
            $values = {
                (Get-CheckpointFingerprint @{ a = 1.5; I = 'ı'; d = [datetime]::new(2024, 5, 1, 0, 0, 0, [DateTimeKind]::Utc); e = [DayOfWeek]::Friday; n = -1234567 }).Value
                (Get-CheckpointFingerprint 0.1d 1e300 ([timespan]::FromDays(1.5)) ([decimal] 1234.5)).Value
                (Get-CheckpointFingerprint { Get-Item # comment
                    'x' }).Value
            }
            $other = Invoke-Pwsh "[cultureinfo]::CurrentCulture = [cultureinfo]::CurrentUICulture = 'tr-TR'`n$values" -Environment @{ TZ = 'Asia/Kathmandu'; LC_ALL = 'tr_TR.UTF-8' }
            $other.ErrorOutput | Should -BeNullOrEmpty
            $other.Output | Should -Be @(& $values)
        }
    }

    Context 'Parts' {
        It 'names the keys of a table' {
            (Get-CheckpointFingerprint ([ordered]@{ b = 1; a = 2; 'c d' = 3 })).Parts.Keys | Sort-Object | Should -Be 'a', 'b', 'c d'
        }

        It 'names the properties of an object' {
            (Get-CheckpointFingerprint ([pscustomobject]@{ b = 1; a = 2 })).Parts.Keys | Sort-Object | Should -Be 'a', 'b'
        }

        It 'gives a part the hash it has wherever its neighbours change' {
            (Get-CheckpointFingerprint @{ a = 1; b = 2 }).Parts['a'] | Should -Be (Get-CheckpointFingerprint @{ a = 1; c = 3 }).Parts['a']
            (Get-CheckpointFingerprint @{ a = 1 }).Parts['a'] | Should -Not -Be (Get-CheckpointFingerprint @{ a = 2 }).Parts['a']
        }

        It 'names a change deep inside by its topmost part' {
            $first = Get-CheckpointFingerprint @{ source = @{ server = @{ ports = 1, 2 } }; size = 1 }
            $second = Get-CheckpointFingerprint @{ source = @{ server = @{ ports = 1, 3 } }; size = 1 }
            $first.CompareTo($second).Part | Should -Be 'source'
        }

        It 'names the items of a list, and of several arguments, by their place' {
            (Get-CheckpointFingerprint ab c).Parts.Keys | Sort-Object | Should -Be '[0].value', '[1].value'
            (Get-CheckpointFingerprint @{ a = 1 } { 1 } 5).Parts.Keys | Sort-Object | Should -Be '[0].a', '[1].script', '[2].value'
            (@{ a = 1 }, 5 | Get-CheckpointFingerprint).Parts.Keys | Sort-Object | Should -Be '[0].a', '[1].value'
        }

        It 'names what has no parts, a script block, and a file' {
            (Get-CheckpointFingerprint 5).Parts.Keys | Should -Be 'value'
            (Get-CheckpointFingerprint { 5 }).Parts.Keys | Should -Be 'script'
            (Get-CheckpointFingerprint (Get-Item $PSCommandPath)).Parts.Keys | Should -Be (Split-Path $PSCommandPath -Leaf)
        }

        It 'keeps keys apart that differ in case only' {
            $table = [Collections.Generic.Dictionary[string, object]]::new()
            $table['a'] = 1
            $table['A'] = 2
            (Get-CheckpointFingerprint $table).Parts.Count | Should -Be 2
        }
    }

    Context 'Input' {
        It 'takes piped objects as it takes arguments' {
            ('ab', 'c' | Get-CheckpointFingerprint).Value | Should -Be (Get-CheckpointFingerprint ab c).Value
            (@{ a = 1 } | Get-CheckpointFingerprint).Value | Should -Be (Get-CheckpointFingerprint @{ a = 1 }).Value
        }

        It 'takes $null, an empty text and an empty list' {
            (Get-CheckpointFingerprint $null).Value | Should -Be ($null | Get-CheckpointFingerprint).Value
            (Get-CheckpointFingerprint '').Value | Should -Not -Be (Get-CheckpointFingerprint $null).Value
            (Get-CheckpointFingerprint @()).Value | Should -Be (@() | Get-CheckpointFingerprint).Value
        }

        It 'gives the fingerprint of nothing for an empty pipeline, as a folder without files gives' {
            $folder = New-TestFolder
            @(Get-ChildItem $folder | Get-CheckpointFingerprint) | Should -HaveCount 1
        }

        It 'refuses a secret, by its path' {
            $failure = { Get-CheckpointFingerprint @{ a = @{ password = [securestring]::new() } } } |
                Should -Throw -PassThru -ErrorId 'StateNotSerializable,Checkpoint.Commands.GetCheckpointFingerprintCommand'
            $failure.CategoryInfo.Category | Should -Be 'InvalidType'
            $failure.Exception.Message | Should -BeLike '*.a.password*secret*'
        }

        It 'refuses a cycle, by its path' {
            $table = @{ a = @{} }
            $table.a.back = $table
            { Get-CheckpointFingerprint $table } | Should -Throw '*.a.back*cycle*' -ErrorId 'StateNotSerializable,Checkpoint.Commands.GetCheckpointFingerprintCommand'
        }

        It 'refuses more than 100 levels rather than leaving out what is below' {
            $table = @{}
            $inner = $table
            1..101 | ForEach-Object { $inner = $inner.a = @{} }
            { Get-CheckpointFingerprint $table } | Should -Throw '*100 levels*' -ErrorId 'StateNotSerializable,Checkpoint.Commands.GetCheckpointFingerprintCommand'
        }

        It 'takes the parameters of a function' {
            function Get-Mine([int] $Size, [string] $Kind) { (Get-CheckpointFingerprint $PSBoundParameters).Parts }
            (Get-Mine -Size 1 -Kind x).Keys | Sort-Object | Should -Be 'Kind', 'Size'
            (Get-Mine -Size 1)['Size'] | Should -Be (Get-CheckpointFingerprint @{ Size = 1 }).Parts['Size']
        }

        It 'counts hidden properties of a class, which no state keeps' {
            class CheckpointHidden { hidden [int] $Secret; [int] $Shown }
            $one, $two = [CheckpointHidden]::new(), [CheckpointHidden]::new()
            Get-Value @{ x = $one } | Should -Be (Get-Value @{ x = $two })
            $two.Secret = 5
            Get-Value @{ x = $one } | Should -Not -Be (Get-Value @{ x = $two })
        }

        It 'takes an item of a drive without what its provider notes on it' {
            $env:CHECKPOINT_TEST_ITEM = 'a'
            try {
                $item = Get-Item Env:CHECKPOINT_TEST_ITEM
                $first = Get-Value @{ x = $item }
                $item.PSPath = 'elsewhere'
                Get-Value @{ x = $item } | Should -Be $first
                $item.Value = 'b'
                Get-Value @{ x = $item } | Should -Not -Be $first
            }
            finally {
                Remove-Item Env:CHECKPOINT_TEST_ITEM
            }
            # The same names on an object of one's own are content.
            Get-Value ([pscustomobject]@{ PSPath = 1 }) | Should -Not -Be (Get-Value ([pscustomobject]@{ PSPath = 2 }))
        }

        It 'takes an object whose parts lead back to it, and counts every part' {
            class CheckpointTree { [string] $Name; [object] $Parent; [object[]] $Children }
            function New-Tree([string] $Leaf) {
                $root = [CheckpointTree]@{ Name = 'root' }
                $root.Children = [CheckpointTree]@{ Name = 'a'; Parent = $root }, [CheckpointTree]@{ Name = $Leaf; Parent = $root }
                $root
            }
            Get-Value @{ x = New-Tree b } | Should -Be (Get-Value @{ x = New-Tree b })
            Get-Value @{ x = New-Tree b } | Should -Not -Be (Get-Value @{ x = New-Tree c })
            $moved = New-Tree b
            $moved.Children[1].Parent = $moved.Children[0]
            Get-Value @{ x = New-Tree b } | Should -Not -Be (Get-Value @{ x = $moved })
        }

        It 'takes a live object by its content' {
            $first = Get-CheckpointFingerprint @{ a = [version] '1.2'; u = [uri] 'https://a/b'; p = [Diagnostics.ProcessStartInfo]::new('x') }
            $second = Get-CheckpointFingerprint @{ a = [version] '1.2'; u = [uri] 'https://a/b'; p = [Diagnostics.ProcessStartInfo]::new('y') }
            $first.CompareTo($second).Part | Should -Be 'p'
        }
    }

    Context 'Script blocks' {
        It 'is the same for <What>' -ForEach @(
            @{ What = 'other white space'; First = { Get-Item a|Sort-Object }; Second = { Get-Item   a   |   Sort-Object } }
            @{ What = 'other line breaks'; First = { if ($a) { 1 } else { 2 } }; Second = {
                    if ($a) {
                        1
                    }
                    else {
                        2
                    }
                }
            }
            @{ What = 'comments'; First = { 1; 2 }; Second = {
                    # why
                    1 <# one #>; 2 # two
                    <#
                    end
                    #>
                }
            }
            @{ What = 'a line break for a semicolon'; First = { $a = 1; $b = 2 }; Second = {
                    $a = 1
                    $b = 2
                }
            }
            @{ What = 'a line continued'; First = { Get-Item -Path a -Force }; Second = {
                    Get-Item `
                        -Path a `
                        -Force
                }
            }
            @{ What = 'a pipeline broken after its bar'; First = { 1 | Write-Output }; Second = {
                    1 |
                        Write-Output
                }
            }
            @{ What = 'an empty block and one with a comment'; First = {}; Second = { <# nothing #> } }
        ) {
            (Get-CheckpointFingerprint $First).Value | Should -Be (Get-CheckpointFingerprint $Second).Value
        }

        It 'differs for <What>' -ForEach @(
            @{ What = 'a method call and two arguments'; First = { Write-Output $a.B(1) }; Second = { Write-Output $a.B (1) } }
            @{ What = 'an index and two arguments'; First = { Write-Output $a[0] }; Second = { Write-Output $a [0] } }
            @{ What = 'one command and two'; First = { Write-Output a b }; Second = { Write-Output a; b } }
            @{ What = 'one command and two, on two lines'; First = { Write-Output a b }; Second = {
                    Write-Output a
                    b
                }
            }
            @{ What = 'return with and without a value'; First = { return 1 }; Second = { return; 1 } }
            @{ What = 'a sum and two statements'; First = { $a = 1 + 2 }; Second = {
                    $a = 1
                    + 2
                }
            }
            @{ What = 'one argument and two'; First = { Write-Output ab }; Second = { Write-Output a b } }
            @{ What = 'a text with another blank'; First = { 'a b' }; Second = { 'a  b' } }
            @{ What = 'a number sign in a text'; First = { 'a # b' }; Second = { 'a' } }
            @{ What = 'a here-string with another line'; First = { @'
a
b
'@ }; Second = { @'
a

b
'@ } }
            @{ What = 'a quoted variable'; First = { "$a" }; Second = { '$a' } }
            @{ What = 'another command'; First = { Get-Item x }; Second = { Get-Content x } }
            @{ What = 'another parameter'; First = { Get-Item x -Force }; Second = { Get-Item x -Verbose } }
            @{ What = 'another variable'; First = { $a }; Second = { $b } }
            @{ What = 'another operator'; First = { 1 + 2 }; Second = { 1 - 2 } }
            @{ What = 'a param block'; First = { param($a) $a }; Second = { $a } }
            @{ What = 'a block in a block'; First = { & { 1 } }; Second = { & { 2 } } }
            @{ What = 'another attribute'; First = { param([int] $a) }; Second = { param([long] $a) } }
            @{ What = 'begin and process'; First = { begin { 1 } }; Second = { process { 1 } } }
            @{ What = 'a redirection'; First = { Write-Output a }; Second = { Write-Output a > a } }
        ) {
            (Get-CheckpointFingerprint $First).Value | Should -Not -Be (Get-CheckpointFingerprint $Second).Value
        }

        It 'is the same for a script block made from text' {
            $block = { param($a) Get-Item $a }
            (Get-CheckpointFingerprint ([scriptblock]::Create($block.ToString()))).Value | Should -Be (Get-CheckpointFingerprint $block).Value
        }

        It 'is the same for a closure, and for a block that another runspace got' {
            $block = { Get-Item $a }
            (Get-CheckpointFingerprint $block.GetNewClosure()).Value | Should -Be (Get-CheckpointFingerprint $block).Value
            $shell = [powershell]::Create().AddScript('param($Module, $Text) Import-Module $Module; (Get-CheckpointFingerprint ([scriptblock]::Create($Text))).Value')
            $shell.AddArgument($ModulePath).AddArgument("$block").Invoke() | Should -Be (Get-CheckpointFingerprint $block).Value
            $shell.Dispose()
        }

        It 'counts inside a table' {
            (Get-CheckpointFingerprint @{ a = { 1 } }).Value | Should -Be (Get-CheckpointFingerprint @{ a = { 1 <# c #> } }).Value
            (Get-CheckpointFingerprint @{ a = { 1 } }).Value | Should -Not -Be (Get-CheckpointFingerprint @{ a = { 2 } }).Value
            (Get-CheckpointFingerprint @{ a = { 1 } }).Value | Should -Not -Be (Get-CheckpointFingerprint @{ a = ' 1 ' }).Value
        }

        It 'does not run the block' {
            $script:ran = $false
            $null = Get-CheckpointFingerprint { $script:ran = $true }
            $script:ran | Should -BeFalse
        }
    }

    Context 'Files' {
        BeforeEach {
            $place = New-TestFolder
            $null = New-Item -ItemType Directory "$place/in/sub"
            Set-Content "$place/in/a.csv" '1' -NoNewline
            Set-Content "$place/in/b.csv" '2' -NoNewline
            Set-Content "$place/in/c.txt" '3' -NoNewline
            Set-Content "$place/in/sub/d.csv" '4' -NoNewline
            Set-Content -LiteralPath "$place/in/[x].csv" '5' -NoNewline
            Push-Location $place
        }

        AfterEach { Pop-Location }

        It 'takes the content of files by path, wildcard and folder' {
            (Get-CheckpointFingerprint -Path in/a.csv).Parts.Keys | Should -Be 'in/a.csv'
            (Get-CheckpointFingerprint -Path in/?.csv, in/c.txt).Parts.Keys | Sort-Object | Should -Be 'in/a.csv', 'in/b.csv', 'in/c.txt'
            (Get-CheckpointFingerprint -Path in).Parts.Keys | Sort-Object | Should -Be 'in/[x].csv', 'in/a.csv', 'in/b.csv', 'in/c.txt', 'in/sub/d.csv'
        }

        It 'gives a file the SHA-256 of its content, which other tools print too' {
            (Get-CheckpointFingerprint -Path in/a.csv).Parts['in/a.csv'] | Should -Be (Get-FileHash in/a.csv).Hash
        }

        It 'takes a name literally with -LiteralPath' {
            (Get-CheckpointFingerprint -LiteralPath 'in/[x].csv').Parts.Keys | Should -Be 'in/[x].csv'
            (Get-CheckpointFingerprint -LiteralPath 'in/sub').Parts.Keys | Should -Be 'in/sub/d.csv'
        }

        It 'changes with a content, and with nothing else of a file' {
            $before = Get-CheckpointFingerprint -Path in
            (Get-Item in/a.csv).LastWriteTimeUtc = [datetime]::UtcNow.AddDays(-3)
            (Get-CheckpointFingerprint -Path in).Value | Should -Be $before.Value
            Set-Content in/a.csv '9' -NoNewline
            $before.CompareTo((Get-CheckpointFingerprint -Path in)).Part | Should -Be 'in/a.csv'
        }

        It 'changes when a file comes, goes or is renamed' {
            $before = Get-CheckpointFingerprint -Path in
            Set-Content in/new.csv 'x'
            $before.CompareTo((Get-CheckpointFingerprint -Path in)).Part | Should -Be 'in/new.csv'
            Rename-Item in/new.csv newer.csv
            (Get-CheckpointFingerprint -Path in).Parts.Keys | Should -Contain 'in/newer.csv'
            Remove-Item in/newer.csv, in/b.csv
            $before.CompareTo((Get-CheckpointFingerprint -Path in)).Part | Should -Be 'in/b.csv'
        }

        It 'is the same in another checkout of the same files' {
            $here = Get-CheckpointFingerprint -Path in
            $other = New-TestFolder
            Copy-Item in $other -Recurse
            Push-Location $other
            (Get-CheckpointFingerprint -Path in).Value | Should -Be $here.Value
            (Get-CheckpointFingerprint -Path "$other/in").Value | Should -Be $here.Value
            Pop-Location
        }

        It 'names a file elsewhere by its whole path' {
            Push-Location in/sub
            (Get-CheckpointFingerprint -Path "$place/in/a.csv").Parts.Keys | Should -Be (Get-Item "$place/in/a.csv").FullName
            Pop-Location
        }

        It 'takes FileInfo objects by their content, alone, in a table, and piped' {
            $before = Get-CheckpointFingerprint (Get-Item in/a.csv)
            $table = Get-CheckpointFingerprint @{ file = Get-Item in/a.csv; folder = Get-Item in/sub }
            $piped = Get-ChildItem in -File | Get-CheckpointFingerprint
            Set-Content in/a.csv '9' -NoNewline
            (Get-CheckpointFingerprint (Get-Item in/a.csv)).Value | Should -Not -Be $before.Value
            $table.CompareTo((Get-CheckpointFingerprint @{ file = Get-Item in/a.csv; folder = Get-Item in/sub })).Part | Should -Be 'file'
            (Get-ChildItem in -File | Get-CheckpointFingerprint).Value | Should -Not -Be $piped.Value
            Set-Content in/sub/new 'x'
            $table.CompareTo((Get-CheckpointFingerprint @{ file = Get-Item in/a.csv; folder = Get-Item in/sub })).Part | Should -Be 'file', 'folder'
        }

        It 'takes objects and files together' {
            $fingerprint = Get-CheckpointFingerprint @{ size = 1 } -Path in/a.csv
            $fingerprint.Parts.Count | Should -Be 2
            $fingerprint.Parts.Keys | Should -Contain 'in/a.csv'
            (Get-CheckpointFingerprint @{ size = 2 } -Path in/a.csv).Value | Should -Not -Be $fingerprint.Value
        }

        It 'does not go round in links to folders' -Skip:$IsWindows {
            $null = New-Item -ItemType SymbolicLink in/sub/loop -Target "$place/in"
            (Get-CheckpointFingerprint -Path in/sub).Parts.Keys | Should -Be 'in/sub/d.csv'
            Get-CheckpointFingerprint (Get-Item in/sub) | Should -HaveCount 1
        }

        It 'takes drives of PowerShell' {
            Set-Content TestDrive:/drive.txt 'x' -NoNewline
            @((Get-CheckpointFingerprint -Path TestDrive:/drive.txt).Parts.Values) | Should -Be (Get-FileHash TestDrive:/drive.txt).Hash
        }

        It 'is an error that names the file when it cannot be read' {
            $failure = { Get-CheckpointFingerprint -LiteralPath in/missing } | Should -Throw -PassThru -ErrorId 'FileUnreadable,Checkpoint.Commands.GetCheckpointFingerprintCommand'
            $failure.CategoryInfo.Category | Should -Be 'ReadError'
            $failure.Exception.Message | Should -BeLike '*missing*'
            { Get-CheckpointFingerprint -Path in/missing } | Should -Throw '*missing*'
            { Get-CheckpointFingerprint ([IO.FileInfo]::new("$place/in/missing")) } | Should -Throw '*missing*'
            { Get-CheckpointFingerprint -Path in/none* } | Should -Throw '*none*'
        }
    }
}
