//! Lines that are refused, each with its line and its reason, while the others are applied.

use backfill_engine::RefusalKind::{
    Assigned, Changed, Duplicate, Gone, Held, Malformed, OtherTable, Table, UnknownTenant,
};
use backfill_engine::{Error, RefusalKind};
use tenancy_config::Exit;
use tenancy_config::UserError;

use crate::reviewed::{Reviewed, refused};
use crate::support::{allowing, script};

/// All conflicts are decided for one tenant.
async fn decided() -> Reviewed {
    let mut review = Reviewed::bookings().await;
    for id in ["b_1", "b_2", "b_3", "b_4"] {
        review.decide(id, "t_a");
    }
    review
}

async fn after(change: &'static str) -> (Reviewed, Vec<(u64, RefusalKind, String)>) {
    after_allowing(change, &[]).await
}

/// The same, where `tenancy.toml` allows these triggers.
async fn after_allowing(change: &'static str, triggers: &[&str]) -> (Reviewed, Vec<(u64, RefusalKind, String)>) {
    let mut review = decided().await;
    review.tenancy = allowing(triggers);
    script(&mut review.db.superuser().await, change).await;
    let report = review.apply().await;
    assert_eq!(report.applied + report.refused, 4);
    let found = refused(&report).into_iter().map(|(line, kind, id)| (line, kind, id.to_owned())).collect();
    (review, found)
}

#[tokio::test]
async fn a_row_that_was_stolen_in_between_keeps_its_tenant() {
    let (review, found) = after(r#"UPDATE bookings SET "tenantId" = 't_b' WHERE id = 'b_2'"#).await;
    assert_eq!(found, [(3, Assigned, "b_2".to_owned())]);
    assert_eq!(review.tenants().await, "b_1:t_a b_2:t_b b_3:t_a b_4:t_a b_5:- b_6:t_a");
}

#[tokio::test]
async fn a_row_that_points_elsewhere_now_is_refused() {
    let (_, found) = after(r#"UPDATE bookings SET "clientId" = 'u_b' WHERE id = 'b_2'"#).await;
    assert_eq!(found, [(3, Changed, "b_2".to_owned())]);
}

#[tokio::test]
async fn rows_whose_source_has_another_tenant_now_are_refused() {
    let (review, found) = after(r#"UPDATE services SET "tenantId" = 't_a' WHERE id = 's_b'"#).await;
    assert_eq!(found.len(), 4);
    assert!(found.iter().all(|(_, kind, _)| *kind == Changed), "{found:?}");
    assert_eq!(review.tenants().await, "b_1:- b_2:- b_3:- b_4:- b_5:- b_6:t_a");
}

#[tokio::test]
async fn a_change_that_the_decision_does_not_depend_on_is_none() {
    let (_, found) = after(r#"UPDATE bookings SET duration = 45, "clientName" = 'N'"#).await;
    assert_eq!(found, []);
}

#[tokio::test]
async fn a_row_that_is_gone_is_refused() {
    let (_, found) = after("DELETE FROM bookings WHERE id = 'b_3'").await;
    assert_eq!(found, [(4, Gone, "b_3".to_owned())]);
}

#[tokio::test]
async fn what_the_table_itself_refuses_is_told_in_its_words_and_the_others_go_on() {
    let unique = r#"CREATE UNIQUE INDEX one_each ON bookings ("tenantId", "clientName") WHERE "clientName" <> '';
                    UPDATE bookings SET "clientName" = 'N' WHERE id IN ('b_2', 'b_3')"#;
    let (review, found) = after(unique).await;
    assert_eq!(found, [(4, Table, "b_3".to_owned())]);
    let why = &review.apply().await.refusals[0].cause.to_string();
    assert!(why.contains("one_each") && why.contains("SQLSTATE 23505"), "{why}");

    let trigger = r#"CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;
                     CREATE TRIGGER no BEFORE UPDATE ON bookings FOR EACH ROW WHEN (OLD.id = 'b_1') EXECUTE FUNCTION no();
                     CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
                     CREATE TRIGGER skip BEFORE UPDATE ON bookings FOR EACH ROW WHEN (OLD.id = 'b_4') EXECUTE FUNCTION skip()"#;
    let (review, found) = after_allowing(trigger, &["no", "skip"]).await;
    assert_eq!(found, [(2, Table, "b_1".to_owned()), (5, Table, "b_4".to_owned())]);
    assert_eq!(review.tenants().await, "b_1:- b_2:t_a b_3:t_a b_4:- b_5:- b_6:t_a");
}

#[tokio::test]
async fn a_row_that_a_neighbour_holds_is_refused_in_the_end_and_the_others_are_not() {
    let review = decided().await;
    let mut neighbour = review.db.superuser().await;
    script(&mut neighbour, "BEGIN; UPDATE bookings SET duration = 1 WHERE id = 'b_4'").await;
    let report = review.apply().await;
    assert_eq!((report.applied, refused(&report)), (3, vec![(5, Held, "b_4")]));
    script(&mut neighbour, "COMMIT").await;
    let again = review.apply().await;
    assert_eq!((again.applied, again.already_applied, again.refused), (1, 3, 0));
}

#[tokio::test]
async fn tenants_that_do_not_exist_are_refused_with_a_suggestion() {
    let mut review = decided().await;
    review.decide("b_1", "acmee");
    review.decide("b_2", "t_nobody");
    let report = review.apply().await;
    assert_eq!(report.applied, 2);
    assert_eq!(refused(&report), [(2, UnknownTenant, "b_1"), (3, UnknownTenant, "b_2")]);
    assert_eq!(report.refusals[0].cause.to_string(), "no tenant has the id or slug `acmee`; did you mean `acme`?");
}

#[tokio::test]
async fn a_row_that_is_decided_twice_is_refused_both_times() {
    let mut review = decided().await;
    let mut twice = review.record("b_2").clone();
    let at = twice.len() - 2;
    twice[at] = "t_b".to_owned();
    review.records.push(twice);
    let report = review.apply().await;
    assert_eq!(refused(&report), [(3, Duplicate, "b_2"), (7, Duplicate, "b_2")]);
    assert_eq!(review.tenants().await, "b_1:t_a b_2:- b_3:t_a b_4:t_a b_5:- b_6:t_a");
}

#[tokio::test]
async fn lines_of_other_tables_are_refused() {
    let mut review = decided().await;
    review.set("b_2", "table", "public.invoices");
    review.set("b_3", "table", "bookings");
    let report = review.apply().await;
    assert_eq!(refused(&report), [(3, OtherTable, "b_2")]);
    for id in ["b_1", "b_2", "b_3", "b_4"] {
        review.set(id, "table", "public.bokings");
    }
    let error = review.apply_text(&review.text(b',', csv::Terminator::CRLF)).await.unwrap_err();
    assert_eq!(error.hint(), Some("did you mean `bookings`?".into()));
}

#[tokio::test]
async fn malformed_lines_are_refused_by_their_line_in_the_file_and_those_behind_them_are_not() {
    let review = decided().await;
    let text = String::from_utf8(review.text(b',', csv::Terminator::CRLF)).unwrap();
    let mut lines: Vec<String> = text.split_inclusive("\r\n").map(str::to_owned).collect();
    // A cell with line breaks, an empty line, a cell too many, an open quote, a cell missing.
    lines[1] = lines[1].replacen(",conflict,", ",\"con\nflict\n\",", 1);
    lines.insert(2, "\r\n".to_owned());
    lines[3] = lines[3].replacen("conflict", "conflict,more", 1);
    lines[4] = lines[4].replacen("conflict", "\"conflict", 1);
    lines[5] = lines[5].replacen("conflict,", "", 1);
    let report = review.apply_text(lines.concat().as_bytes()).await.unwrap();
    assert_eq!(refused(&report), [(6, Malformed, "?"), (7, Malformed, "?"), (8, Malformed, "?")]);
    assert_eq!((report.lines, report.applied, report.undecided), (5, 1, 1));
    let reasons: Vec<_> = report.refusals.iter().map(|refusal| refusal.cause.to_string()).collect();
    let quote = "its quote is not closed";
    assert_eq!(reasons, ["it has 12 cells, and the header has 11", quote, "it has 10 cells, and the header has 11"]);
    assert_eq!(review.tenants().await, "b_1:t_a b_2:- b_3:- b_4:- b_5:- b_6:t_a");
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_refused_by_line() {
    let review = decided().await;
    let mut text = review.text(b',', csv::Terminator::Any(b'\n'));
    let at = text.windows(4).position(|bytes| bytes == b"b_2,").unwrap() + 4;
    text[at] = 0xE4;
    let report = review.apply_text(&text).await.unwrap();
    assert_eq!((refused(&report), report.applied), (vec![(3, Malformed, "?")], 3));
}

#[tokio::test]
async fn what_spreadsheets_make_of_a_file_is_read() {
    for (delimiter, ending, mark) in [(b';', csv::Terminator::CRLF, true), (b'\t', csv::Terminator::Any(b'\n'), false)]
    {
        let review = decided().await;
        let mut text = if mark { b"\xEF\xBB\xBF".to_vec() } else { Vec::new() };
        text.extend(review.text(delimiter, ending));
        text.extend(format!("{0}{0}\r\n", char::from(delimiter)).as_bytes());
        let report = review.apply_text(&text).await.unwrap();
        assert_eq!((report.applied, report.refused), (4, 0), "{:?}", report.refusals);
    }
}

#[tokio::test]
async fn a_file_that_is_no_review_or_that_of_other_sources_is_an_error_that_says_why() {
    let mut review = decided().await;
    for (text, what) in [
        (&b""[..], "it is empty"),
        (b"\xFF\xFEt\0", "it is UTF-16"),
        (b"id,decision\nb_1,t_a\n", "it has no column `table`; its first line is `id,decision`"),
        (b"table,id,decision,decision,fingerprint\n", "it has the column `decision` twice"),
    ] {
        let error = review.apply_text(text).await.unwrap_err();
        assert!(error.to_string().ends_with(what), "{error}");
        assert_eq!((error.exit(), error.hint().is_some()), (Exit::Usage, true));
    }
    let at = review.header.iter().position(|name| name == "client").unwrap();
    review.header[at] = "customer".to_owned();
    let error = review.apply_text(&review.text(b',', csv::Terminator::CRLF)).await.unwrap_err();
    assert!(matches!(error, Error::NotAReview { .. }) && error.to_string().contains("`customer`"), "{error}");
    assert_eq!(review.tenants().await, "b_1:- b_2:- b_3:- b_4:- b_5:- b_6:t_a");
}

#[tokio::test]
async fn refused_lines_are_written_to_be_mended_and_applied_again() {
    let mut review = decided().await;
    review.decide("b_1", "acmee");
    let (path, refused_path) = (review.path("filled in.csv"), review.path("refused.csv"));
    let mut text = b"\xEF\xBB\xBF".to_vec();
    text.extend(review.text(b';', csv::Terminator::CRLF));
    text.extend(b"public.bookings;b_9;conflict\r\n");
    std::fs::write(&path, text).unwrap();
    let report = review.apply_file(&path, Some(&refused_path), false).await.unwrap();
    assert_eq!((report.applied, report.refused, report.refused_file.as_ref()), (3, 2, Some(&refused_path)));
    let written = std::fs::read_to_string(&refused_path).unwrap();
    assert!(written.starts_with("\u{feff}table;id;") && written.lines().count() == 3, "{written}");
    assert!(written.contains("did you mean `acme`?"), "{written}");
    std::fs::write(&path, written.replace("acmee", "acme")).unwrap();
    let again = review.apply_file(&path, Some(&refused_path), false).await.unwrap();
    assert_eq!((again.applied, again.refused, again.undecided), (1, 0, 1));
    assert_eq!(std::fs::read_to_string(&refused_path).unwrap().lines().count(), 1, "nothing is left to mend");
}
