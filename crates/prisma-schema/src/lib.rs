//! Reads `schema.prisma`: which models and fields it has, and what they are called in the database.
//!
//! It reads the structure of the language, not its meaning: a schema that Prisma refuses may be read here. What is written in
//! attributes is kept as text.

mod model;
mod parser;
mod schema;
mod token;

pub use model::{Attribute, Field, Model};
pub use parser::SyntaxError;
pub use schema::Schema;
