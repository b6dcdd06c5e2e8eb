//! Who may change an environment: one run at a time, and those that it started itself.

use super::*;
use crate::release::lock::{Holder, Lock, LockError};

fn holder(id: &str) -> Holder {
    Holder {
        run: run(id),
        pid: std::process::id(),
        by: "Ana".to_owned(),
        since: "2026-03-01T10:00:00Z".parse().unwrap(),
        command: "deploy staging".to_owned(),
    }
}

#[test]
fn one_run_holds_an_environment_and_says_who_it_is_until_it_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::of(folder.path(), None);
    assert_eq!(Lock::look(&state, &refs()), None);
    assert!(!state.exists(), "looking creates nothing");
    let held = Lock::take(&state, &refs(), &holder("r1"), None).unwrap();
    assert_eq!(Lock::look(&state, &refs()), Some(holder("r1")));
    for within in [None, Some(run("r2"))] {
        let refused = Lock::take(&state, &refs(), &holder("r2"), within.as_ref()).unwrap_err();
        let LockError::Held(Some(by)) = refused else { panic!("{refused}") };
        assert_eq!(*by, holder("r1"));
    }
    let other = Refs::new("production").unwrap();
    drop(Lock::take(&state, &other, &holder("r2"), None).unwrap());
    drop(held);
    assert_eq!(Lock::look(&state, &refs()), None);
    drop(Lock::take(&state, &refs(), &holder("r2"), None).unwrap());
}

#[test]
fn a_deploy_that_the_holder_started_is_let_in_and_does_not_let_go_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::of(folder.path(), None);
    let held = Lock::take(&state, &refs(), &holder("r1"), None).unwrap();
    drop(Lock::take(&state, &refs(), &holder("r9"), Some(&run("r1"))).unwrap());
    assert_eq!(Lock::look(&state, &refs()), Some(holder("r1")));
    drop(held);
}

#[test]
fn what_a_killed_holder_wrote_keeps_nobody_away() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::of(folder.path(), None);
    state.create().unwrap();
    crate::state::durable::create_folder(&state.locks()).unwrap();
    for left in [serde_json::to_vec(&holder("dead")).unwrap(), b"{\"run\": \"dea".to_vec(), Vec::new()] {
        crate::state::durable::replace(&state.locks().join("staging"), &left, 0o600).unwrap();
        assert_eq!(Lock::look(&state, &refs()), None);
        drop(Lock::take(&state, &refs(), &holder("r1"), None).unwrap());
    }
}
