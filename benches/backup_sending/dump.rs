//! A dump on its way to a folder and back. What the others do in a pipe is deploy's work alone and no more: it is also hashed,
//! brought to disk and read back; so one of them does that too.

use std::fs;

use crate::measure;
use crate::measure::median;
use crate::run::Figure;
use crate::support::{Postgres, Sandbox};

const TURNS: usize = 3;

/// How long a row is in a dump, in bytes: a number, seven digests in hexadecimal, which can be compressed by half, as text
/// can, and a time.
const ROW: usize = 930;

const TABLE: &str = "create unlogged table orders as select n as id, \
    (select string_agg(encode(sha512(convert_to(n || ' ' || part, 'UTF8')), 'hex'), ' ') \
     from generate_series(1, 7) part) as words, \
    timestamp '2026-01-01' + n * interval '1 second' as at \
    from generate_series(1, ROWS) n";

const DIGEST: &str =
    "select count(*) || ' ' || md5(string_agg(md5(orders::text), '' order by id)) from orders";

const TASKS: &str = r#"
[stores.offsite]
url = "SANDBOX/store"
[backups.db]
dump    = "pg_dump -Fc -Z0 \"$SHOP\""
restore = "pg_restore --clean --if-exists --exit-on-error -d \"$SHOP\""
store   = "offsite"
keep    = { last = 1 }
[environments.staging]
target = { git = "web" }
"#;

/// The first is the least that each of them needs.
const WAYS: [(&str, &str); 4] = [
    ("pg_dump, to nowhere", r#"pg_dump -Fc -Z0 "$SHOP" > /dev/null"#),
    (
        "pg_dump | zstd -3 | rclone rcat",
        r#"pg_dump -Fc -Z0 "$SHOP" | zstd -3 -q | rclone -q rcat "$KEPT/dump""#,
    ),
    (
        "the same, hashed, synced, read back",
        r#"
        mkfifo ../copy
        sha256sum < ../copy > ../sent &
        pg_dump -Fc -Z0 "$SHOP" | zstd -3 -q | tee ../copy | rclone -q rcat "$KEPT/dump"
        wait
        sync "$KEPT/dump"
        rclone -q cat "$KEPT/dump" | sha256sum | cmp - ../sent
        rm ../copy"#,
    ),
    ("deploy backup", r#""$DEPLOY" --quiet backup staging db"#),
];

const BACK: [(&str, &str); 2] = [
    (
        "rclone cat | zstd -d | pg_restore",
        r#"rclone -q cat "$KEPT/dump" | zstd -dcq | pg_restore --clean --if-exists --exit-on-error -d "$SHOP""#,
    ),
    ("deploy restore, which compares first", r#""$DEPLOY" --quiet restore staging db --no-backup"#),
];

pub(crate) fn dump(mib: usize) {
    let postgres = Postgres::start();
    postgres.sql("postgres", "create database shop");
    postgres.sql("shop", &TABLE.replace("ROWS", &(mib * 1024 * 1024 / ROW).to_string()));
    let sandbox = Sandbox::shop(TASKS).remote("web").env("SHOP", &postgres.url("shop"));
    let kept = sandbox.path("rclone");
    let sandbox = sandbox.env("KEPT", &kept.display().to_string()).env("RCLONE_CONFIG", "");
    fs::create_dir(&kept).expect("an empty folder");
    let rows = postgres.sql("shop", DIGEST);
    let mut figures: [Vec<Figure>; WAYS.len()] = Default::default();
    for _ in 0..TURNS {
        for ((_, line), figures) in WAYS.iter().zip(&mut figures) {
            figures.push(measure(&sandbox, line));
        }
    }
    let listed = sandbox.deploy(["backups", "staging", "db", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.succeeds().stdout).expect("JSON");
    let size = listed[0]["size"].as_u64().expect("a size") >> 20;
    let stored = fs::metadata(kept.join("dump")).expect("what rclone has kept").len() >> 20;
    println!("a dump of {size} MiB, {stored} MiB by zstd -3; medians of {TURNS} turns\n");
    head();
    for ((way, _), own) in WAYS.iter().zip(&figures) {
        row(way, own, &figures[1]);
    }
    println!("\nand back, once\n");
    head();
    let back: Vec<Vec<Figure>> = BACK
        .iter()
        .map(|(way, line)| {
            let figure = measure(&sandbox, line);
            assert_eq!(postgres.sql("shop", DIGEST), rows, "{way}: other rows came back");
            vec![figure]
        })
        .collect();
    for ((way, _), own) in BACK.iter().zip(&back) {
        row(way, own, &back[0]);
    }
    let count = rows.split(' ').next().unwrap_or_default();
    println!("\nafter each: {count} rows, and the digest of all of them is what it was\n");
}

fn head() {
    let [seconds, processor, peak] = ["seconds", "processor", "peak in MiB"];
    println!("{:40} {seconds:>9} {:>7} {processor:>10} {:>7} {peak:>12}", "", "ratio", "ratio");
}

/// The ratios are those of runs of the same turn.
fn row(way: &str, own: &[Figure], beside: &[Figure]) {
    let of = |what: fn(&Figure) -> f64| {
        let values: Vec<f64> = own.iter().map(what).collect();
        let ratios: Vec<f64> = own.iter().zip(beside).map(|(own, other)| what(own) / what(other)).collect();
        (median(&values), median(&ratios))
    };
    let ((seconds, slower), (processor, more)) = (of(|run| run.seconds), of(|run| run.processor));
    let peak = own.iter().map(|run| run.peak).fold(0.0, f64::max);
    println!("{way:40} {seconds:>9.2} {slower:>7.2} {processor:>10.2} {more:>7.2} {peak:>12.1}");
}
