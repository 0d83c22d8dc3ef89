using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Checkpoint.Cli;

/// <summary>The options and arguments that several commands have, each made anew for its command.</summary>
internal static class Inputs
{
    public static Argument<string> Stage() => WithNames(new Argument<string>("stage") { HelpName = "stage", Description = "The name of the stage." });

    public static Argument<string[]> Stages(string description) => WithNames(new Argument<string[]>("stage") { HelpName = "stage", Description = description, Arity = ArgumentArity.ZeroOrMore });

    public static Argument<string[]> Command(string description) => new("command") { Description = description, Arity = ArgumentArity.OneOrMore };

    public static Option<long?> Step(string description) => Number("--step", description, 0, long.MaxValue);

    // It takes no value: what stands behind it is the next argument.
    public static Option<bool> Flag(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.Zero };

    /// <summary>Steps, each by an option of its own.</summary>
    public static Option<long[]> Steps(string description) => new("--step")
    {
        Description = description,
        HelpName = "n",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = result => [.. result.Tokens.Select(token => long.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : Fault<long>(result, $"A step is a whole number of 0 or more, and '{token.Value}' is none."))],
    };

    public static Option<bool> Json(string what, string? besides = null) => Flag("--json", $"Print {what} as JSON, for programs.{(besides is null ? "" : " " + besides)}");

    public static Option<string[]> Many(string name, string value, string description) => new(name) { Description = description, HelpName = value, Arity = ArgumentArity.OneOrMore };

    public static Option<string> Text(string name, string value, string description) => new(name) { Description = description, HelpName = value };

    /// <summary>A whole number in a range.</summary>
    public static Option<long?> Number(string name, string description, long least, long most) => new(name)
    {
        Description = description,
        HelpName = "n",
        CustomParser = result => long.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : Fault<long?>(result, string.Create(CultureInfo.InvariantCulture, $"{name} takes a whole number {(most is int.MaxValue or long.MaxValue ? $"of {least} or more" : $"from {least} to {most}")}, and '{result.Tokens[0].Value}' is none.")),
    };

    /// <summary>A number with a fraction.</summary>
    public static Option<double?> Fraction(string name, string description, double least, double most) => new(name)
    {
        Description = description,
        HelpName = "x",
        CustomParser = result => double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : Fault<double?>(result, string.Create(CultureInfo.InvariantCulture, $"{name} takes a number from {least} to {most}, and '{result.Tokens[0].Value}' is none.")),
    };

    /// <summary>How long something may take or be ago.</summary>
    public static Option<TimeSpan?> Duration(string name, string description, bool allowZero = false, int maxDays = 0) => new(name)
    {
        Description = description,
        HelpName = "time",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (DurationText.Parse(text.Trim()) is not { } span)
                return Fault<TimeSpan?>(result, $"{DurationText.None(text)}, or as 1.12:00:00.");
            return DurationText.FaultOf(span, allowZero, maxDays) is { } fault ? Fault<TimeSpan?>(result, $"The duration '{text}' {fault}.") : span;
        },
    };

    /// <summary>A time, or how long ago it was.</summary>
    public static Option<DateTimeOffset?> Moment(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "time",
        CustomParser = result => DurationText.ParseMoment(result.Tokens[0].Value.Trim(), TimeProvider.System) is { } moment ? moment : Fault<DateTimeOffset?>(result, DurationText.NoMoment(result.Tokens[0].Value)),
    };

    /// <summary>One of some words.</summary>
    public static Option<T?> Choice<T>(string name, string description)
        where T : struct, Enum
    {
        var words = Enum.GetNames<T>().Select(n => n.ToLowerInvariant()).ToArray();
        var option = new Option<T?>(name)
        {
            Description = description,
            HelpName = string.Join('|', words),
            CustomParser = result => words.Contains(result.Tokens[0].Value, StringComparer.OrdinalIgnoreCase) ? Enum.Parse<T>(result.Tokens[0].Value, ignoreCase: true)
                : Fault<T?>(result, $"{name} takes {string.Join(" or ", words)}, and not '{result.Tokens[0].Value}'."),
        };
        option.CompletionSources.Add(words);
        return option;
    }

    private static T WithNames<T>(T argument)
        where T : Argument
    {
        argument.CompletionSources.Add(StoreCompletion.Names);
        return argument;
    }

    private static T? Fault<T>(ArgumentResult result, string message)
    {
        result.AddError(message);
        return default;
    }
}
