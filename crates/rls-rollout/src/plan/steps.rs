//! The steps that bring a table to a phase. They leave out what is there already, so a second run has none.

use tenancy_config::{Ident, TableName};
use tenant_inventory::{Aspect, AspectKind, Phase, Policies, Relation, RelationKind};
use tenant_rls::{PolicyForm, Sql, Template};

use crate::error::Result;
use crate::options::StepStyle;
use crate::plan::alter;
use crate::plan::names::left_over;
use crate::plan::replaced::hides_unassigned;
use crate::plan::step::{Lock, Step, StepSubject};
use crate::state::RolloutState;

/// Builds the steps of one relation.
pub(crate) struct StepBuilder<'a> {
    pub(crate) state: &'a RolloutState,
    pub(crate) relation: &'a Relation,
    pub(crate) style: StepStyle,
}

impl StepBuilder<'_> {
    /// The steps of one phase that are still to be done.
    pub(crate) fn steps(&self, phase: Phase) -> Result<Vec<Step>> {
        Ok(match phase {
            Phase::None => Vec::new(),
            Phase::Prepare => self.index()?.into_iter().chain(self.bridge()?).collect(),
            Phase::Tighten if self.relation.parent.is_some() => self.strict_through()?.into_iter().collect(),
            Phase::Tighten if self.relation.null_rows_are_meant() => self.reference()?,
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
    pub(super) fn policies(&self) -> Policies<'_> {
        self.state.inventory.policies(self.relation)
    }

    pub(super) fn policy_name(&self) -> &str {
        &self.state.inventory.tenancy.session.policy
    }

    pub(super) fn table(&self) -> &TableName {
        &self.relation.name
    }

    pub(super) fn column(&self) -> &Ident {
        &self.relation.comparison.column
    }

    pub(super) fn step(&self, phase: Phase, name: &'static str, lock: Lock, statements: Vec<Sql>) -> Step {
        self.subject(phase, name).transaction(lock, statements)
    }

    fn subject(&self, phase: Phase, name: &'static str) -> StepSubject<'_> {
        StepSubject { table: self.table(), column: self.column(), phase, name }
    }

    pub(super) fn alter(&self, aspect: &Aspect, to: Option<&str>) -> Result<Vec<Sql>> {
        alter::statements(self.table(), self.column(), aspect, self.relation.definition.get(aspect), to)
    }

    /// An index that leads with the tenant column. On a partitioned table each partition has its own.
    fn index(&self) -> Result<Option<Step>> {
        if self.relation.tenant_index || self.relation.kind == RelationKind::Partitioned {
            return Ok(None);
        }
        let Some(index) = self.state.index_names.get(self.table()).cloned() else { return Ok(None) };
        let mut statements = Vec::new();
        if left_over(&self.state.recorded, self.relation, &index) {
            statements.push(alter::drop_index(self.table(), &index)?);
        }
        statements.push(self.create_index(&index, "CONCURRENTLY")?);
        Ok(Some(self.subject(Phase::Prepare, "index the tenant column").concurrently(index, statements)))
    }

    fn create_index(&self, index: &str, how: &'static str) -> Result<Sql> {
        let create = Template::new(include_str!("../../../../sql/rls-rollout/create_index.sql"))
            .fragment("how", Sql::from_static(how))
            .ident("index", &Ident::new(index)?)
            .table("table", self.table())
            .ident("column", self.column());
        Ok(create.build())
    }

    /// The index that the table is given, as a statement for a transaction that is rolled back.
    pub(super) fn trial_index(&self) -> Result<Option<Sql>> {
        if self.relation.tenant_index || self.relation.kind == RelationKind::Partitioned {
            return Ok(None);
        }
        let index = self.state.index_names.get(self.table());
        index.map(|index| self.create_index(index, "")).transpose()
    }

    /// The policies that the table has in the end, switched on and held against its owner, as statements of one transaction that is rolled back.
    pub(super) fn trial_policies(&self) -> Result<Vec<Sql>> {
        let mut statements = Vec::new();
        if self.style.adopt {
            for (name, _) in self.state.inventory.other_policies(self.relation) {
                statements.extend(self.alter(&Aspect::named(AspectKind::Policy, name), None)?);
            }
        }
        statements.extend(self.isolation(self.policies().declared_form())?);
        for switch in [AspectKind::RowSecurity, AspectKind::Forced] {
            if !self.relation.definition.has(switch) {
                statements.extend(self.alter(&Aspect::only(switch), Some(""))?);
            }
        }
        Ok(statements)
    }

    /// Default, policies, rights and the switch, in one transaction: in between, rows would be hidden or open.
    fn bridge(&self) -> Result<Option<Step>> {
        let relation = self.relation;
        let mut statements = Vec::new();
        // Also where a row without a tenant is the platform's: in a tenant's session a row that names no tenant is that tenant's.
        if relation.parent.is_none() && relation.kind != RelationKind::ForeignPartition {
            let wanted = relation.comparison.printed_default();
            if relation.definition.text(AspectKind::Default) != Some(&wanted) {
                let set = Template::new("ALTER TABLE ONLY :\"table\" ALTER COLUMN :\"column\" SET DEFAULT :current");
                let set = set.table("table", self.table()).ident("column", self.column());
                statements.push(set.fragment("current", relation.comparison.current()).build());
            }
        }
        if self.style.adopt {
            for (name, _) in self.state.inventory.other_policies(relation) {
                statements.extend(self.alter(&Aspect::named(AspectKind::Policy, name), None)?);
            }
        }
        statements.extend(self.isolation(self.first_form())?);
        statements.extend(self.mend_role_policies()?);
        statements.extend(self.allow_null()?);
        let mut lock = if statements.is_empty() { Lock::None } else { Lock::AccessExclusive };
        if !relation.definition.has(AspectKind::RowSecurity) {
            statements.extend(self.alter(&Aspect::only(AspectKind::RowSecurity), Some(""))?);
            lock = Lock::AccessExclusive;
        }
        statements.extend(self.grants()?);
        let name = "give it policies and switch row level security on";
        Ok((!statements.is_empty()).then(|| self.step(Phase::Prepare, name, lock, statements)))
    }

    /// The form of the policies before the table is tightened. It is a bridge even where no tenant can be NULL, as the gate of `tighten` asks for
    /// more than that. Policies that hide rows without a tenant, ours or others', are not opened again, and what `tenancy.toml` declares now
    /// takes the place of what it declared before.
    pub(crate) fn first_form(&self) -> PolicyForm {
        let policies = self.policies();
        match (policies.declared_form(), policies.form()) {
            (declared @ (PolicyForm::Platform | PolicyForm::StrictWrites), _) => declared,
            (_, Some(form @ (PolicyForm::Strict | PolicyForm::Platform))) => form,
            _ if hides_unassigned(&policies) => PolicyForm::Strict,
            _ if self.style.strict_writes => PolicyForm::StrictWrites,
            (_, Some(PolicyForm::StrictWrites | PolicyForm::Claimable)) => PolicyForm::StrictWrites,
            _ => PolicyForm::Bridge,
        }
    }

    /// Gives the isolation policies a form.
    pub(super) fn isolation(&self, form: PolicyForm) -> Result<Vec<Sql>> {
        let (relation, policies) = (self.relation, self.policies());
        let mut statements = Vec::new();
        let named = Aspect::named(AspectKind::Policy, self.policy_name());
        let printed = relation.comparison.printed(form);
        if !relation.definition.get(&named).is_some_and(|text| printed.iter().any(|printed| printed == text)) {
            statements.extend(self.alter(&named, None)?);
            statements.push(relation.comparison.create(self.table(), &Ident::new(self.policy_name())?, form));
        }
        let unassigned = policies.unassigned();
        match (policies.has_unassigned(), form.has_two_policies()) {
            (false, true) => {
                statements.push(relation.comparison.create_unassigned(self.table(), &Ident::new(&unassigned)?));
            }
            (true, false) => statements.extend(self.alter(&Aspect::named(AspectKind::Policy, &unassigned), None)?),
            _ => {}
        }
        Ok(statements)
    }

    /// Lets rows have no tenant again where `tenancy.toml` says so now and a rollout forbade it. A partition has what its table has.
    fn allow_null(&self) -> Result<Vec<Sql>> {
        let not_null = Aspect::only(AspectKind::NotNull);
        let made = self.state.recorded.made(self.table(), &not_null);
        let own = self.relation.kind != RelationKind::Partition;
        if made && own && self.relation.null_rows_are_meant() && self.relation.definition.get(&not_null).is_some() {
            return self.alter(&not_null, None);
        }
        Ok(Vec::new())
    }

    /// The policies of the auditor and the maintenance role, where they are missing or altered, and without those that the table is not to have.
    fn mend_role_policies(&self) -> Result<Vec<Sql>> {
        let policies = self.policies();
        let mut statements = Vec::new();
        for (policy, role) in policies.role_policies().filter(|(policy, _)| !policies.is_ours(policy.name())) {
            statements.extend(self.alter(&Aspect::named(AspectKind::Policy, policy.name()), None)?);
            statements.push(policy.create(self.table(), role, &self.relation.comparison)?);
        }
        for name in policies.outdated() {
            statements.extend(self.alter(&Aspect::named(AspectKind::Policy, name), None)?);
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
        if self.relation.can_be_backfilled() {
            wanted.push(Aspect::column_grant("UPDATE", self.column(), &roles.maintenance.0));
        }
        let mut statements = Vec::new();
        for aspect in wanted.iter().filter(|aspect| self.relation.definition.get(aspect).is_none()) {
            statements.extend(self.alter(aspect, Some(""))?);
        }
        Ok(statements)
    }

    fn force(&self) -> Result<Option<Step>> {
        if self.relation.definition.has(AspectKind::Forced) {
            return Ok(None);
        }
        let force = self.alter(&Aspect::only(AspectKind::Forced), Some(""))?;
        Ok(Some(self.step(Phase::Enforce, "hold the owner to the policy", Lock::AccessExclusive, force)))
    }
}
