//! Rights, keys and roles that lead past the policies, each beside a neighbour that does not.

use local_db::Role;
use tenancy_config::Tenancy;
use tenant_inventory::{Barrier, Openness, Privilege, Reach, Severity, Unfiltered, Way, WayObject, WayVerdict};
use test_support::TestDb;

use crate::ways_support::{as_login, of, plant, planted, run, told, ways, ways_for};

fn right<'a>(ways: &'a [Way], table: &str, wanted: Privilege) -> Option<&'a Way> {
    ways.iter().find(|way| {
        matches!(&way.object, WayObject::Right { table: of, privilege } if of.to_string() == table && *privilege == wanted)
    })
}

#[tokio::test]
async fn truncate_counts_on_tables_and_partitions_however_it_is_granted() {
    let db = planted("GRANT TRUNCATE ON visits_2025 TO app_user; GRANT TRUNCATE ON countries TO app_user").await;
    let found = ways(&db).await;
    let on_partition = right(&found, "public.visits_2025", Privilege::Truncate).unwrap();
    assert_eq!((&on_partition.verdict, on_partition.severity()), (&WayVerdict::Open, Severity::High));
    assert_eq!(on_partition.closing.as_deref(), Some("REVOKE TRUNCATE ON public.visits_2025 FROM app_user"));
    assert!(right(&found, "public.countries", Privilege::Truncate).is_none());
    assert!(right(&found, "public.bookings", Privilege::Truncate).is_none());
    plant(&db, "GRANT TRUNCATE ON bookings TO PUBLIC").await;
    let found = ways(&db).await;
    let by_everybody = right(&found, "public.bookings", Privilege::Truncate).unwrap();
    assert_eq!(by_everybody.closing.as_deref(), Some("REVOKE TRUNCATE ON public.bookings FROM PUBLIC"));
    as_login(&db, "BEGIN; TRUNCATE visits_2025; ROLLBACK").await.unwrap();
}

/// What takes a right from whom it was not granted to takes nothing.
#[tokio::test]
async fn a_right_is_taken_from_whom_it_was_granted_to_or_by_the_end_of_a_membership() {
    let db = planted(
        r#"CREATE ROLE :"x_login" LOGIN; CREATE ROLE :"x_team"; CREATE ROLE :"x_all"; GRANT :"x_all" TO :"x_team"; GRANT :"x_team" TO :"x_login";
           GRANT TRUNCATE ON visits_2025 TO :"x_all"; GRANT UPDATE (notes) ON bookings TO :"x_team";
           CREATE VIEW every AS SELECT id FROM bookings; GRANT SELECT ON every TO :"x_all";
           CREATE FUNCTION total() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM public.bookings';
           REVOKE EXECUTE ON FUNCTION total FROM PUBLIC; GRANT EXECUTE ON FUNCTION total TO :"x_team""#,
    )
    .await;
    let login = format!("x_login_{}", db.name());
    let (team, all) = (format!("x_team_{}", db.name()), format!("x_all_{}", db.name()));
    let closing = |found: &[Way], name: &str| of(found, name).closing.clone().unwrap();
    let found = ways_for(&db.url(Role::Owner), &login).await;
    let truncate = "TRUNCATE on public.visits_2025";
    assert_eq!(closing(&found, truncate), format!("REVOKE TRUNCATE ON public.visits_2025 FROM {all}"));
    assert_eq!(closing(&found, "public.total()"), format!("REVOKE EXECUTE ON ROUTINE public.total() FROM {team}"));
    plant(&db, r#"GRANT TRUNCATE ON visits_2025 TO PUBLIC, :"x_login""#).await;
    let found = ways_for(&db.url(Role::Owner), &login).await;
    let from = format!("REVOKE TRUNCATE ON public.visits_2025 FROM PUBLIC, {all}, {login}");
    assert_eq!(closing(&found, truncate), from);
    // A view that a role of the server reads without a grant.
    plant(&db, r#"CREATE MATERIALIZED VIEW stored AS SELECT id FROM bookings; GRANT pg_read_all_data TO :"x_team""#)
        .await;
    let found = ways_for(&db.url(Role::Owner), &login).await;
    assert_eq!(closing(&found, "public.stored"), format!("REVOKE pg_read_all_data FROM {team}"));
    plant(&db, r#"DROP OWNED BY :"x_login", :"x_team", :"x_all"; DROP ROLE :"x_login", :"x_team", :"x_all""#).await;
}

/// A function of the login's own, even a temporary one, runs as whoever writes to the table.
#[tokio::test]
async fn trigger_is_a_way_where_the_login_can_make_a_function() {
    let db = planted("GRANT TRIGGER ON bookings TO app_user").await;
    let found = ways(&db).await;
    let way = right(&found, "public.bookings", Privilege::Trigger).unwrap();
    assert_eq!((&way.verdict, way.severity()), (&WayVerdict::Open, Severity::Low));
    let mut login = db.app_user().await;
    let spy = r#"CREATE FUNCTION pg_temp.spy() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO public.cmd SELECT id FROM public.bookings; RETURN NEW; END $$;
        CREATE TRIGGER spy BEFORE UPDATE ON public.bookings FOR EACH ROW EXECUTE FUNCTION pg_temp.spy()"#;
    login.run_script("hanging a function on a table", spy).await.unwrap();
    plant(&db, "UPDATE bookings SET notes = notes WHERE id = 'b'").await;
    login.run_script("reading", "DO $$ BEGIN ASSERT (SELECT count(*) FROM cmd) = 2; END $$").await.unwrap();
    let cannot = "DO $$ BEGIN EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database()); END $$";
    plant(&db, cannot).await;
    plant(&db, "REVOKE CREATE ON SCHEMA public FROM PUBLIC, app_user").await;
    assert_eq!(right(&ways(&db).await, "public.bookings", Privilege::Trigger).unwrap().verdict, WayVerdict::Closed);
}

/// A reference tells whether a key exists, whatever tenant it belongs to.
#[tokio::test]
async fn references_is_a_way_where_the_login_can_make_a_table() {
    let db = planted("GRANT REFERENCES ON bookings TO app_user; CREATE SCHEMA own; REVOKE CREATE ON SCHEMA public FROM PUBLIC, app_user").await;
    let way = |found: &[Way]| right(found, "public.bookings", Privilege::References).unwrap().clone();
    assert_eq!(way(&ways(&db).await).verdict, WayVerdict::Closed);
    plant(&db, "GRANT USAGE, CREATE ON SCHEMA own TO app_user").await;
    let found = way(&ways(&db).await);
    assert_eq!((&found.verdict, found.severity()), (&WayVerdict::Open, Severity::Low));
    as_login(&db, "CREATE TABLE own.probe (id text REFERENCES public.bookings); INSERT INTO own.probe VALUES ('b')")
        .await
        .unwrap();
    assert!(as_login(&db, "INSERT INTO own.probe VALUES ('no such booking')").await.is_err());
}

#[tokio::test]
async fn a_key_that_changes_rows_by_itself_needs_a_look_at_the_rows_unless_it_keeps_the_tenant() {
    let db = planted(
        r#"CREATE UNIQUE INDEX ON bookings ("tenantId", id);
           ALTER TABLE visits ADD booking text REFERENCES bookings ON DELETE CASCADE;
           ALTER TABLE visits ADD kept text, ADD FOREIGN KEY ("tenantId", kept) REFERENCES bookings ("tenantId", id) ON DELETE CASCADE;
           ALTER TABLE visits ADD restricted text REFERENCES bookings"#,
    )
    .await;
    let found = ways(&db).await;
    let keys: Vec<&Way> = found.iter().filter(|way| matches!(way.object, WayObject::CascadingKey { .. })).collect();
    let [key] = keys[..] else { panic!("{:#?}", told(&found)) };
    assert_eq!(key.verdict, WayVerdict::NeedsData);
    assert!(key.to_string().contains("visits_booking_fkey"), "{key}");
    plant(&db, "REVOKE UPDATE, DELETE ON bookings FROM app_user").await;
    let key =
        |found: &[Way]| found.iter().find(|way| matches!(way.object, WayObject::CascadingKey { .. })).unwrap().clone();
    assert_eq!(key(&ways(&db).await).verdict, WayVerdict::Closed);
    // By a view, of which the owner has the right.
    plant(&db, "CREATE VIEW gone AS SELECT id FROM bookings; CREATE VIEW outer_gone AS SELECT id FROM gone; GRANT DELETE ON outer_gone TO app_user").await;
    let by_view = key(&ways(&db).await);
    assert_eq!(by_view.verdict, WayVerdict::NeedsData);
    let says =
        "app_user may write to public.outer_gone, which goes on by the view public.gone, the table public.bookings";
    assert!(by_view.to_string().ends_with(says), "{by_view}");
    plant(&db, "ALTER VIEW gone SET (security_invoker = true)").await;
    assert_eq!(key(&ways(&db).await).verdict, WayVerdict::Closed);
}

/// What the key of a rollout rules out needs no look at the rows, for any command.
#[tokio::test]
async fn a_key_beside_one_that_keeps_the_tenant_is_closed_by_it() {
    let db = planted(
        r#"CREATE UNIQUE INDEX ON bookings ("tenantId", id);
           CREATE TABLE notes ("tenantId" text, booking text REFERENCES bookings ON DELETE CASCADE);
           ALTER TABLE notes OWNER TO app_owner;
           ALTER TABLE notes ADD CONSTRAINT both_keys FOREIGN KEY ("tenantId", booking) REFERENCES bookings ("tenantId", id) ON DELETE CASCADE"#,
    )
    .await;
    let key = async |db: &TestDb| {
        let found = ways(db).await;
        let key = found.iter().find(|way| matches!(way.object, WayObject::CascadingKey { .. }));
        key.unwrap_or_else(|| panic!("{:#?}", told(&found))).clone()
    };
    let closed = key(&db).await;
    assert_eq!(closed.reach, Reach::Cannot { why: Barrier::KeptByKey { name: "both_keys".into() } });
    assert_eq!((closed.verdict.clone(), closed.openness(&Tenancy::default())), (WayVerdict::Closed, Openness::Closed));
    let says = "the foreign key \"both_keys\" references the same row together with its tenant";
    assert!(closed.to_string().ends_with(says), "{closed}");
    // Neither one that is not proven, nor one of another column rules anything out.
    for other in [
        r#"FOREIGN KEY ("tenantId", booking) REFERENCES bookings ("tenantId", id) NOT VALID"#,
        r#"FOREIGN KEY ("tenantId", other) REFERENCES bookings ("tenantId", id)"#,
    ] {
        let change = format!(
            "ALTER TABLE notes DROP CONSTRAINT both_keys, ADD COLUMN IF NOT EXISTS other text, ADD CONSTRAINT both_keys {other}"
        );
        db.owner().await.run_script("planting", tenant_rls::Sql::from_catalog(change)).await.unwrap();
        assert_eq!(key(&db).await.verdict, WayVerdict::NeedsData, "{other}");
    }
}

/// Rows that no tenant owns are deleted or changed by a view as well, and the keys act on tenants' rows.
#[tokio::test]
async fn a_right_on_a_view_counts_where_it_passes_on_what_keys_act_on() {
    let db = planted(
        r#"CREATE TABLE places (code text PRIMARY KEY, name text, "Odd :relid 5" text);
           ALTER TABLE visits ADD place text REFERENCES places ON DELETE CASCADE ON UPDATE CASCADE;
           CREATE VIEW inner_places AS SELECT name, code AS "The code", "Odd :relid 5" AS "x :jointree {" FROM places;
           CREATE VIEW shown AS SELECT "The code" AS c, name AS n, upper(name) AS up FROM inner_places AS "y :jointree { :relid 7" WHERE name <> '';
           GRANT UPDATE, DELETE ON shown TO app_user;
           CREATE VIEW of_user WITH (security_invoker = true) AS SELECT * FROM places; GRANT UPDATE, DELETE ON of_user TO app_user;
           CREATE VIEW grouped AS SELECT code FROM places GROUP BY code; GRANT UPDATE, DELETE ON grouped TO app_user;
           CREATE VIEW joined AS SELECT p.* FROM places AS p CROSS JOIN places AS q; GRANT UPDATE, DELETE ON joined TO app_user;
           CREATE VIEW names AS SELECT name FROM places; GRANT UPDATE ON names TO app_user;
           CREATE VIEW ruled AS SELECT code FROM places; GRANT UPDATE, DELETE ON ruled TO app_user;
           CREATE RULE no_update AS ON UPDATE TO ruled DO INSTEAD NOTHING; CREATE RULE no_delete AS ON DELETE TO ruled DO INSTEAD NOTHING"#,
    )
    .await;
    let rights = |found: &[Way]| -> Vec<String> {
        let of_keys = found.iter().filter(|way| way.acts_as.why == Unfiltered::ReferentialAction);
        of_keys.map(Way::review_name).collect()
    };
    let found = ways(&db).await;
    assert_eq!(rights(&found), ["DELETE on public.shown", "UPDATE on public.shown"], "{:#?}", told(&found));
    let update = of(&found, "UPDATE on public.shown");
    let closing = "REVOKE UPDATE ON public.shown FROM app_user; GRANT UPDATE (n) ON public.shown TO app_user";
    assert_eq!((&update.verdict, update.closing.as_deref()), (&WayVerdict::Open, Some(closing)));
    let through = "by foreign keys through the view public.inner_places, the table public.places";
    assert!(update.to_string().contains(through), "{update}");
    let hash = update.review_hash().unwrap().to_owned();
    plant(&db, closing).await;
    plant(&db, "GRANT DELETE ON places TO app_user; CREATE OR REPLACE VIEW inner_places AS SELECT name, code AS \"The code\", \"Odd :relid 5\" AS \"x :jointree {\" FROM places WHERE name IS NOT NULL").await;
    let found = ways(&db).await;
    assert_eq!(rights(&found), ["DELETE on public.of_user", "DELETE on public.places", "DELETE on public.shown"]);
    // The view that is reviewed is another one now.
    plant(&db, "GRANT UPDATE ON shown TO app_user").await;
    assert_ne!(of(&ways(&db).await, "UPDATE on public.shown").review_hash(), Some(hash.as_str()));
    as_login(&db, "BEGIN; UPDATE shown SET c = 'x'; DELETE FROM shown; ROLLBACK").await.unwrap();
}

#[tokio::test]
async fn rights_in_the_book_keeping_count_except_to_observe() {
    let db = planted(
        r#"CREATE SCHEMA tenant_ops; CREATE TABLE tenant_ops.journal (id int);
           CREATE FUNCTION tenant_ops.observe(t text) RETURNS bool LANGUAGE sql AS 'SELECT true';
           CREATE FUNCTION tenant_ops.other() RETURNS bool LANGUAGE sql AS 'SELECT true';
           REVOKE EXECUTE ON FUNCTION tenant_ops.other FROM PUBLIC;
           GRANT USAGE ON SCHEMA tenant_ops TO app_user"#,
    )
    .await;
    let ops = |found: &[Way]| -> Vec<String> {
        found.iter().filter(|way| matches!(way.object, WayObject::Ops { .. })).map(Way::review_name).collect()
    };
    assert_eq!(ops(&ways(&db).await), Vec::<String>::new());
    plant(
        &db,
        "GRANT SELECT ON tenant_ops.journal TO app_user; GRANT EXECUTE ON FUNCTION tenant_ops.other TO app_user",
    )
    .await;
    assert_eq!(ops(&ways(&db).await), ["tenant_ops.journal", "tenant_ops.other()"]);
}

/// The ways of a login of this database's own, by the reason why no policy filters it.
async fn reasons(db: &test_support::TestDb) -> Vec<(Unfiltered, WayVerdict)> {
    let login = format!("x_login_{}", db.name());
    let found = ways_for(&db.url(Role::Owner), &login).await;
    let roles = found.iter().filter(|way| matches!(way.object, WayObject::Role { .. }));
    roles.map(|way| (way.acts_as.why.clone(), way.verdict.clone())).collect()
}

#[tokio::test]
async fn roles_that_the_login_is_or_can_become_count_by_what_they_may() {
    let db = planted(r#"CREATE ROLE :"x_login" LOGIN"#).await;
    assert_eq!(reasons(&db).await, []);
    let server = Unfiltered::ServerRole { role: "pg_read_server_files".into() };
    for (grant, reason, revoke) in [
        (
            r#"CREATE ROLE :"x_bypass" BYPASSRLS; GRANT :"x_bypass" TO :"x_login""#,
            Unfiltered::BypassRls,
            r#"DROP ROLE :"x_bypass""#,
        ),
        (r#"ALTER ROLE :"x_login" REPLICATION"#, Unfiltered::Replication, r#"ALTER ROLE :"x_login" NOREPLICATION"#),
        (r#"GRANT pg_read_server_files TO :"x_login""#, server, r#"REVOKE pg_read_server_files FROM :"x_login""#),
        (
            r#"CREATE ROLE :"x_support"; GRANT SELECT ON bookings TO :"x_support"; GRANT :"x_support" TO :"x_login";
               CREATE POLICY support ON bookings FOR SELECT TO :"x_support" USING (true); ALTER ROLE :"x_login" NOINHERIT"#,
            Unfiltered::LetThrough { policy: "support".into(), table: "public.bookings".into() },
            r#"DROP POLICY support ON bookings; DROP OWNED BY :"x_support"; DROP ROLE :"x_support"; ALTER ROLE :"x_login" INHERIT"#,
        ),
    ] {
        plant(&db, grant).await;
        // Once, although the login has the rights of the role and can become it, too.
        assert_eq!(reasons(&db).await, [(reason, WayVerdict::Open)]);
        plant(&db, revoke).await;
        assert_eq!(reasons(&db).await, [], "after {revoke}");
    }
    // They read what policies let them read.
    plant(&db, r#"GRANT pg_read_all_data, pg_write_all_data TO :"x_login""#).await;
    assert_eq!(reasons(&db).await, []);
    plant(&db, r#"DROP OWNED BY :"x_login"; DROP ROLE :"x_login""#).await;
}

#[tokio::test]
async fn an_owner_counts_where_force_is_off_and_is_noted_where_it_is_on() {
    let db = planted(r#"CREATE ROLE :"x_login" LOGIN; ALTER TABLE bookings OWNER TO :"x_login""#).await;
    let owner = Unfiltered::OwnerOf { table: "public.bookings".into() };
    let login = format!("x_login_{}", db.name());
    // The superuser reads, as the table is a stranger's for everybody else.
    let reasons = async || {
        let found = ways_for(&db.url(Role::Superuser), &login).await;
        let role = |way: &&Way| matches!(way.object, WayObject::Role { .. });
        found.iter().filter(role).map(|way| (way.acts_as.why.clone(), way.verdict.clone())).collect::<Vec<_>>()
    };
    plant(&db, r#"GRANT :"x_login" TO app_owner; ALTER TABLE "Tenant" OWNER TO :"x_login""#).await;
    assert_eq!(reasons().await, [(owner.clone(), WayVerdict::CanSwitchOff)]);
    plant(&db, "ALTER TABLE bookings NO FORCE ROW LEVEL SECURITY").await;
    assert_eq!(reasons().await, [(owner, WayVerdict::Open)]);
    plant(&db, r#"REASSIGN OWNED BY :"x_login" TO postgres; DROP OWNED BY :"x_login"; DROP ROLE :"x_login""#).await;
}

#[tokio::test]
async fn createrole_is_a_way_before_16_and_admin_is_one_from_then_on() {
    for version in [15, 17] {
        let Ok(server) = test_support::server_of_version(version).await else { continue };
        let mut superuser = server.connect(Role::Superuser).await;
        server
            .connect(Role::Owner)
            .await
            .run_script("a view of the default application is there", "SELECT 1")
            .await
            .unwrap();
        run(&mut superuser, "s", r#"CREATE ROLE :"x_bypass" BYPASSRLS; ALTER ROLE app_user CREATEROLE"#).await;
        let whys = async || {
            let found = ways_for(&server.url(Role::Owner), "app_user").await;
            let open = found.into_iter().filter(|way| way.verdict == WayVerdict::Open);
            open.filter(|way| matches!(way.object, WayObject::Role { .. }))
                .map(|way| way.acts_as.why)
                .collect::<Vec<_>>()
        };
        if version < 16 {
            assert_eq!(whys().await, [Unfiltered::CreateRole]);
            continue;
        }
        assert_eq!(whys().await, []);
        let admin = r#"GRANT :"x_bypass" TO app_user WITH INHERIT FALSE, SET FALSE, ADMIN TRUE"#;
        run(&mut superuser, "s", admin).await;
        assert_eq!(whys().await, [Unfiltered::BypassRls]);
        let none = r#"REVOKE :"x_bypass" FROM app_user; GRANT :"x_bypass" TO app_user WITH INHERIT FALSE, SET FALSE"#;
        run(&mut superuser, "s", none).await;
        assert_eq!(whys().await, []);
    }
}

/// No policy of the child holds for what a foreign key does, and no tenant owns the row that it depends on.
#[tokio::test]
async fn changing_a_row_that_is_nobodys_is_a_way_where_keys_act_on_tenants_rows() {
    let db = planted(
        "ALTER TABLE bookings ADD COLUMN country text REFERENCES countries (code) ON DELETE CASCADE ON UPDATE CASCADE;
         INSERT INTO countries (code) VALUES ('zz'); UPDATE bookings SET country = 'zz'",
    )
    .await;
    assert!(right(&ways(&db).await, "public.countries", Privilege::Delete).is_none());
    plant(&db, "GRANT SELECT, DELETE ON countries TO app_user").await;
    let found = ways(&db).await;
    let delete = right(&found, "public.countries", Privilege::Delete).unwrap();
    assert_eq!((&delete.verdict, delete.severity()), (&WayVerdict::Open, Severity::High));
    assert_eq!(delete.closing.as_deref(), Some("REVOKE DELETE ON public.countries FROM app_user"));
    assert_eq!(delete.tables.iter().map(ToString::to_string).collect::<Vec<_>>(), ["public.bookings"]);
    assert!(right(&found, "public.countries", Privilege::Update).is_none());
    plant(&db, "REVOKE DELETE ON countries FROM app_user; GRANT UPDATE ON countries TO app_user").await;
    let found = ways(&db).await;
    assert!(right(&found, "public.countries", Privilege::Update).is_some());
    assert!(right(&found, "public.countries", Privilege::Delete).is_none());
}

/// The tenant table has no tenant column, so no policy says whose row a login deletes there.
#[tokio::test]
async fn deleting_a_tenant_deletes_its_rows() {
    let db = planted(
        r#"ALTER TABLE bookings DROP CONSTRAINT "bookings_tenantId_fkey",
               ADD FOREIGN KEY ("tenantId") REFERENCES "Tenant" ON DELETE CASCADE ON UPDATE CASCADE;
           ALTER TABLE "Tenant" ADD name text, ADD plan text;
           GRANT UPDATE (name) ON "Tenant" TO app_user"#,
    )
    .await;
    let found = ways(&db).await;
    for privilege in [Privilege::Delete, Privilege::Update] {
        assert!(right(&found, "public.Tenant", privilege).is_none(), "{:#?}", told(&found));
    }
    plant(&db, r#"GRANT DELETE, UPDATE (id) ON "Tenant" TO app_user"#).await;
    let found = ways(&db).await;
    for (privilege, closing) in [
        (Privilege::Delete, r#"REVOKE DELETE ON public."Tenant" FROM app_user"#),
        (
            Privilege::Update,
            r#"REVOKE UPDATE ON public."Tenant" FROM app_user; GRANT UPDATE (name) ON public."Tenant" TO app_user"#,
        ),
    ] {
        let way = right(&found, "public.Tenant", privilege).unwrap();
        assert_eq!((&way.verdict, way.closing.as_deref()), (&WayVerdict::Open, Some(closing)));
        assert_eq!(way.tables.iter().map(ToString::to_string).collect::<Vec<_>>(), ["public.bookings"]);
    }
    plant(&db, r#"ALTER TABLE "Tenant" ENABLE ROW LEVEL SECURITY; CREATE POLICY all_of_them ON "Tenant" USING (true)"#)
        .await;
    let found = ways(&db).await;
    let limited = right(&found, "public.Tenant", Privilege::Delete).unwrap();
    assert!(matches!(limited.verdict, WayVerdict::NeedsReview { .. }), "{limited}");
    let takes = "SET app.current_tenant_id = 't_a'; UPDATE \"Tenant\" SET id = 't_c' WHERE id = 't_a'; UPDATE \"Tenant\" SET id = 't_a' WHERE id = 't_b';
        DO $$ BEGIN ASSERT (SELECT min(id) FROM bookings) = 'b'; END $$; DELETE FROM \"Tenant\"";
    as_login(&db, takes).await.unwrap();
    plant(&db, "DO $$ BEGIN ASSERT (SELECT count(*) FROM bookings) = 0; END $$").await;
}
