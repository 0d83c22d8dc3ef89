using static Microsoft.Playwright.Assertions;

namespace Checkpoint.Browser.Tests;

/// <summary>What Show-CheckpointDashboard shows while other processes save.</summary>
public sealed class DashboardPageTests(Pages pages, Demo demo) : IClassFixture<Pages>, IClassFixture<Demo>
{
    [BrowserFact]
    public async Task It_shows_without_a_reload_what_another_process_saves()
    {
        using var dashboard = Show();
        var address = await dashboard.ReadLineAsync("http://127.0.0.1:");
        await using var watched = await pages.OpenAsync();
        var page = watched.Page;
        await page.GotoAsync(address);
        await Expect(page.Locator("#found")).ToHaveTextAsync("4 runs");
        await Expect(page.Locator("#live")).ToContainTextAsync("Live");
        // It would be gone after a reload; and what is unfolded, and searched for, stays so.
        await page.EvaluateAsync("() => { window.isSamePage = true; }");
        var unfolded = page.Locator(".run").Filter(new() { HasText = "hosts" }).First;
        await unfolded.Locator("h3 button").ClickAsync();
        var marked = await unfolded.Locator(".detail td").First.EvaluateAsync<string>("cell => { getSelection().selectAllChildren(cell); return getSelection().toString(); }");
        Assert.NotEmpty(marked);

        await PowerShell.RunAsync("Save-Checkpoint 'came later' ('x' * 3000) -Store store -Pipeline evening", demo.Folder);

        await Expect(page.Locator("#found")).ToHaveTextAsync("5 runs");
        await Expect(page.Locator(".run").First).ToContainTextAsync("evening");
        await Expect(page.Locator("#lines tr").First).ToContainTextAsync("came later");
        await Expect(unfolded.Locator(".detail")).ToBeVisibleAsync();
        Assert.Equal(marked, await page.EvaluateAsync<string>("() => getSelection().toString()"));
        await PowerShell.RunAsync("Save-Checkpoint 'came later' 6 -Step 7 -Store store -Pipeline evening", demo.Folder);
        await page.Locator(".run").Filter(new() { HasText = "evening" }).Locator("h3 button").ClickAsync();
        await Expect(page.Locator(".run").First).ToContainTextAsync("step 7, 2 kept");
        Assert.True(await page.EvaluateAsync<bool>("() => window.isSamePage === true"));
        Assert.Empty(watched.Complaints);
        Assert.All(watched.Requests, request => Assert.StartsWith(new Uri(address).GetLeftPart(UriPartial.Authority) + "/", request, StringComparison.Ordinal));
        // The token is gone from the address, where others might see it.
        Assert.Equal(new Uri(address).GetLeftPart(UriPartial.Path), page.Url);
        await page.ReloadAsync();
        await Expect(page.Locator("#found")).ToHaveTextAsync("5 runs");
    }

    [BrowserFact(Interrupts = true)]
    public async Task Its_address_serves_once_and_Ctrl_C_ends_it()
    {
        using var dashboard = Show();
        var address = await dashboard.ReadLineAsync("http://127.0.0.1:");
        await using var first = await pages.OpenAsync();
        await first.Page.GotoAsync(address);
        await using var second = await pages.OpenAsync();
        Assert.Equal(403, (await second.Page.GotoAsync(address))!.Status);
        await Expect(second.Page.Locator("body")).ToContainTextAsync("it does so once");

        await dashboard.InterruptAsync();

        await Expect(first.Page.Locator("#live")).ToContainTextAsync("does not answer");
    }

    [BrowserFact]
    public async Task It_shows_a_run_at_work_and_its_end()
    {
        var folder = Directory.CreateDirectory(Path.Join(demo.Folder, "work")).FullName;
        await PowerShell.RunAsync(Nightly.Script, folder);
        using var run = PowerShell.Start($"$waits = $true; {Nightly.Script}", folder);
        await run.ReadLineAsync("waiting");
        using var dashboard = PowerShell.Start("Show-CheckpointDashboard -Store store -NoBrowser", folder);
        await using var watched = await pages.OpenAsync();
        var page = watched.Page;
        await page.GotoAsync(await dashboard.ReadLineAsync("http://127.0.0.1:"));
        var newest = page.Locator(".run").First;
        await Expect(newest.Locator("h3")).ToContainTextAsync("running");
        await Expect(newest.Locator(".bars .running")).ToHaveCountAsync(1);
        // A bar of what is at work grows though nothing new is told.
        var told = await newest.Locator("tbody tr").Last.Locator(".hidden").TextContentAsync();
        await Expect(newest.Locator("tbody tr").Last.Locator(".hidden")).Not.ToHaveTextAsync(told!);
        await Pictures.TakeAsync(page, "dashboard.png");
        // Whoever marks a text in it keeps it, for longer than it is until it is drawn anew.
        await newest.Locator("tbody td").First.EvaluateAsync("cell => getSelection().selectAllChildren(cell)");
        await page.EvaluateAsync("() => new Promise(done => setTimeout(done, 4500))");
        Assert.Equal("fetch", await page.EvaluateAsync<string>("() => getSelection().toString()"));
        await page.EvaluateAsync("() => getSelection().removeAllRanges()");

        await File.WriteAllTextAsync(Path.Join(folder, "go"), "");

        await Expect(newest.Locator("h3")).ToContainTextAsync("completed", new() { Timeout = 60_000 });
        await Expect(newest.Locator("tbody tr").Last).ToContainTextAsync("publish");
        Assert.Empty(watched.Complaints);
    }

    private PowerShell Show() => PowerShell.Start("Show-CheckpointDashboard -Store store -NoBrowser", demo.Folder);
}
