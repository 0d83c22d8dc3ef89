using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Checkpoint.Tests;

/// <summary>The network between a driver and its server, as bad as a test wants it.</summary>
internal sealed class NetworkProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _target;
    private readonly ConcurrentDictionary<Socket, Socket> _links = new();
    private volatile bool _isCut;
    private volatile int _answers = int.MaxValue;
    private volatile bool _holdsRequests;
    private TaskCompletionSource _released = new();

    public NetworkProxy(int target)
    {
        _target = target;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many connections were made through it.</summary>
    public int Connections { get; private set; }

    /// <summary>From now on requests arrive, and answers do not.</summary>
    /// <param name="after">But for so many.</param>
    public void SwallowAnswers(int after = 0) => _answers = after;

    /// <summary>From now on requests are under way for long.</summary>
    public void HoldRequests()
    {
        _released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _holdsRequests = true;
    }

    /// <summary>What was held arrives, be there a client any more or not.</summary>
    public void ReleaseRequests() => _released.TrySetResult();

    /// <summary>Breaks every connection, and refuses new ones.</summary>
    /// <param name="clientsOnly">Whether the server hears nothing of that yet.</param>
    public void Cut(bool clientsOnly = false)
    {
        _isCut = true;
        foreach (var (client, server) in _links)
        {
            _links.TryRemove(client, out _);
            Reset(client);
            if (!clientsOnly)
                Reset(server);
        }
    }

    /// <summary>New connections are made again. What is held stays so.</summary>
    public void Restore() => (_isCut, _holdsRequests, _answers) = (false, false, int.MaxValue);

    public void Dispose()
    {
        Cut();
        ReleaseRequests();
        _listener.Dispose();
    }

    private static void Reset(Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync();
                if (_isCut)
                {
                    Reset(client);
                    continue;
                }
                Connections++;
                var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                client.NoDelay = true;
                _links[client] = server;
                _ = Task.Run(async () =>
                {
                    try
                    {
                        await server.ConnectAsync(IPAddress.Loopback, _target);
                        var requests = PumpAsync(client, server, isRequest: true);
                        await Task.WhenAny(requests, PumpAsync(server, client, isRequest: false));
                        // What is held is still under way, whoever is gone.
                        if (_holdsRequests)
                            await requests;
                    }
                    catch (SocketException)
                    {
                    }
                    if (_links.TryRemove(client, out _))
                    {
                        client.Dispose();
                        server.Dispose();
                    }
                });
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isRequest)
    {
        try
        {
            var buffer = new byte[1 << 16];
            for (int read; (read = await from.ReceiveAsync(buffer.AsMemory())) > 0;)
            {
                if (isRequest && _holdsRequests)
                    await _released.Task;
                if (isRequest || _answers == int.MaxValue || Interlocked.Decrement(ref _answers) >= 0)
                    await to.SendAsync(buffer.AsMemory(0, read));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }
}
