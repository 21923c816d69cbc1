//! The logins of every local database.

/// A login of the local database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// `postgres`: sees and may do everything, so what it sees proves nothing about isolation.
    Superuser,
    /// `app_owner`: owns the database and its tables, and is granted `tenant_maintenance`.
    Owner,
    /// `app_user`: the application's own login, which row level security filters.
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
