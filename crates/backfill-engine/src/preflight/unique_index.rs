//! The statement that finds rows which would break a unique index. It evaluates the expressions of the index over the
//! rows as they would be.

use tenancy_config::Ident;
use tenant_rls::{Sql, Template};

use crate::error::Result;
use crate::fragments::list;
use crate::options::OnConflict;
use crate::plan::BackfillPlan;
use crate::plan::selection::Selection;
use crate::statements::resolution::Resolution;

/// A unique index that depends on the tenant column.
pub(super) struct UniqueIndex {
    pub(super) name: String,
    /// The expressions as the catalog prints them, over the columns of the table.
    pub(super) compares: Vec<String>,
    pub(super) predicate: Option<String>,
    /// The columns that the expressions use.
    pub(super) columns: Vec<Ident>,
    pub(super) nulls_equal: bool,
}

pub(super) fn statement(plan: &BackfillPlan, index: &UniqueIndex, on_conflict: OnConflict) -> Result<Sql> {
    let resolution = Resolution::of(plan)?;
    let columns = Columns::of(plan, index)?;
    let compared = (1..=index.compares.len()).map(|n| Ident::new(format!("key_{n}"))).collect::<Result<Vec<_>, _>>()?;
    let each = |text: &'static str| {
        compared.iter().map(|key| Template::new(text).ident("key", key).build()).collect::<Vec<Sql>>()
    };
    let keys = compared.iter().zip(&index.compares).map(|(name, text)| {
        let value = Sql::from_catalog(text.clone());
        Template::new(":value AS :\"key\"").fragment("value", value).ident("key", name).build()
    });
    let (comparable, equal) = if index.nulls_equal {
        (vec![Sql::from_static("true")], each("x.:\"key\" IS NOT DISTINCT FROM alike.:\"key\""))
    } else {
        (each(":\"key\" IS NOT NULL"), each("x.:\"key\" = alike.:\"key\""))
    };
    let predicate = index.predicate.clone().map_or(Sql::from_static("true"), Sql::from_catalog);
    let breaks = Template::new(include_str!("../../../../sql/backfill-engine/preflight_unique_breaks.sql"))
        .fragment("whole", plan.whole())
        .fragment("key_text", plan.key.text())
        .fragment("open", plan.open())
        .fragment("assigned", assigned(plan))
        .ident("column", &plan.column)
        .fragment("columns", columns.each("t.:\"name\" AS :\"own\""))
        .fragment("passed", columns.each(":\"own\""))
        .fragment("named", columns.as_they_would_be(plan))
        .fragment("own", columns.each(":\"name\""))
        .fragment("keys", list(&keys.collect::<Vec<_>>()))
        .fragment("key_names", list(&each(":\"key\"")))
        .fragment("key_texts", list(&each(":\"key\"::text")))
        .fragment("comparable", Sql::join(comparable, " AND "))
        .fragment("equal", Sql::join(equal, " AND "))
        .fragment("predicate", predicate);
    Ok(resolution.put_into(breaks, resolution.decision(on_conflict)).build())
}

/// Whether a row gets a tenant. A row that is to have none breaks no key.
fn assigned(plan: &BackfillPlan) -> Sql {
    Sql::from_static(match plan.selection {
        Selection::Values(_) => "decided.assigned <> ''",
        _ => "decided.assigned IS NOT NULL",
    })
}

/// The columns that an index uses, each with a name for the joins that no other column has there.
struct Columns(Vec<(Ident, Ident)>);

impl Columns {
    fn of(plan: &BackfillPlan, index: &UniqueIndex) -> Result<Self> {
        // A list of columns cannot be empty; this one contains the tenant column.
        debug_assert!(index.columns.contains(&plan.column));
        let own = |n| Ident::new(format!("own_{n}"));
        let columns = (1..).zip(&index.columns).map(|(n, name)| Ok((name.clone(), own(n)?)));
        Ok(Self(columns.collect::<Result<_>>()?))
    }

    fn each(&self, text: &'static str) -> Sql {
        let one = |(name, own): &(Ident, Ident)| {
            // A template must use every variable that it is given.
            let template = Template::new(text);
            let template = if text.contains("name") { template.ident("name", name) } else { template };
            let template = if text.contains("own") { template.ident("own", own) } else { template };
            template.build()
        };
        list(&self.0.iter().map(one).collect::<Vec<_>>())
    }

    /// The columns under their names in the table, the tenant column with its future value.
    fn as_they_would_be(&self, plan: &BackfillPlan) -> Sql {
        let one = |(name, own): &(Ident, Ident)| {
            if *name == plan.column {
                let cast = Sql::from_static(plan.column_type.cast());
                return Template::new("decided.assigned::text:::type AS :\"name\"")
                    .fragment("type", cast)
                    .ident("name", name)
                    .build();
            }
            Template::new("decided.:\"own\" AS :\"name\"").ident("own", own).ident("name", name).build()
        };
        list(&self.0.iter().map(one).collect::<Vec<_>>())
    }
}
