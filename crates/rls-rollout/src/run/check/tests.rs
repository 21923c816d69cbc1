//! Each check in JSON and in words.

use serde_json::{Value, json};
use tenant_inventory::RegistryState;

use super::*;

fn name(table: &str) -> TableName {
    TableName::parse(table, "public").unwrap()
}

/// The JSON of a check in a report.
fn json_of(check: Check) -> Value {
    told(&[check], serde_json::value::Serializer).unwrap()[0].take()
}

fn fine(check: Check, tag: &str) {
    let (verdict, json) = (check.verdict(), json_of(check));
    assert_eq!((verdict, &json["verdict"], &json["check"]), (CheckResult::Fine, &json!("fine"), &json!(tag)));
}

#[test]
fn a_check_that_saw_nothing_is_fine() {
    fine(Check::Server { server_version: "17.1".to_owned() }, "server");
    fine(Check::Role { role: "o".to_owned(), others: Vec::new() }, "role");
    let registry = RegistryState::Table { row_security: false };
    fine(Check::Tables { unprotected: Vec::new(), registry }, "tables");
    fine(Check::Rights { lacking: Vec::new() }, "rights");
    fine(Check::Locks { holders: Vec::new() }, "locks");
    fine(Check::LongTransactions { transactions: Vec::new() }, "long_transactions");
    fine(Check::PreparedTransactions { transactions: Vec::new() }, "prepared_transactions");
    fine(Check::ReplicationSlots { slots: Vec::new() }, "replication_slots");
    // That there is none, everybody may know.
    for readable in [true, false] {
        fine(Check::Standbys { standbys: Vec::new(), readable }, "standbys");
    }
}

#[test]
fn a_check_has_its_tag_its_fields_and_its_sentence_in_json() {
    let others = vec![Member { table: name("a"), owner: "x".to_owned() }];
    let role = json_of(Check::Role { role: "o".to_owned(), others });
    let says = "o may not alter every table; those that it may not stay as they are: public.a belongs to x";
    let expected = json!({"name": "role", "verdict": "warning", "check": "role", "role": "o",
        "others": [{"table": "public.a", "owner": "x"}], "says": says});
    assert_eq!(role, expected);

    let unprotected = vec![Unprotected { table: name("a"), why: Unhandled::Identity }];
    let tables = json_of(Check::Tables { unprotected, registry: RegistryState::Missing });
    assert_eq!(tables["unprotected"], json!([{"table": "public.a", "why": {"reason": "identity"}}]));
    assert_eq!((&tables["registry"], &tables["verdict"]), (&json!({"state": "missing"}), &json!("warning")));
    let says = format!(
        "these stay as they are, and the others go on: public.a: {}; {}",
        Unhandled::Identity,
        RegistryState::Missing
    );
    assert_eq!(tables["says"], says);

    let heirs = Notice::Inherits { role: "r".to_owned(), heirs: vec!["o".to_owned()] };
    let membership = json_of(Check::Membership(heirs.clone()));
    let expected = json!({"name": "membership", "verdict": "warning", "check": "membership", "notice": "inherits",
        "role": "r", "heirs": ["o"], "says": heirs.to_string()});
    assert_eq!(membership, expected);

    let hidden = json_of(Check::HiddenTransactions { sessions: 2 });
    assert_eq!((&hidden["name"], &hidden["check"]), (&json!("long transactions"), &json!("hidden_transactions")));
    assert_eq!((&hidden["sessions"], &hidden["verdict"]), (&json!(2), &json!("unreadable")));
    let backup = json_of(Check::Backup);
    assert_eq!((&backup["check"], &backup["verdict"]), (&json!("backup"), &json!("reminder")));
}

#[test]
fn what_runs_beside_a_rollout_is_named_as_values_and_in_words() {
    let long = |role: Option<&str>, application: Option<&str>| LongTransaction {
        pid: 7,
        role: role.map(str::to_owned),
        application: application.map(str::to_owned),
        seconds: 90,
    };
    let transactions = vec![long(Some("o"), Some("psql")), long(Some("o"), None)];
    let json = json_of(Check::LongTransactions { transactions });
    assert_eq!(json["transactions"][0], json!({"pid": 7, "role": "o", "application": "psql", "seconds": 90}));
    let says = "building an index waits for these to end: process 7 of o (psql), for 90 s; process 7 of o, for 90 s";
    assert_eq!(json["says"], says);

    let transactions = vec![PreparedTransaction { name: "p".to_owned(), owner: "o".to_owned(), seconds: 5 }];
    let json = json_of(Check::PreparedTransactions { transactions });
    assert_eq!(json["says"], "these keep their locks until somebody commits or rolls them back: `p` of o, for 5 s");

    let standby = |application: Option<&str>, behind_kb, behind_seconds| Standby {
        pid: 9,
        application: application.map(str::to_owned),
        behind_kb,
        behind_seconds,
    };
    let standbys = vec![standby(Some("replica"), Some(12), Some(3)), standby(None, None, None)];
    let [seen, unseen] =
        [true, false].map(|readable| json_of(Check::Standbys { standbys: standbys.clone(), readable }));
    assert_eq!((&seen["verdict"], &unseen["verdict"]), (&json!("warning"), &json!("unreadable")));
    assert_eq!(seen["standbys"][1], json!({"pid": 9, "application": null, "behind_kb": null, "behind_seconds": null}));
    assert!(seen["says"].as_str().unwrap().ends_with(" the standby up: replica, 12 kB behind, by 3 s; process 9"));
    assert!(unseen["says"].as_str().unwrap().starts_with("how far behind they are, only a member of"));

    let slot = |name: &str, kept_kb, status: &str| UnreadSlot {
        name: name.to_owned(),
        kept_kb,
        wal_status: Some(status.to_owned()),
    };
    let json =
        json_of(Check::ReplicationSlots { slots: vec![slot("a", Some(8), "reserved"), slot("b", None, "lost")] });
    assert!(json["says"].as_str().unwrap().ends_with("piles up: a, 8 kB; b (lost)"), "{json}");
}

#[test]
fn each_right_that_is_lacking_has_its_reason_its_fields_and_its_sentence() {
    let (login, table) = (|| "o".to_owned(), || name("Tenant"));
    let of = |right: LackingRight, reason: &str, says: &str| {
        assert_eq!(
            (serde_json::to_value(&right).unwrap()["reason"].as_str(), &*right.to_string()),
            (Some(reason), says)
        );
        right
    };
    let lacking = vec![
        of(
            LackingRight::CreateInSchema { login: login(), schema: "s".to_owned() },
            "create_in_schema",
            "o may not create indexes: it lacks CREATE on the schema s",
        ),
        of(
            LackingRight::ReferenceTenants { login: login(), table: table() },
            "reference_tenants",
            "o may not reference public.Tenant: it lacks REFERENCES on it",
        ),
        of(
            LackingRight::GrantOnTenants {
                login: login(),
                table: table(),
                key: "id".to_owned(),
                roles: vec!["m".to_owned(), "a".to_owned()],
            },
            "grant_on_tenants",
            "o may not let m and a read public.Tenant: it lacks SELECT WITH GRANT OPTION on its id",
        ),
    ];
    let act =
        LackingRight::ActAsRole { login: login(), role: "m".to_owned(), statements: vec!["GRANT m TO o".to_owned()] };
    let says = act.to_string();
    assert!(says.starts_with("o may neither make the role m nor let itself act as it; `"), "{says}");
    assert!(says.ends_with("` as a superuser does both, and so do these statements: GRANT m TO o"), "{says}");
    let json = json_of(Check::Rights { lacking: [vec![act], lacking].concat() });
    assert_eq!((&json["check"], &json["verdict"]), (&json!("rights"), &json!("failed")));
    let expected = json!({"reason": "act_as_role", "login": "o", "role": "m", "statements": ["GRANT m TO o"]});
    assert_eq!(json["lacking"][0], expected);
    assert_eq!(json["lacking"][1], json!({"reason": "create_in_schema", "login": "o", "schema": "s"}));
    assert!(json["says"].as_str().unwrap().starts_with(&format!("{says}; o may not create indexes")), "{json}");
}
