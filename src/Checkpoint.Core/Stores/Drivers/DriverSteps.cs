using System.Collections;

namespace Checkpoint;

/// <summary>The steps of a stage, newest first, of which all but the newest are asked for when somebody wants to know them.</summary>
internal sealed class DriverSteps(long newest, Func<IReadOnlyList<long>> list) : IReadOnlyList<long>
{
    // What was saved since is not part of this listing.
    private readonly Lazy<IReadOnlyList<long>> _all = new(() => [newest, .. list().Where(step => step < newest)]);

    public int Count => _all.Value.Count;

    public long this[int index] => index == 0 ? newest : _all.Value[index];

    public IEnumerator<long> GetEnumerator()
    {
        yield return newest;
        for (var i = 1; i < _all.Value.Count; i++)
            yield return _all.Value[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
