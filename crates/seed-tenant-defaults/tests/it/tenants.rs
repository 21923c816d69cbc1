//! What a tenant gets, and what is left as it was.

use seed_tenant_defaults::{SeedOptions, TenantSelection};

use crate::support::{UNEVEN, new_tenants, number, one, seed, tenants, text, told};

#[tokio::test]
async fn a_tenant_gets_the_defaults_and_its_name() {
    let db = tenants().await;
    let report = seed(&db, &one("acme")).await.unwrap();
    assert_eq!(told(&report), ["acme created"]);
    let row = r#"SELECT jsonb_pretty((to_jsonb(o) || to_jsonb(s)) - ARRAY['id', 'createdAt', 'updatedAt'])
                 FROM organization_settings AS o JOIN security_settings AS s USING ("tenantId")"#;
    insta::assert_snapshot!(text(&db, row).await);
    let filled = r#"SELECT count(*) FROM organization_settings AS o JOIN security_settings AS s USING ("tenantId")
                    WHERE o.id ~ '^c[0-9a-f]{24}$' AND s.id ~ '^c[0-9a-f]{24}$' AND o.id <> s.id
                      AND o."createdAt" = o."updatedAt" AND s."createdAt" = s."updatedAt"
                      AND abs(extract(epoch FROM o."updatedAt" - (now() AT TIME ZONE 'UTC'))) < 300"#;
    assert_eq!(number(&db, filled).await, 1);
}

#[tokio::test]
async fn a_name_that_is_given_is_taken() {
    let db = tenants().await;
    let whom = TenantSelection::One { tenant: "t_acme".into(), organization_name: Some("Acme \"the\" Corp".into()) };
    seed(&db, &SeedOptions::new(whom)).await.unwrap();
    assert_eq!(text(&db, "SELECT name FROM organization_settings").await, "Acme \"the\" Corp");
}

#[tokio::test]
async fn what_is_there_is_never_changed() {
    let db = tenants().await;
    let mut superuser = db.superuser().await;
    let planted = r#"INSERT INTO organization_settings (id, "tenantId", name, "updatedAt") VALUES ('old', 't_acme', 'Old', '2020-01-01')"#;
    superuser.run_script("planting settings", planted).await.unwrap();
    let state =
        "SELECT string_agg(ctid::text || xmin::text || o::text, ',' ORDER BY id) FROM organization_settings AS o";
    let before = text(&db, state).await;
    let whom = TenantSelection::One { tenant: "acme".into(), organization_name: Some("New".into()) };
    let first = seed(&db, &SeedOptions::new(whom)).await.unwrap();
    assert_eq!(first.created, 1, "it lacked the other table's row");
    assert_eq!(
        first.tables.iter().map(|table| (table.created, table.already_there)).collect::<Vec<_>>(),
        [(0, 1), (1, 0)]
    );
    assert_eq!(text(&db, state).await, before);
    let again = seed(&db, &one("acme")).await.unwrap();
    assert_eq!((again.created, again.already_there, again.failed), (0, 1, 0));
    assert_eq!(text(&db, state).await, before);
}

#[tokio::test]
async fn two_at_once_give_each_tenant_one_row() {
    let db = tenants().await;
    let csv = new_tenants(300);
    let options = SeedOptions { create: true, ..csv.options() };
    let (first, second) = tokio::join!(seed(&db, &options), seed(&db, &options));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.failed, second.failed), (0, 0), "{first:#?}{second:#?}");
    assert_eq!(first.tenants_made + second.tenants_made, 300);
    for (one, other) in first.tables.iter().zip(&second.tables) {
        assert_eq!(one.created + other.created, 300, "{}", one.table);
    }
    seed(&db, &SeedOptions::new(TenantSelection::All)).await.unwrap();
    assert_eq!(number(&db, UNEVEN).await, 0);
}

#[tokio::test]
async fn a_row_that_another_is_just_inserting_is_waited_for_and_found() {
    let db = tenants().await;
    let mut other = db.superuser().await;
    let insert = r#"BEGIN; INSERT INTO organization_settings (id, "tenantId", name, "updatedAt") VALUES ('o', 't_acme', 'Other', now())"#;
    other.run_script("inserting, not committed", insert).await.unwrap();
    let commits_when_it_waits = async {
        db.until_waiting().await;
        other.run_script("committing", "COMMIT").await.unwrap();
    };
    let options = one("acme");
    let (report, ()) = tokio::join!(seed(&db, &options), commits_when_it_waits);
    let report = report.unwrap();
    assert_eq!(told(&report), ["acme created"]);
    let counts: Vec<_> = report.tables.iter().map(|table| (table.created, table.already_there)).collect();
    assert_eq!(counts, [(0, 1), (1, 0)]);
    assert_eq!(text(&db, "SELECT name FROM organization_settings").await, "Other");
}

#[tokio::test]
async fn one_bad_tenant_does_not_stop_the_others_and_keeps_nothing() {
    let db = tenants().await;
    db.owner().await.run_script("refusing a tenant", include_str!("refuse.sql")).await.unwrap();
    let report = seed(&db, &SeedOptions::new(TenantSelection::All)).await.unwrap();
    assert_eq!(
        told(&report),
        ["acme created", "globex failed: inserting the tenant's rows: not this one [SQLSTATE P0001]"]
    );
    assert_eq!((report.created, report.failed, report.failures.len()), (1, 1, 1));
    let half = r#"SELECT count(*) FROM organization_settings WHERE "tenantId" = 't_globex'"#;
    assert_eq!(number(&db, half).await, 0, "its other table's row went with it");
}

#[tokio::test]
async fn a_dry_run_counts_the_same_and_keeps_nothing() {
    let db = tenants().await;
    let dry = seed(&db, &SeedOptions { dry_run: true, ..SeedOptions::new(TenantSelection::All) }).await.unwrap();
    assert_eq!(number(&db, "SELECT count(*) FROM organization_settings").await, 0);
    let run = seed(&db, &SeedOptions::new(TenantSelection::All)).await.unwrap();
    assert_eq!((dry.created, &dry.tables, told(&dry)), (run.created, &run.tables, told(&run)));
}
