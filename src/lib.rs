//! `deploy` ships software to staging and production, from declarative tasks in a `tasks.toml`.

mod diagnostic;
mod model;
mod config;
mod plan;
mod process;
mod state;
mod release;

use std::process::ExitCode;

/// Runs the program: reads the command line, does what it says, and gives the exit code.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
