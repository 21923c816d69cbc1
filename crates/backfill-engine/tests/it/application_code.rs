//! Code of the application that a backfill runs - triggers, at once or at the end of the transaction, policies - finds what it expects in
//! its search path, and the backfill's own statements find nothing there.

use local_db::Role;

use crate::support::{SMALL, allowing, backfill, backfill_table, fast, number, script};

/// Triggers that name a table without its schema. The second fires at the end of the transaction.
const TRIGGERS: &str = r#"
    CREATE TABLE public.changes (booking text, at_end bool);
    CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN INSERT INTO changes VALUES (NEW.id, TG_NAME = 'at_end'); RETURN NULL; END $$;
    CREATE TRIGGER at_once AFTER UPDATE ON public.bookings FOR EACH ROW EXECUTE FUNCTION public.note();
    CREATE CONSTRAINT TRIGGER at_end AFTER UPDATE ON public.bookings DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION public.note();
"#;

#[tokio::test]
async fn triggers_find_their_tables_at_once_and_at_the_end_of_the_transaction() {
    let db = test_support::seeded(SMALL).await;
    script(&mut db.owner().await, TRIGGERS).await;
    let mut tenancy = allowing(&["at_once"]);
    tenancy.tables.get_mut("bookings").unwrap().allow_triggers.push("at_end".to_owned());
    let report = backfill_table(&db, Role::Owner, "bookings", &tenancy, &fast(), &mut |_| {}).await.unwrap();
    assert!(report.assigned > 0);
    let mut superuser = db.superuser().await;
    for kind in ["SELECT count(*) FROM changes WHERE at_end", "SELECT count(*) FROM changes WHERE NOT at_end"] {
        assert_eq!(number(&mut superuser, kind).await as u64, report.assigned, "{kind}");
    }
}

/// What a role that may create in the schema of the tables does to give one tenant's rows to another: `=` of two varchars that is true for
/// any two of them. The columns are of that type, so that no operator of `pg_catalog` fits them better.
const OPERATOR: &str = r#"
    ALTER TABLE public.users ALTER id TYPE varchar(40);
    ALTER TABLE public.bookings ALTER "clientId" TYPE varchar(40);
    GRANT CREATE ON SCHEMA public TO app_user;
    SET ROLE app_user;
    CREATE FUNCTION public.always(varchar, varchar) RETURNS bool LANGUAGE sql AS 'SELECT true';
    CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.always);
    RESET ROLE;
"#;

#[tokio::test]
async fn an_operator_that_somebody_planted_gives_nobody_another_tenants_rows() {
    let db = test_support::seeded(SMALL).await;
    script(&mut db.superuser().await, OPERATOR).await;
    let report = backfill(&db, Role::Owner, &fast()).await.unwrap();
    assert!(report.assigned > 0);
    let wrong = r#"SELECT count(*) FROM public.bookings AS b JOIN public.users AS u ON u.id::text = b."clientId"::text
                   WHERE b."tenantId" IN (SELECT id FROM "Tenant") AND u."tenantId" IN (SELECT id FROM "Tenant")
                     AND b."tenantId" <> u."tenantId""#;
    // The seed plants some rows whose tenant is another than their client's, and the backfill adds none.
    let fresh = test_support::seeded(SMALL).await;
    let planted = number(&mut fresh.superuser().await, wrong).await;
    assert_eq!(number(&mut db.superuser().await, wrong).await, planted);
}
