-- Views that pass DELETE or UPDATE on to the one relation behind them: that relation; the text of the view; the roles of $1 for which it passes DELETE
-- on; and its columns that pass UPDATE on, each with the number of the column behind it, the roles that have UPDATE on it, and those for which it
-- passes that on. A rule or a trigger in the place of the statement passes nothing on. Views of tables on other servers are left out: only their
-- wrapper could say whether they are updatable, and would have to be called.
WITH RECURSIVE remote AS (
    SELECT c.oid FROM pg_class AS c WHERE c.relkind = 'f'
    UNION
    SELECT w.ev_class
    FROM remote
    JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = remote.oid AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite AS w ON w.oid = d.objid
),
-- The server keeps a view as a tree, which names the view itself and the relation behind it before the list of what is joined. A name that holds such
-- a text has its spaces escaped there.
simple AS MATERIALIZED (
    SELECT c.oid, c.relowner, w.ev_action::text AS tree,
           EXISTS (SELECT FROM pg_options_to_table(c.reloptions) AS o WHERE o.option_name = 'security_invoker' AND o.option_value::bool) AS as_user,
           (SELECT min(behind[1]::bigint)::oid
            FROM regexp_matches(split_part(w.ev_action::text, ' :jointree {', 1), ' :relid ([0-9]+)', 'g') AS behind
            WHERE behind[1]::bigint <> c.oid::bigint) AS base
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_rewrite AS w ON w.ev_class = c.oid AND w.ev_type = '1'
    WHERE c.relkind = 'v' AND n.nspname !~ '^pg_' AND c.oid >= 16384 AND NOT EXISTS (SELECT FROM remote AS r WHERE r.oid = c.oid)
),
-- `pg_relation_is_updatable` has 4 for UPDATE and 16 for DELETE; `tgtype` has 16 and 8, and 64 for INSTEAD OF.
passing AS MATERIALIZED (
    SELECT s.*,
           s.events & 16 <> 0
             AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = s.oid AND t.tgtype & 64 <> 0 AND t.tgtype & 8 <> 0)
             AND NOT EXISTS (SELECT FROM pg_rewrite AS w WHERE w.ev_class = s.oid AND w.is_instead AND w.ev_type = '4') AS deletes,
           s.events & 4 <> 0
             AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = s.oid AND t.tgtype & 64 <> 0 AND t.tgtype & 16 <> 0)
             AND NOT EXISTS (SELECT FROM pg_rewrite AS w WHERE w.ev_class = s.oid AND w.is_instead AND w.ev_type = '2') AS updates
    FROM (SELECT s.*, pg_relation_is_updatable(s.oid, false) AS events FROM simple AS s WHERE s.base IS NOT NULL) AS s
),
role AS (
    SELECT r.oid, r.rolname::text AS name FROM pg_roles AS r WHERE r.rolname = ANY ($1::text[])
)
SELECT p.oid::bigint AS id, p.base::bigint AS base, pg_get_viewdef(p.oid) AS definition,
       ARRAY(SELECT role.name FROM role
             WHERE p.deletes AND has_table_privilege(CASE WHEN p.as_user THEN role.oid ELSE p.relowner END, p.base, 'DELETE')) AS deletes_for,
       (SELECT coalesce(json_agg(json_build_object(
                   'number', a.attnum, 'printed', quote_ident(a.attname), 'behind', behind.number,
                   'holders', ARRAY(SELECT role.name FROM role WHERE has_column_privilege(role.oid, p.oid, a.attnum, 'UPDATE')),
                   'passes_for', ARRAY(SELECT role.name FROM role
                                       WHERE has_column_privilege(CASE WHEN p.as_user THEN role.oid ELSE p.relowner END, p.base, behind.number, 'UPDATE')))
                   ORDER BY a.attnum), '[]')
        FROM regexp_matches(p.tree, ' :resno ([0-9]+) :resname (?:\\.|[^\\ ])+ :ressortgroupref [0-9]+ :resorigtbl ([0-9]+) :resorigcol ([0-9]+)', 'g') AS entry
        CROSS JOIN LATERAL (SELECT entry[1]::int2 AS own, entry[2]::bigint AS relation, entry[3]::int2 AS number) AS behind
        JOIN pg_attribute AS a ON a.attrelid = p.oid AND a.attnum = behind.own
        WHERE p.updates AND behind.relation = p.base::bigint AND behind.number > 0) AS columns
FROM passing AS p
WHERE p.deletes OR p.updates
ORDER BY 1
