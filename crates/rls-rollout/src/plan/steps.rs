//! The steps that bring a table to a phase. They leave out what is there already, so a second run has none.

use tenancy_config::{CommandRef, Ident, TableName};
use tenant_inventory::{Aspect, AspectKind, Phase, Policies, Relation, RelationKind};
use tenant_rls::{PolicyForm, Sql, Template};

use crate::error::Result;
use crate::options::StepStyle;
use crate::plan::alter;
use crate::plan::script::statement_text;
use crate::plan::step::{Lock, Step, StepSubject};
use crate::state::State;

/// Longest name that PostgreSQL keeps whole, in bytes.
const LONGEST_NAME: usize = 63;

/// Builds the steps of one relation.
pub(crate) struct StepBuilder<'a> {
    pub(crate) state: &'a State,
    pub(crate) relation: &'a Relation,
    pub(crate) style: StepStyle,
}

impl StepBuilder<'_> {
    /// The steps of one phase that are still to be done.
    pub(crate) fn steps(&self, phase: Phase) -> Result<Vec<Step>> {
        Ok(match phase {
            Phase::None => Vec::new(),
            Phase::Prepare => self.index()?.into_iter().chain(self.bridge()?).collect(),
            Phase::Tighten if self.relation.platform_rows => self.reference()?,
            Phase::Tighten => {
                let mut steps = self.guard()?;
                steps.extend(self.reference()?);
                steps.extend(self.strict()?);
                steps
            }
            Phase::Enforce => self.force()?.into_iter().collect(),
        })
    }

    /// The policies of the relation.
    fn policies(&self) -> Policies<'_> {
        self.state.inventory.policies(self.relation)
    }

    fn policy_name(&self) -> &str {
        &self.state.inventory.tenancy.session.policy
    }

    fn table(&self) -> &TableName {
        &self.relation.name
    }

    fn column(&self) -> &Ident {
        &self.relation.comparison.column
    }

    fn step(&self, phase: Phase, name: &'static str, lock: Lock, statements: Vec<Sql>) -> Step {
        self.subject(phase, name).transaction(lock, statements)
    }

    fn subject(&self, phase: Phase, name: &'static str) -> StepSubject<'_> {
        StepSubject { table: self.table(), column: self.column(), phase, name }
    }

    fn alter(&self, aspect: &Aspect, to: Option<&str>) -> Result<Vec<Sql>> {
        alter::statements(self.table(), self.column(), aspect, self.relation.definition.get(aspect), to)
    }

    /// An index that leads with the tenant column. On a partitioned table each partition has its own.
    fn index(&self) -> Result<Option<Step>> {
        if self.relation.tenant_index || self.relation.kind == RelationKind::Partitioned {
            return Ok(None);
        }
        let index = self.index_name();
        let there = self.relation.definition.get(&Aspect::named(AspectKind::Index, &index));
        let mut statements = Vec::new();
        if there.is_some_and(|text| text.starts_with("INVALID ")) {
            statements.push(alter::drop_index(self.table(), &index)?);
        }
        let create = Template::new(include_str!("../../../../sql/rls-rollout/create_index.sql"))
            .ident("index", &Ident::new(&index)?)
            .table("table", self.table())
            .ident("column", self.column());
        statements.push(create.build());
        Ok(Some(self.subject(Phase::Prepare, "index the tenant column").concurrently(index, statements)))
    }

    /// The name that the ORM would give it, or another where the schema has something else of that name. An invalid index of ours that is left
    /// over does not count: it is replaced.
    fn index_name(&self) -> String {
        let others = (1..).map(|number| format!("_tenant_idx{number}"));
        let suffixes = ["_idx", "_tenant_idx"].map(str::to_owned).into_iter().chain(others);
        let mut names = suffixes.map(|suffix| self.name_with(&suffix));
        names.find(|name| !self.relation.taken_names.contains(name)).expect("there are numbers without end")
    }

    /// Default, policies, rights and the switch, in one transaction: in between, rows would be hidden or open.
    fn bridge(&self) -> Result<Option<Step>> {
        let relation = self.relation;
        let mut statements = Vec::new();
        if !relation.platform_rows && relation.kind != RelationKind::ForeignPartition {
            let wanted = relation.comparison.printed_default();
            if relation.definition.text(AspectKind::Default) != Some(&wanted) {
                let set = Template::new("ALTER TABLE ONLY :\"table\" ALTER COLUMN :\"column\" SET DEFAULT :current");
                let set = set.table("table", self.table()).ident("column", self.column());
                statements.push(set.fragment("current", relation.comparison.current()).build());
            }
        }
        statements.extend(self.isolation(self.first_form())?);
        if self.style.adopt {
            for name in self.policies().foreign_policies() {
                statements.extend(self.alter(&Aspect::named(AspectKind::Policy, name), None)?);
            }
        }
        statements.extend(self.mend_role_policies()?);
        let mut lock = if statements.is_empty() { Lock::None } else { Lock::AccessExclusive };
        if !relation.definition.has(AspectKind::RowSecurity) {
            statements.extend(self.alter(&Aspect::only(AspectKind::RowSecurity), Some(""))?);
            lock = Lock::AccessExclusive;
        }
        statements.extend(self.grants()?);
        let name = "give it policies and switch row level security on";
        Ok((!statements.is_empty()).then(|| self.step(Phase::Prepare, name, lock, statements)))
    }

    /// The form of the policy before the table is tightened. It is a bridge even where no tenant can be NULL, as the gate of `tighten` asks for
    /// more than that; a strict policy that is there already is not opened again.
    pub(crate) fn first_form(&self) -> PolicyForm {
        let relation = self.relation;
        match self.policies().form() {
            _ if relation.platform_rows => PolicyForm::Platform,
            Some(PolicyForm::Strict) => PolicyForm::Strict,
            _ if self.style.strict_writes => PolicyForm::StrictWrites,
            Some(PolicyForm::StrictWrites) => PolicyForm::StrictWrites,
            _ => PolicyForm::Bridge,
        }
    }

    /// Gives the isolation policy a form.
    fn isolation(&self, form: PolicyForm) -> Result<Vec<Sql>> {
        let relation = self.relation;
        if self.policies().form() == Some(form) {
            return Ok(Vec::new());
        }
        let name = Ident::new(self.policy_name())?;
        let mut statements = self.alter(&Aspect::named(AspectKind::Policy, self.policy_name()), None)?;
        statements.push(relation.comparison.create(self.table(), &name, form));
        Ok(statements)
    }

    /// The policies of the auditor and the maintenance role, where they are missing or altered.
    fn mend_role_policies(&self) -> Result<Vec<Sql>> {
        let policies = self.policies();
        let mut statements = Vec::new();
        for (policy, role) in policies.role_policies().filter(|(policy, _)| !policies.is_ours(policy.name())) {
            statements.extend(self.alter(&Aspect::named(AspectKind::Policy, policy.name()), None)?);
            statements.push(policy.create(self.table(), role, &self.relation.comparison)?);
        }
        Ok(statements)
    }

    /// The column rights of the rollout's roles, where they are missing.
    fn grants(&self) -> Result<Vec<Sql>> {
        let (roles, rights) = (&self.state.inventory.logins, &self.state.rights);
        // A role reads the same columns of a partitioned table and of each of its partitions.
        let table = &self.state.inventory.audited_as(self.relation);
        let mut wanted = Vec::new();
        for (columns, role) in [(&rights.maintenance, &roles.maintenance.0), (&rights.auditor, &roles.auditor.0)] {
            for column in columns.get(table).into_iter().flatten() {
                wanted.push(Aspect::column_grant("SELECT", column, role));
            }
        }
        if !self.relation.platform_rows {
            wanted.push(Aspect::column_grant("UPDATE", self.column(), &roles.maintenance.0));
        }
        let mut statements = Vec::new();
        for aspect in wanted.iter().filter(|aspect| self.relation.definition.get(aspect).is_none()) {
            statements.extend(self.alter(aspect, Some(""))?);
        }
        Ok(statements)
    }

    /// Forbids NULL in the tenant column without a scan under an exclusive lock.
    fn guard(&self) -> Result<Vec<Step>> {
        if self.relation.never_null || self.relation.kind == RelationKind::Partitioned {
            return Ok(Vec::new());
        }
        let check = self.check_name();
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
        let hint = format!("{} counts them; a backfill gives them their tenant", CommandRef::Audit);
        let body = Template::new(include_str!("../../../../sql/rls-rollout/fragments/probe_null.sql"))
            .table("table", self.table())
            .ident("column", self.column())
            .literal("message", &message)
            .literal("hint", &hint)
            .build();
        Ok(Template::new("DO :'body'").literal("body", statement_text(&body)).build().running_application_code())
    }

    /// The read of the probe. A backfill leaves dead index entries, which cost most of its time when they are read first.
    fn warm_up(&self) -> Sql {
        let read = "SELECT EXISTS (SELECT FROM ONLY :\"table\" AS t WHERE t.:\"column\" IS NULL)";
        let read = Template::new(read).table("table", self.table()).ident("column", self.column());
        read.build().running_application_code()
    }

    fn check_name(&self) -> String {
        self.name_with("_not_null_check")
    }

    /// `table_column` and a suffix, no longer than PostgreSQL keeps: the longer of the two names is shortened.
    fn name_with(&self, suffix: &str) -> String {
        let (mut table, mut column) = (self.table().name().to_string(), self.column().to_string());
        while table.len() + "_".len() + column.len() + suffix.len() > LONGEST_NAME {
            let longer = if table.len() >= column.len() { &mut table } else { &mut column };
            longer.pop();
        }
        format!("{table}_{column}{suffix}")
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
    fn reference(&self) -> Result<Vec<Step>> {
        let relation = self.relation;
        if relation.foreign_key_valid || self.state.inventory.catalog.tenant_key_type.is_none() {
            return Ok(Vec::new());
        }
        let mut steps = Vec::new();
        let name = match &relation.foreign_key {
            Some(name) => name.clone(),
            None => {
                let name = self.foreign_key_name();
                let add = Template::new(include_str!("../../../../sql/rls-rollout/add_foreign_key.sql"))
                    .table("table", self.table())
                    .ident("name", &Ident::new(&name)?)
                    .ident("column", self.column())
                    .table("tenants", &self.state.inventory.catalog.tenants)
                    .ident("key", &Ident::new(&self.state.inventory.tenancy.tenant.key)?)
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

    fn foreign_key_name(&self) -> String {
        self.name_with("_fkey")
    }

    /// NOT NULL, which the proven check makes instant, and the strict policy in place of the bridge.
    fn strict(&self) -> Result<Option<Step>> {
        let mut statements = Vec::new();
        if !self.relation.never_null {
            let not_null = Aspect::only(AspectKind::NotNull);
            statements.extend(alter::statements(self.table(), self.column(), &not_null, None, Some(""))?);
        }
        if self.relation.kind != RelationKind::Partitioned {
            let check = self.check_name();
            let aspect = Aspect::named(AspectKind::Constraint, &check);
            // A statement of its own: together with SET NOT NULL in one statement the table would be scanned.
            if !self.relation.never_null || self.relation.definition.get(&aspect).is_some() {
                statements.extend(alter::statements(self.table(), self.column(), &aspect, Some(""), None)?);
            }
        }
        statements.extend(self.isolation(PolicyForm::Strict)?);
        let name = "require a tenant and make the policy strict";
        Ok((!statements.is_empty()).then(|| self.step(Phase::Tighten, name, Lock::AccessExclusive, statements)))
    }

    fn force(&self) -> Result<Option<Step>> {
        if self.relation.definition.has(AspectKind::Forced) {
            return Ok(None);
        }
        let force = self.alter(&Aspect::only(AspectKind::Forced), Some(""))?;
        Ok(Some(self.step(Phase::Enforce, "hold the owner to the policy", Lock::AccessExclusive, force)))
    }
}
