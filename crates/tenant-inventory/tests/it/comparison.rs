//! What `tenancy.toml` names and a real database does not have.

use local_db::Role;
use tenancy_config::Tenancy;
use tenant_inventory::absent;
use test_support::TestDb;

use crate::support::connect;

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
    assert_eq!(said(&database().await, RULES).await, Vec::<String>::new());
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
