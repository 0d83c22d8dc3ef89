using System.Collections;
using System.Globalization;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>
/// The fingerprint of PowerShell objects. Equal content gives equal hashes: the order of keys and properties does not count, nor whether a table is a hashtable, an
/// ordered dictionary or an object, nor how wide an integer is (a file of configuration gives [long] where a script gives [int]). Everything else counts.
/// </summary>
/// <param name="cancellation">Ends the reading of files.</param>
/// <param name="progress">Told how many bytes more of files were read; or null.</param>
/// <param name="root">What errors call the object.</param>
internal sealed class ObjectFingerprint(CancellationToken cancellation, Action<int>? progress = null, string root = "$fingerprint")
{
    // Of a longer list each item's hash would make every record as long; its change is named as one.
    private const int MaxItems = 1000;

    private const int MaxLiveObjects = 100_000;

    private static readonly string[] ProviderNotes = ["PSPath", "PSParentPath", "PSChildName", "PSDrive", "PSProvider"];

    private readonly ObjectPath _path = new(root);
    private readonly Dictionary<Type, System.Reflection.PropertyInfo[]> _hidden = [];
    private int _liveObjects;

    /// <summary>The fingerprint of one object; its keys, properties or files are the parts.</summary>
    public static CheckpointFingerprint Of(object? value, CancellationToken cancellation, Action<int>? progress = null, string root = "$fingerprint") =>
        value is PSObject { BaseObject: CheckpointFingerprint wrapped } ? wrapped
        : value as CheckpointFingerprint ?? FingerprintHash.Combine(new ObjectFingerprint(cancellation, progress, root).PartsOf(value));

    /// <summary>The hashes of an object's parts: of each key or property, of the parts of each item, or of the whole where it has none.</summary>
    /// <exception cref="UnkeptValueException">Something in it cannot be hashed.</exception>
    public Dictionary<string, byte[]> PartsOf(object? value) => _path.Walk(() => Parts(value));

    private Dictionary<string, byte[]> Parts(object? value)
    {
        var parts = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var shape = StateShape.Of(value);
        switch (shape)
        {
            case { Kind: ShapeKind.Map or ShapeKind.Object } or { Value: IDictionary }:
                foreach (var (name, hash) in EntriesOf(shape))
                    parts[name] = hash;
                break;
            case { Kind: ShapeKind.List or ShapeKind.Live, Value: IList { Count: > 0 and <= MaxItems } items and not byte[] }:
                _path.Enter(items);
                for (var i = 0; i < items.Count; i++)
                {
                    _path.At(i);
                    var own = Parts(items[i]);
                    if (own.Count == 0)
                        parts[$"[{i}]"] = FingerprintHash.Whole(Hash(items[i]));
                    foreach (var (name, hash) in own)
                        parts[$"[{i}].{name}"] = FingerprintHash.Whole(hash);
                }
                _path.Leave();
                break;
            case { Value: ScriptBlock }:
                parts["script"] = FingerprintHash.Whole(Hash(value));
                break;
            case { Value: FileInfo file }:
                parts[file.Name] = FingerprintHash.Whole(Hash(value));
                break;
            default:
                parts["value"] = FingerprintHash.Whole(Hash(value));
                break;
        }
        return parts;
    }

    private byte[] Hash(object? value)
    {
        cancellation.ThrowIfCancellationRequested();
        var shape = StateShape.Of(value);
        switch (shape.Value)
        {
            case ScriptBlock block:
                return ScriptFingerprint.Hash(block);
            case FileInfo file:
                return FingerprintHash.File(file.FullName, cancellation, progress);
            case DirectoryInfo folder:
                return FingerprintHash.Folder(folder.FullName, cancellation, progress);
            // To the runtime an sbyte[] is a byte[] too.
            case System.Xml.XmlNode node:
                return FingerprintHash.Scalar("xml", node.OuterXml);
            case System.Reflection.MemberInfo or System.Reflection.Assembly or System.Text.Json.Nodes.JsonNode or System.Xml.Linq.XObject:
                return FingerprintHash.Scalar("text", shape.Value.ToString() ?? "");
            case IDictionary:
                return FingerprintHash.Map(EntriesOf(shape));
            case byte[] bytes when bytes.GetType() == typeof(byte[]):
                return FingerprintHash.Bytes(bytes);
        }
        switch (shape.Kind)
        {
            case ShapeKind.Scalar:
                return FingerprintHash.Value(shape.Value);
            case ShapeKind.Secret:
                throw CheckpointErrors.NotSerializable(_path.ToString(), "a secret cannot be part of a fingerprint, from which it could be guessed; leave it out");
            case ShapeKind.List:
                var items = ItemHashes(shape.Value!, (IEnumerable)shape.Value!);
                // A set has no order.
                return FingerprintHash.List(shape.TypeName.StartsWith("hashset<", StringComparison.Ordinal) ? [.. items.OrderBy(Convert.ToHexString, StringComparer.Ordinal)] : items);
            case ShapeKind.Map or ShapeKind.Object:
                return FingerprintHash.Map(EntriesOf(shape));
            default:
                return LiveHash(shape);
        }
    }

    private List<byte[]> ItemHashes(object container, IEnumerable items)
    {
        _path.Enter(container);
        _path.At(0);
        var hashes = new List<byte[]>();
        foreach (var item in items)
        {
            hashes.Add(Hash(item));
            _path.At(hashes.Count);
        }
        _path.Leave();
        return hashes;
    }

    private List<KeyValuePair<string, byte[]>> EntriesOf(StateShape shape)
    {
        return MapHashes(shape.Value!, shape.Value is IDictionary map ? Entries(map) : Properties(shape.Wrapper!));
    }

    private IEnumerable<KeyValuePair<string, object?>> Properties(PSObject bag)
    {
        foreach (var property in bag.Properties.Where(p => p.IsGettable && p.IsInstance && !IsProviderNote(bag, p.Name)))
        {
            _path.At(property.Name);
            yield return KeyValuePair.Create(property.Name, (object?)property.Value);
        }
    }

    private IEnumerable<KeyValuePair<string, object?>> Entries(IDictionary map)
    {
        // By hand: to foreach some dictionaries give pairs of their own kind.
        for (var entries = map.GetEnumerator(); entries.MoveNext();)
            yield return KeyValuePair.Create(KeyText(entries.Key), entries.Value);
    }

    private List<KeyValuePair<string, byte[]>> MapHashes(object container, IEnumerable<KeyValuePair<string, object?>> entries)
    {
        _path.Enter(container);
        var hashes = new List<KeyValuePair<string, byte[]>>();
        foreach (var (name, value) in entries)
        {
            _path.At(name);
            hashes.Add(KeyValuePair.Create(name, Hash(value)));
        }
        _path.Leave();
        return hashes;
    }

    // A number as a key is another key than its digits. No text begins as these do.
    private string KeyText(object key)
    {
        var shape = StateShape.Of(key);
        return shape.Value as string
            ?? (shape.Value is not null && ScalarType.For(shape.Value.GetType()) is { } scalar ? $"\0{scalar.Name}:{scalar.ToText(shape.Value)}" : "\0" + FingerprintHash.Hex(Hash(key)));
    }

    // What a provider notes on an item of a drive says where it was found; its drive and provider lead to half of the session.
    private static bool IsProviderNote(PSObject item, string name) =>
        ProviderNotes.Contains(name, StringComparer.OrdinalIgnoreCase) && item.Properties["PSProvider"] is PSNoteProperty note && StateShape.Of(note.Value).Value is ProviderInfo;

    // What a class of PowerShell calls hidden is hidden from people, but counts.
    private IEnumerable<KeyValuePair<string, object?>> HiddenProperties(object value)
    {
        if (!_hidden.TryGetValue(value.GetType(), out var properties))
            _hidden[value.GetType()] = properties = [.. value.GetType().GetProperties().Where(p => p.IsDefined(typeof(HiddenAttribute), inherit: true) && p.GetMethod is { IsStatic: false })];
        foreach (var property in properties)
        {
            _path.At(property.Name);
            yield return new(property.Name, property.GetValue(value));
        }
    }

    // State keeps what lies in a live object as its text; for a fingerprint that would hide changes, so everything is walked. What cannot be, is an error, which is safe.
    private byte[] LiveHash(in StateShape shape)
    {
        // A row leads back to its table. The table is hashed itself, so where it stands says all.
        if (_path.LevelsUpTo(shape.Value!) is { } levels)
            return FingerprintHash.Scalar("up", levels.ToString(CultureInfo.InvariantCulture));
        if (++_liveObjects > MaxLiveObjects)
            throw CheckpointErrors.NotSerializable(_path.ToString(), $"the object refers to more than {MaxLiveObjects} others; give what matters of it");
        var live = LiveObject.Describe(shape);
        var text = FingerprintHash.Scalar("text", live.Text);
        if (live.IsText)
            return text;
        var content = live.BaseValue is not null ? Hash(live.BaseValue)
            : live.Items is { } items ? FingerprintHash.List(ItemHashes(shape.Value!, items))
            : FingerprintHash.Map(MapHashes(shape.Value!, LiveProperties(shape, live)));
        return FingerprintHash.List([FingerprintHash.Scalar("type", live.Types[0]), text, content]);
    }

    private IEnumerable<KeyValuePair<string, object?>> LiveProperties(StateShape shape, LiveObject live)
    {
        var wrapper = PSObject.AsPSObject(shape.Value!);
        return live.Properties.Where(p => !IsProviderNote(wrapper, p.Key)).Concat(HiddenProperties(shape.Value!));
    }
}
