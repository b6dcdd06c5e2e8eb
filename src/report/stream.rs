//! Bytes as they come, untouched. What jobs that run at the same time say may interleave anywhere.

use std::io;

use super::voice::Voice;
use super::{Console, Labels, Reporter};
use crate::model::event::{Event, EventKind};

/// `--output stream`.
pub(super) struct Stream<'a> {
    voice: Voice,
    console: Console<'a>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(labels: Labels, console: Console<'a>) -> Stream<'a> {
        Stream { voice: Voice::new(labels), console }
    }
}

impl Reporter for Stream<'_> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        if let EventKind::Output { stream, bytes, .. } = &event.kind {
            self.console.write(*stream, bytes);
        }
        if let Some(words) = self.voice.words(event) {
            self.console.say(&words);
        }
        self.console.result()
    }
}
