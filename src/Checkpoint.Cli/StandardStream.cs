namespace Checkpoint.Cli;

/// <summary>
/// A standard stream that is written to: what it does not take is left out, and hinders no work that is to be saved. A reader that went away, as <c>head</c> does, is no fault; .NET does not even tell of it.
/// </summary>
/// <param name="stream">The stream.</param>
internal sealed class StandardStream(Stream stream) : Stream
{
    /// <summary>Why it did not take what was written, or null.</summary>
    public string? Fault { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (Fault is not null)
            return;
        try
        {
            stream.Write(buffer);
        }
        catch (UnauthorizedAccessException)
        {
            // So .NET tells of a descriptor that was closed before the program began.
            Fault = "it is closed";
        }
        catch (IOException e)
        {
            Fault = e.Message.TrimEnd('.');
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
