//! What was there stays, or comes back: nothing is dropped that the journal does not call ours.

use local_db::Role;
use rls_rollout::{DecidedBy, Error, KeyAction, Replaced, plan};
use tenancy_config::{Exit, UserError};
use tenant_inventory::Phase;

use crate::support::{after, auto, back, catalog, connect, roll_with, session, small, tables_of};

const TENANTS: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1'), ('t2');"#;

#[tokio::test]
async fn a_check_of_the_applications_with_the_name_of_ours_is_kept() {
    for check in [
        r#"CHECK ("tenantId" IS NOT NULL AND length(v) > 0)"#,
        r#"CHECK ("tenantId" IS NOT NULL)"#,
        r#"CHECK ("tenantId" IS NOT NULL) NOT VALID"#,
    ] {
        let db = small(&format!(
            r#"{TENANTS} CREATE TABLE items (id int PRIMARY KEY, "tenantId" text REFERENCES "Tenant", v text DEFAULT 'x');
               INSERT INTO items VALUES (1, 't1');
               ALTER TABLE items ADD CONSTRAINT "items_tenantId_not_null_check" {check}"#
        ))
        .await;
        let untouched = catalog(&db).await;
        let theirs = |lines: &[String]| -> Vec<String> {
            lines.iter().filter(|line| line.contains("not_null_check")).cloned().collect()
        };
        let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
        assert_eq!(after(&report, "items"), Phase::Enforce, "{check}: {report:#?}");
        assert_eq!(theirs(&catalog(&db).await), theirs(&untouched), "{check}");
        back(&db, Phase::None).await.unwrap();
        assert_eq!(catalog(&db).await, untouched, "{check}");
    }
}

const PARTITIONED: &str = r#"CREATE TABLE items (id int, "tenantId" text, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE items_25 PARTITION OF items FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE items_26 PARTITION OF items FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO items VALUES (1, 't1', '2025-05-05');"#;

#[tokio::test]
async fn a_partitions_own_default_not_null_and_key_come_back() {
    let db = small(&format!(
        r#"{TENANTS} {PARTITIONED} ALTER TABLE ONLY items_25 ALTER "tenantId" SET DEFAULT 't1';
           ALTER TABLE items_25 ALTER "tenantId" SET NOT NULL;
           ALTER TABLE items_25 ADD CONSTRAINT own FOREIGN KEY ("tenantId") REFERENCES "Tenant""#
    ))
    .await;
    let untouched = catalog(&db).await;
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    back(&db, Phase::None).await.unwrap();
    assert_eq!(catalog(&db).await, untouched);
}

#[tokio::test]
async fn a_partition_that_came_to_somebody_else_is_refused_before_the_first_step_back() {
    let db = small(&format!("{TENANTS} {PARTITIONED}")).await;
    roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    session(&db, Role::Superuser)
        .await
        .run_script("preparing", "ALTER TABLE items_26 OWNER TO postgres")
        .await
        .unwrap();
    let rolled_out = catalog(&db).await;
    let error = back(&db, Phase::None).await.unwrap_err();
    assert!(matches!(error, Error::OtherOwner(_)), "{error}");
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.to_string().starts_with("public.items_26 belongs to postgres"), "{error}");
    assert_eq!(catalog(&db).await, rolled_out);
}

#[tokio::test]
async fn the_comments_of_what_is_replaced_come_back() {
    let db = small(&format!(
        r#"{TENANTS} CREATE TABLE items (id int PRIMARY KEY, "tenantId" text);
           ALTER TABLE items ADD CONSTRAINT key FOREIGN KEY ("tenantId") REFERENCES "Tenant" NOT VALID;
           COMMENT ON CONSTRAINT key ON items IS 'since ''24';
           CREATE POLICY rls_tenant_isolation ON items USING (true); COMMENT ON POLICY rls_tenant_isolation ON items IS 'by hand'"#
    ))
    .await;
    roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    back(&db, Phase::None).await.unwrap();
    let mut superuser = session(&db, Role::Superuser).await;
    let comments: Vec<String> = sqlx::query_scalar(
        "SELECT description FROM pg_description WHERE classoid IN ('pg_policy'::regclass, 'pg_constraint'::regclass)
             AND objoid >= 16384 ORDER BY 1",
    )
    .fetch_all(superuser.connection())
    .await
    .unwrap();
    assert_eq!(comments, ["by hand", "since '24"]);
}

#[tokio::test]
async fn a_new_key_does_what_the_schemas_others_do_unless_somebody_decided_otherwise() {
    for (parents, toml, action, by, rows_left) in [
        ("", "", KeyAction::NoAction, DecidedBy::Nobody, None),
        ("ON DELETE CASCADE", "", KeyAction::Cascade, DecidedBy::OtherKeys, Some(1)),
        ("ON DELETE SET NULL", "", KeyAction::NoAction, DecidedBy::Nobody, None),
        (
            "ON DELETE CASCADE",
            "[tables.items]\non_delete = \"restrict\"\n",
            KeyAction::Restrict,
            DecidedBy::Declared,
            None,
        ),
        ("ON DELETE RESTRICT", "", KeyAction::Restrict, DecidedBy::OtherKeys, None),
    ] {
        let by = if parents.is_empty() { DecidedBy::OtherKeys } else { by };
        let db = small(&format!(
            r#"{TENANTS} CREATE TABLE parent (id int PRIMARY KEY, other text REFERENCES "Tenant" {parents});
               CREATE TABLE items (id int PRIMARY KEY, "tenantId" text); INSERT INTO items VALUES (1, 't1'), (2, 't2')"#
        ))
        .await;
        let tenancy = tables_of(toml);
        let database = connect(&db, Role::Owner).await;
        let planned = plan(&database, &tenancy, &auto()).await.unwrap();
        let key = planned.tables[0].foreign_key.clone().unwrap();
        assert_eq!((key.on_delete, key.decided_by), (action, by), "{parents} {toml}");
        assert!(planned.script().contains("-- public.items: a new foreign key"), "{}", planned.script());
        roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
        let mut superuser = session(&db, Role::Superuser).await;
        let gone = sqlx::query(r#"DELETE FROM "Tenant" WHERE id = 't1'"#).execute(superuser.connection()).await;
        let left: i64 =
            sqlx::query_scalar("SELECT count(*) FROM items").fetch_one(superuser.connection()).await.unwrap();
        assert_eq!((gone.is_ok(), left), (rows_left.is_some(), rows_left.unwrap_or(2)), "{parents} {toml}");
    }
}

#[tokio::test]
async fn a_default_of_the_applications_that_is_replaced_stands_in_plan_and_report() {
    let db =
        small(&format!(r#"{TENANTS} CREATE TABLE items (id int PRIMARY KEY, "tenantId" text NOT NULL DEFAULT 't1')"#))
            .await;
    let untouched = catalog(&db).await;
    let database = connect(&db, Role::Owner).await;
    let lost = Replaced::Default { phase: Phase::Prepare, expression: "'t1'::text".to_owned() };
    let planned = plan(&database, &tables_of(""), &auto()).await.unwrap();
    assert_eq!(planned.tables[0].replaces, std::slice::from_ref(&lost));
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    assert_eq!(report.tables[0].replaced, [lost]);
    back(&db, Phase::None).await.unwrap();
    assert_eq!(catalog(&db).await, untouched);
}

#[tokio::test]
async fn a_table_that_is_declared_exempt_later_goes_back_with_the_others() {
    let db = small(&format!(r#"{TENANTS} CREATE TABLE items (id int PRIMARY KEY, "tenantId" text)"#)).await;
    let untouched = catalog(&db).await;
    roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    let database = connect(&db, Role::Owner).await;
    let exempt = tables_of("[tables.items]\nexempt = \"a list of jobs\"\n");
    let (_go, stop) = tokio::sync::watch::channel(false);
    let all = crate::support::all_the_way_back();
    rls_rollout::rollback(&database, &exempt, &all, "a test", stop, &mut |_| ()).await.unwrap();
    assert_eq!(catalog(&db).await, untouched);
}
