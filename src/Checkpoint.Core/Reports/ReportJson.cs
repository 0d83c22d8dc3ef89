using System.Text.Json;
using System.Text.Json.Serialization;

namespace Checkpoint;

/// <summary>A report as JSON, which is also what the page shows: times ISO 8601 in UTC, durations in seconds, sizes in bytes; a member without a value is left out. docs/reports.md describes it.</summary>
internal static class ReportJson
{
    // As it is by default, everything but plain ASCII text is escaped, so that it can stand within a page: neither "<" nor a quote is in it.
    private static readonly JsonSerializerOptions Compact = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly JsonSerializerOptions Indented = new(Compact) { WriteIndented = true };

    /// <summary>For programs and people.</summary>
    public static ValueTask WriteAsync(CheckpointReport report, Stream output, CancellationToken cancellation) =>
        new(JsonSerializer.SerializeAsync(output, report, Indented, cancellation));

    /// <summary>For a page.</summary>
    public static byte[] Serialize<T>(T part) => JsonSerializer.SerializeToUtf8Bytes(part, Compact);
}
