//! What a way past the policies is.

use serde::Serialize;
use tenancy_config::TableName;

/// What a way is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "object", rename_all = "snake_case")]
pub enum WayObject {
    /// A view that reads as its owner, or over one.
    View {
        /// The view.
        name: TableName,
    },
    /// A materialized view, which has no policies.
    MaterializedView {
        /// The view.
        name: TableName,
    },
    /// A table whose rows are on another server.
    ForeignTable {
        /// The table.
        name: TableName,
        /// The foreign data wrapper.
        wrapper: String,
    },
    /// A function that runs as its owner, or an aggregate over one.
    Function {
        /// Its signature, such as `public.total(text)`.
        signature: String,
        /// What kind of function it is.
        kind: FunctionKind,
        /// Name and version of the extension that brought it.
        extension: Option<String>,
    },
    /// A function that runs as its owner and looks up a name that the login can give to something of its own.
    CallersName {
        /// Its signature.
        signature: String,
        /// What kind of function it is.
        kind: FunctionKind,
        /// The name.
        name: String,
    },
    /// A function that sets the session variable, and so the tenant, for whoever calls it.
    OwnTenant {
        /// Its signature.
        signature: String,
        /// The session variable.
        variable: String,
    },
    /// A LEAKPROOF function, which the server may call with rows before it asks a policy.
    Leakproof {
        /// Its signature.
        signature: String,
    },
    /// A rule, which runs as the owner of its table or view.
    Rule {
        /// The table or view.
        table: TableName,
        /// The rule.
        name: String,
    },
    /// A trigger whose function runs as its owner; without a table it fires when a definition changes.
    Trigger {
        /// The table or view.
        table: Option<TableName>,
        /// The trigger.
        name: String,
        /// Its function's signature.
        function: String,
    },
    /// A trigger or rule, whoever it runs as, that writes rows of its table to a table that no policy protects.
    Copy {
        /// The table of the trigger or rule.
        table: TableName,
        /// The trigger or rule.
        name: String,
        /// The signature of the trigger's function; none of a rule.
        function: Option<String>,
        /// The table that it writes to; none where that cannot be read.
        to: Option<TableName>,
    },
    /// A foreign key that deletes or changes rows when the row that they reference is deleted or changed.
    CascadingKey {
        /// The table with the key.
        table: TableName,
        /// The constraint.
        name: String,
        /// The key's columns.
        columns: Vec<String>,
        /// The table's tenant column.
        tenant: String,
        /// The table that the key references.
        parent: TableName,
        /// The columns there.
        referenced: Vec<String>,
        /// The tenant column there.
        parent_tenant: String,
        /// It is marked valid, so what it references exists.
        validated: bool,
    },
    /// A right that policies do not limit.
    Right {
        /// The table, partition or view.
        table: TableName,
        /// The right.
        privilege: Privilege,
    },
    /// A right on something of the server's or of an extension's that these do not give to everybody.
    ServerRight {
        /// The function with its arguments, the table, the setting or the foreign server.
        name: String,
        /// The column, where the right is on one only.
        column: Option<String>,
        /// The right.
        privilege: Privilege,
        /// Name and version of the extension that brought it.
        extension: Option<String>,
    },
    /// Large objects.
    LargeObjects {
        /// By what they are read.
        #[serde(flatten)]
        held: LargeObjectsHeld,
        /// So many; a thousand stands for a thousand or more.
        objects: i64,
        /// The number of one of them.
        example: i64,
    },
    /// A trigger whose function runs as its caller, where a foreign key fires it: as the owner of its table.
    CascadedTrigger {
        /// The table.
        table: TableName,
        /// The trigger.
        name: String,
        /// Its function's signature.
        function: String,
        /// The name without a schema that the function looks up; none where it reaches rows by itself.
        looked_up: Option<String>,
    },
    /// A role that the login is or can become.
    Role {
        /// The role.
        role: String,
    },
    /// A schema of tenant tables, whose owner may drop what is in it.
    Schema {
        /// The schema.
        schema: String,
    },
    /// A right in the book-keeping, which holds keys of rows of each tenant.
    Ops {
        /// The table, function or schema.
        name: String,
    },
}

impl WayObject {
    /// The name under which `tenancy.toml` declares a review of it.
    pub(crate) fn review_name(&self) -> String {
        match self {
            Self::View { name } | Self::MaterializedView { name } | Self::ForeignTable { name, .. } => name.to_string(),
            Self::Function { signature, .. }
            | Self::Leakproof { signature }
            | Self::CallersName { signature, .. }
            | Self::OwnTenant { signature, .. } => signature.clone(),
            // A function may be the trigger of many tables, each with conditions of its own.
            Self::Trigger { table: None, name, .. } => name.clone(),
            Self::Trigger { table: Some(table), name, .. }
            | Self::CascadedTrigger { table, name, .. }
            | Self::Rule { table, name }
            | Self::Copy { table, name, .. } => format!("{table}.{name}"),
            Self::CascadingKey { table, name, .. } => format!("{table}.{name}"),
            Self::Right { table, privilege } => format!("{privilege} on {table}"),
            Self::Role { role } => role.clone(),
            Self::Schema { schema } => schema.clone(),
            Self::Ops { name } | Self::ServerRight { name, .. } => name.clone(),
            Self::LargeObjects { held, .. } => match held {
                LargeObjectsHeld::Owner { owner } => format!("large objects of {owner}"),
                LargeObjectsHeld::Right { grantee } => format!("large objects granted to {grantee}"),
                LargeObjectsHeld::Setting => "large objects by lo_compat_privileges".to_owned(),
            },
        }
    }
}

/// By what large objects are read. Roles are as a statement has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "held_by", rename_all = "snake_case")]
pub enum LargeObjectsHeld {
    /// Their owner reads them, and whoever has its rights.
    Owner {
        /// The owner.
        owner: String,
    },
    /// A right was granted.
    Right {
        /// To whom.
        grantee: String,
    },
    /// `lo_compat_privileges` is on: no right is asked for.
    Setting,
}

/// What kind of function a way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionKind {
    /// A function.
    Function,
    /// A procedure.
    Procedure,
    /// An aggregate.
    Aggregate,
    /// A window function.
    Window,
    /// A function for triggers.
    Trigger,
    /// A function for event triggers.
    EventTrigger,
}

/// A right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Privilege {
    /// SELECT.
    Select,
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// TRUNCATE.
    Truncate,
    /// TRIGGER.
    Trigger,
    /// REFERENCES.
    References,
    /// EXECUTE.
    Execute,
    /// CREATE.
    Create,
    /// USAGE.
    Usage,
    /// SET.
    Set,
    /// ALTER SYSTEM.
    AlterSystem,
}
