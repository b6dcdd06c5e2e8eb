//! Environments: where their releases go, and by which rules.

use super::backups::KEPT;
use super::{
    Any, Bool, DOTENV, ENV, HEALTH, Integer, Key, Kind, LINES, List, Map, NEEDS, SWAP, Table, Text, True,
    VARIABLES, WORDS, Word,
};

const CHECK_KEYS: [Key; 8] = [
    Key("url", Text, "The address."),
    Key("status", Integer(100, 599), "The status that is good: 200."),
    Key("contains", Text, "Text that the answer must hold."),
    Key("version", Text, "The version that must answer: text of its body, or of the `header`."),
    Key("header", Text, "The header that says the `version`."),
    Key("within", Text, "A duration: how long it may take to get well."),
    Key("every", Text, "A duration: the pause between two questions."),
    Key("streak", Integer(1, 1000), "How many good answers in a row."),
];

const HEALTH_KEYS: [Key; 9] = {
    let [url, status, contains, version, header, within, every, streak] = CHECK_KEYS;
    let on_failure =
        Key("on_failure", Word(&["rollback", "keep", "ask"]), "What becomes of a release that is not well.");
    [url, status, contains, version, header, within, every, streak, on_failure]
};

pub(super) const ENVIRONMENT: Table = Table {
    name: "environment",
    about: "A place that one deploys to.",
    keys: &[
        Key("about", Text, "For `deploy list`."),
        Key("inherits", Text, "The environment that it is like, but for what it says itself."),
        Key(
            "target",
            Any(&[
                Kind::Table("git target"),
                Kind::Table("server target"),
                Kind::Table("command target"),
                Kind::Table("render target"),
                Kind::Table("digitalocean target"),
                Kind::Table("divio target"),
                Kind::Table("zappa target"),
                Kind::Table("pythonanywhere target"),
            ]),
            "Where its releases go.",
        ),
        Key("swap", SWAP, "Other content for files, in what is shipped."),
        Key("url", Text, "Its address: {{ url }}."),
        Key("vars", VARIABLES, "Values by name; they beat the file's."),
        Key("env", ENV, "Variables for all processes that run in it."),
        Key("secrets", WORDS, "Secrets that are variables of its processes."),
        Key("dotenv", DOTENV, "Files of variables."),
        Key("hosts", Map(&LINES), "Its hosts, in groups."),
        Key("needs", NEEDS, "Tasks that must succeed before any deploy there."),
        Key("backups", WORDS, "What is saved before each release."),
        Key("keep", KEPT, "How many of its backups are kept; it beats what they say themselves."),
        Key("deploy", Text, "The task that deploys there, if that is not `deploy`."),
        Key("health", HEALTH, "When its release is healthy."),
        Key("protect", Kind::Table("protect"), "Its rules."),
    ],
    required: &[],
    one_of: &[],
};

pub(super) const SWAPPED_FILE: Table = Table {
    name: "swapped file",
    about: "Other content for a file: exactly one of from, text and remove.",
    keys: &[
        Key("from", Text, "Another file's content."),
        Key("text", Text, "This text."),
        Key("remove", True, "The file is not there."),
    ],
    required: &[],
    one_of: &["from", "text", "remove"],
};

pub(super) const HEALTH_TABLE: Table = Table {
    name: "health",
    about: "An address that must answer well, and what follows if it does not.",
    keys: &HEALTH_KEYS,
    required: &["url"],
    one_of: &[],
};

pub(super) const CHECK: Table = Table {
    name: "check",
    about: "An address that must answer well.",
    keys: &CHECK_KEYS,
    required: &["url"],
    one_of: &[],
};

pub(super) const PROTECT: Table = Table {
    name: "protect",
    about: "The rules for deploying there.",
    keys: &[
        Key("branches", WORDS, "Patterns of branches that may be shipped."),
        Key("clean", Bool, "Whether the working tree must hold no uncommitted change."),
        Key("pushed", Bool, "Whether a branch of a remote must have the commit."),
        Key("after", Text, "The environment whose live release must be of the same commit."),
        Key("ancestor", Bool, "Whether a commit that the live release contains already is refused: true."),
        Key("backup", Text, "A duration: how old the newest backup may be."),
        Key("checks", WORDS, "Shell lines that must succeed before anything else is done."),
        Key("freeze", List(&Kind::Table("freeze")), "When nothing is deployed there."),
        Key("confirm", Any(&[Bool, Word(&["typed"])]), "Whether a deploy asks first."),
    ],
    required: &[],
    one_of: &[],
};

pub(super) const FREEZE: Table = Table {
    name: "freeze",
    about: "A window of time in which nothing is deployed.",
    keys: &[
        Key("from", Text, "A day, a day with a time, or a time."),
        Key("to", Text, "A day, which is frozen too, a day with a time, or a time."),
        Key(
            "days",
            List(&Word(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"])),
            "The days that it is for, or on which its hours begin.",
        ),
        Key("tz", Text, "The time zone that it is told in: \"Europe/Berlin\"."),
        Key("reason", Text, "What a refusal says."),
    ],
    required: &[],
    one_of: &[],
};
