namespace Checkpoint.Stores.PostgreSql;

/// <summary>Which step a save is for.</summary>
internal enum StepRule
{
    /// <summary>One above the highest.</summary>
    Next,

    /// <summary>The given one, which must be free.</summary>
    New,

    /// <summary>The given one, replaced where it is there.</summary>
    Overwrite,
}
