//! Reading users and memberships: all at once, as a role that is proven to see every row, or tenant by tenant, each in its own scope.

use std::collections::BTreeSet;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use tenancy_config::{Ident, NameError, TableName, Tenancy};
use tenant_rls::visibility::readers;
use tenant_rls::{Access, AuditTx, Database, Error as SqlError, Result, Sql, Template, TenantId, TenantTx};

use crate::person::User;

/// A row of `tenant_memberships`, in the order of ids: those begin with their time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MembershipRow {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) tenant_id: String,
    pub(crate) role: String,
    pub(crate) is_default: bool,
}

/// Reads the tables `users` and `tenant_memberships`.
pub(crate) struct PeopleReader<'a> {
    database: &'a Database,
    tenancy: &'a Tenancy,
    statements: PeopleStatements,
    mode: Mode,
}

enum Mode {
    /// A role sees every row.
    Whole(Box<AuditTx>),
    /// The tenants in whose scopes it reads, in this order.
    Scopes(Vec<TenantId>),
}

pub(crate) struct PeopleStatements {
    users: Sql,
    user: Sql,
    memberships: Sql,
    pub(crate) someone: Sql,
    access: Vec<Access>,
}

impl PeopleStatements {
    pub(crate) fn new(tenancy: &Tenancy) -> Result<Self> {
        let table = |name: &str| TableName::parse(name, &tenancy.database.schema);
        let (users, memberships) = (table("users")?, table("tenant_memberships")?);
        let (of_users, of_memberships) = (column(tenancy, &users)?, column(tenancy, &memberships)?);
        let user = |file| Template::new(file).table("users", &users).ident("tenant", &of_users).build();
        let columns = |names: &[&str], tenant: &Ident| -> Result<Vec<Ident>, NameError> {
            names.iter().map(|name| Ident::new(*name)).chain([Ok(tenant.clone())]).collect()
        };
        let of_user = columns(&["id", "email", "name", "image", "role", "sessionVersion"], &of_users)?;
        let of_membership = columns(&["id", "userId", "role", "isDefault"], &of_memberships)?;
        Ok(Self {
            users: user(include_str!("../../../sql/dev-jwt/users.sql")),
            user: user(include_str!("../../../sql/dev-jwt/user.sql")),
            memberships: Template::new(include_str!("../../../sql/dev-jwt/memberships.sql"))
                .table("memberships", &memberships)
                .ident("tenant", &of_memberships)
                .build(),
            someone: Template::new(include_str!("../../../sql/dev-jwt/someone.sql"))
                .table("memberships", &memberships)
                .table("users", &users)
                .ident("tenant", &of_memberships)
                .build(),
            access: vec![
                Access { table: users, read: of_user, write: None },
                Access { table: memberships, read: of_membership, write: None },
            ],
        })
    }

    /// Opens both tables for a role that sees all of them.
    pub(crate) async fn whole(&self, database: &Database, tenancy: &Tenancy) -> Result<AuditTx> {
        AuditTx::begin(database, &self.access, &readers(database, tenancy)?, None).await
    }
}

/// The tenant column of a table.
fn column(tenancy: &Tenancy, table: &TableName) -> Result<Ident> {
    let own = tenancy.rules(table).and_then(|rules| rules.column.clone());
    Ok(Ident::new(own.or_else(|| tenancy.columns.first().cloned()).unwrap_or_default())?)
}

impl<'a> PeopleReader<'a> {
    /// Reads every row, if a role that this login may use sees both tables whole; else the caller names the scopes.
    pub(crate) async fn open(database: &'a Database, tenancy: &'a Tenancy) -> Result<Self> {
        let statements = PeopleStatements::new(tenancy)?;
        let mode = match statements.whole(database, tenancy).await {
            Ok(whole) => Mode::Whole(Box::new(whole)),
            Err(SqlError::CannotSee(_)) => Mode::Scopes(Vec::new()),
            Err(error) => return Err(error),
        };
        Ok(Self { database, tenancy, statements, mode })
    }

    pub(crate) fn sees_all(&self) -> bool {
        matches!(self.mode, Mode::Whole(_))
    }

    /// Reads in the scopes of these tenants from now on, unless a role sees every row.
    pub(crate) fn set_scopes(&mut self, tenants: Vec<TenantId>) {
        if let Mode::Scopes(scopes) = &mut self.mode {
            *scopes = tenants;
        }
    }

    /// The number of scopes in which it reads; 0 where a role sees every row.
    pub(crate) fn scopes(&self) -> usize {
        match &self.mode {
            Mode::Whole(_) => 0,
            Mode::Scopes(scopes) => scopes.len(),
        }
    }

    /// Users with this email, whatever its capitals.
    pub(crate) async fn users(&mut self, email: &str) -> Result<Vec<User>> {
        let statement = self.statements.users.clone();
        let ask = async |connection: &mut PgConnection| {
            sqlx::query(statement.clone()).bind(email).fetch_all(connection).await
        };
        let rows = self.each("looking for the user", ask).await?;
        Ok(distinct_users(&rows))
    }

    /// The user with this id.
    pub(crate) async fn user(&mut self, id: &str) -> Result<Option<User>> {
        let statement = self.statements.user.clone();
        let ask =
            async |connection: &mut PgConnection| sqlx::query(statement.clone()).bind(id).fetch_all(connection).await;
        let rows = self.each("looking for the user", ask).await?;
        Ok(distinct_users(&rows).pop())
    }

    /// The memberships of these users, the oldest first.
    pub(crate) async fn memberships(&mut self, users: &[String]) -> Result<Vec<MembershipRow>> {
        let statement = self.statements.memberships.clone();
        let ask = async |connection: &mut PgConnection| {
            sqlx::query(statement.clone()).bind(users).fetch_all(connection).await
        };
        let row = |row: PgRow| MembershipRow {
            id: row.get("id"),
            user_id: row.get("user_id"),
            tenant_id: row.get("tenant_id"),
            role: row.get("role"),
            is_default: row.get("is_default"),
        };
        let rows = self.each("reading the memberships", ask).await?;
        // A set also removes what several scopes showed.
        let memberships: BTreeSet<MembershipRow> = rows.into_iter().map(row).collect();
        Ok(memberships.into_iter().collect())
    }

    pub(crate) async fn close(self) -> Result<()> {
        match self.mode {
            Mode::Whole(whole) => whole.close().await,
            Mode::Scopes(_) => Ok(()),
        }
    }

    /// Runs the statement once, or once in each scope.
    async fn each(
        &mut self,
        doing: &str,
        mut ask: impl AsyncFnMut(&mut PgConnection) -> sqlx::Result<Vec<PgRow>>,
    ) -> Result<Vec<PgRow>> {
        match &mut self.mode {
            Mode::Whole(whole) => ask(whole.connection()).await.map_err(SqlError::query(doing)),
            Mode::Scopes(tenants) => {
                let mut rows = Vec::new();
                for tenant in tenants.iter() {
                    let mut scope = TenantTx::begin(self.database, self.tenancy, tenant).await?;
                    rows.extend(ask(scope.connection()).await.map_err(SqlError::query(doing))?);
                    scope.rollback().await?;
                }
                Ok(rows)
            }
        }
    }
}

/// The users, each once: a row without a tenant may be visible in every scope.
fn distinct_users(rows: &[PgRow]) -> Vec<User> {
    let mut users: Vec<User> = Vec::new();
    for row in rows {
        let user = User {
            id: row.get("id"),
            home: row.get("home"),
            email: row.get("email"),
            name: row.get("name"),
            image: row.get("image"),
            role: row.get("role"),
            session_version: row.get("session_version"),
        };
        if !users.contains(&user) {
            users.push(user);
        }
    }
    users
}
