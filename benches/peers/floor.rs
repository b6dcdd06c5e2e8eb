//! The least that each workload can cost, as a command.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::Place;
use crate::run::{Run, Stdout};
use crate::tools::TOOLS;
use crate::turns::PATIENCE;
use crate::workload::{Kind, Workload};

/// How many tasks are too few to be worth the reading.
const FEW: usize = 3;

/// Builds `least.rs`, static and small: what any other program pays on top is its own.
pub(crate) fn build(folder: &Path) -> PathBuf {
    let program = folder.join("least");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/least.rs");
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition", "2024", "-O", "-C", "target-feature=+crt-static", "-C", "panic=abort"]);
    let status = rustc.args(["-C", "strip=symbols", "-o"]).arg(&program).arg(source).status();
    assert!(status.expect("rustc stands beside cargo").success(), "rustc has not built least.rs");
    program
}

/// The command; its folder is deploy's, whose file it reads.
pub(crate) fn floor(workload: &Workload, place: &Place) -> Run {
    let folder = place.folder(workload, &TOOLS[0]);
    let Workload { size, at_once, .. } = workload;
    let text = match workload.kind {
        Kind::List if *size <= FEW => "hello".to_owned(),
        Kind::One if *size <= FEW => "run 1 1".to_owned(),
        Kind::List => "lines tasks.toml".to_owned(),
        Kind::One => "lines tasks.toml run".to_owned(),
        Kind::Shell | Kind::Simple | Kind::Layers => format!("run {size} {at_once}"),
        Kind::Chain => format!("run {size} 1"),
        Kind::Fresh => format!("look {size}"),
        Kind::Print(_) => return print(workload, place, &folder),
    };
    let words = text.split(' ').map(str::to_owned).collect();
    let program = place.least.clone();
    Run { program, words, folder, code: 0, stdout: Stdout::Null, patience: PATIENCE }
}

/// `cat` into the pipe, as many at once as there are tasks.
fn print(workload: &Workload, place: &Place, folder: &Path) -> Run {
    let file = place.data(workload).display().to_string();
    let (program, words) = match workload.size {
        1 => ("/bin/cat", vec![file]),
        several => {
            ("/bin/sh", vec!["-c".to_owned(), format!("{}wait", format!("cat {file} & ").repeat(several))])
        }
    };
    let (program, folder) = (PathBuf::from(program), folder.to_owned());
    Run { program, words, folder, code: 0, stdout: Stdout::Pipe, patience: PATIENCE }
}
