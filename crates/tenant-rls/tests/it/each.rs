//! The scope that reads many tables, each by itself.

use local_db::Role;
use sqlx::Row;
use tenancy_config::{Ident, Tenancy};
use tenant_rls::{Access, ActingRole, Database, EachReader, EachTx, Error, visibility};
use test_support::TestDb;

use crate::support::{access, connect};

/// Tables that the owner sees as itself, as the auditor by our policy, and not at all.
const TABLES: &str = r#"
    CREATE TABLE plain AS SELECT n FROM generate_series(1, 3) AS n;
    CREATE TABLE audited AS SELECT n FROM generate_series(1, 4) AS n;
    CREATE POLICY tenant_auditor_read ON audited FOR SELECT TO tenant_auditor USING (current_user = 'tenant_auditor');
    GRANT SELECT (n) ON audited TO tenant_auditor;
    CREATE TABLE hidden AS SELECT n FROM generate_series(1, 5) AS n;
    GRANT SELECT (n) ON hidden TO tenant_auditor;
    ALTER TABLE audited ENABLE ROW LEVEL SECURITY; ALTER TABLE audited FORCE ROW LEVEL SECURITY;
    ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; ALTER TABLE hidden FORCE ROW LEVEL SECURITY;
    GRANT USAGE ON SCHEMA public TO tenant_auditor;
"#;

async fn tables() -> TestDb {
    let db = test_support::empty_database().await;
    db.owner().await.run_script("preparing a test", TABLES).await.unwrap();
    db
}

async fn readers(database: &Database, tables: &[&str]) -> Vec<EachReader> {
    let candidates = visibility::readers(database, &Tenancy::default()).unwrap();
    let wanted: Vec<Vec<Access>> = tables.iter().map(|table| vec![access(table, &["n"])]).collect();
    EachReader::of_each(database, wanted, &candidates).await.unwrap()
}

async fn count(tx: &mut EachTx, reader: &EachReader, statement: &'static str) -> Result<i64, Error> {
    let connection = tx.enter(reader).await?;
    let row = sqlx::raw_sql(statement).fetch_one(connection).await.map_err(Error::query("counting"))?;
    Ok(row.get("count"))
}

#[tokio::test]
async fn each_table_is_read_by_a_role_that_sees_all_of_it_and_a_failure_is_that_tables_alone() {
    let db = tables().await;
    let database = connect(&db, Role::Owner, 1).await;
    let readers = readers(&database, &["plain", "hidden", "audited", "gone"]).await;
    let mut tx = EachTx::begin(&database).await.unwrap();
    assert_eq!(count(&mut tx, &readers[0], "SELECT count(*) FROM public.plain").await.unwrap(), 3);
    let hidden = count(&mut tx, &readers[1], "SELECT count(*) FROM public.hidden").await.unwrap_err();
    assert!(matches!(&hidden, Error::CannotSee(found) if found.iter().any(|one| one.filters())), "{hidden}");
    let failed = count(&mut tx, &readers[2], "SELECT count(*) FROM public.audited WHERE 1 / (n - n) = 0").await;
    assert_eq!(failed.unwrap_err().sqlstate(), Some("22012"));
    assert_eq!(count(&mut tx, &readers[2], "SELECT count(*) FROM public.audited").await.unwrap(), 4);
    let gone = count(&mut tx, &readers[3], "SELECT count(*) FROM public.gone").await.unwrap_err();
    assert!(matches!(gone, Error::CannotSee(_)), "{gone}");
    assert_eq!(count(&mut tx, &readers[0], "SELECT count(*) FROM public.plain").await.unwrap(), 3);
    let write = sqlx::raw_sql("DELETE FROM public.plain").execute(tx.enter(&readers[0]).await.unwrap()).await;
    assert!(write.unwrap_err().to_string().contains("read-only"));
    tx.close().await.unwrap();
}

#[tokio::test]
async fn a_role_that_is_filtered_since_gets_an_error_and_not_a_smaller_number() {
    let db = tables().await;
    let database = connect(&db, Role::Owner, 1).await;
    let readers = readers(&database, &["plain", "audited"]).await;
    let mut tx = EachTx::begin(&database).await.unwrap();
    let close = "ALTER TABLE plain ENABLE ROW LEVEL SECURITY; ALTER TABLE plain FORCE ROW LEVEL SECURITY;
                 ALTER POLICY tenant_auditor_read ON audited USING (current_user = 'tenant_auditor' AND n > 1)";
    db.owner().await.run_script("preparing a test", close).await.unwrap();
    let plain = count(&mut tx, &readers[0], "SELECT count(*) FROM public.plain").await.unwrap_err();
    assert!(plain.to_string().contains("row-level security"), "{plain}");
    let audited = count(&mut tx, &readers[1], "SELECT count(*) FROM public.audited").await.unwrap_err();
    assert!(matches!(audited, Error::CannotSee(_)), "{audited}");
}

#[tokio::test]
async fn no_lock_outlives_its_table_and_the_policy_of_the_reader_cannot_change_under_it() {
    let db = tables().await;
    let database = connect(&db, Role::Owner, 1).await;
    let readers = readers(&database, &["audited", "plain"]).await;
    let mut tx = EachTx::begin(&database).await.unwrap();
    tx.enter(&readers[0]).await.unwrap();
    let change = "SET lock_timeout = '50ms'; DROP POLICY tenant_auditor_read ON audited";
    let mut other = db.owner().await;
    let refused = other.run_script("changing a policy", change).await.unwrap_err();
    assert_eq!(refused.sqlstate(), Some("55P03"), "{refused}");
    tx.enter(&readers[1]).await.unwrap();
    other.run_script("changing a policy", change).await.unwrap();
}

#[tokio::test]
async fn a_role_that_cannot_be_acted_as_is_an_obstacle_of_every_table_that_needs_it() {
    let db = tables().await;
    let database = connect(&db, Role::Owner, 1).await;
    let candidates = [
        ActingRole::Login(database.session().role.clone()),
        ActingRole::Assumed(Ident::new("postgres").unwrap()),
        ActingRole::Assumed(Ident::new("tenant_auditor").unwrap()),
    ];
    let wanted = ["plain", "hidden", "audited"].map(|table| vec![access(table, &["n"])]);
    let readers = EachReader::of_each(&database, wanted.into(), &candidates).await.unwrap();
    let mut tx = EachTx::begin(&database).await.unwrap();
    let Err(Error::CannotSee(obstacles)) = tx.enter(&readers[1]).await.map(drop) else { panic!() };
    let said: Vec<String> = obstacles.iter().map(ToString::to_string).collect();
    assert!(said.iter().any(|one| one == "this login cannot act as postgres"), "{said:?}");
    assert_eq!(count(&mut tx, &readers[2], "SELECT count(*) FROM public.audited").await.unwrap(), 4);
}
