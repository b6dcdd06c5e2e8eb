//! What a child is given, and why one can't be started.
#![expect(
    clippy::disallowed_methods,
    reason = "a test's files need not survive a crash, and it names its own program"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rustix::process::{getpgrp, getpid};
use tempfile::tempdir;

use super::{FOREVER, Stop, ran, sh, sh_in};
use crate::process::{Command, End, StartError, Stdin, Terminal, capture, run};

#[test]
fn the_environment_is_whole_and_nothing_else() {
    let mut command = Command::new("/usr/bin/env", "/");
    command.env = vec![("A".into(), "1".into()), ("B".into(), "two words\nand a line".into())].into();
    let (ended, mut text) = ran(&command, &Stop::new(FOREVER));
    assert_eq!(ended.end, End::Exited(0));
    if text.starts_with('B') {
        text = text.replace("A=1\n", "");
        text.insert_str(0, "A=1\n");
    }
    assert_eq!(text, "A=1\nB=two words\nand a line\n");
}

#[test]
fn it_runs_in_its_folder() {
    let folder = tempdir().unwrap();
    let (_, text) = ran(&sh_in(folder.path(), "pwd -P"), &Stop::new(FOREVER));
    assert_eq!(PathBuf::from(text.trim_end()), folder.path().canonicalize().unwrap());
}

#[test]
fn it_reads_nothing_unless_told() {
    let (ended, text) = ran(&sh("cat; echo end"), &Stop::new(FOREVER));
    assert_eq!((ended.end, text.as_str()), (End::Exited(0), "end\n"));
}

#[test]
fn it_reads_more_than_a_pipe_holds_while_it_prints() {
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let mut command = sh("cat");
    command.stdin = Stdin::Bytes(bytes.clone());
    let captured = capture(&command, &Stop::new(FOREVER)).unwrap();
    assert_eq!(captured.status, End::Exited(0));
    assert!(captured.stdout == bytes);
}

#[test]
fn it_need_not_read_what_it_is_given() {
    for script in ["exit 4", "exec <&-; exit 4", "head -c 1 >/dev/null; exit 4"] {
        let mut command = sh(script);
        command.stdin = Stdin::Bytes(vec![b'x'; 1_000_000]);
        assert_eq!(ran(&command, &Stop::new(FOREVER)).0.end, End::Exited(4), "{script}");
    }
}

#[test]
fn nothing_to_read_is_the_end_of_input() {
    let mut command = sh("cat; echo end");
    command.stdin = Stdin::Bytes(Vec::new());
    assert_eq!(ran(&command, &Stop::new(FOREVER)).1, "end\n");
}

#[test]
fn only_an_interactive_child_is_in_our_group() {
    let ours = getpgrp().as_raw_nonzero();
    let folder = tempdir().unwrap();
    let script = "ps -o pgid= -o pid= -p $$ > group";
    for (terminal, shares) in
        [(Terminal::Background, false), (Terminal::Direct, false), (Terminal::Interactive, true)]
    {
        let mut command = sh_in(folder.path(), script);
        command.terminal = terminal;
        assert_eq!(ran(&command, &Stop::new(FOREVER)).0.end, End::Exited(0));
        let said = fs::read_to_string(folder.path().join("group")).unwrap();
        let numbers: Vec<i32> = said.split_whitespace().map(|number| number.parse().unwrap()).collect();
        assert_eq!(numbers[0] == ours.get(), shares, "{terminal:?}");
        assert_eq!(numbers[0] == numbers[1], !shares, "{terminal:?} leads its group");
    }
}

#[test]
fn a_direct_child_writes_to_our_own_output() {
    let mut command = sh("readlink /proc/$$/fd/1 /proc/$$/fd/2 >&3");
    command.args = vec![
        "-c".into(),
        format!(
            "for fd in 1 2; do [ /proc/$$/fd/$fd -ef /proc/{}/fd/$fd ] || exit 9; done",
            getpid().as_raw_nonzero()
        )
        .into(),
    ];
    command.terminal = Terminal::Direct;
    let (ended, text) = ran(&command, &Stop::new(FOREVER));
    assert_eq!((ended.end, text.as_str()), (End::Exited(0), ""));
}

#[test]
fn what_is_missing_is_named() {
    let folder = tempdir().unwrap();
    let file = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let error = |command: &Command| run(command, &Stop::new(FOREVER), &mut |_, _| {}).expect_err("an error");

    let no_program = error(&Command::new(folder.path().join("absent"), "/"));
    assert!(matches!(no_program, StartError::NoProgram { .. }), "{no_program}");
    let no_folder = error(&Command::new("/bin/sh", folder.path().join("absent")));
    assert!(matches!(no_folder, StartError::NoFolder { .. }), "{no_folder}");
    let no_interpreter = error(&Command::new(file("script", "#!/no/such/interpreter\n", 0o755), "/"));
    assert!(matches!(no_interpreter, StartError::NoInterpreter { .. }), "{no_interpreter}");
    let not_executable = error(&Command::new(file("plain", "#!/bin/sh\n", 0o644), "/"));
    assert!(matches!(not_executable, StartError::NotExecutable { .. }), "{not_executable}");
    let mut large = sh("exit 0");
    large.args.push("x".repeat(4 * 1024 * 1024).into());
    let too_large = error(&large);
    assert!(matches!(too_large, StartError::TooLarge { .. }), "{too_large}");

    let codes = [no_program, no_folder, no_interpreter, not_executable, too_large].map(|error| error.code());
    assert_eq!(codes, [127, 127, 127, 126, 126]);
}

#[test]
fn an_error_does_not_tell_the_arguments() {
    let mut command = Command::new("/absent", "/");
    command.args = vec!["hunter2".into()];
    command.env = vec![("PASSWORD".into(), "hunter2".into())].into();
    let error = run(&command, &Stop::new(FOREVER), &mut |_, _| {}).expect_err("an error");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}
