//! What targets ask of hosts, by the connections of the run.

use std::path::Path;

use super::{Hands, host, transfer};
use crate::engine::Act;
use crate::model::event::{Failure, Told};
use crate::model::host::There;
use crate::model::script::Script;
use crate::model::text::Text;
use crate::process::Stop;
use crate::ssh::command;
use crate::target::Hosts;

/// Errands to hosts, as a part of a step.
pub(super) struct Errands<'a> {
    pub(super) hands: &'a Hands<'a>,
    pub(super) act: &'a Act<'a>,
}

impl Hosts for Errands<'_> {
    fn line(
        &self,
        there: &There,
        script: &Script<Text>,
        folder: &str,
        stop: &Stop,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), Failure> {
        let there = There { dir: Some(Text::from(folder)), ..there.clone() };
        let mut extra = self.act.extra.to_vec();
        extra.push((There::VARIABLE.to_owned(), there.host.to_string()));
        let act = Act { extra: &extra, ..*self.act };
        host::shell(self.hands, &act, &there, script, stop, tell)
    }

    fn ask(
        &self,
        there: &There,
        words: Vec<String>,
        stop: &Stop,
        tell: &mut dyn FnMut(Told),
    ) -> Result<String, Failure> {
        host::answer(self.hands, self.act, there, words, stop, tell)
    }

    fn send(
        &self,
        there: &There,
        from: &Path,
        to: &str,
        stop: &Stop,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), Failure> {
        transfer::send(self.hands, self.act, there, from, to, stop, tell)
    }

    fn by_git(
        &self,
        there: &There,
        stop: &Stop,
        act: &mut dyn FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let seat = host::reach(self.hands, there, stop)?;
        let words = command::shared(there, &seat.way.socket);
        let words = [seat.way.ssh.clone().into_os_string()].into_iter().chain(words);
        let quoted = words.map(|word| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''")));
        act(&quoted.collect::<Vec<_>>().join(" "))
    }
}
