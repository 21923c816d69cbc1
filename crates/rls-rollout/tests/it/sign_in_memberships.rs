//! Which tenants are a user's: the application reads the memberships of the user whose id it sets, and nothing else.

use local_db::Role;
use rls_rollout::{LeftRole, Stop, plan, status};
use sqlx::Row as _;
use tenancy_config::Tenancy;
use tenancy_config::tenancy::AuthMemberships;
use tenant_inventory::{LoginProblemKind, Phase, misfits};

use crate::sign_in::{Case, REFUSED, script, tried};
use crate::support::{after, auto, catalog, session};

/// A user of two tenants, one of one tenant, and rows whose user is empty or missing.
const MEMBERSHIPS: &str = r#"CREATE TABLE memberships (id int PRIMARY KEY, "tenantId" text NOT NULL REFERENCES "Tenant", "user Id" text, role text);
    INSERT INTO memberships VALUES (1, 't1', 'u1'), (2, 't2', 'u1'), (3, 't2', 'u2'), (4, 't1', ''), (5, 't2', NULL);
    GRANT SELECT, INSERT, UPDATE, DELETE ON memberships TO app_user"#;

fn with_memberships(tenancy: Tenancy) -> Tenancy {
    let mut tenancy = tenancy;
    let memberships = AuthMemberships {
        why: "a user chooses one of their tenants".to_owned(),
        table: "memberships".to_owned(),
        user: "user Id".to_owned(),
        setting: "app.current_user_id".to_owned(),
    };
    tenancy.auth.as_mut().unwrap().memberships = Some(memberships);
    tenancy
}

/// The numbers of the memberships that the application sees with this user and this tenant; none were never set.
async fn seen(case: &Case, user: Option<&str>, tenant: Option<&str>) -> Vec<i32> {
    let mut app = session(&case.db, Role::AppUser).await;
    for (name, value) in [("app.current_user_id", user), ("app.current_tenant_id", tenant)] {
        if let Some(value) = value {
            let set = sqlx::query("SELECT set_config($1, $2, false)").bind(name).bind(value);
            set.execute(app.connection()).await.unwrap();
        }
    }
    let rows = sqlx::query("SELECT id FROM memberships ORDER BY id").fetch_all(app.connection()).await.unwrap();
    app.close().await;
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_user_sees_their_own_memberships_before_a_tenant_is_chosen_and_back() {
    let case = Case::with(MEMBERSHIPS).await;
    let untouched = catalog(&case.db).await;
    let declared = with_memberships(case.declared());
    let report = case.roll(&declared).await.unwrap();
    assert_eq!(after(&report, "memberships"), Phase::Enforce, "{report:#?}");

    let none: [i32; 0] = [];
    assert_eq!(seen(&case, None, None).await, none);
    assert_eq!(seen(&case, Some(""), None).await, none, "a row whose user is empty is nobody's");
    assert_eq!(seen(&case, Some("u1"), None).await, [1, 2]);
    assert_eq!(seen(&case, Some("u2"), None).await, [3]);
    assert_eq!(seen(&case, Some("u'1"), None).await, none);
    assert_eq!(seen(&case, Some("t1"), None).await, none, "a tenant is no user");
    assert_eq!(seen(&case, None, Some("u1")).await, none, "and a user is no tenant");
    assert_eq!(seen(&case, Some("u1"), Some("t1")).await, [1, 2, 4]);

    let mut app = session(&case.db, Role::AppUser).await;
    tried(&mut app, "SELECT set_config('app.current_user_id', 'u1', false)").await.unwrap();
    for nothing in [
        "UPDATE memberships SET role = 'owner'",
        "UPDATE memberships SET \"user Id\" = 'u1' WHERE id = 3",
        "DELETE FROM memberships WHERE id = 1",
        "SELECT 1 FROM memberships FOR UPDATE",
        "SELECT 1 FROM users",
        "SELECT 1 FROM bookings",
    ] {
        assert_eq!(tried(&mut app, nothing).await, Ok(0), "{nothing}");
    }
    let joins = "INSERT INTO memberships VALUES (6, 't2', 'u1') ON CONFLICT DO NOTHING";
    assert_eq!(tried(&mut app, joins).await, Err(REFUSED.to_owned()));
    app.close().await;
    // A right alone shows nothing to others: the policy is the application's.
    script(&case.db, &format!("GRANT SELECT ON memberships TO {}", case.maker())).await;
    script(&case.db, &format!("GRANT SELECT ON memberships TO {}", case.role)).await;
    let mut auth = case.sign_in().await;
    tried(&mut auth, "SELECT set_config('app.current_user_id', 'u1', false)").await.unwrap();
    assert_eq!(tried(&mut auth, "SELECT 1 FROM memberships").await, Ok(0));
    auth.close().await;
    script(&case.db, &format!("REVOKE SELECT ON memberships FROM {}, {}", case.role, case.maker())).await;

    let database = case.as_maker().await;
    let told = status(&database, &declared, None).await.unwrap().logins.remove(0);
    assert!(told.memberships.is_some_and(|flow| flow.covered) && told.problems.is_empty(), "{:#?}", told.problems);
    assert_eq!(misfits(&database, &declared, &[]).await.unwrap(), []);
    database.close().await;
    assert_eq!(case.roll(&declared).await.unwrap().rollout, None, "nothing is left to do");
    case.back_with(&declared).await;
    assert_eq!(catalog(&case.db).await, untouched);
    case.end().await;
}

#[tokio::test]
async fn an_altered_policy_is_made_again_and_one_that_is_declared_no_more_goes() {
    let case = Case::with(MEMBERSHIPS).await;
    let untouched = catalog(&case.db).await;
    let declared = with_memberships(case.declared());
    case.roll(&case.declared()).await.unwrap();
    let without = catalog(&case.db).await;
    let database = case.as_maker().await;
    let planned = plan(&database, &declared, &auto()).await.unwrap();
    assert!(planned.script().contains("CREATE POLICY \"tenant_own_memberships\""), "{}", planned.script());
    database.close().await;
    case.roll(&declared).await.unwrap();
    let with = catalog(&case.db).await;

    for altered in ["USING (true)", "TO PUBLIC"] {
        script(&case.db, &format!("ALTER POLICY tenant_own_memberships ON memberships {altered}")).await;
        let database = case.as_maker().await;
        let told = status(&database, &declared, None).await.unwrap().logins.remove(0);
        let [problem] = told.problems.as_slice() else { panic!("{:#?}", told.problems) };
        assert!(matches!(problem.what, LoginProblemKind::MembershipPolicy { altered: true, .. }), "{problem}");
        database.close().await;
        assert!(case.roll(&declared).await.unwrap().is_complete());
        assert_eq!(catalog(&case.db).await, with, "after {altered}");
    }

    let told = case.left(&case.declared()).await;
    let [LeftRole { role, made_by_rollout: false, tables, .. }] = told.as_slice() else { panic!("{told:#?}") };
    assert_eq!((role.as_str(), tables.len()), ("app_user", 1));
    let report = case.roll(&case.declared()).await.unwrap();
    assert!(report.is_complete() && !report.left[0].dropped, "{report:#?}");
    assert_eq!(catalog(&case.db).await, without);
    assert_eq!(seen(&case, Some("u1"), None).await, [] as [i32; 0]);
    case.back().await;
    assert_eq!(catalog(&case.db).await, untouched);
    case.end().await;
}

#[tokio::test]
async fn the_user_may_be_of_each_type_that_policies_compare_and_of_no_other() {
    for (column_type, user, other) in [
        ("varchar(30)", "a", "b"),
        ("uuid", "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"),
        ("integer", "1", "2"),
        ("bigint", "1", "2"),
    ] {
        let case = Case::with(&format!(
            r#"CREATE TABLE memberships (id int PRIMARY KEY, "tenantId" text NOT NULL REFERENCES "Tenant", "user Id" {column_type});
            INSERT INTO memberships VALUES (1, 't1', '{user}'), (2, 't2', '{other}'), (3, 't1', NULL); GRANT SELECT ON memberships TO app_user"#
        ))
        .await;
        let declared = with_memberships(case.declared());
        assert!(case.roll(&declared).await.unwrap().is_complete(), "{column_type}");
        assert_eq!(case.roll(&declared).await.unwrap().rollout, None, "{column_type} is printed as it was made");
        assert_eq!(seen(&case, Some(user), None).await, [1], "{column_type}");
        // After a transaction a setting is '', which is no value of most types.
        assert_eq!(seen(&case, Some(""), None).await, [] as [i32; 0], "{column_type}");
        case.back().await;
        case.end().await;
    }
    let jsonb = "CREATE TABLE memberships (id int PRIMARY KEY, \"tenantId\" text NOT NULL REFERENCES \"Tenant\", \"user Id\" jsonb)";
    let case = Case::with(jsonb).await;
    let database = case.as_maker().await;
    let planned = plan(&database, &with_memberships(case.declared()), &auto()).await.unwrap();
    let [Stop::Login { problem }] = planned.logins[0].stopped_by.as_slice() else { panic!("{planned:#?}") };
    assert!(problem.to_string().contains("jsonb"), "{problem}");
    database.close().await;
    case.end().await;
}
