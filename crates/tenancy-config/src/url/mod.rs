//! The URL of a database, as Prisma, Neon, Netlify and libpq write it, in a type that never shows its secrets.

mod database_url;
mod error;
mod parse;
mod tls;

#[cfg(test)]
mod tests;

pub use database_url::DatabaseUrl;
pub use error::UrlError;
pub use tls::Tls;
