using System.Collections.ObjectModel;
using System.CommandLine;
using System.Text;
using System.Text.Json;

namespace Checkpoint.Cli;

/// <summary>The small facts that are saved with a checkpoint.</summary>
internal sealed class MetadataOptions
{
    private readonly Option<string[]> _texts = Inputs.Many("--metadata", "name=text", "A fact to be saved beside the state. May stand several times.");
    private readonly Option<string> _json = Inputs.Text("--metadata-json", "json", "Facts as a JSON object, where numbers are numbers: '{\"loss\":0.25}'.");

    public IEnumerable<Option> All => [_texts, _json];

    public ReadOnlyDictionary<string, object?> Of(Call call)
    {
        var facts = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        if (call.Get(_json) is { } json)
            AddJson(facts, json);
        foreach (var text in call.Get(_texts) ?? [])
        {
            var at = text.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
                throw new InvalidArgumentException($"--metadata takes name=text, and '{text}' is not so.");
            Add(facts, text[..at], text[(at + 1)..]);
        }
        return facts.Count == 0 ? CheckpointInfo.NoMetadata : facts.AsReadOnly();
    }

    private static void AddJson(Dictionary<string, object?> facts, string json)
    {
        try
        {
            using var document = JsonDocument.Parse(Encoding.UTF8.GetBytes(json));
            foreach (var member in document.RootElement.EnumerateObject())
                Add(facts, member.Name, member.Value.ValueKind == JsonValueKind.Array ? member.Value.EnumerateArray().Select(Fact).ToList().AsReadOnly() : Fact(member.Value));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidArgumentException($"--metadata-json takes a JSON object of texts, numbers, true, false, null and lists of these, and this is none: {e.Message}");
        }
    }

    private static object? Fact(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null => null,
        JsonValueKind.Number => value.TryGetInt64(out var number) ? number : value.GetDouble(),
        _ => throw new JsonException("An object within it belongs into the state."),
    };

    private static void Add(Dictionary<string, object?> facts, string name, object? value)
    {
        if (!facts.TryAdd(name, value))
            throw new InvalidArgumentException($"The fact '{name}' stands twice, where case does not count.");
    }
}
