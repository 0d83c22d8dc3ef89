namespace Checkpoint.Tests;

/// <summary>Some work on a store during which the power may go or the disk fail, and what may be seen afterwards.</summary>
/// <param name="name">The scenario's name.</param>
/// <param name="legal">What may be seen, in the words of the look, before anything is acknowledged; after the first acknowledgement; and so on.</param>
internal sealed class StoreScenario(string name, params string[][] legal)
{
    public string Name => name;

    /// <summary>What is there, and durable, in the beginning.</summary>
    public Func<StoreRig, Task> Arrange { get; init; } = _ => Task.CompletedTask;

    /// <summary>The work. It is acknowledged when it returns, and where it says so.</summary>
    public required Func<StoreRig, Task> Work { get; init; }

    /// <summary>Says what can be seen in a store.</summary>
    public Func<StoreRig, Task<string>> Look { get; init; } = rig => rig.LookAtStages();

    /// <summary>Goes on with the work; throws where that cannot be done.</summary>
    public Func<StoreRig, Task> GoOn { get; init; } = rig => rig.SaveAndClear();

    /// <summary>The folders of which a flush can be left out here, and nothing is lost.</summary>
    public string[] Spare { get; init; } = [];

    public bool IsLegal(string seen, int acknowledged) => legal[acknowledged].Contains(seen);

    public string Legal(int acknowledged) => string.Join("' or '", legal[acknowledged]);

    /// <summary>Does the work in a folder of its own, and writes down what it does to the disk.</summary>
    public async Task<DiskRecorder> RecordAsync()
    {
        using var temp = new TempFolder();
        var rig = new StoreRig(temp.Path);
        await Arrange(rig);
        // What was made with this store is forgotten, as by a process of its own.
        rig = new StoreRig(temp.Path);
        var disk = rig.Disk = new DiskRecorder(temp.Path, rig.Files);
        await Work(rig);
        rig.Acknowledge();
        return disk;
    }
}
