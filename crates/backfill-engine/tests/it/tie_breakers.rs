//! Sources that name several tenants, and what decides between these.

use backfill_engine::{BackfillOptions, BackfillPlan, Error, OnConflict};
use local_db::Role;
use sqlx::Row;
use tenancy_config::Tenancy;
use tenant_inventory::Catalog;
use tenant_rls::{Registry, Sql, Template};
use test_support::TestDb;

use crate::support::{
    SMALL, backfill_chat, backfill_table, by_source, connect, fast, number, planted, rows, run, script,
};

fn tenancy(rules: &str) -> Tenancy {
    Tenancy::from_toml(&format!("[tenant]\ntable = \"Tenant\"\n[tables.item]\n{rules}"), "tenancy.toml".as_ref())
        .unwrap()
}

async fn backfill_items(db: &TestDb, rules: &str) -> Result<backfill_engine::BackfillReport, Error> {
    backfill_table(db, Role::Owner, "item", &tenancy(rules), &fast(), &mut |_| {}).await
}

#[tokio::test]
async fn messages_get_exactly_the_tenants_that_were_planted() {
    let (db, planted) = planted(&SMALL).await;
    let expected = [
        ("membership", planted.messages_by_membership),
        ("author", planted.messages_by_author),
        ("room", planted.messages_by_room),
    ];
    let left = (planted.messages_in_conflict, planted.messages_unresolvable);

    let dry = BackfillOptions { dry_run: true, ..fast() };
    let report = backfill_chat(&db, Role::Owner, &dry).await.unwrap();
    assert_eq!((by_source(&report), (report.conflicts, report.unresolved)), (expected.to_vec(), left));

    let report = backfill_chat(&db, Role::Owner, &fast()).await.unwrap();
    assert_eq!((by_source(&report), (report.conflicts, report.unresolved)), (expected.to_vec(), left));
    assert_eq!((report.assigned, report.assignable), (planted.assignable_messages(), 0));

    // No message has a tenant that its author has nothing to do with.
    let foreign = r#"SELECT count(*) FROM tenant_ops.journal j, unnest(j.row_keys) AS k(id) JOIN chat_messages c USING (id)
                     WHERE c."tenantId" IS DISTINCT FROM j.tenant_id
                        OR NOT EXISTS (SELECT FROM tenant_memberships m WHERE (m."userId", m."tenantId") = (c."userId", c."tenantId")
                                       UNION ALL SELECT FROM users u WHERE (u.id, u."tenantId") = (c."userId", c."tenantId"))"#;
    assert_eq!(number(&mut db.superuser().await, foreign).await, 0);
    let again = backfill_chat(&db, Role::Owner, &fast()).await.unwrap();
    assert_eq!((again.run, again.remaining), (None, left.0 + left.1));
}

#[tokio::test]
async fn the_review_lists_every_tenant_that_a_source_names() {
    let (db, planted) = planted(&SMALL).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("review.csv");
    backfill_chat(&db, Role::Owner, &BackfillOptions { review: Some(path.clone()), ..fast() }).await.unwrap();
    let mut csv = csv::Reader::from_path(&path).unwrap();
    let header: Vec<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
    let sources = ["membership", "membership row", "author", "author row"];
    assert_eq!(header, [&["table", "id", "reason"], &sources[..], &["decision", "fingerprint"]].concat());
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let conflicts: Vec<_> = rows.iter().filter(|row| &row[2] == "conflict").collect();
    assert_eq!(conflicts.len() as u64, planted.messages_in_conflict);
    assert_eq!((rows.len() - conflicts.len()) as u64, planted.messages_unresolvable);
    for row in conflicts {
        let (one, other) = row[3].split_once(" | ").unwrap();
        assert!(one < other && [one, other].contains(&&row[5]), "{row:?}");
    }
}

#[tokio::test]
async fn an_author_and_a_membership_that_disagree_are_a_conflict_and_first_takes_what_names_one_alone() {
    let db = test_support::database().await;
    script(
        &mut db.superuser().await,
        r#"INSERT INTO "Tenant" (id, slug, name, "updatedAt") SELECT t, t, t, now() FROM unnest('{a,b,c}'::text[]) AS t;
           INSERT INTO users (id, "tenantId", email, "updatedAt") VALUES ('u', 'b', 'u', now()), ('v', 'c', 'v', now());
           INSERT INTO tenant_memberships (id, "userId", "tenantId") VALUES ('1', 'u', 'a'), ('2', 'v', 'a'), ('3', 'v', 'b');
           INSERT INTO chat_messages (id, "userId", "userName", role, room, text, "tenantId")
           VALUES ('1', 'u', '', '', 'r', '', NULL), ('2', 'v', '', '', 'r', '', NULL), ('3', 'v', '', '', 's', '', NULL),
                  ('4', 'v', '', '', 's', '', 'b'), ('5', 'v', '', '', 't', '', NULL), ('6', 'v', '', '', 't', '', 'c')"#,
    )
    .await;
    let report = backfill_chat(&db, Role::Owner, &fast()).await.unwrap();
    assert_eq!(by_source(&report), [("membership", 0), ("author", 0), ("room", 2)]);
    assert_eq!(report.conflicts, 2);
    let options = BackfillOptions { on_conflict: OnConflict::First, ..fast() };
    let report = backfill_chat(&db, Role::Owner, &options).await.unwrap();
    assert_eq!(by_source(&report), [("membership", 1), ("author", 1), ("room", 0)]);
    let as_decided = r#"SELECT count(*) FROM chat_messages JOIN (VALUES ('1', 'a'), ('2', 'c'), ('3', 'b'), ('5', 'c')) AS e(id, tenant)
                        USING (id) WHERE "tenantId" = tenant"#;
    assert_eq!(number(&mut db.superuser().await, as_decided).await, 4);
}

/// Items, whose owner 1 is a member of one tenant, twice, owner 2 of two, and owner 3 of none. At place 1 owner 2 was seen by one of
/// these two and by a third tenant, at place 2 by both.
const ITEMS: &str = r#"
    CREATE TABLE "Tenant" (id :type PRIMARY KEY, slug text, name text);
    CREATE TABLE member (id int PRIMARY KEY, owner int, "tenantId" :type);
    CREATE TABLE seen (id int PRIMARY KEY, who int, place int, "tenantId" :type);
    CREATE TABLE item (id int PRIMARY KEY, owner int, place int, "tenantId" :type);
    INSERT INTO "Tenant" SELECT :tenant, n::text, n::text FROM generate_series(1, 3) n;
    INSERT INTO member SELECT id, owner, :tenant FROM (VALUES (1, 1, 1), (2, 1, 1), (3, 2, 1), (4, 2, 3)) AS m(id, owner, n);
    INSERT INTO seen SELECT id, 2, place, :tenant FROM (VALUES (1, 1, 3), (2, 1, 2), (3, 2, 1), (4, 2, 3)) AS s(id, place, n);
    INSERT INTO item (id, owner, place) VALUES (1, 1, 1), (2, 2, 1), (3, 2, 2), (4, 2, 3), (5, 3, 1)"#;

/// The slugs of what the items got.
const ASSIGNED: &str =
    r#"SELECT string_agg(item.id || ':' || slug, ' ' ORDER BY item.id) FROM item JOIN "Tenant" t ON t.id = "tenantId""#;

#[tokio::test]
async fn tenants_of_every_type_are_compared() {
    let rules = r#"
        sources = [{ name = "member", column = "owner", table = "member", key = "owner", all = true }]
        evidence = [{ name = "seen", table = "seen", equal = { owner = "who", place = "place" } }]
    "#;
    for (column, tenant) in [
        ("uuid", "('00000000-0000-0000-0000-00000000000' || n)::uuid"),
        ("varchar(20)", "'tenant ' || n"),
        ("bigint", "n * 10000000000"),
        ("integer", "n"),
    ] {
        let db = test_support::empty_database().await;
        let fill = Template::new(ITEMS)
            .fragment("type", Sql::from_static(column))
            .fragment("tenant", Sql::from_static(tenant))
            .build();
        let mut owner = db.owner().await;
        owner.run_script("preparing a test", fill).await.unwrap();
        let report = backfill_items(&db, rules).await.unwrap();
        assert_eq!(by_source(&report), [("member", 1), ("seen", 1)], "{column}");
        assert_eq!((report.conflicts, report.unresolved), (2, 1), "{column}");
        assert_eq!(rows(&mut owner, ASSIGNED).await[0].get::<&str, _>(0), "1:1 2:3", "{column}");

        // One tenant for all that is left.
        let database = connect(&db, Role::Owner).await;
        let catalog = Catalog::load(&database, &tenancy(rules)).await.unwrap();
        let tenant = Registry::open(&database, &tenancy(rules)).await.unwrap().find("2").await.unwrap();
        let plan = BackfillPlan::given(&catalog, &tenancy(rules), "item", &tenant.id).unwrap();
        let report = run(&database, &tenancy(rules), &plan, &fast(), &mut |_| {}).await.unwrap();
        assert_eq!((report.assigned, report.remaining), (3, 0), "{column}");
        assert_eq!(rows(&mut owner, ASSIGNED).await[0].get::<&str, _>(0), "1:1 2:3 3:2 4:2 5:2", "{column}");
        database.close().await;
    }
}

#[tokio::test]
async fn rules_whose_answers_would_depend_on_the_order_of_rows_are_refused() {
    let db = test_support::empty_database().await;
    let fill = Template::new(ITEMS).fragment("type", Sql::from_static("int")).fragment("tenant", Sql::from_static("n"));
    db.owner().await.run_script("preparing a test", fill.build()).await.unwrap();
    let member = r#"{ name = "member", column = "owner", table = "member", key = "owner", all = true }"#;
    let itself = |equal: &str| format!(r#"{{ name = "beside", table = "item", equal = {{ {equal} }} }}"#);
    let seen = r#"{ name = "seen", table = "seen", equal = { owner = "who" } }"#;
    let both = itself("owner = 'owner', place = 'place'");
    for (sources, evidence, why) in [
        (member, itself("place = 'place'"), "must also compare owner"),
        (member, itself("owner = 'owner', id = 'place'"), "cannot compare"),
        (member, format!("{both}, {seen}"), "must stand last"),
        (
            r#"{ name = "others", column = "owner", table = "item", key = "owner", all = true }"#,
            String::new(),
            "asks all rows of the table itself",
        ),
        (
            r#"{ name = "member", column = "owner", table = "member", key = "owner" }"#,
            String::new(),
            "`all = true` asks all such rows",
        ),
    ] {
        let rules = format!("sources = [{sources}]\nevidence = [{evidence}]");
        let error = backfill_items(&db, &rules).await.unwrap_err();
        assert!(matches!(error, Error::Unsuitable { .. }) && error.to_string().contains(why), "{error}");
    }
    let rules = format!("sources = [{member}]\nevidence = [{seen}, {both}]");
    assert!(backfill_items(&db, &rules).await.is_ok());
}

#[tokio::test]
async fn what_the_sources_say_is_counted_beside_one_tenant_for_all() {
    let (db, planted) = planted(&SMALL).await;
    let (database, tenancy) = (connect(&db, Role::Owner).await, Tenancy::default());
    let plan =
        BackfillPlan::new(&Catalog::load(&database, &tenancy).await.unwrap(), &tenancy, "chat_messages").unwrap();
    let tenant = Registry::open(&database, &tenancy).await.unwrap().find("tenant_primary").await.unwrap();
    let before = plan.compare(&database, &tenancy, &tenant.id).await.unwrap();
    assert_eq!(
        (before.rows, before.told),
        (planted.tables["chat_messages"].without_tenant, planted.assignable_messages())
    );
    run(&database, &tenancy, &plan, &fast(), &mut |_| {}).await.unwrap();
    let others =
        "SELECT sum(cardinality(row_keys))::bigint FROM tenant_ops.journal WHERE tenant_id <> 'tenant_primary'";
    assert_eq!(number(&mut db.superuser().await, others).await as u64, before.told_another);
    let after = plan.compare(&database, &tenancy, &tenant.id).await.unwrap();
    assert_eq!((after.rows, after.told), (before.rows - before.told, 0));
    database.close().await;
}
