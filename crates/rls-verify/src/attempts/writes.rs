//! The attempts to write, each on a row that the same transaction inserted: a copy of a row of the tenant's own.

use serde_json::{Map, Value, json};
use sqlx::types::Json;
use tenancy_config::Ident;
use tenant_inventory::claim::attempt::AttemptKind;
use tenant_inventory::claim::breach::Whose;
use tenant_inventory::claim::examined::Attempt;
use tenant_inventory::claim::untried::Untried;
use tenant_rls::{ProbeSessions, ProbeTx, Sql, Template, VariableBefore};

use crate::attempts::outcome::{allowed, held, none_tried, not_tried, refused, unprepared};
use crate::attempts::rows::Rows;
use crate::attempts::{AttemptStatement, Attempts, attempt};
use crate::error::Result;

/// What is tried on a row that was inserted for it.
const ON_OWN_ROW: [AttemptKind; 5] = [
    AttemptKind::UpdateOwn,
    AttemptKind::UpdateAway,
    AttemptKind::UpdateOther,
    AttemptKind::DeleteOwn,
    AttemptKind::DeleteOther,
];

/// A transaction of attempts, and the two tenants that they are made with.
struct Trial<'a> {
    tx: ProbeTx,
    login: &'a str,
    own: String,
    other: String,
    /// The row that is copied.
    pattern: Value,
    statements: &'a Statements,
}

/// The statements of the attempts on one table.
struct Statements {
    copy: Sql,
    give: Sql,
    touch: Sql,
    delete: Sql,
}

impl Attempts<'_> {
    /// Tries to write. Where a key allows a tenant only one row, two tenants are made for the attempts, in the same transaction.
    pub(crate) async fn write(&self, sessions: &ProbeSessions) -> Result<Vec<Attempt>> {
        let login = &sessions.database().session().role;
        let writes = || AttemptKind::required().filter(|what| what.writes());
        let mut attempts = self.between_tenants(sessions, login).await?;
        attempts.extend(self.unqualified(sessions, login).await?);
        let because = attempts.iter().find_map(|attempt| attempt.evidence.untried().cloned());
        // A row without a tenant is everybody's under the bridge, which is a finding of its own.
        let because = because.unwrap_or(Untried::NoRows);
        let left = writes().filter(|what| !attempts.iter().any(|attempt| attempt.what == *what));
        let left = none_tried(left.collect::<Vec<_>>(), login, &because);
        Ok(attempts.into_iter().chain(left).collect())
    }

    /// Tries what one tenant may do to its own rows and to another's.
    async fn between_tenants(&self, sessions: &ProbeSessions, login: &str) -> Result<Vec<Attempt>> {
        let nothing = |because| Ok(vec![not_tried(AttemptKind::InsertOwn, login, because)]);
        let Some((own, keys)) = self.rows.tenants.first() else { return nothing(Untried::NoRows) };
        let mut tx = sessions.begin(true, VariableBefore::Any).await?;
        let pattern = match self.pattern(&mut tx, own, &keys[..1]).await? {
            Ok(pattern) => pattern,
            Err(because) => return nothing(because),
        };
        let statements = &self.statements();
        let there = match self.rows.tenants.get(1) {
            Some((other, _)) => {
                let (own, other, pattern) = (own.clone(), other.clone(), pattern.clone());
                self.between(Trial { tx, login, own, other, pattern, statements }).await?
            }
            None => vec![not_tried(AttemptKind::InsertOwn, login, Untried::OneTenant)],
        };
        let Some(why) = untried(&there, AttemptKind::InsertOwn) else { return Ok(there) };
        let mut tx = sessions.begin(true, VariableBefore::Any).await?;
        let made = match self.make_tenants_with_rows(&mut tx, own).await? {
            Ok(([own, other], rows)) => {
                // What its column holds in rows of these tenants is known now.
                let attempts = Attempts { rows: &rows, ..*self };
                attempts.between(Trial { tx, login, own, other, pattern, statements }).await?
            }
            Err(because) => {
                let message = format!("{why}; and no tenant could be made to try it with: {because}");
                vec![not_tried(AttemptKind::InsertOwn, login, Untried::Failed { message })]
            }
        };
        Ok(better(there, made))
    }

    /// Makes two tenants, and where the rows of the table depend on another one, a row for each there.
    async fn make_tenants_with_rows(
        &self,
        tx: &mut ProbeTx,
        like: &str,
    ) -> Result<Result<([String; 2], Rows), Untried>> {
        let made = match self.make_tenants(tx, like).await? {
            Ok(made) => made,
            Err(because) => return Ok(Err(because)),
        };
        let Some(parent) = &self.relation.comparison.parent else { return Ok(Ok((made, self.rows.clone()))) };
        let links = self.make_parents(tx, parent, like, &made).await?;
        Ok(links.map(|links| (made, self.rows.with_links(links))))
    }

    /// All attempts between two tenants.
    async fn between(&self, mut trial: Trial<'_>) -> Result<Vec<Attempt>> {
        let (own, other) = (trial.own.clone(), trial.other.clone());
        let mut attempts = vec![
            trial.copy(AttemptKind::InsertOther, &own, self.changes(0, Some(&other))).await?,
            trial.copy(AttemptKind::InsertUnset, "", self.changes(0, Some(&own))).await?,
        ];
        if !self.gives_without_tenant {
            attempts.push(trial.copy(AttemptKind::WriteWithoutTenant, &own, self.changes(0, None)).await?);
        }
        match self.insert(&mut trial, &own, self.changes(1, Some(&own))).await? {
            Ok(row) => {
                attempts.push(held(AttemptKind::InsertOwn, trial.login));
                attempts.extend(self.on_own_row(&mut trial, &row).await?);
            }
            Err(error) => {
                let insert = allowed(AttemptKind::InsertOwn, trial.login, Err(error));
                let rest = AttemptKind::ALL.into_iter().filter(|what| ON_OWN_ROW.contains(what));
                let because =
                    insert.evidence.untried().cloned().unwrap_or_else(|| Untried::Failed {
                        message: "no row could be inserted to try it on".to_owned(),
                    });
                attempts.push(insert);
                attempts.extend(none_tried(rest.collect::<Vec<_>>(), trial.login, &because));
            }
        }
        if self.relation.platform_rows {
            attempts.extend(self.on_platform_row(&mut trial).await?);
        }
        trial.tx.rollback().await?;
        Ok(attempts)
    }

    /// Tries what its tenant may do to the row that was just inserted, and what others may not.
    async fn on_own_row(&self, trial: &mut Trial<'_>, row: &Value) -> Result<Vec<Attempt>> {
        let (own, other, statements) = (trial.own.clone(), trial.other.clone(), trial.statements);
        let on_row = |statement| sqlx::query(statement).bind(Json(json!([row])));
        let mut attempts = vec![
            trial.allowed(AttemptKind::UpdateOwn, &own, on_row(&statements.touch)).await?,
            trial.allowed(AttemptKind::DeleteOwn, &own, on_row(&statements.delete)).await?,
            trial
                .refused(AttemptKind::UpdateAway, &own, on_row(&statements.give).bind(self.rows.of_tenant(&other)))
                .await?,
            trial.refused(AttemptKind::UpdateOther, &other, on_row(&statements.touch)).await?,
            trial.refused(AttemptKind::DeleteOther, &other, on_row(&statements.delete)).await?,
        ];
        if !self.gives_without_tenant {
            let to_nobody = on_row(&statements.give).bind(None::<String>);
            attempts.push(trial.refused(AttemptKind::WriteWithoutTenant, &own, to_nobody).await?);
        }
        Ok(attempts)
    }

    /// Tries to change a row of the platform as a tenant. The row is inserted where no tenant is set.
    async fn on_platform_row(&self, trial: &mut Trial<'_>) -> Result<Vec<Attempt>> {
        let row = match self.insert(trial, "", self.changes(2, None)).await? {
            Ok(row) => row,
            Err(error) => {
                return Ok(vec![not_tried(AttemptKind::WriteWithoutTenant, trial.login, unprepared(&error))]);
            }
        };
        let (own, statements) = (trial.own.clone(), trial.statements);
        let on_row = |statement| sqlx::query(statement).bind(Json(json!([row])));
        Ok(vec![
            trial.refused(AttemptKind::WriteWithoutTenant, &own, on_row(&statements.give).bind(&own)).await?,
            trial.refused(AttemptKind::WriteWithoutTenant, &own, on_row(&statements.touch)).await?,
            trial.refused(AttemptKind::WriteWithoutTenant, &own, on_row(&statements.delete)).await?,
        ])
    }

    /// Inserts a copy that stays until the transaction ends, and returns its key: the next attempts need a row that is there.
    async fn insert(&self, trial: &mut Trial<'_>, tenant: &str, changes: Value) -> Result<sqlx::Result<Value>> {
        trial.tx.set(tenant).await?;
        let insert = self.columns.insert_copy(&self.relation.name, Some(self.key.object()));
        let insert = sqlx::query_scalar(&insert).bind(Json(&trial.pattern)).bind(Json(changes));
        let inserted = insert.fetch_one(trial.tx.connection()).await;
        match inserted {
            Ok(_) => trial.tx.savepoint().await?,
            Err(_) => trial.tx.rollback_to().await?,
        }
        Ok(inserted)
    }

    /// A row to copy, as its own tenant sees it; else why there is none.
    async fn pattern(&self, tx: &mut ProbeTx, own: &str, keys: &[Value]) -> Result<Result<Value, Untried>> {
        let fetch = self.on_given(include_str!("../../../../sql/rls-verify/probe_pattern.sql")).build();
        tx.set(own).await?;
        let pattern = sqlx::query_scalar(&fetch).bind(Json(keys)).fetch_optional(tx.connection()).await;
        tx.rollback_to().await?;
        let unseen = || Untried::Failed { message: "the row to copy is not seen by its own tenant".to_owned() };
        Ok(pattern.map_err(|error| unprepared(&error)).and_then(|pattern| pattern.ok_or_else(unseen)))
    }

    /// Makes two tenants like one that is there, and returns their keys.
    async fn make_tenants(&self, tx: &mut ProbeTx, like: &str) -> Result<Result<[String; 2], Untried>> {
        let (table, columns) = self.tenants;
        if columns.has_triggers && !self.fire_triggers {
            return Ok(Err(Untried::TriggersWouldFire { table: table.to_string() }));
        }
        let key = Ident::new(&self.tenancy.tenant.key)?;
        let fetch = Template::new(include_str!("../../../../sql/rls-verify/tenant_pattern.sql"))
            .table("tenants", table)
            .ident("key", &key)
            .build();
        let insert =
            columns.insert_copy(table, Some(Template::new(r#":"key"::pg_catalog.text"#).ident("key", &key).build()));
        let made = async |tx: &mut ProbeTx| -> sqlx::Result<[String; 2]> {
            let pattern: Value = sqlx::query_scalar(&fetch).bind(like).fetch_one(tx.connection()).await?;
            let mut made = [String::new(), String::new()];
            for (number, tenant) in (1..).zip(&mut made) {
                let changes = Json(Value::from(columns.changes(number)));
                let insert = sqlx::query_scalar(&insert).bind(Json(&pattern)).bind(changes);
                *tenant = insert.fetch_one(tx.connection()).await?;
            }
            Ok(made)
        };
        match made(tx).await {
            Ok(made) => {
                tx.savepoint().await?;
                Ok(Ok(made))
            }
            Err(error) => Ok(Err(unprepared(&error))),
        }
    }

    /// The values in which the copy of this number differs from its pattern.
    fn changes(&self, number: u8, tenant: Option<&str>) -> Value {
        let mut changes: Map<String, Value> = self.columns.changes(number);
        let holds = tenant.map(|tenant| self.rows.of_tenant(tenant));
        changes.insert(self.relation.comparison.column.to_string(), json!(holds));
        changes.into()
    }

    fn statements(&self) -> Statements {
        let column = &self.relation.comparison.column;
        let give = self.on_given(include_str!("../../../../sql/rls-verify/probe_give.sql")).ident("column", column);
        let touch = self.on_given(include_str!("../../../../sql/rls-verify/probe_touch.sql")).ident("column", column);
        Statements {
            // No RETURNING: the policies for reading would then apply to the row too, and hide what those for writing let through.
            copy: self.columns.insert_copy(&self.relation.name, None),
            give: give.fragment("type", self.type_of_tenant()).build(),
            touch: touch.build(),
            delete: self.on_given(include_str!("../../../../sql/rls-verify/probe_delete.sql")).build(),
        }
    }
}

impl Trial<'_> {
    /// Tries to insert a copy as a tenant.
    async fn copy(&mut self, what: AttemptKind, tenant: &str, changes: Value) -> Result<Attempt> {
        let copy = sqlx::query(&self.statements.copy).bind(Json(self.pattern.clone())).bind(Json(changes));
        self.refused(what, tenant, copy).await
    }

    /// Tries as a tenant a statement that must be refused, or reach no row.
    async fn refused(&mut self, what: AttemptKind, tenant: &str, statement: AttemptStatement<'_>) -> Result<Attempt> {
        let done = attempt(&mut self.tx, Some(tenant), statement).await?;
        let whose = if what == AttemptKind::WriteWithoutTenant { Whose::Nobody } else { Whose::OtherTenants };
        Ok(refused(what, self.login, whose, done))
    }

    /// Tries as a tenant a statement that must reach the tenant's own row.
    async fn allowed(&mut self, what: AttemptKind, tenant: &str, statement: AttemptStatement<'_>) -> Result<Attempt> {
        let done = attempt(&mut self.tx, Some(tenant), statement).await?;
        Ok(allowed(what, self.login, done))
    }
}

/// Why an attempt of a kind was not made.
fn untried(attempts: &[Attempt], what: AttemptKind) -> Option<&Untried> {
    attempts.iter().filter(|attempt| attempt.what == what).find_map(|attempt| attempt.evidence.untried())
}

/// For each kind of attempt the first that was made, of `first` or of `second`; where none was, why the second was not.
fn better(first: Vec<Attempt>, second: Vec<Attempt>) -> Vec<Attempt> {
    let tried = |attempts: &[Attempt], what| {
        attempts.iter().any(|attempt| attempt.what == what && attempt.evidence.untried().is_none())
    };
    let (from_first, from_second): (Vec<AttemptKind>, Vec<AttemptKind>) = AttemptKind::ALL
        .into_iter()
        .partition(|what| tried(&first, *what) || !second.iter().any(|attempt| attempt.what == *what));
    let of = |attempts: Vec<Attempt>, kinds: Vec<AttemptKind>| {
        attempts.into_iter().filter(move |attempt| kinds.contains(&attempt.what))
    };
    of(first, from_first).chain(of(second, from_second)).collect()
}
