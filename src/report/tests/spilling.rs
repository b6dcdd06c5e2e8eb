//! Output that is held beyond the memory there is for it.

use super::*;
use crate::report::held::{Held, Speaker};

const MIB: usize = 1024 * 1024;

/// All that is held of a job.
fn heard(held: &mut Held, job: JobId) -> Vec<u8> {
    let mut heard = Vec::new();
    held.release(job, |_, bytes| heard.extend_from_slice(bytes)).unwrap();
    heard
}

#[test]
fn what_goes_through_the_file_comes_back_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut held = Held::new(folder.path().to_owned());
    let piece = |index: usize| format!("{index:07}\n").repeat(MIB / 8).into_bytes();
    for index in 0..20 {
        held.add(JobId::new(index % 2), Speaker::Child(Stream::Out), &piece(index)).unwrap();
    }
    held.forget(A).unwrap();
    let expected: Vec<u8> = (0..10).flat_map(|index| piece(2 * index + 1)).collect();
    assert_eq!(heard(&mut held, B), expected);
    assert_eq!(heard(&mut held, B), b"");

    held.add(A, Speaker::Deploy, b"again").unwrap();
    assert_eq!(heard(&mut held, A), b"again");
}

#[test]
fn nothing_is_left_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut held = Held::new(folder.path().to_owned());
    held.add(A, Speaker::Child(Stream::Out), &vec![b'x'; 8 * MIB]).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(heard(&mut held, A).len(), 8 * MIB);
}

#[test]
fn a_folder_that_is_not_there_costs_output_and_not_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let mut held = Held::new(missing.clone());
    let error = held.add(A, Speaker::Child(Stream::Out), &vec![b'x'; 8 * MIB]).unwrap_err();
    assert!(error.to_string().contains(missing.to_str().unwrap()), "{error}");
    held.add(A, Speaker::Child(Stream::Out), b"later").unwrap();
    assert_eq!(heard(&mut held, A), b"later");
}
