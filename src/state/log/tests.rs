//! What was told is read again as it was told; of a log that was cut, what was there.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;
use crate::diagnostic::Span;
use crate::model::event::{Failed, Failure, Outcome, StopReason, Stream, Summary};
use crate::state::durable;

fn about() -> About {
    let source = Source::new("tasks.toml", "[tasks.a]\nrun = \"é\"\n\n[tasks.b]");
    About {
        run: RunId("20260804-101112-00000001".into()),
        began: Timestamp::from_second(1_785_000_000).unwrap(),
        environment: Some("staging".into()),
        tasks: vec!["b".into()],
        jobs: vec!["staging/a".into(), "staging/b".into()],
        order: vec![JobId(1), JobId(0)],
        sources: vec![Outline::of(&source)],
    }
}

fn event(millis: u64, kind: EventKind) -> Event {
    Event { at: Duration::from_millis(millis), kind }
}

fn output(millis: u64, stream: Stream, bytes: &[u8]) -> Event {
    event(millis, EventKind::Output { job: JobId(0), host: None, stream, bytes: bytes.into() })
}

fn ended(millis: u64, job: JobId, outcome: Outcome) -> Event {
    event(millis, EventKind::JobEnded { job, outcome, took: Duration::from_micros(17) })
}

/// A run that has something of each kind.
fn events() -> Vec<Event> {
    let failed = Failed {
        step: "é".into(),
        at: Span::new(0, 17..19),
        failure: Failure::TimedOut(Duration::from_secs(1)),
    };
    let outcomes = vec![Outcome::Failed(failed.clone()), Outcome::Skipped { because: JobId(0) }];
    vec![
        event(0, EventKind::RunStarted { run: about().run }),
        event(1, EventKind::JobStarted { job: JobId(0) }),
        output(2, Stream::Out, b"half a li"),
        output(3, Stream::Err, b"\xff\0{\"end\":{}}\n\n"),
        output(4, Stream::Out, b""),
        event(5, EventKind::Note { job: JobId(0), host: None, text: "two\nlines".into() }),
        event(6, EventKind::Stopping { why: StopReason::FailFast }),
        ended(7, JobId(0), outcomes[0].clone()),
        ended(8, JobId(1), outcomes[1].clone()),
        event(
            9,
            EventKind::DeferredFailed {
                job: JobId(0),
                host: None,
                step: "rm".into(),
                at: failed.at,
                failure: Failure::NotStarted { message: "gone".into(), code: 127 },
            },
        ),
        event(
            10,
            EventKind::RunEnded {
                summary: Summary { outcomes, signal: None, still_owed: 1, took: Duration::from_millis(10) },
            },
        ),
    ]
}

/// A folder with the log of a whole run.
fn logged(events: &[Event]) -> (tempfile::TempDir, PathBuf) {
    let top = tempfile::tempdir().unwrap();
    let state = StateDir::of(top.path(), None);
    let mut log = Log::begin(&state, &about()).unwrap();
    for event in events {
        log.event(event);
    }
    assert_eq!(log.finish().unwrap(), 0);
    let folder = state.run(&about().run);
    (top, folder)
}

fn read(replay: &mut Replay) -> Vec<Event> {
    replay.map(Result::unwrap).collect()
}

#[test]
fn a_log_says_what_was_told_and_is_private() {
    let (_top, folder) = logged(&events());
    let mut replay = Replay::open(&folder).unwrap();
    assert_eq!(replay.about, about());
    assert_eq!(read(&mut replay), events());
    let took = Duration::from_millis(10);
    let end = End { succeeded: false, signal: None, still_owed: 1, took, left_out: 0 };
    assert_eq!(replay.end, Some(end));
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(folder.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_bytes_of_output_stand_in_the_file_as_they_are() {
    let (_top, folder) = logged(&[output(2, Stream::Err, b"E  assert 1 == 2\nxx")]);
    let text = fs::read_to_string(folder.join(FILE)).unwrap();
    let (_, told) = text.split_once('\n').unwrap();
    let line = r#"{"at":{"secs":0,"nanos":2000000},"event":"output","job":0,"stream":"err","length":19}"#;
    assert_eq!(told, format!("{line}\nE  assert 1 == 2\nxx\n"));
}

#[test]
fn a_place_is_found_though_the_file_may_be_another_by_now() {
    let source = about().sources[0].source();
    assert_eq!((source.path.as_str(), source.line(17)), ("tasks.toml", 2));
    assert_eq!((source.line(0), source.line(21), source.line(22)), (1, 3, 4));
}

#[test]
fn of_a_log_that_was_cut_anywhere_its_beginning_is_read_and_open_jobs_were_stopped() {
    let (_top, folder) = logged(&events());
    let whole = fs::read(folder.join(FILE)).unwrap();
    let head = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let bytes = |events: &[Event]| -> Vec<u8> {
        events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Output { bytes, .. } => Some(bytes.clone()),
                _other => None,
            })
            .collect::<Vec<_>>()
            .concat()
    };
    let file = OpenOptions::new().write(true).open(folder.join(FILE)).unwrap();
    for length in (0..whole.len()).rev() {
        file.set_len(length as u64).unwrap();
        let Ok(mut replay) = Replay::open(&folder) else {
            assert!(length < head, "{length}");
            continue;
        };
        let told = read(&mut replay);
        assert!(bytes(&events()).starts_with(&bytes(&told)), "{length}");
        let mut ends: Vec<JobId> = told
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::JobEnded { job, .. } => Some(*job),
                _other => None,
            })
            .collect();
        ends.sort_unstable();
        assert_eq!((ends, replay.end), (vec![JobId(0), JobId(1)], None), "{length}");
    }
}

#[test]
fn a_log_that_is_damaged_within_is_refused_where_it_is() {
    let (_top, folder) = logged(&events());
    let path = folder.join(FILE);
    let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).replace("\"note\"", "\"nose\"");
    durable::replace(&path, text.as_bytes(), PRIVATE_FILE).unwrap();
    let error = Replay::open(&folder).unwrap().find_map(Result::err).unwrap().to_string();
    assert!(error.starts_with("`/") && error.contains("/output` is damaged at byte "), "{error}");

    durable::replace(&path, b"{\"version\":2}\n", PRIVATE_FILE).unwrap();
    let error = Replay::open(&folder).err().unwrap().to_string();
    assert!(error.ends_with("was written by another version of deploy (2)"), "{error}");
}

#[test]
fn a_full_disk_is_told_at_the_end_and_nowhere_else() {
    let top = tempfile::tempdir().unwrap();
    let mut log = Log::begin(&StateDir::of(top.path(), None), &about()).unwrap();
    log.file = OpenOptions::new().append(true).open("/dev/full").unwrap();
    for event in events() {
        log.event(&event);
    }
    let error = log.finish().unwrap_err().to_string();
    assert!(error.starts_with("can't write `/") && error.contains("No space left"), "{error}");
}

#[test]
fn a_folder_that_can_not_be_made_is_told() {
    let top = tempfile::tempdir().unwrap();
    let state = StateDir::of(top.path(), None);
    state.create().unwrap();
    durable::replace(&state.runs(), b"", PRIVATE_FILE).unwrap();
    let error = Log::begin(&state, &about()).err().unwrap().to_string();
    assert!(error.starts_with("can't write `/"), "{error}");
}

#[test]
fn output_beyond_the_limit_is_left_out_and_the_rest_is_kept() {
    let top = tempfile::tempdir().unwrap();
    let state = StateDir::of(top.path(), None);
    let mut log = Log::begin(&state, &about()).unwrap();
    log.room = 5;
    let failed = ended(4, JobId(0), Outcome::Stopped);
    for event in [
        &output(1, Stream::Out, b"123"),
        &output(2, Stream::Out, b"456"),
        &output(3, Stream::Out, b"7"),
        &failed,
    ] {
        log.event(event);
    }
    assert_eq!(log.finish().unwrap(), 4);
    let told = read(&mut Replay::open(&state.run(&about().run)).unwrap());
    assert_eq!(told[..2], [output(1, Stream::Out, b"123"), failed]);
}

proptest! {
    #[test]
    fn any_bytes_come_back(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)) {
        let pieces: Vec<Event> = pieces.iter().map(|bytes| output(1, Stream::Out, bytes)).collect();
        let (_top, folder) = logged(&pieces);
        let mut told = read(&mut Replay::open(&folder).unwrap());
        told.truncate(pieces.len());
        prop_assert_eq!(told, pieces);
    }
}
