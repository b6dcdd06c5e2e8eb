//! Exact bytes for the logs of CI servers.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::properties::any_run;
use super::*;
use crate::model::event::StopReason;
use crate::report::lines::LINE;

/// What the server reads: one stream.
fn log(server: Ci, labels: &Labels, events: &[Event]) -> String {
    let folder = tempfile::tempdir().unwrap();
    tell(&Format::Folded(server, began(), folder.path().to_owned()), labels, events).screen
}

fn two_jobs() -> Vec<Event> {
    let outcomes = [Outcome::Succeeded, failed(B, "pytest", Failure::Exit(3))];
    events([
        run_started(),
        started(A),
        started(B),
        out(B, "1 fai"),
        out(A, "lint\n"),
        err(B, "warning\n"),
        out(B, "led"),
        ended(B, &outcomes[1]),
        note(A, "is slow"),
        ended(A, &outcomes[0]),
        run_ended(&outcomes),
    ])
}

#[test]
fn github_gets_a_group_for_each_job_and_an_annotation_for_a_failed_one() {
    assert_snapshot!(log(Ci::GitHub, &labels(&["lint", "unit: a,b"]), &two_jobs()), @r"
    ::group::lint
    lint
    deploy: lint: is slow
    ::endgroup::
    ::group::unit: a,b
    warning
    1 failed
    ::endgroup::
    ::error file=tasks.toml,line=2,title=unit%3A a%2Cb::`pytest` failed with exit code 3
    deploy: unit: a,b: failed with exit code 3 after 1.2s
      step: pytest
      where: tasks.toml:2
    deploy: 1 failed, 1 succeeded in 2m 05s
    ");
}

#[test]
fn gitlab_gets_sections_that_took_as_long_as_their_jobs() {
    let slow = |event: Event| Event { at: event.at * 10, ..event };
    let events: Vec<Event> = two_jobs().into_iter().map(slow).collect();
    let told = log(Ci::GitLab, &labels(&["lint", "unit"]), &events);
    assert_snapshot!(told.escape_default().to_string().replace("\\n", "\n"), @r"
    \u{1b}[0Ksection_start:1785000001:deploy-20260804-1-1\r\u{1b}[0Klint
    lint
    deploy: lint: is slow
    \u{1b}[0Ksection_end:1785000009:deploy-20260804-1-1\r\u{1b}[0K
    \u{1b}[0Ksection_start:1785000002:deploy-20260804-1-2\r\u{1b}[0Kunit
    warning
    1 failed
    \u{1b}[0Ksection_end:1785000007:deploy-20260804-1-2\r\u{1b}[0K
    deploy: unit: failed with exit code 3 after 1.2s
      step: pytest
      where: tasks.toml:2
    deploy: 1 failed, 1 succeeded in 2m 05s
    ");
}

#[test]
fn one_job_alone_is_not_hidden_in_a_group() {
    let outcome =
        failed(A, "make\nmake docs", Failure::NotStarted { message: "100% gone\nreally".into(), code: 127 });
    let events = events([started(A), out(A, "one"), ended(A, &outcome), run_ended(&[outcome])]);
    assert_snapshot!(log(Ci::GitHub, &labels(&["docs"]), &events), @r"
    one
    ::error file=tasks.toml,line=1,title=docs::`make …` could not start%0A100%25 gone%0Areally
    deploy: docs: could not start after 1.2s
      why: 100% gone
        really
      step: make …
      where: tasks.toml:1
    ");
}

#[test]
fn a_command_of_a_child_stays_one_though_another_stream_is_within_a_line() {
    let events = events([
        started(A),
        out(A, "half a "),
        err(A, "::add-mask::hunter2\n"),
        out(A, "line\n"),
        ended(A, &Outcome::Succeeded),
        ended(B, &Outcome::Fresh),
    ]);
    assert_snapshot!(log(Ci::GitHub, &labels(&["a", "b"]), &events), @r"
    ::group::a
    ::add-mask::hunter2
    half a line
    ::endgroup::
    ");
}

#[test]
fn what_deploy_says_is_no_command_whoever_put_it_into_its_mouth() {
    let said = note(A, "remote says\n\t::stop-commands::x\r\n##[add-path]/tmp std::env");
    let github = log(Ci::GitHub, &labels(&["a", "b"]), &events([started(A), said.clone()]));
    assert_snapshot!(github, @r"
    ::group::a
    deploy: a: remote says
      	: :stop-commands::x
      ## [add-path]/tmp std::env
    ");
    let section = note(A, "\u{1b}[0Ksection_end:1:x\r\u{1b}[0K");
    assert!(!log(Ci::GitLab, &labels(&["a", "b"]), &events([section])).contains("x\r"));
}

#[test]
fn what_is_said_of_the_whole_run_is_in_no_group() {
    let events = events([
        started(A),
        out(A, "1\n"),
        EventKind::Stopping { why: StopReason::Signal(15) },
        out(A, "2\n"),
        ended(A, &Outcome::Stopped),
        ended(B, &Outcome::Stopped),
        err(A, "undone\n"),
        run_ended(&[Outcome::Stopped, Outcome::Stopped]),
    ]);
    assert_snapshot!(log(Ci::GitHub, &labels(&["a", "b"]), &events), @r"
    ::group::a
    1
    ::endgroup::
    deploy: stopping (SIGTERM); once more kills what does not end by itself
    ::group::a
    2
    ::endgroup::
    ::group::a
    undone
    ::endgroup::
    deploy: 1 stopped, 1 not started in 2m 05s
    ");
}

#[test]
fn an_endless_line_is_cut() {
    let told = log(Ci::GitHub, &labels(&["a", "b"]), &events([started(A), out(A, &"x".repeat(LINE + 10))]));
    assert_eq!(told.len(), "::group::a\n".len() + LINE + 1);
}

proptest! {
    #[test]
    fn groups_never_nest_and_each_line_is_in_the_group_of_its_job((labels, events) in any_run()) {
        let told = log(Ci::GitHub, &labels, &events);
        let mut open = None;
        for line in told.lines() {
            if let Some(name) = line.strip_prefix("::group::") {
                prop_assert_eq!(open.replace(name.to_owned()), None);
            } else if line == "::endgroup::" {
                prop_assert!(open.take().is_some());
            } else if let Some((name, _)) = line.strip_prefix("deploy: ").and_then(|line| line.split_once(": (")) {
                prop_assert!(labels.names.len() == 1 || open.as_deref() == Some(name));
            }
        }
        prop_assert_eq!(open, None);
    }
}
