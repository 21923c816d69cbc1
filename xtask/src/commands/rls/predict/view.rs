//! The report of `rls predict`: what happens to which statement, which indexes are lost, and what helps.

use std::collections::BTreeMap;

use rls_predict::{Change, LostIndex, Origin, PlanNode, PlanSummary, PlannedAs, PredictReport, Prediction, Statement};
use tenancy_config::Hint;

use crate::document::block::{Block, Document, List, Table, lines, number, text};
use crate::document::report::Report;
use crate::number_format::{count, counted};

/// How many characters of a statement stand in a table.
const SHORT: usize = 72;

/// How many plans are shown.
const PLANS: usize = 10;

impl Report for PredictReport {
    const NAME: &'static str = "rls predict";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let rows = self.predictions.iter().map(row);
        let columns =
            [text("statement"), text("fingerprint"), text("from"), text("with policies"), number("cost"), text("text")];
        let mut document = Document::default();
        if !self.predictions.is_empty() {
            document.push(Table::new(columns, rows));
        }
        let parts = [
            List::new("Statements in full:", in_full(self)),
            List::new("Searches that are lost:", lost(&self.predictions)),
            List::steps("What helps:", remedies(&self.predictions)),
            List::new("Plans:", self.predictions.iter().filter_map(plans).take(PLANS)),
            List::new("Not planned:", not_planned(self)),
            List::new("Tables whose policies were not tried:", not_tried(self)),
            List::new("Tables that something stops on the way:", stopped(self)),
            List::new("Beside the statements:", self.effects.iter().map(ToString::to_string)),
        ];
        document.extend(parts.into_iter().filter_map(List::unless_empty));
        document.push(conclusion(self));
        document
    }
}

fn row(prediction: &Prediction) -> Vec<String> {
    let (what, cost) = match &prediction.change {
        Change::CopyInFails { table } => (format!("COPY into {table} fails"), String::new()),
        Change::CopyOutFiltered { table } => (format!("COPY out of {table} has one tenant's rows"), String::new()),
        Change::RowSecurityOff => ("statements after it fail".to_owned(), String::new()),
        Change::PlanFails { failure } => (format!("fails: {failure}"), String::new()),
        Change::LosesIndex { lost, at_most, .. } => {
            (indexes(lost), at_most.map_or("not estimated".to_owned(), |most| format!("up to about {}", times(most))))
        }
        Change::Replanned { ratio, lost, .. } => {
            let what = if lost.is_empty() { "another plan".to_owned() } else { indexes(lost) };
            (what, times(*ratio))
        }
    };
    let Prediction { number, statement, fingerprint, .. } = prediction;
    vec![number.to_string(), fingerprint.clone(), statement.origin.to_string(), what, cost, short(statement)]
}

fn times(ratio: f64) -> String {
    if ratio < 100.0 { format!("{ratio:.1}x") } else { format!("{}x", count(ratio.round() as u64)) }
}

fn indexes(lost: &[LostIndex]) -> String {
    let mut names: Vec<&str> = lost.iter().map(|lost| lost.index.as_str()).collect();
    names.dedup();
    format!("cannot search {}", names.join(", "))
}

/// The beginning of a statement.
fn short(statement: &Statement) -> String {
    let words = statement.text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

/// The statements that do not stand whole in the table, and what was planned in the place of a statement.
fn in_full(report: &PredictReport) -> impl Iterator<Item = String> {
    let is_cut = |prediction: &&Prediction| short(&prediction.statement) != prediction.statement.text;
    let cut = report.predictions.iter().filter(is_cut);
    let cut = cut.map(|prediction| format!("{}: {}", prediction.number, prediction.statement.text));
    let other = report.predictions.iter();
    cut.chain(other.filter_map(|one| Some(format!("{}, planned as: {}", one.number, one.planned_as.as_ref()?))))
}

fn of(change: &Change) -> &[LostIndex] {
    match change {
        Change::LosesIndex { lost, .. } | Change::Replanned { lost, .. } => lost,
        _ => &[],
    }
}

/// Each search once, with the statements that make it.
fn lost(predictions: &[Prediction]) -> Vec<String> {
    let mut all: BTreeMap<(String, &str, &str), (&LostIndex, Vec<usize>)> = BTreeMap::new();
    for prediction in predictions {
        for lost in of(&prediction.change) {
            let key = (lost.table.to_string(), lost.index.as_str(), lost.condition.as_str());
            all.entry(key).or_insert((lost, Vec::new())).1.push(prediction.number);
        }
    }
    let told = all.into_values().map(|(lost, mut numbers)| {
        numbers.sort_unstable();
        numbers.dedup();
        let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
        let verb = if lost.not_leakproof.len() == 1 { "is" } else { "are" };
        let narrowed = if lost.still_narrowed { "; it is still searched for the tenant" } else { "" };
        format!(
            "{} of {} for {}: {} {verb} not leakproof{narrowed} (statement {})",
            lost.index,
            lost.table,
            lost.condition,
            lost.not_leakproof.join(" and "),
            numbers.join(", ")
        )
    });
    told.collect()
}

fn remedies(predictions: &[Prediction]) -> Vec<String> {
    let mut all: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    for lost in predictions.iter().filter(|prediction| prediction.counts).flat_map(|prediction| of(&prediction.change))
    {
        for remedy in &lost.remedies {
            let indexes = all.entry((lost.table.to_string(), remedy.to_string())).or_default();
            if !indexes.contains(&lost.index.as_str()) {
                indexes.push(&lost.index);
            }
        }
    }
    all.into_iter().map(|((table, remedy), indexes)| format!("{table} ({}): {remedy}", indexes.join(", "))).collect()
}

fn plans(prediction: &Prediction) -> Option<String> {
    let Change::Replanned { before, after, .. } = &prediction.change else { return None };
    let plan = |plan: &PlanSummary| {
        let nodes: Vec<String> = plan.nodes.iter().map(node).collect();
        format!("{} ({:.0})", nodes.join(", "), plan.cost)
    };
    Some(format!("{}: {} → {}", prediction.number, plan(before), plan(after)))
}

fn node(node: &PlanNode) -> String {
    match &node.index {
        Some(index) => format!("{} {index}", node.node),
        None => format!("{} {}", node.node, node.table),
    }
}

fn not_planned(report: &PredictReport) -> impl Iterator<Item = String> {
    report
        .not_planned
        .iter()
        .map(|one| format!("{} ({}): {}: {}", one.number, one.statement.origin, one.why, short(&one.statement)))
}

fn not_tried(report: &PredictReport) -> impl Iterator<Item = String> {
    let tables = report.tables.iter();
    tables.filter_map(|table| Some(format!("{}: {}", table.table, table.not_tried.as_ref()?)))
}

fn stopped(report: &PredictReport) -> impl Iterator<Item = String> {
    let tables = report.tables.iter().filter(|table| !table.stopped_by.is_empty());
    tables.map(|table| format!("{}: {}", table.table, rls_rollout::sentences(&table.stopped_by)))
}

fn conclusion(report: &PredictReport) -> Block {
    let planned = counted(report.planned as u64, "statement was planned", "statements were planned");
    let who = match &report.planned_as {
        PlannedAs::Login { role } => format!("as {role}"),
        PlannedAs::Acting { login, role } => format!("as {role}, as which {login} acted"),
        PlannedAs::Instead { login, role } => format!("as {login}, which may not act as {role}"),
    };
    let whose = match &report.statements_of {
        Some(login) => format!(", of those that {login} ran"),
        None if report.predictions.iter().any(|one| matches!(one.statement.origin, Origin::Server { .. })) => {
            ", of those that all roles ran".to_owned()
        }
        None => String::new(),
    };
    let how = match (report.tried, &report.tenant) {
        (false, _) => {
            "Judged by the catalog alone: what policies themselves cost is not in it; --try plans behind them."
                .to_owned()
        }
        (true, Some(tenant)) => {
            format!("Planned before and behind the policies, as the tenant {tenant}. Nothing was kept.")
        }
        (true, None) => {
            "Planned before and behind the policies, as no tenant, since none with rows was found. Nothing was kept."
                .to_owned()
        }
    };
    let worse = report.predictions.iter().filter(|prediction| prediction.counts).count() as u64;
    let verdict = match worse {
        0 => Hint::from(format!(
            "No planned statement fails or gets more than {} times as expensive.",
            report.slower_than
        )),
        worse => {
            let worse = counted(worse, "statement fails or may get", "statements fail or may get");
            format!("{worse} more than {} times as expensive.", report.slower_than).into()
        }
    };
    lines([Hint::from(format!("{planned} of {}, {who}{whose}.", report.statements)), how.into(), verdict])
}
