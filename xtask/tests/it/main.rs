//! The command line as people and scripts meet it: the built binary, started in an empty folder with an empty environment.
#![allow(clippy::unwrap_used)] // in the helpers of tests too

mod arguments;
mod chat;
mod confirm;
mod decisions;
mod defined;
mod errors;
mod faults;
mod help;
mod hostile;
mod jwt;
mod killed;
mod prompts;
mod reference;
mod reports;
mod rls;
mod seed;
mod signals;
mod streams;
mod support;
