//! Backups: what is saved, where to, and how it comes back.

use super::{Any, Bool, ENV, FILES, Integer, Key, Kind, Table, Text, WORDS, Word};

const COUNT: Kind = Integer(0, 10_000);
pub(super) const KEPT: Kind = Any(&[Integer(1, 10_000), Kind::Table("keep")]);

pub(super) const BACKUP: Table = Table {
    name: "backup",
    about: "What is saved of an environment.",
    keys: &[
        Key("dump", Text, "A shell line that writes what it saves to its stdout."),
        Key("files", FILES, "Patterns of files; those that the store has are not sent again."),
        Key(
            "bucket",
            Any(&[Text, Kind::Table("bucket")]),
            "The name of a store whose objects are saved; those that are saved already are not sent again.",
        ),
        Key(
            "restore",
            Text,
            "A shell line that reads a dump from its stdin; for files, one that puts them in place.",
        ),
        Key("store", Text, "The name of a store."),
        Key("keep", KEPT, "How many are kept; without it, all."),
        Key(
            "compress",
            Any(&[Bool, Integer(1, 19), Word(&["zstd"])]),
            "Whether zstd compresses it, or its level from 1 to 19.",
        ),
        Key("encrypt", Any(&[Text, WORDS]), "Those who can read it: recipients of age."),
        Key("identity", Text, "The file with which age reads it again, where it is restored."),
        Key("verify", Word(&["digest", "restore"]), "Whether it is brought back on trial before it counts."),
        Key("scratch", Kind::Table("scratch"), "Where it is brought back on trial."),
        Key("dir", Text, "Where its commands run and its files lie."),
        Key("env", ENV, "Variables of its commands."),
        Key("secrets", WORDS, "Secrets that its commands see."),
    ],
    required: &["store"],
    one_of: &["dump", "files", "bucket"],
};

pub(super) const BUCKET: Table = Table {
    name: "bucket",
    about: "A store whose objects are saved.",
    keys: &[
        Key("store", Text, "The name of the store."),
        Key("files", Any(&[Text, WORDS]), "Patterns of the names of objects; without them, all."),
    ],
    required: &["store"],
    one_of: &[],
};

pub(super) const KEEP: Table = Table {
    name: "keep",
    about: "How many backups are kept. The newest always is.",
    keys: &[
        Key("last", COUNT, "The newest ones."),
        Key("daily", COUNT, "The newest of each of so many days."),
        Key("weekly", COUNT, "The newest of each of so many weeks."),
        Key("monthly", COUNT, "The newest of each of so many months."),
    ],
    required: &[],
    one_of: &[],
};

pub(super) const SCRATCH: Table = Table {
    name: "scratch",
    about: "A place to bring a backup back to, on trial.",
    keys: &[
        Key("create", Text, "A shell line that makes the place, and prints where it is."),
        Key("drop", Text, "A shell line that takes it away again."),
        Key("as", Text, "The variable by which `restore` is told of it."),
    ],
    required: &["create", "as"],
    one_of: &[],
};
