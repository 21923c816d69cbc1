//! What the application sees after the rollout, as its own login.

use sqlx::{PgConnection, Row};
use tenancy_config::TableName;
use tenant_rls::{SessionSetting, Sql, Template};

use crate::journey::Journey;

/// A session of each tenant sees the tenant's rows and those that are declared as shared, and a session without one sees at most the
/// platform's. What it can write, and tables that are protected through another one, `rls verify` has tried before.
pub(crate) async fn sees_its_own_rows_only(journey: &Journey) {
    let setting = journey.setting();
    let mut superuser = journey.db.superuser().await;
    let mut app = journey.db.app_user().await;
    let tables = journey.tenant_tables();
    assert!(!tables.is_empty(), "no table was tried");
    for (table, column, class) in tables {
        let name = TableName::parse(&table, "public").unwrap();
        let rows = rows_of_each(superuser.connection(), &name, &column).await;
        let without: i64 = rows.iter().filter(|(tenant, _)| tenant.is_none()).map(|(_, rows)| rows).sum();
        let shared = if class == "shared" { without } else { 0 };
        let tenants: Vec<&(Option<String>, i64)> = rows.iter().filter(|(tenant, _)| tenant.is_some()).collect();
        assert!(tenants.len() > 1, "{table}: one tenant proves nothing");
        for (tenant, own) in tenants {
            let seen = seen_as(app.connection(), &setting, tenant.as_deref(), &name).await;
            assert_eq!(seen, own + shared, "{table}: a session of {tenant:?}");
        }
        let of_one = rows.iter().find_map(|(tenant, _)| tenant.as_deref()).unwrap();
        let meant = if matches!(class.as_str(), "platform" | "shared") { without } else { 0 };
        for document in setting.documents_of_nobody(of_one) {
            let seen = seen_with(app.connection(), setting.variable(), &document, &name).await;
            assert_eq!(seen, meant, "{table}: a session of {document}");
        }
        let seen = seen_as(app.connection(), &setting, None, &name).await;
        assert_eq!(seen, meant, "{table}: a session without a tenant");
    }
    superuser.close().await;
    app.close().await;
}

async fn rows_of_each(session: &mut PgConnection, table: &TableName, column: &str) -> Vec<(Option<String>, i64)> {
    let column = tenancy_config::Ident::new(column).unwrap();
    let query =
        Template::new(r#"SELECT :"column"::text AS tenant, count(*) AS rows FROM :"table" GROUP BY 1 ORDER BY 1"#);
    let query = query.ident("column", &column).table("table", table).build();
    let rows = sqlx::query(query).fetch_all(session).await.unwrap();
    rows.iter().map(|row| (row.get("tenant"), row.get("rows"))).collect()
}

async fn seen_as(session: &mut PgConnection, setting: &SessionSetting, tenant: Option<&str>, table: &TableName) -> i64 {
    seen_with(session, setting.variable(), &setting.value(tenant.unwrap_or_default()), table).await
}

async fn seen_with(session: &mut PgConnection, variable: &str, value: &str, table: &TableName) -> i64 {
    let run = async |session: &mut PgConnection, sql: Sql| sqlx::query(sql).execute(session).await.unwrap();
    run(session, Sql::from_static("BEGIN")).await;
    sqlx::query("SELECT set_config($1, $2, true)").bind(variable).bind(value).execute(&mut *session).await.unwrap();
    let count = Template::new(r#"SELECT count(*) AS rows FROM :"table""#).table("table", table).build();
    let seen = sqlx::query(count).fetch_one(&mut *session).await.unwrap().get("rows");
    run(session, Sql::from_static("ROLLBACK")).await;
    seen
}
