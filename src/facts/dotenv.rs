//! Dotenv files: read and parsed, never run.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::plan::Read;

/// What a dotenv file says.
pub(super) fn read(path: &Path) -> Read {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text),
        Err(error) if error.kind() == ErrorKind::NotFound => Read::Missing,
        Err(error) => Read::Wrong(error.to_string()),
    }
}

fn parse(text: &str) -> Read {
    let mut variables = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            variables.push((name.trim().to_owned(), value.trim().trim_matches('"').to_owned()));
        }
    }
    Read::Is(variables)
}
