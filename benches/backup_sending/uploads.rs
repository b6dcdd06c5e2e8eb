//! Many small files on their way to an S3 server (moto), and back. What it is asked is counted on the way to it: requests, and
//! bytes with their heads. Times say little, for most of them is the server's.

use std::fs;

use crate::measure;
use crate::support::{Emulator, Passage, Sandbox};

const UPLOADS: usize = 10_000;

const CHANGED: usize = 20;

/// How long one is, in bytes: a picture that can't be compressed.
const SIZE: usize = 10_000;

const TASKS: &str = r#"
[stores.offsite]
url      = "s3://builds/deploy"
endpoint = "ENDPOINT"
[backups.media]
files = ["media/**"]
store = "offsite"
[environments.staging]
target = { git = "web" }
"#;

const DEPLOY: (&str, &str) = ("deploy backup", r#""$DEPLOY" --quiet backup staging media"#);

const RESTORE: (&str, &str) =
    ("deploy restore, which compares first", r#""$DEPLOY" --quiet restore staging media --no-backup"#);

/// By what the listing tells of content, as its manual advises for S3: otherwise it asks for the time of each object.
const RCLONE: (&str, &str) =
    ("rclone copy --checksum --fast-list", "rclone -q copy --checksum --fast-list media :s3:builds/rclone");

const PLAIN: (&str, &str) = ("rclone copy", "rclone -q copy media :s3:builds/rclone");

const BACK: (&str, &str) =
    ("rclone copy, and back", "rclone -q copy --checksum --fast-list :s3:builds/rclone ../rclone");

pub(crate) fn uploads() {
    let store = Emulator::s3();
    let passage = Passage::to(store.endpoint());
    let endpoint = passage.endpoint();
    let mut sandbox = Sandbox::shop(&TASKS.replace("ENDPOINT", &endpoint)).remote("web");
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("RCLONE_CONFIG", ""),
        ("RCLONE_S3_PROVIDER", "Other"),
        ("RCLONE_S3_ENDPOINT", &endpoint),
        ("RCLONE_S3_ACCESS_KEY_ID", "test"),
        ("RCLONE_S3_SECRET_ACCESS_KEY", "test"),
    ] {
        sandbox = sandbox.env(name, value);
    }
    for folder in 0..100 {
        fs::create_dir_all(sandbox.root().join(format!("media/{folder}"))).expect("an empty folder");
    }
    let write = |number: usize, seed: usize| {
        let path = sandbox.root().join(name(number));
        fs::write(path, picture(seed)).expect("a file of the project");
    };
    (0..UPLOADS).for_each(|number| write(number, number));
    println!("{UPLOADS} uploads of {SIZE} bytes, to an S3 server\n");
    let [sent, answered] = ["KiB sent", "KiB answered"];
    println!("{:48} {:>9} {sent:>10} {answered:>13} {:>9} {:>12}", "", "requests", "seconds", "peak in MiB");
    let run = |when: &str, (way, line): (&str, &str)| {
        let before = passage.passed();
        let figure = measure(&sandbox, line);
        let after = passage.passed();
        println!(
            "{:48} {:>9} {:>10} {:>13} {:>9.2} {:>12.1}",
            format!("{when}: {way}"),
            after.requests - before.requests,
            (after.sent - before.sent) >> 10,
            (after.answered - before.answered) >> 10,
            figure.seconds,
            figure.peak
        );
    };
    run("all", DEPLOY);
    run("all", RCLONE);
    run("none changed", DEPLOY);
    run("none changed", RCLONE);
    (0..CHANGED).for_each(|number| write(number * 37, UPLOADS + number));
    run("20 changed", DEPLOY);
    run("20 changed", RCLONE);
    run("none changed", PLAIN);
    run("back", RESTORE);
    run("back", BACK);
    let restored = fs::read_dir(sandbox.root().join(".deploy/restored")).expect("what came back");
    let restored = restored.map(|entry| entry.expect("a folder of ours").path()).next().expect("a folder");
    for number in 0..UPLOADS {
        let read = |folder: &std::path::Path| fs::read(folder.join(name(number))).expect("a file");
        assert!(read(&restored) == read(&sandbox.root()), "{} came back other than it was", name(number));
    }
    let found = sandbox.shell("cd .deploy/restored/*/ && find . -type f | wc -l");
    found.succeeds().prints(&format!("{UPLOADS}\n"));
    println!("\n{UPLOADS} files came back by deploy, and each is what it was");
}

fn name(number: usize) -> String {
    format!("media/{}/{number}.jpg", number % 100)
}

/// Bytes that look like noise, others for each seed.
fn picture(seed: usize) -> Vec<u8> {
    let mut state = seed as u64 * 2 + 1;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    })
    .take(SIZE)
    .collect()
}
