using System.Collections;
using System.Collections.Specialized;
using System.Diagnostics.CodeAnalysis;
using System.Dynamic;
using System.Linq.Expressions;
using System.Management.Automation;

namespace Checkpoint;

/// <summary>
/// Hands out data in batches, and can be saved and restored between any two of them. It is one position in the data, not a list of batches: every <c>foreach</c> over it goes on
/// where the last one stopped.
/// </summary>
/// <remarks>
/// So PowerShell must not go through it where somebody only looks: <c>$it</c> at the prompt, in a string or at the end of a function. All of these ask for
/// <see cref="IEnumerable"/>, and by that it is a list of itself alone. A loop, and a pipeline that it is the input of, ask the object how it is converted to an
/// <see cref="IEnumerator"/>, as the protocol of dynamic objects has it, and get the batches.
/// </remarks>
[SuppressMessage("Design", "CA1010", Justification = "It is a list to PowerShell alone.")]
[SuppressMessage("Naming", "CA1710", Justification = "It is no collection, and must only pass for one.")]
public sealed class CheckpointIterator : IEnumerable, IDynamicMetaObjectProvider
{
    private readonly IList _data;
    private readonly BatchCursor _cursor;
    private readonly string? _fingerprint;

    internal CheckpointIterator(IList data, BatchPlan plan, long seed, string? fingerprint)
    {
        _data = data;
        _cursor = new BatchCursor(plan, seed);
        _fingerprint = fingerprint;
    }

    /// <summary>How many elements the data has.</summary>
    public int Count => _cursor.Plan.Count;

    public int BatchSize => _cursor.Plan.BatchSize;

    public int BatchesPerEpoch => _cursor.Plan.BatchesPerEpoch;

    public int Epochs => _cursor.Plan.Epochs;

    /// <summary>The epoch of the current batch, from 1; 0 before the first batch.</summary>
    public int Epoch => _cursor.Epoch;

    /// <summary>How many elements of this epoch were handed out, the current batch among them.</summary>
    public int Position => _cursor.Position;

    /// <summary>How many batches were handed out in all epochs, the current one among them.</summary>
    public long Step => _cursor.Step;

    public bool Shuffle => _cursor.Plan.Shuffle;

    public bool DropLast => _cursor.Plan.DropLast;

    /// <summary>What the random order follows from: what was given, drawn or, after a restore, saved.</summary>
    public long Seed => _cursor.Seed;

    /// <summary>The current batch, an array always; null before the first, after the last and after a restore.</summary>
    public object? Current { get; private set; }

    public bool MoveNext()
    {
        var moved = _cursor.MoveNext();
        Current = moved ? _cursor.Pick(i => _data[i]) : null;
        return moved;
    }

    /// <summary>The batches that are left. All enumerators of an iterator go on together.</summary>
    public IEnumerator GetEnumerator() => new Batches(this);

    IEnumerator IEnumerable.GetEnumerator()
    {
        yield return this;
    }

    DynamicMetaObject IDynamicMetaObjectProvider.GetMetaObject(Expression parameter) => new Meta(parameter, this);

    /// <summary>Back to before the first batch; the same batches follow again.</summary>
    public void Reset()
    {
        _cursor.Reset();
        Current = null;
    }

    /// <summary>All that it takes to go on with the next batch; not the data. The order of the elements is a copy.</summary>
    public OrderedDictionary GetState()
    {
        var at = _cursor.Capture();
        return new(StringComparer.OrdinalIgnoreCase)
        {
            ["generator"] = Xoshiro256StarStar.Name,
            ["generatorState"] = at.Generator,
            ["seed"] = at.Seed,
            ["epoch"] = at.Epoch,
            ["position"] = at.Position,
            ["indices"] = at.Indices,
            ["count"] = Count,
            ["batchSize"] = BatchSize,
            ["shuffle"] = Shuffle,
            ["dropLast"] = DropLast,
        };
    }

    /// <summary>Takes up a state of <see cref="GetState"/>: the next batch is the one that would have followed.</summary>
    /// <exception cref="ArgumentException">It is no such state, or that of another length, batch size or way to cut. Nothing changes.</exception>
    public void SetState(object? state)
    {
        if ((state is PSObject wrapper ? wrapper.BaseObject : state) is not IDictionary saved)
            throw new InvalidArgumentException("That is no state of an iterator: it is no dictionary.");
        RequireSame(saved, "generator", Xoshiro256StarStar.Name);
        RequireSame(saved, "count", Count);
        RequireSame(saved, "batchSize", BatchSize);
        RequireSame(saved, "shuffle", Shuffle);
        RequireSame(saved, "dropLast", DropLast);
        _cursor.Restore(new BatchPosition(Read<long>(saved, "seed"), Read<ulong[]>(saved, "generatorState"), Read<int>(saved, "epoch"), Read<int>(saved, "position"),
            saved["indices"] is null ? null : Read<int[]>(saved, "indices")));
        Current = null;
    }

    /// <summary>What must be the same where a state is restored.</summary>
    public OrderedDictionary GetIdentity()
    {
        var identity = new OrderedDictionary(StringComparer.OrdinalIgnoreCase)
        {
            ["type"] = nameof(CheckpointIterator),
            ["count"] = Count,
            ["batchSize"] = BatchSize,
            ["shuffle"] = Shuffle,
            ["dropLast"] = DropLast,
        };
        if (_fingerprint is not null)
            identity["fingerprint"] = _fingerprint;
        return identity;
    }

    private static void RequireSame<T>(IDictionary saved, string field, T own)
        where T : notnull
    {
        var value = Read<T>(saved, field);
        if (!value.Equals(own))
            throw new InvalidArgumentException($"That is the state of another iterator: its {field} is {value}, and here it is {own}.");
    }

    private static T Read<T>(IDictionary saved, string field)
    {
        var value = saved[field];
        return (value is PSObject wrapper ? wrapper.BaseObject : value) is T typed ? typed : throw new InvalidArgumentException($"That is no state of an iterator: it has no {field} of type {typeof(T).Name}.");
    }

    private sealed class Batches(CheckpointIterator iterator) : IEnumerator
    {
        public object? Current => iterator.Current;

        public bool MoveNext() => iterator.MoveNext();

        public void Reset() => iterator.Reset();
    }

    private sealed class Meta(Expression expression, CheckpointIterator iterator)
        : DynamicMetaObject(expression, BindingRestrictions.GetTypeRestriction(expression, typeof(CheckpointIterator)), iterator)
    {
        private static readonly DynamicMetaObject Nothing = new(Expression.Constant(new object()), BindingRestrictions.Empty, new object());

        private Expression Iterator => Expression.Convert(Expression, typeof(CheckpointIterator));

        public override DynamicMetaObject BindConvert(ConvertBinder binder) =>
            binder.Type != typeof(IEnumerator) ? base.BindConvert(binder) : new(Expression.Call(Iterator, nameof(GetEnumerator), null), Restrictions);

        // A property that there is not is asked of the elements, down to those of the batches: a mistyped name would use them up.
        public override DynamicMetaObject BindGetMember(GetMemberBinder binder)
        {
            if (!Lacks(iterator, binder.Name))
                return base.BindGetMember(binder);
            Expression<Func<CheckpointIterator, bool>> lacks = it => Lacks(it, binder.Name);
            return new(binder.FallbackGetMember(Nothing).Expression, Restrictions.Merge(BindingRestrictions.GetExpressionRestriction(Expression.Invoke(lacks, Iterator))));
        }

        private static bool Lacks(CheckpointIterator iterator, string property) => PSObject.AsPSObject(iterator).Members[property] is null;
    }
}
