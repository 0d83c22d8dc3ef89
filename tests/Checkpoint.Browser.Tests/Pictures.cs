using Microsoft.Playwright;

namespace Checkpoint.Browser.Tests;

/// <summary>The pictures in the documentation.</summary>
internal static class Pictures
{
    /// <summary>Takes a picture; it becomes that of the documentation where CHECKPOINT_TEST_PICTURES is set.</summary>
    public static async Task TakeAsync(IPage page, string name)
    {
        var kept = Path.Join(Machine.Repository, "docs", "images", name);
        var taken = await page.ScreenshotAsync(new() { FullPage = false });
        if (Environment.GetEnvironmentVariable("CHECKPOINT_TEST_PICTURES") is { Length: > 0 })
            await File.WriteAllBytesAsync(kept, taken);
        Assert.True(File.Exists(kept), $"There is no {kept}. Set CHECKPOINT_TEST_PICTURES to 1 and run the test again.");
    }
}
