//! The report of `rls status`: the phase of each table, and what stops it.

use std::collections::BTreeSet;

use rls_rollout::{LoginFlow, LoginStatus, MembershipsFlow, Remedy, StatusReport, Stop, TableStatus};
use tenancy_config::tenancy::LoginPurpose;
use tenancy_config::{CommandRef, Hint};
use tenant_inventory::{BornClosed, Phase, RelationKind};

use crate::commands::rls::coverage::beside;
use crate::commands::rls::next;
use crate::document::block::{Cell, Document, Table, lines, text};
use crate::document::report::Report;

impl Report for StatusReport {
    const NAME: &'static str = "rls status";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let rows = self.tables.iter().map(|status| {
            let mut cells = row(status).map(Cell::from);
            cells[0].depth = usize::from(status.kind == RelationKind::Partition);
            cells
        });
        let mut said = vec![match &self.audited_as {
            Some(role) => format!("Audited as {role}, which sees every row."),
            None => "No role of this login sees every row of every table: an audit counts the tables that one sees, and names the others."
                .to_owned(),
        }];
        if !self.app_role_exists {
            said.push(format!("There is no role {}, as which the application is said to log in.", self.app_role));
        } else if self.app_role_escapes.is_empty() {
            said.push(format!("The application logs in as {}, which policies filter.", self.app_role));
        }
        said.extend(self.app_role_escapes.iter().map(|escape| {
            format!("The application logs in as {} and is or can become unfiltered: {escape}.", self.app_role)
        }));
        said.extend(self.application_owns.as_ref().map(|notice| format!("Where it owns tables: {notice}.")));
        said.extend(self.born_closed.as_ref().map(|born_closed| format!("Note: {born_closed}.")));
        if self.born_closed_lost {
            let lost = format!("lost since the rollout: the event trigger {}", BornClosed::TRIGGER);
            said.push(format!(
                "New tables are not born closed; {lost}. `{}` makes it again.",
                CommandRef::RlsBornClosed
            ));
        }
        said.extend(self.logins.iter().flat_map(login));
        said.extend(self.left.iter().map(|left| format!("Left over: {left}.")));
        said.extend(self.ways_around.iter().map(|way| format!("Past the policies: {way}.")));
        let columns = ["table", "phase", "RLS", "policies", "in the way"].map(text);
        let mut document = Document::new([Table::new(columns, rows).into(), lines(said)]);
        document.extend(beside(&self.coverage));
        document.push(lines(next(self)));
        document
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        let rows = self.tables.iter().map(|status| row(status).to_vec());
        Some((vec!["table", "phase", "row_security", "policies", "in_the_way"], rows.collect()))
    }
}

/// What a declared login can do without a tenant, and what is not as it is declared.
fn login(status: &LoginStatus) -> impl Iterator<Item = String> {
    let purpose = match &status.purpose {
        LoginPurpose::SignIn => "Sign-in".to_owned(),
        LoginPurpose::Job { job } => format!("The job {job}"),
    };
    let flow = {
        let purpose = purpose.clone();
        move |flow: &LoginFlow| {
            let rights: Vec<&str> = flow.rights.iter().map(|right| right.as_str()).collect();
            let covered = if flow.covered { "covered" } else { "not covered yet" };
            let open =
                if flow.open_to_app { " No policy keeps the application's own login from its rows." } else { "" };
            format!(
                "{purpose} as {}, {covered}: {} ({}): {}.{open}",
                status.role,
                flow.table,
                rights.join(", "),
                flow.why
            )
        }
    };
    let problems = status.problems.iter().map(move |problem| format!("{purpose}: {problem}; {}.", problem.hint()));
    let memberships = status.memberships.iter().map(|memberships| {
        let covered = if memberships.covered { "covered" } else { "not covered yet" };
        let MembershipsFlow { table, user, setting, why, .. } = memberships;
        format!("Memberships of a user, {covered}: {table}, where {user} is {setting}: {why}.")
    });
    status.flows.iter().map(flow).chain(memberships).chain(problems)
}

/// What takes the tables on from here.
fn next(report: &StatusReport) -> Vec<Hint> {
    let mut remedies: BTreeSet<Remedy> =
        report.tables.iter().flat_map(|table| &table.stopped_by).map(Stop::remedy).collect();
    if report.tables.iter().filter_map(|table| table.rows_without_tenant.as_ref()).any(|rows| !rows.none()) {
        remedies.insert(Remedy::Rows);
    }
    let rollout = Hint::run(CommandRef::RlsRollout);
    if !remedies.is_empty() {
        return next::for_stopped(remedies, &rollout).collect();
    }
    let next = if report.tables.iter().any(|table| !table.lost.is_empty()) {
        Hint::from("Next: ").then_hint(rollout).then(" puts back what was lost.")
    } else if let Some(lacks) = report.logins.iter().find(|login| {
        login.flows.iter().any(|flow| !flow.covered) || login.memberships.as_ref().is_some_and(|flow| !flow.covered)
    }) {
        Hint::from("Next: ").then_hint(rollout).then(format!(" gives {} what it lacks.", lacks.purpose))
    } else if !report.left.is_empty() {
        Hint::from("Next: ").then_hint(rollout).then(" takes away what is declared no more.")
    } else if report.born_closed_lost {
        Hint::from("Next: ").then_run(CommandRef::RlsBornClosed)
    } else if report.tables.iter().any(|table| table.phase == Phase::None) {
        Hint::from("Next: ").then_run(CommandRef::RlsPlanPrepare).then(" shows the first steps.")
    } else if report.tables.iter().any(|table| table.phase != Phase::Enforce) {
        Hint::from("Next: ").then_hint(rollout)
    } else {
        next::for_uncovered(&report.coverage).unwrap_or_else(next::verify)
    };
    vec![next]
}

fn row(status: &TableStatus) -> [String; 5] {
    let security = match (status.row_security, status.forced) {
        (false, _) => "off",
        (true, false) => "on",
        (true, true) => "forced",
    };
    let policies = status.policies.iter().map(|policy| {
        let narrows = if policy.permissive { "" } else { " (restrictive)" };
        let whose = if policy.ours { "" } else { " (not ours)" };
        format!("{}{whose}{narrows}", policy.name)
    });
    let foreign: Vec<String> = policies.filter(|text| text.contains('(')).collect();
    let ours = status.policies.iter().filter(|policy| policy.ours).count();
    let mut said = vec![format!("{ours} ours")];
    said.extend(foreign);
    let lost = (!status.lost.is_empty()).then(|| format!("lost since the rollout: {}", status.lost.join(", ")));
    let rows = status.rows_without_tenant.as_ref().filter(|rows| !rows.none());
    let rows = rows.map(|rows| format!("rows without a tenant: {rows}"));
    let in_the_way: Vec<String> = status.stopped_by.iter().map(ToString::to_string).chain(rows).chain(lost).collect();
    [status.table.to_string(), status.phase.to_string(), security.to_owned(), said.join(", "), in_the_way.join("; ")]
}
