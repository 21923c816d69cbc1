//! The statements of one backfill, composed once from `sql/backfill/` for its table and sources.

use tenant_rls::{Ident, Sql, Template};

use crate::{OnConflict, Plan, Result, Source};

/// All statements of a backfill, with its names in them.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) resolve: Sql,
    pub(crate) assign: Sql,
    pub(crate) survey: Sql,
    pub(crate) review: Sql,
    pub(crate) count_null: Sql,
    pub(crate) key_of: Sql,
    /// One for each source.
    pub(crate) ghosts: Vec<Sql>,
}

/// Names of a source's columns inside the statements; `n` counts from 1.
struct Names {
    source: Ident,
    tenant: Ident,
    via: Ident,
    found: Ident,
    ghost: Ident,
}

impl Names {
    fn of(n: usize) -> Result<Self> {
        Ok(Self {
            source: Ident::new(format!("s{n}"))?,
            tenant: Ident::new(format!("e{n}"))?,
            via: Ident::new(format!("via_{n}"))?,
            found: Ident::new(format!("tenant_{n}"))?,
            ghost: Ident::new(format!("ghost_{n}"))?,
        })
    }
}

impl Statements {
    pub(crate) fn new(plan: &Plan, on_conflict: OnConflict) -> Result<Self> {
        let mut parts = Parts::default();
        for (source, n) in plan.sources.iter().zip(1..) {
            parts.add(plan, source, &Names::of(n)?, n);
        }
        let list = |parts: &[Sql]| Sql::join(parts.iter().cloned(), ", ");
        let found = list(&parts.found);
        let lowest = call("least(:tenants)", &found);
        let decision = match on_conflict {
            // LEAST and GREATEST pass over NULL: they are equal where all sources that name a tenant name the same.
            OnConflict::Report => {
                call("CASE WHEN least(:tenants) = greatest(:tenants) THEN least(:tenants) END", &found)
            }
            OnConflict::First => call("coalesce(:tenants)", &found),
        };
        let source = call("(CASE :tenants END)::smallint", &Sql::join(parts.best, " "));
        let by_source = call("ARRAY[:tenants]", &list(&parts.counts));
        let joins = Sql::join(parts.joins, "\n");
        let (vias, tenants) = (list(&parts.vias), list(&parts.tenants));
        let table = |text: &'static str| Template::new(text).table("target", &plan.table);
        let open = |text: &'static str| {
            table(text)
                .ident("column", &plan.column)
                .fragment("vias", vias.clone())
                .fragment("tenants", tenants.clone())
                .fragment("joins", joins.clone())
                .fragment("decision", decision.clone())
        };
        Ok(Self {
            resolve: open(include_str!("../../../sql/backfill/resolve.sql"))
                .ident("key", &plan.key)
                .fragment("source", source)
                .fragment("by_source", by_source)
                .build(),
            assign: table(include_str!("../../../sql/backfill/assign.sql"))
                .ident("column", &plan.column)
                .fragment("type", Sql::from_static(plan.column_type.cast()))
                .build(),
            survey: open(include_str!("../../../sql/backfill/survey.sql")).fragment("lowest", lowest.clone()).build(),
            review: open(include_str!("../../../sql/backfill/review.sql"))
                .ident("key", &plan.key)
                .fragment("lowest", lowest)
                .fragment("ghosts", list(&parts.ghosts))
                .fragment("tenant_texts", list(&parts.found_texts))
                .fragment("ghost_texts", list(&parts.ghost_texts))
                .build(),
            count_null: table(include_str!("../../../sql/backfill/count_null.sql"))
                .ident("column", &plan.column)
                .build(),
            key_of: table(include_str!("../../../sql/backfill/key_of.sql")).ident("key", &plan.key).build(),
            ghosts: plan.sources.iter().map(|source| ghosts(plan, source)).collect(),
        })
    }
}

/// The parts of the statements that repeat for each source.
#[derive(Default)]
struct Parts {
    joins: Vec<Sql>,
    vias: Vec<Sql>,
    tenants: Vec<Sql>,
    ghosts: Vec<Sql>,
    found: Vec<Sql>,
    found_texts: Vec<Sql>,
    ghost_texts: Vec<Sql>,
    best: Vec<Sql>,
    counts: Vec<Sql>,
}

impl Parts {
    fn add(&mut self, plan: &Plan, source: &Source, names: &Names, n: usize) {
        let number = || number(n);
        self.joins.push(
            Template::new(include_str!("../../../sql/backfill/source_join.sql"))
                .table("source", &source.table)
                .table("tenants", &plan.tenants)
                .ident("s", &names.source)
                .ident("e", &names.tenant)
                .ident("via", &names.via)
                .ident("source_key", &source.key)
                .ident("source_tenant", &source.tenant)
                .ident("tenant_key", &plan.tenant_key)
                .build(),
        );
        self.vias.push(
            Template::new("t.:\"column\" AS :\"via\"").ident("column", &source.via).ident("via", &names.via).build(),
        );
        self.tenants.push(
            Template::new("CASE WHEN :\"e\".:\"key\" IS NOT NULL THEN :\"s\".:\"tenant\" END AS :\"found\"")
                .ident("e", &names.tenant)
                .ident("s", &names.source)
                .ident("tenant", &source.tenant)
                .ident("key", &plan.tenant_key)
                .ident("found", &names.found)
                .build(),
        );
        self.ghosts.push(
            Template::new("CASE WHEN :\"e\".:\"key\" IS NULL THEN :\"s\".:\"tenant\"::text END AS :\"ghost\"")
                .ident("e", &names.tenant)
                .ident("key", &plan.tenant_key)
                .ident("s", &names.source)
                .ident("tenant", &source.tenant)
                .ident("ghost", &names.ghost)
                .build(),
        );
        let of = |text: &'static str, name: &Ident| Template::new(text).ident("name", name).build();
        self.found.push(of(":\"name\"", &names.found));
        self.found_texts.push(of(":\"name\"::text", &names.found));
        self.ghost_texts.push(of(":\"name\"", &names.ghost));
        self.best.push(
            Template::new("WHEN :\"name\" IS NOT NULL THEN :n")
                .ident("name", &names.found)
                .fragment("n", number())
                .build(),
        );
        self.counts.push(Template::new("count(*) FILTER (WHERE source = :n)").fragment("n", number()).build());
    }
}

/// Small numbers as SQL.
fn number(n: usize) -> Sql {
    Template::new(":'n'::int").literal("n", &n.to_string()).build()
}

fn call(text: &'static str, tenants: &Sql) -> Sql {
    Template::new(text).fragment("tenants", tenants.clone()).build()
}

fn ghosts(plan: &Plan, source: &Source) -> Sql {
    Template::new(include_str!("../../../sql/backfill/ghosts.sql"))
        .table("source", &source.table)
        .ident("source_tenant", &source.tenant)
        .table("tenants", &plan.tenants)
        .ident("tenant_key", &plan.tenant_key)
        .build()
}
