# A PostgreSQL cluster of its own, for as long as somebody holds our stdin: `postgres.sh PORT`. It says `ready FOLDER`
# when it answers, and takes all of it away when stdin ends, however that came about.
set -eu
cd /
PATH="$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1):$PATH"
folder=$(mktemp -d "${TMPDIR:-/tmp}/deploy-postgres-XXXXXX")
end() {
    pg_ctl stop -D "$folder/data" -m immediate >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 1' HUP INT TERM
# Nothing of it has to survive a crash of the machine.
initdb --pgdata="$folder/data" --auth=trust --username=postgres --encoding=UTF8 --locale=C --no-sync >"$folder/log"
cat >>"$folder/data/postgresql.conf" <<SETTINGS
listen_addresses = '127.0.0.1'
port = $1
unix_socket_directories = '$folder'
fsync = off
shared_buffers = 16MB
max_wal_size = 64MB
min_wal_size = 32MB
SETTINGS
pg_ctl start -D "$folder/data" -w -l "$folder/log" >/dev/null || { cat "$folder/log"; exit 1; }
echo "ready $folder"
cat >/dev/null
