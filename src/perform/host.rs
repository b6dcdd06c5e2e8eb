//! Steps that are processes of a host: a shell line, or a program with its arguments, through the run's connection.

use std::sync::Arc;
use std::time::Instant;

use super::Hands;
use super::surroundings::NO_PROMPTS;
use crate::engine::Act;
use crate::model::event::{Failure, Stream, Told};
use crate::model::host::There;
use crate::model::script::Script;
use crate::model::text::Text;
use crate::process::{self, Command, End, Flow, Stdin, Stop};
use crate::ssh::far::{self, Errand};
use crate::ssh::{Leaves, Marks, Seat, Unreached, Word, command};

/// Bytes of what a step printed on stderr before it began: the words of ssh, or of sudo.
const WORDS: usize = 2048;

/// The host that an act's processes run on, if not here.
pub(super) fn of<'a>(act: &Act<'a>) -> Option<&'a There> {
    act.step.place.as_deref().or(act.block.there.as_deref())
}

/// A line, or a script, of the block's shell. A script that begins with `#!` runs under the interpreter that it names.
pub(super) fn shell(
    hands: &Hands<'_>,
    act: &Act<'_>,
    there: &There,
    script: &Script<Text>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let bound = script.bind();
    let vault = hands.vaults.of(act.environment);
    let mut errand = errand(hands, act, there);
    errand.env.extend(bound.values.into_iter().map(|(name, value)| (name, value.reveal(vault))));
    match bound.line.strip_prefix("#!") {
        Some(rest) => {
            // As the system reads that line: a program, and at most one argument.
            let first = rest.lines().next().unwrap_or_default().trim();
            let words = first.splitn(2, [' ', '\t']).map(|word| word.trim().to_owned());
            errand.words = words.filter(|word| !word.is_empty()).collect();
            errand.script = Some(bound.line);
        }
        None => errand.words = act.block.shell.iter().cloned().chain([bound.line]).collect(),
    }
    run(hands, act, there, &errand, stop, tell)
}

/// A program without a shell.
pub(super) fn program(
    hands: &Hands<'_>,
    act: &Act<'_>,
    there: &There,
    words: &[Text],
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let words = words.iter().map(ToString::to_string).collect();
    run(hands, act, there, &Errand { words, ..errand(hands, act, there) }, stop, tell)
}

/// What a program of deploy's own prints there. It sees nothing of the step's, and runs where one logs in.
pub(super) fn answer(
    hands: &Hands<'_>,
    act: &Act<'_>,
    there: &There,
    words: Vec<String>,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<String, Failure> {
    let mut said = Vec::new();
    let errand = Errand { words, ..Errand::default() };
    run(hands, act, there, &errand, stop, &mut |told| match told {
        Told::Output(Stream::Out, bytes) => said.extend(bytes),
        Told::Output(Stream::Err, _) | Told::Note(_) | Told::OnHost(..) | Told::LeftRunning => tell(told),
    })?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// The connection to a host.
pub(super) fn reach(hands: &Hands<'_>, there: &There, stop: &Stop) -> Result<Seat, Failure> {
    let reached = hands.hosts.reach(there, &hands.env, &hands.programs, stop);
    reached.map_err(|unreached| match unreached {
        Some(Unreached { message, help }) => Failure::Unreachable { message, help },
        None => Failure::Stopped,
    })
}

/// What is done there, but for the program. Nothing of the caller's environment goes along.
fn errand(hands: &Hands<'_>, act: &Act<'_>, there: &There) -> Errand {
    let vault = hands.vaults.of(act.environment);
    let quiet = NO_PROMPTS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let said = act.block.env.iter().chain(&act.step.env);
    let said = said.map(|(name, value)| (name.clone(), value.reveal(vault)));
    Errand {
        env: quiet.chain(said).chain(act.extra.iter().cloned()).collect(),
        dir: there.dir.as_ref().map(ToString::to_string),
        ..Errand::default()
    }
}

fn run(
    hands: &Hands<'_>,
    act: &Act<'_>,
    there: &There,
    errand: &Errand,
    stop: &Stop,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let seat = reach(hands, there, stop)?;
    let mark = far::mark().map_err(|error| Failure::Unmet { message: error, help: None })?;
    let told = far::told(there, errand, &mark, hands.grace, hands.vaults.of(act.environment));
    let timeout = act.limit.map(|limit| limit.at.saturating_duration_since(Instant::now()));
    let command = Command {
        args: command::session(there, &seat.way.socket, &far::line(there)),
        env: Arc::clone(&hands.env),
        stdin: Stdin::Wire(told),
        timeout,
        ..Command::new(&seat.way.ssh, "/")
    };
    let mut heard = Heard { marks: Marks::new(&mark), said: Vec::new(), has_begun: false, end: None };
    let ended = process::follow(&command, stop, &mut |stream, bytes| match stream {
        Stream::Out => {
            tell(Told::Output(stream, bytes));
            Flow::On
        }
        Stream::Err => heard.hear(&bytes, tell),
    });
    let rest = heard.marks.rest();
    if !rest.is_empty() {
        tell(Told::Output(Stream::Err, rest));
    }
    let ended =
        ended.map_err(|error| Failure::NotStarted { message: error.to_string(), code: error.code() })?;
    if let (End::TimedOut, Some(limit)) = (ended.end, act.limit) {
        return Err(Failure::TimedOut(limit.whole));
    }
    if ended.end == End::Stopped && heard.end.is_none() {
        return Err(Failure::Stopped);
    }
    heard.outcome(there, stop, tell)
}

/// What came back on stderr.
struct Heard {
    marks: Marks,
    /// The first of what is no word of the other side.
    said: Vec<u8>,
    has_begun: bool,
    end: Option<Word>,
}

impl Heard {
    fn hear(&mut self, bytes: &[u8], tell: &mut dyn FnMut(Told)) -> Flow {
        let (own, words) = self.marks.push(bytes);
        for word in words {
            match word {
                Word::Begun => self.has_begun = true,
                Word::NoFolder | Word::Ended { .. } => self.end = Some(word),
            }
        }
        if !self.has_begun {
            let room = WORDS.saturating_sub(self.said.len());
            self.said.extend_from_slice(&own[..own.len().min(room)]);
        }
        if !own.is_empty() {
            tell(Told::Output(Stream::Err, own));
        }
        if self.end.is_some() { Flow::Last } else { Flow::On }
    }

    /// How the step ended. Without a word of the other side it is ssh that failed, or sudo.
    fn outcome(self, there: &There, stop: &Stop, tell: &mut dyn FnMut(Told)) -> Result<(), Failure> {
        let said = String::from_utf8_lossy(&self.said).trim().to_owned();
        let host = &there.host;
        match (self.end, &there.sudo) {
            (Some(Word::Ended { code, leaves }), _) => {
                if leaves == Leaves::Something && stop.asked().is_none() {
                    tell(Told::LeftRunning);
                }
                if stop.asked().is_some() {
                    return Err(Failure::Stopped);
                }
                if code == 0 { Ok(()) } else { Err(Failure::Exit(code)) }
            }
            (Some(Word::NoFolder | Word::Begun), _) => {
                let dir = there.dir.as_ref().map(ToString::to_string).unwrap_or_default();
                Err(Failure::NotStarted {
                    message: format!("there is no folder `{dir}` on {host} to run in"),
                    code: 127,
                })
            }
            (None, _) if self.has_begun => Err(Failure::Unmet {
                message: format!("the connection to {host} was lost while it ran"),
                help: Some("what ran there is being ended; look at the host before you try again".to_owned()),
            }),
            (None, Some(sudo)) => Err(Failure::Unmet {
                message: format!("sudo on {host} did not make it {}: {said}", sudo.user),
                help: Some(match sudo.password {
                    Some(_) => "look at the secret of `sudo_password`, and at `sudo -l` there".to_owned(),
                    None => format!(
                        "allow it without a password there, or name one: [hosts.{host}] sudo_password"
                    ),
                }),
            }),
            (None, None) => Err(Failure::Unmet {
                message: format!("nothing could be started on {host}: {said}"),
                help: Some(format!(
                    "it needs `sh` and `mktemp` there; try it by hand: ssh {} true",
                    there.ssh
                )),
            }),
        }
    }
}
