//! Verdicts at instants that a test chooses.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Zoned;
use jiff::civil::{Time, Weekday};

use super::*;
use crate::diagnostic::Span;
use crate::model::environment::Protect;
use crate::model::freeze::{Freeze, When};
use crate::model::script::{Piece, Script};
use crate::model::step::{Action, Step};
use crate::model::task::Block;

/// A delivery to production, where nothing goes out from Friday afternoon on, and the weekend over.
fn delivery() -> Delivery {
    let window = |days: &[Weekday], from: Time| Freeze {
        when: When::Daily { from, to: Time::midnight() },
        days: days.to_vec(),
        zone: None,
        reason: Some("nobody is there".to_owned()),
    };
    let weekend = [
        window(&[Weekday::Friday], Time::constant(15, 0, 0, 0)),
        window(&[Weekday::Saturday, Weekday::Sunday], Time::midnight()),
    ];
    Delivery {
        saves: Vec::new(),
        guarded: Vec::new(),
        back: None,
        health: None,
        on_failure: None,
        environment: "production".to_owned(),
        number: 1,
        source: None,
        target: None,
        swap: Vec::new(),
        protect: Protect { freeze: weekend.into(), ..Protect::default() },
        checks: lines(&[]),
    }
}

/// These shell lines, as a plan holds them.
fn lines(lines: &[&str]) -> Block {
    let step = |line: &&str| {
        let script = Script { pieces: vec![Piece::Code((*line).to_owned())] };
        Step::bare(Action::Run(script), Span::default())
    };
    Block {
        name: "checks".to_owned(),
        steps: lines.iter().map(step).collect(),
        always: Vec::new(),
        env: Arc::default(),
        dir: PathBuf::new(),
        there: None,
        shell: Arc::default(),
        tracking: None,
        skip_if: None,
        timeout: None,
        retry: None,
        interactive: false,
        at: Span::default(),
    }
}

fn at(now: &str) -> Circumstances {
    let clock: Zoned = now.parse().expect("a moment with its zone");
    Circumstances { clocks: vec![clock.clone(), clock], ..Circumstances::default() }
}

/// What the rules say, one a line.
fn told(delivery: &Delivery, found: &Circumstances, overrides: &Overrides) -> String {
    let verdicts = judge(delivery, found, overrides);
    let lines = verdicts.iter().map(|verdict| {
        let help = verdict.help.as_ref().map_or_else(String::new, |help| format!(" [{help}]"));
        format!("{} {:?} {}{help}", verdict.rule, verdict.ruling, verdict.says)
    });
    lines.collect::<Vec<String>>().join("\n")
}

#[test]
fn a_freeze_says_until_when_and_why() {
    let told = |now| told(&delivery(), &at(now), &Overrides::default());
    assert_eq!(told("2026-11-27T14:59[Europe/Berlin]"), "freeze Holds nothing is frozen now");
    assert_eq!(
        told("2026-11-27T15:00[Europe/Berlin]"),
        "freeze Refuses production is frozen until Monday 2026-11-30 00:00 (Europe/Berlin): nobody is there \
         [wait until then, or --override freeze --reason \"…\"]"
    );
    assert_eq!(told("2026-11-30T00:00[Europe/Berlin]"), "freeze Holds nothing is frozen now");
    // The same instants, elsewhere.
    assert_eq!(told("2026-11-27T08:59[America/New_York]"), "freeze Holds nothing is frozen now");
    assert!(told("2026-11-28T08:59[America/New_York]").contains("2026-11-30 00:00 (America/New_York)"));
}

#[test]
fn a_freeze_of_the_ledger_is_the_same_rule() {
    let at = Circumstances {
        frozen: Some(Frozen {
            by: "ada@host".to_owned(),
            at: "2026-11-24T09:30[UTC]".parse().expect("a moment"),
            reason: "release 3 was rolled back".to_owned(),
        }),
        ..at("2026-11-28T12:00[UTC]")
    };
    assert_eq!(
        told(&Delivery { protect: Protect::default(), ..delivery() }, &at, &Overrides::default()),
        "freeze Refuses production is frozen since 2026-11-24 09:30, by ada@host: release 3 was rolled back \
         [deploy unlock production --reason \"…\", or --override freeze --reason \"…\"]"
    );
    let both = told(&delivery(), &at, &Overrides::default());
    assert!(both.contains("rolled back; production is frozen until Monday"), "{both}");
    let overrides = Overrides { rules: vec!["freeze".to_owned()], reason: "the mend".to_owned() };
    let both = told(&delivery(), &at, &overrides);
    assert!(both.starts_with("freeze Overridden(\"the mend\") production is frozen since"), "{both}");
}

#[test]
fn without_a_freeze_nothing_is_said_of_it() {
    let free = Delivery { protect: Protect::default(), ..delivery() };
    assert_eq!(told(&free, &Circumstances::default(), &Overrides::default()), "");
}

#[test]
fn checks_are_open_until_they_ran_and_are_overridden_only_if_they_fail() {
    let checked = Delivery { checks: lines(&["make check", "test -f ok\nmore"]), ..delivery() };
    let overrides =
        Overrides { rules: vec!["checks".to_owned()], reason: "it is the check that errs".to_owned() };
    let open =
        || judge(&checked, &at("2026-11-24T12:00[UTC]"), &overrides).pop().expect("the rule that was said");
    assert_eq!(open().ruling, Ruling::Open);
    assert_eq!(open().says, "`make check`, `test -f ok …`");
    let settled = |failed: Option<&str>, overrides| {
        let mut verdict = open();
        settle(&mut verdict, failed.map(str::to_owned), overrides);
        verdict.ruling
    };
    assert_eq!(settled(None, &overrides), Ruling::Holds);
    assert_eq!(settled(Some("it failed"), &overrides), Ruling::Overridden(overrides.reason.clone()));
    assert_eq!(settled(Some("it failed"), &Overrides::default()), Ruling::Refuses);
}
