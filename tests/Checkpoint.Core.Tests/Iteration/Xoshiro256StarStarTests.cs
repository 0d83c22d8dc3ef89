using Xunit.Abstractions;

namespace Checkpoint.Tests;

public sealed class Xoshiro256StarStarTests(ITestOutputHelper output)
{
    // Made with the authors' xoshiro256starstar.c; published as the test "reference" of the crate rand_xoshiro.
    [Fact]
    public void Gives_the_reference_vector_of_its_authors()
    {
        var random = new Xoshiro256StarStar([1, 2, 3, 4]);
        ulong[] expected =
        [
            11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600, 16172922978634559625, 8476171486693032832, 10595114339597558777, 2904607092377533576,
        ];
        Assert.Equal(expected, expected.Select(_ => random.Next()));
    }

    // PHP's Random\Engine\Xoshiro256StarStar, test "seed": the 1,001st number, printed as its bytes from the lowest.
    [Fact]
    public void Gives_what_another_implementation_gives_after_a_thousand_numbers()
    {
        const ulong Word = 0x0807060504030201;
        var random = new Xoshiro256StarStar([Word, Word, Word, Word]);
        for (var i = 0; i < 1000; i++)
            random.Next();
        Assert.Equal(0xd1cf0093df25a090, random.Next());
    }

    // Made with the authors' splitmix64.c; the first of the test "reference" of rand_xoshiro.
    [Fact]
    public void SplitMix64_gives_the_reference_vector_of_its_author()
    {
        var state = 1477776061723855037ul;
        ulong[] expected =
        [
            1985237415132408290, 2979275885539914483, 13511426838097143398, 8488337342461049707, 15141737807933549159, 17093170987380407015, 16389528042912955399,
            13177319091862933652, 10841969400225389492, 17094824097954834098, 3336622647361835228, 9678412372263018368,
        ];
        Assert.Equal(expected, expected.Select(_ => Xoshiro256StarStar.SplitMix64(ref state)));
    }

    // PHP's engine seeded with 1234, test "The serialization output must be stable".
    [Fact]
    public void Is_seeded_by_SplitMix64_as_its_authors_advise() =>
        Assert.Equal([0xbb0cf61b2f181cdb, 0x97c7a1364df06524, 0x33befae49bc025da, 0x4e6241f252d0a033], new Xoshiro256StarStar(1234).GetState());

    [Fact]
    public void Goes_on_from_a_saved_state()
    {
        var random = new Xoshiro256StarStar((ulong)Seeds.New(output).NextInt64());
        random.Next();
        var again = new Xoshiro256StarStar(random.GetState());
        for (var i = 0; i < 100; i++)
            Assert.Equal(random.Next(), again.Next());
    }

    [Fact]
    public void Takes_no_state_that_it_cannot_have()
    {
        ulong[][] states = [[0, 0, 0, 0], [], [1, 2, 3], [1, 2, 3, 4, 5]];
        foreach (var state in states)
            Assert.Throws<InvalidArgumentException>(() => new Xoshiro256StarStar(state));
    }

    // The rule in exact arithmetic: of the 2^64 products, those whose low word is below 2^64 mod bound are passed over. Then each number has as many products as any other.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(int.MaxValue)]
    [InlineData((1ul << 63) + 1)] // Half of all products are passed over.
    [InlineData(ulong.MaxValue / 3 * 2 + 1)]
    [InlineData(ulong.MaxValue)]
    public void Bounded_numbers_follow_Lemires_rule(ulong bound)
    {
        var seed = (ulong)Seeds.New(output).NextInt64();
        var (random, plain) = (new Xoshiro256StarStar(seed), new Xoshiro256StarStar(seed));
        var passedOver = (UInt128.One << 64) % bound;
        for (var i = 0; i < 1000; i++)
        {
            UInt128 product;
            do
            {
                product = (UInt128)plain.Next() * bound;
            }
            while ((ulong)product < passedOver);
            Assert.Equal((ulong)(product >> 64), random.NextBelow(bound));
        }
        Assert.Equal(plain.GetState(), random.GetState());
    }

    [Fact]
    public void Every_order_of_four_is_drawn_as_often_as_any_other()
    {
        var random = new Xoshiro256StarStar(7);
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < 24_000; i++)
        {
            int[] items = [0, 1, 2, 3];
            random.Shuffle(items);
            counts[string.Concat(items)] = counts.GetValueOrDefault(string.Concat(items)) + 1;
        }
        Assert.Equal(24, counts.Count);
        // Chi-squared with 23 degrees of freedom exceeds 49.7 once in a thousand seeds; this seed is fixed.
        Assert.InRange(counts.Values.Sum(c => Math.Pow(c - 1000, 2) / 1000), 0, 49.7);
    }

    // Computed apart from this code, from the published definitions.
    [Theory]
    [InlineData(42L, "0 19 3 18 5 4 8 17 2 13 6 9 14 10 11 16 15 12 7 1")]
    [InlineData(-1L, "13 4 16 8 18 1 19 3 0 2 6 7 15 5 10 17 12 9 14 11")]
    public void A_seed_gives_this_order_on_every_system(long seed, string order)
    {
        var items = Enumerable.Range(0, 20).ToArray();
        new Xoshiro256StarStar((ulong)seed).Shuffle(items);
        Assert.Equal(order, string.Join(' ', items));
    }
}
