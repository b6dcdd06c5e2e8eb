//! Many who want one lock at the same moment. Who gets in stays until every other one is in, too, or has ended: two that
//! were let in can't miss each other, however short the gap between a look and a word is.

use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::PATIENCE;
use crate::inbox::{Inbox, named_pipe};
use crate::measure::{count, median};
use crate::support::{Running, Sandbox};
use crate::team::{Team, Way};

/// An environment without a target: its deploy is one step, in the critical section.
const TASKS: &str = r#"
[ledger]
remote  = "origin"
timeout = "4m"
[environments.staging]
[tasks.deploy]
run = "section"
"#;

/// Says that it is in, and stays until it gets a pass.
const SECTION: &str = "#!/bin/sh\necho in > SANDBOX/tmp/inside\nread -r pass < SANDBOX/tmp/passes\n";

const CONTENDERS: [usize; 4] = [2, 8, 32, 64];

const ROUNDS: usize = 30;

/// How many are started over ssh, in all rounds of a row, where no number is given: each starts an sshd a few times.
const STARTS_BY_SSH: usize = 128;

/// The code of who is refused by a lock.
const LOCKED: i32 = 4;

/// What keeps all but one out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lock {
    /// deploy's, through the team's remote.
    Deploy,
    /// Deployer's: a file that is looked for, and then written.
    LookThenWrite,
    /// Kamal's: a folder that is made. It says nobody's name at first, and stays when its maker dies.
    Mkdir,
}

const LOCKS: [(Lock, &str); 3] = [
    (Lock::Deploy, "deploy, shared ledger"),
    (Lock::LookThenWrite, "[ -f lock ] || echo > lock"),
    (Lock::Mkdir, "mkdir lock"),
];

/// What was found, over all rounds.
#[derive(Default)]
struct Tally {
    times: Vec<Duration>,
    /// Rounds in which nobody, one, and more were let in.
    winners: [usize; 3],
    /// The most who were in at once.
    most: usize,
    refused: usize,
    other: usize,
}

/// What is told while a round lasts.
enum News {
    Inside,
    Ended(i32),
}

/// Prints the table; whether each round had one winner, and all others were refused as they must be.
pub(crate) fn measure() -> bool {
    println!("contenders for one lock\n");
    println!(
        "{:5}{:28} {:>10} {:>7} {:>8} {:>8} {:>8} {:>8} {:>12} {:>10} {:>10}",
        "",
        "",
        "contenders",
        "rounds",
        "one won",
        "more",
        "nobody",
        "at once",
        "refused (4)",
        "other end",
        "s a round"
    );
    let mut kept = true;
    for way in [Way::File, Way::Ssh] {
        for contenders in CONTENDERS {
            let usual = match way {
                Way::File | Way::Http => ROUNDS,
                Way::Ssh => ROUNDS.min(STARTS_BY_SSH / contenders),
            };
            let rounds = count(usual);
            let arena = Arena::new(way, contenders);
            for (lock, name) in LOCKS {
                let tally = arena.contest(lock, contenders, rounds);
                let [nobody, one, more] = tally.winners;
                println!(
                    "{:5}{name:28} {contenders:>10} {rounds:>7} {one:>8} {more:>8} {nobody:>8} {:>8} {:>12} {:>10} {:>10.2}",
                    way.name(),
                    tally.most,
                    tally.refused,
                    tally.other,
                    median(&tally.times).as_secs_f64()
                );
                kept &= lock != Lock::Deploy || (one == rounds && tally.other == 0);
            }
        }
    }
    println!();
    kept
}

/// Where they contend.
struct Arena {
    team: Team,
    news: Receiver<News>,
    tell: Sender<News>,
    passes: File,
    _inside: Inbox,
}

impl Arena {
    fn new(way: Way, contenders: usize) -> Arena {
        let sandbox = Sandbox::shop(TASKS);
        sandbox.executable("bin/section", SECTION);
        let (tell, news) = channel();
        let inside = tell.clone();
        let inbox = Inbox::open(&sandbox.path("tmp/inside"), move |_| {
            inside.send(News::Inside).expect("the arena is there as long as its inbox");
        });
        let passes = named_pipe(&sandbox.path("tmp/passes"));
        Arena { team: Team::of(sandbox, way, contenders), news, tell, passes, _inside: inbox }
    }

    fn contest(&self, lock: Lock, contenders: usize, rounds: usize) -> Tally {
        let mut tally = Tally::default();
        for _ in 0..rounds {
            self.round(lock, contenders, &mut tally);
        }
        tally
    }

    fn round(&self, lock: Lock, contenders: usize, tally: &mut Tally) {
        let mut running: Vec<Running> =
            (0..contenders).map(|number| Running::start(&mut self.contender(lock, number))).collect();
        for one in &running {
            one.wait_for("ready");
        }
        let begin = Instant::now();
        for one in &mut running {
            one.type_in("go\n");
        }
        thread::scope(|scope| {
            for one in running {
                let tell = self.tell.clone();
                scope.spawn(move || {
                    let ended = one.wait_within(PATIENCE);
                    if ![0, LOCKED].contains(&ended.code) {
                        println!("{ended}");
                    }
                    tell.send(News::Ended(ended.code)).expect("the arena is there as long as its rounds");
                });
            }
            let (mut inside, mut ended) = (0, 0);
            let mut refused = 0;
            let mut other = 0;
            while ended < contenders {
                match self.news.recv_timeout(PATIENCE).expect("all end, or get in") {
                    News::Inside => inside += 1,
                    News::Ended(code) => {
                        ended += 1;
                        refused += usize::from(code == LOCKED);
                        other += usize::from(code != LOCKED && code != 0);
                    }
                }
                if inside + ended == contenders {
                    // A pass for each: they are read byte by byte, and one newline is enough for one.
                    (&self.passes).write_all("\n".repeat(inside).as_bytes()).expect("a pipe with room");
                }
            }
            tally.winners[inside.min(2)] += 1;
            tally.most = tally.most.max(inside);
            tally.refused += refused;
            tally.other += other;
        });
        tally.times.push(begin.elapsed());
    }

    /// One of them, which waits for the word to start.
    fn contender(&self, lock: Lock, number: usize) -> Command {
        let at = self.team.sandbox.path("tmp/lock").display().to_string();
        let there = |line: String| self.team.there(&line);
        let lines = match lock {
            // The same commit again and again.
            Lock::Deploy => r#"exec "$DEPLOY" staging --rebuild"#.to_owned(),
            Lock::LookThenWrite => format!(
                "told=$({}); test \"$told\" != locked || exit {LOCKED}; section; {}",
                there(format!("[ -f {at} ] && echo locked || echo m{number} > {at}")),
                there(format!("rm -f {at}"))
            ),
            Lock::Mkdir => format!(
                "{} || exit {LOCKED}; section; {}",
                there(format!("mkdir {at} 2>/dev/null")),
                there(format!("rmdir {at}"))
            ),
        };
        let mut command =
            self.team.command(number, "sh", &["-c", &format!("echo ready; read -r go; {lines}")]);
        command.stdin(Stdio::piped());
        command
    }
}
