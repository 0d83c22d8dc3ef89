using System.Collections;
using System.Management.Automation;
using System.Runtime.ExceptionServices;

namespace Checkpoint;

/// <summary>Calls what a user hooked to a pipeline. One that throws is a warning, and the rest are still called.</summary>
internal sealed class PipelineHooks
{
    public static readonly string[] Names = ["BeforePipeline", "AfterPipeline", "BeforeStage", "AfterStage", "OnStageFailure", "OnRetry", "OnCircuitBreaker"];

    // Called as a script calls it, and not from without: its streams go where those of a block go, and what it writes as an error is thrown as there.
    private static readonly ScriptBlock Method = ScriptBlock.Create("param($__call) $null = $__call[0].($__call[1])($__call[2])");

    private readonly object[] _hooks;
    private readonly BlockInvoker _invoker;
    private readonly PSCmdlet _command;

    /// <exception cref="InvalidArgumentException">A hook has none of the names, or something that cannot be called.</exception>
    public PipelineHooks(object[] hooks, PSCmdlet command)
    {
        _hooks = hooks;
        // Whatever -ErrorAction says of the pipeline: a hook that wrote an error did not do its work, and that is to be told.
        _invoker = new BlockInvoker(command, ActionPreference.Stop);
        _command = command;
        foreach (var hook in hooks)
            Check(hook);
    }

    public void Call(HookEvent e)
    {
        Exception? interruption = null;
        foreach (var hook in _hooks)
        {
            // Where the user stopped the pipeline no script runs any more, and yet a log is to say so.
            if (interruption is not null && Unwrap(hook) is not IPipelineHook)
                continue;
            try
            {
                Call(hook, e);
            }
            catch (Exception error) when (error is FlowInterruptedException or PipelineStoppedException)
            {
                interruption ??= error;
            }
            catch (Exception error)
            {
                _command.Warn($"The hook {e.Hook} of pipeline '{e.Pipeline}' failed and was passed over: {BlockErrors.CauseOf(error).Message}");
            }
        }
        if (interruption is not null)
            ExceptionDispatchInfo.Throw(interruption);
    }

    private static void Check(object hook)
    {
        if (Unwrap(hook) is IPipelineHook)
            return;
        if (Unwrap(hook) is IDictionary table)
        {
            foreach (var key in table.Keys)
            {
                var name = LanguagePrimitives.ConvertTo<string>(key);
                if (!Names.Contains(name, StringComparer.OrdinalIgnoreCase) || Unwrap(table[key]) is not ScriptBlock)
                    throw new InvalidArgumentException($"A hook '{name}' cannot be called. The names are {string.Join(", ", Names)}, and each is a script block.");
            }
            return;
        }
        if (!Names.Any(name => Member(hook, name) is not null))
            throw new InvalidArgumentException($"The hook '{hook}' has none of {string.Join(", ", Names)} as a method or a property with a script block.");
    }

    private void Call(object hook, HookEvent e)
    {
        if (Unwrap(hook) is IPipelineHook own)
        {
            own.On(e);
            return;
        }
        var member = Unwrap(hook) is IDictionary table
            ? table.Keys.Cast<object>().Where(key => e.Hook.Equals(LanguagePrimitives.ConvertTo<string>(key), StringComparison.OrdinalIgnoreCase)).Select(key => Unwrap(table[key])).FirstOrDefault()
            : Member(hook, e.Hook);
        if (member is PSMethodInfo method)
            Call(hook, method.Name, e);
        else if (member is ScriptBlock block)
            _invoker.Invoke(block, e, [], timeout: false, CancellationToken.None);
    }

    private void Call(object hook, string method, HookEvent e)
    {
        try
        {
            _invoker.Invoke(Method, new[] { hook, method, e }, [], timeout: false, CancellationToken.None);
        }
        catch (MethodInvocationException error) when (error.InnerException is { } thrown)
        {
            ExceptionDispatchInfo.Throw(thrown);
        }
    }

    private static object? Member(object hook, string name)
    {
        var members = PSObject.AsPSObject(hook);
        return members.Methods[name] ?? Unwrap(members.Properties[name]?.Value) as ScriptBlock as object;
    }

    private static object? Unwrap(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;
}
