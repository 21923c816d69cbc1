//! The way of a source from a row to the tenants that it names, as pieces of its joins.

use tenancy_config::Ident;
use tenant_rls::{Sql, Template};

use crate::error::Result;
use crate::plan::BackfillPlan;
use crate::plan::cast::Cast;
use crate::plan::source::{Hop, Pointer};

/// The tables on the way to a source, joined from its end to its beginning.
pub(super) fn hops(pointer: &Pointer) -> Result<Sql> {
    let mut joins = Vec::new();
    let mut next = (Ident::new("r")?, &pointer.key);
    for (at, hop) in pointer.through.iter().enumerate().rev() {
        let alias = Ident::new(format!("h{}", at + 1))?;
        let join = Template::new(include_str!("../../../../sql/backfill-engine/fragments/hop_join.sql"))
            .table("hop", &hop.table)
            .ident("h", &alias)
            .fragment("value", hop.value(&alias))
            .ident("next", &next.0)
            .ident("next_key", next.1);
        joins.push(join.build());
        next = (alias, &hop.key);
    }
    Ok(Sql::join(joins, "\n"))
}

/// The column that a pointer is compared with: that of the first table on the way.
pub(super) fn first_key(pointer: &Pointer) -> Result<Sql> {
    let (alias, key) = match pointer.through.first() {
        Some(hop) => ("h1", &hop.key),
        None => ("r", &pointer.key),
    };
    Ok(Template::new(":\"alias\".:\"key\"").ident("alias", &Ident::new(alias)?).ident("key", key).build())
}

/// The tenants that the rows of a source name, of which it is known that they exist: as the row has them, or as the tenant table does.
pub(super) fn named_by_rows(plan: &BackfillPlan, pointer: &Pointer) -> Sql {
    match pointer.tenant_cast {
        Cast::None => Template::new("r.:\"tenant\"").ident("tenant", &pointer.tenant).build(),
        _ => Template::new("k.:\"key\"").ident("key", &plan.tenant_key).build(),
    }
}

impl Pointer {
    /// The tenant of a row of the source, as it is compared with the key of the tenant table.
    pub(super) fn tenant_of(&self, row: &Ident) -> Sql {
        let tenant = Template::new(":\"row\".:\"tenant\"").ident("row", row).ident("tenant", &self.tenant);
        self.tenant_cast.of(tenant.build())
    }
}

impl Hop {
    /// What it points on with, as it is compared with the next table.
    fn value(&self, alias: &Ident) -> Sql {
        let column = Template::new(":\"h\".:\"column\"").ident("h", alias).ident("column", &self.column);
        self.cast.of(column.build())
    }
}
