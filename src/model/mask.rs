//! The mask over secrets: what a program prints, or a sentence says, with every secret replaced, in each form of
//! `mask::forms`. Pure; who holds a [`Stream`] says when time has passed and when a stream has ended.

mod forms;
#[cfg(test)]
mod tests;

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::text::MASK;

/// The fewest bytes that a secret must have: what is shorter is everywhere, and its mask would tell where.
pub(crate) const SHORTEST: usize = 4;

/// The most that silence may bring out of a secret's beginning.
const SHOWN_AT_MOST: usize = 3;

/// Silence brings out no more than this part of a secret.
const SHOWN_SHARE: usize = 4;

/// Finds secrets.
pub(crate) struct Masker {
    /// Says whether there is any at all, much faster than where all are.
    detector: AhoCorasick,
    finder: AhoCorasick,
    /// What is looked for, sorted; so the patterns with one beginning are neighbours.
    patterns: Vec<Vec<u8>>,
    longest: usize,
    /// The longest beginning of a secret that may be shown when nothing follows it for a while.
    harmless: usize,
}

impl Masker {
    /// The masker of these secrets; none if there are none.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Option<Masker> {
        let patterns: Vec<Vec<u8>> = forms::of(secrets).into_iter().collect();
        let longest = patterns.iter().map(Vec::len).max()?;
        let shortest = patterns.iter().map(Vec::len).min()?;
        let automaton = |kind| {
            let built = AhoCorasick::builder().match_kind(kind).build(&patterns);
            built.expect("secrets are small, so all their forms fit into an automaton")
        };
        let (detector, finder) = (automaton(MatchKind::LeftmostFirst), automaton(MatchKind::Standard));
        let harmless = SHOWN_AT_MOST.min(shortest / SHOWN_SHARE);
        Some(Masker { detector, finder, patterns, longest, harmless })
    }

    /// A whole text, masked.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut stream = Stream::default();
        let mut masked = stream.push(self, text.as_bytes());
        masked.extend(stream.end(self));
        // A secret is whole characters, so what is left is whole characters too; its base64 is ASCII.
        String::from_utf8_lossy(&masked).into_owned()
    }

    /// The same in place; nothing is done where there is no secret.
    pub(crate) fn hide(&self, text: &mut String) {
        if self.detector.is_match(text.as_str()) {
            *text = self.text(text);
        }
    }

    /// Where secrets are; stretches that overlap are one.
    fn found(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        if !self.detector.is_match(bytes) {
            return Vec::new();
        }
        let mut found: Vec<Range<usize>> =
            self.finder.find_overlapping_iter(bytes).map(|found| found.range()).collect();
        found.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for range in found {
            match merged.last_mut().filter(|last| range.start < last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => merged.push(range),
            }
        }
        merged
    }

    /// Where the longest end of `bytes` starts that a secret may begin with; their length, if none does.
    fn open(&self, bytes: &[u8]) -> usize {
        let first = bytes.len().saturating_sub(self.longest - 1);
        (first..bytes.len()).find(|start| self.begins(&bytes[*start..])).unwrap_or(bytes.len())
    }

    /// Whether more than these bytes could be a secret.
    fn begins(&self, bytes: &[u8]) -> bool {
        let next = self.patterns.partition_point(|pattern| pattern.as_slice() <= bytes);
        self.patterns.get(next).is_some_and(|pattern| pattern.starts_with(bytes))
    }
}

/// What is held back of one stream: the end of what came, as long as a secret may begin with it.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    held: Vec<u8>,
    /// How many of the held bytes are out already: shown after a silence, or under a mask that goes on.
    out: usize,
    /// Whether what is out ends under a mask, which may go on.
    in_mask: bool,
}

impl Stream {
    /// What can be shown after these bytes came.
    pub(crate) fn push(&mut self, masker: &Masker, bytes: impl Into<Vec<u8>>) -> Vec<u8> {
        let mut bytes = bytes.into();
        if self.held.is_empty() && !masker.detector.is_match(&bytes) {
            // Nearly always: what came is shown as it came, and not copied.
            self.held = bytes.split_off(masker.open(&bytes));
            self.in_mask &= bytes.is_empty();
            return bytes;
        }
        self.held.extend(bytes);
        let keep = masker.open(&self.held);
        self.release(masker, keep)
    }

    /// What silence brings out: the few bytes that are no secret yet, such as the last letter of a prompt. They stay
    /// part of what is compared, so that one who prints a secret letter by letter shows no more of it than these.
    pub(crate) fn quiet(&mut self, masker: &Masker) -> Vec<u8> {
        if !self.waits(masker) {
            return Vec::new();
        }
        let shown = self.held[self.out..].to_vec();
        self.out = self.held.len();
        self.in_mask = false;
        shown
    }

    /// Whether silence would bring anything out.
    pub(crate) fn waits(&self, masker: &Masker) -> bool {
        self.out < self.held.len() && self.held.len() <= masker.harmless
    }

    /// The rest, when nothing more can come.
    pub(crate) fn end(&mut self, masker: &Masker) -> Vec<u8> {
        let shown = self.release(masker, self.held.len());
        *self = Stream::default();
        shown
    }

    /// Gives the first `count` of the held bytes, masked, without what is out already; keeps the others.
    fn release(&mut self, masker: &Masker, count: usize) -> Vec<u8> {
        let mut shown = Vec::with_capacity(count);
        let mut at = self.out;
        for secret in masker.found(&self.held) {
            if secret.start >= count {
                break;
            }
            if secret.end <= at {
                continue;
            }
            if secret.start > at {
                shown.extend_from_slice(&self.held[at..secret.start]);
            }
            let goes_on = self.in_mask && secret.start < at;
            if !goes_on {
                shown.extend_from_slice(MASK.as_bytes());
            }
            self.in_mask = true;
            at = secret.end;
        }
        if at < count {
            shown.extend_from_slice(&self.held[at..count]);
            self.in_mask = false;
            at = count;
        }
        self.held.drain(..count);
        self.out = at - count;
        shown
    }
}
