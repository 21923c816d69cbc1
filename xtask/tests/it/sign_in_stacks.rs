//! Sign-in with a login of its own, as docs/sign-in.md declares it, by the libraries that applications use: before the rollout with
//! the application's login, and behind FORCE ROW LEVEL SECURITY. Without npm these tests say that they tried nothing; where `CI` is
//! set they fail.

use std::path::{Path, PathBuf};

use local_db::Role;
use tenancy_config::{DatabaseUrl, Ident};
use tenant_rls::{Sql, Template};
use test_support::TestDb;

use crate::npm::{installed, or_skipped, run};
use crate::support::{Ended, Place};

/// An application before and after its rollout.
struct Stack {
    db: TestDb,
    place: Place,
    /// The login of sign-in. Roles are the server's, so that each test has its own.
    role: String,
    /// The login that rolls out: it has the rights of the owner and may make roles, as the first login of a managed server.
    maker: String,
    folder: PathBuf,
}

/// What the first part of docs/sign-in.md declares, for a role.
fn declaration(role: &str) -> String {
    let page = include_str!("../../../docs/sign-in.md");
    let (declare, _) = page.split_once("\n## Make it\n").unwrap();
    let blocks = declare.split("```toml\n").skip(1).map(|block| block.split_once("```").unwrap().0);
    let declared = blocks.collect::<Vec<_>>().join("\n");
    assert!(declared.starts_with("[auth]\nrole = \"app_auth\"\n"), "{declared}");
    // The page has it in a sentence, as many applications have no passwords.
    let with_passwords = declared.replacen("\"image\", \"tenantId\"]", "\"image\", \"tenantId\", \"password\"]", 1);
    assert_ne!(with_passwords, declared);
    with_passwords.replace("\"app_auth\"", &format!("\"{role}\""))
}

/// A statement about the login that rolls out.
fn of(maker: &str, statement: &'static str) -> Sql {
    Template::new(statement).ident("maker", &Ident::new(maker).unwrap()).build()
}

impl Stack {
    /// `None`: there is no npm.
    async fn new(name: &str, tables: &'static str) -> Option<Self> {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stacks").join(name);
        let generate = ["--no-install", "prisma", "generate", "--schema", "schema.prisma"];
        let made = installed(name, std::slice::from_ref(&fixture))
            .and_then(|folder| run(&folder, "npx", &generate, &[]).map(|_| folder));
        let folder = or_skipped("sign-in by real libraries", made)?;
        let db = test_support::empty_database().await;
        let mut owner = db.owner().await;
        owner.run_script("creating the tables of the application", tables).await.unwrap();
        owner.close().await;
        let (role, maker) = (format!("auth_{}", db.name()), format!("maker_{}", db.name()));
        let make = "CREATE ROLE :\"maker\" LOGIN CREATEROLE PASSWORD 'x' \
                    IN ROLE app_owner, tenant_maintenance, tenant_auditor";
        db.superuser().await.run_script("making a role that makes roles", of(&maker, make)).await.unwrap();
        let place = Place::new();
        let tenancy =
            "columns = [\"tenantId\"]\n[tenant]\ntable = \"Tenant\"\nkey = \"id\"\nslug = \"slug\"\nname = \"name\"\n";
        place.write("tenancy.toml", &format!("{tenancy}{}", declaration(&role)));
        Some(Self { db, place, role, maker, folder })
    }

    fn cargo_xtask(&self, arguments: &[&str], env: &[(&str, &str)]) -> Ended {
        let all = [arguments, &["--confirm", "127.0.0.1"]].concat();
        let url = self.db.url(Role::Owner).with_user(&self.maker, Some("x"));
        self.place.run_with(&all, &[&[("DATABASE_URL", url.expose())], env].concat())
    }

    /// Roles outlive the database.
    async fn end(self) {
        let drop = of(&self.maker, r#"DROP OWNED BY :"maker"; DROP ROLE :"maker""#);
        self.db.superuser().await.run_script("dropping the role that makes roles", drop).await.unwrap();
    }

    /// The URL of the login of sign-in, with the password from the file that the rollout wrote.
    fn sign_in(&self, file: &str) -> DatabaseUrl {
        assert_eq!(self.place.mode(file), 0o600);
        let password = std::fs::read_to_string(self.place.path().join(file)).unwrap();
        self.db.url(Role::AppUser).with_user(&self.role, Some(password.trim()))
    }

    /// Runs the flows of a file, all of which must go as it says.
    fn flows(&self, file: &str, passed: usize, env: &[(&str, &str)]) {
        let mut all = vec![
            ("APP_URL", self.db.url(Role::AppUser).expose().to_owned()),
            ("SUPERUSER_URL", self.db.url(Role::Superuser).expose().to_owned()),
        ];
        all.extend(env.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let said = run(&self.folder, "node", &["--test", "--test-reporter=tap", file], &all)
            .unwrap_or_else(|error| panic!("{error}"));
        assert!(said.contains(&format!("# pass {passed}\n")), "{said}");
    }
}

#[tokio::test]
async fn auth_js_5_with_the_prisma_adapter_signs_in_behind_force() {
    let Some(stack) = Stack::new("auth-js-5", include_str!("../stacks/auth-js-5/tables.sql")).await else { return };
    let app = stack.db.url(Role::AppUser);
    stack.flows("works.test.mjs", 7, &[("ADAPTER_URL", app.expose()), ("RUN", "before")]);

    let logins = ["rls", "rollout", "--phase", "logins", "--auth-password-file", "password"];
    let made = stack.cargo_xtask(&logins, &[]);
    assert_eq!(made.status, 0, "{made}");
    let auth = stack.sign_in("password");
    stack.flows("works.test.mjs", 8, &[("ADAPTER_URL", auth.expose()), ("RUN", "deployed"), ("KNOWN", "before")]);

    let rolled = stack.cargo_xtask(&["rls", "rollout"], &[]);
    assert_eq!(rolled.status, 0, "{rolled}");
    stack.flows("refused.test.mjs", 5, &[("AUTH_DATABASE_URL", auth.expose()), ("KNOWN", "before")]);
    let revoke = "REVOKE ALL ON verification_tokens FROM app_user";
    stack.db.owner().await.run_script("taking a right", revoke).await.unwrap();
    let after = [("ADAPTER_URL", auth.expose()), ("RUN", "after"), ("KNOWN", "before"), ("ENFORCED", "1")];
    stack.flows("works.test.mjs", 8, &after);

    let app_alone = [("APP_DATABASE_URL", app.expose())];
    let verified = stack.cargo_xtask(&["rls", "verify", "--write-probes"], &app_alone);
    assert_eq!(verified.status, 3, "{verified}");
    assert!(verified.stdout.contains("AUTH_DATABASE_URL"), "{verified}");
    let logins = [app_alone[0], ("AUTH_DATABASE_URL", auth.expose())];
    let verified = stack.cargo_xtask(&["rls", "verify", "--write-probes"], &logins);
    assert_eq!(verified.status, 0, "{verified}");
    assert!(verified.stdout.contains("in each of 5 tables whose rows belong to tenants"), "{verified}");
    let tried = format!("trying sign-in as {} (from AUTH_DATABASE_URL in the environment)", stack.role);
    assert!(verified.stderr.contains(&tried), "{verified}");

    let back = stack.cargo_xtask(&["rls", "rollback", "--to", "none"], &[]);
    assert_eq!(back.status, 0, "{back}");
    let left = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM pg_roles WHERE rolname = $1").bind(&stack.role);
    assert_eq!(left.fetch_one(stack.db.superuser().await.connection()).await.unwrap(), 0);
    let grant = "GRANT ALL ON verification_tokens TO app_user";
    stack.db.owner().await.run_script("giving a right back", grant).await.unwrap();
    stack.flows("works.test.mjs", 8, &[("ADAPTER_URL", app.expose()), ("RUN", "back"), ("KNOWN", "after")]);
    stack.end().await;
}
