-- Judges what people decided: the rows with the keys $1 are to get the tenants $2 if their fingerprints are still $3. Rows that can get
-- theirs are locked; those that somebody else holds are tried again later. The key is compared as text too: `007` is not the key 7.
WITH asked AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS a (row_key, tenant, fingerprint, nth)
), locked AS MATERIALIZED (
    SELECT t.:"key"::text AS row_key, :vias
    FROM ONLY :"target" AS t
    WHERE t.:"key" = ANY ($1::text[]:::key_type[]) AND t.:"column" IS NULL
    FOR NO KEY UPDATE SKIP LOCKED
), found AS (
    SELECT row_key, :fingerprint AS fingerprint
    FROM (SELECT l.row_key, :seen, :said, :ghosts FROM locked AS l :joins) AS resolved
), there AS (
    SELECT t.:"key"::text AS row_key, t.:"column"::text AS tenant
    FROM ONLY :"target" AS t
    WHERE t.:"key" = ANY ($1::text[]:::key_type[])
), judged AS (
    SELECT a.nth, a.row_key, a.tenant, there.tenant AS has,
           CASE WHEN there.row_key IS NULL THEN 'gone'
                WHEN there.tenant IS NOT NULL THEN 'assigned'
                WHEN found.row_key IS NULL THEN 'held'
                WHEN found.fingerprint <> a.fingerprint THEN 'changed'
                WHEN e.:"tenant_key" IS NULL THEN 'no tenant'
                ELSE 'ready' END AS verdict
    FROM asked AS a
    LEFT JOIN there USING (row_key)
    LEFT JOIN found USING (row_key)
    LEFT JOIN :"tenants" AS e ON e.:"tenant_key" = a.tenant:::type
)
SELECT verdict, tenant, array_agg(nth) AS nths, array_agg(row_key) AS row_keys, array_agg(has) AS has
FROM judged
GROUP BY verdict, tenant
