//! What every store must do, asked of a folder and of servers that we did not write.

#[path = "../../../tests/it/support/emulator.rs"]
#[expect(dead_code, reason = "tests through the program want more of it")]
mod emulator;
mod faults;
mod folder;
mod services;

use std::io::Read;
use std::time::Duration;

use super::{Object, Store, StoreError};
use crate::process::Stop;

/// More than two parts, and no multiple of one.
const LARGE: usize = 20 * 1024 * 1024 + 7;

fn go() -> Stop {
    Stop::new(Duration::ZERO)
}

/// Bytes that are never the same for long.
fn content(size: usize) -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(size)
    .collect()
}

fn create(store: &Store, name: &str, content: &[u8]) -> Result<(), StoreError> {
    store.create(name, &go(), &mut |object| object.write_all(content))
}

fn read(store: &Store, name: &str) -> Option<Vec<u8>> {
    let stop = go();
    let mut content = Vec::new();
    store.read(name, &stop).unwrap().map(|mut object| object.read_to_end(&mut content).unwrap())?;
    Some(content)
}

fn names(objects: &[Object]) -> Vec<(&str, u64)> {
    objects.iter().map(|object| (object.name.as_str(), object.size)).collect()
}

/// What every store must do.
fn is_a_store(store: &Store) {
    let (stop, large) = (go(), content(LARGE));
    assert_eq!(store.list("", &stop).unwrap(), []);
    assert_eq!((store.size("db/1/dump", &stop).unwrap(), read(store, "db/1/dump")), (None, None));
    create(store, "db/1/dump", b"one").unwrap();
    create(store, "db/10/dump", &large).unwrap();
    create(store, "db/2/none", b"").unwrap();
    create(store, "media/1", b"two").unwrap();
    assert_eq!(store.size("db/10/dump", &stop).unwrap(), Some(large.len() as u64));
    assert!(read(store, "db/10/dump").unwrap() == large, "what is read is what was written");
    assert_eq!(read(store, "db/2/none").unwrap(), b"");

    let all = store.list("", &stop).unwrap();
    let db = [("db/1/dump", 3), ("db/10/dump", large.len() as u64), ("db/2/none", 0)];
    assert_eq!(names(&all)[..3], db);
    assert_eq!(names(&all)[3..], [("media/1", 3)]);
    assert_eq!(names(&store.list("db/", &stop).unwrap()), db);
    assert_eq!(names(&store.list("db/1", &stop).unwrap()), db[..2]);
    assert_eq!(names(&store.list("db/1/", &stop).unwrap()), db[..1]);
    assert_eq!(store.list("d/", &stop).unwrap(), []);

    store.write("media/1", &stop, &mut |object| object.write_all(b"three")).unwrap();
    let tag = |objects: &[Object]| objects.iter().find(|it| it.name == "media/1").unwrap().tag.clone();
    let now = store.list("", &stop).unwrap();
    assert!(tag(&now).is_some() && tag(&now) != tag(&all), "what has changed has another tag");

    store.delete("media/1", &stop).unwrap();
    store.delete("media/1", &stop).unwrap();
    assert_eq!(names(&store.list("", &stop).unwrap()), db);
}

/// What is there stays, and what fails half-way leaves nothing.
fn overwrites_nothing(store: &Store) {
    let (stop, large) = (go(), content(LARGE));
    create(store, "a", b"one").unwrap();
    for again in [b"two".as_slice(), &large] {
        let error = create(store, "a", again).unwrap_err();
        assert!(matches!(error, StoreError::Taken { .. }), "{error:?}");
        assert!(error.to_string().contains("has `a` already"), "{error}");
    }
    assert_eq!(read(store, "a").unwrap(), b"one");
    let failed = store.create("b", &stop, &mut |object| {
        object.write_all(&large)?;
        Err(std::io::Error::other("the dump failed"))
    });
    assert_eq!(failed.unwrap_err().to_string(), "the dump failed");
    assert_eq!(names(&store.list("", &stop).unwrap()), [("a", 3)]);
    assert_eq!(store.size("b", &stop).unwrap(), None);
}
