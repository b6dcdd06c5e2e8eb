//! The tables of targets, with their keys.

use super::Kind::{self, Bool, Integer, Text, Word};
use super::tables::{LINES, WORDS};
use super::{Key, Table};

const TOKEN: Key = Key("token", Text, "What opens its API: a name of [secrets].");
const ENDPOINT: Key = Key("endpoint", Text, "Where its API is, if not at the vendor's.");
const PUSH: Key =
    Key("push", Kind::Table("pushed branch"), "The branch that it builds, which is deploy's own.");
const CANCEL: Key = Key("cancel", Bool, "Whether a run that is stopped cancels what it began there.");

/// Where releases go.
pub(super) const TARGETS: [Table; 9] = [
    Table {
        name: "git target",
        about: "A branch of a git repository.",
        keys: &[
            Key("git", Text, "A URL, or a remote's name."),
            Key("branch", Text, "The branch that is pushed to: \"main\"."),
            Key("fail_on", WORDS, "Regular expressions: what the other side must not say."),
            Key("token", Text, "What opens an https host: a name of [secrets]."),
            Key("user", Text, "Who shows the token: \"git\"."),
        ],
        required: &["git"],
        one_of: &[],
    },
    Table {
        name: "server target",
        about: "A folder of releases on a machine.",
        keys: &[
            Key("server", Text, "A host, a group of hosts, or \"local\"."),
            Key("path", Text, "The folder there."),
            Key("build", LINES, "Shell lines in the release, before it is live."),
            Key("shared", WORDS, "Paths that all releases share."),
            Key("reload", Text, "A shell line after the switch."),
            Key("keep", Integer(2, i64::MAX), "How many releases stay."),
        ],
        required: &["server", "path"],
        one_of: &[],
    },
    Table {
        name: "command target",
        about: "Whatever a program of yours ships to.",
        keys: &[
            Key("command", WORDS, "The program and its arguments; it runs in the release's files."),
            Key("rollback", WORDS, "The program that goes back."),
        ],
        required: &["command"],
        one_of: &[],
    },
    Table {
        name: "render target",
        about: "A service of Render.",
        keys: &[
            Key("render", Text, "The service: \"srv-…\"."),
            TOKEN,
            ENDPOINT,
            Key(
                "push",
                Kind::Table("pushed branch"),
                "The branch that it builds, where that is deploy's own.",
            ),
            CANCEL,
        ],
        required: &["render", "token"],
        one_of: &[],
    },
    Table {
        name: "digitalocean target",
        about: "An app of DigitalOcean's App Platform.",
        keys: &[
            Key("digitalocean", Text, "The app's name, or its UUID."),
            Key(
                "components",
                WORDS,
                "Those that must be built from what was pushed: all, if it is not said.",
            ),
            TOKEN,
            ENDPOINT,
            PUSH,
            CANCEL,
        ],
        required: &["digitalocean", "token", "push"],
        one_of: &[],
    },
    Table {
        name: "divio target",
        about: "An environment of an application at Divio.",
        keys: &[
            Key("divio", Text, "The application's UUID."),
            Key("environment", Text, "What Divio calls the environment: \"live\"."),
            Key(
                "build_mode",
                Word(&["AUTO", "ADOPT", "FORCE"]),
                "Whether it builds what it has built already.",
            ),
            TOKEN,
            ENDPOINT,
            PUSH,
        ],
        required: &["divio", "token", "push"],
        one_of: &[],
    },
    Table {
        name: "zappa target",
        about: "A stage of Zappa, whose code runs at AWS Lambda.",
        keys: &[
            Key("zappa", Text, "The stage, as zappa_settings.json calls it."),
            Key("requirements", Text, "What pip fills the virtualenv by: \"requirements.txt\"."),
            Key("python", Text, "The program that makes the virtualenv: \"python3\"."),
        ],
        required: &["zappa"],
        one_of: &[],
    },
    Table {
        name: "pythonanywhere target",
        about: "A web app of PythonAnywhere.",
        keys: &[
            Key("pythonanywhere", Text, "The web app's domain."),
            Key("user", Text, "Whose it is: who logs in by ssh."),
            TOKEN,
            Key("host", Text, "Where its API is: \"www.pythonanywhere.com\"."),
            ENDPOINT,
            Key("ssh", Text, "Where its files get: \"user@ssh.pythonanywhere.com\"."),
            Key("path", Text, "The folder there that the web app takes its code from."),
            Key("build", LINES, "Shell lines in that folder, before the app is reloaded."),
        ],
        required: &["pythonanywhere", "token", "ssh", "path"],
        one_of: &[],
    },
    Table {
        name: "pushed branch",
        about: "A branch of deploy's own, that a platform builds.",
        keys: &[
            Key("remote", Text, "A URL, or a remote's name."),
            Key("branch", Text, "The branch."),
            Key("token", Text, "What opens an https host: a name of [secrets]."),
            Key("user", Text, "Who shows the token: \"git\"."),
        ],
        required: &["remote", "branch"],
        one_of: &[],
    },
];
