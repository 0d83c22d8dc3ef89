using Microsoft.Playwright;

namespace Checkpoint.Browser.Tests;

/// <summary>A page, with all that it asked for and complained of.</summary>
internal sealed class WatchedPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _complaints = [];
    private readonly List<string> _requests = [];

    public WatchedPage(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                Note(_complaints, $"console {message.Type}: {message.Text}");
        };
        page.PageError += (_, error) => Note(_complaints, $"error: {error}");
        page.Dialog += (_, dialog) =>
        {
            Note(_complaints, $"dialog: {dialog.Message}");
            _ = dialog.DismissAsync();
        };
        context.Request += (_, request) => Note(_requests, request.Url);
    }

    public IPage Page { get; }

    /// <summary>What the page complained of, on its console or otherwise.</summary>
    public IReadOnlyList<string> Complaints => Copy(_complaints);

    /// <summary>All that it asked for.</summary>
    public IReadOnlyList<string> Requests => Copy(_requests);

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();

    private static void Note(List<string> list, string text)
    {
        lock (list)
            list.Add(text);
    }

    private static List<string> Copy(List<string> list)
    {
        lock (list)
            return [.. list];
    }
}
