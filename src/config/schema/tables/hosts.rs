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
