//! The isolation policy: the text of each form, as statements write it and as the catalog prints it.

use serde::Serialize;
use tenancy_config::tenancy::ThroughForm;
use tenancy_config::{Ident, NameError, TableName};

use super::column_type::TenantColumnType;
use super::parent::{ParentComparison, ParentRows};
use super::setting::SessionSetting;
use crate::sql::template::Template;
use crate::sql::text::Sql;

/// Which rows the isolation policies of a table let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyForm {
    /// A session reads and writes its tenant's rows and those without a tenant. This form is for the transition only.
    Bridge,
    /// One policy shows the same rows, and its check lets only rows of the own tenant be written. A session can still
    /// claim and delete rows without a tenant. Rollouts made this form until version 0.1; it is replaced.
    Claimable,
    /// A session reads the same rows, but writes only its tenant's: two policies.
    StrictWrites,
    /// A session reads and writes its tenant's rows only.
    Strict,
    /// A session reads and writes its tenant's rows, or platform rows if no tenant is set.
    Platform,
}

impl PolicyForm {
    const ALL: [Self; 5] = [Self::Bridge, Self::Claimable, Self::StrictWrites, Self::Strict, Self::Platform];

    /// Whether a session of a tenant reads rows without a tenant.
    pub fn shows_unassigned(self) -> bool {
        matches!(self, Self::Bridge | Self::Claimable | Self::StrictWrites)
    }

    /// Whether a second policy shows the rows without a tenant. Then the first one is as in [`Strict`](Self::Strict).
    pub fn has_two_policies(self) -> bool {
        self == Self::StrictWrites
    }
}

/// Longest name that PostgreSQL keeps whole, in bytes.
const LONGEST_NAME: usize = 63;

/// The name of the policy that shows rows without a tenant, next to the isolation policy of this name.
pub fn unassigned_policy(isolation: &str) -> String {
    const SUFFIX: &str = "_unassigned";
    let mut name = isolation.to_owned();
    while name.len() + SUFFIX.len() > LONGEST_NAME {
        name.pop();
    }
    name + SUFFIX
}

/// The tenant column of one table, and the setting that its policy compares it with.
#[derive(Debug, Clone)]
pub struct TenantComparison {
    /// Where a session has its tenant.
    pub setting: SessionSetting,
    /// The tenant column.
    pub column: Ident,
    /// The column's name as the catalog prints it, quoted only if necessary.
    pub printed_column: String,
    /// Its type; text if we do not support that type. Such a table is not rolled out.
    pub column_type: TenantColumnType,
    /// Of a table without a tenant column, the table through which its rows belong to tenants. `column` points there then, and `column_type` is
    /// the type of the tenant column there.
    pub parent: Option<ParentComparison>,
}

impl TenantComparison {
    /// Makes the comparison from the setting, and from the names of the column and of its type.
    /// `printed_column` is the column's name as the catalog prints it.
    ///
    /// # Errors
    /// [`NameError`]: PostgreSQL could not hold the name of the column.
    pub fn new(
        setting: SessionSetting,
        column: &str,
        printed_column: &str,
        type_name: &str,
    ) -> Result<Self, NameError> {
        Ok(Self {
            setting,
            column: Ident::new(column)?,
            printed_column: printed_column.to_owned(),
            column_type: TenantColumnType::of(type_name).unwrap_or(TenantColumnType::Text),
            parent: None,
        })
    }

    /// The tenant of the session, in the column's type; NULL if none is set.
    pub fn current(&self) -> Sql {
        Template::new(":current:cast")
            .fragment("current", self.setting.current())
            .fragment("cast", self.column_type.cast_of_setting())
            .build()
    }

    /// The statement that creates an isolation policy with this name and form. A form of two policies also needs
    /// [`create_unassigned`](Self::create_unassigned).
    pub fn create(&self, table: &TableName, name: &Ident, form: PolicyForm) -> Sql {
        if let Some(parent) = &self.parent {
            let (using, check) = rows_of(form);
            let using = parent.condition(table, parent.form, using, self.current());
            let check = parent.condition(table, ThroughForm::Exists, check, self.current());
            return create_policy(table, name, using, check);
        }
        let own =
            Template::new(":\"column\" = :current").ident("column", &self.column).fragment("current", self.current());
        let own = own.build();
        let with =
            |text: &'static str| Template::new(text).ident("column", &self.column).fragment("own", own.clone()).build();
        let or_none = || with(":own OR :\"column\" IS NULL");
        let (using, check) = match form {
            PolicyForm::Bridge => (or_none(), or_none()),
            PolicyForm::Claimable => (or_none(), own.clone()),
            PolicyForm::StrictWrites | PolicyForm::Strict => (own.clone(), own.clone()),
            PolicyForm::Platform => {
                let platform = Template::new(":own OR (:current IS NULL AND :\"column\" IS NULL)")
                    .ident("column", &self.column)
                    .fragment("own", own)
                    .fragment("current", self.setting.current())
                    .build();
                (platform.clone(), platform)
            }
        };
        create_policy(table, name, using, check)
    }

    /// The condition by which a strict policy of `table`, which depends on another one, shows rows in one of the two ways; none for other tables.
    pub fn through_condition(&self, table: &TableName, way: ThroughForm) -> Option<Sql> {
        let parent = self.parent.as_ref()?;
        Some(parent.condition(table, way, ParentRows::Own, self.current()))
    }

    /// The statement that creates the policy with this name that shows rows without a tenant.
    pub fn create_unassigned(&self, table: &TableName, name: &Ident) -> Sql {
        let none = match &self.parent {
            Some(parent) => parent.condition(table, ThroughForm::Exists, ParentRows::None, self.current()),
            None => Template::new(":\"column\" IS NULL").ident("column", &self.column).build(),
        };
        Template::new(include_str!("../../../../sql/tenant-rls/unassigned_policy.sql"))
            .ident("policy", name)
            .table("table", table)
            .fragment("none", none)
            .build()
    }

    /// The default of the tenant column, as the catalog prints it.
    pub fn printed_default(&self) -> String {
        let setting = self.setting.printed();
        match self.column_type.printed_cast() {
            None => setting,
            Some(name) => format!("({setting})::{name}"),
        }
    }

    /// The condition that a row is the session's, as the catalog prints it.
    pub(crate) fn printed_own(&self) -> String {
        let column = &self.printed_column;
        let compared =
            if self.column_type == TenantColumnType::Varchar { format!("({column})::text") } else { column.clone() };
        format!("({compared} = {})", self.printed_default())
    }

    /// The form of isolation policies that the catalog prints as `isolation` and, for the one that shows rows without a
    /// tenant, as `unassigned`; `None` if the first is not ours.
    pub fn form(&self, isolation: &str, unassigned: Option<&str>) -> Option<PolicyForm> {
        let two = unassigned.is_some_and(|text| text == self.printed_unassigned());
        let fits = |form: &PolicyForm| self.printed_in_any_way(*form).any(|printed| printed == isolation);
        match PolicyForm::ALL.into_iter().filter(|form| !form.has_two_policies()).find(fits)? {
            PolicyForm::Strict if two => Some(PolicyForm::StrictWrites),
            form => Some(form),
        }
    }

    /// The text that the catalog prints for the policy that shows rows without a tenant.
    pub fn printed_unassigned(&self) -> String {
        let none = match &self.parent {
            Some(parent) => parent.printed(ThroughForm::Exists, ParentRows::None, &self.printed_default()),
            None => printed_is_null(&self.printed_column),
        };
        format!("AS PERMISSIVE FOR SELECT TO PUBLIC USING ({none})")
    }

    /// The texts of this form, for a table that depends on another one however the policy asks for that.
    fn printed_in_any_way(&self, form: PolicyForm) -> impl Iterator<Item = String> {
        let ways: Vec<String> = match &self.parent {
            Some(parent) => ThroughForm::ALL.iter().flat_map(|way| self.printed_through(parent, *way, form)).collect(),
            None => self.printed(form),
        };
        ways.into_iter()
    }

    /// How the isolation policy that the catalog prints as `isolation` asks for the other table's rows; `None` where it is not ours.
    pub fn through_form(&self, isolation: &str) -> Option<ThroughForm> {
        let parent = self.parent.as_ref()?;
        let is_printed = |way: &ThroughForm, form: PolicyForm| {
            self.printed_through(parent, *way, form).iter().any(|printed| printed == isolation)
        };
        ThroughForm::ALL.into_iter().find(|way| PolicyForm::ALL.iter().any(|form| is_printed(way, *form)))
    }

    fn printed_through(&self, parent: &ParentComparison, way: ThroughForm, form: PolicyForm) -> Vec<String> {
        let ((using, check), current) = (rows_of(form), self.printed_default());
        printed_policy(&parent.printed(way, using, &current), &parent.printed(ThroughForm::Exists, check, &current))
    }

    /// The texts that the catalog may print for the isolation policy of this form. If both conditions are equal, WITH CHECK may be
    /// missing.
    pub fn printed(&self, form: PolicyForm) -> Vec<String> {
        if let Some(parent) = &self.parent {
            return self.printed_through(parent, parent.form, form);
        }
        let column = &self.printed_column;
        let own = self.printed_own();
        let or_none = format!("({own} OR ({column} IS NULL))");
        let platform = format!("({own} OR (({} IS NULL) AND ({column} IS NULL)))", self.setting.printed());
        let (using, check) = match form {
            PolicyForm::Bridge => (or_none.clone(), or_none),
            PolicyForm::Claimable => (or_none, own),
            PolicyForm::StrictWrites | PolicyForm::Strict => (own.clone(), own),
            PolicyForm::Platform => (platform.clone(), platform),
        };
        printed_policy(&using, &check)
    }
}

fn printed_policy(using: &str, check: &str) -> Vec<String> {
    let head = "AS PERMISSIVE FOR ALL TO PUBLIC";
    let mut printed = vec![format!("{head} USING ({using}) WITH CHECK ({check})")];
    if using == check {
        printed.push(format!("{head} USING ({using})"));
    }
    printed
}

fn create_policy(table: &TableName, name: &Ident, using: Sql, check: Sql) -> Sql {
    Template::new(include_str!("../../../../sql/tenant-rls/isolation_policy.sql"))
        .ident("policy", name)
        .table("table", table)
        .fragment("using", using)
        .fragment("check", check)
        .build()
}

/// The rows of the other table on which rows hang that a form shows, and those that it lets be written. A table that depends on another one has no
/// rows of the platform.
fn rows_of(form: PolicyForm) -> (ParentRows, ParentRows) {
    match form {
        PolicyForm::Bridge => (ParentRows::OwnOrNone, ParentRows::OwnOrNone),
        PolicyForm::Claimable => (ParentRows::OwnOrNone, ParentRows::Own),
        PolicyForm::StrictWrites | PolicyForm::Strict | PolicyForm::Platform => (ParentRows::Own, ParentRows::Own),
    }
}

/// The condition that a row has no tenant, as the catalog prints it. `column` is given as the
/// catalog prints it too.
pub(crate) fn printed_is_null(column: &str) -> String {
    format!("({column} IS NULL)")
}
