namespace Checkpoint;

/// <summary>Something to be said to a CI system.</summary>
/// <param name="Text">The text: a line of the log without its end, or what is appended to the file.</param>
/// <param name="File">The file, "" where the system named none, so that it cannot be said; or null for the log.</param>
internal readonly record struct StepText(string Text, string? File);
