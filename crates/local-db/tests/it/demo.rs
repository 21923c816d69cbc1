//! The demo data: one seed always gives the same data, and what it reports as planted is what is in the tables.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use local_db::{Error, Planted, Role, Seed, demo};
use sqlx::{Row, SqlSafeStr};
use tenancy_config::Ident;
use tenancy_config::UserError;
use tenant_rls::{DirectConnection, Sql, Template};
use test_support::TestDb;

const SMALL: Seed = Seed { tenants: 5, bookings: 3_000, seed: 7 };

/// The scripts of the schema that the owner of a database runs.
const SCHEMA: [&str; 5] = [
    include_str!("../../../../sql/local-db/schema/types.sql"),
    include_str!("../../../../sql/local-db/schema/tables.sql"),
    include_str!("../../../../sql/local-db/schema/keys.sql"),
    include_str!("../../../../sql/local-db/schema/indexes.sql"),
    include_str!("../../../../sql/local-db/schema/grants.sql"),
];

async fn plant(db: &TestDb, seed: &Seed) -> Planted {
    demo::plant(&db.url(Role::Superuser), seed, &mut |_| ()).await.unwrap()
}

/// A column of text, row by row; `None` is NULL.
async fn texts(session: &mut DirectConnection, query: impl SqlSafeStr) -> Vec<Option<String>> {
    let rows = sqlx::query(query).fetch_all(session.connection()).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// A statement about one table.
fn about(table: &str, statement: &'static str) -> Sql {
    Template::new(statement).ident("table", &Ident::new(table).unwrap()).build()
}

/// A hash of all rows of each table, whatever their order on disk.
async fn checksum(db: &TestDb) -> BTreeMap<String, Option<String>> {
    let mut session = db.superuser().await;
    let tables = texts(&mut session, "SELECT relname::text FROM pg_stat_user_tables WHERE schemaname = 'public'").await;
    let mut sums = BTreeMap::new();
    for table in tables.into_iter().flatten() {
        let sum = about(&table, r#"SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM :"table" AS t"#);
        sums.insert(table, texts(&mut session, &sum).await.remove(0));
    }
    sums
}

#[tokio::test]
async fn the_same_seed_gives_the_same_data_and_another_seed_does_not() {
    let (one, same, other) = tokio::join!(test_support::database(), test_support::database(), test_support::database());
    let planted = plant(&one, &SMALL).await;
    assert_eq!(plant(&same, &SMALL).await, planted);
    plant(&other, &Seed { seed: 8, ..SMALL }).await;

    let (one, same, other) = (checksum(&one).await, checksum(&same).await, checksum(&other).await);
    assert!(one.values().all(Option::is_some), "every table has rows: {one:?}");
    assert_eq!(one, same);
    let alike: Vec<_> = one.iter().filter(|(table, sum)| other[*table] == **sum).collect();
    assert!(alike.is_empty(), "{alike:?}");
}

/// How a booking's tenant follows from its sources, one row at a time. Of the tenants that service request, client and
/// service name, those that do not exist are dropped. If one is left, it decides; several are a conflict; none is
/// unresolvable.
#[derive(Default, Debug, PartialEq)]
struct Model {
    bookings: u64,
    without_tenant: u64,
    /// By source: service request, client, service.
    assignable: [u64; 3],
    conflicts: u64,
    unresolvable: u64,
    cross_tenant: u64,
    empty: u64,
    ghosts: u64,
}

async fn model(db: &TestDb) -> Model {
    let mut session = db.superuser().await;
    let tenants: BTreeSet<String> =
        texts(&mut session, r#"SELECT id FROM "Tenant""#).await.into_iter().flatten().collect();
    let mut tenant_of: Vec<HashMap<String, Option<String>>> = Vec::new();
    for source in ["ServiceRequest", "users", "services"] {
        let query = about(source, r#"SELECT id, "tenantId" FROM :"table""#);
        let rows = sqlx::query(query).fetch_all(session.connection()).await.unwrap();
        tenant_of.push(rows.iter().map(|row| (row.get(0), row.get(1))).collect());
    }
    let bookings = r#"SELECT "serviceRequestId", "clientId", "serviceId", "tenantId" FROM bookings"#;
    let mut model = Model::default();
    for row in sqlx::query(bookings).fetch_all(session.connection()).await.unwrap() {
        let exists = |tenant: &String| tenants.contains(tenant);
        let named: Vec<Option<String>> = (0..3)
            .map(|source| {
                let id: Option<String> = row.get(source);
                id.and_then(|id| tenant_of[source][&id].clone()).filter(exists)
            })
            .collect();
        let distinct: BTreeSet<&String> = named.iter().flatten().collect();
        model.bookings += 1;
        match row.get::<Option<String>, _>("tenantId") {
            None => {
                model.without_tenant += 1;
                match (distinct.len(), named.iter().position(Option::is_some)) {
                    (1, Some(best)) => model.assignable[best] += 1,
                    (0, _) => model.unresolvable += 1,
                    _ => model.conflicts += 1,
                }
            }
            Some(tenant) if tenant.is_empty() => model.empty += 1,
            Some(tenant) if !exists(&tenant) => model.ghosts += 1,
            Some(tenant) => {
                assert!(named[..2].iter().flatten().all(|named| *named == tenant), "only services lie across tenants");
                model.cross_tenant += u64::from(named[2].as_ref().is_some_and(|named| *named != tenant));
            }
        }
    }
    model
}

#[tokio::test]
async fn the_planted_numbers_are_those_of_a_slow_separate_model() {
    let sizes =
        [SMALL, Seed { tenants: 40, bookings: 20_000, seed: u64::MAX }, Seed { tenants: 2, bookings: 50, seed: 0 }];
    for size in sizes.into_iter().chain([Seed { tenants: 0, bookings: 0, seed: 1 }]) {
        let db = test_support::database().await;
        let planted = plant(&db, &size).await;
        let expected = Model {
            bookings: planted.bookings,
            without_tenant: planted.bookings_without_tenant,
            assignable: [planted.by_service_request, planted.by_client, planted.by_service],
            conflicts: planted.conflicts,
            unresolvable: planted.unresolvable,
            cross_tenant: planted.cross_tenant_references,
            empty: planted.empty_string_tenants,
            ghosts: planted.ghost_tenants,
        };
        assert_eq!(model(&db).await, expected, "{size:?}");
        assert_eq!(
            planted.bookings_without_tenant,
            planted.assignable() + planted.conflicts + planted.unresolvable,
            "{size:?}"
        );
        assert_eq!(planted.bookings, u64::from(size.bookings.max(1)));
        if size.bookings >= 50 {
            let kinds = [
                planted.by_service_request,
                planted.by_client,
                planted.by_service,
                planted.conflicts,
                planted.unresolvable,
                planted.cross_tenant_references,
                planted.empty_string_tenants,
                planted.ghost_tenants,
            ];
            assert!(kinds.iter().all(|kind| *kind > 0), "some of every kind: {planted:?}");
        }
    }
}

#[tokio::test]
async fn each_table_holds_the_rows_that_were_planted_in_it() {
    let db = test_support::database().await;
    let planted = plant(&db, &SMALL).await;
    let mut session = db.superuser().await;
    for (table, rows) in &planted.tables {
        let column = if table == "service_views" { "tenant_id" } else { "tenantId" };
        let query = Template::new(
            r#"SELECT count(*), count(*) FILTER (WHERE :"column" IS NULL), count(*) FILTER (WHERE :"column" = ''),
                      count(*) FILTER (WHERE :"column" <> '' AND :"column" NOT IN (SELECT id FROM "Tenant"))
               FROM :"table""#,
        )
        .ident("column", &Ident::new(column).unwrap())
        .ident("table", &Ident::new(table.as_str()).unwrap())
        .build();
        let row = sqlx::query(query).fetch_one(session.connection()).await.unwrap();
        let expected = [rows.rows, rows.without_tenant, rows.empty_string_tenants, rows.ghost_tenants];
        assert_eq!([0, 1, 2, 3].map(|column| row.get::<i64, _>(column) as u64), expected, "{table}");
    }
    for source in ["users", "services"] {
        let rows = planted.tables[source];
        assert!(rows.without_tenant > 0 && rows.empty_string_tenants > 0 && rows.ghost_tenants > 0, "{source}");
    }
}

#[tokio::test]
async fn authors_of_several_tenants_and_deleted_authors_are_counted() {
    let db = test_support::database().await;
    let planted = plant(&db, &SMALL).await;
    let mut session = db.superuser().await;
    let several = r#"SELECT count(*)::text FROM (SELECT DISTINCT "userId" FROM chat_messages) AS author
                     WHERE (SELECT count(*) FROM tenant_memberships AS m WHERE m."userId" = author."userId") > 1"#;
    let deleted = r#"SELECT count(*)::text FROM chat_messages WHERE "userId" NOT IN (SELECT id FROM users)"#;
    let counted = [planted.authors_with_several_memberships, planted.messages_of_deleted_authors];
    assert!(counted.iter().all(|count| *count > 0));
    for (query, count) in [several, deleted].into_iter().zip(counted) {
        assert_eq!(texts(&mut session, query).await, [Some(count.to_string())]);
    }
}

/// How the tenant of each chat message follows from its author, and from what the author wrote in the same room, one
/// message at a time. Returns how many follow by membership, by author and by room, and how many are in conflict or
/// unresolvable.
async fn messages_model(session: &mut DirectConnection) -> [u64; 5] {
    let tenants: BTreeSet<String> = texts(session, r#"SELECT id FROM "Tenant""#).await.into_iter().flatten().collect();
    let pairs = async |session: &mut DirectConnection, query: &'static str| -> Vec<(String, Option<String>)> {
        let rows = sqlx::query(query).fetch_all(session.connection()).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    let mut memberships: HashMap<String, BTreeSet<String>> = HashMap::new();
    for (user, tenant) in pairs(session, r#"SELECT "userId", "tenantId" FROM tenant_memberships"#).await {
        memberships.entry(user).or_default().extend(tenant.filter(|tenant| tenants.contains(tenant)));
    }
    let users: HashMap<_, _> = pairs(session, r#"SELECT id, "tenantId" FROM users"#).await.into_iter().collect();
    let query = r#"SELECT "userId", room, "tenantId" FROM chat_messages"#;
    let rows = sqlx::query(query).fetch_all(session.connection()).await.unwrap();
    let messages: Vec<(String, String, Option<String>)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    let mut counts = [0; 5];
    for (author, room, _) in messages.iter().filter(|(.., tenant)| tenant.is_none()) {
        let member_of = memberships.get(author).cloned().unwrap_or_default();
        let own = users.get(author).cloned().flatten().filter(|tenant| tenants.contains(tenant));
        let candidates: BTreeSet<&String> = member_of.iter().chain(&own).collect();
        let beside = messages.iter().filter(|(other, place, _)| (other, place) == (author, room));
        let in_room: BTreeSet<&String> =
            beside.filter_map(|(.., tenant)| tenant.as_ref()).filter(|tenant| candidates.contains(tenant)).collect();
        let kind = match (candidates.len(), member_of.len(), in_room.len()) {
            (0, ..) => 4,
            (1, 0, _) => 1,
            (1, ..) => 0,
            (_, _, 1) => 2,
            _ => 3,
        };
        counts[kind] += 1;
    }
    counts
}

#[tokio::test]
async fn the_planted_messages_are_those_of_a_slow_separate_model() {
    for size in [SMALL, Seed { tenants: 40, bookings: 20_000, seed: 3 }, Seed { tenants: 2, bookings: 50, seed: 0 }] {
        let db = test_support::database().await;
        let planted = plant(&db, &size).await;
        let expected = [
            planted.messages_by_membership,
            planted.messages_by_author,
            planted.messages_by_room,
            planted.messages_in_conflict,
            planted.messages_unresolvable,
        ];
        assert_eq!(messages_model(&mut db.superuser().await).await, expected, "{size:?}");
        assert_eq!(expected.iter().sum::<u64>(), planted.tables["chat_messages"].without_tenant, "{size:?}");
        assert!(size.bookings < 1_000 || expected.iter().all(|kind| *kind > 0), "some of every kind: {planted:?}");
    }
}

#[tokio::test]
async fn tenants_are_of_very_different_size_and_lie_mixed() {
    let db = test_support::database().await;
    plant(&db, &Seed { tenants: 20, ..SMALL }).await;
    let mut session = db.superuser().await;
    let sizes = r#"SELECT (count(*) FILTER (WHERE t.id = 'tenant_primary') > 10 * count(*) FILTER (WHERE slug = 'octan'))::text
                   FROM "ServiceRequest" AS r JOIN "Tenant" AS t ON t.id = r."tenantId""#;
    assert_eq!(texts(&mut session, sizes).await, [Some("true".to_owned())]);
    let runs = r#"SELECT (count(*) FILTER (WHERE client <> before) > count(*) / 2)::text
                  FROM (SELECT "clientId" AS client, lag("clientId") OVER (ORDER BY ctid) AS before FROM bookings) AS b"#;
    assert_eq!(texts(&mut session, runs).await, [Some("true".to_owned())], "bookings of one client lie side by side");
}

#[tokio::test]
async fn indexes_and_keys_are_those_of_the_schema_and_only_keys_with_faults_are_not_valid() {
    let (seeded, schema) = tokio::join!(test_support::database(), test_support::database());
    plant(&seeded, &SMALL).await;
    let (mut seeded, mut schema) = (seeded.superuser().await, schema.superuser().await);
    for list in [
        "SELECT indexdef || tablename FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
        "SELECT conrelid::regclass || replace(pg_get_constraintdef(oid), ' NOT VALID', '') FROM pg_constraint ORDER BY 1",
    ] {
        assert_eq!(texts(&mut seeded, list).await, texts(&mut schema, list).await);
    }
    let nine = "SELECT count(*)::text FROM pg_indexes WHERE tablename = 'bookings'";
    assert_eq!(texts(&mut seeded, nine).await, [Some("9".to_owned())]);
    let not_valid = "SELECT conname::text FROM pg_constraint WHERE NOT convalidated ORDER BY 1";
    let expected =
        ["ServiceRequest", "bookings", "services", "users"].map(|table| Some(format!("{table}_tenantId_fkey")));
    assert_eq!(texts(&mut seeded, not_valid).await.into_iter().collect::<BTreeSet<_>>(), expected.into());
}

#[tokio::test]
async fn code_that_somebody_put_into_the_schema_is_not_run_by_the_superuser_who_seeds() {
    let seed = Seed { tenants: 2, bookings: 10, seed: 1 };
    for code in [
        "CREATE FUNCTION public.lpad(text, int, text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
        "CREATE OPERATOR public.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_catalog.textcat)",
        "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER t BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION public.f();
         ALTER TABLE public.users ENABLE ALWAYS TRIGGER t",
    ] {
        let db = test_support::database().await;
        db.owner().await.run_script("planting code", code).await.unwrap();
        let error = demo::plant(&db.url(Role::Superuser), &seed, &mut |_| ()).await.unwrap_err();
        assert!(matches!(error, Error::Code { .. }), "{code}: {error}");
    }
}

#[tokio::test]
async fn a_database_with_bookings_or_without_tables_is_refused() {
    let db = test_support::database().await;
    let planted = plant(&db, &SMALL).await;
    let error = demo::plant(&db.url(Role::Superuser), &SMALL, &mut |_| ()).await.unwrap_err();
    assert!(matches!(error, Error::NotEmpty), "{error}");
    assert!(error.hint().unwrap().contains("db reset"));
    assert_eq!(model(&db).await.bookings, planted.bookings);

    let db = test_support::empty_database().await;
    let error = demo::plant(&db.url(Role::Superuser), &SMALL, &mut |_| ()).await.unwrap_err();
    assert!(matches!(error, Error::Sql(tenant_rls::Error::NoTable { .. })), "{error}");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn each_script_of_the_schema_is_safe_to_run_twice() {
    let db = test_support::database().await;
    let (mut superuser, mut owner) = (db.superuser().await, db.owner().await);
    let shape = "SELECT string_agg(attrelid::regclass || attname || format_type(atttypid, atttypmod) || attnotnull || coalesce(attacl::text, ''), E'\\n'
                                   ORDER BY attrelid::regclass::text, attnum)
                 FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)";
    let before = texts(&mut superuser, shape).await;
    superuser.run_script("the roles, again", include_str!("../../../../sql/local-db/schema/roles.sql")).await.unwrap();
    for script in SCHEMA {
        owner.run_script("the schema, again", script).await.unwrap();
    }
    assert_eq!(texts(&mut superuser, shape).await, before);
}

#[tokio::test]
async fn the_maintenance_role_reads_keys_and_tenants_and_writes_the_tenant_only() {
    let db = test_support::database().await;
    plant(&db, &SMALL).await;
    let mut owner = db.owner().await;
    owner.run_script("acting as the maintenance role", "SET ROLE tenant_maintenance").await.unwrap();
    let may = r#"SELECT ctid, id, "serviceRequestId", "clientId", "serviceId" FROM bookings WHERE "tenantId" IS NULL"#;
    owner.run_script("reading keys", may).await.unwrap();
    let may =
        r#"SELECT m."userId", room, t."tenantId" FROM chat_messages m JOIN tenant_memberships t USING ("userId")"#;
    owner.run_script("reading what evidence compares", may).await.unwrap();
    owner
        .run_script("writing the tenant", r#"UPDATE bookings SET "tenantId" = 'tenant_primary' WHERE id = ''"#)
        .await
        .unwrap();
    for may_not in [
        r#"SELECT "clientEmail" FROM bookings"#,
        "SELECT text FROM chat_messages",
        r#"SELECT "name" FROM "Tenant""#,
        "UPDATE bookings SET duration = 0",
        "DELETE FROM bookings",
        r#"INSERT INTO users (id, email, "updatedAt") VALUES ('u', 'e', now())"#,
    ] {
        let error = owner.run_script("what it may not", may_not).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some("42501"), "{may_not}");
    }
}
