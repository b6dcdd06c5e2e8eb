//! Ledgers: what they say is what their events come to, two writers lose nothing, and damage is told, never misread.

use std::time::Duration;

use super::*;
use crate::model::release::Release;
use crate::process::Stop;
use crate::release::event::{Event, What};
use crate::release::history::{Outcome, deliveries};
use crate::release::ledger::{Ledger, LedgerError, Tip};
use crate::release::state::{Meeting, State};

fn event(what: What, release: u32) -> Event {
    let at = "2026-03-01T10:00:00Z".parse().unwrap();
    Event {
        what,
        at,
        by: "Ana@laptop".to_owned(),
        run: Some(run("r1")),
        release: Some(release),
        reason: None,
        took: None,
    }
}

fn stop() -> Stop {
    Stop::new(Duration::from_secs(5))
}

fn id(digit: char) -> ObjectId {
    ObjectId::parse(&digit.to_string().repeat(40)).unwrap()
}

fn started(number: u32) -> Event {
    let event = event(What::Live, number);
    let release = Release {
        number,
        source: id('a'),
        source_tree: id('b'),
        subject: "A change: one".to_owned(),
        branch: Some("main".to_owned()),
        commit: Some(id(char::from_digit(number % 10, 10).unwrap())),
        tree: Some(id('d')),
        swapped: vec!["requirements.txt".to_owned(), "b c".to_owned()],
        restores: Some(3),
        deployment: None,
        run: run("r1"),
        by: event.by.clone(),
        at: event.at,
    };
    Event { what: What::Started(Box::new(release)), ..event }
}

#[test]
fn a_ledger_says_what_its_events_come_to_and_tells_them_again() {
    let world = World::with(&[("a", "1")]);
    let scratch = world.scratch();
    let ledger = Ledger::new(&scratch, refs());
    assert_eq!(ledger.look().unwrap(), Tip::default());
    assert_eq!(ledger.events(10).unwrap(), []);

    let failed = Event { reason: Some("health:\n 502".to_owned()), took: Some(40), ..event(What::Failed, 2) };
    let events = [
        event(What::Adopted { commit: Some(id('f')), number: 0 }, 0),
        started(1),
        event(What::Shipped { deployment: Some("dep-1".to_owned()) }, 1),
        Event { took: Some(12), ..event(What::Live, 1) },
        event(What::Overridden { rule: "freeze".to_owned() }, 2),
        started(2),
        event(What::Shipped { deployment: None }, 2),
        failed.clone(),
        event(What::Frozen, 2),
        event(What::RolledBack { by: 3 }, 2),
        event(What::Locked(None), 2),
        event(What::LockBroken { of: Some(run("r0")) }, 2),
        event(What::Locked(None), 2),
    ];
    let mut tip = ledger.look().unwrap();
    for event in &events {
        tip = ledger.append(tip, std::slice::from_ref(event), &stop()).unwrap();
    }
    assert_eq!(ledger.look().unwrap(), tip);
    let state = &tip.state;
    let live = state.live.as_ref().unwrap();
    assert_eq!((state.number, live.number, live.deployment.as_deref()), (2, 1, Some("dep-1")));
    assert_eq!((state.shipped.clone(), state.pending.clone()), (Some(id('2')), None));
    assert_eq!(state.frozen.as_ref().map(|hold| hold.by.as_str()), Some("Ana@laptop"));

    let mut told = ledger.events(100).unwrap();
    assert_eq!(ledger.events(2).unwrap(), told[..2]);
    let replayed = told.iter().rev().fold(State::default(), State::after);
    assert_eq!(replayed, *state);
    told.reverse();
    let one_line = Event { reason: Some("health: 502".to_owned()), ..failed };
    let expected = events.map(|event| if event.what == What::Failed { one_line.clone() } else { event });
    assert_eq!(told, expected);
}

#[test]
fn history_has_one_line_a_release() {
    let mut events: Vec<Event> = vec![
        started(1),
        event(What::Live, 1),
        started(2),
        event(What::Shipped { deployment: Some("dep-2".to_owned()) }, 2),
        Event { reason: Some("502".to_owned()), took: Some(9), ..event(What::Failed, 2) },
        started(3),
        event(What::Live, 3),
        event(What::Frozen, 3),
        event(What::RolledBack { by: 3 }, 2),
        started(4),
        event(What::Shipped { deployment: None }, 4),
        started(5),
    ];
    let state = events.iter().fold(State::default(), State::after);
    events.reverse();
    let told = deliveries(&events, &state);
    let named: Vec<_> = told.iter().filter_map(|one| one.release.deployment.as_deref()).collect();
    assert_eq!(named, ["dep-2"]);
    let told: Vec<_> = told.into_iter().map(|one| (one.release.number, one.outcome, one.took)).collect();
    assert_eq!(
        told,
        [
            (5, Outcome::Begun, None),
            (4, Outcome::Shipped, None),
            (3, Outcome::Live, None),
            (2, Outcome::RolledBack, Some(9)),
            (1, Outcome::Replaced, None),
        ]
    );
    // Cut in the middle of a release, its rest is left out and not made up.
    assert_eq!(deliveries(&events[..8], &state).len(), 3);
}

#[test]
fn the_target_tells_whether_a_pending_release_arrived() {
    let mut state = State::default();
    assert_eq!(state.meet(None), Meeting::Expected);
    assert_eq!(state.meet(Some(&id('f'))), Meeting::FirstContact);
    state = state.after(&started(1));
    assert_eq!(state.meet(None), Meeting::Expected);
    assert_eq!(state.meet(Some(&id('1'))), Meeting::Arrived);
    state = state
        .after(&event(What::Shipped { deployment: None }, 1))
        .after(&event(What::Live, 1))
        .after(&started(2));
    assert_eq!(state.meet(Some(&id('1'))), Meeting::Expected);
    assert_eq!(state.meet(Some(&id('2'))), Meeting::Arrived);
    assert_eq!(state.meet(Some(&id('f'))), Meeting::Foreign);
    assert_eq!(state.meet(None), Meeting::Emptied);
}

#[test]
fn of_two_who_write_after_the_same_event_one_is_told_so() {
    let world = World::with(&[("a", "1")]);
    let scratch = world.scratch();
    let (one, other) = (Ledger::new(&scratch, refs()), Ledger::new(&scratch, refs()));
    // Both begin; then both go on.
    for _ in 0..2 {
        let (mine, theirs) = (one.look().unwrap(), other.look().unwrap());
        let written = one.append(mine, &[event(What::Frozen, 1)], &stop()).unwrap();
        let refused = other.append(theirs, &[event(What::Thawed, 1)], &stop()).unwrap_err();
        let LedgerError::Moved { tip, .. } = refused else { panic!("{refused}") };
        assert_eq!(*tip, written);
        assert_eq!(one.look().unwrap(), written);
    }
    assert_eq!(one.events(10).unwrap().len(), 2);
}

#[test]
fn writers_at_the_same_time_lose_nothing() {
    const WRITERS: u32 = 4;
    const EVENTS: u32 = 6;
    let world = World::with(&[("a", "1")]);
    let scratch = world.scratch();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let ledger = Ledger::new(&scratch, refs());
            scope.spawn(move || {
                let mut tip = ledger.look().unwrap();
                for number in 0..EVENTS {
                    let event = event(What::Shipped { deployment: None }, writer * EVENTS + number);
                    loop {
                        match ledger.append(tip, std::slice::from_ref(&event), &stop()) {
                            Ok(written) => break tip = written,
                            Err(LedgerError::Moved { tip: now, .. }) => tip = *now,
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
            });
        }
    });
    let mut numbers: Vec<u32> = Ledger::new(&scratch, refs())
        .events(1000)
        .unwrap()
        .iter()
        .filter_map(|event| event.release)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..WRITERS * EVENTS).collect::<Vec<_>>());
}

#[test]
fn a_damaged_ledger_is_refused_at_every_length_and_a_left_lock_is_not_in_the_way() {
    let world = World::with(&[("a", "1")]);
    let scratch = world.scratch();
    let ledger = Ledger::new(&scratch, refs());
    let tip = ledger.append(Tip::default(), &[event(What::Frozen, 1)], &stop()).unwrap();
    let path = scratch.path().join(refs().log());
    let whole = fs::read(&path).unwrap();
    fs::File::create(path.with_extension("lock")).unwrap();
    for length in 0..whole.len() {
        crate::state::durable::replace(&path, &whole[..length], 0o600).unwrap();
        match ledger.look() {
            Err(error) => assert!(error.to_string().contains("damaged"), "{error}"),
            // Only the newline is missing.
            Ok(read) => assert_eq!((length, &read), (40, &tip)),
        }
    }
    crate::state::durable::replace(&path, &whole, 0o600).unwrap();
    assert!(ledger.append(tip, &[event(What::Thawed, 1)], &stop()).is_ok());
}

#[test]
fn a_ledger_of_a_newer_deploy_is_refused_and_its_events_are_told() {
    let world = World::with(&[("a", "1")]);
    let scratch = world.scratch();
    let ledger = Ledger::new(&scratch, refs());
    let newer = State { version: 2, ..State::default() };
    let tip = Tip { id: None, state: newer };
    ledger.append(tip, &[event(What::Other("sealed".to_owned()), 1)], &stop()).unwrap();
    assert_eq!(ledger.look().unwrap_err().to_string(), "the ledger of staging was written by a newer deploy");
    assert_eq!(ledger.events(1).unwrap()[0].what, What::Other("sealed".to_owned()));
}
