-- The rows that people must decide: each with what its sources point to, the tenant found there, and whether it exists.
SELECT row_key,
       (:lowest) IS NOT NULL AS conflict,
       ARRAY[:tenant_texts] AS tenants,
       ARRAY[:ghost_texts] AS ghosts
FROM (SELECT l.row_key, :tenants, :ghosts
      FROM (SELECT :rows
            FROM (SELECT t.:"key"::text AS row_key, :vias FROM ONLY :"target" AS t WHERE t.:"column" IS NULL) AS l) AS l
      :joins) AS resolved
WHERE :decision IS NULL
ORDER BY row_key
