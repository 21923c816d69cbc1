//! Rows that are there, on which a declared login is tried while no tenant is set, and what it writes to one of them and takes back.

use sqlx::types::Json;
use tenancy_config::Ident;
use tenancy_config::tenancy::LoginRight;
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::{DeclaredTable, Relation};
use tenant_rls::{ProbeTx, Sql, Template};

use crate::attempts::attempt;
use crate::attempts::key::PrimaryKey;
use crate::attempts::outcome;
use crate::attempts::rows::{Keys, only};
use crate::error::Result;

/// Rows of two tenants, whose key the login may read.
pub(crate) struct KnownRows<'a> {
    pub(crate) table: &'a DeclaredTable,
    pub(crate) relation: &'a Relation,
    pub(crate) key: PrimaryKey,
    /// Their keys: one at least.
    pub(crate) keys: Keys,
}

impl KnownRows<'_> {
    /// Tries on the first row each right to write that is declared. The answer is the evidence of each; a right is left out if the row cannot show it, because
    /// sign-in writes columns that it may not read.
    pub(crate) async fn writes(&self, tx: &mut ProbeTx, login: &str) -> Result<Vec<(LoginRight, Evidence)>> {
        let given = Json(&self.keys[..1]);
        let mut tried = Vec::new();
        for (right, what) in [
            (LoginRight::Insert, AttemptKind::InsertUnset),
            (LoginRight::Update, AttemptKind::UpdateOwn),
            (LoginRight::Delete, AttemptKind::DeleteOwn),
        ] {
            let Some(statement) = self.statement(right)? else { continue };
            let done = attempt(tx, None, sqlx::query(&statement).bind(given)).await?;
            tried.push((right, outcome::let_in(what, login, done).evidence));
        }
        Ok(tried)
    }

    fn statement(&self, right: LoginRight) -> Result<Option<Sql>> {
        let rules = &self.table.rules;
        if !rules.may(right) {
            return Ok(None);
        }
        if right == LoginRight::Delete {
            return Ok(Some(self.on_given(include_str!("../../../sql/rls-verify/probe_delete.sql")).build()));
        }
        let both = rules.columns(right).iter().filter(|name| rules.select.contains(name));
        let columns = both.map(Ident::new).collect::<std::result::Result<Vec<_>, _>>()?;
        if columns.is_empty() {
            return Ok(None);
        }
        let each = |text: &'static str| {
            Sql::join(columns.iter().map(|column| Template::new(text).ident("column", column).build()), ", ")
        };
        let statement = match right {
            LoginRight::Insert => self
                .on_given(include_str!("../../../sql/rls-verify/login_insert.sql"))
                .fragment("columns", each(":\"column\""))
                .fragment("values", each("t.:\"column\"")),
            _ => self
                .on_given(include_str!("../../../sql/rls-verify/login_update.sql"))
                .fragment("changes", each(":\"column\" = t.:\"column\"")),
        };
        Ok(Some(statement.build()))
    }

    /// A statement on the rows whose keys are $1.
    pub(crate) fn on_given(&self, text: &'static str) -> Template {
        Template::new(text)
            .table("target", &self.table.table)
            .fragment("only", only(self.relation))
            .fragment("given", self.key.is_given())
    }
}
