using System.Text;

namespace Checkpoint.Tests;

public class StateCheckTests
{
    public static TheoryData<string> Good() => new(
        "null", "1", "1.5e3", "\"x\"", "[]", "[1,[2,\"a\"]]", "{}", """{"a":{"b":null}}""", """{"$int64":"5"}""", """{"$utf16":"ANg="}""", """{"$xml":"<a />"}""",
        """{"$object":{"$a":1},"types":["x",{"$utf16":"ANg="}]}""", """{"$deserialized":{"a":1,"A":2},"types":["Deserialized.X"],"text":"t","value":[1]}""",
        """{"$list<int64>":["1","2"]}""", """{"$double[]":[1.5,"NaN"]}""", """{"$byte[]":"AQI="}""", """{"$int32[,]":[1,2,3,4,5,6],"lengths":[2,3]}""", """{"$hashset<string>":["a"],"comparer":"exact"}""",
        """{"$hashtable":{"$a":1}}""", """{"$ordered":[[1,"a"],["b",2]],"comparer":"ignoreCase"}""", """{"$dictionary<string,list<int64>[]>":{"a":[{"$list<int64>":["5"]}]}}""");

    public static TheoryData<string> Bad() => new(
        "", "[", "1 2", "5000000000", """{"$nothing":"1"}""", """{"$int64":"x"}""", """{"$int64":5}""", """{"a":1,"A":2}""", """{"$object":{"a":1,"a":2}}""", """{"$object":[1]}""",
        """{"$list<>":[]}""", """{"$list<int64":["1"]}""", """{"$System.IO.FileInfo":{"a":1}}""", """{"$int32[,]":[1,2,3],"lengths":[2,2]}""", """{"$int32[,]":[1]}""", """{"$byte[]":"%"}""",
        """{"$byte[]":{"blob":[0,1]}}""", """{"$hashtable":{},"comparer":"loose"}""", """{"$ordered":[[1]]}""", """{"$xml":1}""", "{\"$" + string.Concat(Enumerable.Repeat("list<", 40)) + "int32" + new string('>', 40) + "\":[]}");

    [Theory]
    [MemberData(nameof(Good))]
    public void What_the_format_allows_passes(string document) => Check(document);

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_it_does_not_allow_is_found(string document) => Assert.Throws<InvalidDataException>(() => Check(document));

    [Theory]
    [InlineData(99, true)]
    [InlineData(150, false)]
    public void It_goes_as_deep_as_a_decoder(int levels, bool isGood)
    {
        var document = new string('[', levels) + new string(']', levels);
        if (isGood)
            Check(document);
        else
            Assert.Throws<InvalidDataException>(() => Check(document));
    }

    private static void Check(string document)
    {
        using var reader = new StateReader(new StoredState { IsSequence = false, Inline = Encoding.UTF8.GetBytes(document) }, null);
        StateCheck.Check(reader, default);
    }
}
