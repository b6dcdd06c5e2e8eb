//! Instructions, as callgrind counts them: in all, and within each layer with all that it calls. What a layer calls of
//! another one counts for both.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::case::{DEPLOY, run};
use crate::record::{ALL, Counts};

pub(crate) fn count(words: &[&str], folder: &TempDir) -> Counts {
    let file = folder.path().join("callgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"]);
    valgrind.arg(format!("--callgrind-out-file={}", file.display())).arg(DEPLOY).args(words);
    run(&mut valgrind, folder);
    by_layer(&fs::read_to_string(file).expect("what callgrind has written"))
}

/// A line `fn=` names a function. `cfn=` names one that it calls; behind the line `calls=` stands what all those calls
/// have cost, with all that they called.
fn by_layer(profile: &str) -> Counts {
    let mut counts = Counts::new();
    let (mut caller, mut callee) = (None, None);
    let mut lines = profile.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("fn=") {
            caller = layer(name);
        } else if let Some(name) = line.strip_prefix("cfn=") {
            callee = layer(name);
        } else if line.starts_with("calls=") {
            let cost = lines.next().and_then(|line| line.split(' ').next_back()?.parse::<u64>().ok());
            // A call within a layer is in the cost of the one that led into it.
            if let Some(callee) = callee.filter(|callee| caller != Some(*callee)) {
                *counts.entry(callee.to_owned()).or_default() += cost.expect("a cost behind each call");
            }
        } else if let Some(total) = line.strip_prefix("totals: ") {
            counts.insert(ALL.to_owned(), total.trim().parse().expect("a number"));
        }
    }
    counts
}

/// `config` of `deploy::config::parse`, and of `<deploy::config::Reader as Drop>::drop`.
fn layer(function: &str) -> Option<&str> {
    let path = function.trim_start_matches(['<', '&']).strip_prefix("deploy::")?;
    Some(path.split_once("::")?.0)
}
