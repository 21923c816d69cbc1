//! Rows that are there, on which sign-in is tried while no tenant is set, and what it writes to one of them and takes back.

use sqlx::types::Json;
use tenancy_config::Ident;
use tenancy_config::tenancy::AuthRight;
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::{Relation, SignInTable};
use tenant_rls::{ProbeTx, Sql, Template};

use crate::attempts::attempt;
use crate::attempts::key::PrimaryKey;
use crate::attempts::outcome;
use crate::attempts::rows::{Keys, only};
use crate::error::Result;

/// Rows of two tenants, whose key sign-in may read.
pub(crate) struct KnownRows<'a> {
    pub(crate) table: &'a SignInTable,
    pub(crate) relation: &'a Relation,
    pub(crate) key: PrimaryKey,
    /// Their keys: one at least.
    pub(crate) keys: Keys,
}

impl KnownRows<'_> {
    /// Tries on the first row each right to write that is declared. The answer is the evidence of each; a right is left out if the row cannot show it, because
    /// sign-in writes columns that it may not read.
    pub(crate) async fn writes(&self, tx: &mut ProbeTx, login: &str) -> Result<Vec<(AuthRight, Evidence)>> {
        let given = Json(&self.keys[..1]);
        let mut tried = Vec::new();
        for (right, what) in [
            (AuthRight::Insert, AttemptKind::InsertUnset),
            (AuthRight::Update, AttemptKind::UpdateOwn),
            (AuthRight::Delete, AttemptKind::DeleteOwn),
        ] {
            let Some(statement) = self.statement(right)? else { continue };
            let done = attempt(tx, None, sqlx::query(&statement).bind(given)).await?;
            tried.push((right, outcome::let_in(what, login, done).evidence));
        }
        Ok(tried)
    }

    fn statement(&self, right: AuthRight) -> Result<Option<Sql>> {
        let rules = &self.table.rules;
        if !rules.may(right) {
            return Ok(None);
        }
        if right == AuthRight::Delete {
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
            AuthRight::Insert => self
                .on_given(include_str!("../../../sql/rls-verify/sign_in_insert.sql"))
                .fragment("columns", each(":\"column\""))
                .fragment("values", each("t.:\"column\"")),
            _ => self
                .on_given(include_str!("../../../sql/rls-verify/sign_in_update.sql"))
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
