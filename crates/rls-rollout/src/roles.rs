//! The roles as which backfills and audits go on under forced policies: made before the first table needs them.

use tenant_rls::{Database, Ident, OwnerTx, Sql, Template};

use crate::definition::Aspect;
use crate::execute::{Executor, Note};
use crate::site::{RoleFacts, Site};
use crate::{Error, How, Lock, Phase, Progress, Result, Statement, Step};

/// From here on membership can leave out inheritance.
const INHERIT_OPTION: i32 = 160_000;

/// The statements that make what is missing of a role, and let this login act as it.
pub(crate) fn statements(database: &Database, role: &Ident, facts: &RoleFacts) -> Result<Vec<Sql>> {
    let mut statements = Vec::new();
    if !facts.exists {
        let create = Template::new("CREATE ROLE :\"role\" NOLOGIN NOSUPERUSER NOBYPASSRLS");
        statements.push(create.ident("role", role).build());
    }
    if !facts.assumable && !database.session().superuser {
        let separate = database.session().server_version_num >= INHERIT_OPTION;
        let options = Sql::from_static(if separate { " WITH INHERIT FALSE, SET TRUE" } else { "" });
        let grant = Template::new("GRANT :\"role\" TO :\"login\":options").ident("role", role);
        statements
            .push(grant.ident("login", &Ident::new(&database.session().role)?).fragment("options", options).build());
    }
    Ok(statements)
}

/// Makes the roles that are missing, and gives them their rights on the tenant table. Roles belong to the whole cluster: they stay
/// when a rollout is taken back.
pub(crate) async fn prepare(
    executor: &Executor<'_>,
    site: &Site,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<()> {
    for (role, facts) in [&site.roles.maintenance, &site.roles.auditor] {
        for statement in statements(executor.database, role, facts)? {
            make(executor, role, statement).await?;
        }
    }
    if !site.roles.maintenance.1.exists {
        // The book-keeping, which is older than the role, could not give it its rights.
        tenant_ops::grant(executor.database, &site.tenancy).await?;
    }
    if let Some(step) = tenant_table(executor.database, site).await? {
        executor.run(&step, &Note::Forward, progress).await?;
    }
    Ok(())
}

async fn make(executor: &Executor<'_>, role: &Ident, statement: Sql) -> Result<()> {
    let mut tx = OwnerTx::begin(executor.database, executor.patience.lock_timeout).await?;
    let text = statement.as_str().to_owned();
    match tx.run_script(&format!("making the role {role}"), statement).await {
        Ok(()) => Ok(tx.commit().await?),
        Err(error) if error.sqlstate() == Some("42501") => Err(Error::Role {
            role: role.to_string(),
            why: "is needed, and this login may not make it or act as it".to_owned(),
            statement: format!("{text};"),
        }),
        Err(error) => Err(error.into()),
    }
}

/// The rights on the tenant table, where they are missing.
pub(crate) async fn tenant_table(database: &Database, site: &Site) -> Result<Option<Step>> {
    let (table, key) = (&site.catalog.tenants, Ident::new(&site.tenancy.tenant.key)?);
    if site.catalog.tenant_key_type.is_none() {
        return Ok(None);
    }
    let mut tx = OwnerTx::begin(database, std::time::Duration::from_secs(5)).await?;
    let there = crate::definition::read(tx.connection(), &[(table, key.as_str())]).await?.pop().unwrap_or_default();
    tx.rollback().await?;
    let mut statements = Vec::new();
    let wanted = [(&site.rights.maintenance, &site.roles.maintenance.0), (&site.rights.auditor, &site.roles.auditor.0)];
    for (rights, role) in wanted {
        for column in rights.get(table).into_iter().flatten() {
            let aspect = Aspect::column_grant("SELECT", column, role);
            if there.get(&aspect).is_none() {
                statements.extend(crate::definition::statements(table, &key, &aspect, None, Some(""))?);
            }
        }
    }
    let statements: Vec<Statement> = statements.into_iter().map(|sql| Statement { sql, lock: Lock::None }).collect();
    let (phase, name, how) = (Phase::Prepare, "let audits and backfills read the tenants", How::Transaction);
    let step =
        Step { table: table.clone(), column: key, phase, name, how, statements, also_locks: None, warm_up: None };
    Ok((!step.statements.is_empty()).then_some(step))
}
