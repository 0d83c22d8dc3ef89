using System.CommandLine;

namespace Checkpoint.Cli;

/// <summary>A command of the tool, with what its help says beside its options.</summary>
/// <param name="name">Its name.</param>
/// <param name="description">What it does.</param>
internal sealed class ToolCommand(string name, string description) : Command(name, description)
{
    /// <summary>Its arguments and options, in the order in which the help tells of them.</summary>
    public required IEnumerable<Symbol> Takes
    {
        init
        {
            foreach (var symbol in value)
            {
                if (symbol is Argument argument)
                    Add(argument);
                else
                    Add((Option)symbol);
            }
        }
    }

    /// <summary>Command lines that can be run, each with what it does.</summary>
    public IReadOnlyList<(string Line, string Says)> Examples { get; init; } = [];

    /// <summary>What each exit code says.</summary>
    public IReadOnlyList<(string Code, string Says)> ExitCodes { get; init; } = [];

    /// <summary>Does the work.</summary>
    public Func<Call, ValueTask<int>>? Work { get; set; }

    /// <summary>How many steps are kept, where the command line says so.</summary>
    public Option<long?>? Keep { get; init; }
}
