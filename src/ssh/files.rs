//! The command lines by which files travel: rsync where both sides have it, which sends what has changed; else tar.
//! Pure, as those of ssh are. Paths are arguments here; on the other side rsync's own protocol or stdin brings them.

use std::ffi::OsString;
use std::path::Path;

use super::command;
use super::connection::Way;
use crate::model::host::There;

/// A host as rsync is told of it. The socket leads there, whatever the name is.
const SOME_HOST: &str = "host";

/// Unpacks what comes after three lines: where it goes, its name (`.` is a folder's content) and its mode. A file gets to
/// its place whole, or not at all.
pub(crate) const UNPACK: &str = "IFS= read -r to && IFS= read -r name && IFS= read -r mode || exit 1; \
     if [ \"$name\" = . ]; then mkdir -p \"$to\" && cd \"$to\" && exec tar -xpof -; fi; \
     d=$(dirname \"$to\"); mkdir -p \"$d\" && t=$(mktemp -d \"$d/.deploy.XXXXXX\") || exit 1; \
     trap \"rm -rf \\\"\\$t\\\"\" EXIT; \
     tar -xpof - -C \"$t\" && { [ -z \"$mode\" ] || chmod \"$mode\" \"$t/$name\"; } && mv -f \"$t/$name\" \"$to\"";

/// Packs what one line names.
pub(crate) const PACK: &str = "IFS= read -r from || exit 1; \
     if [ -d \"$from\" ]; then cd \"$from\" && exec tar -cf - .; fi; \
     d=$(dirname \"$from\"); n=$(basename \"$from\"); cd \"$d\" && exec tar -cf - \"./$n\"";

/// Here: sends the lines on stdin and then a folder's entry to what follows.
pub(crate) const SEND: &str = "d=$1 n=$2; shift 2; exec 4>&1; \
     t=$({ { cat; tar -C \"$d\" -cf - \"$n\" || echo tar >&3; } | { \"$@\" >&4 3>&- || echo there >&3; }; } 3>&1); \
     [ -z \"$t\" ]";

/// Here: unpacks what follows prints. A file gets to its place whole, or not at all.
pub(crate) const RECEIVE: &str = "to=$1 name=$2; shift 2; d=$to; \
     [ \"$name\" = . ] || { d=$(dirname \"$to\"); d=$(mktemp -d \"$d/.deploy.XXXXXX\") || exit 1; trap 'rm -rf \"$d\"' EXIT; }; \
     exec 4>&1; t=$({ { \"$@\" || echo there >&3; } | { tar -xpof - -C \"$d\" >&4 3>&- || echo tar >&3; }; } 3>&1); \
     [ -z \"$t\" ] && { [ \"$name\" = . ] || mv -f \"$d/$name\" \"$to\"; }";

/// Makes the folder that files go to, and says whether rsync is there.
pub(crate) const PREPARE: &str = r#"mkdir -p "$1" && { command -v rsync >/dev/null && echo rsync; :; }"#;

/// Says what a path is, and whether rsync is there.
pub(crate) const LOOK: &str = r#"if [ -d "$1" ]; then echo folder; elif [ -e "$1" ]; then echo file; else echo nothing; fi; command -v rsync >/dev/null && echo rsync; :"#;

/// What travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    File,
    /// Its content.
    Folder,
}

/// rsync from here to a host.
pub(crate) fn put(
    there: &There,
    way: &Way,
    what: What,
    from: &Path,
    to: &str,
    mode: Option<u32>,
) -> Vec<OsString> {
    let mut args = rsync(there, way);
    args.extend(mode.map(|mode| format!("--chmod=F{mode:o}").into()));
    args.push("--".into());
    args.push(with_end(from.as_os_str().to_owned(), what));
    args.push(with_end(format!("{SOME_HOST}:{to}").into(), what));
    args
}

/// rsync from a host to here.
pub(crate) fn get(there: &There, way: &Way, what: What, from: &str, to: &Path) -> Vec<OsString> {
    let mut args = rsync(there, way);
    args.push("--".into());
    args.push(with_end(format!("{SOME_HOST}:{from}").into(), what));
    args.push(with_end(to.as_os_str().to_owned(), what));
    args
}

/// Links, modes and times are kept; owners are those of who writes. `-s`: no shell there reads a path.
fn rsync(there: &There, way: &Way) -> Vec<OsString> {
    let mut shell = way.ssh.as_os_str().to_owned();
    for word in command::shared(there, &way.socket) {
        shell.push(" ");
        shell.push(word);
    }
    vec!["-rlpt".into(), "-s".into(), "-e".into(), shell]
}

/// A `/` at the end means what is in a folder.
fn with_end(mut path: OsString, what: What) -> OsString {
    if what == What::Folder {
        path.push("/");
    }
    path
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::host::Agent;

    #[test]
    fn rsync_goes_through_the_connection_and_no_path_is_an_option() {
        let patience = Duration::from_secs(30);
        let there = There {
            host: "web1".into(),
            ssh: "web1".to_owned(),
            agent: Agent::Kept,
            patience,
            dir: None,
            sudo: None,
        };
        let way = Way { ssh: "/usr/bin/ssh".into(), socket: "/run/d/1".into() };
        let args = put(&there, &way, What::Folder, Path::new("/shop/dist"), "./-x y", Some(0o640));
        let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
        assert_eq!(args[..3], ["-rlpt", "-s", "-e"]);
        assert!(args[3].starts_with("/usr/bin/ssh -S /run/d/1 -T -o BatchMode=yes"), "{}", args[3]);
        assert_eq!(args[4..], ["--chmod=F640", "--", "/shop/dist/", "host:./-x y/"]);
    }

    #[test]
    fn what_runs_there_can_stand_between_single_quotes() {
        for program in [UNPACK, PACK] {
            assert!(!program.contains(['\'', '!', '\n']), "{program}");
        }
    }
}
