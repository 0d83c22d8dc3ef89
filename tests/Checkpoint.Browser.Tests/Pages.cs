using Microsoft.Playwright;

namespace Checkpoint.Browser.Tests;

/// <summary>A browser, and for each test a page that takes note of all that must not be.</summary>
public sealed class Pages : IAsyncLifetime
{
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async Task InitializeAsync()
    {
        if (Machine.WhyNot is not null)
            return;
        _playwright = await Playwright.CreateAsync();
        // Chromium has no sandbox for root, as in a container.
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Machine.BrowserPath, Args = Environment.IsPrivilegedProcess ? ["--no-sandbox"] : [] });
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    /// <summary>A page in a profile of its own.</summary>
    /// <param name="width">Its width in pixels.</param>
    /// <param name="scheme">Light or dark.</param>
    internal async Task<WatchedPage> OpenAsync(int width = 1280, ColorScheme scheme = ColorScheme.Light)
    {
        var context = await _browser!.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = scheme, Locale = "en-GB", TimezoneId = "UTC" });
        return new WatchedPage(context, await context.NewPageAsync());
    }
}
