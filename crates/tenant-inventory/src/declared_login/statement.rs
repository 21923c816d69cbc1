//! The statement that makes a declared login.

use tenancy_config::Ident;
use tenant_rls::{Sql, Template};

/// The statement, without a password: nobody can log in before the role has one.
pub fn create_login(role: &Ident) -> Sql {
    let create = "CREATE ROLE :\"role\" LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB";
    Template::new(create).ident("role", role).build()
}
