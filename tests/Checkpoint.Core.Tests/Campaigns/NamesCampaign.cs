using System.Text;
using Xunit.Abstractions;

namespace Checkpoint.Tests;

/// <summary>Hostile names on the folder store: each is found again, none leaves the store, and two share a folder only if they are the same name; on no file system are two folders one.</summary>
[Trait("Category", "Campaign")]
public sealed class NamesCampaign(ITestOutputHelper output) : StoreTest
{
    [Fact]
    public async Task Hostile_names_round_trip_and_none_leaves_the_store_and_no_two_collide()
    {
        var campaign = new Campaign("Names", output);
        // No medium is waited for.
        var files = new TestFileSystem();
        Store = new FolderStore(Root, files);
        var outside = Temp.Write("outside/secret.txt", "untouched");
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        var written = new List<string>();
        var (same, wanted) = (0, Campaign.IsLong ? 10_000 : 700);
        while (names.Count < wanted)
        {
            string name;
            try
            {
                name = CheckpointNames.Normalize(HostileNames.Next(campaign.Random, written), "checkpoint");
            }
            catch (CheckpointException)
            {
                // Too long, or with half a pair: told to the user, and no name.
                continue;
            }
            files.Forget();
            campaign.Tries++;
            written.Add(name);
            if (!names.TryAdd(CheckpointNames.Key(name), name))
                same++;
            if (await FaultAsync(Store, name) is { } fault)
                campaign.Findings.Add($"'{name}' ({string.Join(' ', name.EnumerateRunes().Take(40).Select(r => $"{r.Value:X4}"))}): {fault}");
        }

        campaign.Findings.AddRange(Collisions(names.Values));
        await foreach (var stage in Store.ListAsync(new StageQuery { Pipeline = NamePattern.Any, Run = NamePattern.Any }, default))
        {
            // The name as it was written last, under one of its keys in each of the three places.
            if (!names.Remove(CheckpointNames.Key(stage.Stage.Name)) || CheckpointNames.Key(stage.Stage.Run!) != CheckpointNames.Key(stage.Stage.Name) || stage.Newest.Info is null)
                campaign.Findings.Add($"'{stage.Stage.Name}' is listed and was not saved so");
        }
        campaign.Findings.AddRange(names.Values.Select(name => $"'{name}' is not listed"));
        await foreach (var finding in Store.VerifyAsync(new StoreScope(), null, default))
        {
            // The store itself, used here, writes no history.
            if (finding.Kind != StoreFindingKind.HistoryCut)
                campaign.Findings.Add($"the verification finds {finding}");
        }
        campaign.Findings.AddRange(Temp.Files().Keys.Where(f => !f.StartsWith("store/", StringComparison.Ordinal) && f != "outside/secret.txt").Select(f => $"{f} lies outside the store"));
        Assert.Equal("untouched", await File.ReadAllTextAsync(outside));
        campaign.End($"{wanted} different names, {same} that were an earlier one in another form");
    }

    private async Task<string?> FaultAsync(FolderStore store, string name)
    {
        var stage = new StageId(name, name, name);
        var saved = await store.SaveAsync(Draft(TestState.Small(name), step: 1, overwrite: true, stage: stage), default);
        if (Path.GetFullPath(saved.Location) != saved.Location || !saved.Location.StartsWith(Root + Path.DirectorySeparatorChar, StringComparison.Ordinal) || !File.Exists(saved.Location))
            return $"it lies at '{saved.Location}'";
        // Below the store: pipeline, runs, run, stages, stage, record.
        if (Path.GetRelativePath(Root, saved.Location).Split(Path.DirectorySeparatorChar).Length != 6)
            return $"its path has other parts: '{saved.Location}'";
        foreach (var form in new[] { name, name.ToUpperInvariant(), HostileNames.Normalized(name, NormalizationForm.FormD) })
        {
            // Another case of a few letters is another name, in which no case counts.
            if (!CheckpointNames.IsName(form) || CheckpointNames.Key(CheckpointNames.Normalize(form, "checkpoint")) != CheckpointNames.Key(name))
                continue;
            var other = CheckpointNames.Normalize(form, "checkpoint");
            if (await Restore(new FolderStore(Root), 1, new StageId(other, other, other)) is not { } state || state.Document != TestState.Small(name).Document)
                return $"it is not found as '{form}'";
        }
        var folder = FolderLayout.Escape(name);
        return FolderLayout.IsCut(folder) || FolderLayout.Unescape(folder) == CheckpointNames.Key(name) ? null : $"its folder '{folder}' is read as '{FolderLayout.Unescape(folder)}'";
    }

    // As a file system sees names that ignores case, or has a normal form of its own, or both, or trims ends.
    private static IEnumerable<string> Collisions(IReadOnlyCollection<string> names)
    {
        var folds = new (string What, Func<string, string> Fold)[]
        {
            ("exactly", f => f),
            ("without case", f => f.ToUpperInvariant()),
            ("without case, simply folded", f => f.ToUpperInvariant().ToLowerInvariant()),
            ("in form C", f => HostileNames.Normalized(f, NormalizationForm.FormC)),
            ("in form D", f => HostileNames.Normalized(f, NormalizationForm.FormD)),
            ("in form D without case", f => HostileNames.Normalized(f.ToUpperInvariant(), NormalizationForm.FormD)),
            ("in form KD without case", f => HostileNames.Normalized(f.ToUpperInvariant(), NormalizationForm.FormKD).ToUpperInvariant()),
            ("without ends", f => f.TrimEnd('.', ' ')),
        };
        foreach (var (what, fold) in folds)
        {
            foreach (var group in names.Select(FolderLayout.Escape).GroupBy(fold, StringComparer.Ordinal).Where(g => g.Count() > 1))
                yield return $"one folder {what}: '{string.Join("', '", group)}'";
        }
        foreach (var folder in names.Select(FolderLayout.Escape).Where(f => Encoding.UTF8.GetByteCount(f) > FolderLayout.MaxSegmentBytes || f.Any("/\\:*?\"<>|\0".Contains) || f is "." or ".."))
            yield return $"no folder of every system: '{folder}'";
    }
}
