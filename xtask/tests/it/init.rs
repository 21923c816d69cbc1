//! `init --check`, `--update` and `--force` on a file that is there: what people wrote stays, whatever it and the database hold.

use std::path::Path;

use local_db::Role;
use test_support::TestDb;

use crate::support::{Ended, Place};

/// A name that ends a line, closes a string and a table of TOML, and turns the reading direction.
const NAME: &str = "a.\"]\n[tables.x]\u{202e} # b";

const TABLES: &str = r#"CREATE TABLE organizations (id text PRIMARY KEY, slug text NOT NULL UNIQUE, name text NOT NULL);
    CREATE TABLE orders (id int PRIMARY KEY, organization_id text REFERENCES organizations (id));
    CREATE TABLE notes (id int PRIMARY KEY)"#;

/// A database of organizations, and a folder with the file that `init` wrote for it.
async fn described() -> (TestDb, Place) {
    let db = test_support::empty_database().await;
    run(&db, TABLES.to_owned()).await;
    let place = Place::new();
    let ended = init(&db, &place, &[]);
    assert_eq!(ended.status, 0, "{ended}");
    (db, place)
}

async fn run(db: &TestDb, sql: String) {
    let mut owner = db.owner().await;
    owner.run_script("making tables", tenant_rls::Sql::from_catalog(sql)).await.unwrap();
    owner.close().await;
}

fn init(db: &TestDb, place: &Place, arguments: &[&str]) -> Ended {
    let url = db.url(Role::Owner);
    let asked = ["--app-role", "app_user", "--database-url", url.expose()];
    place.run(&[&["init"], arguments, &asked[..]].concat())
}

fn file(place: &Place) -> String {
    std::fs::read_to_string(place.path().join("tenancy.toml")).unwrap()
}

/// Whether every line of one text stands in the other, in the same order.
fn keeps(before: &str, after: &str) -> bool {
    let mut lines = after.lines();
    before.lines().all(|line| lines.any(|other| other == line))
}

/// The tables that the check names, and what is absent.
fn checked(ended: &Ended) -> (Vec<String>, Vec<String>) {
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["schema"], "init-check/1", "{ended}");
    let list = |key: &str, of: &str| {
        let all = report[key].as_array().unwrap();
        all.iter().map(|one| one[of].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    (list("unlisted", "table"), list("absent", "name"))
}

#[tokio::test]
async fn check_ends_with_3_until_update_has_added_what_is_new_whatever_it_is_called() {
    let (db, place) = described().await;
    let fits = init(&db, &place, &["--check", "--format", "json"]);
    assert_eq!((fits.status, checked(&fits)), (0, (vec![], vec![])), "{fits}");
    let quoted = NAME.replace('"', "\"\"");
    let new = format!(
        "CREATE TABLE \"t {quoted}\" (id int PRIMARY KEY, organization_id text REFERENCES organizations (id));
         CREATE TABLE \"u {quoted}\" (id int PRIMARY KEY); DROP TABLE orders"
    );
    run(&db, new).await;
    let differs = init(&db, &place, &["--check", "--format", "json"]);
    assert_eq!(differs.status, 3, "{differs}");
    let (mut unlisted, absent) = checked(&differs);
    unlisted.sort();
    // Each as the file would have it: a name with a dot stands with its schema.
    assert_eq!(unlisted, [format!("public.t {NAME}"), format!("public.u {NAME}")]);
    assert!(absent.iter().any(|name| name.contains("orders")), "{absent:?}");
    let before = file(&place);
    let shown = init(&db, &place, &["--update", "--stdout"]);
    assert_eq!((shown.status, file(&place)), (0, before.clone()), "{shown}");
    let updated = init(&db, &place, &["--update"]);
    assert_eq!(updated.status, 0, "{updated}");
    let after = file(&place);
    assert!(keeps(&before, &after), "nothing that stood there is touched: {after}");
    assert!(!after.contains('\u{202e}'), "what is not seen is written out: {after}");
    assert!(!after.lines().any(|line| line.trim() == "[tables.x]"), "{after}");
    // The tenant table is gone from the database, and nobody takes its section away.
    let again = init(&db, &place, &["--check", "--format", "json"]);
    assert_eq!((again.status, checked(&again).0), (3, vec![]), "{again}");
    assert_eq!(init(&db, &place, &["--update"]).status, 0);
    assert_eq!(file(&place), after, "the second time there is nothing to add");
}

#[tokio::test]
async fn update_keeps_comments_order_and_modes_and_replaces_no_link() {
    let (db, place) = described().await;
    let own = "# ours, and not init's\ncolumns = [ 'organization_id' ]   # as we like it\n\n[tenant]\ntable='organizations' # here\nkey = \"id\"\n\n\
               [tables.orders] # never touched\ncross_tenant_references = \"why\"\n\n# notes are everybody's\n";
    place.write("tenancy.toml", own);
    let path = place.path().join("tenancy.toml");
    set_mode(&path, 0o440);
    run(&db, "CREATE TABLE carts (id int PRIMARY KEY, organization_id text REFERENCES organizations (id))".to_owned())
        .await;
    let updated = init(&db, &place, &["--update"]);
    assert_eq!(updated.status, 0, "{updated}");
    assert!(keeps(own, &file(&place)) && file(&place).contains("[tables.carts]"), "{}", file(&place));
    assert_eq!(place.mode("tenancy.toml"), 0o440);
    // A link is refused, and neither it nor what it leads to is changed.
    std::fs::rename(&path, place.path().join("real.toml")).unwrap();
    place.write("real.toml", own);
    std::os::unix::fs::symlink("real.toml", &path).unwrap();
    let linked = init(&db, &place, &["--update"]);
    assert_ne!(linked.status, 0, "{linked}");
    assert!(path.symlink_metadata().unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(place.path().join("real.toml")).unwrap(), own);
    assert_eq!(place.names(), [".git", "real.toml", "tenancy.toml"], "nothing temporary is left");
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_file_that_is_half_written_is_named_and_stays() {
    let (db, place) = described().await;
    for half in [
        "columns = [\"organization_id\"",
        "columns = [\"organization_id\"]\n[tables.\"x",
        "\u{0}",
        "tables = { orders = {} ",
    ] {
        place.write("tenancy.toml", half);
        for arguments in [&["--check"][..], &["--update"], &["--force"]] {
            let ended = init(&db, &place, arguments);
            assert_eq!(ended.status, 2, "{half:?} {arguments:?}: {ended}");
            assert!(ended.stderr.contains("tenancy.toml"), "{ended}");
            assert_eq!(file(&place), half);
        }
    }
    // Tables in a form to which none can be added are named as well.
    let inline =
        "columns = [\"organization_id\"]\ntenant = { table = \"organizations\", key = \"id\" }\ntables = { }\n";
    place.write("tenancy.toml", inline);
    let ended = init(&db, &place, &["--update"]);
    assert_eq!((ended.status, file(&place)), (2, inline.to_owned()), "{ended}");
    assert_eq!(place.names(), [".git", "tenancy.toml"]);
}

#[tokio::test]
async fn update_has_no_format_but_toml() {
    let (db, place) = described().await;
    let before = file(&place);
    let ended = init(&db, &place, &["--update", "--format", "json"]);
    assert_eq!((ended.status, file(&place)), (2, before), "{ended}");
}

#[tokio::test]
async fn without_a_file_there_is_nothing_to_compare() {
    let (db, _) = described().await;
    for arguments in [&["--check"][..], &["--update"]] {
        let ended = init(&db, &Place::new(), arguments);
        assert_eq!(ended.status, 2, "{ended}");
        assert!(ended.stderr.contains("there is no tenancy.toml"), "{ended}");
    }
}

#[tokio::test]
async fn force_replaces_what_it_would_write_again_and_refuses_to_lose_anything_else() {
    let (db, place) = described().await;
    let written = file(&place);
    // Reviews, reasons and names that people gave are kept, where the table that they are about is there.
    let reviewed = format!(
        "{}\n[reviewed.\"public.total(text)\"]\nwhy = \"read\"\nhash = \"abc\"\n",
        written
            .replace("[tables.orders]", "[tables.orders]\nshared_rows = \"templates\"")
            .replace("# environment = \"production\"", "environment = \"live\"")
    );
    place.write("tenancy.toml", &reviewed);
    let ended = init(&db, &place, &["--force"]);
    assert_eq!(ended.status, 0, "{ended}");
    for kept in
        ["[reviewed.\"public.total(text)\"]", "hash = \"abc\"", "shared_rows = \"templates\"", "environment = \"live\""]
    {
        assert!(file(&place).contains(kept), "{kept} in {}", file(&place));
    }
    // What it could not write again stops it.
    for more in
        ["[tables.elsewhere]\nexempt = \"why\"\n", "[tables.\"old orders\".allow_policies]\nsupport = \"why\"\n"]
    {
        let text = format!("{reviewed}\n{more}");
        place.write("tenancy.toml", &text);
        let ended = init(&db, &place, &["--force"]);
        assert_eq!((ended.status, file(&place)), (4, text), "{ended}");
        assert!(ended.stderr.contains("init --update"), "{ended}");
    }
    // Another file than the one in use is looked at, too.
    place.write("other.toml", "[reviewed.\"public.all()\"]\nwhy = \"read\"\nhash = \"abc\"\n");
    place.write("tenancy.toml", &written);
    let ended = init(&db, &place, &["--output", "other.toml", "--force"]);
    assert_eq!(ended.status, 4, "{ended}");
    assert!(ended.stderr.contains("reviewed.\"public.all()\".why"), "{ended}");
}

#[tokio::test]
async fn the_messages_of_the_default_applications_log_are_its_own() {
    let (_db, place) = described().await;
    assert!(file(&place).contains("Nobody has said how those of this application begin."), "{}", file(&place));
    assert!(!file(&place).contains("Tenant guard"), "{}", file(&place));
    let own = Place::new();
    let ended = init(&test_support::database().await, &own, &[]);
    assert_eq!(ended.status, 0, "{ended}");
    assert!(file(&own).contains("Tenant guard blocked create without tenantId"), "{}", file(&own));
}

#[tokio::test]
async fn the_file_is_written_where_the_other_commands_read_it() {
    let db = test_support::empty_database().await;
    run(&db, TABLES.to_owned()).await;
    let place = Place::new();
    std::fs::create_dir(place.path().join("conf")).unwrap();
    let url = db.url(Role::Owner);
    let init = |arguments: &[&str], variable: &str| {
        let asked = ["--app-role", "app_user", "--database-url", url.expose()];
        place.run_with(&[&["init"], arguments, &asked[..]].concat(), &[("TENANCY_CONFIG", variable)])
    };
    let written = init(&[], "conf/shop.toml");
    assert!(written.status == 0 && written.stderr.contains("wrote conf/shop.toml with 1 table"), "{written}");
    assert!(place.path().join("conf/shop.toml").exists() && !place.path().join("tenancy.toml").exists());
    let again = init(&[], "conf/shop.toml");
    assert!(again.status == 2 && again.stderr.contains("conf/shop.toml is there already"), "{again}");
    let by_option = init(&["--config", "conf/other.toml"], "conf/shop.toml");
    assert!(by_option.status == 0 && place.path().join("conf/other.toml").exists(), "{by_option}");
    let output = init(&["--output", "third.toml"], "conf/gone.toml");
    assert!(output.status == 0 && place.path().join("third.toml").exists(), "{output}");
    // Whoever only reads it is told that it is not there.
    let check = init(&["--check"], "conf/gone.toml");
    assert!(check.status == 2 && check.stderr.contains("TENANCY_CONFIG in the environment"), "{check}");
}
