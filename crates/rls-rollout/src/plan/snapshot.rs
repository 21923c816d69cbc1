//! The definitions of the tables before a rollout, each as a script that can be kept elsewhere than the journal.

use std::fmt::Write as _;

use tenancy_config::{CommandRef, TableName, Tenancy};
use tenant_inventory::{Aspect, AspectKind, Definition, Phase, Relation, RelationKind};
use tenant_rls::{Database, Sql, Template};

use crate::error::Result;
use crate::options::{Goal, RolloutOptions};
use crate::plan::alter;
use crate::plan::script::{one_line, statement_text};
use crate::plan::unseen::show_unseen;
use crate::state::RolloutState;

/// The definition of one table, as a script for psql.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The table, or a partition of one.
    pub table: TableName,
    /// Name of its file; no two tables have the same.
    pub file: String,
    /// The script. Safe to run twice.
    pub script: String,
}

/// Reads the definitions of the tables that a rollout would touch; it writes nothing.
///
/// # Errors
/// [`crate::Error::Database`].
pub async fn snapshots(database: &Database, tenancy: &Tenancy, options: &RolloutOptions) -> Result<Vec<Snapshot>> {
    let state = RolloutState::for_rollout(database, tenancy, options).await?;
    let goal = match options.goal {
        // They get rights and policies, on their own tables.
        Goal::Logins => None,
        Goal::Phase(phase) => Some(phase),
        Goal::Auto => Some(Phase::Enforce),
    };
    let is_touched = |relation: &Relation| match goal {
        Some(goal) => state.inventory.phase(relation) < goal,
        None => {
            let mut logins = state.inventory.declared_logins.iter();
            logins.any(|login| login.tables.iter().any(|declared| declared.table == relation.name))
        }
    };
    let relations = state.inventory.relations.iter();
    let touched = relations.filter(|relation| relation.kind != RelationKind::ForeignPartition && is_touched(relation));
    touched.map(|relation| snapshot(&database.session().database, relation)).collect()
}

fn snapshot(database: &str, relation: &Relation) -> Result<Snapshot> {
    let table = &relation.name;
    let mut script = String::new();
    // Writing to a String cannot fail.
    let _ = write_script(&mut script, database, relation, &statements(table, relation)?);
    let file = format!("{}.{}.sql", escaped(table.schema().as_str()), escaped(table.name().as_str()));
    Ok(Snapshot { table: table.clone(), file, script: show_unseen(&script) })
}

fn write_script(out: &mut String, database: &str, relation: &Relation, statements: &[Sql]) -> std::fmt::Result {
    writeln!(
        out,
        "-- What a rollout may change of {} in database {}, as it was before one.",
        one_line(&relation.name.to_string()),
        one_line(database)
    )?;
    writeln!(
        out,
        "-- It makes again what is lost. What a rollout added, `{}` takes away. Run it with psql, at a quiet hour:",
        CommandRef::RlsRollback
    )?;
    writeln!(out, "-- a constraint is proven and an index is built under a lock.")?;
    let begin = Sql::from_static(include_str!("../../../../sql/rls-rollout/begin_snapshot.sql"));
    writeln!(out, "{}", statement_text(&begin))?;
    for statement in statements {
        writeln!(out, "{};", statement.as_str())?;
    }
    writeln!(out, "COMMIT;")
}

/// The statements that make a definition, whatever part of it is there. They also switch flags off that were off.
fn statements(table: &TableName, relation: &Relation) -> Result<Vec<Sql>> {
    let column = &relation.comparison.column;
    let definition: &Definition = &relation.definition;
    let mut out = Vec::new();
    for kind in [AspectKind::RowSecurity, AspectKind::Forced, AspectKind::Default, AspectKind::NotNull] {
        let aspect = Aspect::only(kind);
        out.extend(alter::statements(table, column, &aspect, None, definition.get(&aspect))?);
    }
    for (aspect, text) in definition.iter() {
        let name = || tenancy_config::Ident::new(&aspect.name);
        match aspect.kind {
            AspectKind::Policy => {
                let drop = Template::new("DROP POLICY IF EXISTS :\"name\" ON :\"table\"");
                out.push(drop.table("table", table).ident("name", &name()?).build());
            }
            AspectKind::Constraint => {
                let drop = Template::new("ALTER TABLE :\"table\" DROP CONSTRAINT IF EXISTS :\"name\"");
                out.push(drop.table("table", table).ident("name", &name()?).build());
            }
            AspectKind::Index if !text.starts_with("INVALID ") => {
                // There is no name between CREATE and INDEX, so the first INDEX is the keyword.
                out.push(Sql::from_catalog(text.replacen(" INDEX ", " INDEX IF NOT EXISTS ", 1)));
            }
            AspectKind::Grant | AspectKind::PolicyComment | AspectKind::ConstraintComment => {}
            _ => continue,
        }
        out.extend(alter::statements(table, column, aspect, None, Some(text))?);
    }
    Ok(out)
}

/// A name that every file system accepts, and that is different for each name.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leaves_its_folder_in_no_way() {
        assert_eq!(escaped("../a.b/%"), "%2E%2E%2Fa%2Eb%2F%25");
        assert_eq!(escaped("ServiceRequest"), "ServiceRequest");
    }
}
