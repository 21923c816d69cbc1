//! The whole way on schemas that this project was not made for: init, doctor, audit, backfill, plan, rollout, verify, use as the
//! application, and back. Nobody writes SQL on the way, and after it the catalog is what it was.
#![allow(clippy::unwrap_used)] // in the helpers of tests too

mod application;
mod journey;

use journey::{Journey, Verdict};
use tenancy_config::environment;

/// What a team says of a schema, and what it must be told.
struct Case<'a> {
    /// The tables with their rows, made by their owner.
    schema: &'a str,
    /// Options of `init` beside the URLs: the answers to its questions.
    answers: &'static [&'static str],
    /// What people declare in `tenancy.toml`, in addition to what `init` writes.
    declared: &'static str,
    /// Options of the rollout.
    rollout: &'static [&'static str],
    /// Tables whose rows all go to one tenant if nothing tells theirs, each with the slug of that tenant.
    rest_to: &'static [(&'static str, &'static str)],
    /// How the proof ends.
    verdict: Verdict,
}

const PLAIN: Case<'static> =
    Case { schema: "", answers: &[], declared: "", rollout: &[], rest_to: &[], verdict: Verdict::Proven };

impl Case<'_> {
    /// What people must know and say on the way.
    fn decisions(&self) -> usize {
        let declared = self.declared.lines().filter(|line| line.contains(" = ")).count();
        self.answers.len() / 2 + declared + self.rollout.len() + self.rest_to.len()
    }
}

async fn there_and_back(case: Case<'_>) {
    assert!(case.decisions() <= 7, "nobody is asked more than seven questions");
    let journey = Journey::begin(case.schema).await;
    journey.init(case.answers).await;
    journey.declare(case.declared);
    journey.doctor();
    journey.assign_tenants(case.rest_to);
    let before = journey.catalog().await;
    journey.roll_out(case.rollout);
    journey.verify(&case.verdict);
    application::sees_its_own_rows_only(&journey).await;
    journey.roll_back();
    assert_eq!(journey.catalog().await, before, "the catalog is not what it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn uuid_keys_of_organizations() {
    there_and_back(Case { schema: include_str!("schemas/clinics.sql"), ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bigint_keys_of_workspaces_that_have_a_state() {
    there_and_back(Case { schema: include_str!("schemas/boards.sql"), ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_keys_of_accounts_beside_bank_accounts_and_a_ledger_that_is_only_added_to_and_that_support_reads() {
    let declared = "[tables.ledger_entries]\nallow_policies = { support_reads = \"the support team has a login of its own\" }\n\
                    on_delete = \"restrict\"\n";
    there_and_back(Case { schema: include_str!("schemas/ledger.sql"), declared, ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn varchar_keys_that_lead_every_composite_key() {
    let answers = &["--tenant-table", "schools"];
    there_and_back(Case { schema: include_str!("schemas/schools.sql"), answers, ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_partitioned_by_time() {
    there_and_back(Case { schema: include_str!("schemas/readings.sql"), ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_in_several_schemas() {
    there_and_back(Case { schema: include_str!("schemas/several.sql"), ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn soft_deletes_below_a_view_and_tenants_that_are_archived() {
    there_and_back(Case { schema: include_str!("schemas/notes.sql"), ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_that_every_tenant_reads_and_audit_rows_of_the_platform() {
    let declared = "[tables.templates]\nshared_rows = \"global templates are for everybody\"\n\n\
                    [tables.audit_log]\nplatform_rows = true\n";
    there_and_back(Case { schema: include_str!("schemas/templates.sql"), declared, ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_of_another_tool_with_another_variable() {
    there_and_back(Case { schema: include_str!("schemas/policies.sql"), ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_of_a_token_in_policies_of_several_hands() {
    there_and_back(Case { schema: include_str!("schemas/claims.sql"), ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_tables() {
    let tables = environment::text("SCHEMA_TABLES").unwrap().unwrap_or_else(|| "12".to_owned());
    let schema = include_str!("schemas/many.sql").replace("1..300", &format!("1..{tables}"));
    there_and_back(Case { schema: &schema, ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_function_that_reads_before_a_tenant_is_known() {
    there_and_back(Case { schema: include_str!("schemas/sign_in.sql"), ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_columns_without_a_table_of_tenants() {
    there_and_back(Case { schema: include_str!("schemas/nobody.sql"), ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tables_that_hang_on_others_at_once() {
    let answers = &["--tenant-table", "shops"];
    let rollout = &["--add-columns"];
    there_and_back(Case { schema: include_str!("schemas/hanging.sql"), answers, rollout, ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_hang_on_their_order() {
    let declared = "[tables.order_lines]\nthrough = { column = \"order_id\", table = \"orders\" }\n";
    let answers = &["--tenant-table", "shops"];
    there_and_back(Case { schema: include_str!("schemas/lines.sql"), answers, declared, ..PLAIN }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_get_a_tenant_column_from_their_order() {
    let declared = "[tables.order_lines]\nadd_column = { through = \"order_id\", table = \"orders\" }\n";
    let answers = &["--tenant-table", "shops"];
    there_and_back(Case { schema: include_str!("schemas/lines.sql"), answers, declared, ..PLAIN }).await;
}
