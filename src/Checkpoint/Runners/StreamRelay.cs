using System.Management.Automation;

namespace Checkpoint;

/// <summary>Hands on what a pipeline of its own wrote to the streams beside its output.</summary>
/// <param name="command">Through which it is written.</param>
public sealed class StreamRelay(Cmdlet command)
{
    private static readonly string[] HostTags = ["PSHOST"];

    private static readonly ScriptBlock WriteError = ScriptBlock.Create("param($__error) Write-Error -ErrorRecord $__error");

    private readonly List<ErrorRecord> _errors = [];

    /// <summary>Takes one record.</summary>
    public void Add(object? record)
    {
        switch (record is PSObject wrapped ? wrapped.BaseObject : record)
        {
            case ErrorRecord { FullyQualifiedErrorId: "NativeCommandError" or "NativeCommandErrorMessage" } line:
                // What a program says beside its output is often no error; else it would go to the terminal.
                command.WriteInformation(new HostInformationMessage { Message = line.ToString() }, HostTags);
                break;
            case ErrorRecord error:
                _errors.Add(error);
                break;
            case var other:
                StreamRecords.TryWrite(command, other);
                break;
        }
    }

    // Outside of that pipeline, and not by the cmdlet: the block went on over them, and the caller's preference must not judge them once more.
    internal void Complete()
    {
        foreach (var error in _errors)
            WriteError.InvokeWithContext(null, [new PSVariable("ErrorActionPreference", ActionPreference.Continue)], error);
    }
}
