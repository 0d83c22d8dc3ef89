using System.Diagnostics;

namespace Checkpoint.Tests;

public class FolderLeasesTests : StoreTest
{
    private static readonly LeaseName Lease = new("nightly", "r1", null);

    private readonly TestFileSystem _files = new();

    public FolderLeasesTests() => Store = new FolderStore(Root, _files);

    [Fact]
    public async Task A_save_and_a_removal_under_one_lease_wait_for_each_other_in_one_order()
    {
        await Save();
        await Save();
        using var lease = (await Store.TryLeaseAsync(new LeaseName(Stage), LeaseHolder.Self(TimeProvider.System), TimeSpan.FromMinutes(10), default)).Lease!;
        var (savers, removers) = (new TestFileSystem(), new TestFileSystem());
        var doomed = new DoomedStep((await Store.ReadAsync(Stage, 1, default)).Info!);
        using var isAtWork = new ManualResetEventSlim();
        Task<int>? removal = null;
        removers.Before = operation =>
        {
            if (operation.Verb == FileVerb.LockDirectory)
                isAtWork.Set();
        };
        savers.Before = operation =>
        {
            // The save has the folder's lock, and the other thread of its session wants it.
            if (operation.Verb != FileVerb.OpenLocked || operation.Name != FolderLayout.TurnName || removal is not null)
                return;
            removal = Task.Run(async () => await new FolderStore(Root, removers).RemoveAsync(Stage, [doomed], lease.Fence, default));
            isAtWork.Wait();
        };
        await Task.Run(async () => await new FolderStore(Root, savers).SaveAsync(Draft(fence: lease.Fence), default));
        Assert.Equal(1, await removal!);
        Assert.Equal([3L, 2L], (await Store.FindAsync(Stage, default))!.Steps);
    }

    [Fact]
    public async Task One_has_it_and_the_other_is_told_who_and_since_when()
    {
        var first = await Take(Store, 1);
        var second = await Take(new FolderStore(Root), 2);

        Assert.NotNull(first.Lease);
        Assert.Null(second.Lease);
        Assert.Equal(Holder(1), second.Holder);
        Assert.Equal(Holder(1), await Store.FindLeaseAsync(Lease, default));
        first.Lease.Dispose();
    }

    [Fact]
    public async Task It_is_free_when_it_is_given_back()
    {
        (await Take(Store, 1)).Lease!.Dispose();

        Assert.Null(await Store.FindLeaseAsync(Lease, default));
        using var again = (await Take(Store, 2)).Lease;
        Assert.NotNull(again);
        Assert.Equal(Holder(2), await Store.FindLeaseAsync(Lease, default));
    }

    [Fact]
    public async Task Where_the_token_before_cannot_be_read_none_is_given_and_no_save_is_called_lost()
    {
        var stage = new LeaseName(Stage);
        using (var lease = (await Store.TryLeaseAsync(stage, Holder(1), TimeSpan.FromMinutes(1), default)).Lease!)
        {
            _files.Before = o => _ = o.Verb == FileVerb.OpenRead && o.Path.EndsWith(".lock", StringComparison.Ordinal) ? throw new IOException("the medium") : 0;
            var save = await Assert.ThrowsAsync<CheckpointException>(async () => await Store.SaveAsync(Draft(fence: lease.Fence), default));
            Assert.Equal(CheckpointErrorKind.StoreUnavailable, save.Kind);
        }

        var take = await Assert.ThrowsAsync<CheckpointException>(async () => await Store.TryLeaseAsync(stage, Holder(2), TimeSpan.FromMinutes(1), default));

        Assert.Equal(CheckpointErrorKind.StoreUnavailable, take.Kind);
        _files.Before = null;
        using var free = (await Store.TryLeaseAsync(stage, Holder(2), TimeSpan.FromMinutes(1), default)).Lease;
        Assert.NotNull(free);
    }

    [Fact]
    public async Task Leases_of_other_things_are_others()
    {
        using var run = (await Take(Store, 1)).Lease;
        foreach (var other in new[] { new LeaseName("nightly", null, null), new LeaseName("nightly", "r2", null), new LeaseName("nightly", "r1", "run"), new LeaseName("other", "r1", null) })
        {
            using var taken = (await Store.TryLeaseAsync(other, Holder(2), default)).Lease;
            Assert.NotNull(taken);
        }
    }

    [Fact]
    public async Task Who_only_asks_makes_nothing_and_disturbs_nobody()
    {
        Assert.Null(await Store.FindLeaseAsync(Lease, default));
        Assert.False(Directory.Exists(Root));
        using (await TakeOrFail(1))
        {
        }

        using var stop = new CancellationTokenSource();
        var asking = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            var store = new FolderStore(Root);
            while (!stop.IsCancellationRequested)
                await store.FindLeaseAsync(Lease, default);
        })).ToList();
        for (var i = 0; i < 50; i++)
        {
            using var taken = await TakeOrFail(i + 1);
        }
        await stop.CancelAsync();
        await Task.WhenAll(asking);
    }

    [Fact]
    public async Task Who_only_asks_needs_no_right_to_write_and_is_not_taken_for_the_holder_by_another_who_asks()
    {
        (await Take(Store, 1)).Lease!.Dispose();
        _files.Forget();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
                Assert.Null(await Store.FindLeaseAsync(Lease, default));
        })));

        Assert.All(_files.Operations, o => Assert.Equal(FileVerb.IsLocked, o.Verb));
    }

    [Fact]
    public async Task One_is_kept_whatever_others_ask_or_try_in_vain()
    {
        using var lease = (await Take(Store, 1)).Lease!;
        await Take(new FolderStore(Root), 2);
        await Store.FindLeaseAsync(Lease, default);
        foreach (var most in new[] { 7, int.MaxValue })
        {
            _files.MaxRead = most;
            Assert.Null(await lease.WhyLostAsync(default));
        }
    }

    [UnixFact]
    public async Task One_whose_file_is_removed_is_lost_and_who_has_it_then_is_told()
    {
        var path = FolderLayout.LeasePath(Root, Lease);
        using var lease = (await Take(Store, 1)).Lease!;
        File.Delete(path);
        Assert.Equal($"its file '{path}' was removed", await lease.WhyLostAsync(default));
        using var other = (await Take(new FolderStore(Root), 2)).Lease!;
        Assert.Equal("it is that of process 2 of ci on build7, since 2026-03-01 12:00:00Z now", await lease.WhyLostAsync(default));
        Assert.Null(await other.WhyLostAsync(default));
    }

    [UnixFact]
    public async Task One_whose_file_says_something_else_is_lost()
    {
        using var lease = (await Take(Store, 1)).Lease!;
        // As on a share that forgot the lock: whoever has it now wrote into the file.
        var path = FolderLayout.LeasePath(Root, Lease);
        File.Delete(path);
        await File.WriteAllTextAsync(path, "something else");
        Assert.Equal("it is that of another now", await lease.WhyLostAsync(default));
    }

    [Fact]
    public async Task A_share_that_is_gone_is_an_error_of_the_store()
    {
        using var lease = (await Take(Store, 1)).Lease!;
        _files.Before = o => _ = o.Verb == FileVerb.OpenRead ? throw Fault.InputOutput.Make() : 0;
        Assert.Equal(CheckpointErrorKind.StoreUnavailable, (await Assert.ThrowsAsync<CheckpointException>(async () => await lease.WhyLostAsync(default))).Kind);
    }

    [UnixFact]
    public async Task A_holder_that_is_killed_never_blocks()
    {
        (await Take(Store, 1)).Lease!.Dispose();
        var path = FolderLayout.LeasePath(Root, Lease);
        if (OperatingSystem.IsMacOS())
            return; // flock(1) is a program of Linux.
        using var child = Process.Start(new ProcessStartInfo("flock", ["-x", "--no-fork", path, "sh", "-c", "echo held; exec sleep 600"]) { RedirectStandardOutput = true })!;
        Assert.Equal("held", await child.StandardOutput.ReadLineAsync());
        Assert.Null((await Take(Store, 2)).Lease);

        child.Kill();
        await child.WaitForExitAsync();

        using var taken = (await Take(Store, 3)).Lease;
        Assert.NotNull(taken);
    }

    [Fact]
    public async Task A_holder_of_whom_nothing_is_written_yet_is_no_error()
    {
        (await Take(Store, 1)).Lease!.Dispose();
        await File.WriteAllTextAsync(FolderLayout.LeasePath(Root, Lease), "");
        using var held = FileSystem.Current.OpenLocked(FolderLayout.LeasePath(Root, Lease));

        var attempt = await Take(Store, 2);

        Assert.Null(attempt.Lease);
        Assert.Null(attempt.Holder);
        Assert.Equal(0, (await Store.FindLeaseAsync(Lease, default))!.ProcessId);
        Assert.Contains("does not say which", CheckpointErrors.LeaseHeld(Lease, Root, attempt.Holder).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shorter_name_leaves_nothing_of_a_longer_one()
    {
        using (var lease = (await Store.TryLeaseAsync(Lease, Holder(1) with { User = new string('x', 300) }, default)).Lease)
        {
        }

        using var taken = (await Take(Store, 2)).Lease;

        Assert.Equal(Holder(2), await Store.FindLeaseAsync(Lease, default));
    }

    [Fact]
    public async Task A_folder_that_is_cleared_away_in_between_is_made_again()
    {
        var removals = 0;
        _files.Before = o =>
        {
            if (o.Verb == FileVerb.OpenLocked && removals++ < 3 && Directory.Exists(Root))
                Directory.Delete(Root, recursive: true);
        };

        using var taken = (await Take(Store, 1)).Lease;

        Assert.NotNull(taken);
    }

    [Theory]
    [InlineData(FileVerb.OpenLocked)]
    [InlineData(FileVerb.Write)]
    [InlineData(FileVerb.CreateDirectory)]
    public async Task A_fault_is_an_error_of_the_store(FileVerb verb)
    {
        foreach (var fault in Enum.GetValues<Fault>())
        {
            _files.Before = o => _ = o.Verb == verb ? throw fault.Make() : 0;
            var error = await Assert.ThrowsAsync<CheckpointException>(async () => await Take(Store, 1));
            _files.Before = null;

            Assert.Equal(fault.Kind(), error.Kind);
            Assert.Contains("run 'r1' of pipeline 'nightly'", error.Message, StringComparison.Ordinal);
            Assert.Null(await Store.FindLeaseAsync(Lease, default));
        }
    }

    private static LeaseHolder Holder(int process) => new("build7", "ci", process, Noon);

    private static ValueTask<LeaseAttempt> Take(FolderStore store, int process) => store.TryLeaseAsync(Lease, Holder(process), default);

    private async Task<IDisposable> TakeOrFail(int process)
    {
        var attempt = await Take(Store, process);
        Assert.NotNull(attempt.Lease);
        return attempt.Lease;
    }
}
