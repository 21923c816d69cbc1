//! Other defaults, and defaults that do not fit the database.

use seed_tenant_defaults::{Defaults, SeedOptions};
use tenancy_config::Exit;
use tenancy_config::UserError;

use crate::support::{Csv, number, one, seed_with, tenants, text, told};

fn defaults(text: &str) -> Defaults {
    Defaults::from_toml(text, "mine.toml").unwrap()
}

#[tokio::test]
async fn a_file_of_ones_own_decides_tables_and_columns() {
    let db = tenants().await;
    let own = "organization_name = \"public.organization_settings.name\"\n\
               [\"public.organization_settings\"]\nname = \"?\"\ndefaultTimezone = \"Europe/Vienna\"\n\
               [booking_settings]\nslotMinutes = 15\n";
    seed_with(&db, &defaults(own), &one("acme")).await.unwrap();
    let zone = r#"SELECT name || ' ' || "defaultTimezone" || ' ' || "defaultCurrency" FROM organization_settings"#;
    assert_eq!(text(&db, zone).await, "acme Europe/Vienna USD");
    assert_eq!(
        number(&db, r#"SELECT "slotMinutes"::bigint FROM booking_settings WHERE "tenantId" = 't_acme'"#).await,
        15
    );
    assert_eq!(number(&db, "SELECT count(*) FROM security_settings").await, 0);
}

#[tokio::test]
async fn the_files_own_name_is_the_last_resort() {
    let db = tenants().await;
    let no_slugs = r#"UPDATE "Tenant" SET slug = '' WHERE id = 't_acme'"#;
    db.superuser().await.run_script("emptying a slug", no_slugs).await.unwrap();
    seed_with(&db, &Defaults::default(), &one("t_acme")).await.unwrap();
    assert_eq!(text(&db, "SELECT name FROM organization_settings").await, "New Organization");
}

#[tokio::test]
async fn what_does_not_fit_the_database_is_told_before_any_tenant() {
    let db = tenants().await;
    let ungainly = r#"CREATE TABLE loose ("tenantId" text, note text)"#;
    db.owner().await.run_script("making a table without a key", ungainly).await.unwrap();
    let mut told = Vec::new();
    for (name, text) in [
        ("an unknown table", "\n[organisation_settings]\nname = \"x\"\n"),
        ("a table without tenants", "[Tenant]\nname = \"x\"\n"),
        ("a table that cannot be", "[\"\"]\nname = \"x\"\n"),
        ("an unknown column", "[organization_settings]\nname = \"x\"\n\ndefaultTimeZones = \"UTC\"\n"),
        ("a column like no other", "[organization_settings]\nname = \"x\"\ncolour = \"red\"\n"),
        ("the tenant", "[organization_settings]\nname = \"x\"\ntenantId = \"t_acme\"\n"),
        ("the key", "[organization_settings]\nname = \"x\"\nid = \"1\"\n"),
        ("a column that needs a value", "[organization_settings]\ndefaultLocale = \"de\"\n"),
        ("a value of another type", "[booking_settings]\nslotMinutes = \"many\"\n"),
        (
            "a value of another type, in the second table",
            "[booking_settings]\nslotMinutes = 5\n[organization_settings]\nname = \"x\"\ncreatedAt = \"soon\"\n",
        ),
        ("a table without a unique key", "[loose]\nnote = \"x\"\n"),
    ] {
        let error = seed_with(&db, &defaults(text), &one("acme")).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Usage, "{name}");
        let hint = error.hint().map_or_else(String::new, |hint| format!("hint: {hint}\n"));
        told.push(format!("{name}\n{error}\n{hint}"));
    }
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(number(&db, "SELECT count(*) FROM organization_settings").await, 0);
}

#[tokio::test]
async fn ids_need_not_be_text() {
    let db = test_support::empty_database().await;
    db.owner().await.run_script("preparing a test", include_str!("other_app.sql")).await.unwrap();
    let own =
        "organization_name = \"settings.title\"\n[settings]\ntitle = \"?\"\nstarts = 2024-01-31\nlimits = [1, 2]\n";
    let csv = Csv::new("tenant,organization_name\nacme,Acme\nnew,New\n");
    let options = SeedOptions { create: true, ..csv.options() };
    let report = seed_with(&db, &defaults(own), &options).await.unwrap();
    assert_eq!(told(&report), ["2 acme created", "3 new made, created"]);
    let whole = r#"SELECT count(*) FROM settings AS s JOIN "Tenant" AS t ON t.id = s."tenantId"
                   WHERE s.title = t.name AND s.starts = '2024-01-31' AND s.limits = '{1,2}' AND s.updated_at > now() - interval '5 min'"#;
    assert_eq!(number(&db, whole).await, 2);
}

#[tokio::test]
async fn a_right_that_every_tenant_would_lack_is_told_once() {
    let db = tenants().await;
    let revoke = "REVOKE INSERT ON security_settings FROM app_user";
    db.owner().await.run_script("taking a right away", revoke).await.unwrap();
    let error = seed_with(&db, &Defaults::default(), &one("acme")).await.unwrap_err();
    assert!(error.to_string().starts_with("app_user may not insert into `"), "{error}");
    assert_eq!(error.exit(), Exit::Failed);
}
