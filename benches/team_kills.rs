//! What `kill -9` leaves to a team: `deploy staging`, whose ledger is shared, killed at evenly spaced points of its run;
//! then another machine frees and goes on, or the same one does: `cargo bench --bench team_kills [-- POINTS]`. Ends with
//! 1 if a promise of deploy's is broken. A remote whose own git dies while it moves a ref is left with a lock file that no
//! client can remove: that must be told, and once the file is removed all must go on. Needs Linux (/proc), setsid and git.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it kills, and prints tables"
)]

#[expect(dead_code, reason = "a kill is not timed")]
mod measure;
#[path = "measure/processes.rs"]
#[expect(dead_code, reason = "another measurement looks at environments")]
mod processes;
#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a measurement needs a part of the tests' sandbox"
)]
mod support;
#[path = "measure/team.rs"]
#[expect(dead_code, reason = "this team's origin is a folder")]
mod team;
#[path = "measure/victim.rs"]
mod victim;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use measure::{count, median, milliseconds};
use support::{Ended, Running, Sandbox};
use team::{Team, Way};
use victim::{Reach, Victim, points};

/// Both remotes are folders: what git starts at their side is killed too, where all is.
const TASKS: &str = r#"
[ledger]
remote = "origin"
[environments.staging]
target = { git = "SANDBOX/remotes/staging.git" }
swap   = { "requirements.txt" = "-r requirements/staging.txt" }
"#;

const POINTS: u32 = 200;

/// Undisturbed runs that say how long one takes.
const REHEARSALS: usize = 7;

/// The machine that does not crash.
const OTHER: usize = 0;

/// How often what was found.
type Tally = BTreeMap<&'static str, u32>;

const TOUCHED: &str = "any byte of work tree or .git changed";
const OLD: &str = "target has the old release";
const NEW: &str = "target has the new release";
const NEITHER: &str = "target has neither";
const UNREADABLE: &str = "`deploy status` fails, here or elsewhere";
const LOCKED: &str = "a lock is left";
const UNEXPLAINED: &str = "  who is refused is not told whose";
const KEPT: &str = "  elsewhere: unlock does not free it";
const ELSEWHERE: &str = "elsewhere: unlocked, the next run works";
const HERE: &str = "here: the next run works at once";
const STUCK: &str = "a remote's ref is left locked by its own git";
const UNTOLD: &str = "  who is refused is not told the file";
const SILENT: &str = "  here: broken without a word";
const REWRITTEN: &str = "an event is lost";
const UNTIDY: &str = "the next run leaves a lock";
const ROWS: [&str; 15] = [
    TOUCHED,
    OLD,
    NEW,
    NEITHER,
    UNREADABLE,
    LOCKED,
    UNEXPLAINED,
    KEPT,
    STUCK,
    UNTOLD,
    ELSEWHERE,
    HERE,
    SILENT,
    REWRITTEN,
    UNTIDY,
];

/// What must not be.
const BROKEN: [&str; 9] =
    [TOUCHED, NEITHER, UNREADABLE, UNEXPLAINED, KEPT, UNTOLD, SILENT, REWRITTEN, UNTIDY];

fn main() -> ExitCode {
    let number = u32::try_from(count(POINTS as usize)).expect("a number of points");
    println!("kill -9 at {number} evenly spaced points each, of `deploy staging` with a shared ledger\n");
    let stage = Stage::new();
    let columns = [Reach::Group, Reach::Session].map(|reach| stage.kill_everywhere(reach, number));
    println!("\n{:44} {:>8}{:>8}", "killed:", "group", "all");
    for row in ROWS {
        let [group, all] = columns.each_ref().map(|tally| tally.get(row).copied().unwrap_or_default());
        println!("{row:44} {group:>8}{all:>8}");
    }
    let kept = |tally: &Tally| {
        let is_all = |row| tally.get(row) == Some(&number);
        is_all(ELSEWHERE) && is_all(HERE) && !BROKEN.iter().any(|row| tally.contains_key(row))
    };
    if columns.iter().all(kept) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A team with a first release on staging and a second commit to ship, that can be had again and again.
struct Stage {
    team: Team,
    old: String,
}

impl Stage {
    fn new() -> Stage {
        let team = Team::of(Sandbox::shop(TASKS).remote("staging"), Way::File, OTHER + 1);
        let sandbox = &team.sandbox;
        sandbox.deploy(["staging"]).succeeds();
        sandbox.write("shop.py", "print('new')\n");
        sandbox.commit("New");
        sandbox.repository().git(["push", "--quiet", "origin", "main"]);
        sandbox.repository_at(&team.machine(OTHER)).git(["pull", "--quiet"]);
        keep(sandbox, "saved");
        let old = sandbox.target("staging").tip("main").expect("a release");
        Stage { team, old }
    }

    fn kill_everywhere(&self, reach: Reach, number: u32) -> Tally {
        let rehearsals: Vec<Duration> = (0..REHEARSALS).map(|_| self.rehearse()).collect();
        let whole = median(&rehearsals);
        println!("an undisturbed run takes {:.0} ms", milliseconds(whole));
        let mut tally = Tally::new();
        for after in points(whole, number) {
            self.bring("saved");
            self.kill_at(after, reach, &mut tally);
        }
        tally
    }

    /// An undisturbed run.
    fn rehearse(&self) -> Duration {
        self.bring("saved");
        let begin = Instant::now();
        let status = self.start().wait();
        assert!(status.success() && self.is_shipped(), "an undisturbed run: {status}");
        begin.elapsed()
    }

    fn kill_at(&self, after: Duration, reach: Reach, tally: &mut Tally) {
        let sandbox = &self.team.sandbox;
        let before = sandbox.picture();
        self.start().kill(after, reach);
        keep(sandbox, "killed");

        let mut note = |row| *tally.entry(row).or_default() += 1;
        let mut expect = |row, holds: bool, told: &Ended| {
            if !holds {
                println!("killed after {:.2} ms: {row}\n{told}", milliseconds(after));
                note(row);
            }
        };
        let locks = self.locks_of_git();
        if !locks.is_empty() {
            let refused = self.elsewhere(&["staging"]);
            let is_told = locks.iter().any(|lock| refused.stderr.contains(lock.as_str()));
            expect(UNTOLD, refused.code == 0 || is_told, &refused);
            self.bring("killed");
            sandbox.shell("find ../remotes -name '*.lock' -delete").succeeds();
            keep(sandbox, "killed");
        }
        let (hold, tip) = (self.hold(), self.tip());
        let freed = self.elsewhere(&["lock", "staging", "--reason", "to see what is said"]);
        if let Some(run) = &hold {
            let is_told = freed.code == 4
                && [run, "ada", "deploy unlock"].iter().all(|part| freed.stderr.contains(*part));
            expect(UNEXPLAINED, is_told, &freed);
        }
        let elsewhere = self.elsewhere(&["status"]);
        expect(UNREADABLE, elsewhere.code == 0, &elsewhere);
        let unlocked = self.elsewhere(&["unlock", "staging", "--reason", "its run was killed"]);
        expect(KEPT, unlocked.code == 0 && self.hold().is_none(), &unlocked);
        let next = self.elsewhere(&["staging"]);
        let works_elsewhere = next.code == 0 && self.is_shipped();
        if !works_elsewhere {
            println!("killed after {:.2} ms, elsewhere:\n{next}", milliseconds(after));
        }
        expect(REWRITTEN, self.goes_on_from(&tip), &next);
        expect(UNTIDY, self.hold().is_none(), &next);

        self.bring("killed");
        let here = sandbox.deploy(["status"]);
        expect(UNREADABLE, here.code == 0, &here);
        let shipped = self.shipped();
        let next = sandbox.deploy(["staging"]);
        let works_here = next.code == 0 && self.is_shipped();
        if !works_here {
            println!("killed after {:.2} ms, here:\n{next}", milliseconds(after));
        }
        expect(SILENT, hold.is_none() || next.stderr.contains("was broken: its process is gone"), &next);
        expect(REWRITTEN, self.goes_on_from(&tip), &next);
        expect(UNTIDY, self.hold().is_none(), &next);

        if hold.is_some() {
            note(LOCKED);
        }
        if !locks.is_empty() {
            note(STUCK);
        }
        if works_elsewhere {
            note(ELSEWHERE);
        }
        if works_here {
            note(HERE);
        }
        if !before.changes().is_empty() {
            note(TOUCHED);
        }
        note(shipped);
    }

    /// The names of the files by which a remote's git keeps others from a ref while it moves it.
    fn locks_of_git(&self) -> Vec<String> {
        let found = self.team.sandbox.shell("find ../remotes -name '*.lock' -printf '%f\\n'");
        found.succeeds().stdout.lines().map(str::to_owned).collect()
    }

    /// What the target has.
    fn shipped(&self) -> &'static str {
        let tip = self.team.sandbox.target("staging").tip("main");
        if tip.as_ref() == Some(&self.old) {
            OLD
        } else if self.is_shipped() {
            NEW
        } else {
            NEITHER
        }
    }

    /// Whether staging has the new commit's files, with staging's requirements.
    fn is_shipped(&self) -> bool {
        let target = self.team.sandbox.target("staging");
        target.file("main", "shop.py") == "print('new')\n"
            && target.file("main", "requirements.txt") == "-r requirements/staging.txt\n"
    }

    /// The run that holds staging, by the team's ledger.
    fn hold(&self) -> Option<String> {
        let state = self.team.sandbox.target("origin").file("refs/deploy/staging/log", "state.json");
        let state: serde_json::Value = serde_json::from_str(&state).expect("JSON");
        state["lock"]["run"].as_str().map(str::to_owned)
    }

    /// Where the team's ledger ends.
    fn tip(&self) -> String {
        self.team.sandbox.target("origin").git(["rev-parse", "refs/deploy/staging/log"])
    }

    /// Whether the team's ledger has all that it had.
    fn goes_on_from(&self, tip: &str) -> bool {
        let origin = self.team.sandbox.target("origin");
        origin.git(["merge-base", tip, "refs/deploy/staging/log"]) == tip
    }

    fn start(&self) -> Victim {
        let words = [env!("CARGO_BIN_EXE_deploy"), "staging"];
        Victim::start(&mut self.team.sandbox.command("setsid", &words))
    }

    /// Runs `deploy` on the machine that did not crash.
    fn elsewhere(&self, arguments: &[&str]) -> Ended {
        Running::start(&mut self.team.deploy(OTHER, arguments)).wait()
    }

    /// Makes all machines and remotes as they were when they were kept.
    fn bring(&self, name: &str) {
        let lines = format!("cd .. && rm -rf shop machines remotes && cp -a {name}/. .");
        self.team.sandbox.shell(&lines).succeeds();
    }
}

/// Keeps all machines and remotes as they are.
fn keep(sandbox: &Sandbox, name: &str) {
    let lines = format!("cd .. && rm -rf {name} && mkdir {name} && cp -a shop machines remotes {name}");
    sandbox.shell(&lines).succeeds();
}
