using Npgsql;
using NpgsqlTypes;

namespace Checkpoint.Stores.PostgreSql;

/// <summary>Statements and their parameters, which stand in their order.</summary>
internal static class Query
{
    public static NpgsqlCommand On(NpgsqlConnection connection, string sql, Action<NpgsqlParameterCollection>? fill = null)
    {
        var command = new NpgsqlCommand(sql, connection);
        fill?.Invoke(command.Parameters);
        return command;
    }

    public static NpgsqlCommand On(NpgsqlConnection connection, string sql, StoreKey key)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.With(key);
        return command;
    }

    public static NpgsqlParameterCollection With(this NpgsqlParameterCollection parameters, StoreKey key) =>
        parameters.With(key.Kind).With(key.Pipeline).With(key.Run ?? "").With(key.Name ?? "");

    public static NpgsqlParameterCollection With(this NpgsqlParameterCollection parameters, string? text) =>
        text is null ? AddNull(parameters, NpgsqlDbType.Text) : Add(parameters, text, NpgsqlDbType.Text);

    public static NpgsqlParameterCollection With(this NpgsqlParameterCollection parameters, int number) => Add(parameters, number, NpgsqlDbType.Integer);

    public static NpgsqlParameterCollection With(this NpgsqlParameterCollection parameters, long number) => Add(parameters, number, NpgsqlDbType.Bigint);

    public static NpgsqlParameterCollection With(this NpgsqlParameterCollection parameters, long? number) => number is { } given ? parameters.With(given) : AddNull(parameters, NpgsqlDbType.Bigint);

    public static NpgsqlParameterCollection With(this NpgsqlParameterCollection parameters, Guid id) => Add(parameters, id, NpgsqlDbType.Uuid);

    public static NpgsqlParameterCollection With(this NpgsqlParameterCollection parameters, Guid? id) => id is { } given ? parameters.With(given) : AddNull(parameters, NpgsqlDbType.Uuid);

    public static NpgsqlParameterCollection With(this NpgsqlParameterCollection parameters, bool value) => Add(parameters, value, NpgsqlDbType.Boolean);

    public static NpgsqlParameterCollection With(this NpgsqlParameterCollection parameters, ReadOnlyMemory<byte> bytes) => Add(parameters, bytes, NpgsqlDbType.Bytea);

    public static NpgsqlParameterCollection With(this NpgsqlParameterCollection parameters, TimeSpan duration) => Add(parameters, duration, NpgsqlDbType.Interval);

    public static NpgsqlParameterCollection With<T>(this NpgsqlParameterCollection parameters, T[] values, NpgsqlDbType of) => Add(parameters, values, NpgsqlDbType.Array | of);

    private static NpgsqlParameterCollection Add<T>(NpgsqlParameterCollection parameters, T value, NpgsqlDbType type)
    {
        parameters.Add(new NpgsqlParameter<T> { TypedValue = value, NpgsqlDbType = type });
        return parameters;
    }

    private static NpgsqlParameterCollection AddNull(NpgsqlParameterCollection parameters, NpgsqlDbType type)
    {
        parameters.Add(new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = type });
        return parameters;
    }
}
