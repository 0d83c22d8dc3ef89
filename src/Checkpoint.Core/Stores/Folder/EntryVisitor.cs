namespace Checkpoint;

/// <summary>Is shown an entry of a folder.</summary>
internal delegate void EntryVisitor(ReadOnlySpan<char> name, bool isDirectory);
