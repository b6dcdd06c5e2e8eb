//! Dotenv files: read, and parsed by `model::dotenv`; never run.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::model::dotenv;
use crate::plan::Read;

/// What a dotenv file says. `env` is the caller's environment, `path` is as messages show it.
pub(super) fn read(root: &Path, path: &Path, env: &[(OsString, OsString)]) -> Read {
    match fs::read(root.join(path)) {
        Ok(bytes) => parse(&bytes, path, env),
        Err(error) if error.kind() == ErrorKind::NotFound => Read::Missing,
        Err(error) => Read::Wrong(error.to_string()),
    }
}

fn parse(bytes: &[u8], path: &Path, env: &[(OsString, OsString)]) -> Read {
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let line = memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count() + 1;
            return Read::Wrong(format!("{}:{line}: this is no UTF-8", path.display()));
        }
    };
    let callers = |name: &str| {
        env.iter().find(|(known, _)| known == name).map(|(_, value)| value.to_string_lossy().into_owned())
    };
    match dotenv::parse(text, &callers) {
        Ok(variables) => Read::Is(variables),
        Err(fault) => {
            Read::Wrong(format!("{}:{}:{}: {}", path.display(), fault.line, fault.column, fault.why))
        }
    }
}
