//! The tables: Markdown that is also straight to the eye.

use std::fmt::Write;

use crate::measure::median;
use crate::run::Figure;
use crate::tools::TOOLS;
use crate::workload::{Kind, Shown, Workload};

/// What is known of one workload.
pub(crate) struct Row {
    pub(crate) workload: Workload,
    /// In the order of the tools.
    pub(crate) cells: Vec<Cell>,
}

/// What is known of one tool in it.
pub(crate) enum Cell {
    /// It can't do that, or is not installed.
    Empty,
    Late,
    Failed,
    /// The least, and the tool right after it.
    Timed(Vec<(Figure, Figure)>),
}

impl Cell {
    /// The median of the ratios to the least.
    pub(crate) fn ratio(&self, of: fn(&Figure) -> f64) -> Option<f64> {
        self.median(|(least, own)| of(own) / of(least))
    }

    fn median(&self, of: impl Fn(&(Figure, Figure)) -> f64) -> Option<f64> {
        match self {
            Self::Timed(pairs) if !pairs.is_empty() => {
                Some(median(&pairs.iter().map(of).collect::<Vec<_>>()))
            }
            Self::Timed(_) | Self::Empty | Self::Late | Self::Failed => None,
        }
    }
}

/// Seconds beside the seconds of the least: how it is measured against the goal.
pub(crate) fn times(rows: &[Row]) -> String {
    let lines = rows.iter().map(|row| {
        let least: Vec<f64> =
            row.cells.iter().filter_map(|cell| cell.median(|(least, _)| least.seconds)).collect();
        let least = if least.is_empty() { "–".to_owned() } else { digits(median(&least) * 1000.0) };
        let ratios: Vec<Option<f64>> =
            row.cells.iter().map(|cell| cell.ratio(|figure| figure.seconds)).collect();
        let best = (1..TOOLS.len()).filter_map(|tool| Some((ratios[tool]?, TOOLS[tool].name)));
        let best = best.min_by(|a, b| a.0.total_cmp(&b.0));
        let best = best.map_or_else(|| "–".to_owned(), |(ratio, name)| format!("{name} {}", digits(ratio)));
        let mut line = vec![row.workload.name(), least, digits(row.workload.goal), best];
        line.extend(row.cells.iter().zip(ratios).map(|(cell, ratio)| shown(cell, ratio)));
        line
    });
    table("times the least; its ms|goal|best other", lines)
}

/// Seconds of all processors, beside those of the least: what other work on the machine moves less.
pub(crate) fn processors(rows: &[Row]) -> String {
    let lines = rows.iter().map(|row| {
        let cells = row.cells.iter().map(|cell| shown(cell, cell.ratio(|figure| figure.processor)));
        std::iter::once(row.workload.name()).chain(cells).collect()
    });
    table("processors' seconds, times the least", lines)
}

/// The peak of the largest process.
pub(crate) fn memory(rows: &[Row]) -> String {
    let is_told = |row: &&Row| match row.workload.kind {
        Kind::Shell => row.workload.size == 10_000 && row.workload.at_once == 8,
        Kind::Layers | Kind::Fresh | Kind::Print(Shown::Alone | Shown::Prefixed | Shown::Grouped) => true,
        Kind::List | Kind::One | Kind::Simple | Kind::Chain => false,
    };
    let lines = rows.iter().filter(is_told).map(|row| {
        let cells = row.cells.iter().map(|cell| shown(cell, cell.median(|(_, own)| own.peak)));
        std::iter::once(row.workload.name()).chain(cells).collect()
    });
    table("peak MiB", lines)
}

fn shown(cell: &Cell, figure: Option<f64>) -> String {
    match cell {
        Cell::Timed(_) => figure.map_or_else(|| "–".to_owned(), digits),
        Cell::Empty => "–".to_owned(),
        Cell::Late => ">60 s".to_owned(),
        Cell::Failed => "fails".to_owned(),
    }
}

/// Three digits, as far as there are any.
fn digits(figure: f64) -> String {
    match figure {
        100.0.. => format!("{figure:.0}"),
        10.0.. => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

/// All columns as wide as their widest cell; the first to the left.
fn table(head: &str, lines: impl Iterator<Item = Vec<String>>) -> String {
    let (first, rest) = head.split_once(';').unwrap_or((head, ""));
    let mut columns = vec![first.to_owned()];
    columns.extend(rest.split('|').filter(|word| !word.is_empty()).map(|word| word.trim().to_owned()));
    columns.extend(TOOLS.iter().map(|tool| tool.name.to_owned()));
    let lines: Vec<Vec<String>> = std::iter::once(columns).chain(lines).collect();
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(&widths).take(1) {
            write!(text, "| {cell:width$} |").expect("memory");
        }
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            write!(text, " {cell:>width$} |").expect("memory");
        }
        text.push('\n');
        if number == 0 {
            text.push_str("|---");
            text.push_str(&"|--:".repeat(widths.len() - 1));
            text.push_str("|\n");
        }
    }
    text
}
