//! One workload, measured in turns: the least, and right after it a tool; then the next one in the same way. So both
//! sides of a ratio have had the same machine.

use std::time::{Duration, Instant};

use crate::floor;
use crate::place::Place;
use crate::run::{Ended, Figure, Run, Stdout};
use crate::table::{Cell, Row};
use crate::tools::TOOLS;
use crate::workload::{Kind, Workload};

/// How long one run may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// How long the first run may take that makes what shall be fresh.
const FIRST: Duration = Duration::from_mins(5);

/// A tool that is so many times slower than the least is not measured as often: nobody asks for its third digit.
const FAR: f64 = 10.0;

/// From how many tasks on these cost more than the start.
const MANY: usize = 1000;

/// When no more turns of a workload are begun.
const ENOUGH: Duration = Duration::from_secs(20);

/// A tool that takes part, and what it has needed so far, each with the least right before it.
struct Contender {
    place: usize,
    run: Run,
    turns: usize,
    pairs: Vec<(Figure, Figure)>,
}

impl Contender {
    /// The first run is no figure, since it fills the caches, but of a tool that is not worth a second one.
    fn new(place: usize, run: Run, first: (Figure, Figure)) -> Self {
        match turns(first.1.seconds, first.0.seconds) {
            1 => Self { place, run, turns: 0, pairs: vec![first] },
            turns => Self { place, run, turns, pairs: Vec::new() },
        }
    }
}

pub(crate) fn measure(workload: &Workload, place: &Place, before: &[Row]) -> Row {
    place.lay(workload, &TOOLS[0]);
    let floor = floor::floor(workload, place);
    let mut cells: Vec<Cell> = Vec::new();
    let mut contenders = Vec::new();
    for (index, tool) in TOOLS.iter().enumerate() {
        let ready = match command(workload, place, index) {
            None => Err(Cell::Empty),
            Some(_) if would_be_late(workload, index, before) => Err(Cell::Late),
            Some(run) => {
                place.lay(workload, tool);
                warmed(workload, &run, &floor).map(|pair| Contender::new(index, run, pair))
            }
        };
        cells.push(match ready {
            Ok(contender) => {
                contenders.push(contender);
                Cell::Empty
            }
            Err(cell) => cell,
        });
    }
    let most = contenders.iter().map(|contender| contender.turns).max().unwrap_or(0);
    let begin = Instant::now();
    for turn in 0..most {
        if turn > 0 && begin.elapsed() > ENOUGH {
            break;
        }
        for contender in contenders.iter_mut().filter(|contender| turn < contender.turns) {
            if let (Ended::Well(least), Ended::Well(own)) = (floor.measure(), contender.run.measure()) {
                contender.pairs.push((least, own));
            }
        }
    }
    for contender in contenders {
        cells[contender.place] = Cell::Timed(contender.pairs);
    }
    place.clear(workload);
    Row { workload: *workload, cells }
}

/// The command, if the tool is there and can do it.
fn command(workload: &Workload, place: &Place, index: usize) -> Option<Run> {
    let (program, _) = place.found[index].clone()?;
    let words = (TOOLS[index].words)(workload)?.split(' ').map(str::to_owned).collect();
    let code = if workload.kind == Kind::List { TOOLS[index].listed } else { 0 };
    let folder = place.folder(workload, &TOOLS[index]);
    let stdout = if matches!(workload.kind, Kind::Print(_)) { Stdout::Pipe } else { Stdout::Null };
    Some(Run { program, words, folder, code, stdout, patience: PATIENCE })
}

/// Whether one can tell by a smaller workload of the same kind that it can't be done in time.
fn would_be_late(workload: &Workload, index: usize, before: &[Row]) -> bool {
    let is_smaller = |row: &&Row| workload.is_larger_than(&row.workload) && row.workload.size >= MANY;
    let smaller = before.iter().rev().find(is_smaller);
    smaller.is_some_and(|row| match &row.cells[index] {
        Cell::Late => true,
        Cell::Empty | Cell::Failed => false,
        Cell::Timed(pairs) => {
            #[expect(clippy::cast_precision_loss, reason = "a few thousand tasks")]
            let growth = workload.size as f64 / row.workload.size as f64;
            pairs.iter().all(|(_, own)| own.seconds * growth > PATIENCE.as_secs_f64())
        }
    })
}

/// The first run, right behind the least.
fn warmed(workload: &Workload, run: &Run, floor: &Run) -> Result<(Figure, Figure), Cell> {
    if workload.kind == Kind::Fresh {
        ended(run, Run { patience: FIRST, ..run.clone() }.measure())?;
    }
    Ok((ended(floor, floor.measure())?, ended(run, run.measure())?))
}

fn ended(run: &Run, ended: Ended) -> Result<Figure, Cell> {
    match ended {
        Ended::Well(figure) => Ok(figure),
        Ended::Late => Err(Cell::Late),
        Ended::Badly(told) => {
            eprintln!("{} {}: {}", run.program.display(), run.words.join(" "), last(&told));
            Err(Cell::Failed)
        }
    }
}

/// How many turns are worth their time.
fn turns(seconds: f64, least: f64) -> usize {
    let is_far = seconds > least * FAR;
    match seconds {
        20.0.. => 1,
        2.0.. => {
            if is_far {
                1
            } else {
                3
            }
        }
        0.2.. => {
            if is_far {
                3
            } else {
                5
            }
        }
        0.01.. => {
            if is_far {
                5
            } else {
                15
            }
        }
        _ => 31,
    }
}

/// The end of what was told, which says why.
fn last(told: &str) -> &str {
    told.trim().lines().last().unwrap_or_default()
}
