//! Small schemas of other applications, and the file that is written for each.

use backfill_engine::BackfillPlan;
use local_db::Role;
use tenancy_config::{TableName, Tenancy};
use tenancy_init::{Answers, Error, Proposal, ProposalOrQuestion, additions, compare, propose, refreshed, updated};
use tenant_inventory::Catalog;
use tenant_inventory::class::Class;
use tenant_rls::{ConnectOptions, Database};
use test_support::TestDb;

async fn connect(db: &TestDb, role: Role) -> Database {
    let options = ConnectOptions { max_connections: 2, ..ConnectOptions::default() };
    Database::connect(&db.url(role), &options).await.unwrap()
}

async fn with(script: &'static str) -> TestDb {
    let db = test_support::empty_database().await;
    let mut owner = db.owner().await;
    owner.run_script("making tables", script).await.unwrap();
    owner.close().await;
    db
}

/// The proposal that the owner gets, an ordinary login, where nobody answers a question.
async fn proposal(db: &TestDb, mut answers: Answers) -> Result<Proposal, Error> {
    let database = connect(db, Role::Owner).await;
    let base = Tenancy::default();
    loop {
        match propose(&database, &base, &answers, None).await? {
            ProposalOrQuestion::Proposed(proposal) => {
                let absent = tenant_inventory::absent(&database, &proposal.tenancy).await.unwrap();
                let invented = |key: &str| {
                    !(key.starts_with("roles.") || proposal.notes.no_tenant_table && key.starts_with("tenant."))
                };
                let invented: Vec<_> = absent.iter().filter(|absent| invented(&absent.key)).collect();
                database.close().await;
                assert!(invented.is_empty(), "{invented:?}");
                let text = proposal.text();
                let mut written = proposal.tenancy.clone();
                if proposal.notes.no_app_role {
                    written.roles.app = Tenancy::default().roles.app;
                }
                assert_eq!(Tenancy::from_toml(&text, "tenancy.toml".as_ref()).unwrap(), written, "{text}");
                return Ok(proposal);
            }
            ProposalOrQuestion::Ask(question) => answers.give(question, None),
        }
    }
}

/// What differs from file to file: neither the explanations nor the end.
fn body(text: &str) -> String {
    let keep = |line: &&str| !line.starts_with("#   ") && !line.starts_with("# Roles whose");
    let lines: Vec<&str> = text.lines().filter(keep).skip(5).collect();
    lines.join("\n").split("\n# Views and functions").next().unwrap_or_default().to_owned()
}

/// Takes each proposed declaration out of its comment, one at a time: the inventory must accept it.
async fn each_declaration_holds(db: &TestDb, text: &str) {
    let database = connect(db, Role::Owner).await;
    let mut section = "";
    for line in text.lines().filter_map(|line| line.strip_prefix("# ")) {
        if line.starts_with("[tables.") {
            section = line;
        }
        // What waits for a column of another table says so.
        let declares = ["through = {", "add_column = {", "column = "].iter().any(|key| line.starts_with(key));
        if section.is_empty() || !declares || line.contains("# once ") {
            continue;
        }
        let declared = format!("{text}\n{section}\n{line}\n");
        let tenancy = Tenancy::from_toml(&declared, "tenancy.toml".as_ref()).unwrap();
        let catalog = Catalog::load(&database, &tenancy).await.unwrap();
        let name = section.trim_start_matches("[tables.").trim_end_matches(']').trim_matches('"');
        let is_it = |table: &TableName| tenancy.rules(table).is_some() && table.to_string().ends_with(name);
        let class = &catalog.classified.iter().find(|table| is_it(&table.table)).unwrap().class;
        let added = catalog.added.iter().any(|added| is_it(&added.table));
        assert!(
            added == line.starts_with("add_column") && catalog.not_added.is_empty(),
            "{section} {line}: {:?}",
            catalog.not_added
        );
        assert!(added || matches!(class, Class::Through { .. } | Class::Tenant { .. }), "{section} {line}: {class}");
    }
    database.close().await;
}

/// The same of the sources that are proposed for tables with a section of their own: a backfill takes them.
async fn each_source_works(db: &TestDb, text: &str) {
    let database = connect(db, Role::Owner).await;
    let mut proposed = Vec::new();
    for line in text.lines() {
        if let Some(source) = line.strip_prefix("# {") {
            proposed.push(format!("{{{source}\n"));
        } else if line.starts_with("[tables.") && !proposed.is_empty() {
            let sources = format!("{line}\nsources = [\n{}]\n", proposed.concat());
            let tenancy = text.replace(&format!("{line}\n"), &sources);
            let tenancy = Tenancy::from_toml(&tenancy, "tenancy.toml".as_ref()).unwrap();
            let catalog = Catalog::load(&database, &tenancy).await.unwrap();
            let name = line.trim_start_matches("[tables.").trim_end_matches(']');
            BackfillPlan::new(&catalog, &tenancy, name).unwrap();
            proposed.clear();
        }
    }
    database.close().await;
}

macro_rules! written {
    ($($name:ident: $script:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let db = with($script).await;
            let text = proposal(&db, Answers::default()).await.unwrap().text();
            insta::assert_snapshot!(stringify!($name), body(&text));
            each_declaration_holds(&db, &text).await;
            each_source_works(&db, &text).await;
        }
    )*};
}

written! {
    uuid_keys_and_a_tenant_without_slug_and_status: r#"
        CREATE TABLE "Tenant" (id uuid PRIMARY KEY, title text);
        CREATE TABLE bookings (id uuid PRIMARY KEY, "tenantId" uuid REFERENCES "Tenant");
        CREATE TABLE notes (id uuid PRIMARY KEY, booking_id uuid REFERENCES bookings);
        CREATE TABLE countries (code text PRIMARY KEY);"#;
    bigint_keys_and_a_boolean_state: "
        CREATE TABLE organizations (id bigint PRIMARY KEY, handle text NOT NULL UNIQUE, name text, is_active boolean NOT NULL DEFAULT true, deleted_at timestamptz);
        CREATE TABLE projects (id bigint PRIMARY KEY, organization_id bigint NOT NULL REFERENCES organizations);
        CREATE TABLE tasks (id bigint PRIMARY KEY, organization_id bigint, project_id bigint REFERENCES projects);
        CREATE TABLE members (id bigint PRIMARY KEY, org bigint REFERENCES organizations);";
    text_keys_of_workspaces_with_states_in_rows: "
        CREATE TABLE workspaces (id text PRIMARY KEY, slug text NOT NULL UNIQUE, name text, status text);
        INSERT INTO workspaces VALUES ('a', 'a', 'A', 'live'), ('b', 'b', 'B', 'closed');
        CREATE TABLE pages (id text PRIMARY KEY, workspace_id text REFERENCES workspaces);";
    workspaces_below_organizations: "
        CREATE TABLE organizations (id text PRIMARY KEY, name text);
        CREATE TABLE workspaces (id text PRIMARY KEY, name text, organization_id text REFERENCES organizations);
        CREATE TABLE teams (id text PRIMARY KEY, organization_id text REFERENCES organizations);
        CREATE TABLE pages (id text PRIMARY KEY, workspace_id text REFERENCES workspaces);
        CREATE TABLE tags (id text PRIMARY KEY, workspace_id text REFERENCES workspaces);
        CREATE TABLE forms (id text PRIMARY KEY, workspace_id text REFERENCES workspaces);
        CREATE TABLE hooks (id text PRIMARY KEY, workspace_id text REFERENCES workspaces);
        CREATE TABLE charts (id text PRIMARY KEY, workspace_id text REFERENCES workspaces);
        CREATE TABLE files (id text PRIMARY KEY, workspace_id text REFERENCES workspaces);";
    varchar_keys_of_accounts_beside_bank_accounts: "
        CREATE TABLE accounts (id varchar(30) PRIMARY KEY, name text);
        CREATE TABLE bank_accounts (id varchar(30) PRIMARY KEY, account_id varchar(30) REFERENCES accounts);
        CREATE TABLE invoices (id int PRIMARY KEY, account_id varchar(30) REFERENCES accounts);
        CREATE TABLE users (id int PRIMARY KEY, account_id varchar(30) REFERENCES accounts);
        CREATE TABLE payments (id int PRIMARY KEY, account_id varchar(30) REFERENCES bank_accounts);";
    tenant_columns_without_a_table_of_tenants: "
        CREATE TABLE bookings (id int PRIMARY KEY, tenant_id text);
        CREATE TABLE invoices (id int PRIMARY KEY, tenant_id text, booking_id int REFERENCES bookings);
        CREATE TABLE lines (id int PRIMARY KEY, invoice_id int NOT NULL REFERENCES invoices);";
    policies_of_other_tools: "
        CREATE TABLE orgs (id uuid PRIMARY KEY, slug text NOT NULL UNIQUE);
        CREATE FUNCTION is_member(org uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE TABLE docs (id int PRIMARY KEY, org_id uuid REFERENCES orgs);
        CREATE TABLE files (id int PRIMARY KEY, org_id uuid REFERENCES orgs);
        CREATE TABLE chats (id int PRIMARY KEY, org_id uuid REFERENCES orgs);
        CREATE TABLE plans (id int PRIMARY KEY);
        CREATE POLICY by_org ON docs USING (org_id = current_setting('app.org')::uuid);
        CREATE POLICY by_org ON files USING (org_id = NULLIF(current_setting('app.org', true), '')::uuid);
        CREATE POLICY claims ON chats USING (org_id = (current_setting('request.jwt.claims', true)::json ->> 'org')::uuid);
        CREATE POLICY members ON chats USING (is_member(org_id));
        CREATE POLICY all_of_it ON plans USING (true);";
    claims_of_a_token_beside_users_and_memberships: "
        CREATE SCHEMA auth;
        CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid';
        CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
        CREATE FUNCTION my_orgs() RETURNS uuid[] LANGUAGE sql AS 'SELECT NULL::uuid[]';
        CREATE FUNCTION is_member(org uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE TABLE organizations (id uuid PRIMARY KEY, slug text NOT NULL UNIQUE);
        CREATE TABLE boards (id int PRIMARY KEY, org_id uuid REFERENCES organizations);
        CREATE TABLE cards (id int PRIMARY KEY, org_id uuid REFERENCES organizations);
        CREATE TABLE labels (id int PRIMARY KEY, org_id uuid REFERENCES organizations);
        CREATE TABLE members (id int PRIMARY KEY, org_id uuid REFERENCES organizations, user_id uuid);
        CREATE POLICY tenant ON boards USING (org_id = (current_setting('request.jwt.claims', true)::jsonb -> 'app_metadata' ->> 'org_id')::uuid);
        CREATE POLICY tenant ON cards USING (org_id = (SELECT (auth.jwt() -> 'app_metadata' ->> 'org_id')::uuid));
        CREATE POLICY tenant ON labels USING (org_id::text = nullif(current_setting('request.jwt.claims', true), '')::json #>> '{app_metadata,org_id}');
        CREATE POLICY shared ON labels USING (org_id = ANY (my_orgs()));
        CREATE POLICY own ON members USING (user_id = (SELECT auth.uid()));
        CREATE POLICY colleagues ON members USING (is_member(org_id));";
    several_schemas: "
        CREATE SCHEMA core; CREATE SCHEMA sales;
        CREATE TABLE core.tenants (id uuid PRIMARY KEY, url text NOT NULL UNIQUE, display_name text);
        CREATE TABLE core.users (id uuid PRIMARY KEY, tenant_id uuid REFERENCES core.tenants);
        CREATE TABLE sales.orders (id uuid PRIMARY KEY, tenant_id uuid REFERENCES core.tenants, user_id uuid REFERENCES core.users);";
    an_enum_of_states: r#"
        CREATE TYPE "OrgStatus" AS ENUM ('PENDING', 'ACTIVE', 'GONE');
        CREATE TABLE public."Organization" (id text PRIMARY KEY, slug text NOT NULL UNIQUE, name text, status "OrgStatus" NOT NULL, "archivedAt" timestamp);
        CREATE TABLE public."Invoice" (id text PRIMARY KEY, "organizationId" text NOT NULL REFERENCES "Organization");"#;
    tables_that_depend_on_rows_of_tenants: "
        CREATE TABLE tenants (id uuid PRIMARY KEY, slug text NOT NULL UNIQUE, name text);
        CREATE TABLE orders (id uuid PRIMARY KEY, number int UNIQUE, tenant_id uuid REFERENCES tenants);
        CREATE TABLE stock (id numeric PRIMARY KEY, tenant_id uuid REFERENCES tenants);
        CREATE TABLE lines (id int PRIMARY KEY, order_id uuid NOT NULL REFERENCES orders);
        CREATE TABLE notes (id int PRIMARY KEY, order_id uuid REFERENCES orders);
        CREATE TABLE labels (id int PRIMARY KEY, order_number int NOT NULL REFERENCES orders (number));
        CREATE TABLE parts (id int PRIMARY KEY, line_id int NOT NULL REFERENCES lines);
        CREATE TABLE transfers (id int PRIMARY KEY, one uuid NOT NULL REFERENCES orders, other uuid NOT NULL REFERENCES orders);
        CREATE TABLE moves (id int PRIMARY KEY, stock_id numeric NOT NULL REFERENCES stock);
        CREATE TABLE files (id int PRIMARY KEY, order_id uuid NOT NULL);
        ALTER TABLE files ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID;
        CREATE TABLE visits (id int PRIMARY KEY, \"orgId\" uuid, order_id uuid NOT NULL REFERENCES orders);";
    polymorphic_columns_and_ways_over_other_tables: "
        CREATE TABLE tenants (id text PRIMARY KEY, slug text NOT NULL UNIQUE, name text);
        CREATE TABLE orders (id text PRIMARY KEY, tenant_id text REFERENCES tenants);
        CREATE TABLE invoices (id text PRIMARY KEY, tenant_id text REFERENCES tenants);
        CREATE TABLE threads (id int PRIMARY KEY, order_id text NOT NULL REFERENCES orders);
        CREATE TABLE messages (id int PRIMARY KEY, tenant_id text REFERENCES tenants, thread_id int REFERENCES threads);
        CREATE TABLE comments (id int PRIMARY KEY, tenant_id text REFERENCES tenants, entity_type text, entity_id text);
        CREATE TABLE reactions (id int PRIMARY KEY, tenant_id text REFERENCES tenants, subject_type text, subject_id text);
        CREATE TABLE activities (id int PRIMARY KEY, entity_type text, entity_id text);
        INSERT INTO tenants VALUES ('t', 't', 'T');
        INSERT INTO orders SELECT 'o' || n, 't' FROM generate_series(1, 9) AS n;
        INSERT INTO invoices SELECT 'i' || n, 't' FROM generate_series(1, 9) AS n;
        INSERT INTO comments SELECT n, NULL, 'Order', 'o' || n FROM generate_series(1, 9) AS n;
        INSERT INTO comments SELECT 10 + n, NULL, 'Invoice', 'i' || n FROM generate_series(1, 10) AS n;
        INSERT INTO comments SELECT 30 + n, NULL, 'Page', 'p' || n FROM generate_series(1, 9) AS n;
        CREATE TABLE reviews (id int PRIMARY KEY, tenant_id text REFERENCES tenants, of_type text, of_id text);
        INSERT INTO reviews SELECT n, NULL, 'Order', 'o' || n FROM generate_series(1, 9) AS n;
        ALTER TABLE reviews ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;";
    tenants_that_point_at_rows: "
        CREATE TABLE settings (id int PRIMARY KEY, tenant_id text);
        CREATE TABLE themes (id int PRIMARY KEY, tenant_id text);
        CREATE TABLE tenants (id text PRIMARY KEY, slug text NOT NULL UNIQUE, name text,
            settings_id int UNIQUE REFERENCES settings, theme_id int REFERENCES themes);
        CREATE TABLE notes (id int PRIMARY KEY, tenant_id text REFERENCES tenants);";
    states_that_force_hides: "
        CREATE TABLE tenants (id text PRIMARY KEY, status text);
        INSERT INTO tenants VALUES ('a', 'active');
        ALTER TABLE tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE TABLE bookings (id int PRIMARY KEY, tenant_id text REFERENCES tenants);";
}

const TWO: &str = "
    CREATE TABLE tenants (id int PRIMARY KEY);
    CREATE TABLE orgs (id int PRIMARY KEY);
    CREATE TABLE a (id int PRIMARY KEY, tenant_id int REFERENCES tenants);
    CREATE TABLE b (id int PRIMARY KEY, org_id int REFERENCES orgs);";

#[tokio::test]
async fn of_several_tables_of_tenants_none_is_guessed() {
    let db = with(TWO).await;
    let error = proposal(&db, Answers::default()).await.unwrap_err().to_string();
    assert!(error.contains("public.orgs") && error.contains("public.tenants"), "{error}");
    let named = Answers { tenant_table: Some("orgs".into()), ..Answers::default() };
    assert_eq!(proposal(&db, named).await.unwrap().tenancy.tenant.table, "orgs");
}

const CLAIMS: &str = "
    CREATE TABLE orgs (id text PRIMARY KEY);
    CREATE TABLE a (id int PRIMARY KEY, org_id text REFERENCES orgs);
    CREATE TABLE b (id int PRIMARY KEY, org_id text REFERENCES orgs);
    CREATE TABLE c (id int PRIMARY KEY, org_id text REFERENCES orgs);
    CREATE POLICY p ON a USING (org_id = current_setting('request.jwt.claims', true)::jsonb ->> 'org');
    CREATE POLICY p ON b USING (org_id = current_setting('request.jwt.claims', true)::jsonb -> 'app_metadata' ->> 'org');
    CREATE POLICY p ON c USING (org_id = current_setting('app.org', true));";

#[tokio::test]
async fn of_several_claims_the_one_that_somebody_names_is_written() {
    let db = with(CLAIMS).await;
    let claim = "the claim app_metadata.org of request.jwt.claims";
    for (given, variable, path) in [
        (claim, "request.jwt.claims", &["app_metadata", "org"][..]),
        ("app.org", "app.org", &[]),
        ("app.other", "app.other", &[]),
    ] {
        let answers = Answers { variable: Some(given.into()), ..Answers::default() };
        let database = connect(&db, Role::Owner).await;
        let answers = Answers { app_role: Some("app_user".into()), ..answers };
        let outcome = propose(&database, &Tenancy::default(), &answers, None).await.unwrap();
        database.close().await;
        let ProposalOrQuestion::Proposed(proposal) = outcome else { panic!("{given}: {outcome:?}") };
        let session = proposal.tenancy.session;
        assert_eq!(
            (session.variable.as_str(), session.claim.as_slice()),
            (variable, &path.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..])
        );
    }
    let database = connect(&db, Role::Owner).await;
    let answers = Answers { variable: Some("request.jwt.claims".into()), ..Answers::default() };
    let outcome = propose(&database, &Tenancy::default(), &answers, None).await.unwrap();
    database.close().await;
    let ProposalOrQuestion::Ask(tenancy_init::Question::Variable { candidates }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(candidates, ["the claim app_metadata.org of request.jwt.claims", "the claim org of request.jwt.claims"]);
}

#[tokio::test]
async fn of_several_ways_the_one_that_each_row_has_comes_first() {
    let db = with(
        "
        CREATE TABLE tenants (id int PRIMARY KEY);
        CREATE TABLE projects (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants);
        CREATE TABLE folders (id int PRIMARY KEY, project_id int NOT NULL REFERENCES projects);
        CREATE TABLE files (
            id int PRIMARY KEY, archive_id int REFERENCES projects, folder_id int REFERENCES folders,
            parent_id int NOT NULL REFERENCES folders, project_id int NOT NULL REFERENCES projects
        );",
    )
    .await;
    let text = proposal(&db, Answers::default()).await.unwrap().text();
    let begin = text.find("# [tables.files]").unwrap();
    let add: Vec<&str> = text[begin..].lines().skip(1).take_while(|line| line.contains("add_column")).collect();
    assert_eq!(
        add,
        [
            "# add_column = { through = \"project_id\", table = \"projects\" }   # best: the rollout adds a tenant column",
            "# add_column = { through = \"parent_id\", table = \"folders\" }   # once folders has a tenant column",
            "# add_column = { through = \"archive_id\", table = \"projects\" }   # a row whose archive_id is NULL gets no tenant",
            "# add_column = { through = \"folder_id\", table = \"folders\" }   # once folders has a tenant column; a row whose \
             folder_id is NULL gets no tenant",
        ]
    );
}

#[tokio::test]
async fn an_update_adds_what_is_new_and_keeps_every_byte_that_stands_there() {
    let db = with(
        "
        CREATE TABLE tenants (id int PRIMARY KEY, status text);
        CREATE TABLE a (id int PRIMARY KEY, tenant_id int REFERENCES tenants);
        CREATE TABLE b (id int PRIMARY KEY, tenant_id int REFERENCES tenants, a_id int REFERENCES a);
        CREATE TABLE c (id int PRIMARY KEY, a_id int NOT NULL REFERENCES a);
        CREATE TABLE d (id int PRIMARY KEY, tenant_id int REFERENCES tenants, c_id int REFERENCES c, for_type text, for_id int);
        CREATE TABLE e (id int PRIMARY KEY);",
    )
    .await;
    let text = "# ours\ncolumns   = [ 'tenant_id' ] # kept\n\n[tenant]\ntable='tenants'\nkey =\"id\"\nslug = \"id\"\nname = \"id\"\n\n[tables.gone]\n\n[tables.a] # first\n\n[roles]\napp   = \"web\"\n";
    let tenancy = Tenancy::from_toml(text, "tenancy.toml".as_ref()).unwrap();
    let database = connect(&db, Role::Owner).await;
    let comparison = compare(&database, &tenancy, text).await.unwrap();
    let new = updated(text, &comparison, &additions(&database, &tenancy).await.unwrap()).unwrap();
    assert!(new.starts_with(text), "{new}");
    let again = Tenancy::from_toml(&new, "tenancy.toml".as_ref()).unwrap();
    assert_eq!(again.tables["b"].sources[0].table, "a");
    // Proposals are the same as in a file that is written anew.
    for line in [
        "# [tables.c]\n# add_column = { through = \"a_id\", table = \"a\" }   # best: ",
        "# through = { column = \"a_id\", table = \"a\" }   # the application ",
        "# { name = \"c\", column = \"c_id\", table = \"a\", through = [{ table = \"c\", column = \"a_id\" }] },   # by foreign keys",
        "when = { for_type = \"…\" }`.\n[tables.d]\n",
        "# e: no column and no foreign key leads to a tenant. Undecided: ",
    ] {
        assert!(new.contains(line), "{line} in {new}");
    }
    let rest = compare(&database, &again, &new).await.unwrap();
    let twice = updated(&new, &rest, &additions(&database, &again).await.unwrap()).unwrap();
    assert_eq!(twice, new, "the second time there is nothing to add");
    database.close().await;
    assert!(rest.unlisted.is_empty(), "{rest:?}");
    let keys: Vec<&str> = rest.absent.iter().map(|absent| absent.key.as_str()).collect();
    assert!(keys.contains(&"tables.gone"), "{keys:?}");
}

/// What `init --update` makes of a file.
async fn refreshed_and_updated(db: &TestDb, text: &str) -> String {
    let tenancy = Tenancy::from_toml(text, "tenancy.toml".as_ref()).unwrap();
    let database = connect(db, Role::Owner).await;
    let additions = additions(&database, &tenancy).await.unwrap();
    let current = refreshed(text, &additions);
    let comparison = compare(&database, &tenancy, &current.text).await.unwrap();
    database.close().await;
    updated(&current.text, &comparison, &additions).unwrap()
}

#[tokio::test]
async fn an_update_renews_what_init_wrote_and_nobody_changed() {
    let db = with(
        "
        CREATE TABLE tenants (id int PRIMARY KEY, status text);
        CREATE TABLE a (id int PRIMARY KEY, tenant_id int REFERENCES tenants);
        CREATE TABLE gone (id int PRIMARY KEY, a_id int NOT NULL REFERENCES a);
        CREATE TABLE changed (id int PRIMARY KEY, a_id int NOT NULL REFERENCES a);
        CREATE TABLE decided (id int PRIMARY KEY, a_id int NOT NULL REFERENCES a);
        CREATE TABLE noted (id int PRIMARY KEY, a_id int NOT NULL REFERENCES a);
        CREATE TABLE becomes (id int PRIMARY KEY, a_id int NOT NULL REFERENCES a);
        CREATE TABLE plain_gone (id int PRIMARY KEY); CREATE TABLE plain (id int PRIMARY KEY);
        CREATE TABLE watched (id int PRIMARY KEY); CREATE POLICY look ON watched USING (id = 1);",
    )
    .await;
    let begin = "columns = [\"tenant_id\"]\n[tenant]\ntable = \"tenants\"\nkey = \"id\"\nslug = \"id\"\nname = \"id\"\n\n[roles]\napp = \"web\"\n";
    let first = refreshed_and_updated(&db, begin).await;
    assert_eq!(refreshed_and_updated(&db, &first).await, first, "nothing is outdated");
    // Somebody wrote beside a line, and somebody decided.
    let noted = "# through = { column = \"a_id\", table = \"a\" }   # ask Anna";
    let begins = first.find("# [tables.noted]").unwrap();
    let through = begins + first[begins..].find("# through").unwrap();
    let line = through + first[through..].find('\n').unwrap();
    let mut text = first.clone();
    text.replace_range(through..line, noted);
    text += "\n[tables.decided]\nexempt = \"nobody's\"\n";
    let kept = refreshed_and_updated(&db, &text).await;
    assert!(kept.contains(noted), "{kept}");
    assert!(!kept.contains("# [tables.decided]") && kept.contains("# [tables.changed]"), "{kept}");

    let change = "DROP TABLE gone, plain_gone; DROP POLICY look ON watched; ALTER TABLE becomes ADD tenant_id int REFERENCES tenants;
        ALTER TABLE changed ADD other_id int REFERENCES a; ALTER TABLE noted ADD other_id int REFERENCES a";
    db.owner().await.run_script("changing", change).await.unwrap();
    let new = refreshed_and_updated(&db, &kept).await;
    for lost in ["gone", "# [tables.becomes]", "Policy look"] {
        assert!(!new.contains(lost), "{lost} in {new}");
    }
    for line in [
        noted,
        "\n[tables.becomes]\n",
        "# add_column = { through = \"other_id\", table = \"a\" }   # a row whose other_id is NULL gets no tenant\n",
        "# watched: no column and no foreign key leads to a tenant. Undecided: exempt = ",
        "# plain: no column",
        "exempt = \"nobody's\"",
    ] {
        assert!(new.contains(line), "{line} in {new}");
    }
    let at = |line: &str| new.find(line).unwrap_or_else(|| panic!("{line} in {new}"));
    let of_noted = &new[at("# noted: ")..];
    assert!(!of_noted[..of_noted.find(noted).unwrap()].contains("other_id"), "what somebody wrote in stays: {new}");
    assert!(!new.contains("\n\n\n\n"), "{new}");
    assert_eq!(refreshed_and_updated(&db, &new).await, new, "the second time there is nothing to do");
}

#[tokio::test]
async fn nobody_is_asked_to_allow_the_policies_of_a_rollout() {
    let db = with(
        "
        CREATE TABLE tenants (id int PRIMARY KEY);
        CREATE TABLE a (id int PRIMARY KEY, tenant_id int REFERENCES tenants);
        CREATE POLICY tenant_auth_select ON a FOR SELECT USING (current_user = 'app_auth');
        CREATE POLICY tenant_own_memberships ON a FOR SELECT USING (id = 1);
        CREATE POLICY tenant_auditor_read ON a FOR SELECT USING (current_user = 'tenant_auditor');
        CREATE POLICY rls_tenant_isolation_unassigned ON a FOR SELECT USING (tenant_id IS NULL);
        CREATE POLICY tenant_auth_more ON a FOR SELECT USING (true);",
    )
    .await;
    let text = proposal(&db, Answers::default()).await.unwrap().text();
    let allowed: Vec<&str> = text.lines().filter(|line| line.contains("allow_policies = { tenant")).collect();
    assert_eq!(allowed, ["# If it is intended: allow_policies = { tenant_auth_more = \"why\" }"], "{text}");
    assert!(!text.contains("Policy tenant_own_memberships"), "{text}");
}
