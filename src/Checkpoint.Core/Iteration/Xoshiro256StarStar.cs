using System.Numerics;

namespace Checkpoint;

/// <summary>
/// The generator xoshiro256** 1.0, seeded by SplitMix64: 64 random bits a call, the same on every machine and version of .NET, with a state of 256 bits that can be saved.
/// Not for secrets. Source: D. Blackman, S. Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM Transactions on Mathematical Software 47 (2021),
/// https://prng.di.unimi.it/xoshiro256starstar.c and https://prng.di.unimi.it/splitmix64.c.
/// </summary>
internal sealed class Xoshiro256StarStar
{
    /// <summary>The name of the generator in a saved state.</summary>
    public const string Name = "xoshiro256**";

    private const int Words = 4;

    private ulong _s0;
    private ulong _s1;
    private ulong _s2;
    private ulong _s3;

    public Xoshiro256StarStar(ulong seed)
    {
        var mixed = seed;
        (_s0, _s1, _s2, _s3) = (SplitMix64(ref mixed), SplitMix64(ref mixed), SplitMix64(ref mixed), SplitMix64(ref mixed));
    }

    /// <param name="state">What <see cref="GetState"/> gave.</param>
    /// <exception cref="ArgumentException">It is not four words, or all are 0, which would stay 0 for ever.</exception>
    public Xoshiro256StarStar(ReadOnlySpan<ulong> state)
    {
        if (state.Length != Words || !state.ContainsAnyExcept(0ul))
            throw new InvalidArgumentException($"The state of {Name} is {Words} words that are not all 0.");
        (_s0, _s1, _s2, _s3) = (state[0], state[1], state[2], state[3]);
    }

    public ulong[] GetState() => [_s0, _s1, _s2, _s3];

    public ulong Next()
    {
        var result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        var shifted = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= shifted;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>
    /// A number from 0 up to, not including, <paramref name="bound"/>, each as likely as any other: the high word of a product, where products that would favour a number are
    /// passed over. Source: D. Lemire, "Fast Random Integer Generation in an Interval", ACM Transactions on Modeling and Computer Simulation 29 (2019), algorithm 5.
    /// </summary>
    /// <param name="bound">Above 0.</param>
    public ulong NextBelow(ulong bound)
    {
        var high = Math.BigMul(Next(), bound, out var low);
        if (low < bound)
        {
            var threshold = unchecked(0 - bound) % bound;
            while (low < threshold)
                high = Math.BigMul(Next(), bound, out low);
        }
        return high;
    }

    /// <summary>Every order as likely as any other, as far as 256 bits of state tell orders apart. Source: R. Durstenfeld, "Algorithm 235: Random permutation", CACM 7 (1964).</summary>
    public void Shuffle(Span<int> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = (int)NextBelow((ulong)i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>The next number of SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).</summary>
    internal static ulong SplitMix64(ref ulong state)
    {
        var z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
