//! What a release costs beside the push that nobody can spare, in a small and in a large repository:
//! `cargo bench --bench release_commit [-- RUNS]`. In turns: the book's `git commit -am`; a release commit by git's
//! own commands; a bare push; `deploy staging`, all told.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it measures, and prints tables"
)]

mod measure;
#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a measurement needs a part of the tests' sandbox"
)]
mod support;

use std::time::Duration;

use measure::{count, median, milliseconds, time};
use support::Sandbox;

const STAGING: &str = r#"
[environments.staging]
target = { git = "staging" }
swap   = { "requirements.txt" = "-r requirements/staging.txt" }
"#;

/// The sizes that are compared: a release must cost the same in both.
const FILES: [usize; 2] = [200, 20_000];

/// Files in one folder, as in a large project.
const FILES_A_FOLDER: usize = 100;

const RUNS: usize = 15;

/// One turn's times.
struct Turn {
    commit: Duration,
    plumbing: Duration,
    push: Duration,
    deploy: Duration,
}

fn main() {
    let runs = count(RUNS);
    println!("{runs} turns; medians in ms\n");
    println!("{:42} {:>10} {:>10}", "files in the repository", FILES[0], FILES[1]);
    let sandboxes = FILES.map(repository);
    let mut columns = FILES.map(|_| Vec::with_capacity(runs));
    for number in 0..runs {
        for (sandbox, turns) in sandboxes.iter().zip(&mut columns) {
            turns.push(turn(sandbox, number));
        }
    }
    row("git commit -am, one file changed", &columns, |turn| milliseconds(turn.commit));
    row("a release commit by git's own commands", &columns, |turn| milliseconds(turn.plumbing));
    row("a bare git push of it", &columns, |turn| milliseconds(turn.push));
    row("deploy staging, all told", &columns, |turn| milliseconds(turn.deploy));
    row("deploy staging without the push", &columns, |turn| {
        milliseconds(turn.deploy) - milliseconds(turn.push)
    });
    row("deploy staging / bare push", &columns, |turn| milliseconds(turn.deploy) / milliseconds(turn.push));
}

fn row(name: &str, columns: &[Vec<Turn>], figure: fn(&Turn) -> f64) {
    let figures = columns.iter().map(|turns| median(&turns.iter().map(figure).collect::<Vec<_>>()));
    let figures: Vec<String> = figures.map(|figure| format!("{figure:10.2}")).collect();
    println!("{name:42} {}", figures.join(" "));
}

/// A repository of this size whose staging has a first release, and a second bare one with the same for the bare push.
fn repository(files: usize) -> Sandbox {
    let sandbox = Sandbox::shop(STAGING).remote("staging").remote("bare");
    for number in 0..files {
        sandbox.write(&format!("src/{}/{number}.py", number / FILES_A_FOLDER), &format!("print({number})\n"));
    }
    sandbox.commit("Many files");
    let repository = sandbox.repository();
    repository.git(["gc", "--quiet"]);
    repository.git(["push", "--quiet", "bare", "HEAD:main"]);
    sandbox.deploy(["staging"]).succeeds();
    // The plumbing works where deploy does: beside the user's repository, reading its objects.
    let objects = sandbox.root().join(".git/objects").display().to_string();
    let prepare = format!(
        "git init --quiet --bare ../scratch && echo '{objects}' > ../scratch/objects/info/alternates"
    );
    sandbox.shell(&prepare).succeeds();
    sandbox
}

fn turn(sandbox: &Sandbox, number: usize) -> Turn {
    sandbox.write("src/0/1.py", &format!("print('turn {number}')\n"));
    let commit = time(&mut sandbox.command("git", &["commit", "--quiet", "-am", "Work"]));
    let head = sandbox.repository().head();
    let plumbing = time(&mut sandbox.command("sh", &["-euc", PLUMBING, "sh", &head]));
    let push = time(&mut sandbox.command("sh", &["-euc", PUSH]));
    let deploy = time(&mut sandbox.command(env!("CARGO_BIN_EXE_deploy"), &["staging"]));
    Turn { commit, plumbing, push, deploy }
}

/// The tree of a commit with another requirements.txt, on top of what the bare repository has.
const PLUMBING: &str = r#"
cd ../scratch
blob=$(echo "-r requirements/staging.txt" | git hash-object -w --stdin)
tree=$(git ls-tree "$1" | sed "s/^100644 blob [0-9a-f]*\trequirements.txt\$/100644 blob $blob\trequirements.txt/" | git mktree)
parent=$(git --git-dir=../remotes/bare.git rev-parse main)
echo "Release" | git commit-tree "$tree" -p "$parent" > release
"#;

const PUSH: &str = r#"git --git-dir=../scratch push --quiet ../remotes/bare.git "$(cat ../scratch/release):refs/heads/main""#;
