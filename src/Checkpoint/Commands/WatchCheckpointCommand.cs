using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Watch, "Checkpoint")]
[OutputType(typeof(string))]
public sealed class WatchCheckpointCommand : ReportCommand
{
    [Parameter]
    public SwitchParameter Plain { get; set; }

    protected override void OnProcess()
    {
        var scope = Scope();
        var view = IsPlain ? null : new LiveView(Host.UI, inColour: string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")));
        var (isWaiting, isAway) = (false, false);
        foreach (var (run, news, fault) in Wait(new RunWatch(new ReportBuilder(Engine, TimeProvider.System), TimeProvider.System).FollowAsync(scope, Cancellation)))
        {
            if (fault is not null)
            {
                if (!isAway)
                    this.Warn(fault.Message);
                isAway = true;
                continue;
            }
            isAway = false;
            if (run is null)
            {
                if (!isWaiting)
                    Show(view, [RunView.Waiting(Engine.Store.Location, view?.Size.Width ?? int.MaxValue, view is null ? static text => text.Length : view.Cells)]);
                isWaiting = true;
            }
            else if (view is not null)
            {
                var (width, height) = view.Size;
                view.Draw(RunView.Lines(run, TimeProvider.System.GetUtcNow(), width, height, view.Cells));
            }
            else
            {
                foreach (var line in news)
                    WriteObject(LogText.Shown(RunView.Line(line)));
                if (run.Status is not (null or RunStatus.Running))
                    Show(null, RunView.Lines(run, TimeProvider.System.GetUtcNow(), int.MaxValue, int.MaxValue, static text => text.Length));
            }
        }
    }

    // Where the lines go anywhere but to a terminal, nothing can be drawn anew.
#pragma warning disable RS0030 // Nothing is written to the console; only it knows where this process writes to.
    private bool IsPlain => Plain || MyInvocation.PipelinePosition < MyInvocation.PipelineLength || Console.IsOutputRedirected || !Host.UI.SupportsVirtualTerminal;
#pragma warning restore RS0030

    private void Show(LiveView? view, IReadOnlyList<RunViewLine> lines)
    {
        if (view is not null)
            view.Draw(lines);
        else
            WriteObject(lines.Select(line => LogText.Shown(line.Text)), enumerateCollection: true);
    }
}
