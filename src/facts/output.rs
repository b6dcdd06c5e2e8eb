//! What the commands of variables print: each is run once, however often it is planned.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{LookError, Site};
use crate::model::project::inside;
use crate::process::{self, Command, End, Stop, program};
use crate::release::Refusal;

impl Site {
    /// What a command printed, now or when it was asked before.
    pub(super) fn output_once(&self, folder: &Path, command: &[String]) -> Result<String, LookError> {
        let key = (folder.to_owned(), command.to_vec());
        if let Some(output) = self.outputs.borrow().get(&key) {
            return Ok(output.clone());
        }
        let output = self.output(folder, command)?;
        self.outputs.borrow_mut().insert(key, output.clone());
        Ok(output)
    }

    /// What a program of the user's prints in a folder of the project, without the newline at its end.
    fn output(&self, folder: &Path, command: &[String]) -> Result<String, LookError> {
        let refused = |why: String| {
            let message = format!("the value of `{}` can't be had: {why}", command.join(" "));
            LookError::Refused(Refusal::new(message, "try the command by hand, in the folder of tasks.toml"))
        };
        let Some((program, args)) = command.split_first() else {
            return Err(refused("it is empty".to_owned()));
        };
        let path = self.env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
        let folder = inside(&self.root, folder);
        let program = program::find(OsStr::new(program), path, &folder)
            .map_err(|missing| refused(missing.to_string()))?;
        let command = Command {
            args: args.iter().map(OsString::from).collect(),
            env: Arc::clone(&self.env),
            ..Command::new(program, &folder)
        };
        let captured = process::capture(&command, &Stop::new(Duration::ZERO))
            .map_err(|error| refused(error.to_string()))?;
        match captured.status {
            End::Exited(0) => match String::from_utf8(captured.stdout) {
                Ok(text) if text.contains('\0') => {
                    Err(refused("it prints a NUL, which no program can be given".to_owned()))
                }
                Ok(text) => Ok(text.trim_end_matches('\n').to_owned()),
                Err(_) => Err(refused("what it prints is not UTF-8 text".to_owned())),
            },
            End::Exited(code) => {
                let said = String::from_utf8_lossy(&captured.stderr).trim().to_owned();
                Err(refused(format!("it failed with exit code {code}: {said}")))
            }
            End::Signalled(_) | End::TimedOut | End::Stopped | End::WantsTerminal => {
                Err(refused("it was ended".to_owned()))
            }
        }
    }
}
