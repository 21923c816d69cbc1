//! The command line as people and scripts use it: the built binary, started in an empty folder with an empty
//! environment.
#![allow(clippy::unwrap_used)] // also in helper functions of tests

mod arguments;
mod book_keeping;
mod chat;
mod clients;
mod confirm;
mod decisions;
mod defined;
mod errors;
mod faults;
mod help;
mod hostile;
mod jwt;
mod killed;
mod libpq;
mod local;
mod names;
mod prompts;
mod reader;
mod reference;
mod reports;
mod rls;
mod role_settings;
mod rows;
mod schema;
mod seed;
mod signals;
mod statements;
mod streams;
mod support;
mod tenant_log;
mod terminal;
mod traps;
mod trust;
mod two_urls;
