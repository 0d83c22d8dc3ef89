using System.Management.Automation;
using Npgsql;

/// <summary>What a bare question costs: a cmdlet that asks SELECT 1 through Npgsql, as its documentation says.</summary>
[Cmdlet(VerbsDiagnostic.Test, "Select1")]
public sealed class TestSelect1Command : PSCmdlet
{
    private static NpgsqlDataSource s_source;

    [Parameter(Mandatory = true, Position = 0)]
    public string Connection { get; set; }

    protected override void ProcessRecord()
    {
        s_source ??= NpgsqlDataSource.Create(Connection);
        using var connection = s_source.OpenConnection();
        using var command = new NpgsqlCommand("SELECT 1", connection);
        WriteObject((int)command.ExecuteScalar() == 1);
    }
}
