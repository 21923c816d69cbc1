//! Ways past the policies in words.

use std::fmt;

use tenancy_config::TableName;

use super::logins::Unfiltered;
use super::object::{FunctionKind, Privilege, WayObject};
use super::roles::RoleStep;
use super::way::{Actor, Barrier, Reach, Reviewable, Unreadable, Way};

/// So many tables are named; of the others the number is said.
const NAMED_TABLES: usize = 3;

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (role, why) = (&self.acts_as.role, &self.acts_as.why);
        match (&self.object, &self.reach) {
            (WayObject::Role { .. }, Reach::Acts { steps }) if steps.is_empty() => {
                write!(f, "the login {role} is {why}: no policy filters it")
            }
            (WayObject::Role { .. }, reach) => {
                write!(f, "the login can become {role}, which is {why}: no policy filters that ({reach})")
            }
            (WayObject::Right { .. }, reach) if matches!(self.acts_as.why, Unfiltered::ReferentialAction) => {
                write!(f, "{} changes rows of {} by foreign keys", self.object, Tables(&self.tables))?;
                if !self.chain.is_empty() {
                    write!(f, " through {}", self.chain.join(", "))?;
                }
                write!(f, ", whatever tenant they belong to: {reach}")
            }
            (WayObject::Right { .. } | WayObject::Ops { .. }, reach) => write!(f, "{}: {reach}", self.object),
            (WayObject::ServerRight { .. } | WayObject::LargeObjects { .. }, reach) => {
                write!(f, "{}: {reach}, and so is {why}", self.object)
            }
            (WayObject::CascadedTrigger { looked_up: Some(name), .. }, reach) => {
                write!(f, "{} looks up \"{name}\" without a schema", self.object)?;
                if !self.chain.is_empty() {
                    write!(f, " in {}", self.chain.join(", "))?;
                }
                write!(f, ", so the login can have it run what it made under that name, as {}: {reach}", self.acts_as)
            }
            (WayObject::CallersName { name, .. }, reach) => {
                write!(f, "{} looks up \"{name}\" without a schema", self.object)?;
                if !self.chain.is_empty() {
                    write!(f, " in {}", self.chain.join(", "))?;
                }
                write!(f, ", so the login can have it run what it made under that name, as {}: {reach}", self.acts_as)
            }
            (WayObject::Leakproof { .. }, reach) => {
                write!(
                    f,
                    "{} may be called with rows before a policy is asked whether they are seen: {reach}",
                    self.object
                )
            }
            (WayObject::OwnTenant { variable, .. }, reach) => {
                write!(f, "{} sets {variable} itself, whoever calls it: {reach}", self.object)
            }
            (WayObject::CascadingKey { parent, .. }, reach) => write!(
                f,
                "{} changes rows when a row of {parent} that they reference is deleted or changed, whatever tenant they belong to: {reach}",
                self.object
            ),
            (WayObject::Copy { table, to, .. }, reach) => {
                match to {
                    Some(to) => {
                        write!(f, "{} copies rows of {table} to {to}, which no policy protects", self.object)?;
                    }
                    None => write!(f, "{} may copy rows of {table} to any table", self.object)?,
                }
                if !self.chain.is_empty() {
                    write!(f, ", through {}", self.chain.join(", "))?;
                }
                write!(f, ": {reach}")
            }
            (WayObject::Schema { .. }, Reach::Acts { steps }) if steps.is_empty() => {
                write!(f, "{} belongs to {role}, which may drop {} there", self.object, Tables(&self.tables))
            }
            (WayObject::Schema { .. }, reach) => write!(
                f,
                "{} belongs to {role}, which the login can become ({reach}), and which may drop {} there",
                self.object,
                Tables(&self.tables)
            ),
            (object, reach) => {
                write!(f, "{object} reaches {}", Tables(&self.tables))?;
                if !self.chain.is_empty() {
                    write!(f, " through {}", self.chain.join(", "))?;
                }
                write!(f, " as {}: {reach}", self.acts_as)
            }
        }
    }
}

impl fmt::Display for WayObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::View { name } => write!(f, "the view {name}"),
            Self::MaterializedView { name } => write!(f, "the materialized view {name}"),
            Self::ForeignTable { name, wrapper } => write!(f, "the foreign table {name} ({wrapper})"),
            Self::Function { signature, kind, extension } => {
                write!(f, "the {kind} {signature}")?;
                extension.as_ref().map_or(Ok(()), |extension| write!(f, " of the extension {extension}"))
            }
            Self::CallersName { signature, kind, .. } => write!(f, "the {kind} {signature}"),
            Self::OwnTenant { signature, .. } => write!(f, "the function {signature}"),
            Self::Leakproof { signature } => write!(f, "the LEAKPROOF function {signature}"),
            Self::Rule { table, name } => write!(f, "the rule \"{name}\" of {table}"),
            Self::Copy { table, name, function: Some(function), .. } => {
                write!(f, "the trigger \"{name}\" of {table} with the function {function}")
            }
            Self::Copy { table, name, function: None, .. } => write!(f, "the rule \"{name}\" of {table}"),
            Self::Trigger { table: Some(table), name, function } => {
                write!(f, "the trigger \"{name}\" of {table} with the SECURITY DEFINER function {function}")
            }
            Self::Trigger { table: None, name, function } => {
                write!(f, "the event trigger \"{name}\" with the SECURITY DEFINER function {function}")
            }
            Self::CascadedTrigger { table, name, function, .. } => {
                write!(f, "the trigger \"{name}\" of {table} with the function {function}, which a foreign key fires,")
            }
            Self::ServerRight { name, column, privilege, extension } => {
                write!(f, "the right {privilege} on {name}")?;
                column.as_ref().map_or(Ok(()), |column| write!(f, ", column {column}"))?;
                extension.as_ref().map_or(Ok(()), |extension| write!(f, " of the extension {extension}"))
            }
            Self::LargeObjects { objects: 1, example, .. } => write!(f, "the large object {example}"),
            Self::LargeObjects { objects, example, .. } => write!(f, "{objects} large objects, such as {example}"),
            Self::CascadingKey { table, name, .. } => write!(f, "the foreign key \"{name}\" of {table}"),
            Self::Right { table, privilege } => write!(f, "the right {privilege} on {table}"),
            Self::Role { role } => write!(f, "the role {role}"),
            Self::Schema { schema } => write!(f, "the schema {schema}"),
            Self::Ops { name } => write!(f, "the book-keeping, {name}"),
        }
    }
}

impl fmt::Display for FunctionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Function => "SECURITY DEFINER function",
            Self::Procedure => "SECURITY DEFINER procedure",
            Self::Aggregate => "aggregate over a SECURITY DEFINER function",
            Self::Window => "SECURITY DEFINER window function",
            Self::Trigger => "SECURITY DEFINER trigger function",
            Self::EventTrigger => "SECURITY DEFINER event trigger function",
        })
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Truncate => "TRUNCATE",
            Self::Trigger => "TRIGGER",
            Self::References => "REFERENCES",
            Self::Execute => "EXECUTE",
            Self::Create => "CREATE",
            Self::Usage => "USAGE",
            Self::Set => "SET",
            Self::AlterSystem => "ALTER SYSTEM",
        })
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, which is {}", self.role, self.why)
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uses { role, privileges } => {
                let privileges: Vec<String> = privileges.iter().map(ToString::to_string).collect();
                write!(f, "{role} has {}", privileges.join(", "))
            }
            Self::Calls { role } => write!(f, "{role} may call it"),
            Self::Through { role, object } => write!(f, "{role} may execute it, and {object} calls it"),
            Self::Fires { role, table, chain } => {
                write!(f, "{role} may write to {table}")?;
                if chain.is_empty() { Ok(()) } else { write!(f, ", which goes on by {}", chain.join(", ")) }
            }
            Self::ChangesDefinitions { role } => write!(f, "{role} may make objects, which fires it"),
            Self::Attaches { role } => {
                write!(f, "{role} may execute it, so it can call it by a trigger on a table of its own")
            }
            Self::Acts { steps } if steps.is_empty() => f.write_str("it is the login, or the login has its rights"),
            Self::Acts { steps } => {
                let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
                f.write_str(&steps.join(", then "))
            }
            Self::Cannot { why } => why.fmt(f),
        }
    }
}

impl fmt::Display for RoleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set { role } => write!(f, "SET ROLE {role}"),
            Self::Grant { role } => write!(f, "GRANT {role} to itself by its ADMIN option"),
        }
    }
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DeclaredExempt { why } => return write!(f, "tenancy.toml declares that table exempt: {why}"),
            Self::KeptByKey { name } => {
                return write!(f, "the foreign key \"{name}\" references the same row together with its tenant");
            }
            Self::NoRight => "the login has no right on it, or does not see its schema",
            Self::NoExecute => "the login may not call it",
            Self::NotFired => "the login can write to nothing that fires it",
            Self::NoMapping => "no user mapping lets the login through to the other server",
            Self::CannotChangeParent => "the login may neither delete nor change what it references",
            Self::CannotMake => "the login cannot make what the right is for",
            Self::NotUpdatable => "what it shows cannot be written through it, and the login may not read it",
        })
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Language { language } => write!(f, "it is written in {language}, which is not read here"),
            Self::Extension { extension } => write!(f, "the extension {extension} brought it"),
            Self::Text => f.write_str("its text cannot be told apart into names and strings"),
            Self::HiddenCall { object } => write!(f, "its text does not show whether it uses {object}"),
            Self::OtherServer => f.write_str("the rows are on another server"),
            Self::Leakproof => f.write_str("nobody has said here that it tells nothing of what it is called with"),
            Self::Policies { table } => write!(f, "what the policies of {table} let it change is not read"),
            Self::Statement { word } => write!(f, "its text has \"{word}\", so what it writes to is not known"),
        }
    }
}

impl fmt::Display for Reviewable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash { hash } => write!(f, "a review is pinned to {hash}"),
            Self::NoPinnedPath => f.write_str(
                "it cannot be reviewed before its search_path is set (ALTER FUNCTION … SET search_path = …)",
            ),
            Self::NotCode => f.write_str("it is not something to review"),
        }
    }
}

/// Names of tables, not too many.
struct Tables<'a>(&'a [TableName]);

impl fmt::Display for Tables<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().take(NAMED_TABLES).map(ToString::to_string).collect();
        match self.0.len().saturating_sub(NAMED_TABLES) {
            0 if names.is_empty() => f.write_str("what cannot be read here"),
            0 => f.write_str(&names.join(", ")),
            more => write!(f, "{} and {more} more", names.join(", ")),
        }
    }
}
