//! What to do next about an audit's findings.

use tenancy_config::{CommandRef, Hint, TableName, Tenancy};
use tenant_inventory::{Absence, Catalog, MissingPart, OtherType};

use crate::report::{MissingPiece, TableReport};
use crate::uncounted::UncountedTable;

/// The tables that have a command of their own, with its dry run.
const BACKFILLS: [(&str, CommandRef); 2] =
    [("bookings", CommandRef::BackfillBookingsDryRun), ("chat_messages", CommandRef::AssignChatMessagesDryRun)];

/// How many tables a sentence names before it only counts them.
const NAMED: usize = 5;

/// Sentences, most useful first; empty for a clean audit.
pub(crate) fn next_steps(
    catalog: &Catalog,
    missing: &[Absence],
    tenancy: &Tenancy,
    tables: &[TableReport],
    uncounted: &[UncountedTable],
) -> Vec<Hint> {
    let command = |table: &TableReport| {
        let own = |name: &str| TableName::parse(name, &tenancy.database.schema).is_ok_and(|name| name == table.table);
        BACKFILLS.iter().find(|(name, _)| own(name)).map(|(_, command)| command.clone())
    };
    let mut next = Vec::new();
    if catalog.tenant_key_type.is_none() {
        let which = format!(
            "tell tenancy.toml which table holds the tenants, {} does not ({}): ",
            catalog.tenants, catalog.registry
        );
        next.push(Hint::from(which).then_quoted(CommandRef::Init).then(" writes one that fits"));
    }
    for table in uncounted {
        let remedy = table.remedy.clone().unwrap_or_else(|| "what the server said is above".into());
        next.push(Hint::from(format!("have {} counted: ", table.table)).then_hint(remedy));
    }
    for (table, part) in tables.iter().flat_map(|table| table.uncounted_parts.iter().map(move |part| (table, part))) {
        let remedy = part.remedy.clone().unwrap_or_else(|| "what the server said is above".into());
        next.push(Hint::from(format!("have all of {} counted: ", table.table)).then_hint(remedy));
    }
    for lacking in missing {
        let what = match lacking.what {
            MissingPart::Table => "is not in this database",
            MissingPart::TenantColumn => "has no tenant column",
            MissingPart::TrustedOwner => {
                next.push(Hint::from(untrusted(lacking)));
                continue;
            }
        };
        let add = "add it with the application's migrations, or leave it out of tenancy.toml";
        next.push(format!("{} {what}: {add}", lacking.table).into());
    }
    let mut step = |wanted: &dyn Fn(&TableReport) -> bool, sentence: &dyn Fn(String) -> Hint| {
        next.extend(names(tables, wanted).map(sentence));
    };
    step(&|t| t.empty_rows > 0, &|names| {
        let says =
            format!("make the empty string NULL in {names}, or a tenant: no backfill takes it for a row without one; ");
        Hint::from(says).then_quoted(CommandRef::BackfillMapAll).then(" lists all such values")
    });
    step(&|t| t.stray.values.iter().any(|stray| stray.proposal.is_some()), &|names| {
        let says = format!("rows of {names} hold what is some tenant's slug or name, and not its key; ");
        Hint::from(says).then_quoted(CommandRef::BackfillMapAll).then(" proposes what they become")
    });
    let other_types: Vec<OtherType> = OtherType::all(&catalog.classified).collect();
    let other_type = |table: &TableReport| other_types.iter().find(|other| other.table == table.table);
    next.extend(tables.iter().filter_map(other_type).map(OtherType::hint));
    let mut step = |wanted: &dyn Fn(&TableReport) -> bool, sentence: &dyn Fn(String) -> Hint| {
        next.extend(names(tables, wanted).map(sentence));
    };
    for (_, backfill) in BACKFILLS {
        step(&|t| command(t).as_ref() == Some(&backfill) && t.null_findings() > 0, &|names| {
            let give = Hint::from(format!("give {names} their tenant: "));
            give.then_quoted(backfill.clone()).then(", then without --dry-run")
        });
    }
    step(&|t| command(t).is_none() && t.null_findings() > 0, &|names| {
        format!(
            "give the rows of {names} that have no tenant one; if they are intended, declare `platform_rows = \"why\"` in tenancy.toml"
        ).into()
    });
    step(&|t| t.ghost_rows.unwrap_or(0) > 0, &|names| {
        let says = format!(
            "restore the tenants that rows of {names} name, or map what they hold to tenants, or remove the rows; "
        );
        let rest = CommandRef::BackfillRestDryRun { table: "TABLE".to_owned(), tenant: "TENANT".to_owned() };
        Hint::from(says).then_quoted(rest).then(" shows what of them one tenant would take")
    });
    step(&|t| t.cross_findings() > 0, &|names| {
        format!("decide row by row which tenant is right where {names} references another tenant's row").into()
    });
    step(&|t| lacks(t, &[MissingPiece::Index]), &|names| {
        format!("add an index on the tenant column to {names}").into()
    });
    step(
        &|t| {
            let lacks = lacks(t, &[MissingPiece::ForeignKey, MissingPiece::ForeignKeyValidation]);
            lacks && t.ghost_rows == Some(0) && other_type(t).is_none()
        },
        &|names| {
            format!("add the foreign key to {}, or validate it, in {names}: it keeps ghosts away", catalog.tenants)
                .into()
        },
    );
    step(
        &|t| lacks(t, &[MissingPiece::NotNull, MissingPiece::NotNullValidation]) && t.null_findings() == 0,
        &|names| format!("make the tenant column NOT NULL in {names}: 0 of their rows are without a tenant now").into(),
    );
    next
}

fn lacks(table: &TableReport, pieces: &[MissingPiece]) -> bool {
    table.missing.iter().any(|piece| pieces.contains(piece))
}

/// The tables that are `wanted`, if there are any.
fn names(tables: &[TableReport], wanted: &dyn Fn(&TableReport) -> bool) -> Option<String> {
    let names: Vec<String> = tables.iter().filter(|table| wanted(table)).map(|table| table.table.to_string()).collect();
    match names.len() {
        0 => None,
        all if all > NAMED + 1 => Some(format!("{} and {} more", names[..NAMED].join(", "), all - NAMED)),
        _ => Some(names.join(", ")),
    }
}

fn untrusted(table: &Absence) -> String {
    let owner = table.owner.as_deref().unwrap_or_default();
    format!(
        "find out who made {}, which belongs to {owner}, a role that is not trusted; to trust it, list it in tenancy.toml: [database] owners = \
         [\"{owner}\"]",
        table.table
    )
}
