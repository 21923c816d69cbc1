//! Data drawn at random, against a plain, slow model that was written apart from the engine.

use std::collections::BTreeSet;

use backfill_engine::Options;
use local_db::{Role, testing};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use tenant_rls::Tenancy;

use crate::support::{backfill_table, rows, script};
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

#[tokio::test]
async fn every_row_gets_the_tenant_that_the_model_says() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    for _ in 0..6 {
        let cell = prop::sample::select(&IN_A_SOURCE[..]);
        let source = || prop::collection::vec(cell.clone(), 8);
        let pointer = || prop::option::weighted(0.7, 0..8usize);
        let shape = ([source(), source(), source()], prop::collection::vec((pointer(), pointer(), pointer()), 200));
        let (sources, bookings) = shape.new_tree(&mut runner).unwrap().current();

        let db = testing::empty_database().await;
        let mut owner = db.owner().await;
        script(
            &mut owner,
            r#"CREATE TABLE "Tenant" (id text PRIMARY KEY, slug text, name text);
               INSERT INTO "Tenant" SELECT 't' || n, 'slug' || n, '' FROM generate_series(1, 3) n;
               CREATE TABLE a (id int PRIMARY KEY, "tenantId" text); CREATE TABLE b (LIKE a INCLUDING ALL); CREATE TABLE c (LIKE a INCLUDING ALL);
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
        let report =
            backfill_table(&db, Role::Owner, "item", &tenancy, &Options::default(), &mut |_| {}).await.unwrap();

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
