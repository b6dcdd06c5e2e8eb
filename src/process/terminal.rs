//! What there is to know about our own terminal: whether we have one, and how it was set.

use std::fs::File;
use std::io::stdin;
use std::sync::OnceLock;

use rustix::process::getpgrp;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};

/// Whether this process has a controlling terminal, which a child could try to read.
pub(super) fn is_ours() -> bool {
    static IS_OURS: OnceLock<bool> = OnceLock::new();
    *IS_OURS.get_or_init(|| File::open("/dev/tty").is_ok())
}

/// How the terminal was set before an interactive child had it.
pub(super) struct Saved(Termios);

impl Saved {
    /// The settings of stdin, if that is a terminal.
    pub(super) fn take() -> Option<Self> {
        tcgetattr(stdin()).ok().map(Self)
    }

    /// Sets the terminal as it was: an editor that was killed leaves it without echo.
    pub(super) fn restore(&self) {
        // From the background this would stop us, and then it is not ours to set.
        if tcgetpgrp(stdin()).is_ok_and(|foreground| foreground == getpgrp()) {
            let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
        }
    }
}
