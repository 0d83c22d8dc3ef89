namespace Checkpoint.Tests;

/// <summary>The work that a loss of power, or a failing disk, interrupts.</summary>
internal static class StoreScenarios
{
    private static readonly StageId Other = new("nightly", null, "other");
    private const string StagePath = "store/nightly/stages/ingest";

    private static readonly string[] Above = ["store/nightly/stages", "store/nightly", "store", "."];
    private static readonly byte[] Output = TestState.Large(9, 10_000).Blob;

    public static StoreScenario[] All { get; } =
    [
        new("first save", ["", "ingest 1=a"], ["ingest 1=a"])
        {
            Work = rig => rig.Save(TestState.Small("a")),
        },
        new("first save with a payload", ["", "ingest 1=L1"], ["ingest 1=L1"])
        {
            Work = rig => rig.Save(TestState.Large(1)),
        },
        new("first save in folders that another process makes", ["", "ingest 1=a"], ["ingest 1=a"])
        {
            Work = async rig =>
            {
                // Its own disk operations do not fail.
                var before = rig.Files.Before;
                rig.Files.Before = null;
                FolderTree.Create(rig.Files, rig.StageFolder);
                rig.Files.Before = before;
                await rig.Save(TestState.Small("a"));
            },
        },
        new("next step", ["ingest 1=a", "ingest 2=b 1=a"], ["ingest 2=b 1=a"])
        {
            Arrange = rig => rig.Save(TestState.Small("a")),
            Work = rig => rig.Save(TestState.Small("b")),
        },
        new("first save of a state that fills the record", ["", "ingest 1=W1"], ["ingest 1=W1"])
        {
            Work = rig => rig.Save(StoreRig.Wide(1)),
        },
        new("next step of a state that fills the record", ["ingest 1=W1", "ingest 2=W2 1=W1"], ["ingest 2=W2 1=W1"])
        {
            Arrange = rig => rig.Save(StoreRig.Wide(1)),
            Work = rig => rig.Save(StoreRig.Wide(2)),
        },
        new("overwrite of a state that fills the record", ["ingest 1=W1", "ingest 1=W2"], ["ingest 1=W2"])
        {
            Arrange = rig => rig.Save(StoreRig.Wide(1)),
            Work = rig => rig.Save(StoreRig.Wide(2), 1, overwrite: true),
        },
        new("large payload", ["ingest 1=L1", "ingest 2=L2 1=L1"], ["ingest 2=L2 1=L1"])
        {
            Arrange = rig => rig.Save(TestState.Large(1)),
            Work = rig => rig.Save(TestState.Large(2, 300_000)),
        },
        new("large payload that goes past the cache", ["ingest 1=a", "ingest 2=L2 1=a"], ["ingest 2=L2 1=a"])
        {
            Arrange = rig => rig.Save(TestState.Small("a")),
            Work = rig => rig.SaveCaptured(TestState.Large(2, 1_100_000)),
        },
        new("overwrite", ["ingest 1=a", "ingest 1=b"], ["ingest 1=b"])
        {
            Arrange = rig => rig.Save(TestState.Small("a")),
            Work = rig => rig.Save(TestState.Small("b"), 1, overwrite: true),
        },
        new("overwrite with a payload", ["ingest 1=L1", "ingest 1=L2"], ["ingest 1=L2"])
        {
            Arrange = rig => rig.Save(TestState.Large(1)),
            Work = rig => rig.Save(TestState.Large(2), 1, overwrite: true),
        },
        new("overwrite of a payload by a small state", ["ingest 1=L1", "ingest 1=b"], ["ingest 1=b"])
        {
            Arrange = rig => rig.Save(TestState.Large(1)),
            Work = rig => rig.Save(TestState.Small("b"), 1, overwrite: true),
        },
        new("save with -Keep 1", ["ingest 2=L2 1=a", "ingest 3=L3 2=L2 1=a", "ingest 3=L3 2=L2", "ingest 3=L3 1=a", "ingest 3=L3"], ["ingest 3=L3"])
        {
            Arrange = async rig =>
            {
                await rig.Save(TestState.Small("a"));
                await rig.Save(TestState.Large(2));
            },
            Work = rig => rig.SaveAndKeepOne(TestState.Large(3)),
            // What is pruned may go in any order, for a newer step stays. Clearing, which is the same code, must flush in between.
            Spare = [StagePath],
        },
        // Never one without the latest but with an older one.
        new("clear", ["ingest 2=L2 1=L1", "ingest 2=L2", ""], [""])
        {
            Arrange = async rig =>
            {
                await rig.Save(TestState.Large(1));
                await rig.Save(TestState.Large(2));
            },
            Work = async rig => await rig.Store.RemoveAsync(StoreRig.Stage, null, default),
            // That a removed folder is gone for good; were it back, it would be empty.
            Spare = Above,
        },
        new("clear, then save", ["ingest 1=a", ""], ["", "ingest 1=b"], ["ingest 1=b"])
        {
            Arrange = rig => rig.Save(TestState.Small("a")),
            Work = async rig =>
            {
                await rig.Store.RemoveAsync(StoreRig.Stage, null, default);
                rig.Acknowledge();
                await rig.Save(TestState.Small("b"));
            },
            // The record is gone when its folder is, or the other way round. And a save cannot know that who made the store has flushed what is above it.
            Spare = [StagePath, .. Above],
        },
        new("two saves, the first acknowledged", ["", "ingest 1=L1"], ["ingest 1=L1", "ingest 2=b 1=L1"], ["ingest 2=b 1=L1"])
        {
            Work = async rig =>
            {
                await rig.Save(TestState.Large(1));
                rig.Acknowledge();
                await rig.Save(TestState.Small("b"));
            },
        },
        // The other is saved while this one is about to become visible.
        new("two stages at once", ["", "other 1=L2"], ["other 1=L2", "ingest 1=L1; other 1=L2"], ["ingest 1=L1; other 1=L2"])
        {
            Work = async rig =>
            {
                var isFirst = true;
                var before = rig.Files.Before;
                rig.Files.Before = operation =>
                {
                    before?.Invoke(operation);
                    if (!isFirst || !operation.IsRename || operation.Kind != FolderEntryKind.Record)
                        return;
                    isFirst = false;
                    rig.Save(TestState.Large(2), stage: Other).GetAwaiter().GetResult();
                    rig.Acknowledge();
                };
                await rig.Save(TestState.Large(1));
            },
            // Both flush the folders that they share, for neither can know whether the other comes to it.
            Spare = Above,
        },
        new("save beside what a crash left", ["ingest 1=a", "ingest 2=L2 1=a"], ["ingest 2=L2 1=a"])
        {
            Arrange = async rig =>
            {
                await rig.Save(TestState.Small("a"));
                await rig.LeaveBehind();
            },
            Work = rig => rig.Save(TestState.Large(2)),
        },
        new("first record of a run", ["", "attempt 1"], ["attempt 1"])
        {
            Work = rig => rig.WriteRun(1),
            Look = rig => rig.LookAtRun(),
            GoOn = rig => rig.WriteRun(3),
        },
        new("record of a run", ["attempt 1", "attempt 2"], ["attempt 2"])
        {
            Arrange = rig => rig.WriteRun(1),
            Work = rig => rig.WriteRun(2),
            Look = rig => rig.LookAtRun(),
            GoOn = rig => rig.WriteRun(3),
        },
        new("record of a circuit breaker", ["", "1 failures"], ["1 failures", "2 failures"], ["2 failures"])
        {
            Work = async rig =>
            {
                await rig.WriteBreaker(1);
                rig.Acknowledge();
                await rig.WriteBreaker(2);
            },
            Look = rig => rig.LookAtBreaker(),
            GoOn = rig => rig.WriteBreaker(3),
        },
        new("items in two batches", ["", "a", "b", "a b"], ["a b", "a b C", "a b d", "a b C d"], ["a b C d"])
        {
            Work = async rig =>
            {
                await rig.AppendItems("a", "b");
                rig.Acknowledge();
                await rig.AppendItems("C", "d");
            },
            Look = rig => rig.LookAtItems(),
            // Flushed for the journal, and once more for the file of outputs.
            Spare = Above,
            GoOn = rig => rig.AppendLater(),
        },
        new("save with an output file", ["NotFound", "Completed", "OutputChanged"], ["Completed", "OutputChanged"])
        {
            Work = rig => rig.SaveOutput(Output),
            Look = rig => rig.LookAtOutput(Output),
        },
        new("repair of a damaged payload", ["2 1, a, kept", "1, a, kept"], ["1, a, kept"])
        {
            Arrange = rig => rig.SaveAndDamage(),
            Work = rig => rig.Repair(),
            Look = rig => rig.LookAtDamage(),
            // What comes to the quarantine is there when it is gone from the stage; and a payload that is in both is of no record.
            Spare = [StagePath, "store/~quarantine/20260301T120000Z-12345678/nightly/stages/ingest"],
            GoOn = rig => rig.RepairAndGoOn(rig.SaveAndClear),
        },
        new("repair of a journal of items", ["a, there", "a, kept"], ["a, kept"])
        {
            Arrange = rig => rig.AppendAndDamage(),
            Work = rig => rig.Repair(),
            Look = rig => rig.LookAtDamagedItems(),
            GoOn = rig => rig.RepairAndGoOn(rig.AppendLater),
        },
        new("repair of what a crash left", ["ingest 1=a"], ["ingest 1=a"])
        {
            Arrange = async rig =>
            {
                await rig.Save(TestState.Small("a"));
                await rig.LeaveBehind();
            },
            Work = rig => rig.Repair(),
            GoOn = rig => rig.RepairAndGoOn(rig.SaveAndClear),
        },
        new("change of the key", ["L1 old", "L1 new"], ["L1 new"])
        {
            Arrange = rig => rig.SaveSealed(TestState.Large(1)),
            Work = rig => rig.UpdateKey(),
            Look = rig => rig.LookAtSealed(),
            GoOn = rig => rig.UpdateAndClear(rig.UpdateKey, rig.LookAtSealed),
        },
        new("change of the key of items", ["C E old", "C E new"], ["C E new"])
        {
            Arrange = async rig =>
            {
                await rig.SaveSealed(TestState.Small("a"));
                await rig.AppendSealedItems("C", "E");
            },
            Work = rig => rig.UpdateItemKeys(),
            Look = rig => rig.LookAtSealedItems(),
            GoOn = rig => rig.UpdateAndClear(rig.UpdateItemKeys, rig.LookAtSealedItems),
        },
        // It is not flushed: any of it may be lost, and nobody is said to have changed it.
        new("history", [""], [""], [""])
        {
            Arrange = rig => rig.AppendEvents("1", "2"),
            Work = async rig =>
            {
                await rig.AppendEvents("3", "4", "5");
                rig.Acknowledge();
                await rig.AppendEvents("6");
                await rig.AppendEvents("7");
            },
            Look = rig => rig.LookAtHistory(),
            GoOn = rig => rig.AppendEventAndRead(),
        },
        new("first lines of a history", [""], [""])
        {
            Work = async rig =>
            {
                await rig.AppendEvents("1");
                await rig.AppendEvents("2", "3");
            },
            Look = rig => rig.LookAtHistory(),
            GoOn = rig => rig.AppendEventAndRead(),
        },
    ];
}
