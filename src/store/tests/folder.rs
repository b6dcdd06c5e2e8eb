//! A folder as a store.

use std::fs::{self, File};
use std::path::PathBuf;

use super::{create, go, is_a_store, names, overwrites_nothing, read};
use crate::model::store::{Address, Keys, Place};
use crate::store::{Store, StoreError};

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place {
        address: Address::Folder(PathBuf::from("kept/far")),
        endpoint: None,
        region: None,
        keys: Keys::default(),
    };
    let store = Store::open(&place, folder.path(), &|_| None).unwrap();
    (folder, store)
}

#[test]
fn a_folder_is_a_store() {
    let (folder, kept) = store();
    is_a_store(&kept);
    assert!(fs::read_dir(folder.path().join("kept/far/.parts")).unwrap().next().is_none(), "no part is left");
}

#[test]
fn what_is_in_a_folder_is_not_overwritten() {
    let (folder, kept) = store();
    overwrites_nothing(&kept);
    assert!(fs::read_dir(folder.path().join("kept/far/.parts")).unwrap().next().is_none(), "no part is left");
}

/// One of them wins; what it wrote is whole.
#[test]
fn of_several_that_create_the_same_one_does() {
    let (_folder, kept) = store();
    let kept = &kept;
    let won: Vec<u8> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|n: u8| scope.spawn(move || create(kept, "same", &vec![n; 100_000]).map(|()| n)))
            .collect();
        all.into_iter().filter_map(|one| one.join().unwrap().ok()).collect()
    });
    assert_eq!(won.len(), 1);
    assert_eq!(read(kept, "same").unwrap(), vec![won[0]; 100_000]);
}

#[test]
fn the_part_of_a_writer_that_was_killed_is_listed_nowhere_and_tidied() {
    let (folder, kept) = store();
    create(&kept, "a", b"one").unwrap();
    let parts = folder.path().join("kept/far/.parts");
    File::create(parts.join("of-the-dead")).unwrap();
    let held = File::create(parts.join("of-the-living")).unwrap();
    held.lock().unwrap();
    assert_eq!(names(&kept.list("", &go()).unwrap()), [("a", 1 + 2)]);
    create(&kept, "b", b"two").unwrap();
    assert!(!parts.join("of-the-dead").exists() && parts.join("of-the-living").exists());
}

#[test]
fn a_name_that_leads_out_of_the_folder_is_none() {
    let (folder, kept) = store();
    for name in ["../x", "/x", "a/../../x", "", ".parts/x"] {
        let error = create(&kept, name, b"x").unwrap_err();
        assert!(error.to_string().contains("it is no name of an object"), "{error}");
    }
    assert!(!folder.path().join("kept/x").exists());
}

#[test]
fn a_folder_that_can_not_be_made_is_told() {
    let (folder, kept) = store();
    fs::create_dir(folder.path().join("kept")).unwrap();
    File::create(folder.path().join("kept/far")).unwrap();
    let error = create(&kept, "a", b"x").unwrap_err().to_string();
    assert!(error.contains("kept/far") && error.starts_with("can't "), "{error}");
}

#[test]
fn what_stops_half_way_leaves_nothing() {
    let (folder, kept) = store();
    create(&kept, "a", b"one").unwrap();
    let stop = go();
    let stopped = kept.write("a", &stop, &mut |object| {
        object.write_all(b"two")?;
        stop.ask(2);
        object.write_all(b"more")
    });
    assert!(matches!(stopped, Err(StoreError::Stopped)), "{stopped:?}");
    assert_eq!(read(&kept, "a").unwrap(), b"one");
    assert!(fs::read_dir(folder.path().join("kept/far/.parts")).unwrap().next().is_none(), "no part is left");
}
