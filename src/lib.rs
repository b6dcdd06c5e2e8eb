//! `deploy` ships software to staging and production, from declarative tasks in a `tasks.toml`.
//!
//! Text becomes a [`model::project::Project`] (`config` reads); a project, a request and facts become a
//! [`plan::Plan`] (`plan` decides); a plan is run (`engine` drives, `perform` does, `report` tells). What a run owes and
//! what was released is remembered by `state` and `release`; `cli` asks.

mod backup;
mod cli;
mod config;
mod diagnostic;
mod engine;
mod exchange;
mod facts;
mod fresh;
mod model;
mod perform;
mod plan;
mod process;
mod release;
mod report;
mod ssh;
mod state;
mod store;
mod target;

use std::process::ExitCode;

/// Runs the program: reads the command line, does what it says, and gives the exit code.
pub fn main() -> ExitCode {
    cli::main()
}
