//! Settings of tables, and new ones.

use super::{Mutation, TABLES};

/// Tables that are added, with rows of each tenant; `{key}` is a reference to the tenant table.
const NEW: [(&str, &str); 6] = [
    ("a tenant table", r#"CREATE TABLE planted (id text PRIMARY KEY, "tenantId" text NOT NULL {key})"#),
    ("a tenant table without a key", "CREATE TABLE planted (id text, tenant_id text {key})"),
    ("a table of organizations", r#"CREATE TABLE planted (id text PRIMARY KEY, "organizationId" text NOT NULL {key})"#),
    ("a table of workspaces", "CREATE TABLE planted (id text PRIMARY KEY, workspace_id text NOT NULL {key})"),
    ("an unlogged table", r#"CREATE UNLOGGED TABLE planted (id text PRIMARY KEY, "tenantId" text)"#),
    (
        "a table in another schema",
        r#"CREATE SCHEMA x_crm; GRANT USAGE ON SCHEMA x_crm TO app_user; SET search_path = x_crm, public; CREATE TABLE planted (id text PRIMARY KEY, "tenantId" text {key})"#,
    ),
];

pub(super) fn all() -> Vec<Mutation> {
    let mut all = Vec::new();
    for (table, column) in TABLES {
        let changes = [
            ("row level security off", "DISABLE ROW LEVEL SECURITY".to_owned()),
            ("not forced", "NO FORCE ROW LEVEL SECURITY".to_owned()),
            ("default of another tenant", format!("ALTER {column} SET DEFAULT 't_b'")),
            ("no default", format!("ALTER {column} DROP DEFAULT")),
        ];
        all.extend(changes.map(|(kind, change)| Mutation::new(kind, table, format!("ALTER TABLE {table} {change}"))));
        let copy = format!("CREATE TABLE planted AS SELECT * FROM {table}; GRANT SELECT ON planted TO app_user");
        all.push(Mutation::new("a copy", table, copy));
    }
    for (table, _) in &TABLES[..5] {
        let child = format!(
            "CREATE TABLE planted (id text PRIMARY KEY, parent text REFERENCES {table} (id), body text);
             INSERT INTO planted SELECT 'child_' || id, id, 'of ' || \"tenantId\" FROM {table}; GRANT SELECT, INSERT ON planted TO app_user"
        );
        all.push(Mutation::new("a child table", *table, child));
        let action = format!(
            "ALTER TABLE expenses ADD COLUMN planted text REFERENCES {table} (id) ON DELETE CASCADE;
             UPDATE expenses SET planted = (SELECT id FROM {table} WHERE \"tenantId\" = 't_a' ORDER BY id LIMIT 1) WHERE id = 'expense_t_b_1'"
        );
        all.push(Mutation::new("a key that cascades into another tenant", *table, action));
    }
    for (kind, create) in NEW {
        for key in ["", r#"REFERENCES public."Tenant" (id)"#] {
            if key.is_empty() || create.contains("{key}") {
                let sql = format!(
                    "{}; INSERT INTO planted SELECT 'row_' || id || '_1', id FROM public.\"Tenant\"; GRANT SELECT ON planted TO app_user",
                    create.replace("{key}", key)
                );
                all.push(Mutation::new(kind, if key.is_empty() { "no key" } else { "a key" }, sql));
            }
        }
    }
    let partition = "CREATE TABLE planted PARTITION OF visits FOR VALUES FROM ('2029-01-01') TO ('2030-01-01');
        INSERT INTO planted VALUES ('visit_t_b_9', 't_b', '2029-02-02', 'of t_b')";
    all.push(Mutation::new("a partition", "visits", format!("{partition}; GRANT SELECT ON planted TO app_user")));
    all.push(Mutation::new("a partition that nobody may read", "visits", partition));
    all.push(Mutation::new("a partition detached", "visits", "ALTER TABLE visits DETACH PARTITION visits_2025"));
    let nobodys = "CREATE TABLE planted (day date PRIMARY KEY, name text); GRANT SELECT, INSERT ON planted TO app_user";
    all.push(Mutation::new("a table that is nobody's", "", nobodys));
    all
}
