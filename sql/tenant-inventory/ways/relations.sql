-- Tables, partitions, views, materialized views and foreign tables that are not the server's own. $1 are the roles that the login is or can
-- become: whether one of them, or everybody, has a user mapping for the server of a foreign table.
SELECT c.oid::bigint AS id,
       n.nspname::text AS schema,
       c.relname::text AS name,
       format('%I.%I', n.nspname, c.relname) AS printed,
       c.relkind::text AS kind,
       c.relowner::bigint AS owner,
       c.relrowsecurity AS row_security,
       c.relforcerowsecurity AS forced,
       (SELECT o.option_value FROM pg_options_to_table(c.reloptions) AS o WHERE o.option_name = 'security_invoker') AS security_invoker,
       EXISTS (SELECT FROM pg_options_to_table(c.reloptions) AS o WHERE o.option_name = 'check_option') AS check_option,
       (SELECT i.inhparent::bigint FROM pg_inherits AS i WHERE i.inhrelid = c.oid ORDER BY i.inhseqno LIMIT 1) AS parent,
       (SELECT w.fdwname::text FROM pg_foreign_table AS f JOIN pg_foreign_server AS s ON s.oid = f.ftserver
        JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw WHERE f.ftrelid = c.oid) AS wrapper,
       EXISTS (SELECT FROM pg_foreign_table AS f JOIN pg_user_mappings AS u ON u.srvid = f.ftserver
               WHERE f.ftrelid = c.oid AND (u.umuser = 0 OR u.usename = ANY ($1::text[]))) AS mapped,
       EXISTS (SELECT FROM pg_foreign_table AS f JOIN pg_user_mappings AS u ON u.srvid = f.ftserver WHERE f.ftrelid = c.oid) AS mapped_for_any
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND (c.oid >= 16384 OR n.nspname <> 'information_schema')
ORDER BY 2, 3
