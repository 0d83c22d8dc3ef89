using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Checkpoint;

/// <summary>Shows a report, live, to a browser on this machine, and to nobody else. Nothing can be changed through it.</summary>
/// <remarks>
/// Who may look knows the token in the address, which serves once and gives the browser a cookie. A page of another site can neither read it nor reach it by a name of its own
/// (DNS rebinding): a request must name this address as its host, and come from a page of this address, or none.
/// </remarks>
internal sealed class DashboardServer : IDisposable
{
    private const int Attempts = 20;
    private const int SecretBytes = 32;
    private static readonly TimeSpan LastMoment = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(10);

    private readonly HttpListener _listener;
    private readonly LiveReport _report;
    private readonly TimeProvider _time;
    private readonly string _authority;
    private readonly string _session = NewSecret();
    private string? _token = NewSecret();

    private DashboardServer(HttpListener listener, int port, LiveReport report, TimeProvider time)
    {
        (_listener, _report, _time) = (listener, report, time);
        _authority = string.Create(CultureInfo.InvariantCulture, $"{IPAddress.Loopback}:{port}");
        Address = new Uri($"http://{_authority}/?token={_token}");
    }

    /// <summary>Where it is, with the token.</summary>
    public Uri Address { get; }

    private string CookieName => "checkpoint-" + _authority[(_authority.IndexOf(':', StringComparison.Ordinal) + 1)..];

    /// <summary>Begins to listen.</summary>
    /// <param name="report">What it shows.</param>
    /// <param name="time">The clock.</param>
    /// <param name="port">The port, or 0 for any that is free.</param>
    /// <exception cref="InvalidArgumentException">The port is not to be had.</exception>
    public static DashboardServer Start(LiveReport report, TimeProvider time, int port)
    {
        for (var attempt = 1; ; attempt++)
        {
            var tried = port == 0 ? FreePort() : port;
            var listener = new HttpListener();
            listener.Prefixes.Add(string.Create(CultureInfo.InvariantCulture, $"http://{IPAddress.Loopback}:{tried}/"));
            try
            {
                listener.Start();
                return new DashboardServer(listener, tried, report, time);
            }
            catch (Exception e) when (e is HttpListenerException or SocketException)
            {
                ((IDisposable)listener).Dispose();
                // Somebody else may have taken it since it was found free.
                if (port != 0 || attempt == Attempts)
                    throw new InvalidArgumentException(string.Create(CultureInfo.InvariantCulture, $"Port {tried} cannot be listened on: {e.Message.TrimEnd('.')}. Name another with -Port, or none, and a free one is taken."));
            }
        }
    }

    /// <summary>Answers until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var following = _report.FollowAsync(stopped.Token);
        // Also where the store does not answer.
        var ended = following.WaitAsync(stopped.Token);
        var answers = new List<Task>();
        try
        {
            while (true)
            {
                var next = _listener.GetContextAsync();
                if (await Task.WhenAny(next, ended) == ended)
                    await ended;
                answers.RemoveAll(a => a.IsCompleted);
                answers.Add(AnswerAsync(await next, stopped.Token));
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }
        finally
        {
            await stopped.CancelAsync();
            await Task.WhenAny(Task.WhenAll(answers.Append(following)), Task.Delay(LastMoment, _time, CancellationToken.None));
        }
    }

    /// <summary>Cuts off whoever does not take what is written to it, as a suspended tunnel, and frees the port.</summary>
    public void Dispose() => ((IDisposable)_listener).Dispose();

    private async Task AnswerAsync(HttpListenerContext context, CancellationToken cancellation)
    {
        var response = context.Response;
        try
        {
            Protect(response);
            await AnswerAsync(context.Request, response, cancellation);
            response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // Whoever asked is gone, or all ends.
            response.Abort();
        }
    }

    private async Task AnswerAsync(HttpListenerRequest request, HttpListenerResponse response, CancellationToken cancellation)
    {
        if (!IsFromHere(request))
            await RefuseAsync(response, HttpStatusCode.Forbidden, "This dashboard answers its own page alone.", cancellation);
        else if (request.HttpMethod != "GET")
            await RefuseMethodAsync(request, response, cancellation);
        else if (!MayLook(request, response))
            await RefuseAsync(response, HttpStatusCode.Forbidden, "The token in the address is missing, or has served: it does so once. Run Show-CheckpointDashboard again for another, or go back to the tab that it opened.", cancellation);
        else if (request.Url?.AbsolutePath == "/")
            await PageAsync(response, cancellation);
        else if (request.Url?.AbsolutePath == "/events")
            await EventsAsync(request, response, cancellation);
        else
            await RefuseAsync(response, HttpStatusCode.NotFound, "There is nothing here.", cancellation);
    }

    private bool IsFromHere(HttpListenerRequest request) =>
        request.IsLocal
        && request.UserHostName == _authority
        && (request.Headers["Origin"] is not { } origin || origin == $"http://{_authority}")
        && request.Headers["Sec-Fetch-Site"] is null or "same-origin" or "none";

    private bool MayLook(HttpListenerRequest request, HttpListenerResponse response)
    {
        if (request.Cookies[CookieName] is { } cookie && IsSame(cookie.Value, _session))
            return true;
        if (request.Url?.AbsolutePath != "/" || request.QueryString["token"] is not { } token || _token is not { } expected || !IsSame(token, expected))
            return false;
        // Of two that come at once with it one is let in.
        if (Interlocked.Exchange(ref _token, null) is null)
            return false;
        response.AppendHeader("Set-Cookie", $"{CookieName}={_session}; Path=/; HttpOnly; SameSite=Strict");
        return true;
    }

    private async Task PageAsync(HttpListenerResponse response, CancellationToken cancellation)
    {
        var (report, version) = await _report.ReadAsync(cancellation);
        var policy = HtmlReport.Policy(connects: true);
        response.AppendHeader("Content-Security-Policy", policy + "; frame-ancestors 'none'");
        var data = ReportJson.Serialize(new { Live = true, Version = version, report.GeneratedAt, report.Store, report.Runs, report.History, report.Problems });
        using var page = new MemoryStream();
        await HtmlReport.WriteAsync(data, policy, page, cancellation);
        await SendAsync(response, "text/html; charset=utf-8", page.GetBuffer().AsMemory(0, (int)page.Length), cancellation);
    }

    // Server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html
    private async Task EventsAsync(HttpListenerRequest request, HttpListenerResponse response, CancellationToken cancellation)
    {
        _ = long.TryParse(request.Headers["Last-Event-ID"] ?? request.QueryString["version"], NumberStyles.None, CultureInfo.InvariantCulture, out var known);
        response.ContentType = "text/event-stream";
        // It ends where the connection does.
        response.ContentLength64 = long.MaxValue;
        response.KeepAlive = false;
        await response.OutputStream.WriteAsync("retry: 1000\n\n"u8.ToArray(), cancellation);
        using var listener = await _report.ListenAsync(known, cancellation);
        while (true)
        {
            var next = listener.News.WaitToReadAsync(cancellation).AsTask();
            // That a browser has gone shows when something is sent to it.
            while (await Task.WhenAny(next, Task.Delay(SignOfLife, _time, cancellation)) != next)
                await response.OutputStream.WriteAsync(":\n\n"u8.ToArray(), cancellation);
            if (!await next)
                return;
            while (listener.News.TryRead(out var news))
            {
                // JSON as it is written here has no line feed in it.
                var head = string.Create(CultureInfo.InvariantCulture, $"event: report\nid: {news.Version}\ndata: ");
                await response.OutputStream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. ReportJson.Serialize(news), .. "\n\n"u8], cancellation);
            }
        }
    }

    // RFC 9110, sections 9.3.2 and 15.5.6. HEAD too: who looks whether the address is there must not use up its token.
    private static async Task RefuseMethodAsync(HttpListenerRequest request, HttpListenerResponse response, CancellationToken cancellation)
    {
        response.AppendHeader("Allow", "GET");
        if (request.HttpMethod == "HEAD")
            response.StatusCode = (int)HttpStatusCode.MethodNotAllowed;
        else
            await RefuseAsync(response, HttpStatusCode.MethodNotAllowed, "Nothing can be changed through this dashboard.", cancellation);
    }

    private static async Task RefuseAsync(HttpListenerResponse response, HttpStatusCode status, string text, CancellationToken cancellation)
    {
        response.StatusCode = (int)status;
        await SendAsync(response, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text), cancellation);
    }

    // Whatever is sent has a length: behind what has none .NET's listener writes an end, also when it is stopped, and waits there for who takes nothing, as a suspended tunnel.
    private static async ValueTask SendAsync(HttpListenerResponse response, string type, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        response.ContentType = type;
        response.ContentLength64 = content.Length;
        await response.OutputStream.WriteAsync(content, cancellation);
    }

    private static void Protect(HttpListenerResponse response)
    {
        response.AppendHeader("Cache-Control", "no-store");
        response.AppendHeader("Referrer-Policy", "no-referrer");
        response.AppendHeader("X-Content-Type-Options", "nosniff");
        response.AppendHeader("X-Frame-Options", "DENY");
        response.AppendHeader("Cross-Origin-Resource-Policy", "same-origin");
        response.AppendHeader("Cross-Origin-Opener-Policy", "same-origin");
    }

    private static bool IsSame(string given, string expected) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(expected));

    private static string NewSecret() => RandomNumberGenerator.GetHexString(2 * SecretBytes, lowercase: true);

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
