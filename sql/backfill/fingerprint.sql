-- What a decision about a row depends on, in a few characters: its key, where it points, and the tenants found there, those that do not
-- exist too. It begins with a letter, or a spreadsheet could take it for a number.
'v1-' || left(encode(sha256(convert_to(
    jsonb_build_array(row_key, ARRAY[:pointers], ARRAY[:tenant_texts], ARRAY[:ghost_texts])::text, 'UTF8')), 'hex'), 32)
