using System.ComponentModel;
using System.Diagnostics;
using System.Management.Automation;

namespace Checkpoint.Commands;

[Cmdlet(VerbsCommon.Show, "CheckpointDashboard")]
public sealed class ShowCheckpointDashboardCommand : MergedReportCommand
{
    // As Write-Host tags what a person is to see whatever the preferences are.
    private static readonly string[] Tags = ["PSHOST", "Checkpoint"];

    [Parameter]
    [ValidateRange(0, 65535)]
    public int Port { get; set; }

    [Parameter]
    public SwitchParameter NoBrowser { get; set; }

    private protected override void Report(CheckpointEngine engine, ReportScope scope)
    {
        var builder = new ReportBuilder(engine, TimeProvider.System);
        using var report = new LiveReport((before, token) => builder.BuildAsync(scope, before, token), TimeProvider.System);
        using var server = DashboardServer.Start(report, TimeProvider.System, Port);
        var text = $"Dashboard of '{engine.Store.Location}'. Its address serves once; Ctrl+C ends it.\n{server.Address}";
        WriteInformation(new HostInformationMessage { Message = text }, Tags);
        if (!NoBrowser)
            Open(server.Address);
        Wait(Ended(server));
    }

    private async ValueTask<bool> Ended(DashboardServer server)
    {
        await server.RunAsync(Cancellation);
        return true;
    }

    private void Open(Uri address)
    {
        // Without a desktop it would be a browser for terminals, in this one.
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("DISPLAY") is null && Environment.GetEnvironmentVariable("WAYLAND_DISPLAY") is null)
            return;
        try
        {
            System.Diagnostics.Process.Start(new ProcessStartInfo(address.ToString()) { UseShellExecute = true })?.Dispose();
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or FileNotFoundException)
        {
            WriteWarning($"No browser could be opened: {e.Message} Open the address in one yourself.");
        }
    }
}
