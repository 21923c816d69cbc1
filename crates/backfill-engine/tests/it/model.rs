//! Data drawn at random, against a plain, slow model that was written apart from the engine.

use std::collections::BTreeSet;
use std::time::Duration;

use backfill_engine::{BackfillOptions, OnConflict};
use local_db::Role;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use tenancy_config::Tenancy;
use tenant_rls::DirectConnection;
use test_support::TestDb;

use crate::support::{backfill_table, by_source, fast, rows, script};
use sqlx::Row;

/// Tenants that exist.
const TENANTS: [&str; 3] = ["t1", "t2", "t3"];

/// What may stand in a source's tenant column.
const IN_A_SOURCE: [Option<&str>; 6] = [Some("t1"), Some("t2"), Some("t3"), Some("gone"), Some(""), None];

/// A booking: which of eight rows each source points to, if any.
type Pointers = (Option<usize>, Option<usize>, Option<usize>);

/// One source after the other, the slow way.
fn expected(sources: &[Vec<Option<&str>>; 3], row: &Pointers) -> Result<&'static str, usize> {
    let pointers = [row.0, row.1, row.2];
    let mut named = BTreeSet::new();
    for (source, pointer) in sources.iter().zip(pointers) {
        if let Some(tenant) = pointer.and_then(|at| source[at])
            && let Some(existing) = TENANTS.iter().find(|known| **known == tenant)
        {
            named.insert(*existing);
        }
    }
    match named.len() {
        1 => Ok(named.first().copied().unwrap()),
        several => Err(several),
    }
}

/// A database with the tenants that exist and these tables.
async fn database(tables: &'static str) -> (TestDb, DirectConnection) {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    let tenants = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text);
                     INSERT INTO "Tenant" SELECT 't' || n, 'slug' || n, '' FROM generate_series(1, 3) n"#;
    script(&mut owner, tenants).await;
    script(&mut owner, tables).await;
    (db, owner)
}

#[tokio::test]
async fn every_row_gets_the_tenant_that_the_model_says() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    for _ in 0..6 {
        let cell = prop::sample::select(&IN_A_SOURCE[..]);
        let source = || prop::collection::vec(cell.clone(), 8);
        let pointer = || prop::option::weighted(0.7, 0..8usize);
        let shape = ([source(), source(), source()], prop::collection::vec((pointer(), pointer(), pointer()), 200));
        let (sources, bookings) = shape.new_tree(&mut runner).unwrap().current();

        let (db, mut owner) = database(
            r#"CREATE TABLE a (id int PRIMARY KEY, "tenantId" text); CREATE TABLE b (LIKE a INCLUDING ALL); CREATE TABLE c (LIKE a INCLUDING ALL);
               CREATE TABLE item (id int PRIMARY KEY, a int, b int, c int, "tenantId" text)"#,
        )
        .await;
        for (source, insert) in sources.iter().zip([
            "INSERT INTO a SELECT o - 1, v FROM unnest($1::text[]) WITH ORDINALITY AS u(v, o)",
            "INSERT INTO b SELECT o - 1, v FROM unnest($1::text[]) WITH ORDINALITY AS u(v, o)",
            "INSERT INTO c SELECT o - 1, v FROM unnest($1::text[]) WITH ORDINALITY AS u(v, o)",
        ]) {
            sqlx::query(insert).bind(source).execute(owner.connection()).await.unwrap();
        }
        let column = |pick: fn(&Pointers) -> Option<usize>| -> Vec<Option<i32>> {
            bookings.iter().map(|row| pick(row).map(|at| at as i32)).collect()
        };
        sqlx::query("INSERT INTO item SELECT o - 1, a, b, c FROM unnest($1::int[], $2::int[], $3::int[]) WITH ORDINALITY AS u(a, b, c, o)")
            .bind(column(|row| row.0))
            .bind(column(|row| row.1))
            .bind(column(|row| row.2))
            .execute(owner.connection())
            .await
            .unwrap();

        let toml = r#"
            [tables.item]
            sources = [
                { name = "a", column = "a", table = "a" },
                { name = "b", column = "b", table = "b" },
                { name = "c", column = "c", table = "c" },
            ]
        "#;
        let tenancy = Tenancy::from_toml(toml, std::path::Path::new("tenancy.toml")).unwrap();
        let report = backfill_table(&db, Role::Owner, "item", &tenancy, &fast(), &mut |_| {}).await.unwrap();

        let model: Vec<Result<&str, usize>> = bookings.iter().map(|row| expected(&sources, row)).collect();
        let found = rows(&mut owner, r#"SELECT "tenantId" FROM item ORDER BY id"#).await;
        for ((row, model), pointers) in found.iter().zip(&model).zip(&bookings) {
            let found: Option<String> = row.get(0);
            assert_eq!(found.as_deref(), model.ok(), "{pointers:?} in {sources:?}");
        }
        let unresolved = model.iter().filter(|m| **m == Err(0)).count() as u64;
        let conflicts = model.iter().filter(|m| matches!(m, Err(2..))).count() as u64;
        assert_eq!((report.unresolved, report.conflicts), (unresolved, conflicts));
    }
}

/// Items of four owners at two places, with or without a tenant. The owners are members of tenants, belong to one, and were seen by
/// some, each in a table of its own; and what else they have at the same place is evidence, too.
#[derive(Debug)]
struct Owned {
    members: Vec<(i32, Cell)>,
    belongs: Vec<Cell>,
    seen: Vec<(i32, Cell)>,
    items: Vec<(i32, i32, Cell)>,
}

type Cell = Option<&'static str>;

const OWNERS: i32 = 4;

/// What decides, in the order of the journal.
const DECIDES: [&str; 4] = ["member", "belongs", "seen", "beside"];

fn owned() -> impl Strategy<Value = Owned> {
    let cell = || prop::sample::select(&IN_A_SOURCE[..]);
    let by_owner = |most| prop::collection::vec((0..OWNERS, cell()), 0..most);
    // Few items have a tenant from the start: what the run writes must not count as more.
    let given = prop_oneof![9 => Just(None), 1 => cell()];
    let items = prop::collection::vec((0..OWNERS, 0..2, given), 120);
    (by_owner(8), prop::collection::vec(cell(), OWNERS as usize), by_owner(4), items)
        .prop_map(|(members, belongs, seen, items)| Owned { members, belongs, seen, items })
}

impl Owned {
    /// Which tenant an item gets, and what decides: looked up at the start, so that no order matters.
    fn expected(&self, owner: i32, place: i32, on_conflict: OnConflict) -> Result<(&'static str, usize), usize> {
        let existing = |cells: Vec<Cell>| -> BTreeSet<&'static str> {
            cells.into_iter().flatten().filter(|tenant| TENANTS.contains(tenant)).collect()
        };
        let of = |list: &[(i32, Cell)]| existing(list.iter().filter(|row| row.0 == owner).map(|row| row.1).collect());
        let sources = [of(&self.members), existing(vec![self.belongs[owner as usize]])];
        let named: BTreeSet<_> = sources.iter().flatten().copied().collect();
        if named.len() < 2 {
            let first = sources.iter().position(|source| !source.is_empty());
            return named.first().copied().zip(first).ok_or(0);
        }
        let beside = self.items.iter().filter(|item| (item.0, item.1) == (owner, place)).map(|item| item.2).collect();
        let evidence = [of(&self.seen), existing(beside)].map(|found| &found & &named);
        let decided = evidence.iter().position(|found| found.len() == 1);
        let tenant = decided.and_then(|at| evidence[at].first().copied());
        if on_conflict == OnConflict::Report {
            return tenant.zip(decided.map(|at| 2 + at)).ok_or(named.len());
        }
        let alone = |source: &BTreeSet<&'static str>| source.first().copied().filter(|_| source.len() == 1);
        let tenant = tenant.or_else(|| sources.iter().find_map(alone)).ok_or(named.len())?;
        let source = sources.iter().position(|source| alone(source) == Some(tenant));
        Ok((tenant, source.or(decided.map(|at| 2 + at)).unwrap()))
    }
}

#[tokio::test]
async fn evidence_decides_as_the_model_says_in_whatever_order_rows_are_done() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let toml = r#"
        [tables.item]
        sources = [
            { name = "member", column = "owner", table = "member", key = "owner", all = true },
            { name = "belongs", column = "owner", table = "belongs" },
        ]
        evidence = [
            { name = "seen", table = "seen", equal = { owner = "who" } },
            { name = "beside", table = "item", equal = { owner = "owner", place = "place" } },
        ]
    "#;
    let tenancy = Tenancy::from_toml(toml, std::path::Path::new("tenancy.toml")).unwrap();
    for case in 0..6 {
        let data = owned().new_tree(&mut runner).unwrap().current();
        let on_conflict = if case % 2 == 0 { OnConflict::Report } else { OnConflict::First };
        let (db, mut owner) = database(
            r#"CREATE TABLE member (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner int, "tenantId" text);
               CREATE TABLE belongs (id int PRIMARY KEY, "tenantId" text);
               CREATE TABLE seen (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who int, "tenantId" text);
               CREATE TABLE item (id int PRIMARY KEY, owner int, place int, "tenantId" text, pad text DEFAULT repeat('x', 5000));
               -- A row a page, so that there are many batches, and what one writes moves behind it.
               ALTER TABLE item ALTER pad SET STORAGE PLAIN"#,
        )
        .await;
        let numbered: Vec<(i32, Cell)> = (0..).zip(data.belongs.iter().copied()).collect();
        for (insert, list) in [
            ("INSERT INTO member (owner, \"tenantId\") SELECT * FROM unnest($1::int[], $2::text[])", &data.members),
            ("INSERT INTO seen (who, \"tenantId\") SELECT * FROM unnest($1::int[], $2::text[])", &data.seen),
            ("INSERT INTO belongs SELECT * FROM unnest($1::int[], $2::text[])", &numbered),
        ] {
            let (owners, tenants): (Vec<i32>, Vec<Cell>) = list.iter().copied().unzip();
            sqlx::query(insert).bind(owners).bind(tenants).execute(owner.connection()).await.unwrap();
        }
        let insert = r#"INSERT INTO item SELECT o - 1, owner, place, tenant
                        FROM unnest($1::int[], $2::int[], $3::text[]) WITH ORDINALITY AS u(owner, place, tenant, o)"#;
        sqlx::query(insert)
            .bind(data.items.iter().map(|item| item.0).collect::<Vec<_>>())
            .bind(data.items.iter().map(|item| item.1).collect::<Vec<_>>())
            .bind(data.items.iter().map(|item| item.2).collect::<Vec<_>>())
            .execute(owner.connection())
            .await
            .unwrap();

        let model: Vec<_> = data
            .items
            .iter()
            .map(|&(o, p, given)| given.map_or_else(|| Err(data.expected(o, p, on_conflict)), Ok))
            .collect();
        let open = || model.iter().filter_map(|item| item.err());
        let by = [0, 1, 2, 3]
            .map(|at| (DECIDES[at], open().filter(|e| matches!(e, Ok((_, by)) if *by == at)).count() as u64));
        let left =
            (open().filter(|e| matches!(e, Err(2..))).count() as u64, open().filter(|e| *e == Err(0)).count() as u64);
        for dry_run in [true, false] {
            let options = BackfillOptions { on_conflict, dry_run, batch_time: Duration::from_millis(1), ..fast() };
            let report = backfill_table(&db, Role::Owner, "item", &tenancy, &options, &mut |_| {}).await.unwrap();
            assert_eq!(by_source(&report), by, "{on_conflict:?}, dry run {dry_run}: {data:?}");
            assert_eq!((report.conflicts, report.unresolved, report.assignable), (left.0, left.1, 0), "{data:?}");
            assert!(
                report.assigned == 0 || report.batches > 5,
                "{} batches are no test of their order",
                report.batches
            );
        }
        let found = rows(&mut owner, r#"SELECT "tenantId" FROM item ORDER BY id"#).await;
        for ((row, model), item) in found.iter().zip(&model).zip(&data.items) {
            let expected = model.unwrap_or_else(|expected| expected.map_or("NULL", |(tenant, _)| tenant));
            assert_eq!(row.get::<Option<&str>, _>(0).unwrap_or("NULL"), expected, "{item:?} in {data:?}");
        }
    }
}
