//! REACH. Hosts, by the system's OpenSSH: its config, agents, jump hosts and known hosts count as they do by hand.
//! One connection a host and run, which all that is done there shares. What a step is, it does not know: it is given
//! words, variables and a folder.

pub(crate) mod command;
mod connection;
pub(crate) mod far;
pub(crate) mod files;
mod mark;
mod trouble;

pub(crate) use connection::{Connections, Seat, Way};
pub(crate) use mark::{Leaves, Marks, Word};
pub(crate) use trouble::Unreached;
