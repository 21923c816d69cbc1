//! Sign-in before a tenant is known: a login of its own, with what is declared and no more, and back.

use std::path::PathBuf;

use local_db::Role;
use rls_rollout::{
    Error, LeftRole, LoginsBack, RollbackOptions, RolloutOptions, RolloutReport, Stop, left_roles, plan, rollback,
    rollout, status,
};
use tenancy_config::{DatabaseUrl, Tenancy};
use tenant_inventory::{LoginProblemKind, Phase, misfits};
use tenant_rls::{ConnectOptions, Database, DirectConnection, Sql};
use test_support::TestDb;
use tokio::sync::watch;

use crate::support::{Logins, after, all_the_way_back, as_tenant, auto, catalog, session, small};

/// What Auth.js with the Prisma adapter has, and bookings.
const SCHEMA: &str = r#"CREATE TABLE "Tenant" (id text PRIMARY KEY); INSERT INTO "Tenant" VALUES ('t1'), ('t2');
    CREATE TABLE users (id text PRIMARY KEY, "tenantId" text NOT NULL REFERENCES "Tenant", email text, name text, salary int);
    INSERT INTO users VALUES ('u1', 't1', 'a@one.example'), ('u2', 't2', 'b@two.example');
    CREATE TABLE accounts (id serial PRIMARY KEY, "userId" text NOT NULL REFERENCES users, provider text, refresh_token text);
    CREATE TABLE bookings (id int PRIMARY KEY, "tenantId" text NOT NULL REFERENCES "Tenant"); INSERT INTO bookings VALUES (1, 't1'), (2, 't2');
    GRANT SELECT, INSERT, UPDATE, DELETE ON users, bookings TO app_user; GRANT SELECT ON "Tenant" TO app_user"#;

/// A database and its own role, as roles belong to the whole server.
pub(crate) struct Case {
    pub(crate) db: TestDb,
    pub(crate) role: String,
    folder: tempfile::TempDir,
}

impl Case {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// The same, and more tables.
    pub(crate) async fn with(more: &str) -> Self {
        let db = small(&format!("{SCHEMA};{more}")).await;
        let role = format!("auth_{}", db.name());
        let case = Self { db, role, folder: tempfile::tempdir().unwrap() };
        // It has the rights of the owner and may make roles, as the first login of a managed server may. The owner is every test's.
        let maker = case.maker();
        let make = format!(
            "CREATE ROLE {maker} LOGIN CREATEROLE PASSWORD 'x' IN ROLE app_owner, tenant_maintenance, tenant_auditor"
        );
        script(&case.db, &make).await;
        case
    }

    pub(crate) fn maker(&self) -> String {
        format!("maker_{}", self.db.name())
    }

    pub(crate) fn maker_url(&self) -> DatabaseUrl {
        self.db.login(Role::Owner).with_user(&self.maker(), Some("x"))
    }

    pub(crate) async fn as_maker(&self) -> Database {
        Database::connect(&self.maker_url(), &ConnectOptions::default()).await.unwrap()
    }

    pub(crate) async fn roll(&self, tenancy: &Tenancy) -> Result<RolloutReport, Error> {
        self.roll_with(tenancy, &self.options()).await
    }

    pub(crate) async fn roll_with(&self, tenancy: &Tenancy, options: &RolloutOptions) -> Result<RolloutReport, Error> {
        let database = self.as_maker().await;
        let (_go, stop) = watch::channel(false);
        let report = rollout(&database, tenancy, options, "a test", stop, &mut |_| ()).await;
        database.close().await;
        report
    }

    pub(crate) async fn end(self) {
        script(&self.db, &format!("DROP OWNED BY {0}; DROP ROLE {0}", self.maker())).await;
    }

    pub(crate) fn tenancy(&self, users: &str) -> Tenancy {
        Tenancy::from_toml(&self.text(users), std::path::Path::new("tenancy.toml")).unwrap()
    }

    /// `tenancy.toml` with what sign-in does with users.
    fn text(&self, users: &str) -> String {
        format!(
            "[tenant]\ntable = \"Tenant\"\n[auth]\nrole = \"{}\"\n[auth.tables.users]\nwhy = \"sign-in finds a user by email\"\n{users}\n\
             [auth.tables.accounts]\nwhy = \"the first sign-in writes an account\"\nselect = [\"id\", \"userId\", \"provider\"]\n\
             insert = [\"userId\", \"provider\"]\ndelete = true\n[tables]\n",
            self.role
        )
    }

    pub(crate) fn declaration(&self) -> String {
        self.text("select = [\"id\", \"email\", \"tenantId\", \"name\"]\nupdate = [\"name\"]")
    }

    pub(crate) fn declared(&self) -> Tenancy {
        self.tenancy("select = [\"id\", \"email\", \"tenantId\", \"name\"]\nupdate = [\"name\"]")
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("password")
    }

    pub(crate) fn options(&self) -> RolloutOptions {
        RolloutOptions { auth_password_file: Some(self.file()), ..auto() }
    }

    pub(crate) fn login(&self) -> DatabaseUrl {
        let password = std::fs::read_to_string(self.file()).unwrap();
        self.db.login(Role::AppUser).with_user(&self.role, Some(password.trim()))
    }

    pub(crate) async fn sign_in(&self) -> DirectConnection {
        DirectConnection::as_application(&self.login(), "tests").await.unwrap()
    }

    pub(crate) async fn back(&self) -> Option<LoginsBack> {
        self.back_with(&self.declared()).await
    }

    pub(crate) async fn back_with(&self, tenancy: &Tenancy) -> Option<LoginsBack> {
        let database = self.as_maker().await;
        let (_go, stop) = watch::channel(false);
        let options: RollbackOptions = all_the_way_back();
        rollback(&database, tenancy, &options, "a test", stop, &mut |_| ()).await.unwrap().logins
    }

    /// `tenancy.toml` without `[auth]`.
    pub(crate) fn undeclared(&self) -> Tenancy {
        Tenancy { auth: None, ..self.declared() }
    }

    /// What is left over, as status and doctor tell it.
    pub(crate) async fn left(&self, tenancy: &Tenancy) -> Vec<LeftRole> {
        let database = self.as_maker().await;
        let told = status(&database, tenancy, None).await.unwrap();
        assert_eq!(left_roles(&database, tenancy).await.unwrap(), told.left, "doctor says what status says");
        database.close().await;
        told.left
    }

    pub(crate) async fn roles_like(&self, role: &str) -> i64 {
        let mut superuser = session(&self.db, Role::Superuser).await;
        let count = "SELECT count(*) FROM pg_roles WHERE rolname LIKE $1 || '%'";
        let count = sqlx::query_scalar(count).bind(role).fetch_one(superuser.connection()).await.unwrap();
        superuser.close().await;
        count
    }
}

pub(crate) async fn script(db: &TestDb, sql: &str) {
    let mut superuser = session(db, Role::Superuser).await;
    superuser.run_script("preparing a test", Sql::from_catalog(sql.to_owned())).await.unwrap();
    superuser.close().await;
}

/// What the server says to a statement: the number of rows, or the code of its error.
pub(crate) async fn tried(session: &mut DirectConnection, sql: &'static str) -> Result<u64, String> {
    let done = sqlx::query(sql).execute(session.connection()).await;
    done.map(|done| done.rows_affected())
        .map_err(|error| error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned())
}

pub(crate) const BY_EMAIL: &str = "SELECT id, email, \"tenantId\", name FROM users WHERE email = 'b@two.example'";
pub(crate) const REFUSED: &str = "42501";

#[tokio::test]
async fn sign_in_finds_users_and_writes_accounts_where_the_application_reads_no_row_and_back() {
    let case = Case::new().await;
    let untouched = catalog(&case.db).await;
    let report = case.roll(&case.declared()).await.unwrap();
    let done = &report.logins[0];
    assert_eq!((done.password_file.clone(), done.stopped_by.as_slice()), (Some(case.file()), [].as_slice()));
    assert!(after(&report, "users") == Phase::Enforce && after(&report, "bookings") == Phase::Enforce, "{report:#?}");
    assert_eq!(mode(&case.file()), 0o600);
    assert_eq!(as_tenant(&case.db, "", "SELECT count(*) FROM users WHERE email = 'b@two.example'").await, 0);

    let mut auth = case.sign_in().await;
    assert_eq!(tried(&mut auth, BY_EMAIL).await, Ok(1));
    assert_eq!(tried(&mut auth, "UPDATE users SET name = 'B' WHERE email = 'b@two.example'").await, Ok(1));
    assert_eq!(
        tried(&mut auth, "INSERT INTO accounts (\"userId\", provider) VALUES ('u2', 'x') RETURNING id").await,
        Ok(1)
    );
    assert_eq!(tried(&mut auth, "DELETE FROM accounts WHERE \"userId\" = 'u2'").await, Ok(1));
    for beyond in [
        "SELECT salary FROM users",
        "UPDATE users SET \"tenantId\" = 't1' WHERE id = 'u2'",
        "INSERT INTO users (id, \"tenantId\") VALUES ('u3', 't1')",
        "DELETE FROM users WHERE id = 'u2'",
        "SELECT refresh_token FROM accounts",
        "SELECT id FROM bookings",
    ] {
        assert_eq!(tried(&mut auth, beyond).await, Err(REFUSED.to_owned()), "{beyond}");
    }
    auth.close().await;

    let mut app = session(&case.db, Role::AppUser).await;
    for nothing in ["SELECT id FROM accounts", "DELETE FROM accounts"] {
        assert_eq!(tried(&mut app, nothing).await, Err(REFUSED.to_owned()), "the application gained nothing");
    }
    app.close().await;
    assert_eq!(as_tenant(&case.db, "t1", "SELECT count(*) FROM users").await, 1);

    let database = case.as_maker().await;
    let told = status(&database, &case.declared(), None).await.unwrap().logins.remove(0);
    assert!(told.exists && told.flows.iter().all(|flow| flow.covered) && told.problems.is_empty(), "{told:#?}");
    assert_eq!(misfits(&database, &case.declared(), &[]).await.unwrap(), []);
    database.close().await;
    let second = case.roll(&case.declared()).await.unwrap();
    assert_eq!(second.rollout, None, "nothing is left to do, and no second password is written: {second:#?}");
    let journal = "SELECT string_agg(t::text, ' ') FROM (SELECT statements, changes FROM tenant_ops.rollout_step) AS t";
    let mut superuser = session(&case.db, Role::Superuser).await;
    let journal: String = sqlx::query_scalar(journal).fetch_one(superuser.connection()).await.unwrap();
    assert!(journal.contains(&case.role) && !journal.contains("SCRAM") && !journal.contains("PASSWORD"), "{journal}");

    assert_eq!(case.back().await, Some(LoginsBack::Restored { dropped: vec![case.role.clone()] }));
    assert_eq!(catalog(&case.db).await, untouched);
    case.end().await;
}

fn mode(file: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_table_of_sign_in_that_no_policy_keeps_from_the_application_is_told_until_its_rights_are_gone() {
    let tokens = "CREATE TABLE tokens (identifier text, token text); GRANT SELECT, DELETE ON tokens TO app_user";
    let case = Case::with(tokens).await;
    let declared =
        "\n[auth.tables.tokens]\nwhy = \"a magic link is used once\"\nselect = [\"identifier\", \"token\"]\n";
    let text = case.declaration().replace("[tables]\n", declared);
    let tenancy = Tenancy::from_toml(&text, std::path::Path::new("tenancy.toml")).unwrap();
    assert!(case.roll(&tenancy).await.unwrap().logins[0].stopped_by.is_empty());
    let told = async || {
        let database = case.as_maker().await;
        let open = status(&database, &tenancy, None).await.unwrap().logins.remove(0).flows;
        let open: Vec<_> =
            open.into_iter().filter(|flow| flow.open_to_app).map(|flow| flow.table.to_string()).collect();
        let misfits = misfits(&database, &tenancy, &[]).await.unwrap();
        database.close().await;
        (open, misfits.iter().map(|misfit| format!("{misfit}; {}", misfit.hint())).collect::<Vec<_>>())
    };
    let (open, misfits) = told().await;
    assert_eq!(open, ["public.tokens"]);
    let [misfit] = &misfits[..] else { panic!("{misfits:#?}") };
    assert!(
        misfit.starts_with("auth.tables.tokens: public.tokens has no way to a tenant")
            && misfit.contains("REVOKE ALL ON \"public\".\"tokens\" FROM \"app_user\""),
        "{misfit}"
    );
    script(&case.db, "REVOKE ALL ON tokens FROM app_user").await;
    assert_eq!(told().await, (vec![], vec![]));
    case.back_with(&tenancy).await;
    case.end().await;
}

#[tokio::test]
async fn a_role_that_reaches_more_or_that_the_application_can_become_stops_the_tables_of_sign_in() {
    let case = Case::new().await;
    let (role, app) = (&case.role, format!("app_{}", case.db.name()));
    let options = RolloutOptions { app_role: Some(app.clone()), ..case.options() };
    let held = format!(
        "CREATE ROLE {app}; CREATE ROLE {role} LOGIN; GRANT {role} TO {app}; GRANT SELECT ON bookings TO {role}"
    );
    script(&case.db, &held).await;
    let report = case.roll_with(&case.declared(), &options).await.unwrap();
    let stops = &report.logins[0].stopped_by;
    let kinds = |stops: &[Stop]| -> Vec<String> { stops.iter().map(ToString::to_string).collect() };
    let [Stop::Login { problem: held }, Stop::Login { problem: more }] = stops.as_slice() else { panic!("{stops:#?}") };
    assert!(matches!(held.what, LoginProblemKind::HeldByApplication { .. }), "{:?}", kinds(stops));
    assert!(more.to_string().contains("SELECT (id, tenantId), which [auth] does not declare"), "{more}");
    assert_eq!((after(&report, "users"), after(&report, "bookings")), (Phase::None, Phase::Enforce));
    assert!(!report.is_complete());

    script(&case.db, &format!("REVOKE {role} FROM {app}; REVOKE SELECT ON bookings FROM {role}")).await;
    let report = case.roll_with(&case.declared(), &options).await.unwrap();
    assert_eq!(after(&report, "users"), Phase::Enforce, "{report:#?}");
    assert!(!case.file().exists(), "a role that was there keeps its password");
    // What is declared no more is taken away, as a rollout gave it.
    let less = case.tenancy("select = [\"id\", \"email\"]");
    let report = case.roll_with(&less, &options).await.unwrap();
    assert!(report.is_complete() || report.logins[0].stopped_by.is_empty(), "{report:#?}");
    let database = case.as_maker().await;
    let told = status(&database, &less, None).await.unwrap().logins.remove(0);
    assert_eq!(told.problems, [], "{told:#?}");
    database.close().await;
    assert_eq!(case.back().await, Some(LoginsBack::Restored { dropped: vec![] }), "it was there before");
    script(&case.db, &format!("DROP ROLE {role}, {app}")).await;
    case.end().await;
}

#[tokio::test]
async fn a_login_that_may_make_no_roles_is_given_the_statement_and_a_file_in_the_way_is_not_replaced() {
    let case = Case::new().await;
    std::fs::write(case.file(), "mine").unwrap();
    let refused = case.roll(&case.declared()).await.unwrap_err();
    assert!(matches!(refused, Error::PasswordFile { .. }), "{refused}");
    let database = case.as_maker().await;
    let planned = plan(&database, &case.declared(), &auto()).await.unwrap();
    let script_of = planned.script();
    let at = |text: &str| script_of.find(text).unwrap_or_else(|| panic!("no {text} in {script_of}"));
    assert!(at("LOGIN NOINHERIT NOSUPERUSER") < at("tenant_auth_select"), "{script_of}");
    assert!(
        at("tenant_auth_select") < at("ENABLE ROW LEVEL SECURITY") && script_of.contains("\\password"),
        "{script_of}"
    );
    database.close().await;

    script(&case.db, &format!("ALTER ROLE {} NOCREATEROLE", case.maker())).await;
    let database = case.as_maker().await;
    let planned = plan(&database, &case.declared(), &auto()).await.unwrap();
    let [Stop::Login { problem }] = planned.logins[0].stopped_by.as_slice() else { panic!("{planned:#?}") };
    assert!(problem.hint().contains(&format!("CREATE ROLE \"{}\" LOGIN", case.role)), "{}", problem.hint());
    let users = planned.tables.iter().find(|table| table.table.name().as_str() == "users").unwrap();
    assert!(matches!(users.stopped_by.as_slice(), [Stop::LoginFirst { .. }]), "{users:#?}");
    database.close().await;
    case.end().await;
}
