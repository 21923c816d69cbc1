-- A fragment of FROM. It needs rows `l` with the tenant column, and adds one alias with `tenant` and `nth`.
-- What each value is to become: a tenant, if it still exists, or nothing, for which the empty string stands.
-- It runs under the search path of the application.
LEFT JOIN (
    SELECT m.value, m.nth, CASE WHEN m.tenant OPERATOR(pg_catalog.=) '' THEN '' ELSE k.:"tenant_key"::pg_catalog.text END AS tenant
    FROM ROWS FROM (pg_catalog.unnest(:values), pg_catalog.unnest(:to)) WITH ORDINALITY AS m (value, tenant, nth)
    LEFT JOIN :"tenants" AS k ON k.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.=) m.tenant AND m.tenant OPERATOR(pg_catalog.<>) ''
) AS :"s" ON :"s".value OPERATOR(pg_catalog.=) l.:"via"::pg_catalog.text
