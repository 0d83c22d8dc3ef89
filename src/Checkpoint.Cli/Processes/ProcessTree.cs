using System.Diagnostics;
using System.Globalization;

namespace Checkpoint.Cli;

/// <summary>A process with all that it has started and that lives: what a terminal's Ctrl+C would reach.</summary>
internal sealed class ProcessTree
{
    private readonly List<(int Id, DateTime StartedAt)> _members = [];

    /// <summary>Takes note of who is there now.</summary>
    public ProcessTree(int root)
    {
        var children = Parents().ToLookup(p => p.Parent, p => p.Id);
        var open = new Queue<int>([root]);
        while (open.TryDequeue(out var id))
        {
            if (StartOf(id) is { } at)
                _members.Add((id, at));
            foreach (var child in children[id])
                open.Enqueue(child);
        }
    }

    /// <summary>Those that live still; another process that has got the id of one is none of them.</summary>
    public IEnumerable<int> Living => _members.Where(m => StartOf(m.Id) == m.StartedAt).Select(m => m.Id);

    private static DateTime? StartOf(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return process.StartTime;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static IEnumerable<(int Id, int Parent)> Parents() => OperatingSystem.IsLinux() ? FromProc() : FromPs();

    // proc(5): the id, the name in brackets, which may hold anything, the state, the parent.
    private static IEnumerable<(int Id, int Parent)> FromProc()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                continue;
            string stat;
            try
            {
                stat = File.ReadAllText(Path.Join(folder, "stat"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended meanwhile.
                continue;
            }
            if (stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var parent, ..])
                yield return (id, int.Parse(parent, CultureInfo.InvariantCulture));
        }
    }

    private static IEnumerable<(int Id, int Parent)> FromPs()
    {
        using var ps = Process.Start(new ProcessStartInfo("ps", ["-A", "-o", "pid=,ppid="]) { RedirectStandardOutput = true })!;
        foreach (var line in ps.StandardOutput.ReadToEnd().Split('\n'))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var id, var parent])
                yield return (int.Parse(id, CultureInfo.InvariantCulture), int.Parse(parent, CultureInfo.InvariantCulture));
        }
    }
}
