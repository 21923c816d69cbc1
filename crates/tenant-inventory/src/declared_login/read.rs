//! Reads the declared logins from the catalog, and compares them with `[auth]` and `[jobs]`.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use tenancy_config::tenancy::{LoginDeclaration, LoginPurpose, LoginRight, LoginTable};
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_rls::{Error, LoginPolicy, Result};

use super::memberships::read_memberships;
use super::problem::{LoginPart, LoginProblem, LoginProblemKind};
use super::state::{DeclaredLogin, DeclaredTable};
use crate::catalog::definition::{Aspect, AspectKind, read_definitions};
use crate::catalog::relations::Relation;
use crate::class::{Class, ClassifiedTable};
use crate::ways::roles::Roles;

/// The rights of the role: by table, each with the columns.
type Rights = BTreeMap<TableName, BTreeSet<LoginPart>>;

/// What is read of all declared logins alike.
struct Reading<'a> {
    tenancy: &'a Tenancy,
    /// The application's own login.
    app: &'a str,
    classes: &'a [ClassifiedTable],
    relations: &'a [Relation],
    roles: Roles,
}

/// Reads them, in the order of [`Tenancy::declared_logins`]. `app` is the application's own login.
pub(crate) async fn read_declared_logins(
    connection: &mut PgConnection,
    tenancy: &Tenancy,
    app: &str,
    classes: &[ClassifiedTable],
    relations: &[Relation],
) -> Result<Vec<DeclaredLogin>> {
    let declared = tenancy.declared_logins();
    if declared.is_empty() {
        return Ok(Vec::new());
    }
    let reading = Reading { tenancy, app, classes, relations, roles: Roles::read(connection).await? };
    let mut logins = Vec::new();
    for declared in declared {
        logins.push(reading.login(connection, declared).await?);
    }
    Ok(logins)
}

impl Reading<'_> {
    async fn login(&self, connection: &mut PgConnection, declared: LoginDeclaration<'_>) -> Result<DeclaredLogin> {
        let role = Ident::new(declared.role)?;
        let (id, mut problems) = role_problems(connection, &role, self.app, &self.roles).await?;
        let tables = self.tables(connection, &declared, &role, &mut problems).await?;
        let (rights, policies) = if id.is_some() {
            (read_rights(connection, &role).await?, read_policies(connection, &role).await?)
        } else {
            (Rights::new(), Rights::new())
        };
        let LoginDeclaration { purpose, url_variable, .. } = declared;
        for table in tables.iter().filter(|table| table.is_there) {
            let missing = missing(table, &purpose, &role, rights.get(&table.table));
            if !missing.is_empty() {
                problems.push(LoginProblemKind::Missing { table: table.table.clone(), parts: missing });
            }
        }
        let names: BTreeSet<&TableName> = rights.keys().chain(policies.keys()).collect();
        for name in names {
            let declared = tables.iter().find(|table| table.table == *name);
            if declared.is_none() && is_nobodys(self.classes, name) {
                continue;
            }
            let has = rights.get(name).into_iter().chain(policies.get(name)).flatten();
            let is_declared =
                |part: &&LoginPart| declared.is_some_and(|table| is_declared(&table.rules, &purpose, part));
            let parts: Vec<LoginPart> = has.filter(|part| !is_declared(part)).cloned().collect();
            if !parts.is_empty() {
                problems.push(LoginProblemKind::Undeclared { table: name.clone(), parts });
            }
        }
        let memberships = match purpose {
            LoginPurpose::SignIn => {
                read_memberships(connection, self.tenancy, self.app, self.relations, &mut problems).await?
            }
            LoginPurpose::Job { .. } => None,
        };
        let problem = |what| LoginProblem { purpose: purpose.clone(), role: role.clone(), what };
        let problems = problems.into_iter().map(problem).collect();
        Ok(DeclaredLogin { purpose, role, url_variable, id, problems, tables, memberships })
    }

    /// The tables of a login as they are, and what of the declaration is not there.
    async fn tables(
        &self,
        connection: &mut PgConnection,
        login: &LoginDeclaration<'_>,
        role: &Ident,
        problems: &mut Vec<LoginProblemKind>,
    ) -> Result<Vec<DeclaredTable>> {
        let declared = login.tables(self.tenancy)?;
        let (schemas, names) = TableName::apart(declared.iter().map(|(table, _)| table));
        let rows = sqlx::query(include_str!("../../../../sql/tenant-inventory/declared_login/tables.sql"))
            .bind(schemas)
            .bind(names)
            .bind(role.as_str())
            .bind(self.app)
            .fetch_all(&mut *connection)
            .await
            .map_err(Error::query("looking for the tables of a declared login"))?;
        let relation = |table: &TableName| self.relations.iter().find(|relation| relation.name == *table);
        let mut columns = Vec::new();
        for (table, _) in &declared {
            columns.push(match relation(table) {
                Some(relation) => relation.comparison.column.clone(),
                None => Ident::new(&self.tenancy.columns[0])?,
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
                None => problems.push(LoginProblemKind::NoTable { table: table.clone() }),
                Some(row) => {
                    let known: Vec<String> = row.get("columns");
                    let named: BTreeSet<&String> =
                        LoginRight::ALL.iter().flat_map(|right| rules.columns(*right)).collect();
                    let columns: Vec<String> =
                        named.into_iter().filter(|name| !known.contains(name)).cloned().collect();
                    if !columns.is_empty() {
                        problems.push(LoginProblemKind::NoColumns { table: table.clone(), columns });
                    }
                    if !row.get::<bool, _>("may_grant") {
                        let owner = row.get("owner");
                        problems.push(LoginProblemKind::NotOwned { table: table.clone(), owner });
                    }
                    if row.get("closed_schema") {
                        needs.insert(LoginPart::Schema { schema: table.schema().clone() });
                    }
                    let Json(sequences): Json<Vec<(String, String)>> = row.get("closed_sequences");
                    for (schema, name) in sequences.into_iter().filter(|_| rules.may(LoginRight::Insert)) {
                        let sequence = TableName::new(Ident::new(schema)?, Ident::new(name)?);
                        needs.insert(LoginPart::Sequence { sequence });
                    }
                }
            }
            let rolled_out = relation(&table).is_some_and(|relation| relation.unhandled.is_none());
            let needs_policies = rolled_out || definition.has(AspectKind::RowSecurity);
            tables.push(DeclaredTable {
                needs_policies,
                open_to_app: !needs_policies && row.is_some_and(|row| row.get("open_to_app")),
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
    roles: &Roles,
) -> Result<(Option<i64>, Vec<LoginProblemKind>)> {
    let row = sqlx::query(include_str!("../../../../sql/tenant-inventory/declared_login/role.sql"))
        .bind(role.as_str())
        .fetch_one(&mut *connection)
        .await
        .map_err(Error::query("looking for a declared login"))?;
    let Some(id) = row.get::<Option<i64>, _>("id") else {
        return Ok((None, vec![LoginProblemKind::NoRole { may_create: row.get("may_create") }]));
    };
    let mut problems = Vec::new();
    if !row.get::<bool, _>("can_login") {
        problems.push(LoginProblemKind::CannotLogIn);
    }
    let attributes = [
        ("superuser", "SUPERUSER"),
        ("bypass_rls", "BYPASSRLS"),
        ("create_role", "CREATEROLE"),
        ("replication", "REPLICATION"),
    ];
    let has = attributes.into_iter().filter(|(column, _)| row.get::<bool, _>(column));
    problems.extend(has.map(|(_, attribute)| LoginProblemKind::Powerful { attribute }));
    problems.extend(row.get::<Option<String>, _>("owned").map(|table| LoginProblemKind::Owns { table }));
    let Some(own) = roles.named(role.as_str()) else { return Ok((Some(id), problems)) };
    if !own.superuser {
        let reached = roles.reachable(own.id).into_iter().map(|reached| reached.id);
        let others: BTreeSet<i64> = reached.chain(roles.inherited(own.id)).filter(|id| *id != own.id).collect();
        problems.extend(others.into_iter().map(|id| LoginProblemKind::MemberOf { of: roles.name(id) }));
    }
    if let Some(login) = roles.named(app).filter(|login| login.id != own.id && !login.superuser) {
        let becomes = roles.reachable(login.id).into_iter().find(|reached| reached.id == own.id);
        let inherits = roles.inherited(login.id).contains(&own.id).then(Vec::new);
        if let Some(steps) = becomes.map(|reached| reached.steps).or(inherits) {
            let is_this_login = row.get::<String, _>("this_login") == app;
            problems.push(LoginProblemKind::HeldByApplication { login: app.to_owned(), steps, is_this_login });
        }
    }
    Ok((Some(id), problems))
}

async fn read_rights(connection: &mut PgConnection, role: &Ident) -> Result<Rights> {
    let sql = include_str!("../../../../sql/tenant-inventory/declared_login/rights.sql");
    read_parts(connection, role, (sql, "asking what a declared login may do"), |row| LoginPart::Right {
        privilege: row.get("privilege"),
        column: row.get("column_name"),
    })
    .await
}

async fn read_policies(connection: &mut PgConnection, role: &Ident) -> Result<Rights> {
    let sql = include_str!("../../../../sql/tenant-inventory/declared_login/policies.sql");
    read_parts(connection, role, (sql, "looking for the policies of a declared login"), |row| LoginPart::Policy {
        policy: row.get("policy"),
    })
    .await
}

/// What a statement finds of the role, by table.
async fn read_parts(
    connection: &mut PgConnection,
    role: &Ident,
    (sql, doing): (&'static str, &'static str),
    part: fn(&PgRow) -> LoginPart,
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
fn missing(
    table: &DeclaredTable,
    purpose: &LoginPurpose,
    role: &Ident,
    has: Option<&BTreeSet<LoginPart>>,
) -> Vec<LoginPart> {
    let mut parts = Vec::new();
    for right in table.rules.rights() {
        let columns = table.rules.columns(right).iter().map(|column| Some(column.as_str()));
        let whole = (right == LoginRight::Delete).then_some(None);
        let wanted = columns.chain(whole).map(|column| LoginPart::right(right, column));
        parts.extend(wanted.filter(|part| !has.is_some_and(|has| has.contains(part))));
        let policy = LoginPolicy { purpose: purpose.clone(), right };
        let text = table.definition.get(&Aspect::named(AspectKind::Policy, &policy.name()));
        if table.needs_policies && !text.is_some_and(|text| policy.is_printed_as(text, role)) {
            parts.push(LoginPart::Policy { policy: policy.name() });
        }
    }
    parts.extend(table.needs.iter().cloned());
    parts
}

/// Whether a right or policy is declared. One of our policies that somebody altered is missing, and not one too many.
fn is_declared(rules: &LoginTable, purpose: &LoginPurpose, part: &LoginPart) -> bool {
    match part {
        LoginPart::Right { privilege, column } => {
            let right = LoginRight::ALL.into_iter().find(|right| right.as_str() == privilege);
            right.is_some_and(|right| match column {
                Some(column) => rules.columns(right).contains(column),
                None => right == LoginRight::Delete && rules.delete,
            })
        }
        LoginPart::Policy { policy } => {
            LoginPolicy::named(policy).is_some_and(|policy| policy.purpose == *purpose && rules.may(policy.right))
        }
        LoginPart::Schema { .. } | LoginPart::Sequence { .. } => true,
    }
}
