//! What `kill -9` leaves on two hosts: deploys to a server target over ssh are killed at evenly spaced points, all that
//! they started on this machine with them: `cargo bench --bench server_kills [-- POINTS]`. Ends with 1 if `current` on a
//! host was ever something else than a whole release, or the next deploy failed. Needs Linux (/proc), and sshd.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it kills, and prints tables"
)]

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
#[path = "measure/victim.rs"]
#[expect(dead_code, reason = "here all of a run is killed")]
mod victim;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use measure::{count, median, milliseconds, time};
use support::{Sandbox, Sshd};
use victim::{Reach, Victim, points};

const HOSTS: [&str; 2] = ["web1", "web2"];

/// The build writes the last file of a release, so that a whole one can be told.
const TASKS: &str = r#"
[hosts]
web1.ssh = "web1"
web2.ssh = "web2"
[environments.production]
hosts = { web = ["web1", "web2"] }
[environments.production.target]
server = "web"
path = "srv/shop"
shared = ["media"]
build = ["cat shop.py > whole"]
reload = "cmp shop.py whole"
"#;

const POINTS: u32 = 100;

/// Undisturbed runs that say how long one takes.
const REHEARSALS: usize = 5;

#[derive(Default)]
struct Tally {
    broken: usize,
    apart: usize,
    refused: usize,
    not_everywhere: usize,
}

fn main() -> ExitCode {
    let wanted = u32::try_from(count(POINTS as usize)).expect("a number of points");
    let sandbox = Sandbox::shop(TASKS);
    let sshd = Sshd::start(&sandbox, &HOSTS);
    for host in HOSTS {
        // They are one machine, and so would be their homes.
        sshd.force(host, r#"cd "$HOME" && exec sh -c "$SSH_ORIGINAL_COMMAND""#);
    }
    let mut number = 0_u32;
    let mut change = || {
        number += 1;
        sandbox.write("shop.py", &format!("print({number})\n"));
        sandbox.commit(&format!("Number {number}"));
        number
    };
    let deploy = || sandbox.command(env!("CARGO_BIN_EXE_deploy"), &["--quiet", "production"]);
    let took: Vec<Duration> = (0..REHEARSALS)
        .map(|_| {
            change();
            time(&mut deploy())
        })
        .collect();
    let whole = median(&took);
    println!(
        "a deploy to two hosts takes {:.0} ms undisturbed; kill -9 at {wanted} points",
        milliseconds(whole)
    );

    let mut tally = Tally::default();
    for point in points(whole, wanted) {
        change();
        let mut setsid: Command =
            sandbox.command("setsid", &[env!("CARGO_BIN_EXE_deploy"), "--quiet", "production"]);
        Victim::start(&mut setsid).kill(point, Reach::Session);
        let served: Vec<Option<String>> = HOSTS.iter().map(|host| served(&sshd, host)).collect();
        tally.broken += usize::from(served.iter().any(Option::is_none));
        tally.apart += usize::from(served[0] != served[1]);
        let now = change();
        let succeeded = deploy().output().expect("it starts").status.success();
        tally.refused += usize::from(!succeeded);
        let wanted = Some(format!("print({now})\n"));
        tally.not_everywhere += usize::from(HOSTS.iter().any(|host| self::served(&sshd, host) != wanted));
    }
    println!("{:52} {:>4}", "`current` of a host was no whole release", tally.broken);
    println!("{:52} {:>4}", "hosts served different releases, until the next deploy", tally.apart);
    println!("{:52} {:>4}", "the next deploy failed", tally.refused);
    println!("{:52} {:>4}", "the next deploy was not what both hosts served", tally.not_everywhere);
    let is_good = tally.broken + tally.refused + tally.not_everywhere == 0;
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a host serves, if that is whole.
fn served(sshd: &Sshd, host: &str) -> Option<String> {
    let current: PathBuf = sshd.home(host).join("srv/shop/current");
    let read = |name: &str| fs::read_to_string(current.join(name)).ok();
    let (page, whole) = (read("shop.py")?, read("whole")?);
    (page == whole && current.join("requirements/base.txt").exists()).then_some(page)
}
