//! The rule `checks`: shell lines of an environment that must succeed before anything else is done there. What a failing
//! one printed last is told; what the others print is for nobody.

use std::sync::Mutex;

use anstream::eprintln;

use super::args::Common;
use super::error::Error;
use super::look::overrides;
use super::session::Session;
use super::{interrupt, secret};
use crate::engine::{Act, World};
use crate::facts::Site;
use crate::model::event::{self, Failure, Told};
use crate::model::mask::{self, Masker};
use crate::model::secret::Vaults;
use crate::model::step::{Planned, Step};
use crate::perform::dock::Docks;
use crate::perform::{Handing, Hands, Made};
use crate::plan::guard::{self, Ruling, Verdict};
use crate::plan::{Delivery, Facts, Plan};
use crate::process::Stop;
use crate::process::program::Programs;
use crate::report;
use crate::ssh::Connections;

/// How much of what a check printed is kept, in bytes, and how many lines of it are told: where programs say what is
/// wrong.
const KEPT: usize = 16 * 1024;
const LINES_TOLD: usize = 10;

/// What the checks of a plan need.
pub(crate) struct Checks<'a> {
    pub(crate) session: &'a Session,
    pub(crate) common: &'a Common,
    pub(crate) site: &'a Site,
    pub(crate) facts: &'a Facts,
    pub(crate) plan: &'a Plan,
    pub(crate) vaults: &'a Vaults,
    pub(crate) masker: Option<&'a Masker>,
}

impl Checks<'_> {
    /// Runs the checks of each environment that has some, and settles the verdicts that were open until then: one list for
    /// each delivery of the plan.
    ///
    /// # Errors
    /// A signal that came meanwhile.
    pub(crate) fn settle<'v>(
        &self,
        verdicts: impl Iterator<Item = &'v mut Vec<Verdict>>,
    ) -> Result<(), Error> {
        for (delivery, verdicts) in self.plan.deliveries.iter().zip(verdicts) {
            let open = verdicts.iter_mut().find(|verdict| verdict.ruling == Ruling::Open);
            let Some(open) = open else { continue };
            let what = format!("the checks of {} ran", delivery.environment);
            let failed = interrupt::stoppable(&what, |stop| self.first_failure(delivery, stop))?;
            guard::settle(open, failed, &overrides(self.common));
        }
        Ok(())
    }

    /// Runs them up to the first that fails: what it has to say.
    fn first_failure(&self, delivery: &Delivery, stop: &Stop) -> Option<String> {
        let hands = Hands {
            tracked: None,
            root: self.site.root.clone(),
            state: self.site.state.clone(),
            run: self.facts.run.clone(),
            env: secret::without(self.session, &self.plan.secrets),
            programs: Programs::default(),
            hosts: Connections::default(),
            grace: self.session.project.settings.grace,
            made: Made::default(),
            handing: Handing::Read,
            vaults: self.vaults.clone(),
            docks: Docks::default(),
            held: Vec::new(),
            by: String::new(),
            saved: Mutex::default(),
        };
        delivery.checks.steps.iter().find_map(|step| {
            let title = self.title(step);
            if !self.common.quiet {
                eprintln!("deploy: {} checks: {title}", delivery.environment);
            }
            let act = Act {
                environment: Some(&delivery.environment),
                block: &delivery.checks,
                step,
                extra: &[],
                limit: None,
            };
            let mut tail = Tail::new(self.masker);
            let failure = check(&hands, &act, stop, &mut tail).err()?;
            Some(format!("`{title}` {}{}", report::how(&failure), tail.end()))
        })
    }

    fn title(&self, step: &Step<Planned>) -> String {
        let mut title = report::words::first_line(&step.title());
        if let Some(masker) = self.masker {
            masker.hide(&mut title);
        }
        title
    }
}

fn check(hands: &Hands<'_>, act: &Act<'_>, stop: &Stop, tail: &mut Tail<'_>) -> Result<(), Failure> {
    hands.perform(act, stop, &mut |told| match told {
        Told::Output(stream, bytes) => tail.add(stream, &bytes),
        Told::Note(_) | Told::OnHost(..) | Told::LeftRunning => {}
    })
}

/// The end of what a check prints, without secrets. Bounded, whatever comes.
struct Tail<'m> {
    masker: Option<&'m Masker>,
    out: mask::Stream,
    err: mask::Stream,
    kept: Vec<u8>,
    /// Whether there was more before.
    is_cut: bool,
}

impl<'m> Tail<'m> {
    fn new(masker: Option<&'m Masker>) -> Tail<'m> {
        let (out, err) = (mask::Stream::default(), mask::Stream::default());
        Tail { masker, out, err, kept: Vec::new(), is_cut: false }
    }

    fn add(&mut self, stream: event::Stream, bytes: &[u8]) {
        let held = match stream {
            event::Stream::Out => &mut self.out,
            event::Stream::Err => &mut self.err,
        };
        match self.masker {
            Some(masker) => self.kept.extend(held.push(masker, bytes)),
            None => self.kept.extend_from_slice(bytes),
        }
        if self.kept.len() > 2 * KEPT {
            self.kept.drain(..self.kept.len() - KEPT);
            self.is_cut = true;
        }
    }

    /// Its last lines, each on a line of its own.
    fn end(mut self) -> String {
        if let Some(masker) = self.masker {
            let rests = [self.out.end(masker), self.err.end(masker)];
            self.kept.extend(rests.concat());
        }
        let text = String::from_utf8_lossy(&self.kept);
        let lines: Vec<&str> = text.trim_end().lines().skip(usize::from(self.is_cut)).collect();
        let last = lines.iter().skip(lines.len().saturating_sub(LINES_TOLD));
        last.flat_map(|line| ["\n    ", line]).collect()
    }
}
