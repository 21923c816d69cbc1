//! The steps that add a tenant column to a table whose rows depend on a tenant table, and the key that keeps it the parent's.

use std::fmt;

use serde::Serialize;
use tenancy_config::tenancy::SourceRule;
use tenancy_config::{Ident, TableName, Tenancy};
use tenant_inventory::{AddedColumn, Aspect, AspectKind, LinkAction, NoParentKey, ParentKey, Phase, Relation};
use tenant_rls::{Sql, Template};

use crate::error::Result;
use crate::plan::alter;
use crate::plan::names::free_name_of;
use crate::plan::step::{Lock, Step, StepSubject};
use crate::state::RolloutState;

/// Builds the steps of one column. They leave out what is there already.
pub(crate) struct ColumnBuilder<'a> {
    pub(crate) state: &'a RolloutState,
    pub(crate) added: &'a AddedColumn,
    pub(crate) relation: &'a Relation,
}

impl ColumnBuilder<'_> {
    /// The column, and the key while no row has a tenant. A key that is proven now holds for each row that gets its tenant later, whoever sees
    /// the rows then.
    pub(crate) fn steps(&self) -> Result<Vec<Step>> {
        let added = self.added;
        let column = Aspect::only(AspectKind::Column);
        let mut steps = Vec::new();
        if !self.is_ours() {
            return Ok(steps);
        }
        let key = added.key.as_ref().ok();
        if let Some(key) = key.filter(|key| key.index.is_none()) {
            steps.push(self.index_of_parent(key)?);
        }
        if !added.exists {
            let add = alter::statements(&added.table, &added.column, &column, None, Some(&added.type_name))?;
            steps.push(self.subject("add the tenant column").transaction(Lock::AccessExclusive, add));
        }
        if let Some(key) = key.filter(|key| !key.validated) {
            let name = self.key_name(key);
            if key.constraint.is_none() {
                steps.push(self.add_key(key, &name)?);
            }
            steps.push(self.prove_key(&name)?);
        }
        Ok(steps)
    }

    /// Whether the key is there in the end, and proven.
    pub(crate) fn has_key(&self) -> bool {
        self.added.key.as_ref().is_ok_and(|key| key.validated || self.is_ours())
    }

    /// Whether the column is one that a rollout adds or added.
    fn is_ours(&self) -> bool {
        !self.added.exists || self.state.recorded.made(&self.added.table, &Aspect::only(AspectKind::Column))
    }

    /// The statement that stands for the backfill, where rows may lack their tenant.
    pub(crate) fn fill(&self) -> Option<Step> {
        if self.relation.never_null {
            return None;
        }
        let added = self.added;
        let fill = Template::new(include_str!("../../../../sql/rls-rollout/fill_column.sql"))
            .table("table", &added.table)
            .ident("column", &added.column)
            .ident("link", &added.link)
            .table("parent", &added.parent)
            .ident("parent_column", &added.parent_column)
            .ident("key", &added.parent_key)
            .fragment("unless", self.unless_other_tenant())
            .build();
        Some(self.subject("give each row the tenant of the row that it points to").backfill(fill))
    }

    /// The condition that no other source names another tenant. Those over several tables are compared by the backfill alone.
    fn unless_other_tenant(&self) -> Sql {
        let inventory = &self.state.inventory;
        let sources = inventory.tenancy.rules(&self.added.table).map(|rules| &rules.sources[..]).unwrap_or_default();
        let simple = |source: &&SourceRule| {
            source.column != self.added.link.as_str() && source.through.is_empty() && source.when.is_empty()
        };
        let condition = |source: &SourceRule| {
            let other = TableName::parse(&source.table, &inventory.tenancy.database.schema).ok()?;
            let column = &inventory.relation(&other)?.comparison.column;
            let condition =
                Template::new(include_str!("../../../../sql/rls-rollout/fragments/unless_other_tenant.sql"))
                    .table("other", &other)
                    .ident("other_key", &Ident::new(&source.key).ok()?)
                    .ident("other_link", &Ident::new(&source.column).ok()?)
                    .ident("other_column", column)
                    .ident("parent_column", &self.added.parent_column);
            Some(condition.build())
        };
        Sql::join(sources.iter().filter(simple).filter_map(condition), "")
    }

    fn subject(&self, name: &'static str) -> StepSubject<'_> {
        StepSubject { table: &self.added.table, column: &self.added.column, phase: Phase::Prepare, name }
    }

    fn index_of_parent(&self, key: &ParentKey) -> Result<Step> {
        let added = self.added;
        let (parent, column) = (&added.parent, &added.parent_column);
        let left_over = |name: &str| {
            let made = self.state.recorded.made(parent, &Aspect::named(AspectKind::Index, name));
            made && key.invalid_indexes.iter().any(|invalid| invalid == name)
        };
        let columns = format!("{column}_{}", added.parent_key);
        let is_free = |name: &str| !key.taken_names.iter().any(|taken| taken == name) || left_over(name);
        let index = free_name_of(parent, &columns, "_key", is_free);
        let mut statements = Vec::new();
        if left_over(&index) {
            statements.push(alter::drop_index(parent, &index)?);
        }
        let create = Template::new(include_str!("../../../../sql/rls-rollout/create_parent_index.sql"));
        let create = create.ident("index", &Ident::new(&index)?).table("table", parent);
        statements.push(create.ident("column", column).ident("key", &added.parent_key).build());
        let name = "index each row with its tenant, for keys that reference both";
        let subject = StepSubject { table: parent, column, phase: Phase::Prepare, name };
        Ok(Step { for_parent_key: true, ..subject.concurrently(index, statements) })
    }

    /// The name of the key that is there or that is to be added.
    fn key_name(&self, key: &ParentKey) -> String {
        let columns = format!("{}_{}", self.added.column, self.added.link);
        let is_free = |name: &str| !self.relation.constraints.iter().any(|taken| taken == name);
        key.constraint.clone().unwrap_or_else(|| free_name_of(&self.added.table, &columns, "_fkey", is_free))
    }

    fn add_key(&self, key: &ParentKey, name: &str) -> Result<Step> {
        let added = self.added;
        let add = Template::new(include_str!("../../../../sql/rls-rollout/add_parent_key.sql"))
            .table("table", &added.table)
            .ident("name", &Ident::new(name)?)
            .ident("column", &added.column)
            .ident("link", &added.link)
            .table("parent", &added.parent)
            .ident("parent_column", &added.parent_column)
            .ident("key", &added.parent_key)
            .fragment("on_delete", on_delete(key.on_delete, &added.link))
            .build()
            .running_application_code();
        let step = self.subject("reference the row that it points to together with its tenant");
        let step = step.transaction(Lock::ShareRowExclusive, vec![add]);
        Ok(Step { also_locks: Some(added.parent.clone()), adds_key: Some(name.to_owned()), ..step })
    }

    fn prove_key(&self, name: &str) -> Result<Step> {
        let validate = Template::new("ALTER TABLE :\"table\" VALIDATE CONSTRAINT :\"constraint\"");
        let validate = validate.table("table", &self.added.table).ident("constraint", &Ident::new(name)?).build();
        let mut statements = Vec::new();
        // A login that is filtered at the parent sees fewer rows there, so that this fails rather than proves too much. The table itself has no
        // policies yet, and no row has a tenant but what the application wrote meanwhile.
        if self.added.parent_filtered && !self.relation.filtered {
            statements.push(Sql::from_static("SET LOCAL row_security = on"));
        }
        statements.push(validate.running_application_code());
        let step = self.subject("prove that a row and the row that it points to have one tenant");
        Ok(step.transaction(Lock::ShareUpdateExclusive, statements))
    }
}

/// What the key does if the other row is deleted: the same as the key of the one column, so that it does not matter which of them acts first. The
/// tenant stays.
fn on_delete(action: LinkAction, link: &Ident) -> Sql {
    match action {
        LinkAction::NoAction => Sql::from_static("NO ACTION"),
        LinkAction::Restrict => Sql::from_static("RESTRICT"),
        LinkAction::Cascade => Sql::from_static("CASCADE"),
        LinkAction::SetNull => Template::new("SET NULL (:\"link\")").ident("link", link).build(),
        LinkAction::SetDefault => Template::new("SET DEFAULT (:\"link\")").ident("link", link).build(),
    }
}

/// A tenant column that a plan adds, or that is there already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedColumn {
    /// The column.
    pub column: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// It is there already, and is not added.
    pub exists: bool,
    /// The column that points to the row whose tenant a row gets.
    pub through: String,
    /// That column may be NULL.
    pub through_may_be_null: bool,
    /// The table with that row.
    pub table: TableName,
    /// Why no key references that row together with its tenant; none where one does.
    pub no_key: Option<NoParentKey>,
    /// Other columns that lead to a tenant, each with its table: a row for which one leads to another tenant gets none.
    pub compared: Vec<(String, String)>,
}

impl PlannedColumn {
    pub(crate) fn of(added: &AddedColumn, tenancy: &Tenancy) -> Self {
        let sources = tenancy.rules(&added.table).map(|rules| &rules.sources[..]).unwrap_or_default();
        let others = sources.iter().filter(|source| source.column != added.link.as_str());
        Self {
            compared: others.map(|source| (source.column.clone(), source.table.clone())).collect(),
            column: added.column.to_string(),
            type_name: added.type_name.clone(),
            exists: added.exists,
            through: added.link.to_string(),
            through_may_be_null: added.link_may_be_null,
            table: added.parent.clone(),
            no_key: added.key.as_ref().err().cloned(),
        }
    }
}

impl fmt::Display for PlannedColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, type_name, through, table, .. } = self;
        if self.exists {
            write!(
                f,
                "it has its tenant column {column} already; rows without a tenant get that of {table} by {through}"
            )?;
        } else {
            write!(
                f,
                "it gets the tenant column {column} ({type_name}); each row gets the tenant of {table} by {through}"
            )?;
        }
        if !self.compared.is_empty() {
            let others: Vec<String> =
                self.compared.iter().map(|(column, table)| format!("{table} by {column}")).collect();
            write!(f, "; where {} has another tenant, it gets none", others.join(" or "))?;
        }
        if self.through_may_be_null {
            write!(f, "; {through} may be NULL: such a row gets none, and stops the table before `tighten`")?;
        }
        match &self.no_key {
            None if self.exists => Ok(()),
            None => write!(
                f,
                "; a key of both columns keeps a row and its row of {table} in one tenant: neither can be given another one"
            ),
            Some(why) => write!(
                f,
                "; no key keeps a row and its row of {table} in one tenant, as {why}: the audit counts those that differ"
            ),
        }
    }
}
