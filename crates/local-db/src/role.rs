//! The logins of every local database.

/// A login of the local database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// `postgres`: it sees and may do everything, so what it sees proves nothing about isolation.
    Superuser,
    /// `app_owner`: it owns the database and its tables, and is a member of `tenant_maintenance`.
    Owner,
    /// `app_user`: the application's own login. Row level security filters it.
    AppUser,
}

impl Role {
    /// The role's name on the server.
    pub fn name(self) -> &'static str {
        match self {
            Self::Superuser => "postgres",
            Self::Owner => "app_owner",
            Self::AppUser => "app_user",
        }
    }
}
