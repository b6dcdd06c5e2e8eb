//! `deploy schema`: what an editor wants to know of tasks.toml.

use std::process::ExitCode;

use super::super::print;
use crate::config;

pub(crate) fn schema() -> ExitCode {
    print(&config::schema())
}
