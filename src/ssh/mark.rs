//! The words that the other side says of a step, between what the step itself prints on stderr. They begin with a mark
//! that nobody else knows, and are taken out of the stream, wherever its pieces end.

/// What the other side says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// The step is about to begin.
    Begun,
    /// There is no such folder to run it in.
    NoFolder,
    /// It has ended with this code; and whether something that it started still runs.
    Ended { code: i32, leaves: Leaves },
}

/// Whether something that a step started outlives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    Nothing,
    Something,
}

/// Takes the words out of a stream.
pub(crate) struct Marks {
    mark: Vec<u8>,
    /// What may be the begin of a word.
    held: Vec<u8>,
}

impl Marks {
    pub(crate) fn new(mark: &str) -> Marks {
        Marks { mark: mark.as_bytes().to_vec(), held: Vec::new() }
    }

    /// What of the stream is the step's own, and the words in it.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> (Vec<u8>, Vec<Word>) {
        self.held.extend_from_slice(bytes);
        let (mut own, mut words) = (Vec::new(), Vec::new());
        while let Some(at) = memchr::memmem::find(&self.held, &self.mark) {
            let Some(end) = memchr::memchr(b'\n', &self.held[at..]) else {
                own.extend(self.held.drain(..at));
                return (own, words);
            };
            let text = String::from_utf8_lossy(&self.held[at + self.mark.len()..at + end]).into_owned();
            own.extend_from_slice(&self.held[..at]);
            self.held.drain(..=at + end);
            words.extend(word(&text));
        }
        let begins = |length: &usize| self.mark.starts_with(&self.held[self.held.len() - length..]);
        let kept = (1..=self.held.len().min(self.mark.len())).rev().find(begins).unwrap_or(0);
        own.extend(self.held.drain(..self.held.len() - kept));
        (own, words)
    }

    /// What was held back and is no word after all.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

fn word(text: &str) -> Option<Word> {
    let mut parts = text.split_whitespace();
    match parts.next()? {
        "begun" => Some(Word::Begun),
        "folder" => Some(Word::NoFolder),
        "ended" => {
            let code = parts.next()?.parse().ok()?;
            let leaves = if parts.next().is_some() { Leaves::Something } else { Leaves::Nothing };
            Some(Word::Ended { code, leaves })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_wherever_the_pieces_end() {
        let stream = b"MARK begun\none\nMAR no mark\ntwoMARK ended 255 left\n";
        for size in 1..stream.len() {
            let mut marks = Marks::new("MARK");
            let (mut own, mut words) = (Vec::new(), Vec::new());
            for piece in stream.chunks(size) {
                let (bytes, found) = marks.push(piece);
                own.extend(bytes);
                words.extend(found);
            }
            own.extend(marks.rest());
            assert_eq!(String::from_utf8(own).unwrap(), "one\nMAR no mark\ntwo");
            assert_eq!(words, [Word::Begun, Word::Ended { code: 255, leaves: Leaves::Something }]);
        }
    }
}
