//! Proof by trying: as the application's own login, under every value of the session variable, and from the catalog.

use std::collections::BTreeMap;

use tenancy_config::{TableName, Tenancy};
use tenant_inventory::claim::breach::Breach;
use tenant_inventory::claim::examined::{Examined, UncoveredAccess};
use tenant_inventory::claim::finding::Finding;
use tenant_inventory::claim::verdict::Claim;
use tenant_inventory::class::{Class, ClassifiedTable, classify};
use tenant_inventory::{Inventory, LoginReach, read_all_tables, read_ways};
use tenant_rls::{Database, Limits, ProbeSessions};

use crate::attempts::columns::Columns;
use crate::attempts::rows;
use crate::beside;
use crate::declared_login;
use crate::error::Result;
use crate::found::Found;
use crate::memberships;
use crate::options::VerifyOptions;
use crate::report::{Beside, Note, NoteKind, VerifyReport};
use crate::same_database;
use crate::settings;
use crate::table::Verifier;
use crate::ways::{Ways, view};

/// Tries to reach other tenants' rows on a connection with the application's own URL. `owner` reads the catalog, and finds rows
/// to try with, as a role that sees all of them. No statement of either waits for a lock for more than 100 ms, or runs for more than 2 s.
///
/// # Errors
/// [`Error::OtherDatabase`](crate::Error::OtherDatabase) where the two are not one database;
/// [`Error::OtherLogin`](crate::Error::OtherLogin) where a declared login is another one; [`Error::Database`](crate::Error::Database) where a
/// statement failed, unless it was an attempt. What is wrong is in the report.
pub async fn verify(
    owner: &Database,
    app: &Database,
    tenancy: &Tenancy,
    options: &VerifyOptions,
    progress: &mut (dyn FnMut(&TableName) + Send),
) -> Result<VerifyReport> {
    let (owner, app) = (&owner.limited(Limits::BRIEF), &app.limited(Limits::BRIEF));
    same_database::check(owner, app).await?;
    let app_login = app.session().role.clone();
    let classes = classify(&read_all_tables(owner, tenancy).await?, tenancy)?;
    let inventory = Inventory::load(owner, tenancy, Some(&app_login), &options.tables).await?;
    let reach = LoginReach::read(owner, &inventory.relations, &app_login).await?;
    let tables: Vec<&TableName> =
        inventory.relations.iter().map(|relation| &relation.name).chain([&inventory.catalog.tenants]).collect();
    let verifier = Verifier {
        owner,
        app,
        owner_sessions: ProbeSessions::new(owner, tenancy),
        app_sessions: ProbeSessions::new(app, tenancy),
        inventory: &inventory,
        reach: &reach,
        options,
        inactive_tenants: rows::inactive_tenants(owner, &inventory).await?,
        columns: Columns::read(owner, &tables).await?,
        readers: rows::readers(owner, &inventory).await?,
        no_columns: Columns::default(),
    };
    let mut found = Found::default();
    found.of_login(settings::inspect(app, tenancy).await?);
    let others: Vec<TableName> =
        classes.iter().filter(|table| table.class.is_unprotected()).map(|table| table.table.clone()).collect();
    let all_ways = read_ways(owner, &inventory, &app_login, &others).await?;
    let relations = inventory.relations.iter().map(|relation| &relation.name);
    let rights = beside::access(owner, &reach, relations.chain(&others).chain([&inventory.catalog.tenants])).await?;
    for relation in &inventory.relations {
        // It stands beside the others, whatever policies it has.
        if is_unhandled(&classes, &inventory.audited_as(relation)) {
            continue;
        }
        progress(&relation.name);
        let has_rights = rights.get(&relation.name).is_some_and(|access| *access != UncoveredAccess::None);
        verifier.prove(relation, has_rights, &mut found).await;
    }
    found.notes.extend(of_tenant_table(&rights, &inventory.catalog.tenants));
    let born_closed = inventory.born_closed.clone().map(|born_closed| NoteKind::BornClosed { born_closed });
    found.notes.extend(born_closed.map(|what| Note { table: None, what }));
    let beside = beside(&rights, &classes, &mut found);
    let ways = Ways { owner, app, inventory: &inventory, tenants: view::some_tenants(owner, &inventory).await? };
    for way in all_ways {
        let result = ways.inspect(&way).await;
        found.of_way(way, result);
    }
    let mut exposures = declared_login::inspect(&verifier, &classes, &mut found).await?;
    exposures.extend(memberships::inspect(&verifier, &mut found).await?);
    let accesses: Vec<(TableName, UncoveredAccess)> =
        beside.iter().map(|beside| (beside.table.clone(), beside.access.clone())).collect();
    let claim = Claim::of(&Examined {
        login: &app_login,
        classes: &classes,
        lost: &inventory.catalog.missing,
        proofs: &found.tables,
        beside: &accesses,
        objects: &found.objects,
        findings: &found.findings,
        exposures: &exposures,
    });
    let Found { tables, objects, findings, notes } = found;
    Ok(VerifyReport {
        schema: "rls-verify/2",
        database: owner.session().database.clone(),
        app_login,
        wrote: options.write_probes,
        claim,
        tables,
        beside,
        objects,
        findings,
        notes,
    })
}

/// Whether row level security of ours cannot protect a table. Whether this login may change its definition is no matter here.
fn is_unhandled(classes: &[ClassifiedTable], root: &TableName) -> bool {
    let class = classes.iter().find(|table| table.table == *root).map(|table| &table.class);
    matches!(class, Some(Class::Unhandled { .. }))
}

/// What the login can write in the tenant table.
fn of_tenant_table(rights: &BTreeMap<TableName, UncoveredAccess>, tenants: &TableName) -> Option<Note> {
    let UncoveredAccess::Open { role, rights } = rights.get(tenants)? else { return None };
    let writes = rights.iter().any(|right| right != "SELECT");
    let what = NoteKind::TenantTable { role: role.clone(), rights: rights.clone() };
    writes.then(|| Note { table: Some(tenants.clone()), what })
}

/// The tables whose rows may belong to tenants and that no policy of ours protects.
fn beside(
    rights: &BTreeMap<TableName, UncoveredAccess>,
    classes: &[ClassifiedTable],
    found: &mut Found,
) -> Vec<Beside> {
    let mut all = Vec::new();
    for table in classes.iter().filter(|table| table.class.is_unprotected()) {
        // It was dropped meanwhile.
        let Some(access) = rights.get(&table.table).cloned() else { continue };
        let class = table.class.clone();
        if let UncoveredAccess::Open { role, rights } = &access {
            let breach = Breach::Exposed { class: class.clone(), role: role.clone(), rights: rights.clone() };
            found.findings.push(Finding { table: Some(table.table.clone()), breach });
        }
        all.push(Beside { table: table.table.clone(), class, access });
    }
    all
}
