//! What sign-in writes, tried on a row that is there while no tenant is set, and taken back.

use serde_json::Value;
use sqlx::types::Json;
use tenancy_config::tenancy::AuthRight;
use tenancy_config::{Ident, TableName};
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::evidence::Evidence;
use tenant_inventory::{Relation, SignInTable};
use tenant_rls::{ProbeTx, Sql, Template};

use crate::attempts::attempt;
use crate::attempts::key::PrimaryKey;
use crate::attempts::outcome;
use crate::attempts::rows::only;
use crate::error::Result;

/// A row on which sign-in is tried.
pub(crate) struct KnownRow<'a> {
    pub(crate) table: &'a SignInTable,
    pub(crate) relation: &'a Relation,
    pub(crate) key: &'a PrimaryKey,
    /// Its key, as the only one in an array.
    pub(crate) given: Vec<Value>,
}

impl KnownRow<'_> {
    /// Tries each right to write that is declared. The answer is the evidence of each; a right is left out if the row cannot show it, because
    /// sign-in may write columns that it may not read.
    pub(crate) async fn writes(&self, tx: &mut ProbeTx, login: &str) -> Result<Vec<(AuthRight, Evidence)>> {
        let mut tried = Vec::new();
        for (right, what) in [
            (AuthRight::Insert, AttemptKind::InsertUnset),
            (AuthRight::Update, AttemptKind::UpdateOwn),
            (AuthRight::Delete, AttemptKind::DeleteOwn),
        ] {
            let Some(statement) = self.statement(right)? else { continue };
            let done = attempt(tx, None, sqlx::query(&statement).bind(Json(&self.given))).await?;
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

    fn on_given(&self, text: &'static str) -> Template {
        let target: &TableName = &self.table.table;
        Template::new(text)
            .table("target", target)
            .fragment("only", only(self.relation))
            .fragment("given", self.key.is_given())
    }
}
