//! Writers that break, and writers that show colours.

use super::*;

/// A pipe whose reader has gone.
struct Broken;

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_broken_writer_is_told_once_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = failed(A, "false", Failure::Exit(1));
    let events = events([
        run_started(),
        out(A, "1\n"),
        out(A, "2\n"),
        ended(A, &outcome),
        out(A, "3\n"),
        run_ended(&[outcome]),
    ]);
    for format in formats(folder.path()) {
        let own = Shared::default();
        let mut reporter =
            reporter(format.clone(), labels(&["a"]), Console::new(Broken, io::sink(), own.clone()));
        let errors: Vec<io::ErrorKind> =
            events.iter().filter_map(|event| reporter.event(event).err()).map(|error| error.kind()).collect();
        assert_eq!(errors, [io::ErrorKind::BrokenPipe], "{format:?}");
        drop(reporter);
        assert_eq!(own.text().contains("exit code 1"), format != Format::Json, "{format:?}");
    }
}

#[test]
fn colours_are_there_for_a_writer_that_shows_them() {
    let own = Shared::default();
    let mut reporter =
        reporter(Format::Stream, labels(&["a"]), Console::new(io::sink(), io::sink(), own.clone()));
    for event in events([run_ended(&[failed(A, "false", Failure::Exit(1))])]) {
        reporter.event(&event).unwrap();
    }
    assert!(own.text().contains("\u{1b}[1m\u{1b}[31mfailed with exit code 1\u{1b}[0m"), "{:?}", own.text());
}
