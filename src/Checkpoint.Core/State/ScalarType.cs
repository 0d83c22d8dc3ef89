using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Checkpoint;

/// <summary>A single-valued type that state and metadata keep exactly: its name in the JSON dialect and its two conversions.</summary>
/// <remarks>docs/format.md lists the same table.</remarks>
internal abstract class ScalarType
{
    // What a text is as a URI without its kind, differs from system to system: /tmp/x is a file on one and relative on another.
    private const string AbsoluteMark = "absolute:";
    private const string RelativeMark = "relative:";

    // As long as the texts that it makes.
    private const string WallClock = "yyyy-MM-ddTHH:mm:ss.fffffff";

    private const int MaxPieceBytes = 1 << 30;

    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    private const string NaNText = "NaN";
    private const string NaNMark = "NaN:";

    private static readonly ScalarType[] All =
    [
        new Of<bool>("bool", v => v ? "true" : "false", bool.Parse, true),
        new Of<byte>("byte", v => v.ToString(Culture), t => byte.Parse(t, NumberStyles.None, Culture), true),
        new Of<sbyte>("sbyte", v => v.ToString(Culture), t => sbyte.Parse(t, NumberStyles.AllowLeadingSign, Culture), true),
        new Of<short>("int16", v => v.ToString(Culture), t => short.Parse(t, NumberStyles.AllowLeadingSign, Culture), true),
        new Of<ushort>("uint16", v => v.ToString(Culture), t => ushort.Parse(t, NumberStyles.None, Culture), true),
        new Of<int>("int32", v => v.ToString(Culture), t => int.Parse(t, NumberStyles.AllowLeadingSign, Culture), true),
        new Of<uint>("uint32", v => v.ToString(Culture), t => uint.Parse(t, NumberStyles.None, Culture), true),
        new Of<long>("int64", v => v.ToString(Culture), t => long.Parse(t, NumberStyles.AllowLeadingSign, Culture), true),
        new Of<ulong>("uint64", v => v.ToString(Culture), t => ulong.Parse(t, NumberStyles.None, Culture), true),
        new Of<Int128>("int128", v => v.ToString(Culture), t => Int128.Parse(t, NumberStyles.AllowLeadingSign, Culture)),
        new Of<UInt128>("uint128", v => v.ToString(Culture), t => UInt128.Parse(t, NumberStyles.None, Culture)),
        new Of<nint>("nint", v => v.ToString(Culture), t => nint.Parse(t, NumberStyles.AllowLeadingSign, Culture)),
        new Of<nuint>("nuint", v => v.ToString(Culture), t => nuint.Parse(t, NumberStyles.None, Culture)),
        new Of<Half>("half", v => Half.IsNaN(v) ? NaN(BitConverter.HalfToUInt16Bits(v), BitConverter.HalfToUInt16Bits(Half.NaN), 4) : v.ToString("R", Culture), t => NaNBits(t) is { } bits ? BitConverter.UInt16BitsToHalf(checked((ushort)bits)) : Half.Parse(t, NumberStyles.Float, Culture), true),
        new Of<float>("single", v => float.IsNaN(v) ? NaN(BitConverter.SingleToUInt32Bits(v), BitConverter.SingleToUInt32Bits(float.NaN), 8) : v.ToString("R", Culture), t => NaNBits(t) is { } bits ? BitConverter.UInt32BitsToSingle(checked((uint)bits)) : float.Parse(t, NumberStyles.Float, Culture), true),
        new Of<double>("double", v => double.IsNaN(v) ? NaN(BitConverter.DoubleToUInt64Bits(v), BitConverter.DoubleToUInt64Bits(double.NaN), 16) : v.ToString("R", Culture), t => NaNBits(t) is { } bits ? BitConverter.UInt64BitsToDouble(bits) : double.Parse(t, NumberStyles.Float, Culture), true),
        new Of<decimal>("decimal", v => decimal.IsNegative(v) && v == 0 ? "-" + Math.Abs(v).ToString(Culture) : v.ToString(Culture), t => decimal.Parse(t, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, Culture)),
        new Of<BigInteger>("bigint", v => v.ToString(Culture), t => BigInteger.Parse(t, NumberStyles.AllowLeadingSign, Culture)),
        new Of<char>("char", v => ((int)v).ToString(Culture), t => (char)ushort.Parse(t, NumberStyles.None, Culture), true),
        new Of<DateTime>("datetime", v => v.ToString("O", Culture), ParseDateTime),
        new Of<DateTimeOffset>("datetimeoffset", v => v.ToString("O", Culture), t => DateTimeOffset.ParseExact(t, "O", Culture)),
        new Of<TimeSpan>("timespan", v => v.ToString("c", Culture), t => TimeSpan.ParseExact(t, "c", Culture)),
        new Of<DateOnly>("date", v => v.ToString("O", Culture), t => DateOnly.ParseExact(t, "O", Culture)),
        new Of<TimeOnly>("time", v => v.ToString("O", Culture), t => TimeOnly.ParseExact(t, "O", Culture)),
        new Of<Guid>("guid", v => v.ToString("D", Culture), t => Guid.ParseExact(t, "D")),
        new Of<Uri>("uri", v => (v.IsAbsoluteUri ? AbsoluteMark : RelativeMark) + v.OriginalString, ParseUri),
        new Of<Version>("version", v => v.ToString(), Version.Parse),
        new Of<string>("string", v => v, t => t),
    ];

    private static readonly Dictionary<Type, ScalarType> ByType = All.ToDictionary(s => s.Type);
    private static readonly Dictionary<string, ScalarType> ByName = All.ToDictionary(s => s.Name, StringComparer.Ordinal);

    private ScalarType(string name, Type type)
    {
        Name = name;
        Type = type;
    }

    /// <summary>The type's name in the dialect, such as <c>int64</c>; with a <c>$</c> before it, its tag.</summary>
    public string Name { get; }

    public Type Type { get; }

    /// <summary>The bytes of one element where arrays of the type can be kept as little-endian memory; else 0.</summary>
    public int BlobElementSize { get; private init; }

    public static ScalarType? For(Type type) => ByType.GetValueOrDefault(type);

    public static ScalarType? Named(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The value as text, the same on every system.</summary>
    public abstract string ToText(object value);

    /// <summary>The value that <see cref="ToText"/> wrote.</summary>
    /// <exception cref="JsonException">The text is no such value.</exception>
    public object Parse(string text)
    {
        try
        {
            return ParseCore(text);
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            throw new JsonException($"'{text}' is no {Name}", e);
        }
    }

    /// <summary>An array of the type.</summary>
    public abstract Array NewArray(int length);

    /// <summary>The memory of an array of the type, in pieces that a span can address; only where <see cref="BlobElementSize"/> is not 0.</summary>
    public abstract IEnumerable<Memory<byte>> AsBytes(Array array);

    protected abstract object ParseCore(string text);

    // There are many NaNs: their sign and payload are kept where they are not those of the type's own.
    private static string NaN(ulong bits, ulong own, int digits) => bits == own ? NaNText : NaNMark + bits.ToString("x" + digits.ToString(Culture), Culture);

    private static ulong? NaNBits(string text) =>
        text.StartsWith(NaNMark, StringComparison.Ordinal) ? ulong.Parse(text.AsSpan(NaNMark.Length), NumberStyles.AllowHexSpecifier, Culture) : null;

    // Round-trip format, but the wall clock of a local time counts where this machine's zone agrees on the offset: a time that a change to summer time
    // skips would be moved otherwise, and one at the end of the calendar has no UTC.
    private static DateTime ParseDateTime(string text)
    {
        var wall = DateTime.ParseExact(text.AsSpan(0, Math.Min(text.Length, WallClock.Length)), WallClock, Culture);
        var zone = text.AsSpan(WallClock.Length);
        if (zone.IsEmpty)
            return wall;
        if (zone is "Z")
            return DateTime.SpecifyKind(wall, DateTimeKind.Utc);
        var offset = TimeSpan.ParseExact(zone[1..], @"hh\:mm", Culture);
        offset = zone[0] switch { '+' => offset, '-' => -offset, _ => throw new FormatException("An offset has a sign.") };
        var local = DateTime.SpecifyKind(wall, DateTimeKind.Local);
        return TimeZoneInfo.Local.GetUtcOffset(local) == offset ? local
            : new DateTime(Math.Clamp(wall.Ticks - offset.Ticks, 0, DateTime.MaxValue.Ticks), DateTimeKind.Utc).ToLocalTime();
    }

    private static Uri ParseUri(string text) =>
        text.StartsWith(RelativeMark, StringComparison.Ordinal) ? new Uri(text[RelativeMark.Length..], UriKind.Relative)
        : !text.StartsWith(AbsoluteMark, StringComparison.Ordinal) ? throw new FormatException("A URI begins with its kind.")
        : Uri.TryCreate(text[AbsoluteMark.Length..], UriKind.Absolute, out var uri) ? uri
        : new Uri("file://" + text[AbsoluteMark.Length..], UriKind.Absolute); // A path of Unix, read on Windows.

    private sealed class Of<T> : ScalarType
        where T : notnull
    {
        private readonly Func<T, string> _toText;
        private readonly Func<string, T> _parse;

        public Of(string name, Func<T, string> toText, Func<string, T> parse, bool blob = false)
            : base(name, typeof(T))
        {
            _toText = toText;
            _parse = parse;
            // On a big-endian machine long arrays of more than bytes go into the document instead.
            BlobElementSize = blob && (BitConverter.IsLittleEndian || Unsafe.SizeOf<T>() == 1) ? Unsafe.SizeOf<T>() : 0;
        }

        public override string ToText(object value) => _toText((T)value);

        public override Array NewArray(int length) => new T[length];

        public override IEnumerable<Memory<byte>> AsBytes(Array array)
        {
            var piece = MaxPieceBytes / Unsafe.SizeOf<T>();
            for (var start = 0L; start < array.Length; start += piece)
                yield return new ArrayMemory<T>((T[])array, (int)start, (int)Math.Min(piece, array.Length - start)).Memory;
        }

        protected override object ParseCore(string text) => _parse(text);
    }
}
