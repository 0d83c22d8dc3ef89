namespace Checkpoint;

/// <summary>The newest intact checkpoint of a stage.</summary>
/// <param name="Step">Its step.</param>
/// <param name="Steps">How many steps are saved.</param>
/// <param name="SavedAt">When it was saved, UTC.</param>
/// <param name="StateSize">The size of its state in bytes, or null for none.</param>
/// <param name="Encrypted">Whether its state is encrypted.</param>
/// <param name="OutputFiles">How many output files it declares.</param>
internal sealed record ReportCheckpoint(long Step, int Steps, DateTimeOffset SavedAt, long? StateSize, bool Encrypted, int OutputFiles);
