//! Who has rights on the book-keeping: its owner, the role of batches, and readers that are not the application.

use local_db::Role;
use tenancy_config::UserError;
use tenant_ops::{Error, TrustFinding};
use tenant_rls::Sql;

use crate::support::{findings, install, installed, number, script};

/// Rights in the schema of anybody but the owner and the role of batches.
const OTHERS: &str = "SELECT count(*) FROM (
        SELECT relacl AS acl, relowner AS owner FROM pg_class WHERE relnamespace = 'tenant_ops'::regnamespace
        UNION ALL SELECT nspacl, nspowner FROM pg_namespace WHERE nspname = 'tenant_ops'
        UNION ALL SELECT coalesce(proacl, acldefault('f', proowner)), proowner FROM pg_proc
                  WHERE pronamespace = 'tenant_ops'::regnamespace
        UNION ALL SELECT attacl, 0 FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
                  WHERE relnamespace = 'tenant_ops'::regnamespace
    ) AS o, aclexplode(o.acl) AS g WHERE g.grantee NOT IN (o.owner, 'tenant_maintenance'::regrole)";

/// As a team may have set them, for all that the owner creates in the database.
const DEFAULTS: &str =
    "ALTER DEFAULT PRIVILEGES FOR ROLE app_owner GRANT ALL ON TABLES TO app_user, tenant_maintenance;
    ALTER DEFAULT PRIVILEGES FOR ROLE app_owner GRANT USAGE ON SCHEMAS TO app_user;
    ALTER DEFAULT PRIVILEGES FOR ROLE app_owner GRANT ALL ON SEQUENCES TO app_user;
    ALTER DEFAULT PRIVILEGES FOR ROLE app_owner GRANT EXECUTE ON FUNCTIONS TO app_user";

#[tokio::test]
async fn default_privileges_of_a_team_give_nobody_a_right() {
    let db = test_support::database().await;
    script(&db, Role::Owner, DEFAULTS).await;
    install(&db, Role::Owner).await.unwrap();
    assert_eq!(number(&db, OTHERS).await, 0);
    let too_much =
        "SELECT count(*) FROM pg_class AS c, aclexplode(c.relacl) AS g WHERE relnamespace = 'tenant_ops'::regnamespace
                    AND g.grantee = 'tenant_maintenance'::regrole AND privilege_type NOT IN ('SELECT', 'INSERT')";
    assert_eq!(number(&db, too_much).await, 0);
    // Each start examines it again.
    install(&db, Role::Owner).await.unwrap();
    install(&db, Role::Superuser).await.unwrap();
}

#[tokio::test]
async fn default_privileges_give_nobody_a_right_on_what_an_upgrade_makes() {
    let db = test_support::database().await;
    script(&db, Role::Owner, include_str!("layout_6.sql")).await;
    let older = "INSERT INTO tenant_ops.installed VALUES (6); DROP TABLE tenant_ops.rollout_step, tenant_ops.rollout";
    script(&db, Role::Owner, older).await;
    script(&db, Role::Owner, DEFAULTS).await;
    install(&db, Role::Superuser).await.unwrap();
    assert_eq!(number(&db, OTHERS).await, 0);
}

#[tokio::test]
async fn rights_that_were_granted_by_hand_are_refused_with_the_statements_that_take_them_away() {
    let db = installed().await;
    script(
        &db,
        Role::Owner,
        "GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA tenant_ops TO app_user; GRANT UPDATE (state) ON tenant_ops.run TO app_user;
         GRANT USAGE ON SCHEMA tenant_ops TO app_user; GRANT EXECUTE ON FUNCTION tenant_ops.apply_batch TO PUBLIC",
    )
    .await;
    let error = install(&db, Role::Owner).await.unwrap_err();
    let (text, hint) = (error.to_string(), error.hint().unwrap());
    assert!(text.contains("everybody has EXECUTE on the function apply_batch"), "{text}");
    assert!(hint.contains("REVOKE DELETE, SELECT ON TABLE tenant_ops.journal FROM app_user;"), "{hint}");
    assert!(hint.contains("REVOKE DELETE, SELECT, UPDATE (state) ON TABLE tenant_ops.run FROM app_user;"), "{hint}");
    let found = findings(Err(error));
    let on_journal =
        |finding: &&TrustFinding| matches!(finding, TrustFinding::Right { object, .. } if object == "table journal");
    let on_journal = found.iter().find(on_journal).unwrap().to_string();
    assert_eq!(on_journal, "app_user has DELETE, SELECT on the table journal");
    let mut owner = db.owner().await;
    owner.run_script("doing as the hint says", Sql::from_catalog(hint.to_string())).await.unwrap();
    owner.close().await;
    install(&db, Role::Owner).await.unwrap();
}

#[tokio::test]
async fn a_monitoring_role_may_read_and_not_write() {
    let db = installed().await;
    script(
        &db,
        Role::Superuser,
        "DO $do$ DECLARE v_role text := current_database() || '_monitor'; BEGIN
             EXECUTE format('CREATE ROLE %I', v_role);
             EXECUTE format('GRANT USAGE ON SCHEMA tenant_ops TO %I', v_role);
             EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA tenant_ops TO %I', v_role); END $do$",
    )
    .await;
    install(&db, Role::Owner).await.unwrap();
    let delete = "DO $do$ BEGIN
        EXECUTE format('GRANT DELETE ON tenant_ops.journal TO %I', current_database() || '_monitor'); END $do$";
    script(&db, Role::Owner, delete).await;
    let found = findings(install(&db, Role::Owner).await);
    let [TrustFinding::Right { role: Some(role), rights, .. }] = &found[..] else { panic!("{found:?}") };
    assert!(role.ends_with("_monitor") && rights == &["DELETE"], "{found:?}");
}

#[tokio::test]
async fn a_reader_that_the_application_can_become_is_the_application() {
    let db = installed().await;
    script(
        &db,
        Role::Superuser,
        "DO $do$ DECLARE v_role text := current_database() || '_group'; BEGIN
             EXECUTE format('CREATE ROLE %I', v_role);
             EXECUTE format('GRANT %I TO app_user', v_role);
             EXECUTE format('GRANT SELECT ON tenant_ops.journal TO %I', v_role); END $do$",
    )
    .await;
    let found = findings(install(&db, Role::Owner).await);
    assert!(
        matches!(&found[..], [TrustFinding::Right { role: Some(role), .. }] if role.ends_with("_group")),
        "{found:?}"
    );
}

#[tokio::test]
async fn members_of_the_role_of_batches_are_the_operators_alone() {
    // Roles belong to the cluster: on the shared one other tests would meet them.
    let server = test_support::throwaway_server(None).await;
    install(&server, Role::Owner).await.unwrap();
    for (grant, revoke, member) in [
        ("GRANT tenant_maintenance TO app_user", "REVOKE tenant_maintenance FROM app_user", "app_user"),
        ("GRANT tenant_auditor TO app_user", "REVOKE tenant_auditor FROM app_user", "app_user"),
        ("CREATE ROLE passer_by LOGIN; GRANT tenant_maintenance TO passer_by", "DROP ROLE passer_by", "passer_by"),
        ("GRANT pg_write_all_data TO app_user", "REVOKE pg_write_all_data FROM app_user", "app_user"),
    ] {
        script(&server, Role::Superuser, grant).await;
        for role in [Role::Owner, Role::Superuser] {
            let found = findings(install(&server, role).await);
            assert!(
                matches!(&found[..], [TrustFinding::Member { member: is, .. }] if is == member),
                "{grant}: {found:?}"
            );
        }
        script(&server, Role::Superuser, revoke).await;
        install(&server, Role::Owner).await.unwrap();
    }
    // Up to PostgreSQL 15 a role stands between, as which nobody logs in: it is no member, and who was granted it is one by it.
    let between = "DO $do$ BEGIN CREATE ROLE tenant_maintenance_operators NOINHERIT; EXCEPTION WHEN duplicate_object THEN NULL; END $do$;
        GRANT tenant_maintenance TO tenant_maintenance_operators";
    script(&server, Role::Superuser, between).await;
    install(&server, Role::Owner).await.unwrap();
    script(&server, Role::Superuser, "CREATE ROLE passer_by LOGIN; GRANT tenant_maintenance_operators TO passer_by")
        .await;
    let found = findings(install(&server, Role::Owner).await);
    let [TrustFinding::Member { member, granted, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!((member.as_str(), granted.as_str()), ("passer_by", "tenant_maintenance_operators"));
    script(&server, Role::Superuser, "DROP ROLE passer_by").await;
    let second = "CREATE ROLE second LOGIN; GRANT app_owner, tenant_maintenance TO second";
    script(&server, Role::Superuser, second).await;
    install(&server, Role::Owner).await.unwrap();
}

#[tokio::test]
async fn the_application_that_may_act_as_the_owner_is_refused() {
    let server = test_support::throwaway_server(None).await;
    install(&server, Role::Owner).await.unwrap();
    script(&server, Role::Superuser, "GRANT app_owner TO app_user").await;
    let error = install(&server, Role::Owner).await.unwrap_err();
    let Error::Untrusted { findings } = &error else { panic!("{error}") };
    assert!(matches!(&findings[0], TrustFinding::OfApplication { owner, .. } if owner == "app_owner"), "{error}");
    let hint = r#"the application must not be able to change the journal: REVOKE "app_owner" FROM "app_user""#;
    assert_eq!(error.hint().unwrap(), hint);
}
