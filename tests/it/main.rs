//! What `deploy` does, seen from outside: every test runs the real program in a folder of its own and looks at
//! what it printed, how it ended and what it left behind. One file a feature; nothing here knows the code inside.

#![expect(
    clippy::disallowed_methods,
    reason = "tests are the world that deploy acts on: they start it, and write its files"
)]

mod support;

mod apply;
mod backup_faults;
mod backup_stores;
mod backups;
mod bad_input;
mod buckets;
mod cache;
mod check;
mod checks;
mod command_target;
mod compare;
mod completions;
mod diff;
mod digitalocean;
mod divio;
mod dotenv;
mod each;
mod errors;
mod examples;
mod freeze;
mod fresh;
mod git_push;
mod git_target;
mod graph;
mod health;
mod help;
mod history;
mod hostile;
mod hosts;
mod http;
mod in_place;
mod include;
mod inherits;
mod interest;
mod leaks;
mod ledger;
mod list;
mod logs;
mod man;
mod output;
mod owed;
mod parameters;
mod plan;
mod platforms;
mod postgres;
mod processes;
mod protect;
mod pythonanywhere;
mod refusals;
mod remotes;
mod render;
mod rollback;
mod schema;
mod secrets;
mod server_hosts;
mod server_target;
mod shallow;
mod show;
mod sources;
mod status;
mod stop;
mod tasks;
mod team;
mod team_remotes;
mod tokens;
mod transfer;
mod values;
mod watch;
mod zappa;
