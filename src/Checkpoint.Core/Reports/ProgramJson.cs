using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Checkpoint;

/// <summary>
/// The JSON that is for programs, of reports and of the command line: names in camel case, times ISO 8601 in UTC, durations in seconds, sizes in bytes; a member without a value is left out.
/// </summary>
internal static class ProgramJson
{
    private static readonly JavaScriptEncoder NoCommands = Encoder();

    /// <summary>How it is written: indented, and nothing escaped that need not be.</summary>
    public static JsonWriterOptions WriterOptions => RecordFormat.WriterOptions;

    public static void Member(this Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
            json.WriteString(name, Text(text));
    }

    public static void Member(this Utf8JsonWriter json, string name, long? number)
    {
        if (number is { } value)
            json.WriteNumber(name, value);
    }

    public static void Member(this Utf8JsonWriter json, string name, DateTimeOffset time) => json.WriteString(name, time.UtcDateTime);

    public static void Member(this Utf8JsonWriter json, string name, Enum word) => json.WriteString(name, JsonNamingPolicy.CamelCase.ConvertName(word.ToString()));

    /// <summary>A text, as it stands in JSON. "##[" and "##vso[" are commands to a CI system that reads the output along, wherever they stand in a line; escaped they are the same text to a program.</summary>
    public static JsonEncodedText Text(string text) => JsonEncodedText.Encode(text, text.AsSpan().Count('#') > 1 ? NoCommands : WriterOptions.Encoder);

    /// <summary>The same of what is JSON already: outside of texts no # stands in it.</summary>
    public static string WithoutCommands(string json) => json.AsSpan().Count('#') > 1 ? json.Replace("#", "\\u0023", StringComparison.Ordinal) : json;

    private static JavaScriptEncoder Encoder()
    {
        var settings = new TextEncoderSettings(UnicodeRanges.All);
        settings.ForbidCharacter('#');
        return JavaScriptEncoder.Create(settings);
    }
}
