//! Logins that are declared no more, that get another name, or that are made alone.

use local_db::Role;
use rls_rollout::{Error, Goal, LeftRole, LoginsBack, RolloutOptions, Stop, plan};
use tenant_inventory::Phase;
use tenant_rls::DirectConnection;

use crate::sign_in::{BY_EMAIL, Case, script, tried};
use crate::support::{Logins, after, as_tenant, auto, catalog, session};

#[tokio::test]
async fn what_a_login_has_that_is_declared_no_more_is_told_and_the_next_rollout_takes_it() {
    let case = Case::new().await;
    let untouched = catalog(&case.db).await;
    case.roll(&case.undeclared()).await.unwrap();
    let without = catalog(&case.db).await;
    case.roll(&case.declared()).await.unwrap();
    assert_eq!(case.left(&case.declared()).await, []);

    let told = case.left(&case.undeclared()).await;
    let [LeftRole { role, made_by_rollout: true, tables, altered }] = told.as_slice() else { panic!("{told:#?}") };
    assert_eq!((role.as_str(), tables.len(), altered.len()), (case.role.as_str(), 2, 0));
    let database = case.as_maker().await;
    let planned = plan(&database, &case.undeclared(), &auto()).await.unwrap();
    assert!(planned.tables.iter().all(|table| table.stopped_by.is_empty()), "{:#?}", planned.tables);
    let script_of = planned.script();
    let at = |text: &str| script_of.rfind(text).unwrap_or_else(|| panic!("no {text} in {script_of}"));
    assert!(at("DROP POLICY \"tenant_auth_select\"") < at("DROP ROLE"), "{script_of}");
    database.close().await;

    let report = case.roll(&case.undeclared()).await.unwrap();
    assert!(report.is_complete() && report.left.iter().all(|left| left.dropped), "{:#?}", report.left);
    assert_eq!(catalog(&case.db).await, without);
    assert_eq!((case.roles_like(&case.role).await, case.left(&case.undeclared()).await), (0, vec![]));
    assert_eq!(case.roll(&case.undeclared()).await.unwrap().rollout, None, "nothing is left to do");
    assert_eq!(case.back_with(&case.undeclared()).await, None);
    assert_eq!(catalog(&case.db).await, untouched);
    case.end().await;
}

#[tokio::test]
async fn a_rollback_needs_no_declaration_to_take_a_login_back() {
    let case = Case::new().await;
    let untouched = catalog(&case.db).await;
    case.roll(&case.declared()).await.unwrap();
    let back = case.back_with(&case.undeclared()).await;
    assert_eq!(back, Some(LoginsBack::Restored { dropped: vec![case.role.clone()] }));
    assert_eq!(catalog(&case.db).await, untouched);
    case.end().await;
}

#[tokio::test]
async fn a_login_that_gets_another_name_takes_the_place_of_the_one_before() {
    let case = Case::new().await;
    let untouched = catalog(&case.db).await;
    case.roll(&case.declared()).await.unwrap();
    std::fs::remove_file(case.file()).unwrap();
    let mut renamed = case.declared();
    let name = format!("new \"{}", case.role);
    renamed.auth.as_mut().unwrap().role.clone_from(&name);
    let report = case.roll(&renamed).await.unwrap();
    assert!(report.left.iter().all(|left| left.dropped) && report.left.len() == 1, "{report:#?}");
    assert_eq!(case.roles_like(&case.role).await, 0);
    let password = std::fs::read_to_string(case.file()).unwrap();
    let url = case.db.login(Role::AppUser).with_user(&name, Some(password.trim()));
    let mut auth = DirectConnection::as_application(&url, "tests").await.unwrap();
    assert_eq!(tried(&mut auth, BY_EMAIL).await, Ok(1));
    auth.close().await;
    assert_eq!(case.left(&renamed).await, []);
    assert_eq!(case.back_with(&renamed).await, Some(LoginsBack::Restored { dropped: vec![name] }));
    assert_eq!(catalog(&case.db).await, untouched);
    case.end().await;
}

#[tokio::test]
async fn a_login_stays_while_something_else_depends_on_it_and_what_somebody_changed_is_not_dropped() {
    let case = Case::new().await;
    let untouched = catalog(&case.db).await;
    case.roll(&case.declared()).await.unwrap();
    let depends = format!(
        "CREATE FUNCTION noise() RETURNS int LANGUAGE sql RETURN 1; GRANT EXECUTE ON FUNCTION noise() TO {}",
        case.role
    );
    script(&case.db, &depends).await;
    let back = case.back().await;
    let Some(LoginsBack::Kept { role, message }) = &back else { panic!("{back:?}") };
    assert!(*role == case.role && message.contains("noise"), "{message}");
    assert_eq!(case.roles_like(&case.role).await, 1);

    case.roll(&case.declared()).await.unwrap();
    let policy = format!("ALTER POLICY tenant_auth_update ON users USING (current_user = '{}' AND id > '')", case.role);
    script(&case.db, &policy).await;
    let report = case.roll(&case.undeclared()).await.unwrap();
    let stops: Vec<String> = report.left[0].stopped_by.iter().map(ToString::to_string).collect();
    assert!(matches!(stops.as_slice(), [only] if only.contains("tenant_auth_update")), "{stops:#?}");
    assert!(!report.is_complete());
    assert!(
        catalog(&case.db).await.iter().any(|line| line.contains("tenant_auth_update")),
        "nothing of somebody's is dropped"
    );

    script(&case.db, "DROP POLICY tenant_auth_update ON users").await;
    let report = case.roll(&case.undeclared()).await.unwrap();
    let [Stop::LeftKept { role, message }] = report.left[0].stopped_by.as_slice() else { panic!("{report:#?}") };
    assert!(*role == case.role && message.contains("noise"), "{message}");
    script(&case.db, "DROP FUNCTION noise()").await;
    assert!(case.roll(&case.undeclared()).await.unwrap().left[0].dropped);
    case.back_with(&case.undeclared()).await;
    assert_eq!(catalog(&case.db).await, untouched);
    case.end().await;
}

#[tokio::test]
async fn a_role_that_somebody_made_again_under_the_name_keeps_what_they_gave_it() {
    let case = Case::new().await;
    let untouched = catalog(&case.db).await;
    case.roll(&case.undeclared()).await.unwrap();
    case.roll(&case.declared()).await.unwrap();
    let role = &case.role;
    let anew = format!(
        "DROP OWNED BY {role}; DROP ROLE {role}; CREATE ROLE {role} LOGIN NOINHERIT;
         GRANT USAGE ON SEQUENCE accounts_id_seq TO {role}; GRANT SELECT (id) ON users TO {role}"
    );
    script(&case.db, &anew).await;
    let theirs = catalog(&case.db).await;
    assert_eq!(case.left(&case.undeclared()).await, [], "no rollout gave it anything");
    let report = case.roll(&case.undeclared()).await.unwrap();
    assert!(report.left.is_empty(), "{:#?}", report.left);
    assert_eq!((catalog(&case.db).await, usage(&case).await), (theirs.clone(), true));

    // What a rollout gives the other role is taken back, and no more.
    case.roll(&case.declared()).await.unwrap();
    assert_eq!(tried_as(&case, BY_EMAIL).await, Ok(1));
    let report = case.roll(&case.undeclared()).await.unwrap();
    assert!(report.is_complete() && report.left.iter().all(|left| !left.dropped), "{:#?}", report.left);
    assert_eq!((catalog(&case.db).await, usage(&case).await), (theirs, true));
    case.roll(&case.declared()).await.unwrap();
    case.back().await;
    assert_eq!((case.roles_like(role).await, usage(&case).await), (1, true));
    script(&case.db, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    assert_eq!(catalog(&case.db).await, untouched);
    case.end().await;
}

#[tokio::test]
async fn roles_of_audits_and_backfills_that_get_other_names_take_the_place_of_those_before() {
    let case = Case::new().await;
    let untouched = catalog(&case.db).await;
    let before = case.undeclared();
    case.roll(&before).await.unwrap();
    let with_old = catalog(&case.db).await;
    let mut renamed = before.clone();
    let name = |of: &str| format!("{of}_{}", case.db.name());
    (renamed.roles.maintenance, renamed.roles.auditor) = (name("maintains"), name("audits"));
    // It may write into the book-keeping, which the roles of the file alone may.
    let refused = case.roll(&renamed).await.unwrap_err();
    assert!(matches!(refused, Error::Ops(tenant_ops::Error::Untrusted { .. })), "{refused}");
    assert_eq!(catalog(&case.db).await, with_old, "nothing was changed");
    writes_no_more(&case, "tenant_maintenance").await;
    let told = case.left(&renamed).await;
    let told: Vec<_> = told.iter().map(|left| (left.role.as_str(), left.made_by_rollout, left.altered.len())).collect();
    assert_eq!(told, [("tenant_auditor", false, 0), ("tenant_maintenance", false, 0)]);
    let report = case.roll(&renamed).await.unwrap();
    let stops: Vec<_> = report.tables.iter().flat_map(|table| &table.stopped_by).collect();
    assert!(report.is_complete() && report.left.iter().all(|left| !left.dropped), "{:#?} {stops:#?}", report.left);
    let as_before = |line: &String| {
        line.replace(&renamed.roles.maintenance, "tenant_maintenance").replace(&renamed.roles.auditor, "tenant_auditor")
    };
    let mut with_new: Vec<String> = catalog(&case.db).await.iter().map(as_before).collect();
    with_new.sort();
    let mut sorted = with_old.clone();
    sorted.sort();
    assert_eq!(with_new, sorted, "only the names changed");
    assert_eq!(case.left(&renamed).await, []);
    assert_eq!(case.roll(&renamed).await.unwrap().rollout, None, "nothing is left to do");
    assert_eq!(case.back_with(&renamed).await, None);
    assert_eq!(catalog(&case.db).await, untouched);
    let (maintains, audits) = (&renamed.roles.maintenance, &renamed.roles.auditor);
    script(&case.db, &format!("DROP OWNED BY {maintains}, {audits}; DROP ROLE {maintains}, {audits}")).await;
    case.end().await;
}

/// Does what the refusal says.
async fn writes_no_more(case: &Case, role: &str) {
    let rights = ["TABLES", "FUNCTIONS", "SEQUENCES"];
    let revoke = rights.map(|of| format!("REVOKE ALL ON ALL {of} IN SCHEMA tenant_ops FROM {role}"));
    script(&case.db, &revoke.join(";")).await;
}

/// Whether the role may use the sequence of accounts.
async fn usage(case: &Case) -> bool {
    let mut superuser = session(&case.db, Role::Superuser).await;
    let usage = "SELECT has_sequence_privilege($1, 'accounts_id_seq', 'USAGE')";
    let usage = sqlx::query_scalar(usage).bind(&case.role).fetch_one(superuser.connection()).await.unwrap();
    superuser.close().await;
    usage
}

/// What the server says to a statement of the role.
async fn tried_as(case: &Case, sql: &'static str) -> Result<u64, String> {
    script(&case.db, &format!("ALTER ROLE {} PASSWORD 'x'", case.role)).await;
    let url = case.db.login(Role::AppUser).with_user(&case.role, Some("x"));
    let mut auth = DirectConnection::as_application(&url, "tests").await.unwrap();
    let done = tried(&mut auth, sql).await;
    auth.close().await;
    done
}

#[tokio::test]
async fn logins_are_made_alone_before_any_table_and_before_the_other_roles() {
    let case = Case::new().await;
    let untouched = catalog(&case.db).await;
    let alone = RolloutOptions { goal: Goal::Logins, ..case.options() };
    assert!(matches!(case.roll_with(&case.undeclared(), &alone).await, Err(Error::NoLogins)));
    let database = case.as_maker().await;
    let planned = plan(&database, &case.declared(), &alone).await.unwrap();
    let statements = planned.script();
    assert!(statements.contains("tenant_auth_select") && !planned.has_findings(), "{statements}");
    let migration = planned.prisma_migration(None).unwrap().statements;
    for other in ["ROW LEVEL SECURITY;", "tenant_maintenance", "tenant_auditor"] {
        assert!(!statements.contains(other) && !migration.contains(other), "{other} in {statements}{migration}");
    }
    database.close().await;

    let report = case.roll_with(&case.declared(), &alone).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert!(report.tables.iter().all(|table| table.after == Phase::None && table.steps == 0), "{report:#?}");
    let changed: Vec<String> = catalog(&case.db).await.into_iter().filter(|line| !untouched.contains(line)).collect();
    assert!(changed.iter().all(|line| line.contains(&case.role)), "{changed:#?}");
    let mut auth = case.sign_in().await;
    assert_eq!(tried(&mut auth, BY_EMAIL).await, Ok(1));
    auth.close().await;
    assert_eq!(as_tenant(&case.db, "", "SELECT count(*) FROM users").await, 2, "the application goes on as before");

    assert_eq!(case.roll_with(&case.declared(), &alone).await.unwrap().rollout, None, "nothing is left to do");
    assert_eq!(after(&case.roll(&case.declared()).await.unwrap(), "users"), Phase::Enforce);
    assert_eq!(case.back().await, Some(LoginsBack::Restored { dropped: vec![case.role.clone()] }));
    assert_eq!(catalog(&case.db).await, untouched);
    case.end().await;
}
