//! How sources and tie-breakers decide, as SQL: one piece for each of them, and the decision made of these. The pieces
//! run under the search path of the application, so every name in them has its schema.

use tenancy_config::Ident;
use tenant_rls::{Sql, Template, TenantId};

use crate::error::Result;
use crate::fragments::{call, list, list_or_null, number, texts};
use crate::options::OnConflict;
use crate::plan::BackfillPlan;
use crate::plan::cast::Cast;
use crate::plan::source::{Equal, Pointer, SourceKind, TieBreaker};
use crate::statements::pointer::{first_key, hops, named_by_rows};
use crate::statements::said::Said;

/// The pieces of the statements, in the order of sources and then tie-breakers.
#[derive(Debug)]
pub(crate) struct Resolution {
    pub(crate) joins: Vec<Sql>,
    /// Columns of the row that joins compare, under the names that the joins use.
    pub(crate) vias: Vec<Sql>,
    /// The answer of each source and tie-breaker: a tenant or an array of tenants, each under its own name.
    pub(crate) tenants: Vec<Sql>,
    /// Tenants that a source names and that do not exist.
    pub(crate) ghosts: Vec<Sql>,
    /// The answer of each source, as text for people.
    pub(crate) tenant_texts: Vec<Sql>,
    pub(crate) ghost_texts: Vec<Sql>,
    /// The pointer of each source, as text for people.
    pub(crate) pointers: Vec<Sql>,
    /// The columns of `vias`, and their names there.
    columns: Vec<(Ident, Ident)>,
    /// The number of columns that the sources need; tie-breakers need the rest.
    of_sources: usize,
    /// By the names in `tenants`: the answer of each source, and the tenant that each tie-breaker decided.
    said: Vec<Said>,
    tie_breakers: Vec<Sql>,
    /// The number of the value that a mapping found in the row.
    nth: Option<Sql>,
    /// The tenant that takes the rest, if it still exists.
    rest: Option<Sql>,
    /// No tenant, of the type in which tenants are compared.
    nobody: Sql,
}

impl Resolution {
    fn nothing(plan: &BackfillPlan) -> Self {
        let nobody = Template::new("NULL:::type").fragment("type", Sql::from_static(plan.tenant_type.cast())).build();
        Self {
            joins: Vec::new(),
            vias: Vec::new(),
            tenants: Vec::new(),
            ghosts: Vec::new(),
            tenant_texts: Vec::new(),
            ghost_texts: Vec::new(),
            pointers: Vec::new(),
            columns: Vec::new(),
            of_sources: 0,
            said: Vec::new(),
            tie_breakers: Vec::new(),
            nth: None,
            rest: None,
            nobody,
        }
    }

    pub(crate) fn of(plan: &BackfillPlan) -> Result<Self> {
        let mut resolution = Self::nothing(plan);
        let mut in_joins = Vec::new();
        for (n, source) in (1..).zip(&plan.sources) {
            in_joins.push(resolution.add_source(plan, &source.kind, n)?);
            let pointer = source.pointer().map(|pointer| resolution.via(&pointer.via)).transpose()?;
            let text = |via| Template::new(":\"via\"::pg_catalog.text").ident("via", &via).build();
            resolution.pointers.push(pointer.map_or(Sql::from_static("NULL::pg_catalog.text"), text));
        }
        resolution.of_sources = resolution.columns.len();
        for Equal { here, .. } in plan.tie_breakers.iter().flat_map(|tie_breaker| &tie_breaker.equal) {
            resolution.via(here)?;
        }
        for (n, tie_breaker) in (plan.sources.len() + 1..).zip(&plan.tie_breakers) {
            resolution.add_tie_breaker(tie_breaker, &in_joins, n)?;
        }
        resolution.add_rest(plan)?;
        // A list of columns cannot be empty.
        if resolution.vias.is_empty() {
            resolution.via(&plan.column)?;
        }
        Ok(resolution)
    }

    /// Adds a source, and returns its answer under the names inside the joins.
    fn add_source(&mut self, plan: &BackfillPlan, kind: &SourceKind, n: usize) -> Result<Said> {
        let (s, e) = (Ident::new(format!("s{n}"))?, Ident::new(format!("e{n}"))?);
        let key = &plan.tenant_key;
        let of = |text: &'static str| Template::new(text).ident("s", &s);
        let (value, ghosts) = match kind {
            SourceKind::Row(pointer) => {
                let join = Self::join(
                    plan,
                    include_str!("../../../../sql/backfill-engine/fragments/source_join.sql"),
                    pointer,
                );
                let from = self.from(pointer)?;
                let join = join.fragment("from", from).ident("source_key", &pointer.key);
                let join = join.fragment("source_tenant", pointer.tenant_of(&s));
                self.joins.push(join.ident("s", &s).ident("e", &e).build());
                let with = |text| of(text).ident("e", &e).ident("key", key).ident("tenant", &pointer.tenant).build();
                let value = match pointer.tenant_cast {
                    Cast::None => with("CASE WHEN :\"e\".:\"key\" IS NOT NULL THEN :\"s\".:\"tenant\" END"),
                    _ => Template::new(":\"e\".:\"key\"").ident("e", &e).ident("key", key).build(),
                };
                (value, with("CASE WHEN :\"e\".:\"key\" IS NULL THEN :\"s\".:\"tenant\"::pg_catalog.text END"))
            }
            SourceKind::Rows(pointer) => {
                let join =
                    Self::join(plan, include_str!("../../../../sql/backfill-engine/fragments/rows_join.sql"), pointer);
                let join = join.fragment("hops", hops(pointer)?).fragment("first_key", first_key(pointer)?);
                let join = join.fragment("compared_tenant", pointer.tenant_of(&Ident::new("r")?));
                let join = join.ident("source_tenant", &pointer.tenant).fragment("named", named_by_rows(plan, pointer));
                let from = self.from(pointer)?;
                self.joins.push(join.fragment("from", from).ident("s", &s).build());
                (of(":\"s\".tenants").build(), of("pg_catalog.array_to_string(:\"s\".ghosts, ' | ')").build())
            }
            SourceKind::Mapped(mapping) => {
                let join = Template::new(include_str!("../../../../sql/backfill-engine/fragments/map_join.sql"))
                    .table("tenants", &plan.tenants)
                    .ident("tenant_key", key)
                    .fragment("values", texts(mapping.values()))
                    .fragment("to", texts(mapping.tenants()))
                    .ident("via", &self.via(&plan.column)?)
                    .ident("s", &s);
                self.joins.push(join.build());
                let nth = Ident::new(format!("nth_{n}"))?;
                self.tenants.push(alias(&of(":\"s\".nth").build(), &nth));
                self.nth = Some(name(&nth));
                (of(":\"s\".tenant").build(), Sql::from_static("NULL::pg_catalog.text"))
            }
            SourceKind::Given(tenant) => {
                self.joins.push(given_join(plan, tenant, &e));
                let value = Template::new(":\"e\".:\"key\"").ident("e", &e).ident("key", key).build();
                (value, Sql::from_static("NULL::pg_catalog.text"))
            }
        };
        let many = matches!(kind, SourceKind::Rows(_));
        let named = Said { value: self.tenant(&value, n)?, many };
        self.tenant_texts.push(named.text());
        self.said.push(named);
        let ghost = Ident::new(format!("ghost_{n}"))?;
        self.ghosts.push(alias(&ghosts, &ghost));
        self.ghost_texts.push(name(&ghost));
        Ok(Said { value, many })
    }

    /// Adds the tenant that takes the rest.
    fn add_rest(&mut self, plan: &BackfillPlan) -> Result<()> {
        let Some(tenant) = &plan.rest else { return Ok(()) };
        let (e, rest) = (Ident::new("e_rest")?, Ident::new("tenant_rest")?);
        self.joins.push(given_join(plan, tenant, &e));
        let value = Template::new(":\"e\".:\"key\"").ident("e", &e).ident("key", &plan.tenant_key).build();
        self.tenants.push(alias(&value, &rest));
        self.rest = Some(name(&rest));
        Ok(())
    }

    fn join(plan: &BackfillPlan, text: &'static str, pointer: &Pointer) -> Template {
        Template::new(text)
            .table("source", &pointer.table)
            .table("tenants", &plan.tenants)
            .ident("tenant_key", &plan.tenant_key)
    }

    /// The key with which a source is asked; NULL where the row does not hold what the source wants.
    fn from(&mut self, pointer: &Pointer) -> Result<Sql> {
        let from = pointer.cast.of(Template::new("l.:\"via\"").ident("via", &self.via(&pointer.via)?).build());
        let mut wants = Vec::new();
        for (column, value) in &pointer.when {
            let wanted = Template::new("l.:\"kind\"::pg_catalog.text OPERATOR(pg_catalog.=) :'value'");
            wants.push(wanted.ident("kind", &self.via(column)?).literal("value", value).build());
        }
        if wants.is_empty() {
            return Ok(from);
        }
        let wants = Sql::join(wants, " AND ");
        Ok(Template::new("CASE WHEN :wants THEN :from END").fragment("wants", wants).fragment("from", from).build())
    }

    /// Adds a tie-breaker between the tenants that the joins before it found.
    fn add_tie_breaker(&mut self, tie_breaker: &TieBreaker, said: &[Said], n: usize) -> Result<()> {
        let s = Ident::new(format!("s{n}"))?;
        let mut equal = Vec::new();
        for Equal { here, there, cast } in &tie_breaker.equal {
            let value = cast.of(Template::new("l.:\"via\"").ident("via", &self.via(here)?).build());
            let one = Template::new("x.:\"there\" OPERATOR(pg_catalog.=) :value").ident("there", there);
            equal.push(one.fragment("value", value).build());
        }
        self.joins.push(
            Template::new(include_str!("../../../../sql/backfill-engine/fragments/tie_breaker_join.sql"))
                .fragment("candidates", Sql::join(said.iter().map(Said::candidates), " UNION "))
                .fragment("lowest", call("least(:list)", said.iter().map(Said::lowest)))
                .fragment("highest", call("greatest(:list)", said.iter().map(Said::highest)))
                .table("tie_breaker", &tie_breaker.table)
                .ident("tie_breaker_tenant", &tie_breaker.tenant)
                .fragment("candidate", tie_breaker.tenant_cast.of(Sql::from_static("c.candidate")))
                .fragment("equal", Sql::join(equal, " AND "))
                .ident("s", &s)
                .build(),
        );
        let found = "(pg_catalog.array_agg(:\"s\".tenant) FILTER (WHERE :\"s\".tenant IS NOT NULL) OVER (:alike))[1]";
        let value = Template::new(found).ident("s", &s).fragment("alike", self.alike()).build();
        let decided = self.tenant(&value, n)?;
        self.tie_breakers.push(decided);
        Ok(())
    }

    /// A window of rows with equal values in every compared column. Sources and tie-breakers have the same answers for
    /// each of them.
    fn alike(&self) -> Sql {
        let via = |(_, via): &(Ident, Ident)| Template::new("l.:\"via\"").ident("via", via).build();
        call("PARTITION BY :list", self.columns.iter().map(via))
    }

    /// The columns of the rows with which the joins begin. Tie breakers are asked for the first row of each window
    /// only, as an author may have written many messages in a crowded room, which would be read again for each of them.
    fn rows(&self) -> Sql {
        if self.tie_breakers.is_empty() {
            return Sql::from_static("l.*");
        }
        Template::new("l.*, pg_catalog.row_number() OVER (:alike) AS nth").fragment("alike", self.alike()).build()
    }

    /// Puts what finds the tenants of a row, and what decides between them, into a statement.
    pub(crate) fn put_into(&self, template: Template, decision: Sql) -> Template {
        template
            .fragment("vias", list(&self.vias))
            .fragment("rows", self.rows())
            .fragment("tenants", list_or_null(&self.tenants))
            .fragment("joins", Sql::join(self.joins.iter().cloned(), "\n"))
            .fragment("decision", decision)
    }

    /// For each source its tenant, if it names exactly one.
    pub(crate) fn alone(&self) -> Vec<Sql> {
        self.said.iter().map(Said::alone).collect()
    }

    /// The columns that sources point with, under the names inside the joins. A fingerprint includes them.
    pub(crate) fn seen(&self) -> Sql {
        let via = |(_, via): &(Ident, Ident)| Template::new("l.:\"via\"").ident("via", via).build();
        // A list of columns cannot be empty.
        call(":list", self.columns.iter().take(self.of_sources.max(1)).map(via))
    }

    /// A hash of what people decide on: `row_key`, [`seen`](Self::seen), and the answers of the sources.
    pub(crate) fn fingerprint(&self) -> Sql {
        Template::new(include_str!("../../../../sql/backfill-engine/fragments/fingerprint.sql"))
            .fragment("pointers", list_or_null(&self.pointers))
            .fragment("tenant_texts", list_or_null(&self.tenant_texts))
            .fragment("ghost_texts", list_or_null(&self.ghost_texts))
            .build()
    }

    /// Makes a column of the row available to the joins, once, and returns its name there.
    fn via(&mut self, column: &Ident) -> Result<Ident> {
        if let Some((_, via)) = self.columns.iter().find(|(known, _)| known == column) {
            return Ok(via.clone());
        }
        let via = Ident::new(format!("via_{}", self.columns.len() + 1))?;
        self.vias.push(Template::new("t.:\"column\" AS :\"via\"").ident("column", column).ident("via", &via).build());
        self.columns.push((column.clone(), via.clone()));
        Ok(via)
    }

    /// Gives an answer its name, and returns the name.
    fn tenant(&mut self, value: &Sql, n: usize) -> Result<Sql> {
        let tenant = Ident::new(format!("tenant_{n}"))?;
        self.tenants.push(alias(value, &tenant));
        Ok(name(&tenant))
    }

    /// The lowest tenant that any source names; NULL if there is none.
    pub(crate) fn lowest(&self) -> Sql {
        if self.said.is_empty() {
            return self.nobody.clone();
        }
        call("least(:list)", self.said.iter().map(Said::lowest))
    }

    fn highest(&self) -> Sql {
        call("greatest(:list)", self.said.iter().map(Said::highest))
    }

    /// The tenant that a row gets, or NULL. Tie breakers come before `--on-conflict first`, as they know more about the
    /// row.
    pub(crate) fn decision(&self, on_conflict: OnConflict) -> Sql {
        call("coalesce(:list)", [self.decided(on_conflict)].into_iter().chain(self.rest.clone()))
    }

    /// The same before the rest is given to anybody.
    fn decided(&self, on_conflict: OnConflict) -> Sql {
        if self.said.is_empty() {
            return self.nobody.clone();
        }
        let by_sources = match on_conflict {
            // LEAST and GREATEST ignore NULL. They are equal if all sources that name a tenant name the same.
            OnConflict::Report => vec![
                Template::new("CASE WHEN :lowest OPERATOR(pg_catalog.=) :highest THEN :lowest END")
                    .fragment("lowest", self.lowest())
                    .fragment("highest", self.highest())
                    .build(),
            ],
            OnConflict::First => self.said.iter().map(Said::alone).collect(),
        };
        call("coalesce(:list)", self.tie_breakers.iter().cloned().chain(by_sources))
    }

    /// The number of the source or tie-breaker that decided. With `first`, a source that names the assigned tenant
    /// counts before tie-breakers. A row that `first` assigned decides for the next one, and must not count for more
    /// than the source it came from.
    pub(crate) fn source(&self, on_conflict: OnConflict) -> Sql {
        if let Some(nth) = &self.nth {
            return Template::new(":nth::smallint").fragment("nth", nth.clone()).build();
        }
        let rest = number(self.said.len() + self.tie_breakers.len() + 1);
        match (&self.rest, self.said.is_empty()) {
            (_, true) => Template::new(":rest::smallint").fragment("rest", rest).build(),
            (None, _) => self.deciding(on_conflict),
            (Some(_), _) => Template::new("CASE WHEN :decided IS NULL THEN :rest::smallint ELSE :deciding END")
                .fragment("decided", self.decided(on_conflict))
                .fragment("rest", rest)
                .fragment("deciding", self.deciding(on_conflict))
                .build(),
        }
    }

    /// The number of the source or tie-breaker that decided, if one did.
    fn deciding(&self, on_conflict: OnConflict) -> Sql {
        let known = |value: &Sql| Template::new(":value IS NOT NULL").fragment("value", value.clone()).build();
        let same = |said: &Said| {
            let decided = call("coalesce(:list)", self.tie_breakers.iter().cloned().chain([said.alone()]));
            Template::new(":alone OPERATOR(pg_catalog.=) :decided")
                .fragment("alone", said.alone())
                .fragment("decided", decided)
                .build()
        };
        let tie_breakers = (self.said.len() + 1..).zip(self.tie_breakers.iter().map(known));
        let cases: Vec<(usize, Sql)> = match on_conflict {
            OnConflict::Report => {
                tie_breakers.chain((1..).zip(self.said.iter().map(|said| known(&said.value)))).collect()
            }
            OnConflict::First => (1..).zip(self.said.iter().map(same)).chain(tie_breakers).collect(),
        };
        let cases = cases.into_iter().map(|(n, test)| {
            Template::new("WHEN :test THEN :n").fragment("test", test).fragment("n", number(n)).build()
        });
        Template::new("(CASE :cases END)::smallint").fragment("cases", Sql::join(cases, " ")).build()
    }
}

/// The join of one tenant for every row.
fn given_join(plan: &BackfillPlan, tenant: &TenantId, e: &Ident) -> Sql {
    Template::new(include_str!("../../../../sql/backfill-engine/fragments/given_join.sql"))
        .table("tenants", &plan.tenants)
        .ident("e", e)
        .ident("tenant_key", &plan.tenant_key)
        .literal("tenant", tenant.as_str())
        .fragment("type", Sql::from_static(plan.tenant_type.cast()))
        .build()
}

fn name(ident: &Ident) -> Sql {
    Template::new(":\"name\"").ident("name", ident).build()
}

fn alias(value: &Sql, ident: &Ident) -> Sql {
    Template::new(":value AS :\"name\"").fragment("value", value.clone()).ident("name", ident).build()
}

/// The decision; NULL for rows that are left out.
pub(crate) fn leaving_out(decision: Sql, keys: &[String]) -> Sql {
    if keys.is_empty() {
        return decision;
    }
    Template::new("CASE WHEN row_key OPERATOR(pg_catalog.=) ANY (:keys) THEN NULL ELSE :decision END")
        .fragment("keys", texts(keys.iter().map(String::as_str)))
        .fragment("decision", decision)
        .build()
}
