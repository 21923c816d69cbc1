//! The report of a rollback: the definitions that were restored.

use rls_rollout::RollbackReport;

use crate::document::report::Report;
use crate::document::text::{line, table};
use crate::number_format::{count, counted};

impl Report for RollbackReport {
    const NAME: &'static str = "rls rollback";
    const SCHEMA: Option<&'static str> = None;

    fn table(&self) -> String {
        let gone: String = self
            .gone
            .iter()
            .map(|table| line(format!("{table} is gone, dropped or renamed: nothing of it was restored.")))
            .collect();
        if self.tables.is_empty() {
            return format!("{gone}Nothing was left to take back.\n");
        }
        let rows = self.tables.iter().map(|restored| {
            let phase = restored.phase.map_or_else(|| "not a tenant table".to_owned(), |phase| phase.to_string());
            vec![restored.table.to_string(), count(restored.restored as u64), phase]
        });
        let tables = counted(self.tables.len() as u64, "table", "tables");
        let end = if self.stopped {
            "Stopped; the same command goes on from here."
        } else {
            "The roles and the schema tenant_ops stay."
        };
        format!("{}\n{gone}Restored {tables}. {end}\n", table(&["table", ">definitions restored", "is"], rows))
    }
}
