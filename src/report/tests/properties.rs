//! Any run that can be, through every reporter.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const NAMES: [&str; 5] = ["a", "staging/deploy", "c[x=1]", "dé", "e"];

/// What one job does: its events in their order.
fn any_job(job: JobId, jobs: usize) -> impl Strategy<Value = Vec<EventKind>> {
    let bytes = prop_oneof![
        "[a-zé\n\r]{0,12}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..12),
        Just(vec![b'x'; 50_000]),
    ];
    let stream = prop_oneof![Just(Stream::Out), Just(Stream::Err)];
    let event = prop_oneof![
        8 => (stream, bytes).prop_map(move |(stream, bytes)| EventKind::Output { job, host: None, stream, bytes }),
        1 => "[a-z ]{1,8}".prop_map(move |text| note(job, &format!("({text})"))),
        1 => Just(EventKind::StepStarted { job, host: None, step: "true".into() }),
    ];
    let outcome = prop_oneof![
        2 => Just(Outcome::Succeeded),
        1 => Just(Outcome::Fresh),
        2 => (1..256).prop_map(move |code| failed(job, "false", Failure::Exit(code))),
        1 => Just(Outcome::Stopped),
        1 => (0..jobs).prop_map(|because| Outcome::Skipped { because: JobId::new(because) }),
    ];
    let settles = prop::bool::weighted(0.2);
    (prop::collection::vec(event, 0..6), outcome, settles).prop_map(move |(mut events, outcome, settles)| {
        if matches!(outcome, Outcome::Skipped { .. }) {
            events.clear();
        } else {
            events.insert(0, started(job));
        }
        events.push(ended(job, &outcome));
        if settles {
            events.push(out(job, "settled"));
        }
        events
    })
}

/// A run of some jobs at the same time; each job's events stay in their order.
pub(super) fn any_run() -> impl Strategy<Value = (Labels, Vec<Event>)> {
    (1..=NAMES.len()).prop_flat_map(|jobs| {
        let each: Vec<_> = (0..jobs).map(|job| any_job(JobId::new(job), jobs)).collect();
        let order = Just((0..jobs).map(JobId::new).collect::<Vec<_>>()).prop_shuffle();
        (each, order, prop::collection::vec(any::<Index>(), 64)).prop_map(move |(each, order, choices)| {
            let mut labels = labels(&NAMES[..jobs]);
            labels.order = order;
            let outcomes: Vec<Outcome> =
                each.iter().filter_map(|events| events.iter().find_map(outcome)).collect();
            let mut open: Vec<_> = each.into_iter().map(|events| events.into_iter().peekable()).collect();
            let mut kinds = vec![run_started()];
            for choice in choices {
                open.retain_mut(|events| events.peek().is_some());
                if !open.is_empty() {
                    let job = choice.index(open.len());
                    kinds.extend(open[job].next());
                }
            }
            kinds.push(run_ended(&outcomes));
            (labels, events(kinds))
        })
    })
}

fn outcome(kind: &EventKind) -> Option<Outcome> {
    match kind {
        EventKind::JobEnded { outcome, .. } => Some(outcome.clone()),
        _other => None,
    }
}

/// What the children wrote: by job and stream.
fn written(events: &[Event]) -> HashMap<(JobId, Stream), Vec<u8>> {
    let mut written: HashMap<_, Vec<u8>> = HashMap::new();
    for event in events {
        if let EventKind::Output { job, stream, bytes, .. } = &event.kind {
            written.entry((*job, *stream)).or_default().extend_from_slice(bytes);
        }
    }
    written
}

fn of_stream(events: &[Event], stream: Stream) -> Vec<u8> {
    let written = events.iter().filter_map(|event| match &event.kind {
        EventKind::Output { stream: of, bytes, .. } if *of == stream => Some(bytes.as_slice()),
        _other => None,
    });
    written.collect::<Vec<_>>().concat()
}

/// With an end to its last line.
fn finished(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last().is_some_and(|last| *last != b'\n') {
        bytes.push(b'\n');
    }
    bytes
}

proptest! {
    #[test]
    fn every_failure_is_told_exactly_once((labels, events) in any_run()) {
        let folder = tempfile::tempdir().unwrap();
        for format in formats(folder.path()).into_iter().filter(|format| *format != Format::Json) {
            let told = tell(&format, &labels, &events);
            for kind in events.iter().map(|event| &event.kind) {
                if let EventKind::JobEnded { job, outcome, .. } = kind {
                    let head = format!("deploy: {}: failed with exit code", labels.names[job.index()]);
                    let times = told.own.lines().filter(|line| line.starts_with(&head)).count();
                    prop_assert_eq!(times, usize::from(matches!(outcome, Outcome::Failed(_))));
                }
            }
        }
    }

    #[test]
    fn stream_hands_on_the_bytes_and_no_others((labels, events) in any_run()) {
        let told = tell(&Format::Stream, &labels, &events);
        prop_assert!(told.out == of_stream(&events, Stream::Out));
        prop_assert!(told.err == of_stream(&events, Stream::Err));
    }

    #[test]
    fn prefixed_hands_on_each_line_under_its_name((labels, events) in any_run()) {
        let told = tell(&Format::Prefixed, &labels, &events);
        let written = written(&events);
        for (stream, told) in [(Stream::Out, told.out), (Stream::Err, told.err)] {
            let mut unprefixed: HashMap<JobId, Vec<u8>> = HashMap::new();
            for line in told.split_inclusive(|&byte| byte == b'\n') {
                let bar = line.windows(3).position(|three| three == b" | ").expect("a prefix");
                let name = str::from_utf8(&line[..bar]).unwrap().trim_end();
                let job = labels.names.iter().position(|other| other == name).expect("a job's name");
                let content = &line[bar + 3..];
                let cut = usize::from(content.len() == crate::report::lines::LINE + 1);
                unprefixed.entry(JobId::new(job)).or_default().extend_from_slice(&content[..content.len() - cut]);
            }
            for job in labels.order.iter().copied() {
                let written = written.get(&(job, stream)).cloned().unwrap_or_default();
                let told = unprefixed.remove(&job).unwrap_or_default();
                // A job's end ends its line, also if what settles afterwards says more.
                let joined = |bytes: Vec<u8>| bytes.into_iter().filter(|byte| *byte != b'\n').collect::<Vec<_>>();
                let settles = events.iter().any(|event| matches!(&event.kind,
                    EventKind::Output { job: of, host: None, bytes, .. } if *of == job && bytes == b"settled"));
                if settles {
                    prop_assert!(joined(told) == joined(written));
                } else {
                    prop_assert!(finished(told) == finished(written));
                }
            }
        }
    }

    #[test]
    fn grouped_says_all_of_a_job_in_one_piece((labels, events) in any_run()) {
        let folder = tempfile::tempdir().unwrap();
        let settles = |event: &Event| matches!(&event.kind, EventKind::Output { bytes, .. } if bytes == b"settled");
        let events: Vec<Event> = events.into_iter().filter(|event| !settles(event)).collect();
        let told = tell(&Format::Grouped(folder.path().to_owned()), &labels, &events);
        let written = written(&events);
        for (stream, told) in [(Stream::Out, told.out), (Stream::Err, told.err)] {
            let of_job = |job: &JobId| finished(written.get(&(*job, stream)).cloned().unwrap_or_default());
            let expected: Vec<u8> = labels.order.iter().flat_map(of_job).collect();
            prop_assert!(told == expected);
        }
        for name in &labels.names {
            let heading = format!("deploy: output of {name}");
            prop_assert!(told.own.lines().filter(|line| *line == heading).count() <= 1);
        }
    }

    #[test]
    fn quiet_says_nothing_of_a_success((labels, events) in any_run()) {
        let folder = tempfile::tempdir().unwrap();
        let told = tell(&Format::Quiet(folder.path().to_owned()), &labels, &events);
        let is_good = |event: &Event| match outcome(&event.kind) {
            Some(outcome) => matches!(outcome, Outcome::Succeeded | Outcome::Fresh),
            None => true,
        };
        prop_assert_eq!(events.iter().all(is_good), told.screen.is_empty());
    }

    #[test]
    fn every_json_line_is_an_object_and_no_text_is_lost((labels, events) in any_run()) {
        let told = tell(&Format::Json, &labels, &events);
        let mut texts: HashMap<(String, String), String> = HashMap::new();
        for line in told.screen.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            prop_assert_eq!(&line["v"], 1);
            prop_assert!(line["at"].is_f64() && line["event"].is_string());
            if line["event"] == "output" {
                let key = (line["job"].as_str().unwrap().to_owned(), line["stream"].as_str().unwrap().to_owned());
                texts.entry(key).or_default().push_str(line["text"].as_str().unwrap());
            }
        }
        for ((job, stream), bytes) in written(&events).into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
            let stream = if stream == Stream::Out { "stdout" } else { "stderr" };
            let text = texts.remove(&(labels.names[job.index()].clone(), stream.to_owned())).unwrap_or_default();
            // The replacements may be more than for the whole, where an invalid sequence lies on a border.
            if let Ok(exact) = str::from_utf8(&bytes) {
                prop_assert_eq!(text, exact);
            } else {
                prop_assert!(text.contains(char::REPLACEMENT_CHARACTER));
            }
        }
    }
}
