//! From a child's start to its end: one loop that reads, writes, and waits. It runs on the caller's thread.
//! A child ends by itself, or is asked (TERM, or the run's signal) and after the grace killed.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Signal;

use super::child::{Child, Feed, FeedEnd};
use super::family::Family;
use super::printed::Printed;
use super::stop::Asking;
use super::{BYE, End, Ended, Flow, KILL, Terminal, terminal};
use crate::model::event::Stream;

/// Takes what a child prints.
pub(super) type Output<'a> = dyn FnMut(Stream, Vec<u8>) -> Flow + 'a;

/// After the leader's end others may hold its output open: long enough for a `tee` to finish, too short to annoy.
pub(super) const DRAIN: Duration = Duration::from_millis(500);

/// How often we look whether those whom the leader left behind have ended too; only while a child is being ended.
const LOOK: Duration = Duration::from_millis(20);

/// How often we look whether a child waits for the terminal, about which nothing wakes us; only if we have one.
const TERMINAL_LOOK: Duration = Duration::from_secs(1);

/// How long a child may take that is told to kill what it stands for: one way over a slow network, and back.
const FAR: Duration = Duration::from_secs(3);

/// When we give up on a child that SIGKILL does not end: another user's, or one that hangs in the kernel.
const UNKILLABLE: Duration = Duration::from_secs(5);

/// Follows a child to its end. On an error the child is killed.
pub(super) fn watch(child: Child<'_>, timeout: Option<Duration>, output: &mut Output) -> io::Result<Ended> {
    let suspended = child.registered.suspended();
    let watch = Watch {
        child,
        timeout,
        began: Instant::now(),
        suspended,
        stage: Stage::Running,
        leader_ended: None,
        done: None,
    };
    watch.follow(output)
}

struct Watch<'s> {
    child: Child<'s>,
    timeout: Option<Duration>,
    began: Instant,
    /// For how long we had been suspended when it began.
    suspended: Duration,
    stage: Stage,
    leader_ended: Option<Instant>,
    /// When its output said that its work is done.
    done: Option<Instant>,
}

#[derive(Clone, Copy)]
enum Stage {
    Running,
    /// It was sent `signal`, and is killed at `kill_at`.
    Asked {
        why: End,
        signal: Signal,
        kill_at: Instant,
    },
    /// It was told that what it stands for is killed, and is itself at `cut_at`.
    Told {
        why: End,
        cut_at: Instant,
    },
    Killed {
        why: End,
        at: Instant,
    },
}

/// What a poll waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Stdin,
    Stdout,
    Stderr,
    Leader,
    Bell,
}

impl Watch<'_> {
    fn follow(mut self, output: &mut Output) -> io::Result<Ended> {
        let mut bell_rang = false;
        loop {
            let ready = self.poll(bell_rang)?;
            if ready.contains(&Source::Bell) {
                bell_rang = true;
                self.stop();
            }
            if ready.contains(&Source::Stdin) {
                feed(&mut self.child.stdin)?;
            }
            let mut flow = Flow::On;
            if ready.contains(&Source::Stdout) {
                flow = read(&mut self.child.stdout, Stream::Out, output)?;
            }
            if ready.contains(&Source::Stderr) && flow == Flow::On {
                flow = read(&mut self.child.stderr, Stream::Err, output)?;
            }
            match flow {
                Flow::On => {}
                Flow::Last => self.work_is_done(),
                Flow::Kill => self.kill(End::Stopped),
            }
            if ready.contains(&Source::Leader) {
                self.leader_ended = Some(Instant::now());
                self.child.stdin = None;
            }
            self.advance();
            if self.is_over() {
                return self.ended();
            }
        }
    }

    /// Waits until something is ready or something is due.
    fn poll(&self, bell_rang: bool) -> io::Result<Vec<Source>> {
        let child = &self.child;
        // What stays open is only looked at when there is something to write.
        let unread = child
            .stdin
            .as_ref()
            .filter(|feed| feed.end == FeedEnd::WhenRead || feed.written < feed.bytes.len());
        // The system looks in this order. The leader comes before the bell, so that if a signal ended it we see both.
        let (sources, mut fds): (Vec<Source>, Vec<PollFd<'_>>) = [
            (Source::Stdin, unread.map(|feed| feed.pipe.as_fd()), PollFlags::OUT),
            (Source::Stdout, child.stdout.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (Source::Stderr, child.stderr.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (Source::Leader, self.leader_ended.is_none().then(|| child.leader.ended()), PollFlags::IN),
            (Source::Bell, (!bell_rang).then(|| child.registered.bell.as_fd()), PollFlags::IN),
        ]
        .into_iter()
        .filter_map(|(source, fd, flags)| Some((source, PollFd::from_borrowed_fd(fd?, flags))))
        .unzip();

        let wait = self.due().map(|due| due.saturating_duration_since(Instant::now()));
        let wait = wait.and_then(|wait| Timespec::try_from(wait).ok());
        match poll(&mut fds, wait.as_ref()) {
            Ok(_) => {}
            // A signal for us; whoever listens to it was told.
            Err(Errno::INTR) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
        let ready = |(source, fd): (Source, PollFd<'_>)| (!fd.revents().is_empty()).then_some(source);
        Ok(sources.into_iter().zip(fds).filter_map(ready).collect())
    }

    /// When there is something to do even if nothing becomes ready.
    fn due(&self) -> Option<Instant> {
        match (self.stage, self.leader_ended) {
            (Stage::Running, None) => {
                let look = self.may_wait_for_terminal().then(|| Instant::now() + TERMINAL_LOOK);
                let done = self.done.map(|done| done + DRAIN);
                self.timeout_at().into_iter().chain(look).chain(done).min()
            }
            (Stage::Running, Some(ended)) => Some(ended + DRAIN),
            (Stage::Asked { kill_at, .. }, None) => Some(kill_at),
            (Stage::Asked { kill_at, .. }, Some(_)) => Some(kill_at.min(Instant::now() + LOOK)),
            (Stage::Told { cut_at, .. }, _) => Some(cut_at),
            (Stage::Killed { at, .. }, None) => Some(at + UNKILLABLE),
            (Stage::Killed { at, .. }, Some(ended)) => Some(at.max(ended) + DRAIN),
        }
    }

    /// The bell rang: the child was sent the run's signal.
    fn stop(&mut self) {
        let Some((signal, grace_ends)) = self.child.registered.asked() else { return };
        match &mut self.stage {
            // It had ended before, and is what it was.
            Stage::Running if self.leader_ended.is_some() => {}
            Stage::Running => {
                self.stage = Stage::Asked { why: End::Stopped, signal, kill_at: grace_ends };
                self.say(word(signal));
            }
            Stage::Asked { kill_at, .. } => *kill_at = grace_ends.min(*kill_at),
            Stage::Told { .. } | Stage::Killed { .. } => {}
        }
    }

    /// Does what is due.
    fn advance(&mut self) {
        let now = Instant::now();
        match self.stage {
            Stage::Running if self.leader_ended.is_some() => {}
            Stage::Running => {
                if self.timeout_at().is_some_and(|at| now >= at) {
                    let kill_at = self.child.registered.ask(Signal::TERM);
                    self.stage = Stage::Asked { why: End::TimedOut, signal: Signal::TERM, kill_at };
                    self.say(word(Signal::TERM));
                } else if self.done.is_some_and(|done| now >= done + DRAIN) {
                    self.cut(End::Stopped);
                } else if self.may_wait_for_terminal() && self.child.leader.waits_for_terminal() {
                    self.kill(End::WantsTerminal);
                }
            }
            Stage::Asked { why, signal, kill_at } => {
                let is_alone = || self.leader_ended.is_some() && !self.leftovers_may_end_by(signal);
                if now >= kill_at || is_alone() {
                    self.kill(why);
                }
            }
            // It, and what it stands for elsewhere, is gone; or nobody answers there any more.
            Stage::Told { why, cut_at } => {
                if now >= cut_at || self.leader_ended.is_some() {
                    self.cut(why);
                }
            }
            Stage::Killed { .. } => {}
        }
    }

    /// Never in the round in which the leader's end was noticed while a pipe is open: what it wrote last is in there.
    fn is_over(&self) -> bool {
        let (now, is_closed) = (Instant::now(), self.is_closed());
        match (self.stage, self.leader_ended) {
            (Stage::Running, None) | (Stage::Asked { .. } | Stage::Told { .. }, _) => false,
            (Stage::Running, Some(ended)) => is_closed || now >= ended + DRAIN,
            (Stage::Killed { at, .. }, None) => now >= at + UNKILLABLE,
            (Stage::Killed { at, .. }, Some(ended)) => is_closed || now >= at.max(ended) + DRAIN,
        }
    }

    fn ended(self) -> io::Result<Ended> {
        let holds_output = !self.is_closed();
        if let (Stage::Killed { why, .. }, None) = (self.stage, self.leader_ended) {
            return Ok(Ended { end: why, left_running: true });
        }
        let status = self.child.reap()?;
        Ok(match self.stage {
            Stage::Running | Stage::Asked { .. } | Stage::Told { .. } => Ended {
                end: status
                    .code()
                    .map_or_else(|| End::Signalled(status.signal().unwrap_or_default()), End::Exited),
                left_running: holds_output || self.child.registered.group.outlives_leader(),
            },
            Stage::Killed { why, .. } => Ended { end: why, left_running: holds_output },
        })
    }

    /// Whether there is nothing more to read.
    fn is_closed(&self) -> bool {
        self.child.stdout.is_none() && self.child.stderr.is_none()
    }

    fn kill(&mut self, why: End) {
        match self.stage {
            Stage::Told { .. } | Stage::Killed { .. } => {}
            Stage::Running | Stage::Asked { .. } if self.is_told() && self.leader_ended.is_none() => {
                self.say(KILL);
                self.stage = Stage::Told { why, cut_at: Instant::now() + FAR };
            }
            Stage::Running | Stage::Asked { .. } => self.cut(why),
        }
    }

    /// Kills the child itself.
    fn cut(&mut self, why: End) {
        self.child.registered.kill();
        self.stage = Stage::Killed { why, at: Instant::now() };
    }

    /// What it printed says that its work is done.
    fn work_is_done(&mut self) {
        if self.done.is_none() && matches!(self.stage, Stage::Running) {
            self.done = Some(Instant::now());
            self.say(BYE);
        }
    }

    fn is_told(&self) -> bool {
        self.child.registered.asking == Asking::Words
    }

    /// Says a word to a child that is asked by words.
    fn say(&mut self, word: &str) {
        if !self.is_told() {
            return;
        }
        if let Some(feed) = &mut self.child.stdin {
            feed.bytes.drain(..feed.written);
            feed.written = 0;
            feed.bytes.extend_from_slice(word.as_bytes());
            feed.bytes.push(b'\n');
        }
    }

    /// Whether somebody outlived the leader who is not deaf to the signal, and so may still put things in order.
    fn leftovers_may_end_by(&self, signal: Signal) -> bool {
        Family::look().of(self.child.registered.group).iter().any(|member| !member.ignores(signal))
    }

    fn timeout_at(&self) -> Option<Instant> {
        let suspended = self.child.registered.suspended().saturating_sub(self.suspended);
        Some(self.began + self.timeout? + suspended)
    }

    fn may_wait_for_terminal(&self) -> bool {
        self.child.terminal != Terminal::Interactive && terminal::is_ours()
    }
}

/// A signal, as a child is told it in a word.
fn word(signal: Signal) -> &'static str {
    match signal {
        Signal::INT => "INT",
        Signal::HUP => "HUP",
        Signal::QUIT => "QUIT",
        _ => "TERM",
    }
}

fn read(printed: &mut Option<Printed>, stream: Stream, output: &mut Output) -> io::Result<Flow> {
    let Some(pipe) = printed else { return Ok(Flow::On) };
    match pipe.read()? {
        Some(bytes) if bytes.is_empty() => *printed = None,
        Some(bytes) => return Ok(output(stream, bytes)),
        None => {}
    }
    Ok(Flow::On)
}

fn feed(stdin: &mut Option<Feed>) -> io::Result<()> {
    let Some(feed) = stdin else { return Ok(()) };
    match feed.pipe.write(&feed.bytes[feed.written..]) {
        Ok(count) => feed.written += count,
        // It does not read them, and need not.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => feed.written = feed.bytes.len(),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
        Err(error) => return Err(error),
    }
    if feed.written == feed.bytes.len() && feed.end == FeedEnd::WhenRead {
        *stdin = None;
    }
    Ok(())
}
