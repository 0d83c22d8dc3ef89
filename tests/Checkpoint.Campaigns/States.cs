using System.Collections;
using System.Collections.Specialized;
using System.Management.Automation;
using System.Numerics;
using System.Security;
using FsCheck;
using FsCheck.Fluent;

namespace Checkpoint.Campaigns;

/// <summary>States of every type that comes back exactly, in any nesting.</summary>
internal static class States
{
    private static readonly string[] Pieces = ["a", "B", "$int64", "$", " ", "", "\0", "\n", "\"", "\\", "é", "e\u0301", "😀", "\ud800", "\udc00", "\ufeff", "\ufffe", "2026-01-02T03:04:05Z", "{}", "null", "1e5"];

    private static readonly Uri[] Uris =
    [
        new("https://ex.org:8443/a%20b/ü?q=1#f", UriKind.Absolute), new("mailto:a@example.org", UriKind.Absolute), new("file:///tmp/a", UriKind.Absolute), new("a/../b?c#d", UriKind.Relative),
        new("", UriKind.Relative), new("//host/b", UriKind.Relative),
    ];

    private static readonly Gen<int> Int = Gen.OneOf(Gen.Choose(int.MinValue, int.MaxValue), Gen.Choose(-3, 300), Gen.Elements(int.MinValue, int.MaxValue, short.MinValue, ushort.MaxValue));

    private static readonly Gen<ulong> Bits = from high in Int from low in Int from isSmall in Gen.Choose(0, 3) select isSmall == 0 ? (ulong)(uint)low : ((ulong)(uint)high << 32) | (uint)low;

    private static readonly Gen<string> Text = from pieces in Gen.Elements(Pieces).ListOf() from isLong in Gen.Choose(0, 60) select string.Concat(pieces) + (isLong == 0 ? new string('ä', 17_000) : "");

    private static readonly Gen<DateTime> Time = from bits in Bits from kind in Gen.Choose(0, 2) select new DateTime((long)(bits % (ulong)DateTime.MaxValue.Ticks), (DateTimeKind)kind);

    private static readonly Gen<object?> Scalar = Gen.OneOf(
        Gen.Constant<object?>(null), Text.Select(Box), Int.Select(Box),
        Of(b => b % 2 == 0), Of(b => (byte)b), Of(b => (sbyte)b), Of(b => (short)b), Of(b => (ushort)b), Of(b => (uint)b), Of(b => (long)b), Of(b => b), Of(b => (nint)(long)b), Of(b => (nuint)b), Of(b => (char)b),
        Of(b => BitConverter.UInt16BitsToHalf((ushort)b)), Of(b => BitConverter.UInt32BitsToSingle((uint)b)), Of(BitConverter.UInt64BitsToDouble), Of(b => (double)(long)b / 8),
        Gen.Elements<object?>(double.NaN, double.NegativeInfinity, -0.0, float.NaN, -0f, Half.NaN, double.Epsilon),
        Of(b => new TimeSpan((long)b)), Of(b => DateOnly.FromDayNumber((int)(b % (ulong)DateOnly.MaxValue.DayNumber))), Of(b => new TimeOnly((long)(b % (ulong)TimeOnly.MaxValue.Ticks))), Time.Select(Box),
        from time in Time from minutes in Gen.Choose(-840, 840) select Box(new DateTimeOffset(Math.Clamp(time.Ticks, TimeSpan.TicksPerDay, DateTime.MaxValue.Ticks - TimeSpan.TicksPerDay), TimeSpan.FromMinutes(minutes))),
        from high in Bits from low in Bits select Box(new Int128(high, low)), from high in Bits from low in Bits select Box(new UInt128(high, low)),
        from high in Bits from low in Bits from power in Gen.Choose(0, 40) select Box(((BigInteger)(long)high << power) + low), Bits.Select(b => Box(new Guid((int)b, (short)(b >> 32), (short)(b >> 48), 1, 2, 3, 4, 5, 6, 7, (byte)b))),
        from a in Int from b in Int from c in Int from scale in Gen.Choose(0, 28) select Box(new decimal(a, b, c, a % 2 == 0, (byte)scale)),
        Gen.Elements(Uris).Select(Box), from parts in Gen.Choose(0, int.MaxValue).ArrayOf(4) from n in Gen.Choose(2, 4) select Box(n == 2 ? new Version(parts[0], parts[1]) : n == 3 ? new Version(parts[0], parts[1], parts[2]) : new Version(parts[0], parts[1], parts[2], parts[3])));

    private static readonly Gen<object> Key = Gen.OneOf(Text.Where(t => t.Length < 1000).Select(t => (object)t), Int.Select(i => (object)i), Bits.Select(b => (object)(long)b), Bits.Select(b => (object)new Guid((int)b, 0, 0, new byte[8])));

    private static readonly Gen<StringComparer?> Comparer = Gen.Elements(null, StringComparer.Ordinal, StringComparer.OrdinalIgnoreCase);

    // Long ones lie in blobs.
    private static readonly Gen<object?> Primitives = Gen.OneOf(
        Vector(b => (byte)b), Vector(b => (sbyte)b), Vector(b => b % 2 == 0), Vector(b => (char)b), Vector(b => (short)b), Vector(b => (ushort)b), Vector(b => (int)b), Vector(b => (uint)b), Vector(b => (long)b), Vector(b => b),
        Vector(b => (nint)(long)b), Vector(b => (nuint)b), Vector(BitConverter.UInt64BitsToDouble), Vector(b => BitConverter.UInt32BitsToSingle((uint)b)), Vector(b => BitConverter.UInt16BitsToHalf((ushort)b)), Vector(b => (decimal)b), Vector(b => new Int128(b, b)),
        Vector(b => new UInt128(b, ~b)), Vector(b => new BigInteger(b)), Vector(b => new Guid((int)b, (short)b, 0, new byte[8])), Vector(b => DateOnly.FromDayNumber((int)(b % (ulong)DateOnly.MaxValue.DayNumber))),
        Time.ListOf().Select(t => Box(t.ToArray())), Time.ListOf().Select(t => Box(t.ToList())), Bits.ListOf().Select(b => Box(b.Select(BitConverter.UInt64BitsToDouble).ToList())),
        Vector(b => new TimeSpan((long)b)), Text.ListOf().Select(t => Box(t.ToArray())), Text.ListOf().Select(t => Box(t.ToList())), Int.ListOf().Select(i => Box(i.ToList())), Int.ListOf().Select(i => Box(new Queue<int>(i))), Text.ListOf().Select(t => Box(new Stack<string>(t))),
        from texts in Text.Where(t => t.Length < 1000).ListOf() from comparer in Gen.Elements(StringComparer.Ordinal, StringComparer.OrdinalIgnoreCase) select Box(new HashSet<string>(texts, comparer)));

    private static readonly Gen<SecureString> Secret = Text.Where(t => t.Length <= 1000).Select(Secure);

    // What is saved only with a key.
    private static readonly Gen<object?> Secrets = Gen.OneOf(Secret.Select(Box), from user in Text.Where(t => t.Trim().Length > 0 && t.Length < 1000) from secret in Secret select Box(new PSCredential(user, secret)), Gen.Constant<object?>(PSCredential.Empty));

    public static Arbitrary<object?> All { get; } = Arb.From(Gen.Sized(size => State(Gen.OneOf(Scalar, Primitives), Math.Min(size, 60))), Shrink);

    /// <summary>These and secrets among them.</summary>
    public static Arbitrary<object?> WithSecrets { get; } = Arb.From(Gen.Sized(size => State(Gen.Frequency((2, Scalar), (1, Primitives), (1, Secrets)), Math.Min(size, 60))), Shrink);

    private static Gen<object?> State(Gen<object?> leaf, int size) => size < 2 ? leaf : Gen.Frequency((5, leaf), (5, Container(State(leaf, size / 4))));

    private static Gen<object?> Container(Gen<object?> item) => Gen.OneOf(
        item.ListOf().Select(i => Box(i.ToArray())), item.ListOf().Select(i => Box(i.ToList())), item.ListOf().Select(i => Box(new ArrayList(i.ToList()))),
        from pairs in Pairs(Key, item) from comparer in Comparer select Box(Fill(new Hashtable(comparer), pairs)),
        from pairs in Pairs(Key, item) from comparer in Comparer select Box(Fill(new OrderedDictionary(comparer), pairs)),
        from pairs in Pairs(Text.Where(t => t.Length < 1000), item) from comparer in Gen.Elements(StringComparer.Ordinal, StringComparer.OrdinalIgnoreCase) select Box(Fill(new Dictionary<string, object?>(comparer), pairs)),
        // A property's name is text that can be read: half of a surrogate pair is an error that says so.
        Pairs(Text.Where(t => t.Trim().Length > 0 && t.Length < 1000 && !t.Any(char.IsSurrogate)), item).Select(pairs => Box(New(pairs))),
        from a in item from b in item select Box(new object?[1, 2] { { a, b } }));

    /// <summary>What is smaller, and may fail in the same way: what lies inside, and the same without an item.</summary>
    private static IEnumerable<object?> Shrink(object? state)
    {
        switch (state)
        {
            case object?[] items:
                foreach (var item in items)
                    yield return item;
                for (var i = 0; i < items.Length; i++)
                    yield return items.Where((_, n) => n != i).ToArray();
                break;
            case List<object?> items:
                foreach (var item in items)
                    yield return item;
                for (var i = 0; i < items.Count; i++)
                    yield return items.Where((_, n) => n != i).ToList();
                break;
            case IDictionary table:
                foreach (var value in table.Values)
                    yield return value;
                break;
            case PSObject bag:
                foreach (var property in bag.Properties)
                    yield return property.Value;
                break;
            case string { Length: > 1 } text:
                yield return text[..(text.Length / 2)];
                yield return text[(text.Length / 2)..];
                break;
        }
    }

    private static SecureString Secure(string text)
    {
        var secret = new SecureString();
        foreach (var c in text)
            secret.AppendChar(c);
        return secret;
    }

    private static object? Box<T>(T value) => value;

    private static Gen<object?> Of<T>(Func<ulong, T> make) => Bits.Select(bits => Box(make(bits)));

    private static Gen<object?> Vector<T>(Func<ulong, T> make) =>
        from items in Bits.ListOf() from isLong in Gen.Choose(0, 30) select Box((isLong == 0 ? Enumerable.Repeat(items, 2 + (20_000 / (items.Count + 1))).SelectMany(i => i) : items).Select(make).ToArray());

    private static Gen<List<(TKey Key, object? Value)>> Pairs<TKey>(Gen<TKey> key, Gen<object?> value) => (from k in key from v in value select (k, v)).ListOf().Select(pairs => pairs.ToList());

    private static IDictionary Fill<TKey>(IDictionary table, List<(TKey Key, object? Value)> pairs)
    {
        foreach (var (key, value) in pairs)
            table[key!] = value;
        return table;
    }

    private static PSObject New(List<(string Key, object? Value)> pairs)
    {
        var bag = new PSObject();
        foreach (var (key, value) in pairs.DistinctBy(p => p.Key, StringComparer.OrdinalIgnoreCase))
            bag.Properties.Add(new PSNoteProperty(key, value));
        return bag;
    }
}
