//! Writing without a condition on a column. PostgreSQL holds such a statement to the policies for writing alone.

use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::breach::Whose;
use tenant_inventory::claim::examined::Attempt;
use tenant_rls::{ProbeSessions, Sql, Template, VariableBefore};

use crate::attempts::outcome::refused;
use crate::attempts::rows::only;
use crate::attempts::{Attempts, attempt};
use crate::error::Result;

impl Attempts<'_> {
    /// Tries statements without a condition of the table's columns, for which policies for reading do not hold: where no tenant is set, and as
    /// one that does not exist. Each ends with an error at the first row that it reaches, so that none is locked or written.
    pub(crate) async fn unqualified(&self, sessions: &ProbeSessions, login: &str) -> Result<Vec<Attempt>> {
        if self.rows.tenants.is_empty() {
            return Ok(Vec::new());
        }
        // Where no tenant is set, rows without one may be written in such a table.
        let everybodys = self.relation.platform_rows || self.gives_without_tenant;
        let (never_set, set): (&[Option<&str>], &[Option<&str>]) = match everybodys {
            true => (&[], &[Some(self.unknown())]),
            false => (&[None], &[Some(""), Some(self.unknown())]),
        };
        let (update, delete) = (self.update_all(), self.delete_all());
        let mut attempts = Vec::new();
        for (before, tenants) in [(VariableBefore::NeverSet, never_set), (VariableBefore::Any, set)] {
            if tenants.is_empty() {
                continue;
            }
            let mut tx = sessions.begin(true, before).await?;
            for tenant in tenants {
                for (what, statement) in
                    [(AttemptKind::UpdateUnqualified, &update), (AttemptKind::DeleteUnqualified, &delete)]
                {
                    let done = attempt(&mut tx, *tenant, sqlx::query(statement)).await?;
                    attempts.push(refused(what, login, Whose::OtherTenants, done));
                }
            }
            tx.rollback().await?;
        }
        Ok(attempts)
    }

    fn update_all(&self) -> Sql {
        self.on_all(include_str!("../../../../sql/rls-verify/probe_update_all.sql"))
            .ident("column", &self.relation.comparison.column)
            .build()
    }

    fn delete_all(&self) -> Sql {
        self.on_all(include_str!("../../../../sql/rls-verify/probe_delete_all.sql")).build()
    }

    fn on_all(&self, text: &'static str) -> Template {
        let stop = Template::new(include_str!("../../../../sql/rls-verify/fragments/stop_at_first_row.sql")).build();
        Template::new(text)
            .table("target", &self.relation.name)
            .fragment("only", only(self.relation))
            .fragment("stop", stop)
    }
}
