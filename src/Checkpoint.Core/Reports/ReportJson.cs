using System.Text.Json;
using System.Text.Json.Serialization;

namespace Checkpoint;

/// <summary>A report as <see cref="ProgramJson"/>, which is also what the page shows. docs/reports.md describes it.</summary>
internal static class ReportJson
{
    // As it is by default, everything but plain ASCII text is escaped, so that it can stand within a page: neither "<" nor a quote is in it.
    private static readonly JsonSerializerOptions Compact = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase), new TimeConverter() },
    };

    private static readonly JsonSerializerOptions Indented = new(Compact) { WriteIndented = true, Encoder = ProgramJson.WriterOptions.Encoder, Converters = { new TextConverter() } };

    /// <summary>For programs and people.</summary>
    public static ValueTask WriteAsync(CheckpointReport report, Stream output, CancellationToken cancellation) =>
        new(JsonSerializer.SerializeAsync(output, report, Indented, cancellation));

    /// <summary>For a page.</summary>
    public static byte[] Serialize<T>(T part) => JsonSerializer.SerializeToUtf8Bytes(part, Compact);

    private sealed class TimeConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(value.UtcDateTime);
    }

    private sealed class TextConverter : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(ProgramJson.Text(value));
    }
}
