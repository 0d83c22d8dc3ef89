using Npgsql;
using NpgsqlTypes;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>A statement with its parameters, which stand in their order.</summary>
internal static class Query
{
    public static NpgsqlCommand On(NpgsqlConnection connection, string sql, StoreKey key)
    {
        var command = new NpgsqlCommand(sql, connection);
        return command.With(key);
    }

    public static NpgsqlCommand With(this NpgsqlCommand command, StoreKey key) =>
        command.With(key.Kind).With(key.Pipeline).With(key.Run ?? "").With(key.Name ?? "");

    public static NpgsqlCommand With(this NpgsqlCommand command, string? text) => Add(command, text, NpgsqlDbType.Text);

    public static NpgsqlCommand With(this NpgsqlCommand command, long number)
    {
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = number, NpgsqlDbType = NpgsqlDbType.Bigint });
        return command;
    }

    public static NpgsqlCommand With(this NpgsqlCommand command, long? number) => number is { } given ? command.With(given) : Add(command, null, NpgsqlDbType.Bigint);

    public static NpgsqlCommand With(this NpgsqlCommand command, Guid id)
    {
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id, NpgsqlDbType = NpgsqlDbType.Uuid });
        return command;
    }

    public static NpgsqlCommand With(this NpgsqlCommand command, Guid? id) => id is { } given ? command.With(given) : Add(command, null, NpgsqlDbType.Uuid);

    public static NpgsqlCommand With(this NpgsqlCommand command, bool value)
    {
        command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Boolean });
        return command;
    }

    public static NpgsqlCommand With(this NpgsqlCommand command, ReadOnlyMemory<byte> bytes)
    {
        command.Parameters.Add(new NpgsqlParameter<ReadOnlyMemory<byte>> { TypedValue = bytes, NpgsqlDbType = NpgsqlDbType.Bytea });
        return command;
    }

    public static NpgsqlCommand With(this NpgsqlCommand command, TimeSpan duration)
    {
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = duration, NpgsqlDbType = NpgsqlDbType.Interval });
        return command;
    }

    public static NpgsqlCommand With(this NpgsqlCommand command, Array values, NpgsqlDbType of) => Add(command, values, NpgsqlDbType.Array | of);

    private static NpgsqlCommand Add(NpgsqlCommand command, object? value, NpgsqlDbType type)
    {
        command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value, NpgsqlDbType = type });
        return command;
    }
}
