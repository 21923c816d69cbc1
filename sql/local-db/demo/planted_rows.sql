-- What each table was planted with, as the inserting statements counted.
SELECT table_name, rows, without_tenant, empty_string, ghost FROM planted_rows ORDER BY table_name
