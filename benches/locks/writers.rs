//! Many who write to one ledger at the same time, again and again: each event is there once, in its writer's order.

use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use crate::PATIENCE;
use crate::measure::count;
use crate::support::{Running, Sandbox};
use crate::team::{Team, Way, name};

const TASKS: &str = "[ledger]\nremote = 'origin'\n[environments.staging]\n[tasks.deploy]\nrun = 'true'\n";

const WRITERS: usize = 8;

/// Events of each.
const EVENTS: usize = 50;

/// The code of who is refused by a lock.
const LOCKED: i32 = 4;

/// Prints the table; whether no event is lost, and none is there twice.
pub(crate) fn measure() -> bool {
    // A lock and its unlock are two.
    let events = count(EVENTS).next_multiple_of(2);
    println!("{WRITERS} writers x {events} events in one ledger, through a remote that is a folder\n");
    let team = Team::of(Sandbox::shop(TASKS), Way::File, WRITERS);
    let begin = Instant::now();
    let refused: Vec<usize> = thread::scope(|scope| {
        let writers = (0..WRITERS).map(|writer| {
            scope.spawn({
                let team = &team;
                move || write(team, writer, events)
            })
        });
        let writers: Vec<_> = writers.collect();
        writers.into_iter().map(|writer| writer.join().expect("it has told why")).collect()
    });
    let took = begin.elapsed();
    let found = found(&team);
    println!(
        "{:8} {:>9} {:>9} {:>9} {:>9} {:>12} {:>12}",
        "", "expected", "found", "lost", "twice", "out of order", "refused (4)"
    );
    let mut kept = true;
    let mut sum = [0; 6];
    for (writer, refused) in refused.into_iter().enumerate() {
        let own = found.get(&name(writer)).cloned().unwrap_or_default();
        let times = |number: &usize| own.iter().filter(|event| *event == number).count();
        let lost = (1..=events).filter(|number| times(number) == 0).count();
        let twice = (1..=events).filter(|number| times(number) > 1).count();
        let unordered = own.windows(2).filter(|pair| pair[0] >= pair[1]).count();
        let row = [events, own.len(), lost, twice, unordered, refused];
        kept &= own.len() == events && lost + twice + unordered == 0;
        sum = std::array::from_fn(|column| sum[column] + row[column]);
        print(&name(writer), row);
    }
    print("all", sum);
    println!("\nin {:.0} s\n", took.as_secs_f64());
    kept
}

fn print(name: &str, [expected, found, lost, twice, unordered, refused]: [usize; 6]) {
    println!("{name:8} {expected:>9} {found:>9} {lost:>9} {twice:>9} {unordered:>12} {refused:>12}");
}

/// Locks and unlocks until it has written so many events; how often it was refused, because another held the lock.
fn write(team: &Team, writer: usize, events: usize) -> usize {
    let mut refused = 0;
    let begin = Instant::now();
    for number in 1..=events {
        let command = if number % 2 == 1 { "lock" } else { "unlock" };
        let reason = number.to_string();
        let words = [command, "staging", "--reason", &reason];
        loop {
            let ended = Running::start(&mut team.deploy(writer, &words)).wait();
            if ended.code == LOCKED {
                refused += 1;
                assert!(
                    begin.elapsed() < PATIENCE * 4,
                    "{} is refused again and again:\n{ended}",
                    name(writer)
                );
                continue;
            }
            ended.succeeds();
            break;
        }
    }
    refused
}

/// The numbers in the team's ledger, oldest first, by writer.
fn found(team: &Team) -> BTreeMap<String, Vec<usize>> {
    let format =
        "--format=%(trailers:key=By,valueonly,separator=) %(trailers:key=Reason,valueonly,separator=)";
    let told = team.sandbox.target("origin").git(["log", "--reverse", format, "refs/deploy/staging/log"]);
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for line in told.lines() {
        let (by, reason) = line.split_once(' ').expect("a name and a number");
        let who = by.split('@').next().unwrap_or_default();
        found.entry(who.to_owned()).or_default().push(reason.parse().expect("a number"));
    }
    found
}
