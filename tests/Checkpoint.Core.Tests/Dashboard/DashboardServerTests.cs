using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace Checkpoint.Tests;

public sealed class DashboardServerTests : IAsyncLifetime, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private CheckpointReport _now = Reported.Report(Reported.Run(Reported.Stage("fetch")));
    private LiveReport _live = null!;
    private DashboardServer _server = null!;
    private Task _running = null!;

    public Task InitializeAsync()
    {
        _live = new LiveReport((_, _) => new(_now with { AsWritten = _now.History }), TimeProvider.System);
        _server = DashboardServer.Start(_live, 0);
        _running = _server.RunAsync(_stop.Token);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
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
        Assert.Contains("HttpOnly; SameSite=Strict", Header("Set-Cookie"), StringComparison.Ordinal);
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
        using var events = new StreamReader(await browser.GetStreamAsync(new Uri(_server.Address, "/events?version=1")));
        Assert.Equal("retry: 1000", await events.ReadLineAsync());
        _now = _now with { History = [Reported.Line(1, reason: "why\nnot")] };
        var lines = new List<string?>();
        while (lines.LastOrDefault()?.StartsWith("data: ", StringComparison.Ordinal) != true)
            lines.Add(await events.ReadLineAsync());
        Assert.Equal(["", "event: report", "id: 2"], lines[..3]);
        Assert.Contains("why\\nnot", lines[3], StringComparison.Ordinal);
        Assert.Equal("", await events.ReadLineAsync());
    }

    [Fact]
    public void A_port_that_is_taken_is_an_error_that_says_what_to_do()
    {
        var error = Assert.Throws<InvalidArgumentException>(() => DashboardServer.Start(_live, _server.Address.Port));
        Assert.Contains($"Port {_server.Address.Port} cannot be listened on", error.Message, StringComparison.Ordinal);
        Assert.Contains("-Port", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_it_ends_whoever_listened_is_told_so_and_the_port_is_free()
    {
        using var browser = Browser();
        await Status(browser, _server.Address.PathAndQuery);
        using var events = new StreamReader(await browser.GetStreamAsync(new Uri(_server.Address, "/events?version=1")));
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
        using var next = DashboardServer.Start(_live, _server.Address.Port);
        Assert.Equal(_server.Address.Port, next.Address.Port);
    }

    private static HttpClient Browser() => new(new SocketsHttpHandler { CookieContainer = new CookieContainer() });

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
