//! Which tenants are seeded, made, refused.

use seed_tenant_defaults::{SeedOptions, TenantSelection};
use tenancy_config::Exit;
use tenancy_config::UserError;

use crate::support::{Csv, UNEVEN, new_tenants, number, one, seed, tenants, text, told};

#[tokio::test]
async fn all_means_every_tenant_in_use() {
    let db = tenants().await;
    let report = seed(&db, &SeedOptions::new(TenantSelection::All)).await.unwrap();
    assert_eq!(told(&report), ["acme created", "globex created"]);
    assert_eq!(number(&db, UNEVEN).await, 0);
    let all = SeedOptions { include_inactive: true, ..SeedOptions::new(TenantSelection::All) };
    let report = seed(&db, &all).await.unwrap();
    assert_eq!(told(&report), ["acme already_there", "globex already_there", "hooli created", "initech created"]);
}

#[tokio::test]
async fn more_tenants_than_are_looked_up_at_once_are_all_seeded() {
    let db = tenants().await;
    let more = r#"INSERT INTO "Tenant" (id, slug, name, "updatedAt") SELECT 'm' || n, 'more-' || n, '', now() FROM generate_series(1, 1201) AS n"#;
    db.superuser().await.run_script("making tenants", more).await.unwrap();
    let report = seed(&db, &SeedOptions::new(TenantSelection::All)).await.unwrap();
    assert_eq!((report.tenants, report.created), (1_203, 1_203));
    assert!(report.lines.is_empty(), "too many to list");
    assert_eq!(number(&db, UNEVEN).await, 0);
}

#[tokio::test]
async fn an_unknown_tenant_gets_a_suggestion() {
    let db = tenants().await;
    let error = seed(&db, &one("acne")).await.unwrap_err();
    assert_eq!(error.to_string(), "no tenant has the id or slug `acne`");
    assert_eq!((error.hint(), error.exit()), (Some("did you mean `acme`?".into()), Exit::Usage));
}

#[tokio::test]
async fn a_tenant_that_is_not_in_use_is_refused_unless_that_is_wanted() {
    let db = tenants().await;
    for (tenant, status) in [("initech", "SUSPENDED"), ("hooli", "DECOMMISSIONED")] {
        let error = seed(&db, &one(tenant)).await.unwrap_err();
        assert_eq!(error.to_string(), format!("tenant {tenant} is {status}; nothing was written"));
        assert_eq!(error.exit(), Exit::Refused);
    }
    assert_eq!(number(&db, "SELECT count(*) FROM security_settings").await, 0);
    let report = seed(&db, &SeedOptions { include_inactive: true, ..one("initech") }).await.unwrap();
    assert_eq!(told(&report), ["initech created"]);
}

#[tokio::test]
async fn lines_of_a_file_fail_by_themselves() {
    let db = tenants().await;
    let csv = Csv::new("tenant,organization_name\nnobody,\ninitech,\nglobex,\"Globex, Inc.\"\nt_acme,\n");
    let report = seed(&db, &csv.options()).await.unwrap();
    assert_eq!(
        told(&report),
        [
            "2 nobody failed: no tenant has the id or slug `nobody`",
            "3 initech failed: the tenant is SUSPENDED",
            "4 globex created",
            "5 acme created",
        ]
    );
    let names = "SELECT string_agg(name, '; ' ORDER BY name COLLATE \"C\") FROM organization_settings";
    assert_eq!(text(&db, names).await, "Globex, Inc.; acme");
}

#[tokio::test]
async fn a_tenant_named_by_id_and_by_slug_is_noticed_before_anything_is_written() {
    let db = tenants().await;
    let filler: String = (0..600).map(|n| format!("nobody-{n},\n")).collect();
    let csv = Csv::new(format!("tenant,organization_name\nglobex,One\n{filler}t_globex,Two\n"));
    let error = seed(&db, &csv.options()).await.unwrap_err();
    assert_eq!(
        csv.message(&error),
        "tenants.csv:603: column 1 (tenant): `t_globex` is the tenant of line 2, by its other name (id or slug)"
    );
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(number(&db, "SELECT count(*) FROM organization_settings").await, 0);
}

#[tokio::test]
async fn a_file_that_changed_since_it_was_checked_is_not_used() {
    let db = tenants().await;
    let csv = Csv::new("tenant,organization_name\nacme,\n");
    let options = csv.options();
    std::fs::write(csv.path(), "tenant,organization_name\nacme,\nglobex,\n").unwrap();
    let error = seed(&db, &options).await.unwrap_err();
    assert_eq!(csv.message(&error).lines().next(), Some("tenants.csv was changed while it was being read"));
}

#[tokio::test]
async fn a_thousand_new_tenants_are_made_with_their_settings() {
    let db = tenants().await;
    let csv = new_tenants(1_000);
    let dry = seed(&db, &SeedOptions { create: true, dry_run: true, ..csv.options() }).await.unwrap();
    assert_eq!((dry.tenants_made, dry.created, dry.failed), (1_000, 1_000, 0));
    assert_eq!(number(&db, r#"SELECT count(*) FROM "Tenant""#).await, 4, "a dry run keeps none");
    let report = seed(&db, &SeedOptions { create: true, ..csv.options() }).await.unwrap();
    assert_eq!((report.tenants_made, report.created, report.failed), (1_000, 1_000, 0));
    let made = r#"SELECT count(*) FROM "Tenant" AS t JOIN organization_settings AS o ON o."tenantId" = t.id
                  WHERE t.slug ~ '^tenant-[0-9]+$' AND t.name = o.name AND t.status = 'ACTIVE' AND t.id ~ '^c[0-9a-f]{24}$'"#;
    assert_eq!(number(&db, made).await, 1_000);
    let again = seed(&db, &SeedOptions { create: true, ..csv.options() }).await.unwrap();
    assert_eq!((again.tenants_made, again.created, again.already_there), (0, 0, 1_000));
}

#[tokio::test]
async fn a_tenant_that_cannot_be_made_fails_by_itself() {
    let db = tenants().await;
    let check = r#"ALTER TABLE "Tenant" ADD CHECK (slug <> 'forbidden')"#;
    db.owner().await.run_script("refusing a slug", check).await.unwrap();
    let csv = Csv::new("tenant,organization_name\nAcme Corp,\nforbidden,\nnew,New\nacme,\n");
    let report = seed(&db, &SeedOptions { create: true, ..csv.options() }).await.unwrap();
    let told = told(&report);
    assert_eq!(
        told[0],
        "2 Acme Corp failed: no tenant `Acme Corp` can be made: a slug has small letters, digits, - and _ between them"
    );
    assert!(
        told[1].starts_with("3 forbidden failed: making tenants: new row for relation \"Tenant\" violates"),
        "{told:?}"
    );
    assert_eq!(told[2..], ["4 new made, created", "5 acme created"]);
}

#[tokio::test]
async fn one_tenant_can_be_made_too() {
    let db = tenants().await;
    let whom = TenantSelection::One { tenant: "fresh".into(), organization_name: Some("Fresh Ltd".into()) };
    let report = seed(&db, &SeedOptions { create: true, ..SeedOptions::new(whom) }).await.unwrap();
    assert_eq!(told(&report), ["fresh made, created"]);
    assert_eq!(text(&db, r#"SELECT name FROM "Tenant" WHERE slug = 'fresh'"#).await, "Fresh Ltd");
}

#[tokio::test]
async fn without_any_tenant_there_is_nothing_to_do() {
    let db = test_support::database().await;
    let report = seed(&db, &SeedOptions::new(TenantSelection::All)).await.unwrap();
    assert_eq!((report.tenants, report.failed), (0, 0));
}
