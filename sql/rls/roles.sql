-- The roles $1: whether each exists, and whether this login can act as it.
SELECT wanted.name, r.oid IS NOT NULL, coalesce(pg_has_role(current_user, r.oid, 'MEMBER'), false)
FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, position)
LEFT JOIN pg_roles AS r ON r.rolname = wanted.name
ORDER BY wanted.position
