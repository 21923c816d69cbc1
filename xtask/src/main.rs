//! `cargo xtask`: reads the command line, hands over to a job, prints its report. What the commands do lives in
//! `crates/`; what they say lives here.

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
    // Before anything else reads the environment.
    let shed = tenancy_config::environment::shed();
    dispatch::run(std::env::args_os(), shed).into()
}
