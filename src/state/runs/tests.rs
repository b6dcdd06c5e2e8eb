//! Which runs there are, and which of them are removed.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::model::event::{Event, EventKind, Summary};
use crate::model::name::RunId;
use crate::state::durable::{self, PRIVATE_FILE};
use crate::state::log::Log;

/// Later runs have higher numbers.
fn id(number: i64) -> RunId {
    RunId(format!("20260804-101112-{number:08x}"))
}

/// Begins a run in the given second.
fn begun(state: &StateDir, number: i64, second: i64) -> Log {
    let about = About {
        run: id(number),
        began: Timestamp::from_second(second).unwrap(),
        environment: None,
        tasks: vec!["test".into()],
        jobs: Vec::new(),
        order: Vec::new(),
        sources: Vec::new(),
    };
    Log::begin(state, &about).unwrap()
}

fn end(mut log: Log) {
    let summary = Summary { outcomes: Vec::new(), signal: None, still_owed: 0, took: Duration::from_secs(2) };
    log.event(&Event { at: Duration::from_secs(2), kind: EventKind::RunEnded { summary } });
    log.finish().unwrap();
}

fn names(state: &StateDir) -> Vec<String> {
    let mut names: Vec<String> = folders(state)
        .iter()
        .map(|folder| folder.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    names
}

fn journal(state: &StateDir, number: i64, text: &str) {
    let folder = state.run(&id(number));
    durable::create_folder(&folder).unwrap();
    durable::replace(&folder.join("journal"), text.as_bytes(), PRIVATE_FILE).unwrap();
}

#[test]
fn the_newest_come_first_with_what_became_of_them() {
    let top = tempfile::tempdir().unwrap();
    let state = StateDir::of(top.path(), None);
    assert!(kept(&state).is_empty());
    end(begun(&state, 3, 1_000));
    drop(begun(&state, 2, 2_000));
    let running = begun(&state, 1, 3_000);
    let found = kept(&state);
    let ids: Vec<&RunId> = found.iter().map(|kept| &kept.about.run).collect();
    assert_eq!(ids, [&id(1), &id(2), &id(3)]);
    assert_eq!((found[0].standing, found[1].standing), (Standing::Running, Standing::CutOff));
    assert!(matches!(found[2].standing, Standing::Ended(end) if end.succeeded && end.took.as_secs() == 2));
    end(running);
    assert!(matches!(kept(&state)[0].standing, Standing::Ended(_)));
}

#[test]
fn a_folder_without_a_log_is_no_run_to_show() {
    let top = tempfile::tempdir().unwrap();
    let state = StateDir::of(top.path(), None);
    journal(&state, 1, "");
    assert!(kept(&state).is_empty());
}

#[test]
fn the_oldest_runs_go_but_none_that_runs_owes_or_begins() {
    let top = tempfile::tempdir().unwrap();
    let state = StateDir::of(top.path(), None);
    let running = begun(&state, 0, 0);
    durable::create_folder(&state.run(&id(1))).unwrap();
    end(begun(&state, 2, 2));
    journal(&state, 2, "{\"record\":\"ended\",\"succeeded\":true}\n");
    for (number, journal_of) in [
        (3, "{\"record\":\"settled\",\"seq\":1}\n"),
        (4, ""),
        (5, "{\"record\":\"ended\",\"succ"),
        (6, "?\n"),
    ] {
        end(begun(&state, number, number));
        journal(&state, number, journal_of);
    }
    drop(begun(&state, 7, 7));
    for number in 8..28 {
        end(begun(&state, number, number));
    }
    prune(&state);
    let expected: Vec<String> =
        [0, 1, 3, 4, 5, 6].into_iter().chain(8..28).map(|number| id(number).0).collect();
    assert_eq!(names(&state), expected);

    end(running);
    end(begun(&state, 28, 28));
    prune(&state);
    assert!(!state.run(&id(0)).exists() && !state.run(&id(8)).exists() && state.run(&id(9)).exists());
}
