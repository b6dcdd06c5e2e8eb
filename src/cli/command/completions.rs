//! `deploy completions SHELL`: the script that makes a shell complete. It knows nothing itself: it asks `:complete`.

use std::process::ExitCode;

use super::super::args::Shell;
use super::super::print;

pub(crate) fn completions(shell: Shell) -> ExitCode {
    print(match shell {
        Shell::Bash => include_str!("completions/deploy.bash"),
        Shell::Zsh => include_str!("completions/deploy.zsh"),
        Shell::Fish => include_str!("completions/deploy.fish"),
    })
}
