//! Whether the application's login reaches another tenant's rows at all, by plain SQL: it reads and writes whatever it can, and looks what comes of it.
//!
//! It knows nothing of policies and shares no code with `rls-verify`, which it judges. Whatever a tenant sees must not depend on the rows of
//! others: so it reads once with and once without them. What a tenant writes must not change what another one sees.

use local_db::Role;
use sqlx::postgres::{PgQueryResult, PgRow};
use sqlx::{Either, Executor as _, Row as _, SqlSafeStr};
use tenant_rls::{DirectConnection, Sql};

use super::database::{Planting, TENANT};
use super::probes::{self, OTHER, Probes, Target};
use crate::error::{Result, query};

/// Values of the session variable that are no tenant's, and that a policy may take for one.
const NOBODY: [&str; 11] =
    ["", "no_such_tenant", "*", "%", "t", "t_", ".*", "T_A", "all", "support", "00000000-0000-0000-0000-000000000000"];

/// What the application's login reaches of other tenants in the copy; what it does stays in no way but that the other tenants' rows are
/// gone afterwards.
///
/// # Errors
/// [`Error`](crate::Error): no connection can be made, or the server is gone.
pub async fn reached(planting: &Planting) -> Result<Vec<String>> {
    let mut superuser = planting.session(Role::Superuser).await?;
    let probes = Probes::read(superuser.connection()).await?;
    let mut leaks = Vec::new();
    for scope in std::iter::once(None).chain(NOBODY.map(Some)) {
        let mut login = Login::begin(planting, scope).await?;
        let name = scope.map_or("no tenant".to_owned(), |scope| format!("the tenant '{scope}'"));
        for (what, shown) in login.read_all(&probes).await? {
            if shows_rows_of(&shown, &["t_a", "t_b", "t_c"]) {
                leaks.push(format!("{what} shows rows to {name}"));
            }
        }
        login.end().await;
    }
    let mut login = Login::begin(planting, Some(TENANT)).await?;
    let before = login.read_all(&probes).await?;
    let foreign = before.iter().filter(|(_, shown)| shows_rows_of(shown, &["t_b", "t_c"]));
    leaks.extend(foreign.map(|(what, _)| format!("{what} shows rows of other tenants")));
    writes(&mut login, &probes, &mut leaks).await?;
    roles(&mut login, &probes, planting.major(), &mut leaks).await?;
    login.end().await;

    for forget in probes.targets.iter().filter_map(Target::forget) {
        // What cannot be removed makes no difference either.
        let _ = superuser.run_script("removing other tenants' rows", forget).await;
    }
    superuser.close().await;
    let mut login = Login::begin(planting, Some(TENANT)).await?;
    let after = login.read_all(&probes).await?;
    login.end().await;
    let differs =
        |(what, shown): &&(String, String)| after.iter().find(|(w, _)| w == what).is_none_or(|(_, s)| s != shown);
    leaks.extend(before.iter().filter(differs).map(|(what, _)| format!("{what} depends on rows of others")));
    leaks.sort();
    leaks.dedup();
    Ok(leaks)
}

/// Each row of the base database has its tenant in its key or in another text. The tenant's id alone says nothing: the tenant table has it, too.
fn shows_rows_of(shown: &str, tenants: &[&str]) -> bool {
    tenants.iter().any(|tenant| shown.contains(&format!("_{tenant}_")) || shown.contains(&format!("of {tenant}")))
}

async fn writes(login: &mut Login, probes: &Probes, leaks: &mut Vec<String>) -> Result<()> {
    let seen = login.others_view(probes).await?;
    for target in &probes.targets {
        let name = &target.name;
        for (what, sql) in target.sweeping() {
            let answer = login.attempt(sql, Some(probes)).await?;
            let more = answer.done && target.own.is_some_and(|own| target.is_table && answer.rows > own);
            if more || answer.changed(&seen) {
                leaks.push(format!("{what} on {name} reaches other tenants' rows"));
            }
        }
        for (what, sql) in target.foreign() {
            let answer = login.attempt(sql, None).await?;
            if answer.let_in() {
                leaks.push(format!("{what} into {name} is let in"));
            }
        }
        for (what, sql) in target.forbidden() {
            if login.attempt(sql, None).await?.done {
                leaks.push(format!("{what} works on {name}"));
            }
        }
        let answer = login.attempt(target.defaults(), Some(probes)).await?;
        if answer.changed(&seen) || shows_rows_of(&answer.shown, &["t_b", "t_c"]) {
            leaks.push(format!("an INSERT of defaults into {name} reaches other tenants' rows"));
        }
    }
    for (what, sql) in &probes.calls {
        if login.attempt(sql.clone(), Some(probes)).await?.changed(&seen) {
            leaks.push(format!("{what} changes other tenants' rows"));
        }
    }
    server(login, leaks, "the login").await
}

async fn server(login: &mut Login, leaks: &mut Vec<String>, who: &str) -> Result<()> {
    for (what, sql) in probes::server() {
        if login.attempt(Sql::from_static(sql), None).await?.done {
            leaks.push(format!("{what} works as {who}"));
        }
    }
    Ok(())
}

/// What the login reaches as a role that it can become, or make itself a member of.
async fn roles(login: &mut Login, probes: &Probes, major: u32, leaks: &mut Vec<String>) -> Result<()> {
    for role in &probes.roles {
        login.run("SAVEPOINT role").await?;
        let mut became = login.script(probes::become_role(role)).await.is_ok();
        if !became {
            login.run("ROLLBACK TO role").await?;
            let granted = login.script(probes::grant_role(role, major)).await.is_ok();
            became = granted && login.script(probes::become_role(role)).await.is_ok();
        }
        if !became {
            login.run("ROLLBACK TO role").await?;
            continue;
        }
        for target in &probes.targets {
            for sql in target.reads() {
                let answer = login.attempt(sql, None).await?;
                let tenants = target.tenant_column.is_some() && answer.shown.split(',').any(|shown| shown == OTHER);
                if tenants || shows_rows_of(&answer.shown, &["t_b", "t_c"]) {
                    leaks.push(format!("{role} is shown rows of other tenants in {}", target.name));
                }
            }
            for (what, sql) in target.forbidden() {
                if login.attempt(sql, None).await?.done {
                    leaks.push(format!("{what} works as {role} on {}", target.name));
                }
            }
        }
        server(login, leaks, role.as_str()).await?;
        login.run("ROLLBACK TO role").await?;
    }
    Ok(())
}

/// What came of one statement.
#[derive(Debug, Default)]
struct Answer {
    done: bool,
    rows: u64,
    /// All that it returned.
    shown: String,
    code: Option<String>,
    /// What the other tenant sees afterwards.
    others_view: Option<Vec<String>>,
}

impl Answer {
    /// No policy refused it: it was done to some rows, or a constraint, which is looked at later, refused it.
    fn let_in(&self) -> bool {
        (self.done && self.rows > 0) || self.code.as_ref().is_some_and(|code| code.starts_with("23"))
    }

    fn changed(&self, before: &Option<Vec<String>>) -> bool {
        self.done && self.others_view.is_some() && self.others_view != *before
    }
}

/// A session of the application's login in one transaction, which is never committed.
struct Login {
    session: DirectConnection,
    tenant: Option<&'static str>,
}

impl Login {
    async fn begin(planting: &Planting, tenant: Option<&'static str>) -> Result<Self> {
        let mut login = Self { session: planting.session(Role::AppUser).await?, tenant };
        login.run("BEGIN").await?;
        if let Some(tenant) = tenant {
            login.scope(tenant).await?;
        }
        Ok(login)
    }

    async fn end(self) {
        self.session.close().await;
    }

    async fn run(&mut self, sql: &'static str) -> Result<()> {
        Ok(self.session.run_script("asking the oracle", sql).await?)
    }

    async fn script(&mut self, sql: impl SqlSafeStr) -> Result<()> {
        Ok(self.session.run_script("asking the oracle", sql).await?)
    }

    async fn scope(&mut self, tenant: &str) -> Result<()> {
        let set = sqlx::query(include_str!("../../../../sql/bench/leaks/set_tenant.sql")).bind(tenant);
        set.execute(self.session.connection()).await.map_err(query("setting the tenant"))?;
        Ok(())
    }

    /// Everything that can be read, with what it shows.
    async fn read_all(&mut self, probes: &Probes) -> Result<Vec<(String, String)>> {
        let mut all = Vec::new();
        for target in &probes.targets {
            for sql in target.reads() {
                let answer = self.attempt(sql, None).await?;
                if answer.done {
                    all.push((format!("reading {}", target.name), answer.shown));
                    break;
                }
            }
        }
        for (what, sql) in &probes.calls {
            let answer = self.attempt(sql.clone(), None).await?;
            if answer.done {
                all.push((what.clone(), answer.shown));
            }
        }
        Ok(all)
    }

    /// Runs a statement, looks what the other tenant sees then, if that is asked, and takes it back.
    async fn attempt(&mut self, sql: Sql, others_view: Option<&Probes>) -> Result<Answer> {
        self.run("SAVEPOINT attempt").await?;
        let mut answer = self.answer(sql).await;
        if let Some(probes) = others_view.filter(|_| answer.done) {
            answer.others_view = self.others_view(probes).await?;
        }
        self.run("ROLLBACK TO attempt").await?;
        Ok(answer)
    }

    async fn answer(&mut self, sql: Sql) -> Answer {
        let many: Vec<sqlx::Result<Either<PgQueryResult, PgRow>>> = {
            use futures_util::StreamExt as _;
            self.session.connection().fetch_many(sqlx::raw_sql(sql)).collect().await
        };
        let mut answer = Answer { done: true, ..Answer::default() };
        for part in many {
            match part {
                Ok(Either::Left(result)) => answer.rows += result.rows_affected(),
                Ok(Either::Right(row)) => {
                    for at in 0..row.len() {
                        answer.shown +=
                            row.try_get_unchecked::<Option<String>, _>(at).ok().flatten().as_deref().unwrap_or("");
                        answer.shown.push(' ');
                    }
                }
                Err(error) => {
                    answer.done = false;
                    answer.code = error.as_database_error().and_then(|error| error.code()).map(Into::into);
                }
            }
        }
        answer
    }

    /// Digests of what the other tenant sees in each table with a tenant column; none if it cannot look.
    async fn others_view(&mut self, probes: &Probes) -> Result<Option<Vec<String>>> {
        let tables = probes.targets.iter().filter(|target| target.is_table && target.tenant_column.is_some());
        let digests = Sql::join(tables.map(Target::digest), "\nUNION ALL\n");
        self.run("SAVEPOINT view").await?;
        self.scope(OTHER).await?;
        let seen = sqlx::query_scalar(digests).fetch_all(self.session.connection()).await.ok();
        self.run("ROLLBACK TO view").await?;
        debug_assert!(self.tenant.is_some(), "only a tenant writes");
        Ok(seen)
    }
}
