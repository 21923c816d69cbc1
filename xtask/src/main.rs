//! `cargo xtask`: reads the command line, runs a job and prints its report. The crates below `crates/` do the work; this one
//! reads arguments and writes text.

mod command_line;
mod commands;
mod context;
mod dispatch;
mod document;
mod number_format;
mod reference;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Nothing may read the environment before this.
    let shed = tenancy_config::environment::shed();
    dispatch::run(std::env::args_os(), shed).into()
}
