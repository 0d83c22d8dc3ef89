namespace Checkpoint.Tests;

public sealed class IOErrorsTests
{
    [UnixFact]
    public void The_numbers_of_Unix_are_told_apart()
    {
        AssertKind(CheckpointErrorKind.StoreFull, new IOException("ENOSPC", 28));
        AssertKind(CheckpointErrorKind.StoreFull, new IOException("EDQUOT", OperatingSystem.IsMacOS() ? 69 : 122));
        AssertKind(CheckpointErrorKind.StoreReadOnly, new IOException("EROFS", 30));
        AssertKind(CheckpointErrorKind.StoreUnavailable, new IOException("EIO", 5));
        AssertKind(CheckpointErrorKind.StoreUnavailable, new IOException("ESTALE", 116));
        AssertKind(CheckpointErrorKind.StoreUnavailable, new IOException("ENOTDIR", 20));
        AssertKind(CheckpointErrorKind.StoreUnavailable, new IOException("EMFILE", 24));
    }

    [Fact]
    public void The_kinds_of_NET_are_told_apart()
    {
        foreach (var fault in Enum.GetValues<Fault>())
            AssertKind(fault.Kind(), fault.Make());
        AssertKind(CheckpointErrorKind.StoreAccessDenied, new UnauthorizedAccessException());
        AssertKind(CheckpointErrorKind.StoreAccessDenied, new System.Security.SecurityException());
        AssertKind(CheckpointErrorKind.StoreUnavailable, new IOException());
        AssertKind(CheckpointErrorKind.StoreUnavailable, new DirectoryNotFoundException());
        AssertKind(CheckpointErrorKind.StoreUnavailable, new DriveNotFoundException());
        AssertKind(CheckpointErrorKind.StoreUnavailable, new PathTooLongException());
    }

    [Theory]
    [InlineData(32, true)] // ERROR_SHARING_VIOLATION
    [InlineData(33, true)] // ERROR_LOCK_VIOLATION
    [InlineData(303, true)] // ERROR_DELETE_PENDING
    [InlineData(53, false)] // ERROR_BAD_NETPATH
    [InlineData(112, false)] // ERROR_DISK_FULL
    [InlineData(19, false)] // ERROR_WRITE_PROTECT
    public void On_Windows_a_lock_is_waited_for_only_where_somebody_has_it(int code, bool isBusy)
    {
        Assert.Equal(isBusy, IOErrors.IsBusy(new IOException("", unchecked((int)0x80070000) | code)));
        // While the last holder's file is being removed.
        Assert.True(IOErrors.IsBusy(new UnauthorizedAccessException()));
        Assert.False(IOErrors.IsBusy(new DirectoryNotFoundException()));
    }

    [UnixFact]
    public void What_the_system_really_says_is_told_apart()
    {
        // Writing to /dev/full is the one way to a full disk that needs no disk.
        if (File.Exists("/dev/full"))
        {
            using var full = File.OpenHandle("/dev/full", FileMode.Open, FileAccess.Write);
            AssertKind(CheckpointErrorKind.StoreFull, Assert.ThrowsAny<IOException>(() => FileSystem.Current.Write(full, new byte[1], 0)));
        }
        if (Directory.Exists("/proc/self"))
        {
            var error = Assert.ThrowsAny<Exception>(() => FileSystem.Current.CreateDirectory("/proc/self/x"));
            Assert.Contains(IOErrors.Classify(error).Kind, new[] { CheckpointErrorKind.StoreAccessDenied, CheckpointErrorKind.StoreUnavailable, CheckpointErrorKind.StoreReadOnly });
        }
    }

    [Fact]
    public void Every_message_says_what_where_why_and_what_next()
    {
        foreach (var fault in Enum.GetValues<Fault>())
        {
            var inner = fault.Make();
            var error = CheckpointErrors.FromIO(inner, "/the/store", "Saving checkpoint 'x'", "x");
            Assert.Equal(fault.Kind(), error.Kind);
            Assert.Same(inner, error.InnerException);
            Assert.Equal("x", error.Target);
            Assert.StartsWith("Saving checkpoint 'x' failed in the store '/the/store': ", error.Message, StringComparison.Ordinal);
            Assert.Contains(inner.Message, error.Message, StringComparison.Ordinal);
            Assert.True(error.Message.Length > error.Message.IndexOf(inner.Message, StringComparison.Ordinal) + inner.Message.Length + 20, "no advice");
            Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("..", error.Message, StringComparison.Ordinal);
        }
    }

    private static void AssertKind(CheckpointErrorKind kind, Exception error) => Assert.Equal(kind, IOErrors.Classify(error).Kind);
}
