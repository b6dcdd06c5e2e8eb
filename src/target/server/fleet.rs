//! A release on hosts: it is made on all of them before any of them switches, and where one fails after the switch, all go
//! back. What is done on each is in `far`.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::super::folder::Folder;
use super::super::{Crew, Holds, Hosts, NotShipped, Shipment, refused};
use super::far::{Far, Making, Seen};
use crate::model::event::{Failed, Failure, HostEnd, HostOutcome, Told};
use crate::model::step::Planned;
use crate::model::target::ServerTarget;
use crate::process::Stop;

/// How many hosts are worked on at the same time.
const AT_ONCE: usize = 16;

/// Brings a release to all hosts.
///
/// A failure before the switch leaves `current` as it was everywhere, and nothing of the release.
pub(super) fn ship(
    target: &ServerTarget<Planned>,
    shipment: &Shipment<'_>,
    mut crew: Crew<'_>,
) -> Result<(), NotShipped> {
    let (fleet, number) = (Fleet::of(target, crew.hosts, crew.stop), shipment.number);
    let seen = fleet.on_all(&mut crew, "look", |far, tell| far.look(shipment.environment, tell))?;
    let whole =
        if seen.iter().all(|seen| seen.has_git) { None } else { Some(Folder::filled(shipment, &mut crew)?) };
    let made = fleet.each(&mut crew, |index, far, tell| {
        let seen = &seen[index];
        let files = whole.as_ref().filter(|_| !seen.has_git).map(|folder| folder.files.as_path());
        far.make(Making { shipment, files, shared: &target.shared, build: &target.build }, seen, tell)
    });
    if made.iter().any(Result::is_err) {
        fleet.take_away(shipment, &mut crew);
        return Err(fleet.summed_up("make the release", made).expect_err("one has failed").into());
    }
    crew.note(format!("release {number} is in {} on {}", target.path, fleet.named()));
    if let Err(stopped) = crew.go_on() {
        fleet.take_away(shipment, &mut crew);
        return Err(stopped.into());
    }
    fleet.switch(target, &seen, number, &mut crew)?;
    fleet.prune(target.keep, shipment, &seen, &mut crew);
    Ok(())
}

/// Makes `current` name an earlier release on all hosts, where all have it still.
pub(super) fn rollback(
    target: &ServerTarget<Planned>,
    shipment: &Shipment<'_>,
    earlier: u32,
    mut crew: Crew<'_>,
) -> Result<(), NotShipped> {
    let fleet = Fleet::of(target, crew.hosts, crew.stop);
    let seen = fleet.on_all(&mut crew, "look", |far, tell| far.look(shipment.environment, tell))?;
    for (far, seen) in fleet.fars.iter().zip(&seen) {
        if !seen.complete().any(|number| number == earlier) {
            let kept: Vec<String> = seen.complete().map(|number| number.to_string()).collect();
            return Err(refused(
                format!(
                    "releases/{earlier} is not in {} any more; there are: {}",
                    far.shown(),
                    kept.join(", ")
                ),
                "deploy its commit again: deploy ENVIRONMENT --ref COMMIT; more `keep` keeps more releases",
            )
            .into());
        }
    }
    crew.go_on()?;
    fleet.switch(target, &seen, earlier, &mut crew)
}

struct Fleet<'a> {
    fars: Vec<Far<'a>>,
    target: &'a ServerTarget<Planned>,
}

impl<'a> Fleet<'a> {
    fn of(target: &'a ServerTarget<Planned>, hosts: &'a dyn Hosts, stop: &'a Stop) -> Fleet<'a> {
        let path = target.path.to_string();
        Fleet { fars: target.hosts.iter().map(|there| Far::new(there, &path, hosts, stop)).collect(), target }
    }

    fn named(&self) -> String {
        self.fars.iter().map(|far| &*far.there.host).collect::<Vec<_>>().join(", ")
    }

    /// Does something for each host, at the same time; what each says comes as from it.
    fn each<T: Send>(
        &self,
        crew: &mut Crew<'_>,
        work: impl Fn(usize, &Far<'a>, &mut dyn FnMut(Told)) -> Result<T, Failure> + Sync,
    ) -> Vec<Result<T, Failure>> {
        let indexes: Vec<usize> = (0..self.fars.len()).collect();
        let mut results = Vec::with_capacity(indexes.len());
        for wave in indexes.chunks(AT_ONCE) {
            let (sender, receiver) = channel();
            thread::scope(|scope| {
                let begun: Vec<_> = wave
                    .iter()
                    .map(|index| {
                        let (sender, work) = (sender.clone(), &work);
                        scope.spawn(move || {
                            let far = &self.fars[*index];
                            work(*index, far, &mut |told| {
                                // Who would hear it is there until all have ended.
                                let _told = sender.send((far.there.host.clone(), told));
                            })
                        })
                    })
                    .collect();
                drop(sender);
                for (host, told) in receiver {
                    (crew.tell)(Told::OnHost(host, Box::new(told)));
                }
                results.extend(begun.into_iter().map(|thread| {
                    thread.join().unwrap_or_else(|_| Err(Failure::Bug("a host's thread panicked".to_owned())))
                }));
            });
        }
        results
    }

    /// The same, where all must succeed.
    fn on_all<T: Send>(
        &self,
        crew: &mut Crew<'_>,
        what: &str,
        work: impl Fn(&Far<'a>, &mut dyn FnMut(Told)) -> Result<T, Failure> + Sync,
    ) -> Result<Vec<T>, Failure> {
        self.summed_up(what, self.each(crew, |_, far, tell| work(far, tell)))
    }

    /// All that came of it, or how it ended on each host.
    fn summed_up<T>(&self, what: &str, results: Vec<Result<T, Failure>>) -> Result<Vec<T>, Failure> {
        if results.iter().all(Result::is_ok) {
            return Ok(results.into_iter().filter_map(Result::ok).collect());
        }
        if results.iter().any(|result| matches!(result, Err(Failure::Stopped))) {
            return Err(Failure::Stopped);
        }
        let mut ends: Vec<HostEnd> = self
            .fars
            .iter()
            .zip(results)
            .map(|(far, result)| HostEnd {
                host: far.there.host.clone(),
                outcome: match result {
                    Ok(_) => HostOutcome::Succeeded,
                    Err(failure) => HostOutcome::Failed(Box::new(Failed {
                        step: what.to_owned(),
                        at: self.target.at,
                        failure,
                    })),
                },
            })
            .collect();
        match (ends.len(), ends.pop()) {
            (1, Some(HostEnd { outcome: HostOutcome::Failed(failed), .. })) => Err(failed.failure),
            (_, last) => {
                ends.extend(last);
                Err(Failure::OnHosts(ends))
            }
        }
    }

    /// Takes a release away where it was made, because it was not made everywhere.
    fn take_away(&self, shipment: &Shipment<'_>, crew: &mut Crew<'_>) {
        let (stop, number) = (Stop::new(Duration::ZERO), shipment.number);
        let gone = self.each(crew, |_, far, tell| {
            let far = far.under(&stop);
            let seen = far.look(shipment.environment, tell)?;
            // What an earlier try could not take back serves still.
            let ours = seen.records.get(&number).filter(|record| record.commit == shipment.commit.as_str());
            ours.filter(|_| seen.current != Some(number))
                .map_or(Ok(()), |record| far.remove(number, record, tell))
        });
        for (far, result) in self.fars.iter().zip(gone) {
            if result.is_err() {
                let shown = far.shown();
                crew.note(format!("releases/{number} stays in {shown}; the next deploy there takes it up"));
            }
        }
    }

    /// Makes `current` name a release everywhere, and reloads. Where one fails, all go back to what they had.
    fn switch(
        &self,
        target: &ServerTarget<Planned>,
        seen: &[Seen],
        number: u32,
        crew: &mut Crew<'_>,
    ) -> Result<(), NotShipped> {
        let switched = self.each(crew, |_, far, tell| {
            far.switch(number, tell)?;
            tell(Told::Note(format!("current -> releases/{number}")));
            far.reload(target.reload.as_ref(), tell)
        });
        let Err(failure) = self.summed_up("switch to the release", switched) else { return Ok(()) };
        let stop = Stop::new(Duration::ZERO);
        let back = self.each(crew, |index, far, tell| {
            let far = far.under(&stop);
            let Some(before) = seen[index].current else { return far.unlink(tell) };
            far.switch(before, tell)?;
            tell(Told::Note(format!("back: current -> releases/{before}")));
            far.reload(target.reload.as_ref(), tell)
        });
        let stays: Vec<&str> = self
            .fars
            .iter()
            .zip(&back)
            .filter(|(_, result)| result.is_err())
            .map(|(far, _)| &*far.there.host)
            .collect();
        if stays.is_empty() {
            return Err(NotShipped { failure, holds: Holds::Before });
        }
        crew.note(format!("it could not be taken back whole on {}: look there", stays.join(", ")));
        Err(NotShipped { failure, holds: Holds::Release })
    }

    /// Removes the oldest releases, down to `keep`, but none that is needed. What can't be removed is only told.
    fn prune(&self, keep: usize, shipment: &Shipment<'_>, before: &[Seen], crew: &mut Crew<'_>) {
        let gone = self.each(crew, |index, far, tell| {
            let needed = [Some(shipment.number), before[index].current, shipment.live];
            let seen = &before[index];
            // The new one is one of those that stay.
            let others = seen.complete().rev().filter(|number| *number != shipment.number);
            for number in others.skip(keep - 1).filter(|number| !needed.contains(&Some(*number))) {
                far.remove(number, &seen.records[&number], tell)?;
                tell(Told::Note(format!("removed releases/{number}: {keep} are kept")));
            }
            Ok(())
        });
        for (far, result) in self.fars.iter().zip(gone) {
            if result.is_err() {
                crew.note(format!("old releases could not be removed from {}", far.shown()));
            }
        }
    }
}
