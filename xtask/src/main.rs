//! `cargo xtask`: reads the command line, hands over to a job, prints its report. What the commands do lives in
//! `crates/`; what they say lives here.

mod app;
mod audit;
mod backfill;
mod cli;
mod colour;
mod commands;
mod duration_arg;
mod exit_codes;
mod failure;
mod harmless;
mod holder;
mod overview;
mod planted;
mod printer;
mod progress;
mod reference;
mod report;
mod root;
mod secrets;
mod seed;
mod stop;
mod summary;
mod target;
mod tenant_choice;
mod text;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else reads the environment.
    let shed = tenancy_config::environment::shed();
    app::run(std::env::args_os(), shed).into()
}
