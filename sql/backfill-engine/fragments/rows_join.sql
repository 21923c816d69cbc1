-- A fragment of FROM. It needs rows `l` with what `from` reads, and adds one alias with `tenants` and `ghosts`.
-- One source of a row's tenants: all rows that it points to, and which of their tenants exist, each once and in order. An array and
-- not min() and max(), which uuid has from PostgreSQL 18 on only; and it is one probe of the index.
-- It runs under the search path of the application.
LEFT JOIN LATERAL (
    SELECT pg_catalog.array_agg(DISTINCT :named) FILTER (WHERE k.:"tenant_key" IS NOT NULL) AS tenants,
           pg_catalog.array_agg(DISTINCT r.:"source_tenant"::pg_catalog.text) FILTER (WHERE k.:"tenant_key" IS NULL) AS ghosts
    FROM :"source" AS r
    :hops
    LEFT JOIN :"tenants" AS k ON k.:"tenant_key" OPERATOR(pg_catalog.=) :compared_tenant AND k.:"tenant_key"::pg_catalog.text OPERATOR(pg_catalog.<>) ''
    WHERE :first_key OPERATOR(pg_catalog.=) :from AND r.:"source_tenant" IS NOT NULL
) AS :"s" ON true
