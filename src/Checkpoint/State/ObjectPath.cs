using System.Globalization;
using System.Management.Automation;
using System.Text;

namespace Checkpoint;

/// <summary>Where in a nested value a walk stands, with the two rules of nesting: no cycle, and at most 100 levels.</summary>
/// <param name="root">What the path begins with.</param>
/// <param name="isSecret">Whether what is walked through will be encrypted: then neither keys of tables nor what objects throw is told, for messages go to logs and into the history.</param>
internal sealed class ObjectPath(string root, bool isSecret = false)
{
    /// <summary>The most levels of lists, tables and objects inside one another.</summary>
    public const int MaxDepth = 100;

    private readonly List<object> _containers = [];
    private readonly List<object?> _steps = [];

    /// <summary>Goes into a list, table or object.</summary>
    /// <exception cref="UnkeptValueException">A cycle, or too many levels.</exception>
    public void Enter(object container)
    {
        for (var i = 0; i < _containers.Count; i++)
        {
            if (ReferenceEquals(_containers[i], container))
                throw CheckpointErrors.NotSerializable(ToString(), $"it refers back to {ToString(i)}, a cycle");
        }
        if (_containers.Count == MaxDepth)
            throw CheckpointErrors.NotSerializable(ToString(), $"it is nested deeper than {MaxDepth} levels");
        _containers.Add(container);
        _steps.Add(null);
    }

    /// <summary>How many levels above the place where the walk stands a container is, or null where the walk is not in it.</summary>
    public int? LevelsUpTo(object container)
    {
        var at = _containers.FindLastIndex(c => ReferenceEquals(c, container));
        return at < 0 ? null : _containers.Count - at;
    }

    /// <summary>Names the member of the innermost container that comes next: a property, or an index.</summary>
    public void At(object step) => _steps[^1] = step;

    /// <summary>Names the entry of the innermost table that comes next by its key, or by its number where the key is nobody's business.</summary>
    public void AtKey(object key)
    {
        if (!isSecret)
            _steps[^1] = key;
        else if (_steps[^1] is HiddenKey entry)
            entry.Number++;
        else
            _steps[^1] = new HiddenKey();
    }

    /// <summary>A key for a message.</summary>
    public string Quote(object key) => isSecret ? "of an entry" : $"'{key}'";

    public void Leave()
    {
        _containers.RemoveAt(_containers.Count - 1);
        _steps.RemoveAt(_steps.Count - 1);
    }

    /// <summary>Goes through objects, whose properties and enumerators may be anybody's: what they throw is told of the place where the walk stands.</summary>
    /// <exception cref="UnkeptValueException">Something in an object cannot be read.</exception>
    public T Walk<T>(Func<T> walk)
    {
        try
        {
            return walk();
        }
        catch (Exception e) when (IsOfObject(e))
        {
            throw Unreadable(e);
        }
    }

    /// <summary>Whether an exception is neither ours nor a call to stop.</summary>
    public static bool IsOfObject(Exception error) =>
        error is not (UnkeptValueException or CheckpointException or UnreadableFileException or OperationCanceledException or PipelineStoppedException or FlowControlException or OutOfMemoryException);

    /// <summary>Where the walk stands, there is something that cannot be read.</summary>
    public UnkeptValueException Unreadable(Exception error) => CheckpointErrors.NotSerializable(ToString(), $"it cannot be read ({(isSecret ? error.GetType().Name : error.Message.TrimEnd('.'))})", error);

    /// <summary>The path as PowerShell would write it: <c>$state.users[3].name</c>.</summary>
    public override string ToString() => ToString(_steps.Count);

    private string ToString(int depth)
    {
        var path = new StringBuilder(root);
        foreach (var step in _steps.Take(depth))
        {
            // A level that shows no step of its own, such as a live collection around its items.
            if (step is null)
                continue;
            var text = Convert.ToString(step, CultureInfo.InvariantCulture) ?? "";
            if (step is int or HiddenKey)
                path.Append('[').Append(text).Append(']');
            else if (text.Length > 0 && text.All(c => char.IsLetterOrDigit(c) || c == '_'))
                path.Append('.').Append(text);
            else
                path.Append("['").Append(text.Replace("'", "''", StringComparison.Ordinal)).Append("']");
        }
        return path.ToString();
    }

    private sealed class HiddenKey
    {
        public int Number { get; set; } = 1;

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"entry {Number}");
    }
}
