//! `deploy`.
mod diagnostic;
mod model;
use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode { ExitCode::SUCCESS }
