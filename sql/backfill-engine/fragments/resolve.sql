-- A fragment, the query of a loop. It needs the block `batch` of `assign_batch.sql`, whose variables bound it.
-- Locks the rows of a tid range that are open, reads all their sources, and groups the rows by the tenant that these
-- name (NULL where they name none, or several) and by what they had before. Rows that somebody else has locked are left to a later pass.
-- It runs under the search path of the application.
WITH locked AS MATERIALIZED (
    SELECT t.ctid AS row_tid, :key_text AS row_key, :before AS before, :vias
    FROM ONLY :"target" AS t
    WHERE t.ctid OPERATOR(pg_catalog.>=) batch.from_tid AND t.ctid OPERATOR(pg_catalog.<) batch.until_tid AND :open
    LIMIT batch.row_limit
    FOR NO KEY UPDATE SKIP LOCKED
), resolved AS (
    SELECT l.row_tid, l.row_key, l.before, :tenants
    FROM (SELECT :rows FROM locked AS l) AS l
    :joins
), decided AS (
    SELECT row_tid, row_key, before, :decision AS tenant, :source AS source
    FROM resolved
)
SELECT tenant::pg_catalog.text AS tenant,
       before,
       pg_catalog.count(*) AS row_count,
       pg_catalog.array_agg(row_tid) AS tids,
       pg_catalog.array_agg(row_key) AS row_keys,
       pg_catalog.array_agg(source) AS sources
FROM decided
GROUP BY decided.tenant, decided.before
