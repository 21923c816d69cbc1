-- What else policies on the tables $2 in the schemas $1 affect: roles and databases with row_security = off, subscriptions that write into the tables,
-- publications of them, and the slots of this database. Whether subscriptions may be read is a right of its own.
WITH protected AS (
    SELECT c.oid, n.nspname, c.relname, o.rolname AS owner, NOT (o.rolsuper OR o.rolbypassrls) AS filtered
    FROM unnest($1::text[], $2::text[]) AS t (schema, name)
    JOIN pg_namespace AS n ON n.nspname = t.schema
    JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.name
    JOIN pg_roles AS o ON o.oid = c.relowner
)
SELECT (SELECT coalesce(json_agg(json_build_object('role', r.rolname, 'database', d.datname) ORDER BY r.rolname, d.datname), '[]')
        FROM pg_db_role_setting AS s
        LEFT JOIN pg_roles AS r ON r.oid = s.setrole
        LEFT JOIN pg_database AS d ON d.oid = s.setdatabase
        WHERE (s.setdatabase = 0 OR d.datname = current_database())
          AND EXISTS (SELECT FROM unnest(s.setconfig) AS one (setting)
                      WHERE lower(one.setting) IN ('row_security=off', 'row_security=false', 'row_security=no', 'row_security=0'))) AS settings,
       -- From 16 on, rows are written as the owner of the table, unless the subscription says otherwise.
       (SELECT coalesce(json_agg(json_build_object('name', one.subname, 'owner', one.writer, 'tables', one.tables) ORDER BY one.subname), '[]')
        FROM (SELECT s.subname, w.writer, json_agg(json_build_object('schema', p.nspname, 'name', p.relname) ORDER BY p.nspname, p.relname) AS tables
              FROM pg_subscription AS s
              JOIN pg_roles AS r ON r.oid = s.subowner
              JOIN pg_database AS d ON d.oid = s.subdbid AND d.datname = current_database()
              JOIN pg_subscription_rel AS sr ON sr.srsubid = s.oid
              JOIN protected AS p ON p.oid = sr.srrelid
              CROSS JOIN LATERAL (SELECT CASE WHEN current_setting('server_version_num')::int >= 160000 THEN p.owner ELSE r.rolname END AS writer,
                                         CASE WHEN current_setting('server_version_num')::int >= 160000 THEN p.filtered
                                              ELSE NOT (r.rolsuper OR r.rolbypassrls) END AS filtered) AS w
              WHERE w.filtered
              GROUP BY s.subname, w.writer) AS one) AS subscriptions,
       (SELECT coalesce(json_agg(json_build_object('name', one.pubname, 'tables', one.tables) ORDER BY one.pubname), '[]')
        FROM (SELECT pt.pubname, count(*) AS tables
              FROM pg_publication_tables AS pt
              JOIN protected AS p ON p.nspname = pt.schemaname AND p.relname = pt.tablename
              GROUP BY pt.pubname) AS one) AS publications,
       (SELECT coalesce(json_agg(json_build_object('name', s.slot_name, 'plugin', s.plugin) ORDER BY s.slot_name), '[]')
        FROM pg_replication_slots AS s
        WHERE s.slot_type = 'logical' AND s.database = current_database()) AS slots
