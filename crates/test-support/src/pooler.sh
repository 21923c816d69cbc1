# The guardian of a test's PgBouncer: starts it, and ends it when the test is gone.
#
# Usage: sh pooler.sh PGBOUNCER FOLDER   (as the user that PgBouncer runs as)
#
# The test holds the other end of standard input open, and the kernel closes that end with the process, also on SIGKILL.
set -u
"$1" "$2/pgbouncer.ini" </dev/null >"$2/log" 2>&1 &
pooler=$!

cat >/dev/null

# TERM ends it at once up to 1.22, and QUIT from 1.23 on. A process that was not waited for keeps its number.
kill -s TERM "$pooler" 2>/dev/null
kill -s QUIT "$pooler" 2>/dev/null
wait "$pooler"
rm -rf "$2"
