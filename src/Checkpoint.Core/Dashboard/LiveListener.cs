using System.Threading.Channels;

namespace Checkpoint;

/// <summary>Who is told what changes in a report, until it is disposed of.</summary>
/// <param name="news">What is told; it ends where the listener does not take it.</param>
/// <param name="end">Ends the telling.</param>
internal sealed class LiveListener(ChannelReader<DashboardNews> news, Action end) : IDisposable
{
    public ChannelReader<DashboardNews> News => news;

    public void Dispose() => end();
}
