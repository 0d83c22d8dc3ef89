using System.Security.Cryptography;
using System.Text.Json;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>Small state stays in memory for the record; large and binary state is streamed to a payload, and read back only when every byte is what it was.</summary>
public sealed class StateWriterTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(StateWriter.InlineLimit - 1)]
    [InlineData(StateWriter.InlineLimit)]
    public void A_document_up_to_the_limit_opens_no_payload(int length)
    {
        foreach (var piece in new[] { 1, 100, 8192, StateWriter.InlineLimit })
        {
            using var writer = new StateWriter(() => throw new InvalidOperationException("opened"), _ => throw new InvalidOperationException("told"));
            var document = Write(writer, length, piece);
            var state = writer.Complete(isSequence: true, default);
            Assert.Equal(document, state.Inline.ToArray());
            Assert.Null(state.Payload);
            Assert.Equal(length, state.Size);
            Assert.True(state.IsSequence);
        }
    }

    [Fact]
    public void A_payload_that_cannot_be_opened_or_written_is_told_from_a_fault_of_the_state()
    {
        Func<Stream>[] payloads = [() => throw new IOException("full"), () => new MemoryStream(new byte[10], writable: false), () => new MemoryStream(new byte[10])];
        foreach (var open in payloads)
        {
            using var writer = new StateWriter(open);
            Write(writer, StateWriter.InlineLimit, 8192);
            Assert.False(writer.HasFailed);
            Assert.ThrowsAny<Exception>(() => Write(writer, 3 * StateWriter.InlineLimit, 8192));
            Assert.True(writer.HasFailed);
        }
        using var good = new StateWriter(() => new MemoryStream());
        Write(good, 3 * StateWriter.InlineLimit, 8192);
        Assert.False(good.HasFailed);
    }

    [Theory]
    [InlineData(StateWriter.InlineLimit + 1, 1)]
    [InlineData(StateWriter.InlineLimit + 1, 8192)]
    [InlineData(StateWriter.InlineLimit + 1, StateWriter.InlineLimit + 1)]
    [InlineData(1_000_000, 10_000)]
    [InlineData(1_000_000, 300_000)]
    public void A_longer_document_goes_to_a_payload_in_full(int length, int piece)
    {
        var payload = new MemoryStream();
        var opened = 0;
        using var writer = new StateWriter(() =>
        {
            opened++;
            return payload;
        });
        var document = Write(writer, length, piece);
        var state = writer.Complete(isSequence: false, default);
        Assert.Equal(1, opened);
        Assert.NotNull(state.Payload);
        Assert.Equal(document, payload.ToArray());
        Assert.Equal((length, length), (state.DocumentLength, state.PayloadLength));
        Assert.Equal(SHA256.HashData(document), state.Sha256);
        Assert.True(state.Inline.IsEmpty);
        Assert.Equal(length, state.Size);
    }

    [Fact]
    public void Room_that_is_asked_for_and_not_filled_does_not_count()
    {
        using var writer = new StateWriter(() => throw new InvalidOperationException("opened"));
        foreach (var hint in new[] { 0, 1, 70_000, 200_000, 50_000 })
        {
            Assert.True(writer.GetMemory(hint).Length >= Math.Max(hint, 1));
            writer.GetSpan(hint)[0] = (byte)'x';
            writer.Advance(1);
        }
        Assert.Equal("xxxxx"u8.ToArray(), writer.Complete(false, default).Inline.ToArray());
    }

    [Fact]
    public void A_json_text_that_is_small_enough_stays_in_the_record()
    {
        foreach (var length in new[] { 20_000, 60_000, StateWriter.InlineLimit - 2 })
        {
            using var writer = new StateWriter(() => throw new InvalidOperationException("opened"));
            using (var json = new Utf8JsonWriter(writer, RecordFormat.WriterOptions))
                json.WriteStringValue(new string('x', length));
            Assert.Equal(length + 2, writer.Complete(false, default).Size);
        }
    }

    [Fact]
    public void Blobs_follow_the_document_in_their_order_and_a_small_document_goes_with_them()
    {
        var random = Seeds.New(output);
        foreach (var lengths in new int[][] { [1], [0], [0, 5, 0], [16_384, 3], [(1 << 20) - 1, 1 << 20, (1 << 20) + 1], [3_500_000, 2] })
        {
            var payload = new MemoryStream();
            using var writer = new StateWriter(() => payload);
            var document = Write(writer, 50, 7);
            var expected = new MemoryStream();
            expected.Write(document);
            var offset = 0L;
            foreach (var length in lengths)
            {
                var blob = new byte[length];
                random.NextBytes(blob);
                Assert.Equal(offset, writer.AddBlob(blob));
                expected.Write(blob);
                offset += length;
            }
            var state = writer.Complete(false, default);
            Assert.Equal(expected.ToArray(), payload.ToArray());
            Assert.Equal((50, payload.Length), (state.DocumentLength, state.PayloadLength));
            Assert.Equal(SHA256.HashData(payload.ToArray()), state.Sha256);
        }
    }

    [Fact]
    public void A_blob_is_written_from_the_memory_it_lies_in()
    {
        var blob = new byte[4_000_000];
        var payload = new CheckingStream(blob);
        using var writer = new StateWriter(() => payload);
        Write(writer, 10, 10);
        writer.AddBlob(blob);
        writer.Complete(false, default);
        Assert.Equal(4_000_000, payload.FromBlob);
    }

    [Fact]
    public void Progress_is_told_on_the_writing_thread_and_ends_at_the_length()
    {
        var told = new List<(long Bytes, int Thread)>();
        using var writer = new StateWriter(() => new MemoryStream(), bytes => told.Add((bytes, Environment.CurrentManagedThreadId)));
        Write(writer, 10, 10);
        writer.AddBlob(new byte[5_000_000]);
        var state = writer.Complete(false, default);
        Assert.Equal(state.PayloadLength, told[^1].Bytes);
        Assert.Equal(told.Select(t => t.Bytes).Order(), told.Select(t => t.Bytes));
        Assert.True(told.Count > 4);
        Assert.All(told, t => Assert.Equal(Environment.CurrentManagedThreadId, t.Thread));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Writing_can_be_cancelled_between_two_pieces(int after)
    {
        using var source = new CancellationTokenSource();
        var payload = new MemoryStream();
        var pieces = 0;
        using var writer = new StateWriter(() => payload, _ =>
        {
            if (++pieces == after)
                source.Cancel();
        });
        Write(writer, 10, 10);
        writer.AddBlob(new byte[20_000_000]);
        Assert.ThrowsAny<OperationCanceledException>(() => writer.Complete(false, source.Token));
        Assert.True(payload.Length < 10_000_000);
    }

    [Fact]
    public void An_error_of_the_payload_is_the_error_of_the_writer()
    {
        foreach (var length in new[] { 100, 100_000, 3_000_000 })
        {
            using var writer = new StateWriter(() => new FullStream());
            Write(writer, 10, 10);
            writer.AddBlob(new byte[length]);
            Assert.Throws<IOException>(() => writer.Complete(false, default));
        }
        using var unopened = new StateWriter(() => throw new IOException("cannot"));
        unopened.AddBlob(new byte[10]);
        Assert.Throws<IOException>(() => unopened.Complete(false, default));
    }

    [Fact]
    public void A_state_is_read_back_as_it_was_written_in_pieces_of_any_size()
    {
        var random = Seeds.New(output);
        foreach (var (documentLength, blobLength) in new[] { (0, 0), (100, 0), (100_000, 0), (10, 1), (100_000, 3_000_000) })
        {
            var payload = new MemoryStream();
            using var writer = new StateWriter(() => payload);
            var document = Write(writer, documentLength, 1000);
            var blob = new byte[blobLength];
            random.NextBytes(blob);
            if (blobLength > 0)
                writer.AddBlob(blob);
            var state = writer.Complete(true, default);
            foreach (var piece in new[] { 1000, 17, 1 << 20 })
            {
                using var reader = new StateReader(state, state.Payload is null ? null : new SlowStream(payload.ToArray(), piece));
                Assert.True(reader.IsSequence);
                Assert.Equal(blobLength, reader.BlobsLength);
                Assert.Equal(document, ReadDocument(reader, piece));
                Assert.Equal(0, reader.ReadDocument(new byte[10]));
                var read = new byte[blobLength];
                reader.ReadBlob(read, default);
                Assert.Equal(blob, read);
                reader.Complete();
            }
        }
    }

    [Fact]
    public void A_payload_that_is_cut_is_found_at_once()
    {
        var (state, bytes) = Large();
        foreach (var length in new[] { 0, 1, 49, 50, 51, 1000, bytes.Length - 1 })
        {
            using var reader = new StateReader(state, new MemoryStream(bytes[..length]));
            Assert.Throws<InvalidDataException>(() => ReadAll(reader));
        }
    }

    [Fact]
    public void A_changed_byte_anywhere_is_found_before_anything_is_given_out()
    {
        var (state, bytes) = Large();
        for (var i = 0; i < bytes.Length; i += i < 60 ? 1 : 97)
        {
            bytes[i] ^= 0x10;
            using (var reader = new StateReader(state, new MemoryStream(bytes)))
                Assert.Throws<InvalidDataException>(() => ReadAll(reader));
            bytes[i] ^= 0x10;
        }
        using var whole = new StateReader(state, new MemoryStream(bytes));
        ReadAll(whole);
    }

    [Fact]
    public void A_wrong_hash_is_found()
    {
        var (state, bytes) = Large();
        foreach (var hash in new byte[][] { [], new byte[32], state.Sha256[..31], [.. state.Sha256, 0], SHA256.HashData("x"u8) })
        {
            using var reader = new StateReader(With(state, sha256: hash), new MemoryStream(bytes));
            Assert.Throws<InvalidDataException>(() => ReadAll(reader));
        }
    }

    [Fact]
    public void Bytes_that_nobody_asked_for_are_found()
    {
        var (state, bytes) = Large();
        using var reader = new StateReader(state, new MemoryStream(bytes));
        ReadDocument(reader, 100);
        reader.ReadBlob(new byte[10], default);
        Assert.Throws<InvalidDataException>(reader.Complete);

        using var unread = new StateReader(state, new MemoryStream(bytes));
        Assert.Throws<InvalidDataException>(unread.Complete);
    }

    [Fact]
    public void A_claimed_length_beyond_the_payload_costs_no_memory_and_is_found()
    {
        var (state, bytes) = Large();
        foreach (var (document, all) in new[] { (50L, long.MaxValue), (long.MaxValue, long.MaxValue), (1L << 40, 1L << 41) })
        {
            using var reader = new StateReader(With(state, document, all), new MemoryStream(bytes));
            Assert.Equal(all - document, reader.BlobsLength);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<InvalidDataException>(() => ReadForEver(reader));
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000);
        }
    }

    [Fact]
    public void A_document_length_that_is_wrong_is_found()
    {
        var (state, bytes) = Large();
        foreach (var length in new long[] { 0, 49, 51, state.PayloadLength })
        {
            using var reader = new StateReader(With(state, length), new MemoryStream(bytes));
            var document = ReadDocument(reader, 1000);
            Assert.Equal(length, document.Length);
            // The bytes are all there, so the hash fits: what tells is the document, which is no longer one. It is never more than the payload.
            reader.ReadBlob(new byte[reader.BlobsLength], default);
            reader.Complete();
        }
    }

    [Fact]
    public void Reading_can_be_cancelled()
    {
        var (state, bytes) = Large();
        using var reader = new StateReader(state, new MemoryStream(bytes));
        ReadDocument(reader, 100);
        Assert.ThrowsAny<OperationCanceledException>(() => reader.ReadBlob(new byte[reader.BlobsLength], new CancellationToken(true)));
    }

    [Fact]
    public void The_payload_is_closed_with_its_reader()
    {
        var (state, bytes) = Large();
        var stream = new MemoryStream(bytes);
        new StateReader(state, stream).Dispose();
        Assert.False(stream.CanRead);
    }

    private static (StoredState State, byte[] Bytes) Large()
    {
        var payload = new MemoryStream();
        using var writer = new StateWriter(() => payload);
        Write(writer, 50, 50);
        var blob = new byte[20_000];
        new Random(1).NextBytes(blob);
        writer.AddBlob(blob);
        return (writer.Complete(false, default), payload.ToArray());
    }

    private static StoredState With(StoredState state, long? documentLength = null, long? payloadLength = null, byte[]? sha256 = null) => new()
    {
        IsSequence = state.IsSequence,
        Payload = state.Payload,
        DocumentLength = documentLength ?? state.DocumentLength,
        PayloadLength = payloadLength ?? state.PayloadLength,
        Sha256 = sha256 ?? state.Sha256,
    };

    private static byte[] Write(StateWriter writer, int length, int piece)
    {
        var document = new byte[length];
        for (var i = 0; i < length; i++)
            document[i] = (byte)('a' + (i % 23));
        for (var at = 0; at < length; at += piece)
        {
            var part = document.AsSpan(at, Math.Min(piece, length - at));
            part.CopyTo(writer.GetSpan(part.Length));
            writer.Advance(part.Length);
        }
        return document;
    }

    private static byte[] ReadDocument(StateReader reader, int piece)
    {
        var document = new MemoryStream();
        var buffer = new byte[piece];
        for (int read; (read = reader.ReadDocument(buffer)) > 0;)
            document.Write(buffer, 0, read);
        return document.ToArray();
    }

    private static void ReadForEver(StateReader reader)
    {
        var buffer = new byte[4096];
        while (reader.ReadDocument(buffer) > 0)
        {
        }
        for (; ; )
            reader.ReadBlob(buffer, default);
    }

    private static void ReadAll(StateReader reader)
    {
        ReadDocument(reader, 100);
        reader.ReadBlob(new byte[reader.BlobsLength], default);
        reader.Complete();
    }

    /// <summary>Gives a few bytes at a time.</summary>
    private sealed class SlowStream(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, piece)]);
    }

    private sealed class FullStream : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("full");
    }

    /// <summary>Counts the bytes that come from an array itself and not from a copy of it.</summary>
    private sealed class CheckingStream(byte[] blob) : MemoryStream
    {
        public long FromBlob { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (buffer.Overlaps(blob))
                FromBlob += buffer.Length;
        }
    }
}
