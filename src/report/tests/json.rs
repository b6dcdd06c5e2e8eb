//! Lines for programs.

use insta::assert_snapshot;

use super::*;
use crate::model::event::StopReason;

#[test]
fn json_is_one_object_a_line() {
    let outcomes = [failed(A, "pytest", Failure::Exit(3)), Outcome::Skipped { because: A }];
    let told = tell(
        &Format::Json,
        &labels(&["test", "ship"]),
        &events([
            run_started(),
            started(A),
            out(A, "caf\u{e9} \"1\"\n"),
            ended(A, &outcomes[0]),
            ended(B, &outcomes[1]),
            EventKind::Stopping { why: StopReason::Signal(15) },
            run_ended(&outcomes),
            released(),
        ]),
    );
    assert_eq!((told.err, told.own), (Vec::new(), String::new()));
    assert_snapshot!(told.screen, @r#"
    {"v":1,"at":0.0,"event":"run_started","run":"20260804-1","jobs":["test","ship"]}
    {"v":1,"at":0.1,"event":"job_started","job":"test"}
    {"v":1,"at":0.2,"event":"output","job":"test","stream":"stdout","text":"café \"1\"\n","lossy":false}
    {"v":1,"at":0.3,"event":"job_ended","job":"test","took":1.2,"outcome":"failed","step":"pytest","place":"tasks.toml:1","failure":{"kind":"exit","code":3}}
    {"v":1,"at":0.4,"event":"job_ended","job":"ship","took":1.2,"outcome":"skipped","because":"test"}
    {"v":1,"at":0.5,"event":"stopping","why":"signal","signal":15}
    {"v":1,"at":0.6,"event":"run_ended","succeeded":false,"took":125.0,"signal":null,"still_owed":0}
    {"v":1,"at":0.7,"event":"released","environment":"staging","release":3,"commit":"1a2b3c4d00000000000000000000000000000000","subject":"Add shipping","took":12.0}
    "#);
}

#[test]
fn json_keeps_characters_whole() {
    let piece =
        |bytes: &[u8]| EventKind::Output { job: A, host: None, stream: Stream::Out, bytes: bytes.into() };
    let told = tell(
        &Format::Json,
        &labels(&["a"]),
        &events([piece(b"caf\xc3"), piece(b"\xa9 \xff"), piece(b"\xe2\x82"), ended(A, &Outcome::Succeeded)]),
    );
    let texts: Vec<(String, bool)> = told
        .screen
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|line| line["event"] == "output")
        .map(|line| (line["text"].as_str().unwrap().to_owned(), line["lossy"] == true))
        .collect();
    let expected = [("caf", false), ("é \u{fffd}", true), ("\u{fffd}", true)];
    assert_eq!(texts, expected.map(|(text, lossy)| (text.to_owned(), lossy)));
}
