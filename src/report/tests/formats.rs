//! Exact bytes, a format after the other.

use insta::assert_snapshot;

use super::*;
use crate::model::event::StopReason;
use crate::model::health::Verdict;
use crate::report::lines::LINE;

#[test]
fn one_job_that_succeeds_is_its_own_output_and_nothing_else() {
    let labels = labels(&["test"]);
    let events = events([
        run_started(),
        started(A),
        out(A, "42"),
        err(A, "warning\n"),
        ended(A, &Outcome::Succeeded),
        run_ended(&[Outcome::Succeeded]),
    ]);
    let told = tell(&Format::Stream, &labels, &events);
    assert_eq!((told.out, told.err, told.own), (b"42".into(), b"warning\n".into(), String::new()));
}

#[test]
fn bytes_that_are_no_text_pass_through() {
    let bytes = vec![0xff, 0, 0x1b, b'\r', 0xc3];
    let output = EventKind::Output { job: A, host: None, stream: Stream::Out, bytes: bytes.clone() };
    let told = tell(&Format::Stream, &labels(&["test"]), &events([output]));
    assert_eq!(told.out, bytes);
}

#[test]
fn a_failure_is_told_with_all_one_needs() {
    let outcomes = [
        failed(A, "pytest -q\npytest --slow", Failure::Exit(3)),
        Outcome::Skipped { because: A },
        Outcome::Skipped { because: A },
    ];
    let told = tell(
        &Format::Stream,
        &labels(&["test", "package", "publish"]),
        &events([started(A), out(A, "E  assert"), ended(A, &outcomes[0]), run_ended(&outcomes)]),
    );
    assert_snapshot!(told.screen, @r"
    E  assert
    deploy: test: failed with exit code 3 after 1.2s
      step: pytest -q …
      where: tasks.toml:1
      skipped because of it: package, publish
    deploy: 1 failed, 2 skipped in 2m 05s
    ");
}

#[test]
fn every_kind_of_failure_has_its_words() {
    let (message, help) = ("the push was declined".to_owned(), Some("pull first".to_owned()));
    let unhealthy = |verdict| Failure::Unhealthy { message: "last came 502".to_owned(), help: None, verdict };
    let failures = [
        Failure::Signal(11),
        Failure::Signal(40),
        Failure::TimedOut(Duration::from_secs(90)),
        Failure::NotStarted { message: "there is no program `pytets` in PATH".into(), code: 127 },
        Failure::Unmet { message: message.clone(), help: help.clone() },
        Failure::Refused { message, help },
        unhealthy(Verdict::Bad),
        unhealthy(Verdict::Unclear),
        Failure::WantsTerminal,
        Failure::Stopped,
    ];
    let told = failures.map(|failure| {
        let outcome = failed(A, "step", failure);
        tell(&Format::Stream, &labels(&["ship"]), &events([ended(A, &outcome), run_ended(&[outcome])])).own
    });
    assert_snapshot!(told.join(""), @r"
    deploy: ship: was ended by SIGSEGV after 1.2s
      step: step
      where: tasks.toml:1
    deploy: ship: was ended by signal 40 after 1.2s
      step: step
      where: tasks.toml:1
    deploy: ship: timed out (1m 30s) after 1.2s
      step: step
      where: tasks.toml:1
    deploy: ship: could not start after 1.2s
      why: there is no program `pytets` in PATH
      step: step
      where: tasks.toml:1
    deploy: ship: failed after 1.2s
      why: the push was declined
      step: step
      where: tasks.toml:1
      help: pull first
    deploy: ship: was refused after 1.2s
      why: the push was declined
      step: step
      where: tasks.toml:1
      help: pull first
    deploy: ship: failed its health check after 1.2s
      why: last came 502
      step: step
      where: tasks.toml:1
    deploy: ship: could not check its health after 1.2s
      why: last came 502
      step: step
      where: tasks.toml:1
    deploy: ship: wanted the terminal after 1.2s
      why: it reads the terminal, which only an interactive task has
      step: step
      where: tasks.toml:1
      help: give the task `interactive = true`
    deploy: ship: was stopped after 1.2s
      step: step
      where: tasks.toml:1
    ");
}

#[test]
fn what_happens_on_the_way_is_told_when_it_happens() {
    let told = tell(
        &Format::Stream,
        &labels(&["ship", "docs"]),
        &events([
            started(A),
            note(A, "waits for https://example.com\nit answers 503"),
            EventKind::StepRetrying {
                job: A,
                host: None,
                step: "./up".into(),
                failure: Failure::Exit(75),
                attempt: 1,
                times: 3,
                wait: Duration::from_secs(2),
            },
            EventKind::StepForgiven {
                job: A,
                host: None,
                step: "./notify".into(),
                failure: Failure::Exit(1),
            },
            EventKind::LeftRunning { job: A, host: None, step: "./daemon".into() },
            EventKind::Stopping { why: StopReason::Signal(2) },
            EventKind::Stopping { why: StopReason::Killing },
            ended(A, &Outcome::Stopped),
            EventKind::SettleStarted { owed: 2 },
            EventKind::SettleEnded { still_owed: 1 },
            EventKind::RunEnded {
                summary: Summary {
                    outcomes: vec![Outcome::Stopped, Outcome::Stopped],
                    signal: Some(2),
                    still_owed: 1,
                    took: Duration::from_millis(3_250),
                },
            },
        ]),
    );
    assert_snapshot!(told.own, @r"
    deploy: ship: waits for https://example.com
      it answers 503
    deploy: ship: `./up` failed with exit code 75; try 1 of 3, the next in 2s
    deploy: ship: `./notify` failed with exit code 1; going on (allow_failure)
    deploy: ship: `./daemon` has ended; something it started is left running
    deploy: stopping (SIGINT); once more kills what does not end by itself
    deploy: killing what has not ended by itself
    deploy: settling 2 owed steps
    deploy: stopped by SIGINT after 3.3s: 1 stopped, 1 not started
    deploy: 1 owed step could not be settled
      next: deploy recover
    ");
}

#[test]
fn a_fresh_job_says_why_it_was_so_fast() {
    let told = tell(&Format::Stream, &labels(&["build"]), &events([run_ended(&[Outcome::Fresh])]));
    assert_eq!(told.own, "deploy: build: nothing to do\n");
}

#[test]
fn a_deploy_ends_with_what_is_live_now() {
    let told = tell(&Format::Stream, &labels(&["staging/deploy"]), &events([released()]));
    assert_eq!(told.own, "deploy: staging: release 3 is live (1a2b3c4d \"Add shipping\") in 12s\n");
}

#[test]
fn a_lone_job_that_never_ended_is_not_passed_over() {
    let told = tell(&Format::Stream, &labels(&["build"]), &events([run_ended(&[Outcome::Stopped])]));
    assert_eq!(told.own, "deploy: 1 not started in 2m 05s\n");
}

#[test]
fn durations_are_short() {
    let texts =
        [0, 7, 999, 1_000, 1_040, 1_240, 59_940, 59_960, 60_000, 185_400, 3_599_990, 3_600_000, 90_061_000]
            .map(|millis| crate::report::words::duration(Duration::from_millis(millis)));
    let expected = [
        "0ms", "7ms", "999ms", "1s", "1.0s", "1.2s", "59.9s", "1m 00s", "1m 00s", "3m 05s", "59m 59s",
        "1h 00m", "25h 01m",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn many_names_are_not_all_listed() {
    let names: Vec<String> = (0..100).map(|job| format!("job-{job}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut outcomes = vec![Outcome::Skipped { because: A }; 100];
    outcomes[0] = failed(A, "false", Failure::Exit(1));
    let told = tell(&Format::Stream, &labels(&names), &events([run_ended(&outcomes)]));
    assert_snapshot!(told.own, @r"
    deploy: job-0: failed with exit code 1
      step: false
      where: tasks.toml:1
      skipped because of it: job-1, job-2, job-3, job-4, job-5, job-6, job-7, job-8 and 91 more
    deploy: 1 failed, 99 skipped in 2m 05s
    ");
}

#[test]
fn prefixed_lines_are_whole_and_stay_in_their_stream() {
    let told = tell(
        &Format::Prefixed,
        &labels(&["lint", "typecheck"]),
        &events([
            out(A, "one\ntw"),
            out(B, "three"),
            err(A, "oops\n\n"),
            note(A, "half way"),
            out(A, "o\n"),
            ended(B, &Outcome::Succeeded),
            err(A, "last"),
            ended(A, &Outcome::Succeeded),
            run_ended(&[Outcome::Succeeded, Outcome::Succeeded]),
        ]),
    );
    assert_snapshot!(told.screen, @r"
    lint      | one
    lint      | oops
    lint      | 
    deploy: lint: half way
    lint      | two
    typecheck | three
    lint      | last
    deploy: 2 succeeded in 2m 05s
    ");
    assert_eq!(told.err, b"lint      | oops\nlint      | \nlint      | last\n");
}

#[test]
fn a_line_without_end_is_cut() {
    let endless = "x".repeat(LINE + 10);
    let told =
        tell(&Format::Prefixed, &labels(&["a"]), &events([out(A, &endless), ended(A, &Outcome::Succeeded)]));
    let lines: Vec<usize> = told.out.split(|&byte| byte == b'\n').map(<[u8]>::len).collect();
    assert_eq!(lines, ["a | ".len() + LINE, "a | ".len() + 10, 0]);
}

#[test]
fn what_settles_after_a_jobs_end_has_its_prefix_too() {
    let told = tell(
        &Format::Prefixed,
        &labels(&["ship"]),
        &events([ended(A, &Outcome::Stopped), out(A, "undone"), run_ended(&[Outcome::Stopped])]),
    );
    assert_eq!(told.out, b"ship | undone\n");
}

#[test]
fn groups_come_in_the_order_of_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    let mut labels = labels(&["publish", "build", "lint"]);
    labels.order = vec![B, C, A];
    let told = tell(
        &Format::Grouped(folder.path().to_owned()),
        &labels,
        &events([
            out(C, "lint 1\n"),
            out(B, "build 1\n"),
            note(C, "is slow"),
            err(C, "lint 2"),
            ended(C, &Outcome::Succeeded),
            out(B, "build 2"),
            ended(B, &Outcome::Succeeded),
            out(A, "publish\n"),
            ended(A, &Outcome::Succeeded),
            run_ended(&vec![Outcome::Succeeded; 3]),
        ]),
    );
    assert_snapshot!(told.screen, @r"
    deploy: output of build
    build 1
    build 2
    deploy: output of lint
    lint 1
    deploy: lint: is slow
    lint 2
    deploy: output of publish
    publish
    deploy: 3 succeeded in 2m 05s
    ");
    assert_eq!(told.err, b"lint 2\n");
}

#[test]
fn a_group_that_says_nothing_has_no_heading() {
    let folder = tempfile::tempdir().unwrap();
    let ends = [ended(A, &Outcome::Succeeded), ended(B, &Outcome::Fresh)];
    let told = tell(&Format::Grouped(folder.path().to_owned()), &labels(&["a", "b"]), &events(ends));
    assert_eq!(told.screen, "");
}

#[test]
fn quiet_shows_what_failed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = Format::Quiet(folder.path().to_owned());
    let outcomes = [Outcome::Succeeded, failed(B, "make docs", Failure::Exit(2))];
    let told = tell(
        &quiet,
        &labels(&["lint", "docs"]),
        &events([
            out(A, "fine\n"),
            note(A, "took its time"),
            out(B, "chapter 1\n"),
            err(B, "no chapter 2"),
            ended(A, &outcomes[0]),
            ended(B, &outcomes[1]),
            run_ended(&outcomes),
        ]),
    );
    assert_snapshot!(told.screen, @r"
    deploy: output of docs
    chapter 1
    no chapter 2
    deploy: docs: failed with exit code 2 after 1.2s
      step: make docs
      where: tasks.toml:2
    deploy: 1 failed, 1 succeeded in 2m 05s
    ");

    let success = events([out(A, "fine\n"), ended(A, &Outcome::Succeeded), run_ended(&[Outcome::Succeeded])]);
    assert_eq!(tell(&quiet, &labels(&["lint"]), &success).screen, "");
}

#[test]
fn quiet_shows_what_could_not_be_settled() {
    let folder = tempfile::tempdir().unwrap();
    let still_owed = EventKind::RunEnded {
        summary: Summary {
            outcomes: vec![Outcome::Stopped],
            signal: Some(15),
            still_owed: 1,
            took: Duration::from_secs(4),
        },
    };
    let told = tell(
        &Format::Quiet(folder.path().to_owned()),
        &labels(&["ship"]),
        &events([out(A, "ship\n"), ended(A, &Outcome::Stopped), err(A, "no route to host\n"), still_owed]),
    );
    assert_snapshot!(told.screen, @r"
    no route to host
    deploy: stopped by SIGTERM after 4s
    deploy: 1 owed step could not be settled
      next: deploy recover
    ");
}
