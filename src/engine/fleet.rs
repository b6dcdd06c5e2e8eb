//! One step on several hosts: wave after wave, and within a wave at the same time. When too many hosts have failed, or a
//! canary has, no further one is begun.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::Limit;
use super::job::{Owed, Running, failed};
use crate::model::event::{EventKind, Failed, Failure, HostEnd, HostOutcome};
use crate::model::host::{Fleet, Member, Unreachable};
use crate::model::record::Debt;
use crate::model::step::{Planned, Retry, Step};
use crate::model::task::Block;
use crate::process::Level;

impl Running<'_, '_> {
    /// Does the step on each host. What the hosts owe always is owed by the block around.
    pub(super) fn fleet(
        &self,
        fleet: &Fleet,
        block: &Block,
        step: &Step<Planned>,
        limit: Option<Limit>,
        owed: &Owed,
    ) -> Result<(), Failed> {
        if let [member] = fleet.members.as_slice() {
            // Where there is one host, the step ends as it does there.
            let running = self.on(&member.there.host);
            return running
                .reached(member, limit)
                .and_then(|()| running.step(block, &member.step, limit, owed));
        }
        let mut outcomes: Vec<HostOutcome> = Vec::with_capacity(fleet.members.len());
        let mut rest = fleet.members.as_slice();
        for (index, size) in fleet.waves.iter().enumerate() {
            let (wave, next) = rest.split_at(*size);
            rest = next;
            let may_fail = if index == 0 && fleet.has_canary { 0 } else { fleet.max_failures };
            if self.stops.run.level() > Level::Go || failures(&outcomes) > may_fail {
                outcomes.extend(wave.iter().map(|_| HostOutcome::NotStarted));
                continue;
            }
            outcomes.extend(self.wave(fleet, block, wave, may_fail - failures(&outcomes), limit, owed));
            if index == 0 && fleet.has_canary && failures(&outcomes) > 0 {
                outcomes.extend(rest.iter().map(|_| HostOutcome::NotStarted));
                break;
            }
        }
        let hosts = fleet.members.iter().map(|member| member.there.host.clone());
        let ends = hosts.zip(outcomes).map(|(host, outcome)| HostEnd { host, outcome }).collect();
        self.sum_up(fleet, step, ends)
    }

    /// What becomes of the step, by how it ended on each host.
    fn sum_up(&self, fleet: &Fleet, step: &Step<Planned>, ends: Vec<HostEnd>) -> Result<(), Failed> {
        let count = |fits: fn(&HostOutcome) -> bool| ends.iter().filter(|end| fits(&end.outcome)).count();
        let failures = count(|outcome| matches!(outcome, HostOutcome::Failed(_)));
        let done = count(|outcome| matches!(outcome, HostOutcome::Succeeded));
        let not_begun = count(|outcome| matches!(outcome, HostOutcome::NotStarted));
        let stopped = count(|outcome| matches!(outcome, HostOutcome::Stopped));
        if done == ends.len() {
            return Ok(());
        }
        if failures == 0 && (stopped > 0 || not_begun > 0) {
            return Err(failed(&step.title(), step.at, Failure::Stopped));
        }
        // Done nowhere is not done.
        if failures <= fleet.max_failures && not_begun == 0 && done > 0 {
            self.event(EventKind::HostsDone { job: self.id, step: step.title(), ends });
            return Ok(());
        }
        Err(failed(&step.title(), step.at, Failure::OnHosts(ends)))
    }

    /// The hosts of a wave, at the same time as far as may be.
    fn wave(
        &self,
        fleet: &Fleet,
        block: &Block,
        wave: &[Member],
        may_fail: usize,
        limit: Option<Limit>,
        owed: &Owed,
    ) -> Vec<HostOutcome> {
        let queue: Mutex<VecDeque<usize>> = Mutex::new((0..wave.len()).collect());
        let ended: Mutex<Vec<Option<HostOutcome>>> = Mutex::new(vec![None; wave.len()]);
        let owing: Mutex<Vec<Debt>> = Mutex::default();
        // By itself, so that the lock is not kept while the host is acted on.
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let work = || {
            while let Some(index) = next() {
                let is_over = {
                    let ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
                    failures(ended.iter().flatten()) > may_fail || self.stops.run.level() > Level::Go
                };
                let outcome = if is_over {
                    HostOutcome::NotStarted
                } else {
                    let own = RefCell::new(Vec::new());
                    let outcome = self.member(fleet, block, &wave[index], limit, &own);
                    owing.lock().unwrap_or_else(PoisonError::into_inner).extend(own.into_inner());
                    outcome
                };
                ended.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(outcome);
            }
        };
        thread::scope(|scope| {
            for _ in 1..wave.len().min(self.width.get()) {
                // Without another thread, those that are there take one host more each.
                if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                    break;
                }
            }
            work();
        });
        owed.borrow_mut().extend(owing.into_inner().unwrap_or_else(PoisonError::into_inner));
        let ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        ended.into_iter().map(|outcome| outcome.unwrap_or(HostOutcome::NotStarted)).collect()
    }

    fn member(
        &self,
        fleet: &Fleet,
        block: &Block,
        member: &Member,
        limit: Option<Limit>,
        owed: &Owed,
    ) -> HostOutcome {
        let running = self.on(&member.there.host);
        match running.reached(member, limit) {
            Err(Failed { failure: Failure::Unreachable { message, .. }, .. })
                if fleet.unreachable == Unreachable::Skip =>
            {
                return HostOutcome::Skipped(message);
            }
            reached => reached,
        }
        .and_then(|()| running.step(block, &member.step, limit, owed))
        .map_or_else(
            |failed| {
                if failed.failure == Failure::Stopped {
                    HostOutcome::Stopped
                } else {
                    HostOutcome::Failed(Box::new(failed))
                }
            },
            |()| HostOutcome::Succeeded,
        )
    }

    /// A connection comes first, with the step's own tries: a host that can't be reached owes nothing.
    fn reached(&self, member: &Member, limit: Option<Limit>) -> Result<(), Failed> {
        let step = &member.step;
        let retry = step.retry.as_deref().cloned().unwrap_or(Retry { times: 1, ..Retry::default() });
        self.tries(&retry, &step.title(), limit, |running| {
            let reached = running.world.reach(&member.there, &running.stops.run);
            reached.map_err(|failure| failed(&step.title(), step.at, failure))
        })
    }
}

fn failures<'o>(outcomes: impl IntoIterator<Item = &'o HostOutcome>) -> usize {
    outcomes.into_iter().filter(|outcome| matches!(outcome, HostOutcome::Failed(_))).count()
}
