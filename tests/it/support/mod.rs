//! What the tests stand on: a sealed folder to run `deploy` in, git repositories, real servers for them, gates that
//! hold a step, a small HTTP server. Every wait is bounded by [`DEADLINE`] and ends on a condition; nothing sleeps.

mod emulator;
pub(crate) mod gate;
mod git_http;
mod passage;
mod picture;
mod postgres;
mod repository;
mod running;
mod sandbox;
mod server;
mod sshd;
mod vendor;

use std::time::Duration;

pub(crate) use emulator::{AZURE_ACCOUNT, AZURE_KEY, Emulator};
pub(crate) use git_http::{Access, GitHttp, PASSWORD, USER};
pub(crate) use passage::{Fate, Passage};
pub(crate) use postgres::Postgres;
pub(crate) use running::{Ended, Running};
pub(crate) use sandbox::Sandbox;
pub(crate) use server::{Answer, Server};
pub(crate) use sshd::Sshd;
pub(crate) use vendor::{Asked, Vendor, asked_by, python};

/// How long anything may take before a test gives up: far beyond any wait on a busy machine, far below a CI's patience.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// What differs from run to run in the output, and what a snapshot says instead. Applied in this order.
pub(crate) const FILTERS: [(&str, &str); 8] = [
    (r"/[^\s:'`]*/sandbox-[A-Za-z0-9]+", "[sandbox]"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z| ?[+-]\d\d:?\d\d(\[[^\]]*\])?)?", "[when]"),
    (r"\b[0-9a-f]{40}\b", "[commit]"),
    (r"\b[0-9a-f]{8}\b", "[short]"),
    (r"\b[0-9a-f]*\d[0-9a-f]*[a-f][0-9a-f]{3,}\b", "[short]"),
    (r"127\.0\.0\.1:\d+", "[address]"),
    (r"\b\d+(\.\d+)? ?(µs|ms|s|min|m)\b", "[time]"),
    (r"\bpid \d+", "pid [pid]"),
];

/// Compares all that a person would see, with what differs from run to run filtered out.
///
/// `snapshot!(sandbox.deploy(["hi"]), @"…")`
macro_rules! snapshot {
    ($ended:expr, @$shown:literal) => {{
        let mut settings = insta::Settings::clone_current();
        for (pattern, shown) in $crate::support::FILTERS {
            settings.add_filter(pattern, shown);
        }
        settings.bind(|| insta::assert_snapshot!($ended.to_string(), @$shown));
    }};
}
pub(crate) use snapshot;
