using System.Management.Automation;
using System.Runtime.ExceptionServices;

namespace Checkpoint;

/// <summary>
/// Runs code in a <c>try</c> of PowerShell's. There every terminating error ends a block, whatever the error preference; elsewhere it would depend on whether the caller
/// of the cmdlet has a <c>try</c>, and under SilentlyContinue even a <c>throw</c> be passed over.
/// </summary>
internal static class TryBlock
{
    private static readonly ScriptBlock Try = ScriptBlock.Create("param($__run) try { $__run.Invoke() } catch { throw }");

    /// <exception cref="Exception">What the code throws, as it is.</exception>
    public static void Invoke(Action run) => Invoke(run, static kept => Try.InvokeWithContext(null, null, kept));

    /// <param name="run">The code.</param>
    /// <param name="call">Calls what it is given in a <c>try</c>.</param>
    /// <exception cref="Exception">What the code throws, as it is.</exception>
    public static void Invoke(Action run, Action<Action> call)
    {
        ExceptionDispatchInfo? fault = null;
        call(() =>
        {
            try
            {
                run();
            }
            catch (Exception e)
            {
                // Kept from PowerShell, which would wrap it.
                fault = ExceptionDispatchInfo.Capture(e);
            }
        });
        fault?.Throw();
    }
}
