//! `cargo xtask`: reads the command line, hands over to a job, prints its report. What the commands do lives in
//! `crates/`; what they say lives here.

mod app;
mod audit;
mod backfill;
mod cli;
mod commands;
mod duration_arg;
mod exit_codes;
mod failure;
mod holder;
mod overview;
mod planted;
mod reference;
mod report;
mod root;
mod seed;
mod stop;
mod summary;
mod target;
mod tenant_choice;
mod terminal;
mod text;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else reads the environment.
    let shed = tenancy_config::environment::shed();
    app::run(std::env::args_os(), shed).into()
}
