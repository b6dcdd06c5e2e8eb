//! The words of `exclusive`. A job that calls others has theirs too; words that one job has are as one from then on,
//! which keeps more apart than it must, and never less.

use std::collections::HashMap;

/// Words that jobs have, told apart by number.
#[derive(Default)]
pub(super) struct Exclusive<'a> {
    indexes: HashMap<&'a str, usize>,
    /// For each word, one that it is the same as; its own index, if it stands for itself.
    same: Vec<usize>,
}

impl<'a> Exclusive<'a> {
    /// Makes the words of one job the same, and gives one of them.
    pub(super) fn join(&mut self, words: Vec<&'a str>) -> Option<usize> {
        let mut joined = None;
        for word in words {
            let next = self.same.len();
            let index = *self.indexes.entry(word).or_insert(next);
            if index == next {
                self.same.push(next);
            }
            let index = self.stands_for(index);
            let first = *joined.get_or_insert(index);
            self.same[index] = first;
        }
        joined
    }

    /// The number of each word: from 0, without gaps, the same for those that are the same.
    pub(super) fn numbers(&self) -> Vec<u32> {
        let mut numbers = HashMap::new();
        let mut number = |index: usize| {
            let next = u32::try_from(numbers.len()).expect("fewer than 2^32 words");
            *numbers.entry(self.stands_for(index)).or_insert(next)
        };
        (0..self.same.len()).map(&mut number).collect()
    }

    fn stands_for(&self, mut index: usize) -> usize {
        while self.same[index] != index {
            index = self.same[index];
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_one_job_are_the_same_from_then_on() {
        let mut exclusive = Exclusive::default();
        let (a, b, c) = (exclusive.join(vec!["a"]), exclusive.join(vec!["b"]), exclusive.join(vec!["c"]));
        assert_eq!(exclusive.join(Vec::new()), None);
        assert_eq!(exclusive.numbers(), [0, 1, 2]);
        exclusive.join(vec!["c", "a", "d"]);
        let numbers = exclusive.numbers();
        let of = |word: Option<usize>| numbers[word.unwrap()];
        assert_eq!(of(a), of(c));
        assert_ne!(of(a), of(b));
        assert_eq!(numbers, [0, 1, 0, 0]);
    }
}
