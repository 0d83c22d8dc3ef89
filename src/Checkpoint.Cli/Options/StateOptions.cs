using System.CommandLine;
using System.Text;

namespace Checkpoint.Cli;

/// <summary>The state that is to be saved.</summary>
internal sealed class StateOptions
{
    private readonly Option<string> _state = Inputs.Text("--state", "json", "The state, as JSON: '{\"next\":12}', '\"text\"', 42.");
    private readonly Option<string> _file = Inputs.Text("--state-file", "file", "The state is in this file; - is the standard input.");
    private readonly Option<bool> _typed = Inputs.Flag("--typed", "The state is an exact document, as 'restore --typed' prints it.");
    private readonly Option<bool> _raw = Inputs.Flag("--raw", "The state is the bytes of --state-file, or the text of --state, and no JSON.");

    public IEnumerable<Option> All => [_state, _file, _typed, _raw];

    /// <summary>The state, or null where none is given.</summary>
    public IStateSource? Of(Call call)
    {
        var (state, file, isTyped, isRaw) = (call.Get(_state), call.Get(_file), call.Get(_typed), call.Get(_raw));
        if (state is not null && file is not null)
            throw new InvalidArgumentException("Give the state by --state or by --state-file, not by both. Nothing was saved.");
        if (isTyped && isRaw)
            throw new InvalidArgumentException("The state is either an exact document (--typed) or no document at all (--raw). Nothing was saved.");
        if (state is null && file is null)
            return isTyped || isRaw ? throw new InvalidArgumentException("--typed and --raw say what --state or --state-file is, so they need one of these. Nothing was saved.") : null;
        if (state is not null)
        {
            var text = state;
            return isRaw ? TextState(text) : isTyped ? TypedState.Parse(Encoding.UTF8.GetBytes(text), call.Cancellation) : new JsonState(() => new MemoryStream(Encoding.UTF8.GetBytes(text)));
        }
        var path = file == "-" ? null : ContextOptions.ResolvePath(file!);
        if (isTyped)
            return TypedState.Parse(path is null ? ReadInput().Span : UnreadableFileException.Guard(file!, () => File.ReadAllBytes(path)), call.Cancellation);
        if (isRaw && path is null)
        {
            var bytes = ReadInput();
            return new BytesState(bytes.Length, () => Open(bytes));
        }
        // Opened here, where it is no fault of the store when that fails; once more only where the store must begin anew.
        return path is null ? new JsonState(Terminal.OpenInput) : FileState(file!, path, isRaw);
    }

    private static IStateSource FileState(string file, string path, bool isRaw)
    {
        var stream = UnreadableFileException.Guard(file, () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16));
        if (!isRaw)
            return new JsonState(() => stream);
        if (stream.CanSeek)
            return new BytesState(stream.Length, () => stream);
        var bytes = ReadAll(stream);
        return new BytesState(bytes.Length, () => Open(bytes));
    }

    private static TypedState TextState(string text)
    {
        using var json = new MemoryStream();
        json.Write("{\"sequence\":false,\"value\":"u8);
        JsonText.Write(json, text);
        json.Write("}"u8);
        return TypedState.Parse(json.GetBuffer().AsSpan(0, (int)json.Length), default);
    }

    private static ReadOnlyMemory<byte> ReadInput()
    {
        using var input = Terminal.OpenInput();
        return ReadAll(input);
    }

    private static ReadOnlyMemory<byte> ReadAll(Stream stream)
    {
        var all = new System.Buffers.ArrayBufferWriter<byte>(1 << 16);
        for (int read; (read = stream.Read(all.GetSpan(1 << 16))) > 0;)
            all.Advance(read);
        return all.WrittenMemory;
    }

    private static MemoryStream Open(ReadOnlyMemory<byte> bytes)
    {
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(bytes, out var array);
        return new MemoryStream(array.Array ?? [], array.Offset, array.Count, writable: false);
    }
}
