//! Reads the login of sign-in from the catalog, and compares it with `[auth]`.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use tenancy_config::tenancy::{AuthRight, AuthTable};
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{AuthPolicy, Error, Result};

use super::memberships::read_memberships;
use super::problem::{SignInPart, SignInProblem, SignInProblemKind};
use super::state::{SignIn, SignInTable};
use crate::catalog::definition::{Aspect, AspectKind, read_definitions};
use crate::catalog::relations::Relation;
use crate::class::{Class, ClassifiedTable};
use crate::ways::roles::Roles;

/// The rights of the role: by table, each with the columns.
type Rights = BTreeMap<TableName, BTreeSet<SignInPart>>;

/// Reads it; none where `tenancy.toml` declares none. `app` is the application's own login.
pub(crate) async fn read_sign_in(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    app: &str,
    classes: &[ClassifiedTable],
    relations: &[Relation],
) -> Result<Option<SignIn>> {
    let Some(auth) = &tenancy.auth else { return Ok(None) };
    let role = Ident::new(&auth.role)?;
    let (id, mut problems) = role_problems(connection, &role, app).await?;
    let tables = read_tables(connection, tenancy, &role, relations, &mut problems).await?;
    let (rights, policies) = if id.is_some() {
        (read_rights(connection, &role).await?, read_policies(connection, &role).await?)
    } else {
        (Rights::new(), Rights::new())
    };
    for table in tables.iter().filter(|table| table.is_there) {
        let missing = missing(table, &role, rights.get(&table.table));
        if !missing.is_empty() {
            problems.push(SignInProblemKind::Missing { table: table.table.clone(), parts: missing });
        }
    }
    let names: BTreeSet<&TableName> = rights.keys().chain(policies.keys()).collect();
    for name in names {
        let declared = tables.iter().find(|table| table.table == *name);
        if declared.is_none() && is_nobodys(classes, name) {
            continue;
        }
        let has = rights.get(name).into_iter().chain(policies.get(name)).flatten();
        let parts: Vec<SignInPart> =
            has.filter(|part| !declared.is_some_and(|table| is_declared(&table.rules, part))).cloned().collect();
        if !parts.is_empty() {
            problems.push(SignInProblemKind::Undeclared { table: name.clone(), parts });
        }
    }
    let memberships = read_memberships(connection, tenancy, app, relations, &mut problems).await?;
    let problem = |what| SignInProblem { role: role.clone(), what };
    let problems = problems.into_iter().map(problem).collect();
    Ok(Some(SignIn { id, problems, role, tables, memberships }))
}

/// Whether the rows of a table or view belong to no tenant.
fn is_nobodys(classes: &[ClassifiedTable], table: &TableName) -> bool {
    let class = classes.iter().find(|known| known.table == *table).map(|known| &known.class);
    matches!(class, Some(Class::Unrelated | Class::Exempt { .. } | Class::Extension { .. }))
}

async fn role_problems(
    connection: &mut PgConnection,
    role: &Ident,
    app: &str,
) -> Result<(Option<i64>, Vec<SignInProblemKind>)> {
    let row = sqlx::query(include_str!("../../../../sql/tenant-inventory/sign_in/role.sql"))
        .bind(role.as_str())
        .fetch_one(&mut *connection)
        .await
        .map_err(Error::query("looking for the role of sign-in"))?;
    let Some(id) = row.get::<Option<i64>, _>("id") else {
        return Ok((None, vec![SignInProblemKind::NoRole { may_create: row.get("may_create") }]));
    };
    let mut problems = Vec::new();
    if !row.get::<bool, _>("can_login") {
        problems.push(SignInProblemKind::CannotLogIn);
    }
    let attributes = [
        ("superuser", "SUPERUSER"),
        ("bypass_rls", "BYPASSRLS"),
        ("create_role", "CREATEROLE"),
        ("replication", "REPLICATION"),
    ];
    let has = attributes.into_iter().filter(|(column, _)| row.get::<bool, _>(column));
    problems.extend(has.map(|(_, attribute)| SignInProblemKind::Powerful { attribute }));
    problems.extend(row.get::<Option<String>, _>("owned").map(|table| SignInProblemKind::Owns { table }));
    let roles = Roles::read(connection).await?;
    let Some(own) = roles.named(role.as_str()) else { return Ok((Some(id), problems)) };
    if !own.superuser {
        let reached = roles.reachable(own.id).into_iter().map(|reached| reached.id);
        let others: BTreeSet<i64> = reached.chain(roles.inherited(own.id)).filter(|id| *id != own.id).collect();
        problems.extend(others.into_iter().map(|id| SignInProblemKind::MemberOf { of: roles.name(id) }));
    }
    if let Some(login) = roles.named(app).filter(|login| login.id != own.id && !login.superuser) {
        let becomes = roles.reachable(login.id).into_iter().find(|reached| reached.id == own.id);
        let inherits = roles.inherited(login.id).contains(&own.id).then(Vec::new);
        if let Some(steps) = becomes.map(|reached| reached.steps).or(inherits) {
            let is_this_login = row.get::<String, _>("this_login") == app;
            problems.push(SignInProblemKind::HeldByApplication { login: app.to_owned(), steps, is_this_login });
        }
    }
    Ok((Some(id), problems))
}

/// The tables of sign-in as they are, and what of the declaration is not there.
async fn read_tables(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    role: &Ident,
    relations: &[Relation],
    problems: &mut Vec<SignInProblemKind>,
) -> Result<Vec<SignInTable>> {
    let declared = tenancy.auth_tables()?;
    let (schemas, names) = TableName::apart(declared.iter().map(|(table, _)| table));
    let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/sign_in/tables.sql"))
        .bind(schemas)
        .bind(names)
        .bind(role.as_str())
        .fetch_all(&mut *connection)
        .await
        .map_err(Error::query("looking for the tables of sign-in"))?;
    let relation = |table: &TableName| relations.iter().find(|relation| relation.name == *table);
    let mut columns = Vec::new();
    for (table, _) in &declared {
        columns.push(match relation(table) {
            Some(relation) => relation.comparison.column.clone(),
            None => Ident::new(&tenancy.columns[0])?,
        });
    }
    let wanted: Vec<(&TableName, &str)> =
        declared.iter().zip(&columns).map(|((table, _), column)| (table, column.as_str())).collect();
    let definitions = read_definitions(connection, &wanted).await?;
    let mut tables = Vec::new();
    for (position, (((table, rules), column), definition)) in
        (1_i64..).zip(declared.into_iter().zip(columns).zip(definitions))
    {
        let row = rows.iter().find(|row| row.get::<i64, _>("position") == position);
        let mut needs = BTreeSet::new();
        match row {
            None => problems.push(SignInProblemKind::NoTable { table: table.clone() }),
            Some(row) => {
                let known: Vec<String> = row.get("columns");
                let named: BTreeSet<&String> = AuthRight::ALL.iter().flat_map(|right| rules.columns(*right)).collect();
                let columns: Vec<String> = named.into_iter().filter(|name| !known.contains(name)).cloned().collect();
                if !columns.is_empty() {
                    problems.push(SignInProblemKind::NoColumns { table: table.clone(), columns });
                }
                if !row.get::<bool, _>("may_grant") {
                    let owner = row.get("owner");
                    problems.push(SignInProblemKind::NotOwned { table: table.clone(), owner });
                }
                if row.get("closed_schema") {
                    needs.insert(SignInPart::Schema { schema: table.schema().clone() });
                }
                let Json(sequences): Json<Vec<(String, String)>> = row.get("closed_sequences");
                for (schema, name) in sequences.into_iter().filter(|_| rules.may(AuthRight::Insert)) {
                    let sequence = TableName::new(Ident::new(schema)?, Ident::new(name)?);
                    needs.insert(SignInPart::Sequence { sequence });
                }
            }
        }
        let rolled_out = relation(&table).is_some_and(|relation| relation.unhandled.is_none());
        tables.push(SignInTable {
            needs_policies: rolled_out || definition.has(AspectKind::RowSecurity),
            is_there: row.is_some(),
            rules: rules.clone(),
            table,
            column,
            definition,
            needs,
        });
    }
    Ok(tables)
}

async fn read_rights(connection: &mut PgConnection, role: &Ident) -> Result<Rights> {
    let sql = include_str!("../../../../sql/tenant-inventory/sign_in/rights.sql");
    read_parts(connection, role, (sql, "asking what sign-in may do"), |row| SignInPart::Right {
        privilege: row.get("privilege"),
        column: row.get("column_name"),
    })
    .await
}

async fn read_policies(connection: &mut PgConnection, role: &Ident) -> Result<Rights> {
    let sql = include_str!("../../../../sql/tenant-inventory/sign_in/policies.sql");
    read_parts(connection, role, (sql, "looking for the policies of sign-in"), |row| SignInPart::Policy {
        policy: row.get("policy"),
    })
    .await
}

/// What a statement finds of the role, by table.
async fn read_parts(
    connection: &mut PgConnection,
    role: &Ident,
    (sql, doing): (&'static str, &'static str),
    part: fn(&PgRow) -> SignInPart,
) -> Result<Rights> {
    let rows = sqlx::query(sql).bind(role.as_str()).fetch_all(connection).await.map_err(Error::query(doing))?;
    let mut found = Rights::new();
    for row in &rows {
        found.entry(table_of(row)?).or_default().insert(part(row));
    }
    Ok(found)
}

fn table_of(row: &PgRow) -> Result<TableName> {
    Ok(TableName::new(Ident::new(row.get::<String, _>("schema"))?, Ident::new(row.get::<String, _>("name"))?))
}

/// What the role lacks of what is declared for a table.
fn missing(table: &SignInTable, role: &Ident, has: Option<&BTreeSet<SignInPart>>) -> Vec<SignInPart> {
    let mut parts = Vec::new();
    for right in table.rules.rights() {
        let columns = table.rules.columns(right).iter().map(|column| Some(column.as_str()));
        let whole = (right == AuthRight::Delete).then_some(None);
        let wanted = columns.chain(whole).map(|column| SignInPart::right(right, column));
        parts.extend(wanted.filter(|part| !has.is_some_and(|has| has.contains(part))));
        let policy = AuthPolicy(right);
        let text = table.definition.get(&Aspect::named(AspectKind::Policy, policy.name()));
        if table.needs_policies && !text.is_some_and(|text| policy.is_printed_as(text, role)) {
            parts.push(SignInPart::Policy { policy: policy.name().to_owned() });
        }
    }
    parts.extend(table.needs.iter().cloned());
    parts
}

/// Whether a right or policy is declared. One of our policies that somebody altered is missing, and not one too many.
fn is_declared(rules: &AuthTable, part: &SignInPart) -> bool {
    match part {
        SignInPart::Right { privilege, column } => {
            let right = AuthRight::ALL.into_iter().find(|right| right.as_str() == privilege);
            right.is_some_and(|right| match column {
                Some(column) => rules.columns(right).contains(column),
                None => right == AuthRight::Delete && rules.delete,
            })
        }
        SignInPart::Policy { policy } => AuthPolicy::named(policy).is_some_and(|policy| rules.may(policy.0)),
        SignInPart::Schema { .. } | SignInPart::Sequence { .. } => true,
    }
}
