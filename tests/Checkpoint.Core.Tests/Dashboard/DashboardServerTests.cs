using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace Checkpoint.Tests;

public sealed class DashboardServerTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly ManualTime _time = new();
    private Func<CancellationToken, Task> _onRead = _ => Task.CompletedTask;
    private int _reads;
    private CheckpointReport _now = Reported.Report(Reported.Run(Reported.Stage("fetch")));
    private LiveReport _live = null!;
    private DashboardServer _server = null!;
    private Task _running = null!;

    public Task InitializeAsync()
    {
        _live = new LiveReport(ReadAsync, _time);
        _server = DashboardServer.Start(_live, _time, 0);
        _running = _server.RunAsync(_stop.Token);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _time.WaitsAreShort = true;
        await _stop.CancelAsync();
        await _running;
    }

    public void Dispose()
    {
        _server.Dispose();
        _live.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task The_token_serves_once_and_the_browser_it_let_in_stays_in()
    {
        using var browser = Browser();
        Assert.Equal(HttpStatusCode.Forbidden, await Status(browser, "/"));
        Assert.Equal(HttpStatusCode.Forbidden, await Status(browser, "/?token="));
        Assert.Equal(HttpStatusCode.Forbidden, await Status(browser, "/?token=" + new string('0', 64)));
        Assert.Equal(HttpStatusCode.Forbidden, await Status(browser, "/events" + _server.Address.Query));
        Assert.Equal(HttpStatusCode.OK, await Status(browser, _server.Address.PathAndQuery));
        Assert.Equal(HttpStatusCode.OK, await Status(browser, "/"));
        Assert.Equal(HttpStatusCode.NotFound, await Status(browser, "/favicon.ico"));

        using var other = Browser();
        Assert.Equal(HttpStatusCode.Forbidden, await Status(other, _server.Address.PathAndQuery));
        Assert.Equal(HttpStatusCode.Forbidden, await Status(other, "/"));
    }

    [Fact]
    public async Task Of_many_that_come_at_once_with_the_token_one_is_let_in()
    {
        var browsers = Enumerable.Range(0, 20).Select(_ => Browser()).ToList();
        var statuses = await Task.WhenAll(browsers.Select(b => Status(b, _server.Address.PathAndQuery)));
        browsers.ForEach(b => b.Dispose());
        Assert.Single(statuses, HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("Host: evil.test")]
    [InlineData("Host: localhost")]
    [InlineData("Host: 127.0.0.1")]
    [InlineData("Host: 127.0.0.1:1")]
    [InlineData("Origin: http://evil.test")]
    [InlineData("Origin: null")]
    [InlineData("Sec-Fetch-Site: cross-site")]
    [InlineData("Sec-Fetch-Site: same-site")]
    public async Task A_page_of_another_site_gets_nothing_though_its_browser_was_let_in(string header)
    {
        using var browser = Browser();
        using var let = await browser.GetAsync(_server.Address);
        var cookie = let.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var host = header.StartsWith("Host", StringComparison.Ordinal) ? header : $"Host: {_server.Address.Authority}\r\n{header}";
        var answer = await Raw($"GET / HTTP/1.1\r\n{host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
        Assert.Matches("^HTTP/1.1 (400|403|404) ", answer);
        Assert.DoesNotContain("fetch", answer, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", await Raw($"GET / HTTP/1.1\r\nHost: {_server.Address.Authority}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    public async Task Nothing_can_be_changed_through_it(string method)
    {
        using var browser = Browser();
        await Status(browser, _server.Address.PathAndQuery);
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(_server.Address, "/"));
        using var answer = await browser.SendAsync(request);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    [Fact]
    public async Task Who_looks_whether_it_is_there_is_told_so_without_a_page_and_uses_up_no_token()
    {
        var answer = await Raw($"HEAD {_server.Address.PathAndQuery} HTTP/1.1\r\nHost: {_server.Address.Authority}\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 405", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nAllow: GET\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
        using var browser = Browser();
        Assert.Equal(HttpStatusCode.OK, await Status(browser, _server.Address.PathAndQuery));
    }

    [Fact]
    public async Task Two_in_one_browser_do_not_put_each_other_out()
    {
        using var other = DashboardServer.Start(_live, _time, 0);
        var running = other.RunAsync(_stop.Token);
        using var browser = Browser();
        Assert.Equal(HttpStatusCode.OK, await Status(browser, _server.Address.PathAndQuery));
        using (var answer = await browser.GetAsync(other.Address))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await Status(browser, "/"));
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Its_answers_forbid_what_the_page_does_not_need()
    {
        using var browser = Browser();
        using var answer = await browser.GetAsync(_server.Address);
        string Header(string name) => string.Join(", ", answer.Headers.GetValues(name));
        Assert.Contains("default-src 'none'", Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Contains("connect-src 'self'", Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal("DENY", Header("X-Frame-Options"));
        Assert.Equal("nosniff", Header("X-Content-Type-Options"));
        Assert.Equal("no-store", Header("Cache-Control"));
        Assert.Equal("no-referrer", Header("Referrer-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Resource-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Opener-Policy"));
        Assert.Contains("HttpOnly; SameSite=Strict", Header("Set-Cookie"), StringComparison.Ordinal);
        Assert.Equal("text/html; charset=utf-8", $"{answer.Content.Headers.ContentType}");
        using var refusal = await browser.GetAsync(new Uri(_server.Address, "/nothing"));
        Assert.Equal("text/plain; charset=utf-8", $"{refusal.Content.Headers.ContentType}");
    }

    [Fact]
    public void It_listens_on_loopback_alone()
    {
        var listeners = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(e => e.Port == _server.Address.Port);
        Assert.All(listeners, e => Assert.True(IPAddress.IsLoopback(e.Address), $"{e}"));
        Assert.NotEmpty(listeners);
    }

    [Fact]
    public async Task News_come_as_they_happen()
    {
        using var browser = Browser();
        await Status(browser, _server.Address.PathAndQuery);
        using var events = await ListenAsync(browser);
        Assert.Equal("retry: 1000", await events.ReadLineAsync());
        _now = _now with { History = [Reported.Line(1, reason: "why\nnot")] };
        _time.Advance(TimeSpan.FromSeconds(1));
        var lines = new List<string?>();
        while (lines.LastOrDefault()?.StartsWith("data: ", StringComparison.Ordinal) != true)
            lines.Add(await events.ReadLineAsync());
        Assert.Equal(["", "event: report", "id: 2"], lines[..3]);
        Assert.Contains("why\\nnot", lines[3], StringComparison.Ordinal);
        Assert.Equal("", await events.ReadLineAsync());
    }

    [Theory]
    [InlineData(null, "1", false)]
    [InlineData("1", "7", false)]
    [InlineData("7", "1", true)]
    [InlineData(null, null, true)]
    public async Task A_page_says_what_it_knows_when_it_comes_and_comes_again_and_is_told_the_rest(string? last, string? version, bool isAll)
    {
        using var browser = Browser();
        await Status(browser, _server.Address.PathAndQuery);
        if (last is not null)
            browser.DefaultRequestHeaders.Add("Last-Event-ID", last);
        using var events = await ListenAsync(browser, version);
        _now = _now with { Problems = ["later"] };
        _time.Advance(TimeSpan.FromSeconds(1));
        string? line;
        do
            line = await events.ReadLineAsync();
        while (line?.StartsWith("data: ", StringComparison.Ordinal) != true);
        Assert.Equal(isAll, line!.Contains("\"isWhole\":true", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Events_are_what_a_browser_takes_for_them()
    {
        using var browser = Browser();
        await Status(browser, _server.Address.PathAndQuery);
        using var answer = await browser.GetAsync(new Uri(_server.Address, "/events"), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", $"{answer.Content.Headers.ContentType}");
    }

    [Fact]
    public async Task Once_a_page_is_gone_nothing_is_read_for_it_though_there_is_nothing_to_tell()
    {
        using (var browser = Browser())
        {
            await Status(browser, _server.Address.PathAndQuery);
            using var events = await ListenAsync(browser);
        }
        // Each sign of life may show that it has gone.
        using var patience = new CancellationTokenSource(Patience);
        for (var before = -1; before != _reads;)
        {
            before = _reads;
            var waits = _time.Waits.Count;
            _time.Advance(TimeSpan.FromSeconds(20));
            while (_time.Waits.Count == waits)
                await Task.Delay(1, patience.Token);
        }
    }

    [Fact]
    public async Task Who_takes_too_little_comes_to_an_end_and_so_knows_that_it_has_to_ask_again()
    {
        using var connection = await ConnectAsync("/events");
        var stream = connection.GetStream();
        for (var i = 0; i < 100; i++)
        {
            _now = _now with { Problems = [$"{i}" + new string('x', 1 << 18)] };
            await _live.ReadAsync(default);
        }
        var buffer = new byte[1 << 16];
        while (await stream.ReadAsync(buffer).AsTask().WaitAsync(Patience) > 0)
        {
        }
    }

    [Theory]
    [InlineData(typeof(InvalidOperationException))]
    [InlineData(typeof(IOException))]
    public async Task What_goes_wrong_with_an_answer_leaves_nobody_waiting_for_it(Type fault)
    {
        _onRead = _ => throw (Exception)Activator.CreateInstance(fault)!;
        using var browser = Browser();
        Assert.IsNotType<TimeoutException>(await Record.ExceptionAsync(() => browser.GetAsync(_server.Address).WaitAsync(Patience)));
    }

    [Theory]
    [InlineData(typeof(InvalidOperationException))]
    [InlineData(typeof(OperationCanceledException))]
    public async Task What_goes_wrong_while_it_follows_the_store_ends_it_and_nothing_is_read_any_more(Type fault)
    {
        using var browser = Browser();
        await Status(browser, _server.Address.PathAndQuery);
        using var events = await ListenAsync(browser);
        _onRead = _ => throw (Exception)Activator.CreateInstance(fault)!;
        _time.Advance(TimeSpan.FromSeconds(1));
        var running = _running;
        _running = Task.CompletedTask;
        Assert.IsType(fault, await Record.ExceptionAsync(() => running.WaitAsync(Patience)));

        var (reads, waits) = (_reads, _time.Waits.Count);
        using var stop = new CancellationTokenSource();
        var following = _live.FollowAsync(stop.Token);
        _time.Advance(TimeSpan.FromSeconds(1));
        while (!following.IsCompleted && _time.Waits.Count < waits + 2)
            await Task.Yield();
        Assert.Equal(reads, _reads);
        await stop.CancelAsync();
    }

    [Fact]
    public async Task When_it_ends_a_store_that_does_not_answer_is_waited_for_a_moment_and_no_longer()
    {
        using var browser = Browser();
        await Status(browser, _server.Address.PathAndQuery);
        using var events = await ListenAsync(browser);
        var asked = new TaskCompletionSource();
        _onRead = _ =>
        {
            asked.SetResult();
            return new TaskCompletionSource().Task;
        };
        _time.Advance(TimeSpan.FromSeconds(1));
        await asked.Task.WaitAsync(Patience);
        await _stop.CancelAsync();
        while (!_time.Waits.Contains(TimeSpan.FromMilliseconds(500)) || _time.Waits[^1] != TimeSpan.FromMilliseconds(500))
            await Task.Yield();
        Assert.False(_running.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(500));
        await _running.WaitAsync(Patience);
    }

    [Fact]
    public void A_port_that_is_taken_is_an_error_that_says_what_to_do()
    {
        var error = Assert.Throws<InvalidArgumentException>(() => DashboardServer.Start(_live, _time, _server.Address.Port));
        Assert.Contains($"Port {_server.Address.Port} cannot be listened on", error.Message, StringComparison.Ordinal);
        Assert.Contains("-Port", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_it_ends_whoever_listened_is_told_so_and_the_port_is_free()
    {
        using var browser = Browser();
        await Status(browser, _server.Address.PathAndQuery);
        using var events = await ListenAsync(browser);
        await _stop.CancelAsync();
        await _running;
        _server.Dispose();
        try
        {
            while (await events.ReadLineAsync() is not null)
            {
            }
        }
        catch (IOException)
        {
            // A connection that is cut says it as well.
        }
        using var next = DashboardServer.Start(_live, _time, _server.Address.Port);
        Assert.Equal(_server.Address.Port, next.Address.Port);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/events")]
    public async Task When_it_ends_whoever_takes_nothing_of_what_is_sent_is_cut_off(string path)
    {
        // More than a system keeps for a connection from which nobody reads.
        const int Length = 1 << 26;
        _now = _now with { Problems = [new string('x', Length)] };
        using var connection = await ConnectAsync(path);
        var stream = connection.GetStream();
        var buffer = new byte[1 << 16];
        for (var begun = ""; !begun.Contains("xxx", StringComparison.Ordinal);)
            begun += Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer));

        _time.WaitsAreShort = true;
        await Task.WhenAll(_stop.CancelAsync(), _running).WaitAsync(Patience);
        await Task.Run(_server.Dispose).WaitAsync(Patience);

        var taken = 0L;
        try
        {
            for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
                taken += read;
        }
        catch (IOException)
        {
            // A connection that is cut says it as well.
        }
        Assert.InRange(taken, 0, Length / 2);
    }

    private static HttpClient Browser() => new(new SocketsHttpHandler { CookieContainer = new CookieContainer() });

    private async ValueTask<CheckpointReport> ReadAsync(CheckpointReport? before, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _reads);
        await _onRead(cancellation);
        return _now with { AsWritten = _now.History };
    }

    // Once something is read because of it, it listens.
    private async Task<StreamReader> ListenAsync(HttpClient browser, string? version = "1")
    {
        var events = new StreamReader(await browser.GetStreamAsync(new Uri(_server.Address, version is null ? "/events" : $"/events?version={version}")));
        using var patience = new CancellationTokenSource(Patience);
        for (var reads = _reads; _reads < reads + 2;)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1, patience.Token);
        }
        return events;
    }

    // Somebody who was let in, and has asked.
    private async Task<TcpClient> ConnectAsync(string path)
    {
        using var browser = Browser();
        using var let = await browser.GetAsync(_server.Address);
        var cookie = let.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, _server.Address.Port);
        await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {_server.Address.Authority}\r\nCookie: {cookie}\r\n\r\n"));
        return connection;
    }

    private async Task<HttpStatusCode> Status(HttpClient browser, string path)
    {
        using var answer = await browser.GetAsync(new Uri(_server.Address, path), HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode;
    }

    private async Task<string> Raw(string request)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, _server.Address.Port);
        var stream = connection.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }
}
