using System.Management.Automation;

namespace Checkpoint;

/// <summary>Has Remove-Module wait for the saves that go on behind the work, and tell of those that failed.</summary>
public sealed class ModuleRemoval : IModuleAssemblyCleanup
{
    public void OnRemove(PSModuleInfo psModuleInfo)
    {
        PendingSaves.OfProcess.Wait((_, _) => true, CancellationToken.None);
        ProcessEnd.FinishReplicas();
        var failures = new List<Exception>();
        while (PendingSaves.OfProcess.TakeFailure((_, _) => true, null, out _) is { } failure)
            failures.Add(failure);
        if (failures.Count > 0)
            throw failures.Count == 1 ? failures[0] : new AggregateException(failures);
    }
}
