//! A journal that is cut anywhere is read as far as it goes, or refused, and never misread.

use std::path::Path;

use super::{JournalError, parse};
use crate::diagnostic::Span;
use crate::model::name::JobId;
use crate::model::record::{Debt, Exit, Record};
use crate::model::step::{Action, Step};
use crate::model::task::Block;
use crate::model::text::Text;

fn debt(seq: u64) -> Debt {
    let step =
        Step::bare(Action::Exec(vec![Text::from("echo"), Text::from("{{ not a value }}")]), Span::default());
    let block = Block {
        name: "task".to_owned(),
        steps: Vec::new(),
        always: Vec::new(),
        env: Vec::new().into(),
        dir: "/".into(),
        there: None,
        shell: vec!["/bin/sh".to_owned(), "-c".to_owned()].into(),
        tracking: None,
        skip_if: None,
        timeout: None,
        retry: None,
        interactive: false,
        at: Span::default(),
    };
    Debt { seq, ..Debt::new(JobId(0), "task", None, Exit::Failure, &block, vec![step]) }
}

fn journal() -> Vec<u8> {
    let begun = Record::Begun { version: 1, run: "r".to_owned(), environment: None, by: String::new() };
    let records = [
        begun,
        Record::Deferred(Box::new(debt(1))),
        Record::Deferred(Box::new(debt(2))),
        Record::Settled { seq: 2 },
        Record::Deferred(Box::new(debt(3))),
    ];
    let mut bytes = Vec::new();
    for record in &records {
        super::line(record, &mut bytes);
    }
    bytes
}

/// The debts that stand in a whole prefix of the journal, by number.
fn owed(bytes: &[u8]) -> Vec<u64> {
    let open = parse(bytes, Path::new("journal")).unwrap();
    open.map_or_else(Vec::new, |open| open.owed.iter().map(|debt| debt.seq).collect())
}

#[test]
fn it_is_read_as_far_as_its_last_newline_wherever_it_was_cut() {
    let journal = journal();
    let ends: Vec<usize> = (0..journal.len()).filter(|at| journal[*at] == b'\n').map(|at| at + 1).collect();
    let expected: [&[u64]; 6] = [&[], &[], &[1], &[1, 2], &[1], &[1, 3]];
    for cut in 0..=journal.len() {
        let whole_lines = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(owed(&journal[..cut]), expected[whole_lines], "cut at {cut}");
    }
}

#[test]
fn a_torn_middle_is_refused() {
    let journal = journal();
    let first = journal.iter().position(|&byte| byte == b'\n').unwrap();
    for at in first + 1..journal.len() - 1 {
        let mut torn = journal.clone();
        torn[at] = b'\n';
        match parse(&torn, Path::new("journal")) {
            Err(JournalError::Damaged { .. }) => {}
            Ok(Some(open)) => assert!(journal[at] == b'\n' && open.owed.len() == 2, "misread, torn at {at}"),
            Ok(None) | Err(_) => panic!("torn at {at}"),
        }
    }
}

#[test]
fn another_version_is_refused() {
    let begun = br#"{"record":"begun","version":2,"run":"r","environment":null,"by":""}"#;
    let bytes = [&begun[..], b"\n"].concat();
    assert!(matches!(parse(&bytes, Path::new("journal")), Err(JournalError::Version { version: 2, .. })));
}

#[test]
fn text_comes_back_as_it_was() {
    let bytes = journal();
    let open = parse(&bytes, Path::new("journal")).unwrap().unwrap();
    let Action::Exec(words) = &open.owed[0].block.steps[0].action else { panic!("another action") };
    assert_eq!(words[1].to_string(), "{{ not a value }}");
}
