namespace Checkpoint.Tests;

/// <summary>One of those who work on the items of a stage together.</summary>
internal sealed class SharedWorker : IDisposable
{
    private SharedWorker(ItemRun run, int atOnce) => (Run, Share) = (run, run.Share(atOnce));

    public ItemRun Run { get; }

    public ItemShare Share { get; }

    public List<string> Did { get; } = [];

    /// <summary>The key of an item that it fails at.</summary>
    public string? Failing { get; set; }

    /// <summary>What each item gives, to be kept.</summary>
    public TestState? Output { get; set; }

    /// <summary>Called while an item is done.</summary>
    public Action OnItem { get; set; } = () => { };

    /// <summary>Whether items are left of which it does not know what became of them.</summary>
    public bool IsOpen => !Share.IsEmpty;

    public static async Task<SharedWorker> Join(CheckpointEngine engine, ItemWork work, TimeProvider time, int atOnce = 1) => new(await ItemRun.StartAsync(engine, work, time, null, default), atOnce);

    public void Add(string keys)
    {
        foreach (var key in keys.Split(' '))
        {
            if (Run.Next(ItemId.Of(key)) == ItemDecision.Run)
                Share.Add(new SharedItem(null, ItemId.Of(key), key));
        }
    }

    /// <summary>Adds its last items.</summary>
    public void AddAll(string keys)
    {
        Add(keys);
        Share.End();
    }

    /// <summary>Does so many items; says whether there were as many.</summary>
    public bool Go(int count)
    {
        while (count > 0 && Share.TryNext(out var decision, out var item, default))
        {
            if (decision != ItemDecision.Run)
            {
                Run.Ended(decision);
                continue;
            }
            count--;
            Run.BeginItemAsync(default).AsTask().GetAwaiter().GetResult();
            OnItem();
            if (item.Key == Failing)
            {
                Run.Failed(item.Id, item.Key, new InvalidOperationException("broke"));
                continue;
            }
            Did.Add(item.Key);
            Assert.Null(Run.TryDone(item.Id, item.Key, Output, out _, default));
            Run.Journal.Flush();
        }
        return count == 0;
    }

    public void Dispose()
    {
        Share.Dispose();
        Run.Dispose();
    }
}
