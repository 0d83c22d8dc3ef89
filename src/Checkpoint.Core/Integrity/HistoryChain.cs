using System.Globalization;

namespace Checkpoint;

/// <summary>Follows the chain of a history line by line, and says where lines were changed, removed, added or moved.</summary>
/// <param name="folder">The folder of its pipeline, as it is listed.</param>
/// <param name="head">What the head says, read before the lines are; or null.</param>
/// <param name="mayBeTorn">Whether a crash or a loss of power can have left half a line; else that is damage.</param>
internal sealed class HistoryChain(string folder, HistoryLink? head, bool mayBeTorn = true)
{
    // What is wrong with more lines than these is told by their number.
    private const int MaxBreaks = 100;

    private readonly List<HistoryBreak> _breaks = [];
    private HistoryLink _newest = HistoryLink.Start;
    private DateTimeOffset? _newestTime;
    private string? _other;

    // Whether a line has the head's number, and whether one has its chain too.
    private bool _isHeadThere = head is { Number: 0 }, _isHeadRight = head == HistoryLink.Start;

    // Whether what stands before the next line was lost by the disk.
    private bool _isBehindHole;

    // The chain of the line before: as it says itself, and as it should be.
    private string _written = HistoryLink.Start.Chain, _computed = HistoryLink.Start.Chain;

    /// <summary>How many lines were added.</summary>
    public long Lines { get; private set; }

    /// <summary>How many of them end in a carriage return.</summary>
    public long Returns { get; private set; }

    /// <summary>How many of them a crash cut off.</summary>
    public int Torn { get; private set; }

    /// <summary>The first line that a crash cut off, from 1; 0 where there is none.</summary>
    public long FirstTorn { get; private set; }

    /// <summary>How many more breaks there are than <see cref="Breaks"/> tells.</summary>
    public int Untold { get; private set; }

    /// <summary>That in words.</summary>
    public string UntoldText => Invariant($"{Untold} more lines of the history were changed, removed, added or moved.");

    /// <summary>The breaks, in the order of the lines.</summary>
    public IReadOnlyList<HistoryBreak> Breaks => _breaks;

    /// <summary>Adds the next line.</summary>
    /// <param name="line">The line without its line feed.</param>
    public void Add(ReadOnlySpan<byte> line)
    {
        Lines++;
        // Zeros, which no writer writes, are what a loss of power leaves where a file has its length and not its content.
        if (mayBeTorn && line.Contains((byte)0))
        {
            AddTorn();
            _isBehindHole = true;
            return;
        }
        if (line.EndsWith("\r"u8))
        {
            Returns++;
            line = line[..^1];
        }
        if (!HistoryFormat.TryReadLink(line, out var link, out var length))
        {
            AddUnlinked(line);
            return;
        }
        _isHeadThere |= link.Number == head?.Number;
        _isHeadRight |= link == head;
        var body = line[..length];
        var entry = HistoryFormat.Parse(line, "");
        _computed = HistoryFormat.Chain(_written, body) is var chain && chain == link.Chain ? chain : HistoryFormat.Chain(_computed, body);
        var fits = _computed == link.Chain || HistoryFormat.Chain(_newest.Chain, body) == link.Chain;
        if (!fits)
            Break(entry?.Time, Explain(link, entry), IsLoss(line, link));
        else if (entry is not null && IsOfAnother(entry.Pipeline))
            Break(entry.Time, $"is of another pipeline, '{entry.Pipeline}'", false);
        _isBehindHole = false;
        if (fits || link.Number > _newest.Number)
            (_newest, _newestTime) = (link, entry?.Time);
        _written = link.Chain;
        if (fits && entry is { Event: CheckpointEvents.HistoryBroken })
            Acknowledge(entry.Time);
    }

    /// <summary>Says what the head tells of the lines' end.</summary>
    /// <returns>How many of the newest lines are missing, and whether the head itself cannot be right: it is one of none of the lines.</returns>
    public (long Missing, bool IsHeadWrong) End()
    {
        if (head is not { } known)
            return (0, false);
        if (known.Number == _newest.Number && known.Chain != _newest.Chain)
            Break(_newestTime, "was changed, with its chain: the head of the history knows another", false);
        return (Math.Max(0, known.Number - _newest.Number), known.Number < _newest.Number && _isHeadThere && !_isHeadRight);
    }

    private void AddUnlinked(ReadOnlySpan<byte> line)
    {
        // The one brace that closes a line is its last byte: what was cut off has none there.
        if (mayBeTorn && !line.EndsWith("}"u8))
        {
            AddTorn();
            return;
        }
        var entry = HistoryFormat.Parse(line, "");
        Break(entry?.Time, entry is null ? "was changed, or is no line of a history" : "is not in the chain: it was changed, or something else than Checkpoint added it", false);
    }

    // Of a history that was put here as a whole, the first line says it all.
    private bool IsOfAnother(string pipeline)
    {
        if (pipeline == _other || (CheckpointNames.IsName(pipeline) && FolderLayout.Escape(CheckpointNames.Compose(pipeline)) == FolderLayout.FoundName(folder)))
            return false;
        _other = pipeline;
        return true;
    }

    private void AddTorn()
    {
        Torn++;
        FirstTorn = FirstTorn == 0 ? Lines : FirstTorn;
    }

    private string Explain(HistoryLink link, CheckpointEvent? entry)
    {
        var next = _newest.Number + 1;
        if (link.Number == next)
            return entry is null ? "was changed so that it cannot be read" : $"was changed ('{entry}')";
        return link.Number < next
            ? Invariant($"stands out of its place, or was added: it has the number {link.Number}, and number {_newest.Number} stands before it")
            : Invariant($"follows a gap: {(link.Number - next == 1 ? $"line {next} was" : $"lines {next} to {link.Number - 1} were")} removed, or this one was changed");
    }

    // Zeros stand in the gap, or the writer itself found it when it appended the line.
    private bool IsLoss(ReadOnlySpan<byte> line, HistoryLink link) =>
        link.Number > _newest.Number + 1 && (_isBehindHole || line.IndexOf(System.Text.Encoding.ASCII.GetBytes(Invariant($",\"lost\":{link.Number - _newest.Number - 1},\"number\":"))) >= 0);

    private void Break(DateTimeOffset? time, string what, bool isLoss)
    {
        if (_breaks.Count == MaxBreaks)
            Untold++;
        else
            _breaks.Add(new HistoryBreak(Lines, Invariant($"Line {Lines} of the history{(time is { } at ? $" ({at:yyyy-MM-dd HH:mm:ss}Z)" : "")} {what}"), isLoss));
    }

    private void Acknowledge(DateTimeOffset time)
    {
        for (var i = 0; i < _breaks.Count; i++)
            _breaks[i] = _breaks[i] with { KnownSince = _breaks[i].KnownSince ?? time };
        Untold = 0;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
