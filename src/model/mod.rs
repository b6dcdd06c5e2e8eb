//! The nouns. Data and its laws; nothing here decides, reads or writes.

pub(crate) mod dotenv;
pub(crate) mod environment;
pub(crate) mod event;
pub(crate) mod files;
pub(crate) mod freeze;
pub(crate) mod health;
pub(crate) mod http;
pub(crate) mod json;
pub(crate) mod ledger;
pub(crate) mod mask;
pub(crate) mod name;
pub(crate) mod parameter;
pub(crate) mod project;
pub(crate) mod record;
pub(crate) mod release;
pub(crate) mod script;
pub(crate) mod secret;
pub(crate) mod step;
pub(crate) mod swap;
pub(crate) mod target;
pub(crate) mod task;
pub(crate) mod template;
pub(crate) mod text;
pub(crate) mod tracking;
pub(crate) mod tree;
pub(crate) mod value;
