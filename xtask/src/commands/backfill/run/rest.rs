//! `backfill run --rest-to`: what the sources do not decide goes to one tenant.

use backfill_engine::{NewTenant, RestReport, RestRows, RestTenant};
use tenancy_config::plain::plain;
use tenancy_config::{CommandRef, Exit, Hint, TableName};
use tenant_inventory::Catalog;
use tenant_rls::Tenant;

use super::several::{JOB, Several, one};
use crate::commands::backfill::session::BackfillSession;
use crate::context::command_error::CommandError;
use crate::context::failure::CommandFailure;
use crate::context::{CommandResult, Context, stop};
use crate::document::block::{Document, Table, number, paragraph, text};
use crate::document::report::Report;
use crate::number_format::{count, counted};

/// The tenant that takes the rest.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) create: bool,
}

/// A tenant that is there, or can be made.
enum Taker {
    There(Tenant),
    New(NewTenant),
}

/// Says how many rows of which kind there are, asks, and gives them away.
///
/// # Errors
/// The engine failed, or nobody confirmed. What was committed stays.
pub(super) async fn run(
    context: &Context,
    session: BackfillSession<'_>,
    catalog: &Catalog,
    tables: &[TableName],
    wanted: Wanted,
) -> CommandResult {
    let (database, tenancy) = (session.database(), session.tenancy());
    let counted = async {
        let found = RestTenant::find(database, tenancy, &wanted.name).await?;
        let mut rows = Vec::new();
        for table in tables {
            rows.push(
                RestRows::count(database, tenancy, catalog, &table.to_string(), session.options.on_conflict).await?,
            );
        }
        Ok((found, rows))
    };
    let (found, rows) = stop::at_once(counted).await?;
    let taker = taker(context, &session, catalog, found, wanted.create).await?;
    for rows in &rows {
        say(context, rows, &wanted.name);
    }
    if let (Taker::New(_), true) = (&taker, session.options.dry_run) {
        session.begin(&[]).await?;
        session.close().await;
        context.report(&RestReport::of_missing(&wanted.name, rows))?;
        return Ok(Some(Exit::NotYet));
    }
    let names: Vec<&TableName> = rows.iter().map(|rows| &rows.table).collect();
    session.begin_with(&names, &format!("; what no source decides, to {}", wanted.name)).await?;
    let tenant = match taker {
        Taker::There(tenant) => tenant,
        Taker::New(new) => {
            let tenant = new.create(session.database(), session.tenancy()).await?;
            context.printer.line(&format!("created the tenant {} with the id {}", plain(&wanted.name), tenant.id));
            tenant
        }
    };
    let mut several = Several::new(rows.len() == 1);
    for rows in &rows {
        let done = match rows.plan(catalog, session.tenancy(), &tenant.id) {
            Ok(plan) => one(context, &session, &plan, &session.options, JOB).await,
            Err(error) => Err(error),
        };
        if several.add(context, &rows.table, done)? {
            break;
        }
    }
    several.end(context, session, catalog, false).await
}

/// Decides who takes the rest. A tenant is made on request only, and one with a name like another's only if somebody types it again.
async fn taker(
    context: &Context,
    session: &BackfillSession<'_>,
    catalog: &Catalog,
    found: RestTenant,
    create: bool,
) -> Result<Taker, CommandFailure> {
    let (name, closest) = match found {
        RestTenant::There(tenant) => {
            if !tenant.active {
                let status = tenant.status.as_deref().unwrap_or("not active");
                context.printer.warning(&format!("the tenant {} ({}) is {}", tenant.slug, tenant.id, plain(status)));
            }
            return Ok(Taker::There(tenant));
        }
        RestTenant::Missing { name, closest } if create => (name, closest),
        RestTenant::Missing { name, closest } => {
            return Err(tenant_rls::Error::UnknownTenant { name, closest }.into());
        }
    };
    let new = NewTenant::prepare(session.database(), session.tenancy(), catalog, &name).await?;
    let Some(closest) = closest else { return Ok(Taker::New(new)) };
    if session.options.dry_run {
        context.printer.warning(&format!("there is a tenant `{}`, whose name is similar", plain(&closest)));
        return Ok(Taker::New(new));
    }
    let question = format!("There is a tenant `{}`. Type `{}` to create another one:", plain(&closest), plain(&name));
    match context.ask(&question).await? {
        Some(answer) if answer == name => Ok(Taker::New(new)),
        _ => Err(CommandError::refused(
            format!(
                "no tenant `{name}` was created, as `{closest}` is there and nobody confirmed; nothing was written"
            ),
            Hint::from(format!("--rest-to {closest} takes that one; where another is meant, this makes it: "))
                .then_run(CommandRef::SeedTenantCreate { tenant: name }),
        )),
    }
}

/// Says how many rows of which kind there are. `--quiet` does not silence it.
fn say(context: &Context, rows: &RestRows, to: &str) {
    let kinds = [
        (rows.conflicts, "whose sources disagree"),
        (rows.unresolved, "of which nothing tells the tenant"),
        (rows.gone, "whose tenant does not exist"),
    ];
    let kinds = kinds.into_iter().filter(|(rows, _)| *rows > 0);
    let kinds: Vec<String> = kinds.map(|(rows, what)| format!("{} {what}", count(rows))).collect();
    let rest = counted(rows.rest(), "row goes", "rows go");
    let kinds = if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) };
    context.printer.line(&format!("{}: {rest} to {}{kinds}", plain(rows.table.to_string()), plain(to)));
    let decided = rows.decided + rows.gone_decided;
    if decided > 0 {
        let decided = counted(decided, "row gets the tenant", "rows get the tenant");
        context.printer.line(&format!("{}: {decided} that its sources tell", plain(rows.table.to_string())));
    }
    if rows.gone > 0 {
        context.printer.line("values that are some tenant's slug or name are mapped to it first by `backfill map`");
    }
}

impl Report for RestReport {
    const NAME: &'static str = "backfill run";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let row = |rows: &RestRows| {
            let numbers = [rows.decided + rows.gone_decided, rows.conflicts, rows.unresolved, rows.gone];
            std::iter::once(rows.table.to_string()).chain(numbers.map(count)).collect::<Vec<_>>()
        };
        let columns = ["by its sources", "conflicts", "unresolved", "tenant is gone"].map(number);
        let table = Table::new(std::iter::once(text("table")).chain(columns), self.tables.iter().map(row));
        let rest: u64 = self.tables.iter().map(RestRows::rest).sum();
        let said = format!(
            "The tenant {} would be created, and {} given to it. Next: the same without --dry-run.",
            self.tenant,
            counted(rest, "row", "rows")
        );
        Document::new([table.into(), paragraph(said)])
    }
}
