//! What it costs to take the team's lock and to free it, beside the least that git can do for it: two fetches and two
//! pushes of commits that are made already.

use std::time::Duration;

use crate::measure::{count, median, milliseconds, time};
use crate::support::Sandbox;
use crate::team::{Team, Way};

/// A task that does nothing under the lock, and a deploy that does nothing: it is recorded as a release.
const TASKS: &str = r#"
[ledger]
remote = "origin"
[environments.staging]
[tasks.deploy]
run = "true"
[tasks.held]
lock = true
run  = "true"
"#;

/// The same for those who share with nobody.
const ALONE: &str = r#"
[environments.alone]
[tasks.deploy]
run = "true"
[tasks.held]
lock = true
run  = "true"
"#;

const TURNS: usize = 31;

/// Two fetches and two pushes of a chain.
const FLOOR: &str = r#"
for commit in "$2" "$3"; do
    git fetch --quiet --no-tags "$1" "+refs/deploy/floor/log:refs/floor/theirs"
    git push --quiet "$1" "$commit:refs/deploy/floor/log"
done
"#;

/// One more commit of the chain.
const COMMIT: &str = r#"
tree=$(git rev-parse "HEAD^{tree}")
git update-ref refs/floor/next "$(git commit-tree "$tree" -p "$(git rev-parse refs/floor/next)" -m "An event")"
git rev-parse refs/floor/next
"#;

const ROWS: [&str; 5] = [
    "two fetches, two pushes by bare git",
    "deploy staging held: the lock, taken and freed",
    "… without a shared ledger",
    "deploy staging: the lock, and a release",
    "… without a shared ledger",
];

/// Prints the table. Nothing is promised here: it is a figure.
pub(crate) fn measure() -> bool {
    let turns = count(TURNS);
    println!("the lock of a team, {turns} turns each, in ms\n");
    println!("{:6}{:50} {:>8} {:>8} {:>16}", "", "", "median", "95 %", "beside bare git");
    for way in [Way::File, Way::Ssh, Way::Http] {
        let stage = Stage::new(way);
        let mut columns: [Vec<Duration>; ROWS.len()] = Default::default();
        for _ in 0..turns {
            for (column, took) in columns.iter_mut().zip(stage.turn()) {
                column.push(took);
            }
        }
        let floor = median(&columns[0]);
        for (row, column) in ROWS.iter().zip(&columns) {
            let middle = median(column);
            println!(
                "{:6}{row:50} {:>8.0} {:>8.0} {:>16.2}",
                way.name(),
                milliseconds(middle),
                milliseconds(percentile_95(column)),
                middle.as_secs_f64() / floor.as_secs_f64()
            );
        }
    }
    println!();
    true
}

/// What all but one in twenty stay below.
fn percentile_95(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[(times.len() * 95).div_ceil(100) - 1]
}

struct Stage {
    team: Team,
}

impl Stage {
    fn new(way: Way) -> Stage {
        let team = Team::of(Sandbox::shop(TASKS), way, 1);
        let repository = team.sandbox.repository_at(&team.machine(0));
        std::fs::write(team.machine(0).join("alone.toml"), ALONE).expect("a file of the clone");
        repository.git(["update-ref", "refs/floor/next", "HEAD"]);
        repository.git(["push", "--quiet", "origin", "HEAD:refs/deploy/floor/log"]);
        let stage = Stage { team };
        // What is done once, and what the ledger's first events cost, is not looked at.
        let _first = stage.turn();
        stage
    }

    fn turn(&self) -> [Duration; ROWS.len()] {
        let team = &self.team;
        let (one, two) = (self.event(), self.event());
        let floor = ["-euc", FLOOR, "sh", &team.origin, &one, &two];
        let deploy = |words: &[&str]| time(&mut team.deploy(0, words));
        [
            time(&mut team.command(0, "sh", &floor)),
            deploy(&["staging", "held"]),
            deploy(&["-f", "alone.toml", "alone", "held"]),
            deploy(&["staging", "--rebuild"]),
            deploy(&["-f", "alone.toml", "alone", "--rebuild"]),
        ]
    }

    /// A commit on top of the last one.
    fn event(&self) -> String {
        let made = self.team.command(0, "sh", &["-euc", COMMIT]).output().expect("sh starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8_lossy(&made.stdout).trim().to_owned()
    }
}
