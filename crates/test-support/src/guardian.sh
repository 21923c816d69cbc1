# The guardian of a test server: makes it, starts it, and ends it when the last process that uses it is gone.
#
# Usage: sh guardian.sh FOLDER BIN GRACE INITDB-ARGUMENT...   (as the user that the server runs as)
#
# Standard input is the named pipe FOLDER/alive. Every process that uses the server holds its writing end open, and the
# kernel closes that end with the process, also on SIGKILL: reading to the end of it waits for the last one.
set -u
folder=$1 bin=$2 grace=$3
shift 3
cd "$folder" || exit 1

if "$bin/initdb" "$@" </dev/null >initdb.log 2>&1 &&
    cat include.conf >>data/postgresql.conf &&
    "$bin/pg_ctl" start --wait --silent --pgdata="$folder/data" --log="$folder/server.log" </dev/null >>initdb.log 2>&1
then
    : >ready
else
    : >failed
    grace=0
fi

until_alone() { cat >/dev/null; }

until_alone
sleep "$grace" # the next test binary of the same run may be about to start
until_alone

# From here on nobody finds the server by its name, and who opened the pipe before has opened it: wait for those, too.
ending=$folder.ending.$$
mv "$folder" "$ending"
until_alone

# The pid is the server's only while that process names our folder: it may be somebody else's by now.
is_server() {
    { tr '\0' ' ' <"/proc/$pid/cmdline" || ps -ww -o args= -p "$pid"; } 2>/dev/null | grep -qF -- "$folder/data"
}
if read -r pid _ 2>/dev/null <data/postmaster.pid; then
    signal=QUIT
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        is_server || break
        kill -s "$signal" "$pid" 2>/dev/null
        sleep 0.2
        is_server || break
        sleep 1
    done
    ! is_server || kill -s KILL "$pid"
fi

cd /
rm -rf "$ending"
