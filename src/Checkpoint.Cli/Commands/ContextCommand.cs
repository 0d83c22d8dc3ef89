using System.Globalization;

namespace Checkpoint.Cli;

/// <summary><c>checkpoint context</c>: what a call without options means.</summary>
internal static class ContextCommand
{
    public static ToolCommand Create()
    {
        var json = Inputs.Json("the values");
        var command = new ToolCommand("context", "Shows which store, pipeline, run and key are meant, and what says so.")
        {
            Takes = [json],
            Examples = [("checkpoint context", "Why is nothing found? Perhaps another store is meant."), ("checkpoint context --json | jq -r .store.value", "One of them, for a program.")],
            ExitCodes = [("0", "it is printed"), ("2", "the environment or the command line cannot be meant")],
        };
        command.Work = call =>
        {
            var context = call.Context.Resolve();
            (string Name, string? Value)[] values =
            [
                (nameof(context.Store), context.Store), (nameof(context.Pipeline), context.Pipeline), (nameof(context.Run), context.Run), (nameof(context.Key), context.Key),
                (nameof(context.Keep), context.Keep?.ToString(CultureInfo.InvariantCulture)), (nameof(context.Replica), context.Replica), (nameof(context.ReplicaMode), context.ReplicaMode?.ToString()),
            ];
            if (call.Get(json))
                JsonViews.Print(context, (writer, _) => JsonViews.Write(writer, values.Select(v => (v.Name, v.Value, context.Source[v.Name]))));
            else
                TableViews.Print(values.Select(v => (v.Name, v.Value, context.Source[v.Name])));
            return new(ExitCode.Done);
        };
        return command;
    }
}
