//! Rights on views that pass DELETE or UPDATE on to the table behind them, through other views too.

use super::facts::{Facts, Held, RelationFacts};
use super::object::Privilege;

/// A right on a view, and what it reaches.
#[derive(Debug, Clone)]
pub(crate) struct Passed<'a> {
    /// The role that has the right.
    pub(crate) role: &'a str,
    /// The view.
    pub(crate) view: &'a RelationFacts,
    /// The views between it and the table.
    between: Vec<&'a RelationFacts>,
    /// The table whose rows are deleted or changed.
    pub(crate) table: &'a RelationFacts,
    /// Of UPDATE: the columns of the view that the role may change, as a statement has them, each with the column of the table that it changes.
    pub(crate) columns: Vec<(&'a str, i16)>,
}

impl Passed<'_> {
    /// What lies between the view and the table's keys, for people.
    pub(crate) fn chain(&self) -> Vec<String> {
        let views = self.between.iter().map(|view| format!("the view {}", view.name));
        views.chain([format!("the table {}", self.table.name)]).collect()
    }

    /// The definitions of the views.
    pub(crate) fn definitions(&self, facts: &Facts) -> Vec<String> {
        let views = [self.view].into_iter().chain(self.between.iter().copied());
        let of = |view: &RelationFacts| Some(format!("{} {}", view.name, facts.passing.get(&view.id)?.definition));
        views.filter_map(of).collect()
    }
}

/// Whether somebody has DELETE or UPDATE.
pub(crate) fn has(privilege: Privilege, held: &Held) -> bool {
    match privilege {
        Privilege::Update => held.updates,
        Privilege::Delete => held.deletes,
        _ => false,
    }
}

/// Every right of the login's to DELETE or UPDATE that a view passes on to a table, by view, first that of the first of its roles.
pub(crate) fn passed_to(facts: &Facts, privilege: Privilege) -> impl Iterator<Item = Passed<'_>> {
    let views = facts.passing.keys().filter_map(|id| facts.relations.get(id));
    views.flat_map(move |view| {
        let rights = facts.rights.get(&view.id).into_iter().flatten();
        let rights = rights.filter(move |held| held.in_sight && has(privilege, held));
        rights.filter_map(move |held| passed(facts, view, privilege, &held.role))
    })
}

fn passed<'a>(facts: &'a Facts, view: &'a RelationFacts, privilege: Privilege, role: &'a str) -> Option<Passed<'a>> {
    let of_role = |roles: &[String]| roles.iter().any(|of| of == role);
    let own = facts.passing.get(&view.id)?.columns.iter().filter(|column| of_role(&column.holders));
    let mut columns: Vec<(&str, i16)> = own.map(|column| (column.printed.as_str(), column.number)).collect();
    let (mut at, mut between) = (view, Vec::new());
    while let Some(passing) = facts.passing.get(&at.id) {
        let behind = |(printed, number): (&'a str, i16)| {
            let columns = passing.columns.iter().filter(move |c| c.number == number && of_role(&c.passes_for));
            columns.map(move |column| (printed, column.behind))
        };
        columns = columns.into_iter().flat_map(behind).collect();
        let goes_on = if privilege == Privilege::Update { !columns.is_empty() } else { of_role(&passing.deletes_for) };
        at = facts.relations.get(&passing.base).filter(|_| goes_on)?;
        // Somebody can replace a view by one over itself.
        if at.id == view.id || between.iter().any(|known: &&RelationFacts| known.id == at.id) {
            return None;
        }
        between.push(at);
    }
    let table = between.pop().filter(|table| ["r", "p"].contains(&table.kind.as_str()))?;
    Some(Passed { role, view, between, table, columns })
}
