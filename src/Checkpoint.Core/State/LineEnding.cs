namespace Checkpoint;

/// <summary>How the lines of a text end.</summary>
/// <param name="NewLine">What stands between two lines, and behind the last.</param>
/// <param name="IsUnended">Whether nothing stands behind the last.</param>
internal readonly record struct LineEnding(string NewLine, bool IsUnended)
{
    private const string NewLineFact = "NewLine", UnendedFact = "Unended";

    /// <summary>As this system has it.</summary>
    public static LineEnding OfSystem { get; } = new(Environment.NewLine, false);

    /// <summary>How the lines ended of what is kept as a list of them; as this system has it, where the metadata does not say.</summary>
    public static LineEnding Of(CheckpointInfo checkpoint) => new(
        checkpoint.Metadata.GetValueOrDefault(NewLineFact) switch { "crlf" => "\r\n", "lf" => "\n", _ => Environment.NewLine },
        checkpoint.Metadata.GetValueOrDefault(UnendedFact) is true);

    /// <summary>Adds to metadata what must be known to write the same bytes again, on whatever system.</summary>
    public void AddTo(IDictionary<string, object?> metadata)
    {
        if (NewLine == "\r\n")
            metadata[NewLineFact] = "crlf";
        else if (OperatingSystem.IsWindows())
            metadata[NewLineFact] = "lf";
        if (IsUnended)
            metadata[UnendedFact] = true;
    }
}
