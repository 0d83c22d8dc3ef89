using System.Globalization;

namespace Checkpoint;

/// <summary>The keys under which a driver's store keeps what.</summary>
internal static class DriverKeys
{
    public const string Checkpoint = "checkpoint", Run = "run", History = "history", Items = "items", ItemOutput = "item-output", Lease = "lease", ItemWorker = "item-worker", Breaker = "breaker", Quarantine = "quarantine";

    public static StoreKey Of(StageId stage, string kind = Checkpoint) => new(kind, CheckpointNames.Key(stage.Pipeline), KeyOf(stage.Run), CheckpointNames.Key(stage.Name));

    public static StoreKey OfRun(string pipeline, string run) => new(Run, CheckpointNames.Key(pipeline), CheckpointNames.Key(run), null);

    public static StoreKey OfHistory(string pipeline) => new(History, CheckpointNames.Key(pipeline), null, null);

    public static StoreKey Of(DocumentName document) => new(document.Kind, CheckpointNames.Key(document.Pipeline), null, CheckpointNames.Key(document.Name));

    public static StoreKey Of(LeaseName lease) => lease is { Name: { } stage, Worker: { } worker }
        // A number behind the name itself could be too long.
        ? new(Lease + "-worker", CheckpointNames.Key(lease.Pipeline), KeyOf(lease.Run), string.Create(CultureInfo.InvariantCulture, $"{ItemId.Of(CheckpointNames.Key(stage))}-{worker}"))
        : new(lease.Document is { } document ? Lease + "-" + document.Kind : Lease, CheckpointNames.Key(lease.Pipeline), KeyOf(lease.Run), KeyOf(lease.Name));

    /// <summary>What of a kind is meant: as far as a driver can tell; what fits a pattern is told afterwards.</summary>
    public static StoreQuery Query(string kind, NamePattern pipeline, NamePattern? run, NamePattern name) => new(kind, KeyOf(pipeline.Literal), KeyOf(run?.Literal), run is not null, KeyOf(name.Literal));

    private static string? KeyOf(string? name) => name is null ? null : CheckpointNames.Key(name);
}
