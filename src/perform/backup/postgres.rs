//! `pg_dump` refuses a server that is newer than itself. That is found out, and told with its mend, before it starts.

use std::collections::BTreeMap;

use super::Work;
use crate::model::event::Failure;
use crate::model::script::{Piece, Script};
use crate::model::text::Text;
use crate::process::Flow;

/// The program that this is about.
const DUMP: &str = "pg_dump";

/// What makes another command of it than one program's call.
const MORE: &str = ";|&\n<>()`";

/// Stands in for `pg_dump` in the shell of its own line, so that it gets the very words: tells its version, and asks the
/// server that these words lead to for its own.
const STAND_IN: &str = r#"pg_dump() {
  command pg_dump --version || return 0
  n=$#
  while [ "$n" -gt 0 ]; do
    a=$1 n=$((n - 1))
    shift
    case $a in
      -h | -p | -U | -d | --host | --port | --username | --dbname)
        [ "$n" -gt 0 ] || break
        set -- "$@" "$a" "$1"
        shift
        n=$((n - 1)) ;;
      --host=* | --port=* | --username=* | --dbname=* | -h?* | -p?* | -U?* | -d?*) set -- "$@" "$a" ;;
      -[fFjnNtTESZe] | --file | --format | --jobs | --schema | --exclude-schema | --table | --exclude-table | --encoding)
        [ "$n" -gt 0 ] || break
        shift
        n=$((n - 1)) ;;
      -*) ;;
      *) set -- "$@" -d "$a" ;;
    esac
  done
  command psql -XAtw "$@" -c 'show server_version'
}
"#;

/// The versions of what makes a dump. Refused where `pg_dump` is older than its server; what can't be found out is
/// left to `pg_dump` itself.
pub(super) fn versions(work: &Work<'_>, script: &Script<Text>) -> Result<BTreeMap<String, String>, Failure> {
    let mut versions = BTreeMap::new();
    let Some(question) = question(script) else { return Ok(versions) };
    let mut said = Vec::new();
    // What can't be asked is no failure of the backup's.
    let _ran = work.run(&question, &[], &mut |_| {}, &mut |bytes, _| {
        said.extend(bytes);
        Flow::On
    });
    let said = String::from_utf8_lossy(&said);
    let mut lines = said.lines();
    let Some(ours) = lines.next().and_then(|line| line.strip_prefix("pg_dump (PostgreSQL) ")) else {
        return Ok(versions);
    };
    let first = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    let ours = first(ours);
    versions.insert(DUMP.to_owned(), ours.clone());
    let Some(theirs) = lines.next().map(first).filter(|theirs| major(theirs).is_some()) else {
        return Ok(versions);
    };
    if let (Some(own), Some(server)) = (major(&ours), major(&theirs))
        && own < server
    {
        return Err(Failure::Unmet {
            message: format!(
                "pg_dump is of PostgreSQL {ours}, and the server of {theirs}: an older one can't dump it"
            ),
            help: Some(format!("install its client: apt install postgresql-client-{server}")),
        });
    }
    versions.insert("postgresql".to_owned(), theirs);
    Ok(versions)
}

/// The line with the stand-in before it, where it calls `pg_dump` and nothing else.
fn question(script: &Script<Text>) -> Option<Script<Text>> {
    let Some(Piece::Code(first)) = script.pieces.first() else { return None };
    let is_call = first.trim_start().strip_prefix(DUMP).is_some_and(|rest| rest.starts_with([' ', '\t']));
    if !is_call || script.code().any(|code| code.contains(|c| MORE.contains(c))) {
        return None;
    }
    let stand_in = Piece::Code(STAND_IN.to_owned());
    Some(Script { pieces: [stand_in].into_iter().chain(script.pieces.iter().cloned()).collect() })
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}
