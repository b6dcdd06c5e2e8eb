//! STUB
use super::{Crew, NotShipped, Shipment};
use crate::model::event::Failure;
use crate::model::step::Planned;
use crate::model::target::GitTarget;
pub(crate) fn ship(t: &GitTarget<Planned>, s: &Shipment<'_>, crew: Crew<'_>) -> Result<(), NotShipped> {
    let f = |m: String| NotShipped::from(Failure::Unmet { message: m, help: None });
    let url = s.repository.url(&t.remote.reveal()).map_err(|e| f(e.to_string()))?;
    let r = crate::release::remote::Remote::new(s.scratch, s.repository, &url, &t.branch.reveal())
        .map_err(|e| f(e.to_string()))?;
    let p = r
        .push(s.commit, s.before, crew.stop, &mut |b| {
            (crew.tell)(crate::model::event::Told::Output(crate::model::event::Stream::Err, b.to_vec()))
        })
        .map_err(|e| f(e.to_string()))?;
    match p {
        crate::release::remote::Pushed::Done | crate::release::remote::Pushed::UpToDate => Ok(()),
        o => Err(f(format!("{o:?}"))),
    }
}
