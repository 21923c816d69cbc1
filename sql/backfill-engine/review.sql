-- The rows that people must decide: each with the keys that its sources have, the tenants found there, whether these exist, and the
-- fingerprint of all that.
-- It runs under the search path of the application.
SELECT row_key,
       (:lowest) IS NOT NULL AS conflict,
       ARRAY[:tenant_texts] AS tenants,
       ARRAY[:ghost_texts] AS ghosts,
       ARRAY[:pointers] AS pointers,
       :fingerprint AS fingerprint
FROM (SELECT l.row_key, :seen, :tenants, :ghosts
      FROM (SELECT :rows
            FROM (SELECT :key_text AS row_key, :vias FROM :whole AS t WHERE :open) AS l) AS l
      :joins) AS resolved
WHERE :decision IS NULL
ORDER BY row_key
