//! `cargo xtask`: reads the command line, hands over to a job, prints its report. What the commands do lives in
//! `crates/`; what they say lives here.

mod app;
mod audit;
mod backfill;
mod cli;
mod commands;
mod document;
mod duration_arg;
mod exit_codes;
mod failure;
mod holder;
mod number_format;
mod overview;
mod planted;
mod reference;
mod root;
mod seed;
mod stop;
mod target;
mod tenant_choice;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else reads the environment.
    let shed = tenancy_config::environment::shed();
    app::run(std::env::args_os(), shed).into()
}
