//! Every table of tasks.toml, with its keys. What a key means is told in full by docs/reference.md.

mod backups;
mod environments;
mod hosts;

use super::Kind::{self, Any, Anything, Bool, Integer, List, Map, Number, Text, True, Word};
use super::{Key, Table};

pub(super) const WORDS: Kind = List(&Text);
const SCALAR: Kind = Any(&[Text, Number, Integer(i64::MIN, i64::MAX), Bool]);
const VARIABLE: Kind = Any(&[SCALAR, List(&SCALAR), Kind::Table("output of a command")]);
const VARIABLES: Kind = Map(&VARIABLE);
const ENV: Kind = Map(&SCALAR);
const NEEDS: Kind = List(&Any(&[Text, Kind::Table("need")]));
const STEP: Kind = Any(&[Text, Kind::Table("step")]);
const STEPS: Kind = Any(&[STEP, List(&STEP)]);
const RETRY: Kind = Any(&[Integer(1, 1000), Kind::Table("retry")]);
const HEALTH: Kind = Any(&[Text, Kind::Table("health")]);
const CHECK: Kind = Any(&[Text, Kind::Table("check")]);
const DOTENV: Kind = Any(&[DOTENV_FILE, List(&DOTENV_FILE)]);
const DOTENV_FILE: Kind = Any(&[Text, Kind::Table("dotenv file")]);
const SWAP: Kind = Map(&Any(&[Text, Kind::Table("swapped file")]));
const FILES: Kind = Any(&[Text, WORDS, Kind::Table("files")]);
const OUTPUT: Kind = Word(&["auto", "stream", "prefixed", "grouped", "quiet", "json"]);
pub(super) const LINES: Kind = Any(&[Text, WORDS]);
const HOSTS: Kind = Integer(0, 10_000);
const BATCH: Kind = Any(&[Integer(1, 10_000), Text]);

/// The tables; "file" is the whole.
pub(super) const TABLES: [Table; 30] = [
    backups::BACKUP,
    backups::BUCKET,
    backups::KEEP,
    backups::SCRATCH,
    hosts::HOST,
    hosts::PUT,
    hosts::GET,
    Table {
        name: "file",
        about: "A tasks.toml: environments to deploy to, and tasks.",
        keys: &[
            Key(
                "project",
                Kind::Table("project"),
                "What the project is called, and what a bare `deploy` runs.",
            ),
            Key("settings", Kind::Table("settings"), "How things run, unless a task says otherwise."),
            Key(
                "ledger",
                Kind::Table("ledger"),
                "How a team shares the history of releases, and their lock.",
            ),
            Key("vars", VARIABLES, "Values by name."),
            Key("secrets", Map(&Kind::Table("secret")), "Where each secret is kept."),
            Key("stores", Map(&Kind::Table("store")), "Places for what is kept outside of the project."),
            Key("backups", Map(&Kind::Table("backup")), "What is saved of environments."),
            Key(
                "include",
                List(&Any(&[Text, Kind::Table("include")])),
                "Other files whose tasks join: paths, or folders with a tasks.toml.",
            ),
            Key("hosts", Map(&Kind::Table("host")), "Machines that one reaches over ssh."),
            Key("environments", Map(&Kind::Table("environment")), "Places that one deploys to."),
            Key("tasks", Map(&Kind::Table("task")), "Named units of work."),
        ],
        required: &[],
        one_of: &[],
    },
    Table {
        name: "include",
        about: "A file whose tasks join.",
        keys: &[
            Key("path", Text, "The file, or a folder with a tasks.toml; relative to this file."),
            Key("as", Text, "The namespace of its tasks: NAME:TASK."),
        ],
        required: &["path"],
        one_of: &[],
    },
    Table {
        name: "project",
        about: "The project.",
        keys: &[
            Key("name", Text, "The value of {{ project }}."),
            Key("about", Text, "A line above `deploy list`."),
            Key("default", Text, "The task or environment that a bare `deploy` runs."),
            Key("requires", Text, "An older deploy refuses the file: \"0.1.0\"."),
        ],
        required: &[],
        one_of: &[],
    },
    Table {
        name: "ledger",
        about: "How a team shares the history of releases, and their lock.",
        keys: &[
            Key("remote", Text, "The git remote through which it is shared: its name, or a URL."),
            Key("prefix", Text, "What the refs there begin with: \"refs/deploy\"."),
            Key("timeout", Text, "A duration: how long one call of the remote may take."),
        ],
        required: &[],
        one_of: &[],
    },
    Table {
        name: "settings",
        about: "How things run, unless a task says otherwise.",
        keys: &[
            Key("shell", WORDS, "The program and flags that get each shell line."),
            Key("dotenv", DOTENV, "Files of variables."),
            Key("env", ENV, "Variables for all processes of this file's tasks."),
            Key("jobs", Integer(1, 4096), "How many jobs run at once."),
            Key("output", OUTPUT, "How output is shown."),
            Key("grace", Text, "A duration: from the first signal to SIGKILL."),
        ],
        required: &[],
        one_of: &[],
    },
    Table {
        name: "output of a command",
        about: "What a program prints.",
        keys: &[Key("command", WORDS, "A program and its arguments.")],
        required: &["command"],
        one_of: &[],
    },
    Table {
        name: "dotenv file",
        about: "A file of variables.",
        keys: &[Key("path", Text, "Where it is."), Key("optional", Bool, "Whether it need not be there.")],
        required: &["path"],
        one_of: &[],
    },
    Table {
        name: "secret",
        about: "Where a secret is kept: exactly one of env, file, command, dotenv and age.",
        keys: &[
            Key("env", Text, "In a variable of the caller's environment."),
            Key("file", Text, "In a file."),
            Key("command", WORDS, "A program prints it."),
            Key("dotenv", Text, "In a file of variables; `key` says which."),
            Key("age", Text, "In an encrypted file."),
            Key("key", Text, "The variable of the `dotenv` file."),
            Key("identity", Text, "What decrypts the `age` file."),
        ],
        required: &[],
        one_of: &["env", "file", "command", "dotenv", "age"],
    },
    environments::ENVIRONMENT,
    environments::SWAPPED_FILE,
    environments::HEALTH_TABLE,
    environments::CHECK,
    environments::PROTECT,
    environments::FREEZE,
    Table {
        name: "task",
        about: "A named unit of work.",
        keys: &[
            Key("about", Text, "For `deploy list`."),
            Key("group", Text, "The heading that it is listed under."),
            Key("private", Bool, "Whether `deploy list` leaves it out."),
            Key("aliases", WORDS, "Other names for it."),
            Key("only", WORDS, "Environments; elsewhere it is left out."),
            Key(
                "require",
                List(&Any(&[Text, Kind::Table("requirement")])),
                "Programs, or lines that must succeed, before anything runs.",
            ),
            Key("params", Map(&Kind::Table("parameter")), "What it wants to be told."),
            Key(
                "each",
                Map(&Any(&[Text, List(&SCALAR)])),
                "Lists: a job for each combination of their values.",
            ),
            Key("needs", NEEDS, "What must succeed before it."),
            Key("after", WORDS, "What ends before it, if that is in the plan too."),
            Key("run", LINES, "Shell lines."),
            Key("steps", STEPS, "What it does, when lines aren't enough."),
            Key("always", STEPS, "Steps at its end, whatever happened."),
            Key("vars", VARIABLES, "Values by name; they beat the environment's."),
            Key("env", ENV, "Variables for its processes."),
            Key("secrets", WORDS, "Secrets that are variables of its processes."),
            Key("dotenv", DOTENV, "Files of variables."),
            Key("dir", Text, "The folder that its processes run in."),
            Key("shell", WORDS, "The program and flags that get each shell line."),
            Key("if", Text, "An expression; false leaves it out."),
            Key("confirm", Text, "A question, asked before anything runs."),
            Key(
                "inputs",
                FILES,
                "Patterns: what it reads. If nothing has changed since it was done, there is nothing to do.",
            ),
            Key("outputs", FILES, "Patterns: what it makes."),
            Key(
                "cache",
                Text,
                "Where what it makes is kept for others: a folder, an address, or a store's name.",
            ),
            Key("skip_if", Text, "A shell line; if it succeeds, there is nothing to do."),
            Key("timeout", Text, "A duration for all its steps together."),
            Key("retry", RETRY, "Tries the whole task again."),
            Key("on", LINES, "Hosts, or groups of them: it is done on each."),
            Key("batch", BATCH, "On how many at the same time: a number, or a part such as \"25%\"."),
            Key("canary", HOSTS, "How many go first; if one fails, the rest is not begun."),
            Key("max_failures", HOSTS, "How many may fail."),
            Key("unreachable", Word(&["fail", "skip"]), "What becomes of a host that can't be reached."),
            Key("sudo", Any(&[Bool, Text]), "As root, or as this user there."),
            Key("interactive", Bool, "Whether it has the terminal, alone."),
            Key("unmasked", Bool, "Whether it may see secrets although what it prints can't be masked."),
            Key("lock", Bool, "Whether it holds its environment as a deploy does."),
            Key(
                "output",
                Word(&["auto", "stream", "prefixed", "grouped", "quiet"]),
                "How its output is shown.",
            ),
            Key("exclusive", Text, "Tasks with the same word never run at the same time."),
        ],
        required: &[],
        one_of: &[],
    },
    Table {
        name: "store",
        about: "A place for what is kept outside of the project.",
        keys: &[
            Key("url", Text, "A folder, or s3://bucket/folder, spaces://…, gs://…, az://…."),
            Key("endpoint", Text, "Another address than that of the service's own."),
            Key("region", Text, "The region that the bucket is in."),
            Key("secrets", WORDS, "Secrets that are its credentials, by the vendor's names for them."),
        ],
        required: &["url"],
        one_of: &[],
    },
    Table {
        name: "files",
        about: "Files that patterns name.",
        keys: &[
            Key("files", LINES, "Patterns; `!` leaves out, and the last one that matches counts."),
            Key("gitignore", Bool, "Whether what git ignores is left out too."),
        ],
        required: &["files"],
        one_of: &[],
    },
    Table {
        name: "parameter",
        about: "What a task wants to be told.",
        keys: &[
            Key("type", Word(&["string", "int", "bool", "path", "git-ref", "enum"]), "What its value is."),
            Key("about", Text, "For the task's help."),
            Key("default", VARIABLE, "Without one it must be given."),
            Key("choices", List(&SCALAR), "The only values that it takes."),
            Key("min", Integer(i64::MIN, i64::MAX), "The least number."),
            Key("max", Integer(i64::MIN, i64::MAX), "The greatest number."),
            Key("positional", Bool, "Whether it is given by its place."),
            Key("many", Bool, "Whether it takes several values."),
            Key("short", Text, "Its letter."),
            Key("env", Text, "A variable of the caller's that gives it."),
            Key("dashes", Bool, "Whether a value may start with `-`."),
        ],
        required: &[],
        one_of: &[],
    },
    Table {
        name: "need",
        about: "A task that must succeed before.",
        keys: &[
            Key("task", Text, "Its name."),
            Key("with", VARIABLES, "Its parameters."),
            Key("environment", Text, "Where it runs, if that is elsewhere."),
        ],
        required: &["task"],
        one_of: &[],
    },
    Table {
        name: "requirement",
        about: "A line that must succeed.",
        keys: &[Key("run", Text, "The shell line."), Key("message", Text, "What is said when it fails.")],
        required: &["run"],
        one_of: &[],
    },
    Table {
        name: "step",
        about: "A step: exactly one of run, exec, task, swap, ship, check, http, put, get, backup and restore.",
        keys: &[
            Key("run", Text, "A shell line."),
            Key("exec", WORDS, "A program without a shell."),
            Key("task", Text, "Another task's steps."),
            Key("with", VARIABLES, "Variables for the `task`."),
            Key("swap", SWAP, "Other content for files of the working tree, until the task ends."),
            Key("ship", True, "Ships the environment's release."),
            Key("check", CHECK, "Waits until an address is healthy."),
            Key("http", Kind::Table("http"), "One request."),
            Key("put", Kind::Table("put"), "Files to hosts."),
            Key("get", Kind::Table("get"), "Files from hosts."),
            Key("backup", Text, "What is saved of the environment: a name of `[backups]`."),
            Key("restore", Text, "What comes back of the environment: a name of `[backups]`."),
            Key("name", Text, "What messages call it."),
            Key("if", Text, "An expression; false leaves it out."),
            Key("dir", Text, "The folder that its process runs in."),
            Key("on", LINES, "Hosts, or groups of them: it is done on each."),
            Key("batch", BATCH, "On how many at the same time: a number, or a part such as \"25%\"."),
            Key("canary", HOSTS, "How many go first; if one fails, the rest is not begun."),
            Key("max_failures", HOSTS, "How many may fail."),
            Key("unreachable", Word(&["fail", "skip"]), "What becomes of a host that can't be reached."),
            Key("sudo", Any(&[Bool, Text]), "As root, or as this user there."),
            Key("env", ENV, "Variables for its process."),
            Key("secrets", WORDS, "Secrets that are variables of its process."),
            Key("timeout", Text, "A duration, for each try."),
            Key("retry", RETRY, "Tries it again."),
            Key("allow_failure", Bool, "Whether the task goes on if it fails."),
            Key("undo", STEPS, "How it is taken back."),
        ],
        required: &[],
        one_of: &["run", "exec", "task", "swap", "ship", "check", "http", "put", "get", "backup", "restore"],
    },
    Table {
        name: "retry",
        about: "How often something is tried.",
        keys: &[
            Key("times", Integer(1, 1000), "How often in all."),
            Key("wait", Text, "A duration: the pause before the second try."),
            Key("factor", Number, "What each further pause is multiplied by."),
            Key("jitter", Bool, "Cuts each pause at random."),
            Key("on_exit", List(&Integer(1, 255)), "Only these exit codes are tried again."),
        ],
        required: &[],
        one_of: &[],
    },
    Table {
        name: "http",
        about: "One request over HTTP.",
        keys: &[
            Key("url", Text, "An http or https address."),
            Key(
                "method",
                Word(&["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
                "Without a body GET, else POST.",
            ),
            Key("headers", Map(&Text), "Headers by name."),
            Key("json", Anything, "The body, as JSON."),
            Key("body", Text, "The body, as it is."),
            Key("expect", Any(&[STATUS, List(&STATUS)]), "The statuses that are good."),
        ],
        required: &["url"],
        one_of: &[],
    },
];

const STATUS: Kind = Integer(200, 599);
