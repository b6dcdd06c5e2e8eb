//! What `deploy recover` puts right: runs with three undo steps that change files are killed with SIGKILL at evenly
//! spaced points, then recovered: `cargo bench --bench recover [-- POINTS]`. Ends with 1 if the files are not as they
//! were. Needs Linux (/proc).

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it kills, and prints tables"
)]

mod measure;
#[path = "measure/processes.rs"]
mod processes;
#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a measurement needs a part of the tests' sandbox"
)]
mod support;

use std::collections::BTreeMap;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use rustix::process::Pid;

use measure::{count, median, milliseconds, time};
use support::{DEADLINE, Sandbox};

/// Three steps that change files of every kind, in the ways of deploy scripts; END succeeds or fails.
const TASKS: &str = r#"
[tasks.change]
always = ["rm -f running"]
steps = [
  { run = "touch running; echo 'back soon' > maintenance.html", undo = "rm -f maintenance.html" },
  { run = "cp -p settings.ini .saving && mv .saving .saved && sed s/old/new/ .saved > settings.ini", undo = "rm -f .saving; if [ -e .saved ]; then mv .saved settings.ini; fi" },
  { run = "mkdir -p release/static && cp settings.ini release && cp shop.py release/static && ln -sfn release current", undo = ["rm -f current", "rm -rf release"] },
  "END",
]
"#;

const POINTS: u32 = 200;

/// Undisturbed runs that say how long one takes.
const REHEARSALS: usize = 7;

/// Whom a kill takes.
#[derive(Clone, Copy)]
enum Reach {
    /// deploy, as a machine out of memory does. What it had started goes on to the end of its step.
    Alone,
    /// All that the run started, as a machine that loses its power.
    All,
}

/// How the run would have ended, had it not been killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    /// Its last step fails: it settles what it owes itself, and is killed while it does, too.
    Fails,
    /// From its last moment on nothing is owed: the files are then wholly new.
    Succeeds,
}

/// How often what was found.
type Tally = BTreeMap<&'static str, usize>;

const BEFORE: &str = "after recover: as before the run";
const AFTER: &str = "after recover: wholly done (the run had succeeded)";
const MIXED: &str = "after recover: neither";
const NEEDED: &str = "  of all: recover had something to do";
const REFUSED: &str = "recover failed";
const OWED: &str = "recover, once more, found something owed";
const ROWS: [&str; 6] = [BEFORE, AFTER, MIXED, NEEDED, REFUSED, OWED];

fn main() -> ExitCode {
    let points = u32::try_from(count(POINTS as usize)).expect("a number of points");
    println!("kill -9 at {points} evenly spaced points each, then deploy recover\n");
    let mut columns = Vec::new();
    for course in [Course::Fails, Course::Succeeds] {
        let stage = Stage::new(course);
        for reach in [Reach::Alone, Reach::All] {
            columns.push(stage.kill_everywhere(reach, points));
        }
    }
    println!("\n{:52} {:>16} {:>16}", "the run, undisturbed:", "fails", "succeeds");
    println!("{:52} {:>8}{:>8} {:>8}{:>8}", "killed:", "deploy", "all", "deploy", "all");
    for row in ROWS {
        let figures: Vec<String> =
            columns.iter().map(|tally| format!("{:>8}", tally.get(row).unwrap_or(&0))).collect();
        println!("{:52} {}{} {}{}", row, figures[0], figures[1], figures[2], figures[3]);
    }
    let is_broken = |tally: &Tally| [MIXED, REFUSED, OWED].iter().any(|row| tally.contains_key(row));
    let fails_leaves_nothing = columns[..2].iter().all(|tally| !tally.contains_key(AFTER));
    if fails_leaves_nothing && !columns.iter().any(is_broken) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A project that can be had again and again.
struct Stage {
    course: Course,
    sandbox: Sandbox,
}

impl Stage {
    fn new(course: Course) -> Stage {
        let end = if course == Course::Fails { "exit 3" } else { "true" };
        let sandbox = Sandbox::shop(&TASKS.replace("END", end)).file("settings.ini", "mode = old\n");
        sandbox.shell("mkdir ../saved && cp -a . ../saved").succeeds();
        Stage { course, sandbox }
    }

    fn kill_everywhere(&self, reach: Reach, points: u32) -> Tally {
        let rehearsals: Vec<Duration> = (0..REHEARSALS).map(|_| self.rehearse()).collect();
        let whole = median(&rehearsals);
        println!("an undisturbed run takes {:.0} ms", milliseconds(whole));
        let mut tally = Tally::new();
        for point in 0..points {
            self.restore();
            self.kill_at(whole.mul_f64((f64::from(point) + 0.5) / f64::from(points)), reach, &mut tally);
        }
        tally
    }

    /// An undisturbed run, which leaves what a run that succeeded leaves.
    fn rehearse(&self) -> Duration {
        self.restore();
        let lines = match self.course {
            Course::Fails => r#""$0" change; test $? = 3 && test ! -e current"#,
            Course::Succeeds => r#""$0" change && test -e current"#,
        };
        time(&mut self.sandbox.command("sh", &["-c", lines, env!("CARGO_BIN_EXE_deploy")]))
    }

    fn kill_at(&self, after: Duration, reach: Reach, tally: &mut Tally) {
        let before = self.sandbox.picture();
        let folder = self.sandbox.path("tmp");
        let ours = || processes::those(|process: Pid| processes::knows(process, &folder));
        let mut deploy: Command = self.sandbox.command(env!("CARGO_BIN_EXE_deploy"), &["change"]);
        let mut child = deploy.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("deploy starts");
        processes::wait_for_end(Pid::from_child(&child), after);
        child.kill().expect("a child of ours");
        if matches!(reach, Reach::All) {
            processes::kill_all(ours);
        }
        child.wait().expect("a child of ours");
        let left = processes::wait_for_all(ours, DEADLINE);
        assert!(left.is_empty(), "these of a killed run do not end: {left:?}");

        let mut note = |row| *tally.entry(row).or_default() += 1;
        let recovered = self.sandbox.deploy(["recover"]);
        if recovered.code != 0 {
            println!("{recovered}");
            note(REFUSED);
        }
        if recovered.stdout != NOTHING {
            note(NEEDED);
        }
        if self.sandbox.deploy(["recover"]).stdout != NOTHING {
            note(OWED);
        }
        let changes = before.changes();
        note(if changes.is_empty() {
            BEFORE
        } else if self.is_done() {
            AFTER
        } else {
            println!("killed after {:.2} ms, still changed: {}", milliseconds(after), changes.join(", "));
            MIXED
        });
    }

    /// Whether all that the run was to change is changed.
    fn is_done(&self) -> bool {
        let done = "test ! -e running && test -e maintenance.html && test ! -e .saving && grep -q new settings.ini && \
            cmp settings.ini release/settings.ini && cmp shop.py current/static/shop.py";
        self.sandbox.shell(done).code == 0
    }

    fn restore(&self) {
        // The folder itself stays: it is everybody's current one.
        self.sandbox.shell("find . -mindepth 1 -delete && cp -a ../saved/. .").succeeds();
    }
}

/// What `deploy recover` prints when every run has ended.
const NOTHING: &str = "nothing is owed: every run has ended\n";
