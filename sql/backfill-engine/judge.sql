-- Judges what people decided: the rows with the keys $1 are to get the tenants $2 if their fingerprints are still $3. Rows that can get
-- theirs are locked; those that somebody else holds are tried again later. The key is compared as text too: `007` is not the key 7.
-- All are grouped by key, not joined, as the planner expects one row without a tenant and would compare each with each; nor may it look
-- for them by an index on the tenant, in which all rows without one stand.
-- It runs under the search path of the application.
WITH asked AS (
    SELECT *
    FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[]))
         WITH ORDINALITY AS a (row_key, tenant, fingerprint, nth)
), locked AS MATERIALIZED (
    SELECT :key_text AS row_key, :vias
    FROM :whole AS t
    WHERE :key_is_one_of AND pg_catalog.num_nulls(t.:"column") OPERATOR(pg_catalog.=) 1
    FOR NO KEY UPDATE SKIP LOCKED
), found AS (
    SELECT row_key, :fingerprint AS fingerprint
    FROM (SELECT l.row_key, :seen, :said, :ghosts FROM locked AS l :joins) AS resolved
), there AS (
    SELECT :key_text AS row_key, t.:"column"::pg_catalog.text AS tenant
    FROM :whole AS t
    WHERE :key_is_one_of
), known AS (
    SELECT row_key, pg_catalog.max(nth) AS nth, pg_catalog.max(tenant) AS tenant, pg_catalog.max(fingerprint) AS fingerprint,
           pg_catalog.max(fingerprint_now) AS fingerprint_now, pg_catalog.bool_or(is_there) AS is_there, pg_catalog.max(has) AS has
    FROM (SELECT row_key, nth, tenant, fingerprint, NULL::pg_catalog.text AS fingerprint_now, false AS is_there, NULL::pg_catalog.text AS has FROM asked
          UNION ALL
          SELECT row_key, NULL, NULL, NULL, fingerprint, false, NULL FROM found
          UNION ALL
          SELECT row_key, NULL, NULL, NULL, NULL, true, tenant FROM there) AS all_of_them
    GROUP BY row_key
), judged AS (
    SELECT k.*,
           CASE WHEN NOT is_there THEN 'gone'
                WHEN has IS NOT NULL THEN 'assigned'
                WHEN fingerprint_now IS NULL THEN 'held'
                WHEN fingerprint_now OPERATOR(pg_catalog.<>) fingerprint THEN 'changed'
                WHEN e.:"tenant_key" IS NULL THEN 'no tenant'
                ELSE 'ready' END AS verdict
    FROM known AS k
    LEFT JOIN :"tenants" AS e ON e.:"tenant_key" OPERATOR(pg_catalog.=) k.tenant:::type
    WHERE k.nth IS NOT NULL
)
SELECT verdict, tenant, pg_catalog.array_agg(nth) AS nths, pg_catalog.array_agg(row_key) AS row_keys, pg_catalog.array_agg(has) AS has
FROM judged
GROUP BY verdict, tenant
