//! Sessions whose tenant stands in a claim: what is written is written in the scope of its tenant, whoever writes it.

use local_db::Role;
use tenancy_config::Tenancy;

use crate::reviewed::Reviewed;
use crate::support::{allowing, backfill_table, fast, number, script};
use crate::undo::undo_with;

/// Refuses what is written while the session's claims do not name the row's tenant.
const WATCH: &str = r#"CREATE FUNCTION in_scope() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF coalesce(NEW."tenantId", OLD."tenantId") IS DISTINCT FROM
           current_setting('request.jwt.claims', true)::jsonb -> 'app_metadata' ->> 'tenant"s' THEN
            RAISE EXCEPTION 'written in the scope %', current_setting('request.jwt.claims', true);
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER in_scope BEFORE UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION in_scope()"#;

const WITHOUT: &str = r#"SELECT count(*) FROM bookings WHERE "tenantId" IS NULL"#;

fn claims() -> Tenancy {
    let mut tenancy = allowing(&["in_scope"]);
    tenancy.session.variable = "request.jwt.claims".to_owned();
    tenancy.session.claim = vec!["app_metadata".to_owned(), "tenant\"s".to_owned()];
    tenancy
}

#[tokio::test]
async fn what_people_decided_is_written_and_taken_back_in_the_scope_of_its_tenant() {
    let mut review = Reviewed::bookings().await;
    script(&mut review.db.superuser().await, WATCH).await;
    review.tenancy = claims();
    for (id, tenant) in [("b_1", "t_a"), ("b_2", "t_b"), ("b_3", "t_a"), ("b_4", "t_b")] {
        review.decide(id, tenant);
    }
    let report = review.apply().await;
    assert_eq!((report.applied, report.refused), (4, 0), "{:?}", report.refusals);
    assert_eq!(review.tenants().await, "b_1:t_a b_2:t_b b_3:t_a b_4:t_b b_5:- b_6:t_a");
    assert_eq!(undo_with(&review.db, &review.tenancy, report.run.unwrap(), false).await.unwrap().undone, 4);
    assert_eq!(review.tenants().await, "b_1:- b_2:- b_3:- b_4:- b_5:- b_6:t_a");
}

#[tokio::test]
async fn what_sources_tell_is_written_in_the_scope_of_its_tenant() {
    let (db, planted) = crate::support::planted(&crate::support::SMALL).await;
    script(&mut db.superuser().await, WATCH).await;
    let before = number(&mut db.superuser().await, WITHOUT).await;
    let report = backfill_table(&db, Role::Owner, "bookings", &claims(), &fast(), &mut |_| {}).await.unwrap();
    assert_eq!((report.assigned, report.failed.len()), (planted.assignable(), 0), "{:?}", report.failed);
    let undone = undo_with(&db, &claims(), report.run.unwrap(), false).await.unwrap();
    assert_eq!((undone.undone, undone.kept), (planted.assignable(), 0));
    assert_eq!(number(&mut db.superuser().await, WITHOUT).await, before);
}
