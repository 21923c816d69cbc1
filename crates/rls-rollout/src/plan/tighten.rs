//! The steps of `tighten`: constraints that prove what the strict policy relies on, and that policy.

use tenancy_config::{CommandRef, Ident};
use tenant_inventory::{Aspect, AspectKind, Phase, RelationKind};
use tenant_rls::{PolicyForm, Sql, Template};

use crate::error::Result;
use crate::plan::alter;
use crate::plan::foreign_key::NewForeignKey;
use crate::plan::names::{check_name, foreign_key_name, left_over_check};
use crate::plan::script::statement_text;
use crate::plan::step::{Lock, Step};
use crate::plan::steps::StepBuilder;

impl StepBuilder<'_> {
    /// Forbids NULL in the tenant column without a scan under an exclusive lock.
    pub(super) fn guard(&self) -> Result<Vec<Step>> {
        if self.relation.never_null || self.relation.kind == RelationKind::Partitioned {
            return Ok(Vec::new());
        }
        let check = check_name(&self.state.recorded, self.relation);
        let aspect = Aspect::named(AspectKind::Constraint, &check);
        let mut steps = Vec::new();
        if self.relation.definition.get(&aspect).is_none() {
            let forced = self.relation.definition.has(AspectKind::Forced);
            let mut statements = vec![Sql::from_static("SET LOCAL enable_seqscan = off")];
            let add = Template::new(
                "ALTER TABLE ONLY :\"table\" ADD CONSTRAINT :\"check\" CHECK (:\"column\" IS NOT NULL) NOT VALID",
            );
            let add = add.table("table", self.table()).ident("check", &Ident::new(&check)?);
            statements.push(add.ident("column", self.column()).build());
            if forced {
                statements.extend(self.alter(&Aspect::only(AspectKind::Forced), None)?);
            }
            statements.push(self.probe()?);
            if forced {
                statements.extend(alter::statements(
                    self.table(),
                    self.column(),
                    &Aspect::only(AspectKind::Forced),
                    None,
                    Some(""),
                )?);
            }
            let name = "keep rows without a tenant out";
            let warm_up = Some(self.warm_up());
            steps.push(Step { warm_up, ..self.step(Phase::Tighten, name, Lock::AccessExclusive, statements) });
        }
        steps.push(self.validate(&check, "prove that no row is without a tenant")?);
        Ok(steps)
    }

    /// Fails where a row has no tenant: under the lock nobody can add one, and the index makes it instant.
    fn probe(&self) -> Result<Sql> {
        let message = format!("{} has rows without a tenant", self.table());
        let body = Template::new(include_str!("../../../../sql/rls-rollout/fragments/probe_null.sql"))
            .table("table", self.table())
            .ident("column", self.column())
            .literal("message", &message)
            .literal("hint", &format!("{} counts them; a backfill gives them their tenant", CommandRef::Audit))
            .build();
        Ok(Template::new("DO :'body'").literal("body", statement_text(&body)).build().running_application_code())
    }

    /// The read of the probe. A backfill leaves dead index entries, which cost most of its time when they are read first.
    fn warm_up(&self) -> Sql {
        let read = "SELECT EXISTS (SELECT FROM ONLY :\"table\" AS t WHERE t.:\"column\" IS NULL)";
        let read = Template::new(read).table("table", self.table()).ident("column", self.column());
        read.build().running_application_code()
    }

    fn validate(&self, constraint: &str, name: &'static str) -> Result<Step> {
        let validate = Template::new("ALTER TABLE :\"table\" VALIDATE CONSTRAINT :\"constraint\"");
        let validate = validate.table("table", self.table()).ident("constraint", &Ident::new(constraint)?);
        Ok(self.step(
            Phase::Tighten,
            name,
            Lock::ShareUpdateExclusive,
            vec![validate.build().running_application_code()],
        ))
    }

    /// A valid foreign key to the tenant table. A validation by a login that is filtered would not see every row.
    pub(super) fn reference(&self) -> Result<Vec<Step>> {
        let relation = self.relation;
        if relation.foreign_key_valid || self.state.inventory.catalog.tenant_key_type.is_none() {
            return Ok(Vec::new());
        }
        let mut steps = Vec::new();
        let name = match &relation.foreign_key {
            Some(name) => name.clone(),
            None => {
                let key = self.new_foreign_key();
                let name = key.name;
                let add = Template::new(include_str!("../../../../sql/rls-rollout/add_foreign_key.sql"))
                    .table("table", self.table())
                    .ident("name", &Ident::new(&name)?)
                    .ident("column", self.column())
                    .table("tenants", &self.state.inventory.catalog.tenants)
                    .ident("key", &Ident::new(&self.state.inventory.tenancy.tenant.key)?)
                    .fragment("on_update", key.on_update.sql())
                    .fragment("on_delete", key.on_delete.sql())
                    // Before 18 a partitioned table takes no NOT VALID key; its partitions have valid ones by now.
                    .fragment(
                        "validity",
                        Sql::from_static(if relation.kind == RelationKind::Partitioned { "" } else { "NOT VALID" }),
                    );
                let step_name = "reference the tenant table";
                let step = self.step(
                    Phase::Tighten,
                    step_name,
                    Lock::ShareRowExclusive,
                    vec![add.build().running_application_code()],
                );
                steps.push(Step { also_locks: Some(self.state.inventory.catalog.tenants.clone()), ..step });
                name
            }
        };
        if relation.kind == RelationKind::Partitioned && relation.foreign_key.is_none() {
            return Ok(steps);
        }
        let validate = self.validate(&name, "prove that every tenant exists")?;
        if relation.filtered && relation.definition.has(AspectKind::Forced) {
            let lift = self.alter(&Aspect::only(AspectKind::Forced), None)?;
            steps.push(self.step(Phase::Tighten, "let the owner see every row", Lock::AccessExclusive, lift));
            steps.push(validate);
            steps.push(self.force_again()?);
        } else {
            steps.push(validate);
        }
        Ok(steps)
    }

    /// Restores what was lifted while a foreign key was validated.
    pub(crate) fn force_again(&self) -> Result<Step> {
        let forced = Aspect::only(AspectKind::Forced);
        let restore = alter::statements(self.table(), self.column(), &forced, None, Some(""))?;
        Ok(self.step(Phase::Tighten, "force it again", Lock::AccessExclusive, restore))
    }

    /// The foreign key to the tenant table that is added where there is none.
    fn new_foreign_key(&self) -> NewForeignKey {
        let table = self.state.inventory.audited_as(self.relation);
        self.state.other_keys.new_key(&self.state.inventory, &table, foreign_key_name(self.relation))
    }

    /// The same, if there is one to be added.
    pub(crate) fn foreign_key_to_add(&self) -> Option<NewForeignKey> {
        let lacks = self.relation.parent.is_none()
            && self.relation.foreign_key.is_none()
            && !self.relation.foreign_key_valid
            && self.state.inventory.catalog.registry.can_be_referenced();
        lacks.then(|| self.new_foreign_key())
    }

    /// The strict policy of a table that depends on another one. What it relies on is proven there, and by its own key.
    pub(super) fn strict_through(&self) -> Result<Option<Step>> {
        let statements = self.isolation(PolicyForm::Strict)?;
        let name = "make the policy strict";
        Ok((!statements.is_empty()).then(|| self.step(Phase::Tighten, name, Lock::AccessExclusive, statements)))
    }

    /// NOT NULL, which the proven check makes instant, and the strict policy in place of the bridge.
    pub(super) fn strict(&self) -> Result<Option<Step>> {
        let mut statements = Vec::new();
        if !self.relation.never_null {
            let not_null = Aspect::only(AspectKind::NotNull);
            statements.extend(alter::statements(self.table(), self.column(), &not_null, None, Some(""))?);
        }
        if self.relation.kind != RelationKind::Partitioned {
            let left_over = left_over_check(&self.state.recorded, self.relation);
            // A statement of its own: together with SET NOT NULL in one statement the table would be scanned.
            if !self.relation.never_null || left_over.is_some() {
                let aspect = Aspect::named(AspectKind::Constraint, &check_name(&self.state.recorded, self.relation));
                statements.extend(alter::statements(self.table(), self.column(), &aspect, Some(""), None)?);
            }
        }
        statements.extend(self.isolation(PolicyForm::Strict)?);
        let name = "require a tenant and make the policy strict";
        Ok((!statements.is_empty()).then(|| self.step(Phase::Tighten, name, Lock::AccessExclusive, statements)))
    }
}
