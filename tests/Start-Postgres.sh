#!/bin/sh
# Starts a PostgreSQL server of its own in a temporary folder, prints `uri <its URI>`, and ends and removes it when standard input is closed: by whoever started this, or by the system
# when that one is dead, however it died. Where no server can be had it prints `none <reason>`.

# Neither child nor in the terminal of whoever started it, so that it is there to end the server when all of these are killed.
if [ "$1" != watch ]; then
    exec 3<&0
    sh "$0" watch <&3 3<&- &
    exit 0
fi
trap : HUP INT TERM
export LC_ALL=C
for name in $(env | sed -n 's/^\(PG[A-Z]*\)=.*/\1/p'); do
    unset "$name"
done

none() {
    echo "none $1"
    exit 1
}

# A server refuses to be run by root.
if [ "$(id -u)" = 0 ]; then
    as() { runuser -u postgres -- "$@"; }
else
    as() { "$@"; }
fi

# Debian keeps all but the clients' programs off the path.
bin=$(dirname "$(command -v initdb || ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)")
[ -x "$bin/initdb" ] || none 'PostgreSQL is not installed (initdb), and CHECKPOINT_TEST_POSTGRES names none.'
major=$("$bin/initdb" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
[ "$major" -ge 15 ] || none "PostgreSQL $major is older than 15, and CHECKPOINT_TEST_POSTGRES names none."

cd / || exit 1
end() {
    as "$bin/pg_ctl" -D "$1/data" -m immediate stop >/dev/null 2>&1
    rm -rf "$1"
}

# What is left of one that was itself killed.
for left in /tmp/checkpoint-postgres-*; do
    owner=${left#/tmp/checkpoint-postgres-}
    [ ! -d "$left" ] || kill -0 "${owner%%-*}" 2>/dev/null || end "$left"
done

# The path of a socket has room for some hundred characters, so it is not where TMPDIR says.
folder=$(mktemp -d "/tmp/checkpoint-postgres-$$-XXXXXX") || exit 1
[ "$(id -u)" != 0 ] || chown postgres "$folder"
{
    as "$bin/initdb" -D "$folder/data" -U postgres -E UTF8 --locale=C -A trust --no-sync &&
        printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$folder'" 'max_connections = 500' 'fsync = off' >>"$folder/data/postgresql.conf" &&
        as "$bin/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/log" start
} >"$folder.out" 2>&1
code=$?
if [ $code = 0 ]; then
    echo "uri postgresql://postgres@%2Ftmp%2F${folder#/tmp/}/postgres"
    cat >/dev/null
else
    echo "failed PostgreSQL did not start: $(tail -n 3 "$folder.out" "$folder/log" 2>/dev/null | tr '\n' ' ')"
fi
rm -f "$folder.out"
end "$folder"
exit $code
