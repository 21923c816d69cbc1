-- A fragment, an expression. It needs `row_key`, and columns with pointers, tenants and ghosts of each source as text.
-- What a decision about a row depends on, in a few characters: its key, where it points, and the tenants found there, those that do not
-- exist too. It begins with a letter, or a spreadsheet could take it for a number.
-- It runs under the search path of the application.
pg_catalog.concat('v1-', pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
    pg_catalog.jsonb_build_array(row_key, ARRAY[:pointers], ARRAY[:tenant_texts], ARRAY[:ghost_texts])::pg_catalog.text, 'UTF8')), 'hex'), 32))
