//! Where it is measured: a temporary folder with the files of all workloads, and which tools are there.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::floor;
use crate::task::{self, Task};
use crate::tools::{TOOLS, Tool};
use crate::workload::{Kind, Workload};

/// How long a line is that is printed, with its end.
const LINE: usize = 100;

const MEGABYTE: usize = 1_000_000;

pub(crate) struct Place {
    folder: TempDir,
    pub(crate) least: PathBuf,
    /// Of each tool where it is and what it says of its version, if it is installed.
    pub(crate) found: Vec<Option<(PathBuf, String)>>,
}

impl Place {
    pub(crate) fn new(installed: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let least = floor::build(folder.path());
        let found = TOOLS.iter().map(|tool| tool.found(installed)).collect();
        Self { folder, least, found }
    }

    /// The tool's own folder for the workload.
    pub(crate) fn folder(&self, workload: &Workload, tool: &Tool) -> PathBuf {
        self.folder.path().join(workload.name()).join(tool.name)
    }

    /// Writes the tool's file, and all that this speaks of.
    pub(crate) fn lay(&self, workload: &Workload, tool: &Tool) {
        let folder = self.folder(workload, tool);
        fs::create_dir_all(&folder).expect("a new folder");
        let tasks = task::tasks(workload, &self.data(workload));
        fs::write(folder.join(tool.file), (tool.text)(workload, &tasks)).expect("a file in a new folder");
        if workload.kind == Kind::Fresh {
            lay_files(&folder, &tasks);
        }
    }

    /// The file that each task prints.
    pub(crate) fn data(&self, workload: &Workload) -> PathBuf {
        let file = self.folder.path().join(format!("{}-megabytes", workload.megabytes()));
        if matches!(workload.kind, Kind::Print(_)) && !file.exists() {
            let line = format!("{}\n", "x".repeat(LINE - 1));
            let text = line.repeat(workload.megabytes() * MEGABYTE / LINE);
            fs::write(&file, text).expect("room in the temporary folder");
        }
        file
    }

    /// Room for the next workload.
    pub(crate) fn clear(&self, workload: &Workload) {
        let _absent = fs::remove_dir_all(self.folder.path().join(workload.name()));
    }
}

/// What tasks are made of, and then what they have made of it.
fn lay_files(folder: &Path, tasks: &[Task]) {
    for name in ["in", "out"] {
        fs::create_dir_all(folder.join(name)).expect("a folder in a new folder");
    }
    for input in tasks.iter().filter_map(|task| task.input.as_ref()) {
        fs::write(folder.join(input), input.repeat(10)).expect("a file in a new folder");
    }
    for output in tasks.iter().filter_map(|task| task.output.as_ref()) {
        fs::write(folder.join(output), "").expect("a file in a new folder");
    }
}
