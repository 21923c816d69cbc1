//! Views, functions, triggers and rules that are added.

use super::{Mutation, TABLES};

/// Roles that own what is added.
const OWNERS: [(&str, &str); 3] = [
    ("the superuser", ""),
    ("the filtered owner", "ALTER {object} OWNER TO app_owner;"),
    (
        "an unfiltered role",
        "CREATE ROLE x_etl NOLOGIN BYPASSRLS; GRANT SELECT ON ALL TABLES IN SCHEMA public TO x_etl; GRANT CREATE ON SCHEMA public TO x_etl; ALTER {object} OWNER TO x_etl;",
    ),
];

const VIEWS: [(&str, &str, &str); 6] = [
    (
        "a view",
        "VIEW planted",
        "CREATE VIEW planted AS SELECT * FROM {table}; {owner} GRANT SELECT ON planted TO app_user",
    ),
    (
        "a view to write",
        "VIEW planted",
        "CREATE VIEW planted AS SELECT * FROM {table}; {owner} GRANT UPDATE, DELETE ON planted TO app_user",
    ),
    (
        "a view that counts",
        "VIEW planted",
        "CREATE VIEW planted AS SELECT count(*) AS n FROM {table}; {owner} GRANT SELECT ON planted TO app_user",
    ),
    (
        "a view over a view",
        "VIEW planted",
        "CREATE VIEW hidden AS SELECT * FROM {table}; CREATE VIEW planted AS SELECT * FROM hidden; GRANT SELECT ON hidden TO PUBLIC; {owner} GRANT SELECT ON planted TO app_user",
    ),
    (
        "a materialized view",
        "MATERIALIZED VIEW planted",
        "CREATE MATERIALIZED VIEW planted AS SELECT * FROM {table}; {owner} GRANT SELECT ON planted TO app_user",
    ),
    ("a view that nobody may read", "VIEW planted", "CREATE VIEW planted AS SELECT * FROM {table}; {owner}"),
];

const FUNCTIONS: [(&str, &str); 7] = [
    (
        "a function",
        "CREATE FUNCTION planted() RETURNS SETOF {table} LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM public.{table}'; {owner}",
    ),
    (
        "a parsed function",
        "CREATE FUNCTION planted() RETURNS SETOF {table} LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT * FROM public.{table}; END; {owner}",
    ),
    (
        "a PL/pgSQL function",
        "CREATE FUNCTION planted() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN (SELECT count(*) FROM public.{table}); END $$; {owner}",
    ),
    (
        "a function that calls another",
        "CREATE FUNCTION helper() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.{table}'; CREATE FUNCTION planted() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT public.helper()'; {owner}",
    ),
    (
        "a function of any text",
        "CREATE FUNCTION planted(q text) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN QUERY EXECUTE q /* {table} */; END $$; {owner}",
    ),
    (
        "a function that runs as whoever calls",
        "CREATE FUNCTION planted() RETURNS SETOF {table} LANGUAGE sql AS 'SELECT * FROM public.{table}'; {owner}",
    ),
    (
        "a function that nobody may call",
        "CREATE FUNCTION planted() RETURNS SETOF {table} LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM public.{table}'; REVOKE ALL ON FUNCTION planted() FROM PUBLIC; {owner}",
    ),
];

/// Objects that act by themselves.
const ACTORS: [(&str, &str); 5] = [
    (
        "a trigger that answers",
        "CREATE TABLE desk (said text); GRANT SELECT, INSERT ON desk TO app_user; CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN NEW.said := (SELECT string_agg(r::text, ',') FROM public.{table} AS r); RETURN NEW; END $$; CREATE TRIGGER planted BEFORE INSERT ON desk FOR EACH ROW EXECUTE FUNCTION planted()",
    ),
    (
        "a trigger that deletes",
        "CREATE TABLE desk (said text); GRANT SELECT, INSERT ON desk TO app_user; CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN DELETE FROM public.{table}; RETURN NEW; END $$; CREATE TRIGGER planted BEFORE INSERT ON desk FOR EACH ROW EXECUTE FUNCTION planted()",
    ),
    (
        "a trigger that does nothing",
        "CREATE TABLE desk (said text); GRANT SELECT, INSERT ON desk TO app_user; CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.said := '{table}'; RETURN NEW; END $$; CREATE TRIGGER planted BEFORE INSERT ON desk FOR EACH ROW EXECUTE FUNCTION planted()",
    ),
    (
        "a rule that deletes",
        "CREATE TABLE desk (said text); GRANT SELECT, INSERT ON desk TO app_user; CREATE RULE planted AS ON INSERT TO desk DO ALSO DELETE FROM public.{table}",
    ),
    (
        "a default that asks",
        "CREATE FUNCTION planted() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT string_agg(r::text, ',') FROM public.{table} AS r $$; CREATE TABLE desk (no int, said text DEFAULT planted()); GRANT SELECT, INSERT ON desk TO app_user",
    ),
];

pub(super) fn all() -> Vec<Mutation> {
    let mut all = Vec::new();
    for (table, _) in [TABLES[0], TABLES[1], TABLES[5], TABLES[8]] {
        let place = |whose: &str| format!("{table}, of {whose}");
        for (whose, owner) in OWNERS {
            for (kind, object, text) in VIEWS {
                let sql = text.replace("{owner}", &owner.replace("{object}", object)).replace("{table}", table);
                all.push(Mutation::new(kind, place(whose), sql));
            }
            for (kind, text) in FUNCTIONS {
                let object = if text.contains("q text") { "FUNCTION planted(text)" } else { "FUNCTION planted()" };
                let sql = text.replace("{owner}", &owner.replace("{object}", object)).replace("{table}", table);
                all.push(Mutation::new(kind, place(whose), sql));
            }
        }
        for (kind, text) in ACTORS {
            all.push(Mutation::new(kind, table, text.replace("{table}", table)));
        }
        let invoker = format!(
            "CREATE VIEW planted WITH (security_invoker) AS SELECT * FROM {table}; GRANT SELECT ON planted TO app_user"
        );
        all.push(Mutation::new("a view that reads as whoever asks", table, invoker));
        let closed = format!(
            "CREATE SCHEMA closed; CREATE VIEW closed.planted AS SELECT * FROM {table}; GRANT SELECT ON closed.planted TO app_user"
        );
        all.push(Mutation::new("a view in a closed schema", table, closed));
    }
    all
}
