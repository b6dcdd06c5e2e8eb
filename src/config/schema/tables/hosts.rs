//! Hosts: where they are.

use super::{Bool, Key, Table, Text};

pub(super) const HOST: Table = Table {
    name: "host",
    about: "A machine that one reaches over ssh.",
    keys: &[
        Key(
            "ssh",
            Text,
            "Where it is, as ssh takes it: user@host, a name of your ssh config, ssh://user@host:port.",
        ),
        Key("forward_agent", Bool, "Whether the keys of your agent can be used there."),
        Key("timeout", Text, "A duration: how long a connection may take."),
        Key("sudo_password", Text, "The secret that sudo asks for there."),
    ],
    required: &["ssh"],
    one_of: &[],
};

const TRANSFER: [Key; 2] = [
    Key("from", Text, "A file, or a folder with all that is in it."),
    Key("to", Text, "Where it goes; with `/` at the end, a file goes into that folder."),
];

pub(super) const PUT: Table = Table {
    name: "put",
    about: "Files that go to a host.",
    keys: &{
        let [from, to] = TRANSFER;
        [from, to, Key("mode", Text, "The mode that a file gets: \"640\".")]
    },
    required: &["from", "to"],
    one_of: &[],
};

pub(super) const GET: Table = Table {
    name: "get",
    about: "Files that come from a host.",
    keys: &TRANSFER,
    required: &["from", "to"],
    one_of: &[],
};
