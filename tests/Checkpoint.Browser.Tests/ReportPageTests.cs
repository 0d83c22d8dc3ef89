using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Xunit.Abstractions;
using static Microsoft.Playwright.Assertions;

namespace Checkpoint.Browser.Tests;

/// <summary>What Export-CheckpointReport writes, as somebody sees it who opens the file.</summary>
public sealed class ReportPageTests(Pages pages, Demo demo, ITestOutputHelper output) : IClassFixture<Pages>, IClassFixture<Demo>
{
    [BrowserFact]
    public async Task It_tells_of_runs_stages_failures_sizes_items_and_what_was_skipped()
    {
        await using var watched = await OpenAsync();
        var page = watched.Page;

        await Expect(page.Locator("#found")).ToHaveTextAsync("4 runs");
        await Expect(page.Locator("#source")).ToContainTextAsync(demo.Store);
        var failed = await UnfoldAsync(page, "partial");
        await Expect(failed.Locator("tbody tr")).ToHaveCountAsync(4);
        await Expect(Row(failed, "fetch")).ToContainTextAsync("completed");
        await Expect(Row(failed, "fetch")).ToContainTextAsync("20.0 KiB, step 1");
        await Expect(Row(failed, "index")).ToContainTextAsync($"no route to host {Demo.Hostile}");
        await Expect(Row(failed, "publish")).ToContainTextAsync("it depends on 'index', which failed");
        await Expect(Row(failed, "audit")).ToContainTextAsync("disabled");
        await Expect(Row(failed, "index").Locator(".bars .failed")).ToHaveCountAsync(2);
        await Expect(Row(failed, "index").Locator(".bars .wait")).ToHaveCountAsync(1);
        await Expect(Row(failed, "index").Locator(".hidden")).ToContainTextAsync("waited for the next attempt");

        var resumed = await UnfoldAsync(page, "completed.*nightly");
        await Expect(resumed).ToContainTextAsync("started 2 times");
        await Expect(Row(resumed, "fetch")).ToContainTextAsync("skipped 1 time, its saved result held");

        await Expect(Row(await UnfoldAsync(page, "hosts"), "hosts")).ToContainTextAsync("19 done, 1 failed");
        await Expect(Row(await UnfoldAsync(page, "hosts"), "hosts").Locator(".failures li")).ToContainTextAsync("7: no answer");
        await Expect(page.Locator("#lines tr").First).ToContainTextAsync("StageSkipped");
        AssertQuiet(watched);
    }

    [BrowserFact]
    public async Task It_finds_what_is_searched_for()
    {
        await using var watched = await OpenAsync();
        var page = watched.Page;

        await page.GetByRole(AriaRole.Searchbox).First.FillAsync("NO ROUTE nightly");
        await Expect(page.Locator("#found")).ToHaveTextAsync("1 of 4 runs");
        await page.GetByRole(AriaRole.Searchbox).First.FillAsync("");
        await page.Locator("#statuses").GetByRole(AriaRole.Button, new() { Name = "completed" }).ClickAsync();
        await Expect(page.Locator("#found")).ToHaveTextAsync("1 of 4 runs");
        await page.Locator("#statuses").GetByRole(AriaRole.Button, new() { Name = "no run" }).ClickAsync();
        await Expect(page.Locator("#found")).ToHaveTextAsync("3 of 4 runs");
        await page.GetByLabel("Pipeline").SelectOptionAsync("hosts");
        await Expect(page.Locator("#found")).ToHaveTextAsync("1 of 4 runs");

        await page.GetByLabel("Event").SelectOptionAsync("StageRetried");
        await Expect(page.Locator("#history-found")).ToContainTextAsync("2 of ");
        await Expect(page.Locator("#lines tr")).ToHaveCountAsync(2);
        await page.Locator("#history-search").FillAsync("nothing has this in it");
        await Expect(page.Locator("#lines tr")).ToHaveCountAsync(0);
        AssertQuiet(watched);
    }

    [BrowserFact]
    public async Task What_comes_from_data_is_text_and_never_markup()
    {
        await using var watched = await OpenAsync();
        var page = watched.Page;
        await UnfoldAllAsync(page);

        await Expect(page.Locator("#list")).ToContainTextAsync(Demo.Hostile);
        await Expect(page.Locator("#lines")).ToContainTextAsync(Demo.Hostile);
        Assert.Equal(0, await page.Locator("img").CountAsync());
        Assert.False(await page.EvaluateAsync<bool>("() => 'broken' in window"));
        AssertQuiet(watched);
    }

    [BrowserFact]
    public async Task It_works_by_keyboard_and_for_a_screen_reader_in_light_and_dark()
    {
        var backgrounds = new List<string>();
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            await using var watched = await OpenAsync(scheme: scheme);
            var page = watched.Page;
            await page.Locator("#search").FocusAsync();
            var button = page.Locator(".run h3 button").Nth(1);
            for (var presses = 0; presses < 20 && !await button.EvaluateAsync<bool>("b => b === document.activeElement"); presses++)
                await page.Keyboard.PressAsync("Tab");
            await page.Keyboard.PressAsync("Enter");
            await Expect(button).ToHaveAttributeAsync("aria-expanded", "true");

            var findings = await page.RunAxe();
            var found = string.Join("\n", findings.Violations.SelectMany(v => v.Nodes.Select(n => $"{v.Id}: {v.Help}: {n.Html} {string.Join(' ', n.Any.Select(a => a.Message))}")));
            Assert.True(found.Length == 0, found);
            backgrounds.Add(await page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor"));
            AssertQuiet(watched);
        }
        Assert.Equal(["rgb(255, 255, 255)", "rgb(13, 17, 23)"], backgrounds);
    }

    [BrowserFact]
    public async Task It_can_be_read_on_a_phone()
    {
        await using var watched = await OpenAsync(width: 360);
        await UnfoldAllAsync(watched.Page);
        Assert.True(await watched.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), "It is wider than the screen.");
        AssertQuiet(watched);
    }

    [BrowserFact]
    public async Task It_can_be_printed_with_all_that_is_folded_up()
    {
        await using var watched = await OpenAsync();
        var page = watched.Page;
        Assert.True((await page.PdfAsync(new() { Format = "A4" })).Length > 10_000);
        await page.EmulateMediaAsync(new() { Media = Media.Print });
        await page.EvaluateAsync("() => dispatchEvent(new Event('beforeprint'))");
        await Expect(page.Locator(".run .detail")).ToHaveCountAsync(4);
        await Expect(page.Locator("#filter")).ToBeHiddenAsync();
        await page.EvaluateAsync("() => dispatchEvent(new Event('afterprint'))");
        await Expect(page.Locator(".run .detail")).ToHaveCountAsync(1);
        AssertQuiet(watched);
    }

    [BrowserFact]
    public async Task Thousands_of_runs_stay_quick()
    {
        var path = Path.Join(demo.Folder, "many.html");
        await ReportFile.WriteAsync(Many(5000, 6), ReportFormat.Html, path, CancellationToken.None);
        await using var watched = await pages.OpenAsync();
        var page = watched.Page;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await page.GotoAsync(new Uri(path).AbsoluteUri);
        await Expect(page.Locator("#found")).ToHaveTextAsync("5,000 runs");
        var loaded = clock.ElapsedMilliseconds;
        clock.Restart();
        await page.Locator("#search").FillAsync("run-4321");
        await Expect(page.Locator("#found")).ToHaveTextAsync("1 of 5,000 runs");
        var found = clock.ElapsedMilliseconds;
        clock.Restart();
        await page.Locator("#search").FillAsync("");
        await Expect(page.Locator("#found")).ToHaveTextAsync("5,000 runs");
        output.WriteLine($"5,000 runs of 6 stages, 65,000 lines of history, {new FileInfo(path).Length / 1048576.0:0.0} MiB: shown after {loaded} ms, searched in {found} ms, and back in {clock.ElapsedMilliseconds} ms");

        // What keeps it so: however many there are, no more are in the page than a person looks at.
        Assert.Equal(50, await page.Locator(".run").CountAsync());
        Assert.Equal(200, await page.Locator("#lines tr").CountAsync());
        await page.Locator("#more").ClickAsync();
        Assert.Equal(250, await page.Locator(".run").CountAsync());
        AssertQuiet(watched);
    }

    [BrowserFact]
    public async Task It_makes_the_picture_of_the_documentation()
    {
        var folder = Directory.CreateDirectory(Path.Join(demo.Folder, "picture")).FullName;
        await PowerShell.RunAsync($"{Nightly.Script}; $fails = $true; try {{ {Nightly.Script} }} catch {{ }}; Export-CheckpointReport -Store store", folder);
        await using var watched = await pages.OpenAsync();
        await watched.Page.GotoAsync(new Uri(Path.Join(folder, "checkpoint-report.html")).AbsoluteUri);
        await Expect(watched.Page.Locator(".run").First.Locator("h3")).ToContainTextAsync("failed");
        await Pictures.TakeAsync(watched.Page, "report.png");
    }

    private async Task<WatchedPage> OpenAsync(int width = 1280, ColorScheme scheme = ColorScheme.Light)
    {
        var name = $"{Guid.NewGuid():N}.html";
        await PowerShell.RunAsync($"Export-CheckpointReport {name} -Store store", demo.Folder);
        var watched = await pages.OpenAsync(width, scheme);
        await watched.Page.GotoAsync(new Uri(Path.Join(demo.Folder, name)).AbsoluteUri);
        return watched;
    }

    // Nothing went wrong, and nothing but the file itself was asked for.
    private static void AssertQuiet(WatchedPage watched)
    {
        Assert.Empty(watched.Complaints);
        Assert.All(watched.Requests, request => Assert.StartsWith("file:", request, StringComparison.Ordinal));
        Assert.Single(watched.Requests);
    }

    private static async Task<ILocator> UnfoldAsync(IPage page, string heading)
    {
        var run = page.Locator(".run").Filter(new() { Has = page.Locator("h3", new() { HasTextRegex = new(heading) }) });
        var button = run.Locator("h3 button");
        if (await button.GetAttributeAsync("aria-expanded") == "false")
            await button.ClickAsync();
        return run;
    }

    private static Task<int> UnfoldAllAsync(IPage page) => page.Locator(".run h3 button[aria-expanded=false]").EvaluateAllAsync<int>("buttons => { buttons.forEach(b => b.click()); return buttons.length; }");

    private static ILocator Row(ILocator run, string stage) => run.Locator("tbody tr").Filter(new() { Has = run.Page.Locator($"td[data-label=Stage]:text-is('{stage}')") });

    private static CheckpointReport Many(int runs, int stages)
    {
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        return new CheckpointReport
        {
            GeneratedAt = start.AddDays(runs),
            Store = "store",
            Problems = [],
            Runs = [.. Enumerable.Range(0, runs).Reverse().Select(r => new ReportRun
            {
                Pipeline = "nightly",
                Run = $"run-{r:0000}",
                Status = r % 7 == 0 ? RunStatus.Failed : RunStatus.Completed,
                StartedAt = start.AddDays(r),
                EndedAt = start.AddDays(r).AddHours(1),
                Stages = [.. Enumerable.Range(0, stages).Select(s => new ReportStage
                {
                    Name = $"stage {s}",
                    Status = ReportStatus.Completed,
                    Attempts = 1,
                    DurationSeconds = 600,
                    Spans = [new ReportSpan(ReportSpanKind.Attempt, start.AddDays(r).AddMinutes(10 * s), start.AddDays(r).AddMinutes((10 * s) + 10), ReportOutcome.Completed)],
                    Checkpoint = new ReportCheckpoint(1, 1, start.AddDays(r), 1 << 20, false, 0),
                })],
            })],
            History = [.. Enumerable.Range(0, runs * ((2 * stages) + 1)).Select(i => new ReportEvent(start.AddMinutes(i), i % 2 == 0 ? "StageStarted" : "StageCompleted", "nightly", $"run-{i / 13:0000}", $"stage {i % stages}", 1, null, "host", "user", i))],
        };
    }
}
