namespace Checkpoint;

/// <summary>A driver's payload as it is read: its errors are those of Checkpoint.</summary>
/// <param name="inner">The driver's stream; closed with this.</param>
/// <param name="faults">Makes the errors.</param>
/// <param name="stage">The stage that it is of.</param>
internal sealed class DriverPayload(Stream inner, DriverFaults faults, StageId stage) : OneWayStream
{
    public override int Read(Span<byte> buffer)
    {
        try
        {
            return inner.Read(buffer);
        }
        catch (Exception e) when (faults.Translate(e, $"Reading checkpoint {stage}", stage.Name) is { } error)
        {
            throw error;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
