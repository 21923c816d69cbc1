-- Removes a database of the benchmark, also where a statement of a benchmark that was stopped still runs in it.
DROP DATABASE IF EXISTS :"name" WITH (FORCE)
