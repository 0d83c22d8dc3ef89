using System.Collections;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.New, "CheckpointIterator")]
[OutputType(typeof(CheckpointIterator))]
public sealed class NewCheckpointIteratorCommand : ContextCommand
{
    private readonly List<object?> _piped = [];

    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object? InputObject { get; set; }

    [Parameter(Mandatory = true)]
    [ValidateRange(1, int.MaxValue)]
    public int BatchSize { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int Epochs { get; set; } = 1;

    [Parameter]
    public SwitchParameter Shuffle { get; set; }

    [Parameter]
    public long Seed { get; set; }

    [Parameter]
    public SwitchParameter DropLast { get; set; }

    [Parameter]
    [AllowNull]
    [AllowEmptyString]
    [AllowEmptyCollection]
    public object? Fingerprint { get; set; }

    protected override void Begin()
    {
        if (MyInvocation.ExpectingInput && IsGiven(nameof(InputObject)))
            throw new InvalidArgumentException("Give the data either through the pipeline or as -InputObject, not both.");
    }

    protected override void Process()
    {
        if (MyInvocation.ExpectingInput)
            _piped.Add(InputObject);
    }

    protected override void End()
    {
        var data = MyInvocation.ExpectingInput ? _piped.ToArray() : Materialize(InputObject);
        var plan = new BatchPlan { Count = data.Count, BatchSize = BatchSize, Epochs = Epochs, Shuffle = Shuffle, DropLast = DropLast };
        var fingerprint = IsGiven(nameof(Fingerprint)) ? ObjectFingerprint.Of(Fingerprint, Cancellation).Value : null;
        WriteObject(new CheckpointIterator(data, plan, IsGiven(nameof(Seed)) ? Seed : Random.Shared.NextInt64(), fingerprint), enumerateCollection: false);
    }

    // What foreach would see. An array has its length for good and is taken as it is; everything else may change or can be read once only, so its elements are gathered now.
    private IList Materialize(object? input)
    {
        var value = input is PSObject wrapper ? wrapper.BaseObject : input;
        if (value is Array { Rank: 1 } array && array.GetType().IsSZArray)
            return array;
        if (LanguagePrimitives.GetEnumerator(input) is not { } items)
            return value is null ? [] : new[] { input };
        var all = new List<object?>();
        while (items.MoveNext())
        {
            Cancellation.ThrowIfCancellationRequested();
            all.Add(items.Current);
        }
        return all.ToArray();
    }
}
