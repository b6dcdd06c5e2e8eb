//! The nouns. Data and its laws; nothing here decides, reads or writes.

pub(crate) mod event;
pub(crate) mod name;
