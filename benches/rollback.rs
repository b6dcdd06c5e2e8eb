//! Whether a release that is not healthy is taken back, however it is unwell: `cargo bench --bench rollback [-- NUMBER]`.
//! The target is a platform in small: when it has got a push, its hook starts the service anew, as what was pushed says,
//! and waits for that. Ends with 1 if a promise of deploy's is broken. Needs git.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it starts what it measures, and prints tables"
)]

#[path = "measure/inbox.rs"]
mod inbox;
#[expect(dead_code, reason = "nothing is timed")]
mod measure;
#[path = "measure/service.rs"]
mod service;
#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "a measurement needs a part of the tests' sandbox"
)]
mod support;

use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use inbox::{Inbox, named_pipe};
use measure::count;
use service::{Manner, Service};
use support::{Ended, Sandbox};

/// How often each failure is injected.
const NUMBER: usize = 10;

/// The whole time of a check that fails; long beside what a good answer takes on a busy machine.
const WITHIN: &str = "2s";

/// The code of a deploy after which the old release is back.
const ROLLED_BACK: i32 = 6;

/// The code of a deploy that a rule refuses.
const REFUSED: i32 = 3;

/// In how many ways a release is unwell.
const CLASSES: [(&str, Manner, &str); 6] = [
    ("answers with 500", Manner::Fails, "version = '{{ commit }}'"),
    ("takes connections, says nothing", Manner::IsSilent, "version = '{{ commit }}'"),
    ("refuses connections", Manner::IsGone, "version = '{{ commit }}'"),
    ("another version, in the body", Manner::IsAnother, "version = '{{ commit }}'"),
    ("another version, in a header", Manner::IsAnother, "version = '{{ commit }}', header = 'X-Version'"),
    ("crashes after a first good answer", Manner::Crashes, "version = '{{ commit }}', streak = 3"),
];

/// What was found of a class.
#[derive(Default)]
struct Tally {
    fired: usize,
    code_6: usize,
    code_0: usize,
    serves_old: usize,
    frozen: usize,
}

fn main() -> ExitCode {
    let number = count(NUMBER);
    println!("a release that is unwell, {number} times each\n");
    println!(
        "{:36} {:>9} {:>8} {:>8} {:>8} {:>18} {:>8}",
        "", "injected", "fired", "exit 6", "exit 0", "old one is well", "frozen"
    );
    let mut kept = true;
    for (name, manner, wants) in CLASSES {
        let stage = Stage::new(wants);
        let mut tally = Tally::default();
        for turn in 0..number {
            stage.inject(manner, turn, &mut tally);
        }
        let Tally { fired, code_6, code_0, serves_old, frozen } = tally;
        println!("{name:36} {number:>9} {fired:>8} {code_6:>8} {code_0:>8} {serves_old:>18} {frozen:>8}");
        kept &= [fired, code_6, serves_old, frozen].iter().all(|count| *count == number) && code_0 == 0;
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A project, its platform, and the service that runs there.
struct Stage {
    sandbox: Sandbox,
    service: Arc<Mutex<Service>>,
    _platform: Inbox,
}

impl Stage {
    fn new(wants: &str) -> Stage {
        let service = Arc::new(Mutex::new(Service::start()));
        let url = service.lock().expect("nobody panics with it").url();
        let tasks = format!(
            "[environments.staging]\ntarget = {{ git = 'staging' }}\n\
             health = {{ url = '{url}', within = '{WITHIN}', every = '100ms', {wants} }}\n"
        );
        let sandbox = Sandbox::shop(&tasks).remote("staging");
        let platform = platform(&sandbox, &service);
        let stage = Stage { sandbox, service, _platform: platform };
        stage.release(Manner::IsWell, "first").succeeds();
        stage
    }

    /// A good release is live; a bad one is shipped over it, then a good one.
    fn inject(&self, manner: Manner, turn: usize, tally: &mut Tally) {
        let (good, number) =
            (self.sandbox.repository().head(), self.last_release()["release"]["number"].clone());
        let ended = self.release(manner, &format!("bad {turn}"));
        let last = self.last_release();
        let is_back = last["outcome"] == "live" && last["release"]["restores"] == number;
        let answer = self.service.lock().expect("nobody panics with it").ask();
        let refused = self.release(Manner::IsWell, &format!("good {turn}"));
        tally.fired += usize::from(is_back);
        tally.code_6 += usize::from(ended.code == ROLLED_BACK);
        tally.code_0 += usize::from(ended.code == 0);
        tally.serves_old += usize::from(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(&good));
        tally.frozen += usize::from(refused.code == REFUSED && refused.stderr.contains("freeze"));
        if ended.code != ROLLED_BACK || refused.code != REFUSED {
            println!("{ended}\n{refused}\n{answer}\n{last}");
        }
        self.sandbox.deploy(["unlock", "staging", "--reason", "the next turn"]).succeeds();
        self.sandbox.deploy(["staging"]).succeeds();
    }

    /// Commits what the service is to be like, and deploys it.
    fn release(&self, manner: Manner, message: &str) -> Ended {
        self.sandbox.write("service", manner.word());
        self.sandbox.commit(message);
        self.sandbox.deploy(["staging"])
    }

    /// The newest entry of the history.
    fn last_release(&self) -> serde_json::Value {
        let history = self.sandbox.deploy(["history", "staging", "--json"]);
        let told: serde_json::Value = serde_json::from_str(&history.succeeds().stdout).expect("JSON");
        told[0].clone()
    }
}

/// What starts the service anew when something was pushed: the hook waits for it, as the pusher does.
fn platform(sandbox: &Sandbox, service: &Arc<Mutex<Service>>) -> Inbox {
    let (pushed, started) = (sandbox.path("tmp/pushed"), sandbox.path("tmp/started"));
    let hook = format!("echo pushed > '{}'\nread -r done < '{}'", pushed.display(), started.display());
    let target = sandbox.target("staging");
    target.hook("post-receive", &hook);
    let mut started = named_pipe(&started);
    let service = Arc::clone(service);
    Inbox::open(&pushed, move |_| {
        let version = target.trailer("main", "Source");
        let manner = Manner::of(&target.file("main", "service"));
        service.lock().expect("nobody panics with it").become_anew(manner, &version);
        writeln!(started, "done").expect("a pipe with room");
    })
}
