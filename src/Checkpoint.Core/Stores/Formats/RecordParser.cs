using System.Collections.ObjectModel;
using System.Text.Json;

namespace Checkpoint;

/// <summary>Reads the JSON of a record whose checksum is known to be right. Members it does not know are passed over.</summary>
internal sealed class RecordParser(string outputRoot, string store, string location)
{
    private string? _pipeline, _run, _name, _host, _user;
    private long? _step;
    private int _processId;
    private DateTimeOffset? _savedAt;
    private bool _completed;
    private CheckpointFingerprint? _fingerprint;
    private ReadOnlyDictionary<string, object?>? _metadata, _identity;
    private ReadOnlyCollection<OutputFile>? _outputFiles;
    private Envelope? _encryption;
    private StoredState? _state;
    private bool _isSealed;

    public CheckpointInfo Parse(ReadOnlyMemory<byte> bytes, int bodyLength)
    {
        var json = new Utf8JsonReader(bytes.Span, RecordFormat.ReaderOptions);
        Expect(json.Read() && json.TokenType == JsonTokenType.StartObject, "an object");
        Expect(json.Read() && json.ValueTextEquals("format"u8) && json.Read(), "the member 'format' first");
        var version = json.GetInt64();
        if (version > RecordFormat.Version)
            throw new RecordTooNewException(version);
        Expect(version == RecordFormat.Version, "a known format");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName && json.TokenStartIndex < bodyLength)
            ReadMember(ref json, bytes);
        Expect(_completed, "a known status");
        // Nothing encrypted may be taken for plain, nor the other way round.
        Expect(_state is null || _state.Payload is not null || _isSealed == _encryption is not null, "a state as the encryption says");
        if (_encryption is not null && _state is not null)
            Expect(_encryption.DocumentLength >= 0 && _encryption.DocumentLength <= ChunkCipher.PlainLength(_state.Size), "a document within its state");
        return new CheckpointInfo
        {
            Store = store,
            Location = location,
            Revision = SealedJson.ChecksumOf(bytes.Span),
            Pipeline = Required(_pipeline, "pipeline"),
            Run = _run,
            Name = Required(_name, "name"),
            Step = Required(_step, "step"),
            SavedAt = Required(_savedAt, "savedAt"),
            Host = _host ?? "",
            User = _user ?? "",
            ProcessId = _processId,
            Fingerprint = _fingerprint,
            Metadata = _metadata ?? CheckpointInfo.NoMetadata,
            Identity = _identity,
            OutputFiles = _outputFiles ?? ReadOnlyCollection<OutputFile>.Empty,
            Encryption = _encryption,
            State = _state,
        };
    }

    private void ReadMember(ref Utf8JsonReader json, ReadOnlyMemory<byte> bytes)
    {
        switch (MemberName(ref json))
        {
            case "pipeline":
                _pipeline = json.GetString();
                break;
            case "run":
                _run = json.GetString();
                break;
            case "name":
                _name = json.GetString();
                break;
            case "step":
                _step = json.GetInt64();
                break;
            case "status":
                _completed = json.ValueTextEquals("completed"u8);
                break;
            case "savedAt":
                _savedAt = json.GetDateTimeOffset().ToUniversalTime();
                break;
            case "host":
                _host = json.GetString();
                break;
            case "user":
                _user = json.GetString();
                break;
            case "processId":
                _processId = json.GetInt32();
                break;
            case "fingerprint":
                _fingerprint = ReadFingerprint(ref json);
                break;
            case "metadata":
                _metadata = ScalarJson.ReadFacts(ref json);
                break;
            case "identity":
                _identity = ScalarJson.ReadFacts(ref json);
                break;
            case "outputFiles":
                _outputFiles = ReadOutputFiles(ref json);
                break;
            case "encryption":
                _encryption = Envelope.Parse(JsonElement.ParseValue(ref json));
                break;
            case "state":
                _state = ReadState(ref json, bytes);
                break;
            default:
                json.Skip();
                break;
        }
    }

    private static CheckpointFingerprint ReadFingerprint(ref Utf8JsonReader json)
    {
        string? value = null;
        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        EnterObject(ref json);
        while (NextMember(ref json))
        {
            switch (MemberName(ref json))
            {
                case "value":
                    value = json.GetString();
                    break;
                case "parts":
                    EnterObject(ref json);
                    while (NextMember(ref json))
                        parts[MemberName(ref json)] = Required(json.GetString(), "part");
                    break;
                default:
                    json.Skip();
                    break;
            }
        }
        return new CheckpointFingerprint(Required(value, "fingerprint.value"), parts);
    }

    private ReadOnlyCollection<OutputFile> ReadOutputFiles(ref Utf8JsonReader json)
    {
        Expect(json.TokenType == JsonTokenType.StartArray, "an array");
        var files = new List<OutputFile>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            string? path = null, sha256 = null;
            long? size = null;
            DateTimeOffset? modifiedAt = null;
            EnterObject(ref json);
            while (NextMember(ref json))
            {
                switch (MemberName(ref json))
                {
                    case "path":
                        path = json.GetString();
                        break;
                    case "size":
                        size = json.GetInt64();
                        break;
                    case "modifiedAt":
                        modifiedAt = json.GetDateTimeOffset().ToUniversalTime();
                        break;
                    case "sha256":
                        sha256 = json.GetString();
                        break;
                    default:
                        json.Skip();
                        break;
                }
            }
            files.Add(new OutputFile(
                OutputPath.Expand(Required(path, "outputFiles.path"), outputRoot),
                Required(size, "outputFiles.size"),
                Required(modifiedAt, "outputFiles.modifiedAt"),
                Required(sha256, "outputFiles.sha256")));
        }
        return files.AsReadOnly();
    }

    private StoredState ReadState(ref Utf8JsonReader json, ReadOnlyMemory<byte> bytes)
    {
        var sequence = false;
        StoredState? state = null;
        EnterObject(ref json);
        while (NextMember(ref json))
        {
            switch (MemberName(ref json))
            {
                case "sequence":
                    sequence = json.GetBoolean();
                    break;
                case "value":
                    var start = (int)json.TokenStartIndex;
                    json.Skip();
                    state = new StoredState { IsSequence = sequence, Inline = bytes[start..(int)json.BytesConsumed] };
                    break;
                case "sealed":
                    state = new StoredState { IsSequence = sequence, Inline = json.GetBytesFromBase64() };
                    _isSealed = true;
                    break;
                case "payload":
                    state = ReadPayload(ref json, sequence);
                    break;
                default:
                    json.Skip();
                    break;
            }
        }
        return Required(state, "state.value");
    }

    private static StoredState ReadPayload(ref Utf8JsonReader json, bool sequence)
    {
        string? file = null;
        long? length = null, documentLength = null;
        byte[]? sha256 = null;
        EnterObject(ref json);
        while (NextMember(ref json))
        {
            switch (MemberName(ref json))
            {
                case "file":
                    file = json.GetString();
                    break;
                case "length":
                    length = json.GetInt64();
                    break;
                case "documentLength":
                    documentLength = json.GetInt64();
                    break;
                case "sha256":
                    sha256 = Convert.FromHexString(Required(json.GetString(), "sha256"));
                    break;
                default:
                    json.Skip();
                    break;
            }
        }
        var payload = new StoredState
        {
            IsSequence = sequence,
            Payload = Required(file, "payload.file"),
            PayloadLength = Required(length, "payload.length"),
            DocumentLength = Required(documentLength, "payload.documentLength"),
            Sha256 = Required(sha256, "payload.sha256"),
        };
        Expect(payload.DocumentLength >= 0 && payload.DocumentLength <= payload.PayloadLength, "a document within its payload");
        return payload;
    }

    private static void EnterObject(ref Utf8JsonReader json) => Expect(json.TokenType == JsonTokenType.StartObject, "an object");

    private static bool NextMember(ref Utf8JsonReader json) => json.Read() && json.TokenType == JsonTokenType.PropertyName;

    /// <summary>The member's name; moves on to its value.</summary>
    private static string MemberName(ref Utf8JsonReader json)
    {
        var name = json.GetString()!;
        Expect(json.Read(), "a value");
        return name;
    }

    private static T Required<T>(T? value, string member)
        where T : class => value ?? throw new JsonException($"The member '{member}' is missing.");

    private static T Required<T>(T? value, string member)
        where T : struct => value ?? throw new JsonException($"The member '{member}' is missing.");

    private static void Expect(bool condition, string what)
    {
        if (!condition)
            throw new JsonException($"Where {what} was expected, there is something else.");
    }
}
