//! Rights and roles.

use super::{Mutation, TABLES};

pub(super) fn all() -> Vec<Mutation> {
    let mut all = Vec::new();
    for (table, _) in TABLES {
        for right in ["TRUNCATE", "TRIGGER", "REFERENCES"] {
            all.push(Mutation::new(format!("{right} granted"), table, format!("GRANT {right} ON {table} TO app_user")));
        }
        for right in ["SELECT", "INSERT", "UPDATE", "DELETE", "ALL"] {
            let sql = format!("REVOKE {right} ON {table} FROM app_user");
            all.push(Mutation::new(format!("{right} taken"), table, sql));
        }
        all.push(Mutation::new("all granted to PUBLIC", table, format!("GRANT ALL ON {table} TO PUBLIC")));
        all.push(Mutation::new("owned by the login", table, format!("ALTER TABLE {table} OWNER TO app_user")));
        let role = "CREATE ROLE x_role NOLOGIN; GRANT x_role TO app_user";
        let truncate = format!("{role}; GRANT TRUNCATE ON {table} TO x_role");
        all.push(Mutation::new("TRUNCATE granted to a role of the login", table, truncate));
        let policy = format!(
            "{role}; GRANT SELECT ON {table} TO x_role; CREATE POLICY planted ON {table} TO x_role USING (true)"
        );
        all.push(Mutation::new("a policy for a role of the login", table, policy));
        let other = format!(
            "CREATE ROLE x_role NOLOGIN; GRANT SELECT ON {table} TO x_role; CREATE POLICY planted ON {table} TO x_role USING (true)"
        );
        all.push(Mutation::new("a policy for another role", table, other));
        let bypass = format!(
            "CREATE ROLE x_role NOLOGIN BYPASSRLS; GRANT SELECT ON {table} TO x_role; GRANT x_role TO app_user"
        );
        all.push(Mutation::new("a role of the login that is not filtered", table, bypass));
    }
    let roles = [
        ("superuser", "ALTER ROLE app_user SUPERUSER"),
        ("not filtered", "ALTER ROLE app_user BYPASSRLS"),
        ("may create roles", "ALTER ROLE app_user CREATEROLE"),
        ("may create databases", "ALTER ROLE app_user CREATEDB"),
        ("member of the owner", "GRANT app_owner TO app_user"),
        ("member of the auditor", "GRANT tenant_auditor TO app_user"),
        ("member of the maintenance role", "GRANT tenant_maintenance TO app_user"),
        ("reads all data", "GRANT pg_read_all_data TO app_user"),
        ("writes all data", "GRANT pg_write_all_data TO app_user"),
        ("reads files", "GRANT pg_read_server_files TO app_user"),
        ("writes files", "GRANT pg_write_server_files TO app_user"),
        ("runs programs", "GRANT pg_execute_server_program TO app_user"),
        ("inherits nothing", "ALTER ROLE app_user NOINHERIT"),
        ("preset tenant", "ALTER ROLE app_user SET app.current_tenant_id = 't_b'"),
        ("row_security off", "ALTER ROLE app_user SET row_security = off"),
        (
            "reads the book-keeping",
            "GRANT USAGE ON SCHEMA tenant_ops TO app_user; GRANT SELECT ON ALL TABLES IN SCHEMA tenant_ops TO app_user",
        ),
    ];
    all.extend(roles.map(|(kind, sql)| Mutation::new(kind, "the login", sql)));
    all
}
