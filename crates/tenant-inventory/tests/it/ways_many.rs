//! How long it takes to read the tables and the ways of a large database.

use std::time::{Duration, Instant};

use local_db::Role;
use tenant_inventory::{Inventory, WayVerdict, read_ways};
use tenant_rls::{ConnectOptions, Database};

use crate::ways_support::{planted, tenancy};

const MANY: &str = r#"DO $$ BEGIN
    FOR n IN 1 .. 300 LOOP
        EXECUTE format('CREATE TABLE many_%s (id int PRIMARY KEY, "tenantId" text NOT NULL, a text, b text, c int)', n);
        EXECUTE format('ALTER TABLE many_%s ENABLE ROW LEVEL SECURITY', n);
        EXECUTE format('ALTER TABLE many_%s FORCE ROW LEVEL SECURITY', n);
        EXECUTE format('ALTER TABLE many_%s OWNER TO app_owner', n);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON many_%s TO app_user', n);
        EXECUTE format('CREATE FUNCTION read_%1$s() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS ''SELECT count(*) FROM many_%1$s''', n);
        IF n % 3 = 0 THEN
            EXECUTE format('CREATE VIEW view_%1$s AS SELECT * FROM many_%1$s; GRANT SELECT ON view_%1$s TO app_user', n);
        END IF;
    END LOOP;
END $$"#;

/// It took 0.17 s in a test build. The limit leaves room for other tests on the same processors.
const LIMIT: Duration = Duration::from_secs(3);

#[tokio::test]
async fn three_hundred_tables_with_as_many_functions_are_read_at_once() {
    let db = planted(MANY).await;
    let options = ConnectOptions { max_connections: 1, ..ConnectOptions::default() };
    let database = Database::connect(&db.url(Role::Owner), &options).await.unwrap();
    let begin = Instant::now();
    let inventory = Inventory::load(&database, &tenancy(), Some("app_user"), &[]).await.unwrap();
    let ways = read_ways(&database, &inventory, "app_user", &[]).await.unwrap();
    let took = begin.elapsed();
    assert_eq!(ways.iter().filter(|way| way.verdict == WayVerdict::Open).count(), 300);
    assert_eq!(ways.iter().filter(|way| matches!(way.verdict, WayVerdict::NeedsAttempt { .. })).count(), 100);
    assert!(took < LIMIT, "{took:?}");
}
