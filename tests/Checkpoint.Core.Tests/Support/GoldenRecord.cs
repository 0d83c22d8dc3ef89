using System.Collections.ObjectModel;
using System.Security.Cryptography;
using System.Text;

namespace Checkpoint.Tests;

/// <summary>Records of format 1, as text and as what they say, and what makes records of changed text.</summary>
internal static class GoldenRecord
{
    public const string Sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    /// <summary>A record of format 1 as it was written once. It must be read for ever, so this text never changes.</summary>
    public const string Text = """
        {
          "format": 1,
          "pipeline": "Nightly Böat",
          "run": "run №7",
          "name": "Ingest/1 \"x\" \uD83D\uDE00",
          "step": 42,
          "status": "completed",
          "savedAt": "2026-03-01T12:00:00.1234567+00:00",
          "host": "build-01",
          "user": "ops",
          "processId": 4711,
          "fingerprint": {
            "value": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "parts": {
              "config": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
              "inputs": "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13"
            }
          },
          "metadata": {
            "loss": 0.25,
            "Rows": {
              "$int64": "5"
            },
            "none": null,
            "ok": true,
            "epoch": 3,
            "note": "größer < kleiner & 'so'",
            "tags": [
              "a",
              1,
              {
                "$decimal": "1.00"
              }
            ]
          },
          "identity": {
            "model": "resnet"
          },
          "outputFiles": [
            {
              "path": "out/report.csv",
              "size": 12,
              "modifiedAt": "2026-03-01T11:59:59+00:00",
              "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
            }
          ],
          "state": {
            "sequence": false,
            "value": {"$hashtable":{"a":[1,{"$int64":"2"}]}}
          },
          "checksum": "ac56b399601d86e9741ee187436543d4b39a1085611a4f793ad3dec61cebc351"
        }

        """;

    public const string Payload = """
        {
          "format": 1,
          "pipeline": "default",
          "name": "train",
          "step": 0,
          "status": "completed",
          "savedAt": "2026-03-01T12:00:00+00:00",
          "host": "h",
          "user": "u",
          "processId": 1,
          "state": {
            "sequence": true,
            "payload": {
              "file": "0000000000.0123456789abcdef0123456789abcdef.state",
              "length": 5000000000,
              "documentLength": 17,
              "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
            }
          },
          "checksum": "2b6cde6f74de528d3cc54d890a338f89022fd7eafdf9f96736691e405e1fe906"
        }

        """;

    public static readonly string Root = OperatingSystem.IsWindows() ? @"C:\work" : "/work";

    public static OutputFile File(string path) => new(path, 12, new DateTimeOffset(2026, 3, 1, 11, 59, 59, TimeSpan.Zero), Sha256);

    public static CheckpointInfo Info(IList<OutputFile>? files = null) => new()
    {
        Store = "store",
        Location = "location",
        Pipeline = "Nightly Böat",
        Run = "run №7",
        Name = "Ingest/1 \"x\" 😀",
        Step = 42,
        SavedAt = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero).AddTicks(1_234_567),
        Host = "build-01",
        User = "ops",
        ProcessId = 4711,
        Fingerprint = new CheckpointFingerprint(Sha256, new Dictionary<string, string>
        {
            ["config"] = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
            ["inputs"] = "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13",
        }),
        Metadata = new ReadOnlyDictionary<string, object?>(new Dictionary<string, object?>
        {
            ["loss"] = 0.25,
            ["Rows"] = 5L,
            ["none"] = null,
            ["ok"] = true,
            ["epoch"] = 3,
            ["note"] = "größer < kleiner & 'so'",
            ["tags"] = new object?[] { "a", 1, 1.00m },
        }),
        Identity = new ReadOnlyDictionary<string, object?>(new Dictionary<string, object?> { ["model"] = "resnet" }),
        OutputFiles = new ReadOnlyCollection<OutputFile>(files ?? [File(Path.Join(Root, "out", "report.csv"))]),
        State = new StoredState { IsSequence = false, Inline = "{\"$hashtable\":{\"a\":[1,{\"$int64\":\"2\"}]}}"u8.ToArray() },
    };

    public static CheckpointInfo PayloadInfo() => new()
    {
        Store = "store",
        Location = "location",
        Pipeline = "default",
        Name = "train",
        Step = 0,
        SavedAt = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero),
        Host = "h",
        User = "u",
        ProcessId = 1,
        State = new StoredState
        {
            IsSequence = true,
            Payload = "0000000000.0123456789abcdef0123456789abcdef.state",
            PayloadLength = 5_000_000_000,
            DocumentLength = 17,
            Sha256 = Convert.FromHexString(Sha256),
        },
    };

    public static CheckpointInfo Parse(ReadOnlyMemory<byte> bytes) => RecordFormat.Parse(bytes, Root, "store", "location");

    public static string Body(string text) => text.ReplaceLineEndings("\n")[..text.ReplaceLineEndings("\n").LastIndexOf(",\n  \"checksum\"", StringComparison.Ordinal)];

    public static string Checksum(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Body(text))));

    /// <summary>The record with its checksum, or another one.</summary>
    public static byte[] Bytes(string text, string? checksum = null) => Encoding.UTF8.GetBytes(Body(text) + ",\n  \"checksum\": \"" + (checksum ?? Checksum(text)) + "\"\n}\n");

    public static byte[] Sign(byte[] body) => [.. body, .. Encoding.UTF8.GetBytes(",\n  \"checksum\": \"" + Convert.ToHexStringLower(SHA256.HashData(body)) + "\"\n}\n")];
}
