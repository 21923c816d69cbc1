//! Tables that policies of ours cannot protect: status, plan, preflight and rollout name the same reason, and the others go on.

use local_db::Role;
use rls_rollout::{RolloutReport, Stop, plan, status};
use tenancy_config::{TableName, Tenancy};
use tenant_inventory::class::Unhandled;
use tenant_inventory::coverage::Cover;
use tenant_inventory::{MissingPart, Phase, RegistryState};
use tenant_rls::Sql;
use test_support::TestDb;

use crate::support::{Logins, auto, connect, roll_with, script, session, small, tables_of};

/// A table beside `good` that cannot be handled.
async fn beside_a_good_table(made: &'static str) -> TestDb {
    small(&format!("{GOOD}{made}")).await
}

const GOOD: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1');
    CREATE TABLE good (id int PRIMARY KEY, "tenantId" text); INSERT INTO good VALUES (1, 't1');"#;

fn name(table: &str) -> TableName {
    TableName::parse(table, "public").unwrap()
}

/// A failure that the catalog predicts, beside a table that goes on.
struct Predicted {
    what: &'static str,
    /// The server's version, where only some have it.
    version: Option<u32>,
    made: String,
    /// Who makes it so is the superuser.
    then: &'static str,
    /// The tables that it concerns, with why they cannot be protected; none where the rollout finds its way around it.
    tables: Vec<(&'static str, Option<Unhandled>)>,
}

/// Status, plan and preflight, which find what stops `table`, must agree, also with what the rollout then does.
async fn agree(db: &impl Logins, case: &Predicted) {
    let (what, tenancy) = (case.what, tables_of(""));
    let database = connect(db, Role::Owner).await;
    let of_status = status(&database, &tenancy, None).await.unwrap();
    let planned = plan(&database, &tenancy, &auto()).await.unwrap();
    let report = roll_with(db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    let of_preflight = report.preflight.iter().find(|check| check.name() == "tables").unwrap();
    for (table, why) in &case.tables {
        let table = &name(table);
        let found = [
            ("status", &of_status.tables.iter().find(|found| found.table == *table).unwrap().stopped_by),
            ("plan", &planned.tables.iter().find(|found| found.table == *table).unwrap().stopped_by),
            ("rollout", &report.tables.iter().find(|found| found.table == *table).unwrap().stopped_by),
        ];
        let expected: Vec<Stop> = why.iter().map(|why| Stop::Unhandled { why: why.clone() }).collect();
        for (by, stopped_by) in found {
            assert_eq!(*stopped_by, expected, "{what}: {table} by {by}");
        }
        let steps = planned.steps.iter().filter(|step| step.table == *table).count();
        let rolled = report.tables.iter().find(|found| found.table == *table).unwrap();
        match why {
            Some(why) => {
                assert!(of_preflight.says().contains(&format!("{table}: {why}")), "{what}: {of_preflight}");
                assert_eq!((steps, rolled.steps, rolled.after), (0, 0, Phase::None), "{what}: {table}");
            }
            None => {
                assert!(!of_preflight.says().contains(&table.to_string()), "{what}: {of_preflight}");
                assert!(steps > 0 && rolled.after == Phase::Enforce, "{what}: {table}: {rolled:?}");
            }
        }
    }
    let stopped = case.tables.iter().any(|(_, why)| why.is_some());
    assert_eq!((planned.has_findings(), report.is_complete()), (stopped, !stopped), "{what}");
    if !stopped {
        let again = plan(&database, &tenancy, &auto()).await.unwrap();
        assert!(again.steps.is_empty(), "{what}: nothing is left to do: {:?}", again.steps);
    }
    database.close().await;
}

fn phase(report: &RolloutReport, table: &str) -> Phase {
    report.tables.iter().find(|found| found.table == name(table)).unwrap().after
}

/// What stands in a table that the rollout does, and what it says where it cannot.
fn predicted() -> Vec<Predicted> {
    let case = |what, made: &str, tables| {
        let made = format!("{GOOD}{made}");
        Predicted { what, version: None, made, then: "", tables }
    };
    let differ = |column: &str| Unhandled::TypesDiffer { column: column.into(), key: "text".into() };
    let bad = |why| vec![("bad", Some(why)), ("good", None)];
    let other = Unhandled::OtherOwner { table: name("bad_1"), owner: "postgres".into() };
    let not_unique = || Unhandled::KeyNotUnique { table: name("Tenant"), key: "id".into() };
    let long = "x".repeat(62);
    let keyed = r#"CREATE TABLE parent (id int PRIMARY KEY, "tenantId" text NOT NULL REFERENCES "Tenant", UNIQUE ("tenantId", id));
        CREATE TABLE items (id int PRIMARY KEY, pid int, "tenantId" text,
            CONSTRAINT "items_tenantId_fkey" FOREIGN KEY ("tenantId", pid) REFERENCES parent ("tenantId", id));
        INSERT INTO parent VALUES (1, 't1'); INSERT INTO items VALUES (1, 1, 't1')"#;
    let cut = format!(
        r#"CREATE TABLE {long}a (id int PRIMARY KEY, "tenantId" text); CREATE TABLE {long}b (id int PRIMARY KEY, "tenantId" text)"#
    );
    let (a, b): (&str, &str) = (format!("{long}a").leak(), format!("{long}b").leak());
    vec![
        case(
            "a generated tenant column",
            r#"CREATE TABLE bad (id int, raw text, "tenantId" text GENERATED ALWAYS AS (lower(raw)) STORED)"#,
            bad(Unhandled::Generated),
        ),
        case(
            "a numbered tenant column",
            r#"CREATE TABLE bad (id int, "tenantId" int GENERATED ALWAYS AS IDENTITY)"#,
            bad(Unhandled::Identity),
        ),
        case("uuid and text", r#"CREATE TABLE bad (id int, "tenantId" uuid)"#, bad(differ("uuid"))),
        case("bigint and text", r#"CREATE TABLE bad (id int, "tenantId" bigint)"#, bad(differ("bigint"))),
        case(
            "an array",
            r#"CREATE TABLE bad (id int, "tenantId" text[])"#,
            bad(Unhandled::Type { type_name: "text[]".into() }),
        ),
        case(
            "an array of varchar",
            r#"CREATE TABLE bad (id int, "tenantId" varchar(30)[])"#,
            bad(Unhandled::Type { type_name: "character varying(30)[]".into() }),
        ),
        Predicted {
            then: "ALTER TABLE bad_1 OWNER TO postgres",
            ..case(
                "a partition of somebody else's",
                r#"CREATE TABLE bad (id int, "tenantId" text) PARTITION BY RANGE (id);
                   CREATE TABLE bad_1 PARTITION OF bad FOR VALUES FROM (0) TO (9)"#,
                vec![("bad", Some(other.clone())), ("bad_1", Some(other)), ("good", None)],
            )
        },
        Predicted {
            made: r#"CREATE TABLE "Tenant" (id text); CREATE TABLE good (id int PRIMARY KEY, "tenantId" text);
                     CREATE TABLE items (id int PRIMARY KEY, "tenantId" text)"#
                .to_owned(),
            ..case(
                "a key of the tenants that is not unique",
                "",
                vec![("good", Some(not_unique())), ("items", Some(not_unique()))],
            )
        },
        case("a foreign key of the name of ours", keyed, vec![("items", None), ("parent", None), ("good", None)]),
        case(
            "an index of the name of ours",
            r#"CREATE TABLE items (id int PRIMARY KEY, "tenantId" text); CREATE INDEX "items_tenantId_idx" ON items (id);
               CREATE INDEX "items_tenantId_tenant_idx" ON good (id)"#,
            vec![("items", None), ("good", None)],
        ),
        case("names that are cut to the same 63 bytes", &cut, vec![(a, None), (b, None), ("good", None)]),
        case(
            "a check of the name of ours",
            r#"CREATE TABLE items (id int PRIMARY KEY, "tenantId" text,
                   CONSTRAINT "items_tenantId_not_null_check" CHECK (id > 0), CONSTRAINT "items_tenantId_tenant_check" CHECK (id < 9))"#,
            vec![("items", None), ("good", None)],
        ),
        Predicted {
            version: Some(18),
            ..case(
                "a foreign key that is not enforced",
                r#"CREATE TABLE items (id int PRIMARY KEY, "tenantId" text,
                       CONSTRAINT fk1 FOREIGN KEY ("tenantId") REFERENCES "Tenant" NOT ENFORCED)"#,
                vec![("items", None), ("good", None)],
            )
        },
        Predicted {
            version: Some(18),
            ..case(
                "a check that is not enforced",
                r#"CREATE TABLE items (id int PRIMARY KEY, "tenantId" text,
                       CONSTRAINT "items_tenantId_not_null_check" CHECK ("tenantId" IS NOT NULL) NOT ENFORCED)"#,
                vec![("items", None), ("good", None)],
            )
        },
    ]
}

#[tokio::test]
async fn status_plan_and_preflight_find_the_same_for_each_failure_that_can_be_predicted() {
    for case in predicted() {
        let Some(version) = case.version else {
            let db = small(&case.made).await;
            if !case.then.is_empty() {
                db.superuser().await.run_script("preparing a test", case.then).await.unwrap();
            }
            agree(&db, &case).await;
            continue;
        };
        let Ok(server) = test_support::server_of_version(version).await else { continue };
        let made = format!(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION app_owner; GRANT USAGE ON SCHEMA public TO app_user;
             SET ROLE app_owner; {}",
            case.made
        );
        let mut superuser = session(&server, Role::Superuser).await;
        superuser.run_script("preparing a test", Sql::from_catalog(made)).await.unwrap();
        superuser.close().await;
        agree(&server, &case).await;
    }
}

#[tokio::test]
async fn a_tenant_table_that_is_a_view_is_said_with_what_follows() {
    let db = small(
        r#"CREATE TABLE orgs (id text PRIMARY KEY); CREATE VIEW "Tenant" AS SELECT * FROM orgs;
           CREATE TABLE items (id int PRIMARY KEY, "tenantId" text)"#,
    )
    .await;
    let database = connect(&db, Role::Owner).await;
    let planned = plan(&database, &tables_of(""), &auto()).await.unwrap();
    let said: Vec<String> = planned.notices.iter().map(ToString::to_string).collect();
    assert!(said[0].contains("is a view: no foreign key can reference it"), "{said:?}");
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    assert_eq!(report.coverage.registry, RegistryState::View);
    assert!(!report.is_complete(), "nothing proves that the tenants exist");
}

#[tokio::test]
async fn a_table_that_lost_its_tenant_column_and_what_hangs_on_others_is_named_in_each_report() {
    let db = beside_a_good_table(
        r#"CREATE TABLE lost (id int PRIMARY KEY); CREATE TABLE items (id int, good int REFERENCES good);
           CREATE TABLE teams (id int, "organizationId" text)"#,
    )
    .await;
    let tenancy = tables_of("[tables.lost]\n[tables.gone]\n");
    let report = roll_with(&db, &tenancy, &auto(), &mut |_| ()).await.unwrap();
    let database = connect(&db, Role::Owner).await;
    let (planned, found) =
        (plan(&database, &tenancy, &auto()).await.unwrap(), status(&database, &tenancy, None).await.unwrap());
    for coverage in [&report.coverage, &planned.coverage, &found.coverage] {
        let missing: Vec<_> = coverage.missing.iter().map(|missing| (missing.table.clone(), missing.what)).collect();
        assert_eq!(missing, [(name("gone"), MissingPart::Table), (name("lost"), MissingPart::TenantColumn)]);
        let cover =
            |table: &str| &coverage.coverage.tables.iter().find(|found| found.table == name(table)).unwrap().cover;
        assert!(matches!(cover("items"), Cover::Dependent { .. }) && matches!(cover("teams"), Cover::Suspect { .. }));
    }
    assert!(!report.is_complete());
    let one = rls_rollout::RolloutOptions { tables: vec!["good".to_owned()], ..auto() };
    let other = roll_with(&db, &Tenancy { tables: Default::default(), ..tenancy }, &one, &mut |_| ()).await.unwrap();
    assert!(other.is_complete(), "{other:#?}");
}

#[tokio::test]
async fn a_step_that_the_server_refuses_is_the_finding_of_its_table() {
    let db = beside_a_good_table(r#"CREATE TABLE bad (id int PRIMARY KEY, "tenantId" text)"#).await;
    let refuse = "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            IF current_query() LIKE '%\"bad\"%' THEN RAISE EXCEPTION 'not this one'; END IF; END $$;
        CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE POLICY') EXECUTE FUNCTION refuse()";
    db.superuser().await.run_script("preparing a test", refuse).await.unwrap();
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    let bad = report.tables.iter().find(|table| table.table == name("bad")).unwrap();
    assert!(
        matches!(bad.stopped_by.as_slice(), [Stop::StepFailed { message, .. }] if message.contains("not this one"))
    );
    assert_eq!(phase(&report, "good"), Phase::Enforce);
}

#[tokio::test]
async fn a_key_of_which_the_tenant_is_a_part_gets_no_second_one_beside_it_where_it_proves_the_tenant() {
    let db = small(
        r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1');
           CREATE TABLE parent (id int PRIMARY KEY, "tenantId" text NOT NULL REFERENCES "Tenant", UNIQUE ("tenantId", id));
           CREATE TABLE items (id int PRIMARY KEY, pid int NOT NULL, "tenantId" text,
               FOREIGN KEY ("tenantId", pid) REFERENCES parent ("tenantId", id));
           CREATE TABLE maybe (id int PRIMARY KEY, pid int, "tenantId" text,
               FOREIGN KEY ("tenantId", pid) REFERENCES parent ("tenantId", id));
           INSERT INTO parent VALUES (1, 't1'); INSERT INTO items VALUES (1, 1, 't1'); INSERT INTO maybe VALUES (1, 1, 't1')"#,
    )
    .await;
    let report = roll_with(&db, &tables_of(""), &auto(), &mut |_| ()).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    assert_eq!((phase(&report, "items"), phase(&report, "maybe")), (Phase::Enforce, Phase::Enforce));
    let keys = "DO $$ BEGIN
        ASSERT (SELECT count(*) FROM pg_constraint WHERE conrelid = 'items'::regclass AND contype = 'f') = 1;
        ASSERT (SELECT count(*) FROM pg_constraint WHERE conrelid = 'maybe'::regclass AND contype = 'f') = 2; END $$";
    script(&mut db.owner().await, keys).await;
}
