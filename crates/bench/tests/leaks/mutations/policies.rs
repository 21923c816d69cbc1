//! Changes of policies.

use super::{Mutation, TABLES, TENANT};

/// Conditions in place of ours: `{c}` is the tenant column, `{t}` what our policies compare it with.
const CONDITIONS: [(&str, &str); 20] = [
    ("true", "true"),
    ("not null", "{c} IS NOT NULL"),
    ("not equal", "{c} <> {t}"),
    ("not less", "{c} >= {t}"),
    ("an arm for a star", "{c} = {t} OR current_setting('app.current_tenant_id', true) = '*'"),
    ("an arm for nothing set", "{c} = {t} OR {t} IS NULL"),
    ("an arm for another setting", "{c} = {t} OR current_setting('app.admin', true) = 'on'"),
    ("an arm for rows without a tenant", "{c} = {t} OR {c} IS NULL"),
    ("an arm for one tenant", "{c} = {t} OR {c} = 't_b'"),
    ("another setting", "{c} = current_setting('app.other', true)"),
    ("a setting that must exist", "{c} = current_setting('app.current_tenant_id')"),
    ("a prefix", "{c} LIKE {t} || '%'"),
    ("a pattern", "{c} ~ {t}"),
    ("any case", "lower({c}) = lower({t})"),
    ("two characters", "left({c}, 2) = left({t}, 2)"),
    ("a fixed tenant", "{c} = 't_b'"),
    ("a default tenant", "{c} = coalesce({t}, 't_b')"),
    ("the column itself where nothing is set", "{c} = coalesce({t}, {c})"),
    ("any registered tenant", r#"{c} IN (SELECT id FROM "Tenant")"#),
    ("false", "false"),
];

/// Policies beside ours: the command and what it says.
const BESIDE: [(&str, &str); 12] = [
    ("a policy for reading", "FOR SELECT USING (true)"),
    ("a policy for inserting", "FOR INSERT WITH CHECK (true)"),
    ("a policy for updating", "FOR UPDATE USING (true)"),
    ("a policy for giving away", "FOR UPDATE USING ({c} = {t}) WITH CHECK (true)"),
    ("a policy for deleting", "FOR DELETE USING (true)"),
    ("a policy for the login", "TO app_user USING ({c} IS NOT NULL)"),
    ("a policy for the owner", "TO app_owner USING (true)"),
    ("a restrictive policy that hides", "AS RESTRICTIVE USING ({c} < 't_b')"),
    ("a restrictive policy that refuses all", "AS RESTRICTIVE FOR INSERT WITH CHECK (false)"),
    ("a restrictive policy that is ours again", "AS RESTRICTIVE USING ({c} = {t})"),
    ("a second policy that is ours again", "USING ({c} = {t})"),
    ("a policy for one tenant", "FOR SELECT USING ({c} = 't_b')"),
];

pub(super) fn all() -> Vec<Mutation> {
    let mut all = Vec::new();
    for (table, column) in TABLES {
        let filled = |text: &str| text.replace("{c}", column).replace("{t}", TENANT);
        for (kind, condition) in CONDITIONS {
            let sql = format!("ALTER POLICY rls_tenant_isolation ON {table} USING ({})", filled(condition));
            all.push(Mutation::new(format!("our policy says {kind}"), table, sql));
        }
        for (kind, condition) in &CONDITIONS[..3] {
            let sql = format!("ALTER POLICY rls_tenant_isolation ON {table} WITH CHECK ({})", filled(condition));
            all.push(Mutation::new(format!("our policy checks {kind}"), table, sql));
        }
        for (kind, says) in BESIDE {
            let sql = format!("CREATE POLICY planted ON {table} {}", filled(says));
            all.push(Mutation::new(kind, table, sql));
        }
        all.push(Mutation::new("our policy dropped", table, format!("DROP POLICY rls_tenant_isolation ON {table}")));
        let renamed = format!("ALTER POLICY rls_tenant_isolation ON {table} RENAME TO isolation");
        all.push(Mutation::new("our policy renamed", table, renamed));
        let to = format!("ALTER POLICY rls_tenant_isolation ON {table} TO app_owner");
        all.push(Mutation::new("our policy for another role", table, to));
        let restrictive = format!(
            "DROP POLICY rls_tenant_isolation ON {table};
             CREATE POLICY rls_tenant_isolation ON {table} AS RESTRICTIVE USING ({column} = {TENANT});
             CREATE POLICY everything ON {table} USING (true)"
        );
        all.push(Mutation::new("our policy restrictive, another one open", table, restrictive));
    }
    all
}
