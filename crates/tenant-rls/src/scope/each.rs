//! The scope that reads many tables, each by itself.

use sqlx::PgConnection;

use crate::access::{Access, ActingRole, Obstacle, Why};
use crate::connection::database::{Database, set_path};
use crate::connection::session::{PINNED_PATH, SearchPath};
use crate::connection::transaction::{Transaction, begin_read_only, can_act_as};
use crate::error::{Error, Result};
use crate::sql::template::Template;
use crate::sql::text::Sql;
use crate::visibility::{Visibility, examine, examine_each};

/// About how many tables one statement asks, so that it ends within its time limit.
const TABLES_AT_ONCE: usize = 200;

/// Who reads a table, together with those that the same statement reads: the first role that sees every row of all of them.
#[derive(Debug, Clone)]
pub struct EachReader {
    access: Vec<Access>,
    found: std::result::Result<Reader, Vec<Obstacle>>,
}

#[derive(Debug, Clone)]
struct Reader {
    role: ActingRole,
    by_policy: bool,
}

impl EachReader {
    /// Finds the reader of each of `wanted` among `candidates`. Each role is asked once about all of them.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made. [`Error::Query`]: the catalog cannot be read. What hides rows of one table is kept with
    /// that table.
    pub async fn of_each(
        database: &Database,
        wanted: Vec<Vec<Access>>,
        candidates: &[ActingRole],
    ) -> Result<Vec<Self>> {
        let undecided = |access| Self { access, found: Err(Vec::new()) };
        let mut readers: Vec<Self> = wanted.into_iter().map(undecided).collect();
        for role in candidates {
            let mut left: Vec<&mut Self> = readers.iter_mut().filter(|reader| reader.found.is_err()).collect();
            if left.is_empty() {
                break;
            }
            let mut transaction = begin_read_only(database).await?;
            if !can_act_as(transaction.connection(), role).await? {
                transaction.rollback().await?;
                for reader in left {
                    reader.add(role, Visibility::of_obstacle(role, Why::CannotAssume));
                }
                continue;
            }
            let asked: Vec<Access> = left.iter().flat_map(|reader| reader.access.iter().cloned()).collect();
            let mut seen = Vec::with_capacity(asked.len());
            for part in asked.chunks(TABLES_AT_ONCE) {
                seen.extend(examine_each(transaction.connection(), role, part).await?);
            }
            transaction.rollback().await?;
            let mut seen = seen.into_iter();
            for reader in &mut left {
                let of_reader = seen.by_ref().take(reader.access.len());
                let all = of_reader.fold(Visibility::default(), Visibility::and);
                reader.add(role, all);
            }
        }
        Ok(readers)
    }

    fn add(&mut self, role: &ActingRole, visibility: Visibility) {
        let Err(obstacles) = &mut self.found else { return };
        if visibility.obstacles.is_empty() {
            self.found = Ok(Reader { role: role.clone(), by_policy: visibility.by_policy });
        } else {
            obstacles.extend(visibility.obstacles);
        }
    }
}

/// One read-only transaction that reads many tables, each by itself in a savepoint, as a role that sees every row of it. What fails for one
/// table is that table's error; the others go on. Each statement has a snapshot of its own, and no lock outlives its table.
pub struct EachTx {
    transaction: Transaction,
    database: Database,
    entered: bool,
}

impl EachTx {
    /// Opens the transaction. Limits of `database` hold for each statement.
    ///
    /// # Errors
    /// [`Error::Connect`]: no connection can be made. [`Error::Query`]: a statement fails.
    pub async fn begin(database: &Database) -> Result<Self> {
        let begin = Sql::from_static("BEGIN READ ONLY");
        let transaction = Transaction::begin(database, begin, SearchPath::Application).await?;
        Ok(Self { transaction, database: database.clone(), entered: false })
    }

    /// Leaves the table before, also after an error, and becomes the reader of the next one. Names resolve to the application's path, so
    /// statements must write each name with its schema.
    ///
    /// # Errors
    /// [`Error::CannotSee`]: no role sees every row of this table. [`Error::Query`]: a lock is not to be had in time, or the connection is lost.
    pub async fn enter(&mut self, reader: &EachReader) -> Result<&mut PgConnection> {
        let Reader { role, by_policy } = reader.found.as_ref().map_err(|found| Error::CannotSee(found.clone()))?;
        let leave = if self.entered { "ROLLBACK TO SAVEPOINT one_table" } else { "SAVEPOINT one_table" };
        let mut parts = vec![Sql::from_static(leave)];
        self.entered = true;
        if let ActingRole::Assumed(role) = role {
            parts.push(Template::new("SET LOCAL ROLE :\"role\"").ident("role", role).build());
        }
        if !by_policy {
            // From here on, hiding rows is an error.
            parts.push(Sql::from_static("SET LOCAL row_security = off"));
            self.send(parts).await?;
            return Ok(self.transaction.connection());
        }
        // Under these locks no policy changes, so that what is examined now holds for the statements that follow.
        let lock = |need: &Access| Template::new("SELECT FROM :\"table\" LIMIT 0").table("table", &need.table).build();
        parts.extend(reader.access.iter().map(lock));
        parts.push(set_path(PINNED_PATH));
        self.send(parts).await?;
        let visibility = examine(self.transaction.connection(), role, &reader.access).await?;
        if !visibility.obstacles.is_empty() {
            return Err(Error::CannotSee(visibility.obstacles));
        }
        self.send(vec![set_path(self.database.application_path())]).await?;
        Ok(self.transaction.connection())
    }

    async fn send(&mut self, parts: Vec<Sql>) -> Result<()> {
        let message = sqlx::raw_sql(Sql::join(parts, ";\n"));
        let sent = sqlx::Executor::execute(self.transaction.connection(), message).await;
        sent.map_err(Error::query("becoming a role that sees every row"))?;
        Ok(())
    }

    /// Ends the transaction.
    ///
    /// # Errors
    /// [`Error::Query`]: the connection is lost.
    pub async fn close(self) -> Result<()> {
        self.transaction.rollback().await
    }
}
