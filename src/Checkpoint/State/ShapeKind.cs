namespace Checkpoint;

/// <summary>What a value is to state and to fingerprints, which see objects in the same way.</summary>
internal enum ShapeKind
{
    /// <summary>null, a scalar.</summary>
    Scalar,

    /// <summary>An XML document.</summary>
    Xml,

    /// <summary>Values in order.</summary>
    List,

    /// <summary>Keys and values.</summary>
    Map,

    /// <summary>A <c>[pscustomobject]</c>.</summary>
    Object,

    /// <summary>Any other object: kept as PowerShell remoting would.</summary>
    Live,

    /// <summary>A secret.</summary>
    Secret,
}
