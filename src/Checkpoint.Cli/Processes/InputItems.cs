using System.Text;
using System.Threading.Channels;

namespace Checkpoint.Cli;

/// <summary>The items of an input, read on a thread of their own: waiting for the next must not hold back what is done, nor Ctrl+C.</summary>
/// <param name="input">The input.</param>
/// <param name="end">What stands behind each item.</param>
internal sealed class InputItems(Stream input, byte end)
{
    private const int Ahead = 1024;

    private bool _hasBegun;

    /// <summary>Reads them; an empty one is passed over.</summary>
    /// <exception cref="InvalidArgumentException">One is not UTF-8, so no command could be given it.</exception>
    public ChannelReader<string> Start()
    {
        var items = Channel.CreateBounded<string>(Ahead);
        new Thread(() =>
        {
            try
            {
                Read(item => items.Writer.WriteAsync(item).AsTask().GetAwaiter().GetResult());
                items.Writer.Complete();
            }
            catch (Exception e)
            {
                items.Writer.TryComplete(e);
            }
        })
        { IsBackground = true, Name = "checkpoint items" }.Start();
        return items.Reader;
    }

    private void Read(Action<string> add)
    {
        var item = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = input.Read(buffer)) > 0;)
        {
            var rest = buffer.AsSpan(0, read);
            for (int at; (at = rest.IndexOf(end)) >= 0; rest = rest[(at + 1)..])
            {
                item.Write(rest[..at]);
                Add(item, add);
            }
            item.Write(rest);
        }
        Add(item, add);
    }

    private void Add(MemoryStream item, Action<string> add)
    {
        var bytes = item.GetBuffer().AsSpan(0, (int)item.Length);
        // Editors of Windows put a mark before the text, which is no part of its first line.
        if (end == '\n' && !_hasBegun && bytes.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[Encoding.UTF8.Preamble.Length..];
        _hasBegun = true;
        if (end == '\n' && bytes is [.., (byte)'\r'])
            bytes = bytes[..^1];
        var text = ByteText.Decode(bytes);
        item.SetLength(0);
        if (text.Length == 0)
            return;
        if (!ScalarJson.IsUtf16(text))
            throw new InvalidArgumentException($"The item '{ShortText.Cut(text, ItemLoop.MaxShown)}' is not UTF-8, and cannot be given to a command.");
        if (text.Contains('\0', StringComparison.Ordinal))
            throw new InvalidArgumentException($"The item '{ShortText.Cut(text.Replace('\0', ' '), ItemLoop.MaxShown)}' has a NUL in it, which no command can be given. If items end with a NUL, as of find -print0, say so by --null.");
        add(text);
    }
}
