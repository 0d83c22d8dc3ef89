namespace Checkpoint;

/// <summary>Puts the stages of a pipeline in order and finds what is wrong with them.</summary>
internal static class StageOrder
{
    /// <summary>The stages, each behind those it depends on, else in the order written.</summary>
    /// <param name="pipeline">The pipeline's name, for the error.</param>
    /// <param name="stages">The stages as written.</param>
    /// <param name="from">A stage that must be there, or null.</param>
    /// <exception cref="CheckpointException"><see cref="CheckpointErrorKind.InvalidPipeline"/> naming every fault.</exception>
    public static IReadOnlyList<StageDefinition> Sort(string pipeline, IReadOnlyList<StageDefinition> stages, string? from)
    {
        var faults = new List<string>();
        var byKey = new Dictionary<string, StageDefinition>();
        if (stages.Count == 0)
            faults.Add("it has no stages");
        foreach (var stage in stages)
        {
            if (NameFault(stage.Name) is { } fault)
                faults.Add(fault);
            else if (!byKey.TryAdd(CheckpointNames.Key(stage.Name), stage))
                faults.Add($"stage '{stage.Name}' is there twice");
        }
        foreach (var stage in stages)
        {
            foreach (var missing in stage.DependsOn.Where(d => NameFault(d) is not null || !byKey.ContainsKey(CheckpointNames.Key(d))))
                faults.Add($"stage '{stage.Name}' depends on '{missing}', which is not there");
        }
        if (from is not null && (NameFault(from) is not null || !byKey.ContainsKey(CheckpointNames.Key(from))))
            faults.Add($"-From names '{from}', which is not there");

        var sorted = new List<StageDefinition>();
        var done = new HashSet<string>();
        var left = byKey.Values.ToList();
        // What is written first goes first of all that are ready; a few hundred stages are many.
        while (left.Find(stage => Known(stage).All(done.Contains)) is { } next)
        {
            left.Remove(next);
            sorted.Add(next);
            done.Add(CheckpointNames.Key(next.Name));
        }
        foreach (var cycle in Cycles(left, Known))
            faults.Add("these depend on each other: " + string.Join(" → ", cycle));
        return faults.Count == 0 ? sorted : throw CheckpointErrors.InvalidPipeline(pipeline, faults);

        IEnumerable<string> Known(StageDefinition stage) => stage.DependsOn.Where(d => NameFault(d) is null).Select(CheckpointNames.Key).Where(byKey.ContainsKey);
    }

    private static string? NameFault(string name)
    {
        try
        {
            CheckpointNames.Normalize(name, "stage");
            return null;
        }
        catch (CheckpointException e)
        {
            return e.Message.TrimEnd('.');
        }
    }

    // Each circle once, from the stage that was written first; what only depends on a circle is no fault of its own.
    private static IEnumerable<IReadOnlyList<string>> Cycles(List<StageDefinition> stuck, Func<StageDefinition, IEnumerable<string>> dependencies)
    {
        var byKey = stuck.ToDictionary(s => CheckpointNames.Key(s.Name));
        var told = new HashSet<string>();
        foreach (var start in byKey.Keys.ToList())
        {
            var path = new List<string>();
            var at = start;
            while (!path.Contains(at))
            {
                path.Add(at);
                at = dependencies(byKey[at]).First(byKey.ContainsKey);
            }
            var circle = path[path.IndexOf(at)..];
            if (circle.Any(key => !told.Add(key)))
                continue;
            var first = circle.IndexOf(circle.MinBy(key => stuck.FindIndex(s => CheckpointNames.Key(s.Name) == key))!);
            yield return [.. circle[first..].Concat(circle[..first]).Append(circle[first]).Select(key => byKey[key].Name)];
        }
    }
}
