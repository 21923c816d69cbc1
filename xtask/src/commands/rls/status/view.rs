//! The report of `rls status`: the phase of each table, and what stops it.

use rls_rollout::{StatusReport, TableStatus};
use tenant_inventory::RelationKind;

use crate::commands::rls::coverage::beside;
use crate::document::report::Report;
use crate::document::text::{line, table};

impl Report for StatusReport {
    const NAME: &'static str = "rls status";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
        let mut out = table(&["table", "phase", "RLS", "policies", "in the way"], self.tables.iter().map(row));
        out.push('\n');
        match &self.audited_as {
            Some(role) => out.push_str(&line(format!("Audited as {role}, which sees every row."))),
            None => out.push_str("No role of this login sees every row: an audit would refuse to count.\n"),
        }
        if !self.app_role_exists {
            out.push_str(&line(format!(
                "There is no role {}, as which the application is said to log in.",
                self.app_role
            )));
        } else if self.app_role_escapes.is_empty() {
            out.push_str(&line(format!("The application logs in as {}, which policies filter.", self.app_role)));
        }
        for escape in &self.app_role_escapes {
            out.push_str(&line(format!(
                "The application logs in as {} and is or can become unfiltered: {escape}.",
                self.app_role
            )));
        }
        for way in &self.ways_around {
            out.push_str(&line(format!(
                "The {} {} reads {} as {}, past the policies.",
                way.kind, way.name, way.tables, way.owner
            )));
        }
        out.push_str(&beside(&self.coverage));
        out
    }

    fn csv(&self) -> Option<(Vec<&'static str>, Vec<Vec<String>>)> {
        Some((vec!["table", "phase", "row_security", "policies", "in_the_way"], self.tables.iter().map(row).collect()))
    }
}

fn row(status: &TableStatus) -> Vec<String> {
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
    let in_the_way: Vec<String> = status.stopped_by.iter().map(ToString::to_string).chain(lost).collect();
    let partition = if status.kind == RelationKind::Partition { "  " } else { "" };
    vec![
        format!("{partition}{}", status.table),
        status.phase.to_string(),
        security.to_owned(),
        said.join(", "),
        in_the_way.join("; "),
    ]
}
