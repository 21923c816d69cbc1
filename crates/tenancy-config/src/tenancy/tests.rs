//! What a `tenancy.toml` may say, and what the user is told if it is wrong.

use std::path::Path;

use proptest::prelude::*;

use super::fixed_policies::FIXED_POLICIES;
use super::{
    AuthMemberships, AuthSection, DatabaseSection, HopRule, JobSection, LogMessages, LogSection, LoginRight,
    LoginTable, OnDelete, PlatformRows, ReviewRule, RolesSection, SessionChecks, SessionSection, SourceRule,
    TableRules, Tenancy, TenancyError, TenantSection, ThroughForm, ThroughRule, TieBreakerRule, fragment,
};
use crate::name::{Ident, TableName};
use crate::user_error::UserError;

fn read(text: &str) -> Result<Tenancy, TenancyError> {
    Tenancy::from_toml(text, Path::new("tenancy.toml"))
}

fn invalid(text: &str) -> (String, String) {
    match read(text) {
        Err(TenancyError::Invalid { key, why, .. }) => (key, why),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn an_empty_file_is_the_default_application() {
    assert_eq!(read("").unwrap(), Tenancy::default());
}

#[test]
fn the_default_application_is_valid() {
    assert_eq!(Tenancy::default().check(), Ok(()));
}

#[test]
fn the_committed_file_is_the_default_application() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tenancy.toml");
    if crate::environment::path("BLESS").is_some() {
        std::fs::write(&path, Tenancy::default().annotated()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert_eq!(committed, Tenancy::default().annotated(), "BLESS=1 cargo test -p tenant-rls --lib writes it anew");
}

#[test]
fn bookings_ask_the_service_request_first_then_the_client_then_the_service() {
    let tenancy = Tenancy::default();
    let sources = tenancy.tables["bookings"].sources.iter();
    let names: Vec<_> =
        sources.map(|s| (s.name.as_str(), s.column.as_str(), s.table.as_str(), s.key.as_str())).collect();
    assert_eq!(
        names,
        [
            ("service request", "serviceRequestId", "ServiceRequest", "id"),
            ("client", "clientId", "users", "id"),
            ("service", "serviceId", "services", "id"),
        ]
    );
}

#[test]
fn chat_messages_ask_all_memberships_of_the_author_and_then_the_author() {
    let chat = &Tenancy::default().tables["chat_messages"];
    let sources: Vec<_> = chat.sources.iter().map(|s| (s.name.as_str(), s.key.as_str(), s.all)).collect();
    assert_eq!(sources, [("membership", "userId", true), ("author", "id", false)]);
    let equal: Vec<_> =
        chat.tie_breakers[0].equal.iter().map(|(here, there)| (here.as_str(), there.as_str())).collect();
    assert_eq!(equal, [("room", "room"), ("userId", "userId")]);
}

#[test]
fn only_the_audit_tables_hold_rows_of_the_platform() {
    let tenancy = Tenancy::default();
    let platform: Vec<_> =
        tenancy.tables.iter().filter(|(_, rules)| rules.platform_rows.are_meant()).map(|(name, _)| name).collect();
    assert_eq!(platform, ["audit_events", "audit_logs"]);
}

#[test]
fn rows_of_the_platform_are_declared_with_a_reason_and_the_older_form_still_reads() {
    let of = |value: &str| read(&format!("[tables.x]\nplatform_rows = {value}\n"));
    assert_eq!(of("\"jobs\"").unwrap().tables["x"].platform_rows, PlatformRows::Because("jobs".into()));
    assert_eq!(of("true").unwrap().tables["x"].platform_rows, PlatformRows::Unexplained);
    assert_eq!(of("false").unwrap().tables["x"].platform_rows, PlatformRows::None);
    assert_eq!(invalid("[tables.x]\nplatform_rows = \" \"").0, "tables.x.platform_rows");
    assert!(of("1").unwrap_err().to_string().contains("the reason as a text, or true or false"));
}

#[test]
fn a_section_that_is_there_leaves_the_others_alone() {
    let tenancy = read("[database]\nenvironment = \"staging\"\n").unwrap();
    assert_eq!(tenancy.database.environment.as_deref(), Some("staging"));
    assert_eq!(Tenancy { database: DatabaseSection::default(), ..tenancy }, Tenancy::default());
}

#[test]
fn tables_are_one_part() {
    let tenancy = read("[tables.notes]\nplatform_rows = true\n").unwrap();
    assert_eq!(tenancy.tables.keys().collect::<Vec<_>>(), ["notes"]);
}

#[test]
fn a_tenant_table_without_a_state_just_leaves_it_out() {
    assert_eq!(read("[tenant]\ntable = \"orgs\"\n").unwrap().tenant.status, None);
}

#[test]
fn an_unknown_key_is_an_error_with_file_line_and_suggestion() {
    let error = read("\n[tables.bookings]\n\nplatfrom_rows = true\n").unwrap_err();
    assert_eq!(error.to_string(), "tenancy.toml:4: unknown key `platfrom_rows`");
    assert_eq!(error.hint().unwrap(), "did you mean `platform_rows`?");

    let error = read("[[tables.x.sources]]\nname = \"a\"\ncolumn = \"b\"\ntable = \"c\"\ntenat = \"d\"\n").unwrap_err();
    assert_eq!(error.to_string(), "tenancy.toml:5: unknown key `tenat`");
    assert_eq!(error.hint().unwrap(), "did you mean `tenant`?");

    let error = read("[colours]\n").unwrap_err();
    assert_eq!(
        error.hint().unwrap(),
        "the keys here are columns, database, tenant, session, roles, auth, jobs, log, tables, reviewed"
    );
}

#[test]
fn a_url_in_the_file_is_not_quoted_and_sent_to_the_environment() {
    for text in ["[database]\nurl = \"postgres://u:hunter2@h/d\"\n", "[tenant]\nkey = 1\nurl = \"hunter2\"\n"] {
        let error = read(text).unwrap_err();
        assert!(!format!("{error:?} {error} {:?}", error.hint()).contains("hunter2"));
    }
    let error = read("[database]\nurl = \"postgres://u:hunter2@h/d\"\n").unwrap_err();
    assert!(error.hint().unwrap().contains(".env.local"));
    let error = read("roles = \"postgres://u:hunter2@h/d\"\n").unwrap_err();
    assert_eq!(error.to_string(), "tenancy.toml:1: invalid type: string, expected struct RolesSection");
    let error = read("\n[database\nschema = \"hunter2\"\n").unwrap_err();
    assert!(error.to_string().starts_with("tenancy.toml:2: "), "{error}");
}

#[test]
fn names_that_postgresql_could_not_hold_are_refused() {
    assert_eq!(invalid("columns = []").0, "columns");
    assert_eq!(invalid("columns = [\"\"]").0, "columns[0]");
    assert_eq!(invalid("[database]\nschema = \"\"").0, "database.schema");
    assert_eq!(invalid("[database]\nenvironment = \" \"").0, "database.environment");
    assert_eq!(invalid(&format!("[tenant]\nslug = \"{}\"", "x".repeat(64))).0, "tenant.slug");
    assert_eq!(invalid("[tables.x]\ncolumn = \"\"").0, "tables.x.column");
    let source = |key: &str| {
        let mut values = [("name", "n"), ("column", "c"), ("table", "t"), ("key", "k"), ("tenant", "t")];
        values.iter_mut().filter(|(name, _)| *name == key).for_each(|(_, value)| *value = "");
        let pairs: Vec<_> = values.iter().map(|(name, value)| format!("{name} = \"{value}\"")).collect();
        format!("[tables.x]\nsources = [{{ {} }}]", pairs.join(", "))
    };
    for key in ["name", "column", "table", "key", "tenant"] {
        assert_eq!(invalid(&source(key)).0, format!("tables.x.sources[0].{key}"));
    }
    for (key, rest) in [
        ("name", r#"name = "", table = "t", equal = { a = "b" }"#),
        ("table", r#"name = "n", table = "", equal = { a = "b" }"#),
        ("equal", r#"name = "n", table = "t", equal = {}"#),
        ("equal", r#"name = "n", table = "t", equal = { a = "" }"#),
        ("tenant", r#"name = "n", table = "t", equal = { a = "b" }, tenant = """#),
    ] {
        assert_eq!(
            invalid(&format!("[tables.x]\ntie_breakers = [{{ {rest} }}]")).0,
            format!("tables.x.tie_breakers[0].{key}")
        );
    }
}

#[test]
fn the_session_variable_needs_a_dot_and_a_form_that_set_config_takes() {
    for variable in ["tenant", "app.", ".app", "app.1", "app.cur rent"] {
        assert_eq!(invalid(&format!("[session]\nvariable = \"{variable}\"")).0, "session.variable", "{variable}");
    }
    assert!(read("[session]\nvariable = \"app.Current_1.x\"").is_ok());
}

#[test]
fn a_claim_is_a_path_of_names_and_none_means_the_setting_itself() {
    assert_eq!(invalid("[session]\nclaim = [\"app_metadata\", \"\"]").0, "session.claim[1]");
    assert_eq!(invalid("[session]\nclaim = [\"a\\u0000b\"]").0, "session.claim[0]");
    let text = "[session]\nvariable = \"request.jwt.claims\"\nclaim = [\"app_metadata\", \"tenant_id\"]";
    let session = read(text).unwrap().session;
    assert_eq!(session.setting().to_string(), "the claim app_metadata.tenant_id of request.jwt.claims");
    assert_eq!(read("").unwrap().session.setting().to_string(), "app.current_tenant_id");
}

#[test]
fn what_stands_there_twice_is_refused() {
    assert!(invalid("columns = [\"a\", \"a\"]").1.contains("twice"));
    assert_eq!(invalid("[tables.x]\nallow_triggers = [\"t\", \"t\"]").0, "tables.x.allow_triggers");
    assert_eq!(invalid("[tables.x]\nallow_rules = [\"r\", \"r\"]").0, "tables.x.allow_rules");
    assert!(invalid("[roles]\napp = \"tenant_maintenance\"").1.contains("twice"));
    assert!(invalid("[tables.x]\n[tables.\"public.x\"]").1.contains("with and without its schema"));
    let source = "{ name = \"n\", column = \"c\", table = \"t\" }";
    assert!(invalid(&format!("[tables.x]\nsources = [{source}, {source}]")).1.contains("`n` stands there twice"));
    let tie_breaker = "{ name = \"n\", table = \"t\", equal = { a = \"b\" } }";
    assert_eq!(
        invalid(&format!("[tables.x]\nsources = [{source}]\ntie_breakers = [{tie_breaker}]")).0,
        "tables.x.tie_breakers"
    );
}

#[test]
fn a_table_has_the_same_rules_with_and_without_its_schema() {
    let name = |schema: &str| TableName::new(Ident::new(schema).unwrap(), Ident::new("audit_logs").unwrap());
    assert!(Tenancy::default().rules(&name("public")).unwrap().platform_rows.are_meant());
    assert_eq!(Tenancy::default().rules(&name("crm")), None);
    let tenancy = read("[tables.\"public.audit_logs\"]\nplatform_rows = true").unwrap();
    assert!(tenancy.rules(&name("public")).unwrap().platform_rows.are_meant());
}

#[test]
fn a_table_belongs_to_tenants_by_its_own_column_or_through_another_table() {
    let through = r#"through = { column = "invoice_id", table = "invoices", form = "array" }"#;
    let rule = read(&format!("[tables.items]\n{through}")).unwrap().tables["items"].through.clone().unwrap();
    assert_eq!((rule.column.as_str(), rule.key, rule.form), ("invoice_id", None, Some(ThroughForm::Array)));
    for other in ["column = \"org\"", "platform_rows = true", "shared_rows = \"why\"", "exempt = \"why\""] {
        let (key, why) = invalid(&format!("[tables.items]\n{other}\n{through}"));
        let name = other.split(' ').next().unwrap();
        assert_eq!(key, "tables.items.through");
        assert!(why.contains(&format!("`{name}`")), "{why}");
    }
    assert_eq!(invalid("[tables.x]\nthrough = { column = \"\", table = \"t\" }").0, "tables.x.through.column");
}

#[test]
fn a_column_that_is_to_be_added_is_a_source_once_and_written_back() {
    let text = "[tables.items]\nadd_column = { through = \"invoice_id\", table = \"invoices\", key = \"number\" }";
    let rules = read(text).unwrap().tables["items"].clone();
    let source = &rules.sources[0];
    assert_eq!(
        (source.column.as_str(), source.table.as_str(), source.key.as_str()),
        ("invoice_id", "invoices", "number")
    );
    let written = fragment("items", &rules, &|_| None);
    assert!(written.contains(text.lines().nth(1).unwrap()), "{written}");
    assert_eq!(read(&written).unwrap().tables["items"], rules, "{written}");
    for other in ["platform_rows = true", "shared_rows = \"why\"", "exempt = \"why\""] {
        let (key, why) = invalid(&format!("{text}\n{other}"));
        assert_eq!(key, "tables.items.add_column");
        assert!(why.contains(&format!("`{}`", other.split(' ').next().unwrap())), "{why}");
    }
    assert_eq!(invalid("[tables.x]\nadd_column = { through = \"\", table = \"t\" }").0, "tables.x.add_column.through");
}

/// Any name that PostgreSQL can hold; also with quotes, blanks and backslashes.
fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z \"'\\\\#\n\té=\\[\\]{}-]{1,20}"
}

fn source() -> impl Strategy<Value = SourceRule> {
    let key = || prop_oneof![Just("id".to_owned()), name()];
    let hop = (name(), key(), name()).prop_map(|(table, key, column)| HopRule { table, key, column });
    let more = (proptest::collection::vec(hop, 0..3), proptest::collection::btree_map(name(), name(), 0..2));
    (name(), name(), name(), key(), proptest::option::of(name()), any::<bool>(), more).prop_map(
        |(name, column, table, key, tenant, all, (through, when))| SourceRule {
            name,
            column,
            table,
            key,
            tenant,
            all,
            through,
            when,
        },
    )
}

fn tie_breaker() -> impl Strategy<Value = TieBreakerRule> {
    let equal = proptest::collection::btree_map(name(), name(), 1..3);
    (name(), name(), equal, proptest::option::of(name())).prop_map(|(name, table, equal, tenant)| TieBreakerRule {
        name,
        table,
        equal,
        tenant,
    })
}

fn on_delete() -> impl Strategy<Value = Option<OnDelete>> {
    proptest::option::of(prop_oneof![Just(OnDelete::NoAction), Just(OnDelete::Restrict), Just(OnDelete::Cascade)])
}

fn through() -> impl Strategy<Value = Option<ThroughRule>> {
    let form = proptest::option::of(prop_oneof![Just(ThroughForm::Array), Just(ThroughForm::Exists)]);
    let rule = (name(), name(), proptest::option::of(name()), form)
        .prop_map(|(column, table, key, form)| ThroughRule { column, table, key, form });
    proptest::option::weighted(0.3, rule)
}

fn tenancy() -> impl Strategy<Value = Tenancy> {
    let filled = || name().prop_filter("a reason is no white space", |text| !text.trim().is_empty());
    let reason = || proptest::option::of(filled());
    let triggers = proptest::collection::vec(name(), 0..3);
    let of_rules = proptest::collection::vec(name(), 0..2);
    let policies = proptest::collection::btree_map(name(), filled(), 0..2);
    let declared = (reason(), reason(), policies);
    let lists =
        (triggers, of_rules, proptest::collection::vec(source(), 0..3), proptest::collection::vec(tie_breaker(), 0..2));
    let platform = prop_oneof![
        Just(PlatformRows::None),
        Just(PlatformRows::Unexplained),
        filled().prop_map(PlatformRows::Because)
    ];
    let nulls = (platform, reason(), on_delete());
    let rules = (proptest::option::of(name()), nulls, declared, lists, through());
    let rules = rules.prop_map(|(column, nulls, declared, lists, through)| {
        let (platform_rows, shared_rows, on_delete) = nulls;
        let (cross_tenant_references, exempt, allow_policies) = declared;
        let (allow_triggers, allow_rules, sources, tie_breakers) = lists;
        if through.is_some() {
            return TableRules {
                through,
                on_delete,
                allow_policies,
                allow_triggers,
                allow_rules,
                ..TableRules::default()
            };
        }
        TableRules {
            column,
            through,
            platform_rows: if shared_rows.is_none() { platform_rows } else { PlatformRows::None },
            shared_rows,
            on_delete,
            cross_tenant_references,
            exempt,
            allow_policies,
            allow_triggers,
            allow_rules,
            sources,
            tie_breakers,
            add_column: None,
        }
    });
    let review = (filled(), filled()).prop_map(|(why, hash)| ReviewRule { why, hash });
    let reviewed = proptest::collection::btree_map(name(), review, 0..2);
    let tenant = (name(), name(), name(), name(), proptest::option::of(name()), name(), on_delete()).prop_map(
        |(table, key, slug, name, status, active, on_delete)| TenantSection {
            table,
            key,
            slug,
            name,
            status,
            active,
            on_delete,
        },
    );
    let variables = proptest::collection::vec("[A-Z_][A-Z0-9_]{0,5}", 0..3);
    let database =
        (proptest::option::of(name()), name(), variables).prop_map(|(environment, schema, url_variables)| {
            DatabaseSection {
                environment,
                schema,
                owners: vec!["a \"role\"".to_owned()],
                url_variables,
                direct_url_variables: vec!["direct_url".to_owned()],
            }
        });
    let claim = proptest::collection::vec("[a-z:/. \"'\\\\]{1,9}", 0..3);
    let session =
        ("[a-z]{1,5}\\.[a-z]{1,5}", claim, name(), any::<[bool; 5]>()).prop_map(|(variable, claim, policy, on)| {
            SessionSection {
                variable,
                claim,
                policy,
                checks: SessionChecks {
                    members_only: on[0],
                    active_tenants_only: on[1],
                    session_version: on[2],
                    lowercase_emails: on[3],
                    ip_hash: on[4],
                },
            }
        });
    let roles =
        (name(), name(), name()).prop_map(|(app, maintenance, auditor)| RolesSection { app, maintenance, auditor });
    let columns = proptest::collection::vec(name(), 1..3);
    let tables = proptest::collection::btree_map(prop_oneof![name(), Just("crm.notes".to_owned())], rules, 0..4);
    let messages = proptest::collection::vec("[a-z \"\\\\]{0,4}[a-z]{4,9}", 0..3);
    let log = (name(), name(), messages).prop_map(|(timestamp, model, unscoped)| LogSection {
        timestamp,
        model,
        messages: LogMessages { unscoped, ..LogMessages::default() },
        ..LogSection::default()
    });
    let columns_of = || proptest::collection::vec(name(), 0..3);
    let login_tables = || {
        let table = (filled(), columns_of(), columns_of(), columns_of(), any::<bool>())
            .prop_map(|(why, select, insert, update, delete)| LoginTable { why, select, insert, update, delete });
        proptest::collection::btree_map(name(), table, 1..3)
    };
    let memberships = (filled(), name(), "user_[a-z]{1,5}", "[a-z]{1,4}\\.[a-z_]{1,4}")
        .prop_map(|(why, table, user, setting)| AuthMemberships { why, table, user, setting });
    let auth = (name(), "[A-Z_]{1,5}", login_tables(), proptest::option::of(memberships));
    let auth = auth.prop_map(|(role, url_variable, tables, memberships)| AuthSection {
        role,
        url_variable,
        tables,
        memberships,
    });
    let auth = proptest::option::weighted(0.2, auth);
    let job = (name(), proptest::option::of("JOB_[A-Z_]{1,5}"), login_tables())
        .prop_map(|(role, url_variable, tables)| JobSection { role, url_variable, tables });
    let jobs = proptest::collection::btree_map("[a-z][a-z0-9_]{0,5}", job, 0..2);
    (columns, database, tenant, session, (roles, auth, jobs), (tables, log), reviewed)
        .prop_map(|(columns, database, tenant, session, (roles, auth, jobs), (tables, log), reviewed)| Tenancy {
            columns,
            database,
            tenant,
            session,
            roles,
            auth,
            jobs,
            log,
            tables,
            reviewed,
        })
        .prop_filter("it must be a valid one", |tenancy| tenancy.check().is_ok())
}

proptest! {
    #[test]
    fn the_annotated_text_reads_back_as_the_same_value(tenancy in tenancy()) {
        prop_assert_eq!(read(&tenancy.annotated()), Ok(tenancy));
    }
}

const AUTH: &str = "[auth]\nrole = \"app_auth\"\n[auth.tables.users]\nwhy = \"sign-in finds a user by email\"\n";

#[test]
fn sign_in_has_a_login_of_its_own_with_rights_by_column() {
    let tenancy = read(&format!("{AUTH}select = [\"id\", \"email\"]\n")).unwrap();
    let auth = tenancy.auth.as_ref().unwrap();
    assert_eq!((auth.role.as_str(), auth.url_variable.as_str()), ("app_auth", "AUTH_DATABASE_URL"));
    let users = TableName::parse("users", "public").unwrap();
    let rights: Vec<_> =
        tenancy.declared_logins()[0].table(&tenancy, &users).unwrap().rights().map(LoginRight::as_str).collect();
    assert_eq!(rights, ["SELECT"]);
    let misspelt = read(&format!("{AUTH}selects = [\"id\"]\n")).unwrap_err();
    assert!(misspelt.hint().unwrap().to_string().contains("select"), "{misspelt:?}");
}

#[test]
fn a_job_has_a_login_of_its_own_and_a_variable_that_follows_from_its_name() {
    let job = |name: &str| {
        format!("[jobs.{name}]\nrole = \"app_{name}\"\n[jobs.{name}.tables.invoices]\nwhy = \"w\"\nselect = [\"id\"]\n")
    };
    let tenancy = read(&format!("{AUTH}select = [\"id\"]\n{}{}", job("billing"), job("mails_2"))).unwrap();
    let logins = tenancy.declared_logins();
    let told: Vec<_> = logins.iter().map(|login| (login.purpose.to_string(), login.url_variable.as_str())).collect();
    let expected = [
        ("sign-in", "AUTH_DATABASE_URL"),
        ("the job billing", "BILLING_DATABASE_URL"),
        ("the job mails_2", "MAILS_2_DATABASE_URL"),
    ];
    assert_eq!(told, expected.map(|(purpose, variable)| (purpose.to_owned(), variable)));
    assert!(tenancy.names_role("app_billing") && tenancy.names_role("app_auth") && !tenancy.names_role("billing"));
    let twice = job("b").replace("app_b", "app_a");
    for (text, key) in [
        (job("Billing"), "jobs.Billing"),
        (job("a-b"), "jobs.a-b"),
        (job(&"a".repeat(41)), &*format!("jobs.{}", "a".repeat(41))),
        (job("app").replace("app_app", "app_user"), "jobs.app.role"),
        (format!("{AUTH}select = [\"id\"]\n{}", job("auth").replace("app_auth", "other")), "jobs.auth.url_variable"),
        (format!("{}{twice}", job("a")), "jobs.b.role"),
        (
            job("direct").replace("[jobs.direct]\n", "[jobs.direct]\nurl_variable = \"DIRECT_URL\"\n"),
            "jobs.direct.url_variable",
        ),
        (job("billing").replace("select", "update"), "jobs.billing.tables.invoices"),
    ] {
        assert_eq!(invalid(&text).0, key, "{text}");
    }
}

#[test]
fn memberships_are_read_by_a_setting_of_their_own() {
    let with = |more: &str| {
        let memberships =
            "[auth.memberships]\nwhy = \"a user chooses a tenant\"\ntable = \"memberships\"\nuser = \"userId\"\n";
        format!("{AUTH}select = [\"id\"]\n{memberships}{more}")
    };
    let tenancy = read(&with("")).unwrap();
    let (table, rules) = tenancy.auth_memberships().unwrap().unwrap();
    assert_eq!((table.to_string().as_str(), rules.setting.as_str()), ("public.memberships", "app.current_user_id"));
    for (more, key) in [
        ("setting = \"APP.current_Tenant_id\"\n", "auth.memberships.setting"),
        ("setting = \"search_path\"\n", "auth.memberships.setting"),
        ("setting = \"app.'; DROP\"\n", "auth.memberships.setting"),
        (
            "setting = \"request.jwt.claims\"\n[session]\nvariable = \"request.jwt.claims\"\nclaim = [\"tenant\"]\n",
            "auth.memberships.setting",
        ),
    ] {
        assert_eq!(invalid(&with(more)).0, key, "{more}");
    }
    assert_eq!(invalid(&with("").replace("a user chooses a tenant", " ")).0, "auth.memberships.why");
    for user in ["", "tenantId", "tenant_id"] {
        assert_eq!(invalid(&with("").replace("userId", user)).0, "auth.memberships.user", "{user}");
    }
    let other = "[tables.memberships]\ncolumn = \"userId\"\n";
    assert_eq!(invalid(&with(other)).0, "auth.memberships.user");
}

#[test]
fn a_login_of_sign_in_that_could_do_nothing_or_is_another_ones_is_refused() {
    for (text, key) in [
        (AUTH.to_owned(), "auth.tables.users"),
        (format!("{AUTH}delete = true\n"), "auth.tables.users"),
        (format!("{AUTH}update = [\"name\"]\n"), "auth.tables.users"),
        (format!("{AUTH}select = [\"id\", \"id\"]\n"), "auth.tables.users.select"),
        (format!("{AUTH}select = [\"\"]\n"), "auth.tables.users.select"),
        ("[auth]\nrole = \"app_user\"\ntables = {}\n".to_owned(), "auth.role"),
        ("[auth]\nrole = \"app_auth\"\ntables = {}\n".to_owned(), "auth.tables"),
        ("[auth]\nrole = \"a\"\nurl_variable = \"DATABASE_URL\"\ntables = {}\n".to_owned(), "auth.url_variable"),
    ] {
        assert_eq!(invalid(&text).0, key, "{text}");
    }
}

#[test]
fn tie_breakers_are_read_by_their_earlier_name_too_and_not_by_both() {
    let list = "[{ name = \"n\", table = \"t\", equal = { a = \"b\" } }]";
    let [now, before] = ["tie_breakers", "evidence"].map(|key| read(&format!("[tables.x]\n{key} = {list}")).unwrap());
    assert_eq!(now, before);
    assert!(read(&format!("[tables.x]\ntie_breakers = {list}\nevidence = {list}")).is_err());
}

#[test]
fn a_variable_for_urls_has_a_name_that_a_shell_can_set_and_one_place() {
    for list in ["[\"MY-URL\"]", "[\"\"]", "[\"1URL\"]", "[\"A\", \"A\"]", "[\"DIRECT_URL\"]"] {
        assert!(read(&format!("[database]\nurl_variables = {list}")).is_err(), "{list}");
    }
    assert!(read("[database]\nurl_variables = [\"POSTGRES_URL\", \"DATABASE_URL\"]").is_ok());
}

#[test]
fn a_message_of_the_log_can_be_found_in_a_line_and_belongs_to_one_kind() {
    for wrong in [
        "[log]\nmessage = \"\"",
        "[log]\nmessage = \"timestamp\"",
        "[log.messages]\nunscoped = [\"\"]",
        "[log.messages]\nunscoped = [\"a\\\"b\\\"c\"]",
        "[log.messages]\nunscoped = [\"one two\"]\nmismatch = [\"one two\"]",
        "[log.messages]\ntraffic = [\"aaaa\", \"bbbb\", \"cccc\", \"dddd\", \"eeee\"]",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    let tenancy = read("[log]\ncontext = \"\"\n[log.messages]\nunscoped = []\n").unwrap();
    assert_eq!(tenancy.log.messages.mismatch, LogMessages::default().mismatch, "a list that is left out stays");
}

#[test]
fn the_isolation_policy_cannot_have_the_name_of_another_policy_of_a_rollout() {
    for name in FIXED_POLICIES.into_iter().chain(["tenant_job_mails_select"]) {
        let (key, why) = invalid(&format!("[session]\npolicy = \"{name}\"\n"));
        assert_eq!(key, "session.policy");
        assert!(why.contains(name) && why.contains("another policy of a rollout"), "{why}");
    }
    assert_eq!(read("[session]\npolicy = \"tenant_auth\"\n").unwrap().session.policy, "tenant_auth");
}
