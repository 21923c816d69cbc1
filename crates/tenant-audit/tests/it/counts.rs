//! Planted faults are counted exactly.

use local_db::Role;
use tenancy_config::Tenancy;
use tenant_audit::{AuditOptions, AuditProgress, MissingPiece, audit};

use crate::support::{audit_as, connect, no_expected_tables, plant, run, table};

#[tokio::test]
async fn planted_faults_are_counted_exactly() {
    let db = test_support::database().await;
    plant(&db).await;
    let report = audit_as(&db, Role::Owner, &Tenancy::default(), &[]).await.unwrap();
    let bookings = table(&report, "public.bookings");
    assert_eq!((bookings.rows, bookings.null_rows, bookings.empty_rows, bookings.ghost_rows), (8, 2, 1, Some(1)));
    let crossing: Vec<_> = bookings.cross_references.iter().map(|key| (key.constraint.as_str(), key.rows)).collect();
    let expected =
        [("bookings_clientId_fkey", 2), ("bookings_serviceId_fkey", 2), ("bookings_serviceRequestId_fkey", 0)];
    assert_eq!(crossing, expected);
    assert_eq!(bookings.missing, [MissingPiece::NotNull]);
    assert_eq!(bookings.findings(), 2 + 1 + 1 + 4 + 1);
    let totals = &report.totals;
    assert_eq!((totals.null_rows, totals.empty_rows, totals.ghost_rows, totals.cross_rows), (3, 1, 1, 4));
    assert!(report.next.iter().any(|step| step.contains("cargo xtask backfill-bookings")), "{:?}", report.next);
}

#[tokio::test]
async fn messages_without_a_tenant_have_a_command_of_their_own() {
    let db = test_support::database().await;
    let message =
        r#"INSERT INTO chat_messages (id, "userId", "userName", role, room, text) VALUES ('m', 'u', '', '', '', '')"#;
    run(&db, message).await;
    let report = audit_as(&db, Role::Owner, &Tenancy::default(), &["chat_messages"]).await.unwrap();
    let first =
        "give public.chat_messages their tenant: `cargo xtask assign-chat-messages --dry-run`, then without --dry-run";
    assert_eq!(report.next[0], first);
    assert!(report.next.iter().all(|step| !step.contains("find the tenant")), "{:?}", report.next);
}

#[tokio::test]
async fn rows_of_the_whole_platform_are_no_finding() {
    let db = test_support::database().await;
    plant(&db).await;
    let report = audit_as(&db, Role::Owner, &Tenancy::default(), &["audit_logs"]).await.unwrap();
    let logs = table(&report, "public.audit_logs");
    assert_eq!((logs.rows, logs.null_rows, logs.null_findings()), (1, 1, 0));
    assert!(!logs.missing.contains(&MissingPiece::NotNull));
    assert_eq!((report.totals.null_rows, report.totals.platform_rows), (0, 1));
}

#[tokio::test]
async fn references_across_tenants_that_are_declared_are_no_finding_and_the_reason_is_repeated() {
    let db = test_support::database().await;
    plant(&db).await;
    let mut tenancy = Tenancy::default();
    tenancy.tables.get_mut("bookings").unwrap().cross_tenant_references = Some("clients book anywhere".to_owned());
    let report = audit_as(&db, Role::Owner, &tenancy, &["bookings"]).await.unwrap();
    let bookings = table(&report, "public.bookings");
    assert_eq!((bookings.cross_rows(), bookings.cross_findings(), bookings.findings()), (4, 0, 2 + 1 + 1 + 1));
    assert_eq!((report.totals.cross_rows, report.totals.allowed_cross_rows), (4, 4));
    let said: Vec<String> = report.declared.iter().map(ToString::to_string).collect();
    let declared =
        "public.bookings: 4 that reference another tenant's row, cross_tenant_references: clients book anywhere";
    assert_eq!(said, [declared]);
    assert!(report.next.iter().all(|step| !step.contains("row by row")), "{:?}", report.next);
}

#[tokio::test]
async fn an_audit_says_which_tables_it_is_not_about() {
    let db = test_support::empty_database().await;
    run(
        &db,
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY);
           CREATE TABLE counted (id int PRIMARY KEY, "tenantId" text);
           CREATE TABLE items (id int, of int REFERENCES counted);
           CREATE TABLE teams (id int, "organizationId" text);
           CREATE TABLE words (id int);"#,
    )
    .await;
    let report = audit_as(&db, Role::Superuser, &no_expected_tables(), &[]).await.unwrap();
    let said = "1 covered; 1 dependent: public.items; 1 suspect: public.teams";
    assert_eq!((report.coverage.to_string().as_str(), report.coverage.unrelated), (said, 1));
}

#[tokio::test]
async fn a_database_without_a_fault_has_no_finding_and_nothing_to_do() {
    let db = test_support::empty_database().await;
    run(
        &db,
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY);
           CREATE TABLE clean (id int PRIMARY KEY, "tenantId" text NOT NULL REFERENCES "Tenant");
           CREATE INDEX ON clean ("tenantId");
           INSERT INTO "Tenant" VALUES ('a');
           INSERT INTO clean VALUES (1, 'a');"#,
    )
    .await;
    let report = audit_as(&db, Role::Superuser, &no_expected_tables(), &[]).await.unwrap();
    assert_eq!((report.totals.rows, report.findings()), (1, 0));
    assert!(report.next.is_empty());
}

#[tokio::test]
async fn a_validated_not_null_is_proof_and_is_not_scanned_for() {
    let db = test_support::database().await;
    plant(&db).await;
    let report = audit_as(&db, Role::Owner, &Tenancy::default(), &["tenant_memberships", "bookings"]).await.unwrap();
    assert!(table(&report, "public.tenant_memberships").null_proven);
    assert!(!table(&report, "public.bookings").null_proven);
    // Only a forged proof shows that nobody looks: the NULLs are still there.
    run(
        &db,
        "UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 'bookings'::regclass AND attname = 'tenantId'",
    )
    .await;
    let report = audit_as(&db, Role::Superuser, &Tenancy::default(), &["bookings"]).await.unwrap();
    let bookings = table(&report, "public.bookings");
    assert_eq!((bookings.null_proven, bookings.null_rows, bookings.rows), (true, 0, 8));
}

#[tokio::test]
async fn names_with_quotes_spaces_and_capitals_are_read_as_they_are() {
    let db = test_support::empty_database().await;
    run(
        &db,
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY);
           CREATE SCHEMA "My Schema";
           CREATE TABLE "My Schema"."We""ird table" ("K:ey" int PRIMARY KEY, "tenantId" text, "pa'rent" int);
           ALTER TABLE "My Schema"."We""ird table"
               ADD CONSTRAINT "it's; a ""key""" FOREIGN KEY ("pa'rent") REFERENCES "My Schema"."We""ird table";
           INSERT INTO "Tenant" VALUES ('a'), ('b');
           INSERT INTO "My Schema"."We""ird table" VALUES (1, 'a', NULL), (2, 'b', 1), (3, 'a', 1), (4, NULL, 2), (5, 'x', NULL);"#,
    )
    .await;
    let report = audit_as(&db, Role::Superuser, &no_expected_tables(), &["My Schema.We\"ird table"]).await.unwrap();
    let weird = table(&report, "My Schema.We\"ird table");
    assert_eq!((weird.rows, weird.null_rows, weird.ghost_rows), (5, 1, Some(1)));
    assert_eq!((weird.cross_references[0].constraint.as_str(), weird.cross_rows()), ("it's; a \"key\"", 1));
}

#[tokio::test]
async fn uuids_and_integers_are_tenant_ids_too_and_text_is_compared_with_them() {
    let db = test_support::empty_database().await;
    run(
        &db,
        r#"CREATE TABLE "Tenant" (id uuid PRIMARY KEY);
           CREATE TABLE of_uuid (id int PRIMARY KEY, tenant_id uuid);
           CREATE TABLE of_text (id int PRIMARY KEY, tenant_id varchar(40), parent int REFERENCES of_uuid);
           CREATE TABLE of_int (id int PRIMARY KEY, tenant_id int);
           INSERT INTO "Tenant" VALUES ('00000000-0000-4000-8000-000000000001'), ('00000000-0000-4000-8000-000000000002');
           INSERT INTO of_uuid VALUES (1, '00000000-0000-4000-8000-000000000001'), (2, gen_random_uuid()), (3, NULL);
           INSERT INTO of_text VALUES (1, '00000000-0000-4000-8000-000000000001', 1), (2, '', 1), (3, NULL, 1),
                                      (4, '00000000-0000-4000-8000-000000000002', 1), (5, 'nobody', NULL);
           INSERT INTO of_int VALUES (1, 7);"#,
    )
    .await;
    let report = audit_as(&db, Role::Superuser, &no_expected_tables(), &[]).await.unwrap();
    let faults = |name| {
        let table = table(&report, name);
        (table.null_rows, table.empty_rows, table.ghost_rows, table.cross_rows())
    };
    assert_eq!(faults("public.of_uuid"), (1, 0, Some(1), 0));
    assert_eq!(faults("public.of_text"), (1, 1, Some(1), 1));
    assert_eq!(faults("public.of_int"), (0, 0, Some(1), 0));
}

/// The server checks nothing that was there before such a key.
#[tokio::test]
async fn a_key_of_which_the_tenant_is_a_part_is_counted_where_it_does_not_hold() {
    let db = test_support::empty_database().await;
    run(
        &db,
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY);
           INSERT INTO "Tenant" VALUES ('a'), ('b');
           CREATE TABLE parent (id int PRIMARY KEY, slug text NOT NULL, tenant_id text NOT NULL REFERENCES "Tenant",
               UNIQUE (tenant_id, id), UNIQUE (tenant_id, slug));
           INSERT INTO parent VALUES (1, 'x', 'a'), (2, 'x', 'b'), (3, 'y', 'b');
           CREATE TABLE by_id (id int PRIMARY KEY, parent int, tenant_id text);
           INSERT INTO by_id VALUES (1, 1, 'a'), (2, 3, 'a'), (3, 9, 'a'), (4, NULL, 'a'), (5, 1, NULL), (6, 1, '');
           ALTER TABLE by_id ADD FOREIGN KEY (tenant_id, parent) REFERENCES parent (tenant_id, id) NOT VALID;
           CREATE TABLE by_slug (id int PRIMARY KEY, slug text, tenant_id text);
           INSERT INTO by_slug VALUES (1, 'x', 'a'), (2, 'x', 'b'), (3, 'y', 'a');
           ALTER TABLE by_slug ADD FOREIGN KEY (slug, tenant_id) REFERENCES parent (slug, tenant_id) NOT VALID"#,
    )
    .await;
    let report = audit_as(&db, Role::Superuser, &no_expected_tables(), &[]).await.unwrap();
    assert_eq!(table(&report, "public.by_id").cross_rows(), 1, "the row of a that has a row of b");
    assert_eq!(table(&report, "public.by_slug").cross_rows(), 1, "what each tenant has is no reference to another");
}

#[tokio::test]
async fn a_valid_key_of_which_the_tenant_is_a_part_proves_that_the_tenant_exists() {
    let db = test_support::empty_database().await;
    run(
        &db,
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY);
           CREATE TABLE parent (id int PRIMARY KEY, tenant_id text NOT NULL REFERENCES "Tenant", UNIQUE (tenant_id, id));
           CREATE TABLE child (id int PRIMARY KEY, parent int NOT NULL, tenant_id text NOT NULL, UNIQUE (tenant_id, id),
               FOREIGN KEY (tenant_id, parent) REFERENCES parent (tenant_id, id));
           CREATE TABLE grandchild (child int NOT NULL, tenant_id text NOT NULL,
               FOREIGN KEY (tenant_id, child) REFERENCES child (tenant_id, id));
           CREATE TABLE maybe (parent int, tenant_id text NOT NULL,
               FOREIGN KEY (tenant_id, parent) REFERENCES parent (tenant_id, id));
           CREATE TABLE unchecked (parent int NOT NULL, tenant_id text NOT NULL);
           ALTER TABLE unchecked ADD FOREIGN KEY (tenant_id, parent) REFERENCES parent (tenant_id, id) NOT VALID"#,
    )
    .await;
    let report = audit_as(&db, Role::Superuser, &no_expected_tables(), &[]).await.unwrap();
    let lacks = |name: &str| table(&report, name).missing.contains(&tenant_audit::MissingPiece::ForeignKey);
    let all = ["parent", "child", "grandchild", "maybe", "unchecked"].map(|name| lacks(&format!("public.{name}")));
    assert_eq!(all, [false, false, false, true, true]);
}

#[tokio::test]
async fn partitions_count_once_for_their_parent_and_children_for_themselves() {
    let db = test_support::empty_database().await;
    run(
        &db,
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY);
           CREATE TABLE parted (id int, tenant_id text) PARTITION BY RANGE (id);
           CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
           CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
           INSERT INTO parted VALUES (1, NULL), (11, NULL);
           CREATE TABLE elder (id int, tenant_id text);
           CREATE TABLE younger () INHERITS (elder);
           INSERT INTO elder VALUES (1, NULL);
           INSERT INTO younger VALUES (1, NULL), (2, NULL);"#,
    )
    .await;
    let report = audit_as(&db, Role::Superuser, &no_expected_tables(), &[]).await.unwrap();
    let rows: Vec<_> = report.tables.iter().map(|table| (table.table.name().as_str(), table.null_rows)).collect();
    assert_eq!(rows, [("elder", 1), ("parted", 2), ("younger", 2)]);
}

#[tokio::test]
async fn progress_names_every_table_once() {
    let db = test_support::database().await;
    let database = connect(&db, Role::Owner).await;
    let (mut planned, mut counted) = (0, Vec::new());
    let report = audit(&database, &Tenancy::default(), &AuditOptions::default(), &mut |progress| match progress {
        AuditProgress::Planned { tables, .. } => planned = tables,
        AuditProgress::Counted { table, .. } | AuditProgress::NotCounted { table, .. } => counted.push(table),
    })
    .await
    .unwrap();
    counted.sort();
    let tables: Vec<_> = report.tables.iter().map(|table| table.table.clone()).collect();
    assert_eq!((planned, &counted), (tables.len(), &tables));
}

#[tokio::test]
async fn the_report_as_json_has_its_version_and_every_number() {
    let db = test_support::database().await;
    plant(&db).await;
    let report = audit_as(&db, Role::Owner, &Tenancy::default(), &["bookings"]).await.unwrap();
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["schema"], "tenant-audit/2");
    let client = serde_json::json!({
        "constraint": "bookings_clientId_fkey", "columns": ["clientId"], "references": "public.users", "rows": 2
    });
    let bookings = &json["tables"][0];
    assert_eq!((&bookings["table"], &bookings["cross_references"][0]), (&"public.bookings".into(), &client));
    assert_eq!(bookings["missing"], serde_json::json!(["not_null"]));
    let totals = serde_json::json!({
        "tables": 1, "rows": 8, "null_rows": 2, "platform_rows": 0, "empty_rows": 1, "ghost_rows": 1, "cross_rows": 4,
        "allowed_cross_rows": 0, "missing": 1, "uncounted": 0, "findings": 9
    });
    assert_eq!(json["totals"], totals);
}
