//! A release commit on its way to a repository on a host, by git and the run's connection: what is there already is not
//! sent again.

use super::{Hosts, Shipment, unmet};
use crate::model::event::Failure;
use crate::model::host::There;
use crate::process::Stop;
use crate::release::remote::{Pushed, Remote};

/// The ref that names what was sent last, so that the next sending is short.
const SENT: &str = "refs/heads/release";

/// Sends the commit to the bare repository at `path` there.
pub(super) fn send(
    hosts: &dyn Hosts,
    there: &There,
    path: &str,
    shipment: &Shipment<'_>,
    stop: &Stop,
) -> Result<(), Failure> {
    let failed = |why: String| {
        let message = format!("the release could not be sent to {}: {why}", there.host);
        Err(unmet(message, "is there room, and may this user write to `path`?"))
    };
    // The run's connection leads there, whatever the name is.
    let url = format!("host:{path}");
    hosts.by_git(there, stop, &mut |ssh| {
        let remote = Remote::through(shipment.scratch, ssh, &url, SENT);
        match remote.replace(shipment.commit, stop, &mut |_| ()) {
            Ok(Pushed::Done | Pushed::UpToDate) => Ok(()),
            Ok(Pushed::Declined(reason)) => failed(reason),
            Ok(Pushed::Moved) => failed("another run sends to it".to_owned()),
            Err(_) if stop.asked().is_some() => Err(Failure::Stopped),
            Err(error) => failed(error.to_string()),
        }
    })
}
