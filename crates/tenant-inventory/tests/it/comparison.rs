//! What `tenancy.toml` names and a real database does not have.

use local_db::Role;
use tenancy_config::Tenancy;
use tenant_inventory::{absent, misfits};
use test_support::TestDb;

use crate::support::connect;
use crate::ways_support::planted;

const TABLES: &str = r#"
    CREATE TABLE orgs (id text PRIMARY KEY, slug text, name text);
    CREATE TABLE people (id int PRIMARY KEY, tenant_id text);
    CREATE TABLE notes (id int PRIMARY KEY, person int, tenant_id text);
    CREATE VIEW everybody AS SELECT * FROM people;
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
    CREATE TRIGGER touched BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE RULE logged AS ON UPDATE TO notes DO ALSO SELECT 1;
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
    CREATE POLICY rls_tenant_isolation ON notes USING (tenant_id = current_setting('app.tenant_id', true));
    CREATE POLICY support ON notes USING (true);
"#;

const RULES: &str = r#"
    columns = ["tenant_id"]
    [tenant]
    table = "orgs"
    key = "id"
    [session]
    variable = "app.tenant_id"
    [roles]
    app = "app_user"
    [tables.notes]
    allow_triggers = ["touched"]
    allow_rules = ["logged"]
    allow_policies = { support = "they answer questions" }
    sources = [{ name = "person", column = "person", table = "people" }]
    tie_breakers = [{ name = "self", table = "notes", equal = { person = "person" } }]
"#;

async fn database() -> TestDb {
    let db = test_support::empty_database().await;
    db.superuser().await.run_script("preparing a test", TABLES).await.unwrap();
    db
}

/// What is absent with these settings, as any role sees it.
async fn said(db: &TestDb, toml: &str) -> Vec<String> {
    let tenancy = Tenancy::from_toml(toml, "tenancy.toml".as_ref()).unwrap();
    let database = connect(db, Role::AppUser).await;
    let said = absent(&database, &tenancy).await.unwrap().iter().map(ToString::to_string).collect();
    database.close().await;
    said
}

#[tokio::test]
async fn of_what_is_there_nothing_is_said() {
    let db = database().await;
    assert_eq!(said(&db, RULES).await, Vec::<String>::new());
    assert_eq!(unfit(&db, RULES).await, Vec::<String>::new());
}

/// What does not fit, each with what to do about it; what is absent is not told again.
async fn unfit(db: &TestDb, toml: &str) -> Vec<String> {
    let tenancy = Tenancy::from_toml(toml, "tenancy.toml".as_ref()).unwrap();
    let database = connect(db, Role::AppUser).await;
    let absent = absent(&database, &tenancy).await.unwrap();
    let misfits = misfits(&database, &tenancy, &absent).await.unwrap();
    database.close().await;
    misfits.iter().map(|misfit| format!("{misfit}; {}", misfit.hint())).collect()
}

const DECLARED: &str = r#"
    GRANT SELECT ON notes TO app_user;
    CREATE VIEW every_note AS SELECT id FROM notes;
    GRANT SELECT ON every_note TO app_user;
    CREATE VIEW unseen_notes AS SELECT id FROM notes;
    CREATE VIEW nothing AS SELECT 1 AS one;
    CREATE TABLE parts (id int PRIMARY KEY, note int REFERENCES notes, tenant_id text NOT NULL);
    CREATE TABLE hung (id int PRIMARY KEY, note int REFERENCES notes);
"#;

#[tokio::test]
async fn each_declaration_that_does_not_fit_is_told_with_its_place_and_what_to_do() {
    let db = database().await;
    db.superuser().await.run_script("preparing a test", DECLARED).await.unwrap();
    let review = |name: &str, hash: &str| format!("[reviewed.\"{name}\"]\nwhy = \"read\"\nhash = \"{hash}\"\n");
    let outdated = unfit(&db, &(RULES.to_owned() + &review("public.every_note", "0000"))).await;
    let [outdated] = &outdated[..] else { panic!("{outdated:?}") };
    let start = "reviewed.public.every_note: the view public.every_note is no longer as it was reviewed (0000); now a review is pinned to ";
    assert!(outdated.starts_with(start), "{outdated}");
    let hash = outdated.split("hash = \"").nth(1).unwrap().trim_end_matches('"');
    assert_eq!(unfit(&db, &(RULES.to_owned() + &review("public.every_note", hash))).await, [""; 0]);

    for (declared, expected) in [
        (
            review("public.unseen_notes", "0000"),
            "reviewed.public.unseen_notes: no review is asked for: the login has no right on it, or does not see its schema; take it out",
        ),
        (
            review("public.nothing", "0000"),
            "reviewed.public.nothing: no review is asked for: it leads past no policy; take it out",
        ),
        (
            "[tables.parts]\nshared_rows = \"all\"\n".to_owned(),
            "tables.parts.shared_rows: public.parts has no rows without a tenant, as tenant_id cannot be NULL; \
             take it out, or ALTER COLUMN tenant_id DROP NOT NULL where such rows are to come",
        ),
        (
            "[tables.people]\nplatform_rows = true\n".to_owned(),
            "tables.people.platform_rows: no reason is given; platform_rows = \"why\", which reports repeat",
        ),
        (
            "[tables.people]\ncross_tenant_references = \"all\"\n".to_owned(),
            "tables.people.cross_tenant_references: no foreign key of public.people leads to a table whose rows belong to tenants; \
             take it out, or add the foreign key that it is about",
        ),
        (
            "[tables.orgs]\nexempt = \"all\"\n".to_owned(),
            "tables.orgs.exempt: it is the tenant table, whose rows are the tenants themselves; take it out",
        ),
    ] {
        assert_eq!(unfit(&db, &(RULES.to_owned() + &declared)).await, [expected], "{declared}");
    }
    for fits in [
        "[tables.people]\nplatform_rows = \"jobs\"\n",
        "[tables.parts]\ncross_tenant_references = \"all\"\n",
        "[tables.people]\nexempt = \"all\"\n",
    ] {
        assert_eq!(unfit(&db, &(RULES.to_owned() + fits)).await, [""; 0], "{fits}");
    }
    let hung = "[tables.hung]\nthrough = { column = \"note\", table = \"notes\" }\n";
    let through = unfit(&db, &(RULES.to_owned() + hung)).await;
    assert!(
        through.len() == 1 && through[0].starts_with("tables.hung.through: it does not protect the table: "),
        "{through:?}"
    );
}

#[tokio::test]
async fn a_policy_of_the_rollouts_own_needs_no_permission() {
    let db = planted("CREATE POLICY support ON bookings USING (true)").await;
    let toml = |policy: &str| format!("[tables.bookings]\nallow_policies = {{ {policy} = \"meant\" }}\n");
    assert_eq!(unfit(&db, &toml("support")).await, [""; 0]);
    let own = unfit(&db, &toml("rls_tenant_isolation")).await;
    let expected = "tables.bookings.allow_policies.rls_tenant_isolation: the policy \"rls_tenant_isolation\" is the rollout's own; take it out";
    assert_eq!(own, [expected]);
}

#[tokio::test]
async fn a_review_of_what_is_gone_is_absent_and_named_with_its_schema() {
    let db = database().await;
    let review = |name: &str| RULES.to_owned() + &format!("[reviewed.\"{name}\"]\nwhy = \"read\"\nhash = \"00\"\n");
    for (name, closest) in [("everybody", "public.everybody"), ("public.tuch()", "public.touch()")] {
        let expected =
            format!("reviewed.{name}: there is no view, function, rule or trigger `{name}`; did you mean `{closest}`?");
        assert_eq!(said(&db, &review(name)).await, [expected]);
        assert_eq!(unfit(&db, &review(name)).await, [""; 0]);
    }
    for there in ["public.touch()", "public.notes.touched", "public.notes.logged"] {
        assert_eq!(said(&db, &review(there)).await, [""; 0], "{there}");
    }
}

#[tokio::test]
async fn a_source_in_a_table_without_a_tenant_column_is_told() {
    let db = database().await;
    db.superuser()
        .await
        .run_script("preparing a test", "CREATE TABLE rooms (id int PRIMARY KEY, tenantid text)")
        .await
        .unwrap();
    let rooms = RULES.replace("table = \"people\"", "table = \"rooms\"");
    let expected = "tables.notes.sources.person.tenant: public.rooms has no tenant column from which a tenant could be read (tenant_id); \
                    did you mean `tenantid`?";
    assert_eq!(said(&db, &rooms).await, [expected]);
    let named = rooms.replace("table = \"rooms\"", "table = \"rooms\", tenant = \"tenantid\"");
    assert_eq!(said(&db, &named).await, [""; 0]);
    let to_come = "[tables.rooms]\nadd_column = { through = \"id\", table = \"people\" }\n";
    assert_eq!(said(&db, &(rooms + to_come)).await, [""; 0], "the next rollout adds it");
}

#[tokio::test]
async fn each_name_that_the_database_does_not_have_is_told_with_its_place_and_the_closest_one() {
    let db = database().await;
    for (right, wrong, expected) in [
        ("app = \"app_user\"", "app = \"app_usr\"", "roles.app: there is no role `app_usr`; did you mean `app_user`?"),
        ("key = \"id\"", "key = \"idd\"", "tenant.key: public.orgs has no column `idd`; did you mean `id`?"),
        (
            "column = \"person\"",
            "column = \"persn\"",
            "tables.notes.sources.person.column: public.notes has no column `persn`; did you mean `person`?",
        ),
        (
            "table = \"people\"",
            "table = \"peple\"",
            "tables.notes.sources.person.table: there is no table `public.peple`; did you mean `people`?",
        ),
        (
            "table = \"people\"",
            "table = \"everybody\"",
            "tables.notes.sources.person.table: `public.everybody` is a view, and not a table",
        ),
        (
            "equal = { person = \"person\" }",
            "equal = { person = \"prson\" }",
            "tables.notes.tie_breakers.self.equal: public.notes has no column `prson`; did you mean `person`?",
        ),
        (
            "[\"touched\"]",
            "[\"touchd\"]",
            "tables.notes.allow_triggers: public.notes has no trigger `touchd`; did you mean `touched`?",
        ),
        (
            "[\"logged\"]",
            "[\"loged\"]",
            "tables.notes.allow_rules: public.notes has no rule `loged` for UPDATE; did you mean `logged`?",
        ),
        (
            "{ support =",
            "{ suport =",
            "tables.notes.allow_policies: public.notes has no policy `suport`; did you mean `support`?",
        ),
        (
            "columns = [\"tenant_id\"]",
            "columns = [\"tenantid\"]",
            "columns: no table has a column of these names: tenantid; did you mean `tenant_id`?",
        ),
        (
            "variable = \"app.tenant_id\"",
            "variable = \"app.tenant\"",
            "session.variable: the policy \"rls_tenant_isolation\" of public.notes reads app.tenant_id and not `app.tenant`; \
             did you mean `app.tenant_id`?",
        ),
    ] {
        let changed = RULES.replace(right, wrong);
        assert_ne!(changed, RULES, "{right}");
        let said = said(&db, &changed).await;
        assert_eq!(said, [expected], "{wrong}");
    }
}
