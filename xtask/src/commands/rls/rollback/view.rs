//! The report of a rollback: the definitions that were restored.

use rls_rollout::{AlsoTakenBack, BornClosedBack, LoginsBack, RollbackReport};

use crate::document::block::{Document, Table, lines, number, text};
use crate::document::report::Report;
use crate::number_format::{count, counted};

impl Report for RollbackReport {
    const NAME: &'static str = "rls rollback";
    const SCHEMA: Option<&'static str> = None;

    fn document(&self) -> Document {
        let gone = self.gone.iter();
        let gone = gone.map(|table| format!("{table} is gone, dropped or renamed: nothing of it was restored."));
        let gone = gone.chain(self.born_closed.map(|back| born_closed(back).to_owned()));
        let gone = gone.chain(self.logins.as_ref().map(logins));
        let gone = gone.chain(self.also.iter().map(|also| would_go(*also).to_owned()));
        if self.tables.is_empty() {
            let none = (self.born_closed.is_none() && self.logins.is_none() && self.also.is_empty())
                .then(|| "No step was left to take back.".to_owned());
            return Document::new([lines(gone.chain(none))]);
        }
        if self.dry_run {
            return planned(self, gone.collect());
        }
        let rows = self.tables.iter().map(|restored| {
            let phase = restored.phase.map_or_else(|| "not a tenant table".to_owned(), |phase| phase.to_string());
            vec![restored.table.to_string(), count(restored.restored as u64), phase]
        });
        let tables = counted(self.tables.len() as u64, "table", "tables");
        let end = if self.stopped {
            "Stopped; the same command goes on from here."
        } else {
            "The roles, their USAGE on schemas, and the schema tenant_ops stay."
        };
        let dropped = self.tables.iter().filter_map(|table| {
            let column = table.dropped_column.as_ref()?;
            Some(format!(
                "{}: the column {column} that a rollout had added is dropped, and what a backfill had put there; the rows to which its rows \
                 point tell the same.",
                table.table
            ))
        });
        let columns = [text("table"), number("definitions restored"), text("is")];
        let restored = format!("Restored {tables}. {end}");
        Document::new([Table::new(columns, rows).into(), lines(gone.chain(dropped).chain([restored]))])
    }
}

/// What a dry run found.
fn planned(report: &RollbackReport, also: Vec<String>) -> Document {
    let rows = report.tables.iter().map(|table| {
        let dropped = table.dropped_column.clone().unwrap_or_default();
        vec![table.table.to_string(), count(table.restored as u64), dropped]
    });
    let columns = [text("table"), number("definitions to restore"), text("column to drop")];
    let tables = counted(report.tables.len() as u64, "table", "tables");
    let end = format!("A rollback would restore {tables}. Nothing was written.");
    Document::new([Table::new(columns, rows).into(), lines(also.into_iter().chain([end]))])
}

fn would_go(also: AlsoTakenBack) -> &'static str {
    match also {
        AlsoTakenBack::BornClosed => {
            "The event trigger that closes new tables would be as it was before, if this login may change it."
        }
        AlsoTakenBack::Logins => {
            "The declared logins would have what they had before, and a role that a rollout made would be dropped, if nothing else depends on it."
        }
    }
}

fn logins(back: &LoginsBack) -> String {
    match back {
        LoginsBack::Restored { dropped } if dropped.is_empty() => {
            "The declared logins have what they had before.".to_owned()
        }
        LoginsBack::Restored { dropped } => match &dropped[..] {
            [role] => format!("The login {role}, which a rollout had made, is dropped."),
            roles => format!("The logins {}, which rollouts had made, are dropped.", roles.join(", ")),
        },
        LoginsBack::Kept { role, message } => format!(
            "The login {role} stays, as the server said: {message}. Take that away, and run the same command again as a role that may drop it. \
             Until then the other declared logins stay, too."
        ),
    }
}

fn born_closed(back: BornClosedBack) -> &'static str {
    match back {
        BornClosedBack::Restored => "The event trigger that closes new tables is as it was before.",
        BornClosedBack::NotAllowed => {
            "The event trigger that closes new tables stays, as this login may not drop it: run the same command as its owner or as a superuser."
        }
        BornClosedBack::Changed => {
            "The event trigger that closes new tables stays, as somebody changed it since: drop it by hand, or make it again first."
        }
    }
}
