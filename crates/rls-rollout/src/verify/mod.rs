//! Proof by trying: as the application's own login, under every value of the session variable, and from the catalog.

mod attempts;
mod report;
mod rows;

use sqlx::Row as _;
use tenant_rls::{Database, Error as RlsError, Ident, OwnerTx, ProbeTx, TableName, Template, Tenancy};

pub use report::{Attempt, Finding, Outcome, TableProof, VerifyReport, What};

use crate::build::{Builder, Style};
use crate::definition::Kind;
use crate::policy::Form;
use crate::site::{Relation, RelationKind, Site};
use crate::status::{WayAround, ways_around};
use crate::{Phase, Result};
use attempts::{Attempts, not_tried};
use rows::{Columns, Rows};

/// What is tried.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// Tables, as `table` or `schema.table`; none means all.
    pub tables: Vec<String>,
    /// Also try to write, in transactions that are taken back. What that does not take back: numbers drawn from sequences, and dead
    /// rows, which vacuum removes.
    pub write_probes: bool,
    /// Also write to tables whose triggers would fire.
    pub fire_triggers: bool,
}

/// Tries to reach other tenants' rows on a connection with the application's own URL. `owner` reads the catalog, and finds rows
/// to try with, as a role that sees all of them.
///
/// # Errors
/// [`crate::Error::Database`]. What is wrong is in the report.
pub async fn verify(
    owner: &Database,
    app: &Database,
    tenancy: &Tenancy,
    options: &VerifyOptions,
    progress: &mut (dyn FnMut(&TableName) + Send),
) -> Result<VerifyReport> {
    let app_login = app.session().role.clone();
    let site = Site::load(owner, tenancy, Some(&app_login), &options.tables).await?;
    let mut findings: Vec<Finding> = roles(&site).collect();
    findings.extend(preset(app, tenancy).await?);
    let mut tables = Vec::new();
    for relation in site.relations.iter().filter(|relation| relation.kind != RelationKind::ForeignPartition) {
        progress(&relation.name);
        let phase = site.phase(relation);
        let from_catalog = catalog(&site, relation, phase);
        findings
            .extend(from_catalog.iter().map(|what| Finding { table: Some(relation.name.clone()), what: what.clone() }));
        let attempts = if relation.definition.has(Kind::RowSecurity) {
            table(owner, app, &site, relation, options).await?
        } else {
            Vec::new()
        };
        findings.extend(leaks(&site, relation, &attempts));
        tables.push(TableProof { table: relation.name.clone(), phase, attempts });
    }
    for way in ways_around(owner, &site).await? {
        findings.extend(through(app, &site, &way).await?);
    }
    Ok(VerifyReport {
        schema: "rls-verify/1",
        database: owner.session().database.clone(),
        app_login,
        wrote: options.write_probes,
        tables,
        findings,
    })
}

/// What the application's login is or can become that no policy filters.
fn roles(site: &Site) -> impl Iterator<Item = Finding> {
    let app = site.roles.app.0.to_string();
    let forced =
        |why: &str| why.starts_with("the owner of ") && site.relations.iter().all(|r| r.definition.has(Kind::Forced));
    let unfiltered = site.roles.escapes.iter().filter(move |(_, why)| !forced(why));
    unfiltered.map(move |(role, why)| {
        let what = if *role == app {
            format!("the login {app} is {why}: no policy filters it")
        } else {
            format!("the login {app} can become {role}, which is {why}: no policy filters that")
        };
        Finding { table: None, what }
    })
}

/// A tenant that the login has before the application sets one.
async fn preset(app: &Database, tenancy: &Tenancy) -> Result<Option<Finding>> {
    let tx = ProbeTx::begin(app, tenancy, false).await?;
    let found = tx.found().filter(|found| !found.is_empty()).map(|found| {
        let (login, variable) = (&app.session().role, &tenancy.session.variable);
        let what = format!(
            "{variable} is {found} before {login} sets anything: by ALTER ROLE or ALTER DATABASE, by the URL, or left behind in a pool"
        );
        Finding { table: None, what }
    });
    tx.rollback().await?;
    Ok(found)
}

/// What the catalog alone says against a relation.
fn catalog(site: &Site, relation: &Relation, phase: Phase) -> Vec<String> {
    if !relation.definition.has(Kind::RowSecurity) {
        let root = site.audited_as(relation);
        let is_partition = relation.kind == RelationKind::Partition;
        let partition = is_partition.then(|| format!(", and a partition of {root} is read past its policies"));
        return vec![format!("row level security is off{}", partition.unwrap_or_default())];
    }
    let mut found: Vec<String> = foreign(site, relation)
        .map(|(name, text)| format!("the policy \"{name}\" lets through what it says, and is not ours: {text}"))
        .collect();
    if found.is_empty() && phase == Phase::None {
        found.push("it lacks a part of `prepare`: `cargo xtask rls status` tells which phase it is in".to_owned());
    }
    if phase == Phase::Prepare {
        found.push("the bridging policy is on: every tenant sees and takes rows without one".to_owned());
    }
    found
}

/// Permissive policies that are not the rollout's, or were altered, with their texts.
fn foreign<'a>(site: &'a Site, relation: &'a Relation) -> impl Iterator<Item = (&'a str, &'a str)> {
    let builder = Builder { site, relation, style: Style::default() };
    let permissive = relation.definition.all(Kind::Policy).filter(|(_, text)| text.starts_with("AS PERMISSIVE"));
    permissive.filter(move |(name, _)| !builder.is_ours(name))
}

/// The attempts on one table.
async fn table(
    owner: &Database,
    app: &Database,
    site: &Site,
    relation: &Relation,
    options: &VerifyOptions,
) -> Result<Vec<Attempt>> {
    let login = &app.session().role;
    let root = site.audited_as(relation);
    let keys = site.catalog.table(&root)?.key.clone();
    let key = match keys.as_slice() {
        [key] => Ident::new(key)?,
        // Of a partitioned table the first column is enough to name a few rows.
        [first, ..] if relation.kind != RelationKind::Table => Ident::new(first)?,
        _ => return Ok(vec![not_tried(What::ReadOwn, login, "it has no key of one column")]),
    };
    if relation.kind == RelationKind::Partitioned {
        return Ok(vec![not_tried(What::ReadOwn, login, "its partitions are tried, each by itself")]);
    }
    let Some(rows) = Rows::find(owner, site, relation, &key).await? else {
        return Ok(vec![not_tried(
            What::ReadOwn,
            login,
            "no role of this login sees its rows: proven from the catalog only",
        )]);
    };
    let columns = Columns::read(owner, relation).await?;
    let form = relation.scope.form(&relation.definition, &site.tenancy.session.policy);
    let nobodys_are_seen = matches!(form, Some(Form::Bridge | Form::StrictWrites));
    let attempts =
        Attempts { tenancy: &site.tenancy, relation, key: &key, rows: &rows, columns: &columns, nobodys_are_seen };
    let mut tried = attempts.read(app).await?;
    if relation.definition.has(Kind::Forced) && !owner.session().superuser && !owner.session().bypass_rls {
        tried.extend(attempts.read(owner).await?);
    }
    match (options.write_probes, columns.has_triggers && !options.fire_triggers) {
        (false, _) => {}
        (true, true) => {
            tried.push(not_tried(What::InsertOwn, login, "its triggers would fire; --fire-triggers lets them"))
        }
        (true, false) => tried.extend(attempts.write(app).await?),
    }
    Ok(tried)
}

/// What the attempts found, with the policies that it came through.
fn leaks(site: &Site, relation: &Relation, attempts: &[Attempt]) -> Vec<Finding> {
    let wrong = attempts.iter().filter(|attempt| matches!(attempt.result, Outcome::Leak | Outcome::Hidden));
    let names: Vec<String> = foreign(site, relation).map(|(name, _)| format!("\"{name}\"")).collect();
    let through = match names.as_slice() {
        [] => String::new(),
        [one] => format!(", through the policy {one}"),
        several => format!(", through one of the policies {}", several.join(", ")),
    };
    wrong
        .map(|attempt| {
            let kind = if attempt.result == Outcome::Leak { "leak" } else { "hidden" };
            let detail = attempt.detail.as_deref().unwrap_or_default();
            let what = format!("{kind} as {}, {}: {detail}{through}", attempt.login, words(attempt.what));
            Finding { table: Some(relation.name.clone()), what }
        })
        .collect()
}

/// An attempt in words.
fn words(what: What) -> &'static str {
    match what {
        What::ReadOwn => "reading own rows",
        What::ReadOther => "reading another tenant's rows",
        What::ReadUnset => "reading where no tenant is set",
        What::ReadEmpty => "reading where the tenant is empty",
        What::ReadUnknown => "reading as a tenant that does not exist",
        What::InsertOwn => "inserting an own row",
        What::InsertOther => "inserting a row of another tenant",
        What::InsertUnset => "inserting where no tenant is set",
        What::UpdateAway => "giving an own row to another tenant",
        What::UpdateOther => "changing another tenant's row",
        What::DeleteOther => "deleting another tenant's row",
    }
}

/// Whether the application's login reaches tenants' rows through a view that reads as its owner.
async fn through(app: &Database, site: &Site, way: &WayAround) -> Result<Option<Finding>> {
    let said = format!("the {} {} reads {} as {}, past the policies", way.kind, way.name, way.tables, way.owner);
    let finding = |what| Some(Finding { table: None, what });
    let Some((schema, name)) = way.name.split_once('.').filter(|_| way.kind != "SECURITY DEFINER function") else {
        return Ok(finding(said));
    };
    let view = TableName::new(Ident::new(schema)?, Ident::new(name)?);
    let mut tx = OwnerTx::begin(app, std::time::Duration::from_secs(1)).await?;
    let found = sqlx::query(include_str!("../../../../sql/rls/probe_view.sql"))
        .bind(schema)
        .bind(name)
        .bind(&site.tenancy.columns)
        .fetch_optional(tx.connection())
        .await
        .map_err(RlsError::query(format!("asking who may read {}", way.name)))?;
    tx.rollback().await?;
    let Some(row) = found else { return Ok(None) };
    if !row.get::<bool, _>(0) {
        return Ok(None);
    }
    let Some(column) = row.get::<Option<String>, _>(1) else { return Ok(finding(said)) };
    let mut tx = ProbeTx::begin(app, &site.tenancy, false).await?;
    let see = Template::new(r#"SELECT EXISTS (SELECT FROM :"view" AS v WHERE v.:"column" IS NOT NULL)"#)
        .table("view", &view)
        .ident("column", &Ident::new(column)?)
        .build();
    let seen = sqlx::query_scalar::<_, bool>(&see).fetch_one(tx.connection()).await;
    tx.rollback().await?;
    Ok(match seen {
        Ok(true) => finding(format!("{said}: {} sees tenants' rows in it without a tenant", app.session().role)),
        Ok(false) => None,
        Err(_) => finding(said),
    })
}
