//! What goes wrong at a store in the middle of `deploy backup`. Whatever it is: the new one is not listed, the earlier one is
//! there and comes back, none was removed in spite of `keep`, and one is told what was tried and what to do.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;

use crate::support::{Emulator, Ended, Fate, Passage, Sandbox};

const TASKS: &str = r#"
[stores.offsite]
url      = "s3://builds/backups"
endpoint = "ENDPOINT"

[backups.db]
dump    = "cat data"
restore = "cat > back"
store   = "offsite"
keep    = { last = 1 }

[environments.staging]
target = { git = "web" }
"#;

/// More than two parts of an upload, and nothing that zstd makes smaller.
const LARGE: &str = "head -c 20000000 /dev/urandom > data";

/// A project with one good backup, whose data are `earlier`, and other data since.
struct Shop {
    sandbox: Sandbox,
    passage: Passage,
    listed: String,
    // It has to be there as long as the way to it.
    _store: Emulator,
}

impl Shop {
    fn new(data: &str) -> Shop {
        let store = Emulator::s3();
        let passage = Passage::to(store.endpoint());
        let sandbox = Sandbox::shop(&TASKS.replace("ENDPOINT", &passage.endpoint())).remote("web");
        let sandbox = sandbox.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "secret-key");
        sandbox.shell("echo earlier > data && cp data earlier").succeeds();
        sandbox.deploy(["backup", "staging"]).succeeds();
        sandbox.shell(data).succeeds();
        let mut shop = Shop { sandbox, passage, listed: String::new(), _store: store };
        shop.listed = shop.list();
        let _before = shop.passage.asked();
        shop
    }

    fn list(&self) -> String {
        self.sandbox.deploy(["backups", "staging", "--json"]).succeeds().stdout.clone()
    }

    /// What has come of a backup that failed: nothing.
    fn is_as_it_was(&self) {
        self.passage.judge(|_| Fate::Passes);
        assert_eq!(self.list(), self.listed);
        self.sandbox.deploy(["restore", "staging", "db", "--no-backup"]).succeeds();
        self.sandbox.shell("cmp earlier back").succeeds();
        // And the next one does not mind what is left.
        self.sandbox.deploy(["backup", "staging"]).succeeds().mentions("1 older backup of db removed");
    }

    /// Saves while requests of a kind go wrong.
    fn saves(&self, fits: fn(&str) -> bool, fate: Fate) -> Ended {
        self.passage.judge(move |line| if fits(line) { fate } else { Fate::Passes });
        self.sandbox.deploy(["backup", "staging"])
    }
}

fn is_second_part(line: &str) -> bool {
    line.contains("partNumber=2")
}

fn is_read_of_a_dump(line: &str) -> bool {
    line.starts_with("GET") && line.contains(".dump")
}

fn is_manifest(line: &str) -> bool {
    line.starts_with("PUT") && line.contains(".json")
}

const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Not yours</Message></Error>";

const REFUSED: &str =
    "it refuses these credentials (AccessDenied: Not yours); are they right (AWS_ACCESS_KEY_ID, ";

const BUSY: &str = "it answers 503 Service Unavailable, and it was asked 4 times; try again later";

const CUT: &str = "the connection was cut, and it was asked 4 times; can this machine reach it?";

/// Which requests go wrong, and how; what is said of what was tried, and of what came of it.
type Fault = (fn(&str) -> bool, Fate, &'static str, &'static str);

fn fails_so(shop: &Shop, faults: &[Fault]) {
    for (fits, fate, act, why) in faults {
        let ended = shop.saves(*fits, *fate);
        ended.fails_with(1).mentions(act).mentions(why).never_mentions("secret-key");
        shop.passage.judge(|_| Fate::Passes);
        assert_eq!(shop.list(), shop.listed, "{fate:?} {act}");
    }
    shop.is_as_it_was();
}

#[test]
fn a_store_that_fails_while_a_dump_is_sent_has_no_half_backup() {
    let sent = "can't write `staging/db/";
    fails_so(
        &Shop::new(LARGE),
        &[
            (is_second_part, Fate::Cut, sent, CUT),
            (is_second_part, Fate::Instead(507, ""), sent, "it is full; make room there"),
            (is_second_part, Fate::Instead(503, ""), sent, BUSY),
            (is_second_part, Fate::Instead(403, DENIED), sent, REFUSED),
            (
                |line| line.contains("list-type"),
                Fate::Instead(403, DENIED),
                "can't list `staging/db/",
                REFUSED,
            ),
        ],
    );
}

#[test]
fn a_store_that_fails_while_a_dump_is_read_back_has_no_half_backup() {
    let read = "can't read `staging/db/";
    let shop = Shop::new("echo later > data");
    fails_so(
        &shop,
        &[
            (is_read_of_a_dump, Fate::Cut, read, CUT),
            (is_read_of_a_dump, Fate::Instead(503, ""), read, BUSY),
            (is_read_of_a_dump, Fate::Instead(403, DENIED), read, REFUSED),
        ],
    );
    let asked = shop.passage.asked();
    assert_eq!(
        asked.iter().filter(|line| is_read_of_a_dump(line)).count(),
        4 + 4 + 1 + 1 + 1 + 1,
        "{asked:?}"
    );
}

#[test]
fn a_store_that_fails_when_all_but_the_manifest_is_there_has_no_half_backup() {
    let sent = "can't write `staging/db/";
    fails_so(
        &Shop::new("echo later > data"),
        &[
            // Whose manifest would be found there, nobody could tell: it is not sent again.
            (is_manifest, Fate::Cut, sent, "the connection was cut; can this machine reach it?"),
            (is_manifest, Fate::Instead(507, ""), sent, "it is full; make room there"),
            (is_manifest, Fate::Instead(503, ""), sent, BUSY),
        ],
    );
}

#[test]
fn what_is_altered_on_its_way_does_not_count() {
    let advice = "it does not count, and what was saved before is there; save again";
    fails_so(
        &Shop::new(LARGE),
        &[
            (is_second_part, Fate::Altered, ".dump.zst`: its digest is another", advice),
            (is_manifest, Fate::Altered, ".json`: it is not what was just written", advice),
        ],
    );
}

#[test]
fn a_manifest_that_was_altered_and_can_not_be_removed_is_told() {
    let shop = Shop::new("echo later > data");
    shop.passage.judge(|line| match line {
        line if is_manifest(line) => Fate::Altered,
        line if line.starts_with("DELETE") => Fate::Instead(403, DENIED),
        _ => Fate::Passes,
    });
    shop.sandbox
        .deploy(["backup", "staging"])
        .fails_with(1)
        .mentions("it is not what was just written, and is still there: can't delete `staging/db/")
        .mentions(REFUSED);
}

#[test]
fn a_manifest_that_can_not_be_read_back_does_not_count() {
    let shop = Shop::new("echo later > data");
    let written = AtomicBool::new(false);
    shop.passage.judge(move |line| {
        written.fetch_or(is_manifest(line), Ordering::SeqCst);
        let is_read = line.starts_with("GET") && line.contains(".json");
        if is_read && written.load(Ordering::SeqCst) { Fate::Instead(403, DENIED) } else { Fate::Passes }
    });
    shop.sandbox
        .deploy(["backup", "staging"])
        .fails_with(1)
        .mentions("can't read `staging/db/")
        .mentions(REFUSED);
    shop.is_as_it_was();
}

#[test]
fn an_answer_that_is_lost_costs_no_backup() {
    let shop = Shop::new("echo later > data");
    shop.saves(is_manifest, Fate::Unanswered).succeeds().mentions("1 older backup of db removed");
    assert_ne!(shop.list(), shop.listed);
    shop.sandbox.deploy(["restore", "staging", "db", "--no-backup"]).succeeds();
    shop.sandbox.shell("cmp data back").succeeds();
}

/// It takes as long as a store is waited for.
#[test]
fn a_store_that_goes_silent_is_given_up() {
    let shop = Shop::new("echo later > data");
    let ended = shop.saves(|line| line.starts_with("PUT"), Fate::Silence);
    ended
        .fails_with(1)
        .mentions("can't write `staging/db/")
        .mentions("no answer within 30 s; can this machine reach it?");
    shop.is_as_it_was();
}

#[test]
fn ctrl_c_ends_a_part_that_is_under_way() {
    let shop = Shop::new(LARGE);
    shop.passage.judge(|line| if is_second_part(line) { Fate::Silence } else { Fate::Passes });
    let running = shop.sandbox.start(["backup", "staging"]);
    shop.passage.wait_for(is_second_part);
    running.signal(Signal::INT);
    running.wait().fails_with(130);
    // So that nobody pays for what was sent.
    shop.passage.wait_for(|line| line.starts_with("DELETE") && line.contains("uploadId="));
    shop.is_as_it_was();
}

#[test]
fn an_older_one_that_can_not_be_removed_is_told_and_harms_nothing() {
    let shop = Shop::new("echo later > data");
    let ended = shop.saves(|line| line.starts_with("DELETE"), Fate::Instead(403, DENIED));
    ended
        .succeeds()
        .mentions("what `keep` does not keep could not be removed: can't delete `staging/db/")
        .mentions(REFUSED);
    shop.sandbox.deploy(["restore", "staging", "db", "--no-backup"]).succeeds();
    shop.sandbox.shell("cmp data back").succeeds();
}
